//! Notices turns that bring nothing: no new state of the files, no gate that comes out otherwise.
//!
//! There are two clocks. Looking at something new (a file that was not read, a command with
//! another result) holds the first, and that one alone leads to an end: reading forty
//! files before the first edit is healthy, and so is waiting for a build that goes on. The
//! second is held by files and gates alone and only leads to a word; the limit of turns stops
//! what goes on after that.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use harness_core::{CheckReport, EndReason, ToolCall, TurnNumber};
use harness_tool::{Intent, ToolFault};

use super::{Remark, steady};
use crate::{loops::hash_of_call, words};

/// Turns without anything new before the agent is told.
const NOTHING_NEW_TO_NUDGE: u32 = 25;
/// Turns without anything new before a person is needed.
const NOTHING_NEW_MAX: u32 = 50;
/// Turns that only look before the agent is told.
const ONLY_LOOKING_TO_NUDGE: u32 = 60;
/// Results that are remembered; what comes after counts as new.
const RESULTS_MAX: usize = 20_000;

/// What was seen up to now, and when it was new last.
#[derive(Debug, Default)]
pub(super) struct Standstill {
    results: HashSet<u64>,
    gates: BTreeMap<String, u64>,
    /// The last turn with a result that was new.
    news: TurnNumber,
    /// The last turn with files or gates that were new.
    progress: TurnNumber,
}

impl Standstill {
    pub(super) fn new(turn: TurnNumber) -> Self {
        Self {
            news: turn,
            progress: turn,
            ..Self::default()
        }
    }

    /// Takes in that a turn begins, and says what the ones before it were.
    pub(super) fn begin_turn(&mut self, turn: TurnNumber) -> Option<Remark> {
        let without = |last: TurnNumber| turn.0.saturating_sub(last.0 + 1);
        let (news, progress) = (without(self.news), without(self.progress));
        match news {
            NOTHING_NEW_MAX => Some(Remark::GiveUp(
                EndReason::NeedsHuman,
                words::nothing_new_for_ever(news, self.news.next()),
            )),
            NOTHING_NEW_TO_NUDGE => Some(Remark::Nudge(words::nothing_new(news, self.news.next()))),
            _ if progress == ONLY_LOOKING_TO_NUDGE => Some(Remark::Nudge(words::only_looking(
                progress,
                self.progress.next(),
            ))),
            _ => None,
        }
    }

    /// Takes in files or gates that are new.
    pub(super) const fn progress(&mut self, turn: TurnNumber) {
        self.news = turn;
        self.progress = turn;
    }

    /// Takes in the result of a call.
    pub(super) fn hear_result(
        &mut self,
        turn: TurnNumber,
        asked: &ToolCall,
        intent: &Result<Intent, ToolFault>,
        result: &str,
    ) {
        let mut hasher = hash_of_call(asked, intent);
        steady(result).hash(&mut hasher);
        if self.results.len() >= RESULTS_MAX || self.results.insert(hasher.finish()) {
            self.news = turn;
        }
    }

    /// Takes in how a gate came out; says whether that is another outcome than the last one.
    pub(super) fn hear_gate(&mut self, report: &CheckReport) -> bool {
        let mut hasher = DefaultHasher::new();
        report.status.to_string().hash(&mut hasher);
        report.failed_tests.hash(&mut hasher);
        steady(&report.reason).hash(&mut hasher);
        let outcome = hasher.finish();
        self.gates.insert(report.gate.clone(), outcome) != Some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// One turn each with the command and the result that `turn` says.
    fn remarks(turns: u32, turn: impl Fn(u32) -> (String, String)) -> Vec<(u32, Remark)> {
        let mut standstill = Standstill::new(TurnNumber(0));
        let mut found = Vec::new();
        for number in 1..=turns {
            let remark = standstill.begin_turn(TurnNumber(number));
            found.extend(remark.map(|remark| (number, remark)));
            let (command, result) = turn(number);
            let asked = ToolCall {
                id: String::new(),
                name: "shell".to_owned(),
                arguments: format!("{{\"command\":\"{command}\"}}"),
            };
            let intent = harness_tool::parse(&asked, Path::new("/repo"));
            standstill.hear_result(TurnNumber(number), &asked, &intent, &result);
        }
        found
    }

    #[test]
    fn turns_that_bring_nothing_are_told_and_then_given_up() {
        let found = remarks(60, |turn| {
            (format!("cat {}", turn % 7), "the same".to_owned())
        });
        let [
            (33, Remark::Nudge(told)),
            (58, Remark::GiveUp(EndReason::NeedsHuman, detail)),
        ] = found.as_slice()
        else {
            panic!("{found:?}")
        };
        assert!(
            told.contains("25 turns") && told.contains("turn 8"),
            "{told}"
        );
        assert!(detail.contains("50 turns"), "{detail}");
    }

    #[test]
    fn looking_at_new_things_is_told_once_and_goes_on() {
        let found = remarks(200, |turn| (format!("cat {turn}"), "text".to_owned()));
        assert!(
            matches!(found.as_slice(), [(61, Remark::Nudge(_))]),
            "{found:?}"
        );
        let polled = remarks(200, |turn| {
            ("tail log".to_owned(), format!("{turn} of 900 built"))
        });
        assert!(
            matches!(polled.as_slice(), [(61, Remark::Nudge(_))]),
            "{polled:?}"
        );
    }

    #[test]
    fn reading_forty_files_is_healthy() {
        assert_eq!(
            remarks(40, |turn| (format!("cat {turn}"), "text".to_owned())),
            []
        );
    }
}
