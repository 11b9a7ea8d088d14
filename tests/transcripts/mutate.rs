//! Recorded edits, copied as badly as models copy: how many still go to their place, and that none
//! goes to another.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::Path,
};

use harness_tool::edit::{EditFault, apply};

use super::Exact;

/// One way to copy badly: from a recorded edit to a text, a call, and what it should come to.
struct Mutation {
    name: &'static str,
    make: fn(&Exact) -> Option<Mutated>,
}

struct Mutated {
    text: String,
    old: String,
    new: String,
    /// Nothing where it must not be made at all.
    after: Option<String>,
}

const MUTATIONS: [Mutation; 17] = [
    Mutation {
        name: "as recorded",
        make: |edit| call(edit, edit.old.clone(), edit.new.clone()),
    },
    Mutation {
        name: "old: blanks at each line's end",
        make: |edit| {
            call(
                edit,
                lines(&edit.old, |line| format!("{line}  ")),
                edit.new.clone(),
            )
        },
    },
    Mutation {
        name: "file: blanks at each line's end",
        make: |edit| file(edit, |text| lines(text, |line| format!("{line} \t"))),
    },
    Mutation {
        name: "call: without common indentation",
        make: |edit| both(edit, dedent),
    },
    Mutation {
        name: "call: four blanks deeper",
        make: |edit| both(edit, |text, _| lines(text, |line| deeper(line, "    "))),
    },
    Mutation {
        name: "call: blanks for tabs",
        make: |edit| {
            both(edit, |text, _| {
                lines(text, |line| indented(line, |own| own.replace('\t', "    ")))
            })
        },
    },
    Mutation {
        name: "call: tabs for blanks",
        make: |edit| {
            both(edit, |text, _| {
                lines(text, |line| indented(line, |own| own.replace("  ", "\t")))
            })
        },
    },
    Mutation {
        name: "file: curly quotes and dashes",
        make: |edit| file(edit, curly),
    },
    Mutation {
        name: "old: curly quotes and dashes",
        make: |edit| call(edit, curly(&edit.old), edit.new.clone()),
    },
    Mutation {
        name: "old: hard blanks",
        make: |edit| call(edit, edit.old.replace(' ', "\u{a0}"), edit.new.clone()),
    },
    Mutation {
        name: "file: CRLF",
        make: |edit| {
            Some(Mutated {
                text: crlf(&edit.text),
                old: edit.old.clone(),
                new: edit.new.clone(),
                after: Some(crlf(&edit.after)),
            })
        },
    },
    Mutation {
        name: "call: CRLF",
        make: |edit| both(edit, |text, _| crlf(text)),
    },
    Mutation {
        name: "file: ends at the place, without newline",
        make: ends_there,
    },
    Mutation {
        name: "old: one letter is another",
        make: |edit| refused(edit, edit.text.clone(), typo(&edit.old)?),
    },
    Mutation {
        name: "old: with line numbers",
        make: |edit| {
            refused(
                edit,
                edit.text.clone(),
                lines(&edit.old, |line| format!("12| {line}")),
            )
        },
    },
    Mutation {
        name: "old: a line in its middle is left out",
        make: |edit| refused(edit, edit.text.clone(), without_middle(&edit.old)?),
    },
    Mutation {
        name: "file: has the place twice",
        make: |edit| {
            refused(
                edit,
                format!("{}\n{}", edit.text, edit.text),
                edit.old.clone(),
            )
        },
    },
];

/// Makes every recorded edit in each way; what they come to must be what stands in the table.
pub(super) fn check(edits: &[Exact]) {
    let mut table = format!("{} recorded edits, copied badly\n", edits.len());
    let (mut wrong, mut seen) = (Vec::new(), BTreeMap::new());
    for mutation in &MUTATIONS {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for edit in edits {
            let how = match (mutation.make)(edit) {
                None => "does not apply".to_owned(),
                Some(mutated) => match apply(mutated.text.as_bytes(), &mutated.old, &mutated.new) {
                    Ok(edited) => {
                        let made = String::from_utf8(edited.bytes).unwrap();
                        let place = placed(&mutated, &made);
                        if place == "WRONG" {
                            let Mutated { old, new, .. } = &mutated;
                            wrong
                                .push(format!("{}\n{old}\nby\n{new}\nmade\n{made}", mutation.name));
                        }
                        format!(
                            "{place}, {}",
                            edited.inexact.as_deref().unwrap_or("exactly")
                        )
                    }
                    Err(fault) => {
                        let word = word(&fault);
                        seen.entry(word).or_insert_with(|| fault.to_string());
                        format!("refused, {word}")
                    }
                },
            };
            *told.entry(how).or_default() += 1;
        }
        let told: Vec<String> = told
            .iter()
            .map(|(how, count)| format!("{count} {how}"))
            .collect();
        table.push_str(&format!("{}: {}\n", mutation.name, told.join("; ")));
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{table}").unwrap();
    for (word, text) in &seen {
        writeln!(stderr, "what a model sees, {word}: {text}").unwrap();
    }
    drop(stderr);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/mutated.txt");
    let expected = fs::read_to_string(path).unwrap();
    assert_eq!(table, expected);
}

/// Says whether an edit went where it should.
fn placed(mutated: &Mutated, made: &str) -> &'static str {
    let bare = |text: &str| {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    };
    match &mutated.after {
        Some(after) if after == made => "right",
        Some(after) if bare(after) == bare(made) => "right place, other blanks",
        _ => "WRONG",
    }
}

