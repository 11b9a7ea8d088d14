use proptest::prelude::*;

use super::*;
use crate::hunks;

fn patches(old: &str, new: &str) -> Vec<Patch> {
    hunks(old, new, 3)
        .iter()
        .filter_map(|hunk| Patch::of(new, hunk, &Chosen::All))
        .collect()
}

fn taken_back(current: &str, patches: &[Patch]) -> Reversed {
    reverse(current, &patches.iter().collect::<Vec<_>>())
}

/// Takes the lines of `old` to `new` that `chosen` names by sign and text back in `current`.
fn chosen_back(old: &str, new: &str, chosen: &[&str], current: &str) -> Reversed {
    let patches: Vec<Patch> = hunks(old, new, 3)
        .iter()
        .filter_map(|hunk| {
            let lines = hunk.lines.iter().enumerate();
            let lines = lines.filter(|(_, line)| chosen.contains(&line.written().trim_end()));
            Patch::of(new, hunk, &Chosen::Lines(lines.map(|(at, _)| at).collect()))
        })
        .collect();
    taken_back(current, &patches)
}

fn numbered(lines: Range<u32>) -> String {
    lines.map(|line| format!("line {line}\n")).collect()
}

#[test]
fn a_hunk_is_found_where_it_moved_to() {
    let old = numbered(0..40);
    let new = old.replace("line 20\n", "changed\nand more\n");
    let above = format!("new\nlines\n{new}");
    let result = taken_back(&above, &patches(&old, &new));
    assert_eq!(result.text, format!("new\nlines\n{old}"));
    assert_eq!(result.outcomes, [Outcome::Applied { line: 20 }]);
}

#[test]
fn lines_around_it_may_have_changed() {
    let old = numbered(0..40);
    let new = old.replace("line 20\n", "changed\n");
    let current = format!("top\n{new}end\n").replace("line 18\n", "other\n");
    let result = taken_back(&current, &patches(&old, &new));
    assert_eq!(result.clashes().count(), 0);
    assert_eq!(result.text, current.replace("changed\n", "line 20\n"));
}

#[test]
fn what_moved_on_clashes_and_shows_both_sides() {
    let old = numbered(0..40);
    let new = old.replace("line 20\n", "changed\n");
    let current = new.replace("changed\n", "changed again\n");
    let result = taken_back(&current, &patches(&old, &new));
    assert_eq!(result.text, current);
    let clash = result.clashes().next().unwrap();
    assert_eq!(clash.why, Why::Gone);
    assert!(clash.wanted.contains("changed\n"));
    assert!(clash.found.contains("changed again\n"));
    assert!(clash.instead.contains("line 20\n"));
    assert_eq!(clash.line, 18);
}

#[test]
fn two_places_are_never_guessed_between() {
    let block = "fn a() {\n    one();\n    two();\n}\n";
    let old = format!("{block}{block}");
    let new = format!("{block}{}", block.replace("two", "2"));
    let current = format!("top\n{0}mid\n{0}end\n", block.replace("two", "2"));
    let result = taken_back(&current, &patches(&old, &new));
    assert_eq!(result.text, current);
    let clash = result.clashes().next().unwrap();
    assert_eq!((clash.why, clash.places.len()), (Why::Ambiguous, 2));
}

#[test]
fn the_text_above_tells_equal_places_apart() {
    let block = "fn a() {\n    one();\n    two();\n    three();\n}\n";
    let old = block.repeat(3);
    let changed = block.replace("two", "2");
    let new = format!("{block}{changed}{block}");
    // The same change was made in a third place afterwards.
    let current = format!("{block}{changed}{changed}");
    let result = taken_back(&current, &patches(&old, &new));
    assert_eq!(result.text, format!("{block}{block}{changed}"));
}

#[test]
fn what_was_taken_back_before_is_left() {
    let old = numbered(0..20);
    for new in [
        old.replace("line 9\n", "changed\n"),
        old.replace("line 9\n", ""),
        old.replace("line 9\n", "line 9\nmore\n"),
    ] {
        let current = format!("top\n{old}end\n");
        let result = taken_back(&current, &patches(&old, &new));
        assert_eq!(result.outcomes, [Outcome::Already], "{new}");
        assert_eq!(result.text, current);
    }
}

#[test]
fn what_may_be_back_already_is_not_put_back_again() {
    // All that is left says nothing about whether the line above it is there.
    let result = taken_back("top\nb\na\n", &patches("b\na\n", "a\n"));
    assert_eq!(result.text, "top\nb\na\n");
    assert_eq!(result.clashes().next().unwrap().why, Why::Ambiguous);
    // Of lines that repeat nobody can tell how many there were.
    let (old, new) = ("x\ny\nz\na\na\na\na\na\nw\n", "x\ny\nz\na\na\na\na\nw\n");
    assert_eq!(
        taken_back(old, &patches(old, new)).outcomes,
        [Outcome::Already]
    );
    let more = format!("{old}end\n");
    assert_eq!(taken_back(&more, &patches(old, new)).text, more);
}

