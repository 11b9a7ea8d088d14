use proptest::prelude::*;

use super::*;
use crate::{FileChange, Side};

fn file(old: &str, new: &str) -> FileChange {
    let path = RepoPath::parse("a").unwrap();
    FileChange::new(path, Side::of_text(old), Side::of_text(new))
}

/// Decides lines of a piece that begin with one of these signs and texts; all where none is given.
fn decision(file: &FileChange, piece: usize, choice: Choice, chosen: &[&str]) -> Decision {
    let piece = &file.pieces()[piece];
    let lines = piece.hunk().map_or(&[][..], |hunk| &hunk.lines);
    let chosen = if chosen.is_empty() {
        Chosen::All
    } else {
        let lines = lines.iter().enumerate();
        let lines = lines.filter(|(_, line)| chosen.contains(&line.written().trim_end()));
        Chosen::Lines(lines.map(|(at, _)| at).collect())
    };
    Decision {
        id: String::new(),
        time: Timestamp::default(),
        choice,
        path: file.path.clone(),
        hunk: piece.id.clone(),
        blocks: DecidedBlock::all(piece, &chosen, choice),
        reason: String::new(),
        kept: Kept::of(file, piece, &chosen).filter(|_| choice == Rejected),
        applied: None,
        withdrawn: None,
    }
}

fn check(file: &FileChange, decisions: &[&Decision], expected: &[DecisionState]) {
    let found: Vec<_> = states(file.pieces(), decisions)
        .iter()
        .map(|hunk| hunk.state)
        .collect();
    assert_eq!(found, expected);
}

fn numbered(count: u32) -> String {
    (0..count).map(|line| format!("line {line}\n")).collect()
}

use Choice::{Accepted, Rejected};
use DecisionState as State;

#[test]
fn a_decision_is_found_again_by_content() {
    let old = numbered(40);
    let new = old.replace("line 30\n", "x\n");
    let decided = decision(&file(&old, &new), 0, Accepted, &[]);
    check(&file(&old, &new), &[&decided], &[State::Accepted]);
    let moved = file(&old, &format!("top\n{new}"));
    check(&moved, &[&decided], &[State::Unseen, State::Accepted]);
    // What is close by makes one hunk of both, and is not decided.
    let close = file(&old, &new.replace("line 27\n", "y\n"));
    check(&close, &[&decided], &[State::Partly]);
}

#[test]
fn what_reads_differently_is_changed() {
    let old = numbered(40);
    let decide = |new: &str| decision(&file(&old, new), 0, Accepted, &[]);
    let new = old.replace("line 30\n", "x\n");
    let other = old.replace("line 30\n", "x \n");
    check(&file(&old, &other), &[&decide(&new)], &[State::Changed]);
    let more = old.replace("line 30\n", "x\ny\n");
    check(&file(&old, &more), &[&decide(&new)], &[State::Changed]);
    let added = old.replace("line 30\n", "line 30\nx\n");
    let longer = old.replace("line 30\n", "line 30\nx\ny\n");
    check(&file(&old, &longer), &[&decide(&added)], &[State::Changed]);
    // Decided anew, it is decided.
    let again = decide(&longer);
    check(
        &file(&old, &longer),
        &[&decide(&added), &again],
        &[State::Accepted],
    );
    // Somewhere else, it is another.
    let elsewhere = old.replace("line 3\n", "line 3\ny\n");
    check(&file(&old, &elsewhere), &[&decide(&new)], &[State::Unseen]);
}

#[test]
fn lines_are_decided_one_by_one() {
    let file = file("a\nb\nc\n", "a\nB\nBB\nc\n");
    let some = decision(&file, 0, Accepted, &["-b", "+B"]);
    check(&file, &[&some], &[State::Partly]);
    let found = &states(file.pieces(), &[&some])[0];
    let yes = Some(Accepted);
    assert_eq!(found.lines, [None, yes, yes, None, None]);
    let other = decision(&file, 0, Rejected, &["+BB"]);
    check(&file, &[&some, &other], &[State::Mixed]);
    let all = decision(&file, 0, Accepted, &[]);
    check(&file, &[&other, &all], &[State::Accepted]);
}

#[test]
fn the_neighbours_tell_equal_blocks_apart() {
    let block = |name: &str| format!("fn {name} {{\n    one\n}}\n\n\n\n\n\n");
    let old = format!("{}{}", block("a"), block("b"));
    let both = old.replace("    one\n", "    one\n    two\n");
    let decided = decision(&file(&old, &both), 1, Accepted, &[]);
    check(
        &file(&old, &both),
        &[&decided],
        &[State::Unseen, State::Accepted],
    );
    // With the first one gone, the second is the first of its kind.
    let first = both.replacen("    two\n", "", 1);
    check(&file(&old, &first), &[&decided], &[State::Accepted]);
}

#[test]
fn what_is_left_of_a_block_stays_decided() {
    let before = file("a\nb\nc\n", "a\nB\nBB\nc\n");
    let good = decision(&before, 0, Accepted, &["-b", "+B"]);
    let mut bad = decision(&before, 0, Rejected, &["+BB"]);
    let left = DecidedBlock::after_applied(&bad.blocks, &good.blocks);
    let good = Decision {
        blocks: left,
        ..good
    };
    bad.applied = Some(Timestamp::from_millis(1));
    bad.kept = None;
    check(
        &file("a\nb\nc\n", "a\nB\nc\n"),
        &[&good, &bad],
        &[State::Accepted],
    );
    // Put back by the agent, it is looked at again.
    check(&before, &[&bad], &[State::Changed]);
}

#[test]
fn what_has_no_lines_is_decided_too() {
    let path = RepoPath::parse("a").unwrap();
    let binary = |byte: u8| Side::of_file(&[0, byte], false);
    let file = |new| FileChange::new(path.clone(), binary(1), new);
    let decided = decision(&file(binary(2)), 0, Accepted, &[]);
    check(&file(binary(2)), &[&decided], &[State::Accepted]);
    check(&file(binary(3)), &[&decided], &[State::Changed]);
    let withdrawn = Decision {
        withdrawn: Some(Timestamp::default()),
        ..decided
    };
    check(&file(binary(2)), &[&withdrawn], &[State::Unseen]);
}

proptest! {
    #[test]
    fn deciding_every_piece_decides_everything_and_moving_keeps_it(
        old in "([a-c]\n){0,30}", new in "([a-c]\n){0,30}", above in "([x-z]\n){0,4}",
    ) {
        let now = file(&old, &new);
        let decisions: Vec<Decision> = (0..now.pieces().len())
            .map(|piece| decision(&now, piece, Accepted, &[]))
            .collect();
        let decisions: Vec<&Decision> = decisions.iter().collect();
        for found in states(now.pieces(), &decisions) {
            prop_assert_eq!(found.state, State::Accepted);
        }
        let moved = file(&format!("{above}{old}"), &format!("{above}{new}"));
        let undecided = states(moved.pieces(), &decisions).iter().filter(|found| !found.state.is_decided()).count();
        prop_assert_eq!(undecided, 0);
    }
}