fn word(fault: &EditFault) -> &'static str {
    match fault {
        EditFault::NotFound { nearest } if nearest.is_empty() => "not found, nothing near",
        EditFault::NotFound { .. } => "not found, with the nearest lines",
        EditFault::Ambiguous { .. } => "ambiguous",
        _ => "else",
    }
}

/// Another call in the same file; it should come to what was recorded.
fn call(edit: &Exact, old: String, new: String) -> Option<Mutated> {
    let (text, after) = (edit.text.clone(), Some(edit.after.clone()));
    Some(Mutated {
        text,
        old,
        new,
        after,
    })
}

/// Both texts of a call changed alike, each given with the other: it should come to what was recorded.
fn both(edit: &Exact, change: fn(&str, &str) -> String) -> Option<Mutated> {
    let (old, new) = (change(&edit.old, &edit.new), change(&edit.new, &edit.old));
    (old != edit.old).then(|| call(edit, old, new))?
}

/// The same call in another file; what is put in stays as it was given.
fn file(edit: &Exact, change: fn(&str) -> String) -> Option<Mutated> {
    let (before, behind) = edit.text.split_once(&edit.old)?;
    // Whole lines alone: what a change puts at the ends of lines is part of the place.
    let is_whole = before.is_empty() || before.ends_with('\n');
    let behind_whole = behind.is_empty() || behind.starts_with('\n') || edit.old.ends_with('\n');
    if !is_whole || !behind_whole {
        return None;
    }
    let text = change(&edit.text);
    let (rest, line) = match edit.old.ends_with('\n') {
        true => (change(behind), ""),
        false => (
            change(behind.strip_prefix('\n').unwrap_or(behind)),
            if behind.starts_with('\n') { "\n" } else { "" },
        ),
    };
    let after = format!("{}{}{line}{rest}", change(before), edit.new);
    Some(Mutated {
        text,
        old: edit.old.clone(),
        new: edit.new.clone(),
        after: Some(after),
    })
}

fn refused(edit: &Exact, text: String, old: String) -> Option<Mutated> {
    Some(Mutated {
        text,
        old,
        new: edit.new.clone(),
        after: None,
    })
}

fn ends_there(edit: &Exact) -> Option<Mutated> {
    let (before, _) = edit.text.split_once(&edit.old)?;
    let (old, new) = (
        edit.old.trim_end_matches('\n'),
        edit.new.trim_end_matches('\n'),
    );
    Some(Mutated {
        text: format!("{before}{old}"),
        old: format!("{old}\n"),
        new: format!("{new}\n"),
        after: Some(format!("{before}{new}")),
    })
}

/// Changes each line that is not blank.
fn lines(text: &str, change: impl Fn(&str) -> String) -> String {
    let changed = text.split('\n').map(|line| match line.trim().is_empty() {
        true => line.to_owned(),
        false => change(line),
    });
    changed.collect::<Vec<_>>().join("\n")
}

fn indented(line: &str, change: impl Fn(&str) -> String) -> String {
    let rest = line.trim_start_matches([' ', '\t']);
    let own = &line[..line.len() - rest.len()];
    format!("{}{rest}", change(own))
}

fn deeper(line: &str, by: &str) -> String {
    format!("{by}{line}")
}

/// Takes away the indentation that all lines of both texts have.
fn dedent(text: &str, other: &str) -> String {
    let all = text.split('\n').chain(other.split('\n'));
    let lines_of_text = all.filter(|line| !line.trim().is_empty());
    let depth = lines_of_text
        .map(|line| line.len() - line.trim_start_matches([' ', '\t']).len())
        .min();
    lines(text, |line| line[depth.unwrap_or(0)..].to_owned())
}

fn curly(text: &str) -> String {
    text.replace('\'', "\u{2019}")
        .replace('"', "\u{201d}")
        .replace(" - ", " \u{2013} ")
}

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// Changes one letter in the middle.
fn typo(text: &str) -> Option<String> {
    let mut letters = text
        .char_indices()
        .filter(|(_, char)| char.is_ascii_alphabetic());
    let count = letters.clone().count();
    let (at, _) = letters.nth(count / 2)?;
    Some(format!("{}\u{e9}{}", &text[..at], &text[at + 1..]))
}

/// Leaves out a line between two others that say something.
fn without_middle(text: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let middle = lines.len() / 2;
    let says = |at: usize| lines.get(at).is_some_and(|line| !line.trim().is_empty());
    if middle == 0 || !says(middle - 1) || !says(middle) || !says(middle + 1) {
        return None;
    }
    lines.remove(middle);
    Some(lines.join("\n"))
}
