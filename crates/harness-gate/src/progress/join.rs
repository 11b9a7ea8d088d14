//! Two logs that came from one, put together: the entries of both, by their time.
//!
//! Called when the commits of a run land on a branch whose log has grown meanwhile.

use super::{added, with_patterns};

/// How the time in a heading is written, with every digit as a zero.
const TIME_SHAPE: &str = "0000-00-00T00:00:00Z";

/// Puts what `theirs` has beyond `base` into `ours`, which came from `base` as well.
///
/// Nothing of `ours` is changed or lost, whoever wrote it. An entry comes before those that are
/// new in `ours` and later, and behind everything else; one that stands there already is not
/// written twice. `None` when `theirs` is not `base` with more in it.
pub fn join(base: &str, ours: &str, theirs: &str) -> Option<String> {
    if ours == theirs || base == theirs {
        return Some(ours.to_owned());
    }
    if ours == base {
        return Some(theirs.to_owned());
    }
    let new = added(base, theirs)?;
    let begins = new.entries.trim_start_matches([' ', '\t']);
    if !base.trim().is_empty() && !begins.is_empty() && !begins.starts_with(['\n', '\r', '#']) {
        // The last line of the base was changed, not the log grown.
        return None;
    }
    let newline = if ours.contains("\r\n") { "\r\n" } else { "\n" };
    let known: Vec<&str> = sections(base).into_iter().map(str::trim_end).collect();
    let mut here: Vec<String> = sections(ours).into_iter().map(str::to_owned).collect();
    for entry in sections(new.entries.trim_start()) {
        let entry = entry.trim().replace("\r\n", "\n").replace('\n', newline);
        if entry.is_empty() || here.iter().any(|section| holds(section, &entry, newline)) {
            continue;
        }
        let at = place_for(&here, &known, &entry);
        put(&mut here, at, &entry, newline);
    }
    Some(with_patterns(&here.concat(), &new.patterns))
}

/// Cuts a log before each heading of an entry; what stands above the first is a section as well.
fn sections(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("## ") && at > begin {
            found.push(&text[begin..at]);
            begin = at;
        }
        at += line.len();
    }
    if begin < text.len() {
        found.push(&text[begin..]);
    }
    found
}

/// Whether a section is an entry, or the entry with words behind it.
fn holds(section: &str, entry: &str, newline: &str) -> bool {
    let rest = section.trim_start().strip_prefix(entry);
    rest.is_some_and(|rest| rest.trim().is_empty() || rest.starts_with(newline))
}

/// Returns where an entry belongs: before what is new here and later.
fn place_for(here: &[String], known: &[&str], entry: &str) -> usize {
    let Some(time) = time_of(entry) else {
        return here.len();
    };
    let mut at = here.len();
    while at > 0 {
        let section = &here[at - 1];
        let is_later = time_of(section).is_some_and(|other| other > time);
        if !is_later || known.contains(&section.trim_end()) {
            break;
        }
        at -= 1;
    }
    at
}

fn put(here: &mut Vec<String>, at: usize, entry: &str, newline: &str) {
    let gap = newline.repeat(2);
    if let Some(before) = at.checked_sub(1).and_then(|before| here.get_mut(before)) {
        if !before.ends_with(newline) {
            before.push_str(newline);
        }
        if !before.ends_with(&gap) {
            before.push_str(newline);
        }
    }
    let end = if at < here.len() {
        gap.as_str()
    } else {
        newline
    };
    here.insert(at, format!("{entry}{end}"));
}

/// Returns the heading of an entry, which begins with its time and then names its session; written
/// as the harness does, so the order of entries is that of these texts.
fn time_of(section: &str) -> Option<&str> {
    let heading = section.trim_start().strip_prefix("## ")?.lines().next()?;
    let time = heading.split_whitespace().next()?;
    let shape = time
        .bytes()
        .map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    shape.eq(TIME_SHAPE.bytes()).then_some(heading)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "# Progress\n\n## Codebase Patterns\n\n## 2026-01-01T00:00:00Z S-0001 F-1 passing\n\n- Done: base\n";

    fn entry(second: u32, words: &str) -> String {
        format!("\n## 2026-01-01T00:00:{second:02}Z S-0002 F-2 passing\n\n- Done: {words}\n")
    }

    #[test]
    fn entries_of_both_stand_in_the_order_of_their_times_and_once() {
        let (early, late) = (entry(10, "early"), entry(20, "late"));
        let both = format!("{BASE}{early}{late}");
        for (ours, theirs) in [(&early, &late), (&late, &early)] {
            let (ours, theirs) = (format!("{BASE}{ours}"), format!("{BASE}{theirs}"));
            let joined = join(BASE, &ours, &theirs).unwrap();
            assert_eq!(joined, both);
            assert_eq!(join(BASE, &joined, &theirs).unwrap(), both);
        }
    }

    #[test]
    fn what_a_person_wrote_stays_wherever_it_stands() {
        let ours = format!(
            "{}{}my own line\n\n## Notes\n\nmine, without end",
            BASE.replace("base", "base, corrected"),
            entry(20, "late")
        );
        let joined = join(BASE, &ours, &format!("{BASE}{}", entry(10, "early"))).unwrap();
        assert_eq!(joined, format!("{ours}\n{}", entry(10, "early")));
        let theirs = format!("{BASE}{}", entry(20, "late"));
        assert_eq!(
            join(BASE, &ours, &theirs).unwrap(),
            ours,
            "an entry with words behind it"
        );
    }

    #[test]
    fn patterns_of_both_are_kept() {
        let with = |pattern: &str| with_patterns(BASE, &[pattern.to_owned()]);
        let joined = join(BASE, &with("one"), &with("two")).unwrap();
        assert!(joined.contains("- one\n- two\n"), "{joined}");
        assert!(joined.ends_with("- Done: base\n"), "{joined}");
    }

    #[test]
    fn two_logs_without_a_common_beginning_are_one() {
        let new = |second, words| {
            format!(
                "# Progress\n\n## Codebase Patterns\n{}",
                entry(second, words)
            )
        };
        let joined = join("", &new(20, "late"), &new(10, "early")).unwrap();
        assert_eq!(joined, format!("{}{}", new(10, "early"), entry(20, "late")));
    }

    #[test]
    fn a_log_that_was_rewritten_is_left_to_others() {
        assert_eq!(join(BASE, &format!("{BASE}more\n"), "another\n"), None);
        let grown = BASE.replace("Done: base", "Done: base and more");
        assert_eq!(
            join(BASE, &format!("{BASE}{}", entry(1, "one")), &grown),
            None
        );
    }

    #[test]
    fn line_ends_are_those_of_the_log_that_stands() {
        let crlf = |text: &str| text.replace('\n', "\r\n");
        let ours = crlf(&format!("{BASE}{}", entry(20, "late")));
        let theirs = crlf(&format!("{BASE}{}", entry(10, "early")));
        let joined = join(&crlf(BASE), &ours, &theirs).unwrap();
        assert_eq!(
            joined,
            crlf(&format!(
                "{BASE}{}{}",
                entry(10, "early"),
                entry(20, "late")
            ))
        );
    }
}
