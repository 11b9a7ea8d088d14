//! Notices work that is done and taken back in turns: the work tree comes to be what it was before.
//!
//! Taking something back once or twice is how one finds out what it did. So what counts are
//! saves in a row that bring nothing new; one new state, and the count begins anew.

use std::collections::VecDeque;

use harness_core::{Change, EndReason, RepoPath, TreeId, TurnNumber};

use super::{Come, Remark, Streak};
use crate::words;

/// How many states of the work tree are remembered.
const REMEMBERED: usize = 64;
/// Saves in a row without a new state before the agent is told.
const RETURNS_TO_NUDGE: u32 = 4;
/// Saves in a row without a new state before the feature is given up.
const RETURNS_MAX: u32 = 10;

/// The states of the work tree up to now.
#[derive(Debug, Default)]
pub(super) struct Returns {
    seen: VecDeque<TreeId>,
    streak: Streak,
    since: TurnNumber,
}

impl Returns {
    pub(super) fn new(tree: &TreeId) -> Self {
        Self {
            seen: VecDeque::from([tree.clone()]),
            ..Self::default()
        }
    }

    /// Takes in a save; says whether the state is new, and what is to be told.
    pub(super) fn hear(
        &mut self,
        turn: TurnNumber,
        tree: &TreeId,
        changes: &[Change],
    ) -> (bool, Option<Remark>) {
        if !self.seen.contains(tree) {
            if self.seen.len() == REMEMBERED {
                self.seen.pop_front();
            }
            self.seen.push_back(tree.clone());
            self.streak = Streak::default();
            return (true, None);
        }
        if self.streak == Streak::default() {
            self.since = turn;
        }
        let come = self.streak.count(RETURNS_TO_NUDGE, RETURNS_MAX);
        let paths: Vec<&RepoPath> = changes.iter().map(|change| &change.path).collect();
        let times = self.streak.len();
        let remark = come.map(|come| match come {
            Come::ToNudge => Remark::Nudge(words::going_back(times, &paths, self.since)),
            Come::ToGivingUp => Remark::GiveUp(
                EndReason::Stuck,
                words::going_back_for_ever(times, &paths, self.since),
            ),
        });
        (false, remark)
    }
}

#[cfg(test)]
mod tests {
    use harness_core::ChangeKind;

    use super::*;

    /// Saves these states one after the other, a turn each, and says in which turns something was remarked.
    fn remarks(states: &str) -> Vec<(u32, Remark)> {
        let tree =
            |state: char| -> TreeId { format!("{:040x}", u32::from(state)).parse().unwrap() };
        let mut states = states.chars();
        let mut returns = Returns::new(&tree(states.next().unwrap()));
        let changes = [Change {
            path: RepoPath::parse("src/a.rs").unwrap(),
            kind: ChangeKind::Modified,
        }];
        (1..)
            .zip(states)
            .filter_map(|(turn, state)| {
                let (_, remark) = returns.hear(TurnNumber(turn), &tree(state), &changes);
                remark.map(|remark| (turn, remark))
            })
            .collect()
    }

    #[test]
    fn going_back_and_forth_is_told_and_then_given_up() {
        let found = remarks("ABABABABABABABAB");
        let [
            (5, Remark::Nudge(told)),
            (11, Remark::GiveUp(EndReason::Stuck, detail)),
        ] = found.as_slice()
        else {
            panic!("{found:?}")
        };
        assert!(
            told.contains("`src/a.rs`") && told.contains("4 times") && told.contains("turn 2"),
            "{told}"
        );
        assert!(detail.contains("10 times"), "{detail}");
        assert!(!remarks("ABCDABCDABCDABCD").is_empty());
    }

    #[test]
    fn taking_back_and_trying_something_else_is_healthy() {
        for states in [
            "ABACADAEAFAGAHAIAJAKAL",
            "ABABC",
            "ABCDCBAEFG",
            "ABCDEFGHIJKLMNOP",
        ] {
            assert_eq!(remarks(states), [], "{states}");
        }
    }
}