#[test]
fn chosen_lines_alone_are_taken_back() {
    let (old, new) = ("a\nb\nc\n", "a\nB\nBB\nc\n");
    let check = |chosen: &[&str], expected: &str| {
        let result = chosen_back(old, new, chosen, new);
        assert_eq!(result.text, expected, "{chosen:?}");
    };
    check(&["+BB"], "a\nB\nc\n");
    check(&["-b"], "a\nb\nB\nBB\nc\n");
    check(&["-b", "+B", "+BB"], old);
    assert_eq!(chosen_back(old, new, &[" a"], new).outcomes, []);
}

#[test]
fn a_line_that_is_not_the_last_any_more_gets_its_end() {
    assert_eq!(
        chosen_back("a", "b\r\nc", &["-a"], "b\r\nc").text,
        "a\r\nb\r\nc"
    );
    assert_eq!(
        chosen_back("a\nz", "a\nb\nc", &["-z"], "a\nb\nc").text,
        "a\nz\nb\nc"
    );
}

#[test]
fn the_same_lines_are_taken_back_once() {
    let old = numbered(0..9);
    let new = old.replace("line 4\n", "x\n");
    let one = patches(&old, &new);
    let result = taken_back(&new, &[one[0].clone(), one[0].clone()]);
    assert_eq!(result.text, old);
    assert_eq!(result.clashes().next().unwrap().why, Why::Overlaps);
}

#[test]
fn a_patch_is_kept_as_json() {
    let patch = patches("a\r\nb", "a\r\nc\n").remove(0);
    let json = serde_json::to_string(&patch).unwrap();
    assert_eq!(serde_json::from_str::<Patch>(&json).unwrap(), patch);
    assert_eq!(patch.worded(), " a\r\n-c\n+b\n");
}

/// A text of few different lines, with and without carriage returns and a newline at its end.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("a"),
        Just("b"),
        Just("c"),
        Just(""),
        Just("}"),
        Just("d\r"),
        Just("é")
    ];
    (proptest::collection::vec(line, 0..30), any::<bool>()).prop_map(|(lines, end)| {
        let mut text = lines.join("\n");
        if end && !text.is_empty() {
            text.push('\n');
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn taking_everything_back_gives_the_old_text(old in text(), new in text()) {
        let result = taken_back(&new, &patches(&old, &new));
        prop_assert_eq!(result.clashes().count(), 0);
        prop_assert_eq!(result.text, old);
    }

    #[test]
    fn taking_every_block_back_by_itself_gives_the_old_text(old in text(), new in text()) {
        let patches: Vec<Patch> = hunks(&old, &new, 3)
            .iter()
            .flat_map(|hunk| {
                let blocks = runs(hunk).into_iter();
                blocks.filter_map(|run| Patch::of(&new, hunk, &Chosen::Lines(run.collect()))).collect::<Vec<_>>()
            })
            .collect();
        let result = taken_back(&new, &patches);
        prop_assert_eq!(result.clashes().count(), 0);
        prop_assert_eq!(result.text, old);
    }

    #[test]
    fn what_moved_as_a_whole_is_taken_back_there_or_nowhere(
        old in text(), new in text(), above in text(), below in text(),
    ) {
        let (old, new) = (format!("{old}\n"), format!("{new}\n"));
        let current = format!("{above}\n{new}{below}");
        let result = taken_back(&current, &patches(&old, &new));
        if result.clashes().count() == 0 {
            prop_assert_eq!(result.text, format!("{above}\n{old}{below}"));
        }
    }

    #[test]
    fn chosen_lines_keep_every_other_line(old in text(), new in text(), seed in any::<u64>()) {
        for hunk in hunks(&old, &new, 3) {
            let chosen = (0..hunk.lines.len()).filter(|at| seed >> (at % 64) & 1 == 1).collect();
            let Some(patch) = Patch::of(&new, &hunk, &Chosen::Lines(chosen)) else { continue };
            let result = taken_back(&new, std::slice::from_ref(&patch));
            prop_assert_eq!(result.clashes().count(), 0);
            let gone = patch.lines.iter().filter(|line| line.kind == LineKind::Added).count();
            let back = patch.lines.iter().filter(|line| line.kind == LineKind::Removed).count();
            prop_assert_eq!(lines_of(&result.text).len() + gone, lines_of(&new).len() + back);
        }
    }
}
