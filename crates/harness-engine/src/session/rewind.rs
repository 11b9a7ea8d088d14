//! Going back to an earlier turn: the conversation, the files, or both.
//!
//! When a turn begins, everything that the agent is going to answer to is kept beside the
//! session as it stood. Going back takes that up again; money, attempts, approvals, checkpoints and the
//! turn numbers stay as they are, and the log has all of it. What is in flight ends first, as with words
//! that cannot wait. The wish is in the log before a file is touched, so that another process
//! carries it out where this one dies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use harness_core::{
    CheckpointNumber, Event, PlanItem, RepoPath, RewindWhat, Rewound, RunState, Timestamp, TreeId,
    TurnNumber,
};

use super::{Session, Step};
use crate::{
    Effect, RewindFiles,
    calls::Calls,
    check::{Check, Errand},
    drift::Drift,
    talk::{Request, Talk},
    words,
};

/// How many turns can be gone back to; older ones cannot.
const MARKS_MAX: usize = 256;

/// A session as it stood when a turn began.
#[derive(Debug)]
struct Mark {
    turn: TurnNumber,
    talk: Talk,
    loaded: BTreeSet<RepoPath>,
    notes: usize,
    plan: Vec<PlanItem>,
    /// Which comments of a review the agent had been told of.
    told: BTreeMap<u32, Timestamp>,
    said: Vec<String>,
    /// How much a person had decided by then.
    decided: usize,
    /// The work tree at that time; absent until it was saved.
    saved: Option<(CheckpointNumber, TreeId)>,
}

/// A wish to go back that is not carried out yet.
#[derive(Clone, Copy, Debug)]
struct Wish {
    turn: TurnNumber,
    what: RewindWhat,
    in_flight: bool,
    /// Whether a commit that a process left behind goes first, as without the wish.
    after_commit: bool,
}

/// What a session knows of its turns.
#[derive(Debug, Default)]
pub(super) struct Turns {
    marks: VecDeque<Mark>,
    wish: Option<Wish>,
    /// Whether the session has gone back and no turn has begun since.
    went_back: bool,
}

impl Session {
    /// Keeps the session as it stands at the beginning of its turn.
    pub(super) fn mark_turn(&mut self) {
        self.turns.went_back = false;
        if self.turns.marks.len() >= MARKS_MAX {
            self.turns.marks.pop_front();
        }
        self.turns.marks.push_back(Mark {
            turn: self.talk.turn,
            talk: self.talk.clone(),
            loaded: self.loaded.clone(),
            notes: self.story.notes.len(),
            plan: self.carried.work.plan.clone(),
            told: self.person_review.told(),
            said: self.carried.work.said.clone(),
            decided: self.decided().len(),
            saved: None,
        });
        self.mark_saved();
    }

    /// Notes the work tree that turns began with, once it is saved: nothing changes files before.
    pub(super) fn mark_saved(&mut self) {
        if self.saving.in_flight || self.saving.due {
            return;
        }
        let number = CheckpointNumber(self.saving.next.0.saturating_sub(1));
        let unsaved = self.turns.marks.iter_mut().rev();
        for mark in unsaved.take_while(|mark| mark.saved.is_none()) {
            mark.saved = Some((number, self.saving.tree.clone()));
        }
    }

    /// Whether the tree is to be saved before the turn changes anything: only behind a resume is it not.
    pub(super) fn is_turn_unsaved(&self) -> bool {
        let last = self.turns.marks.back();
        last.is_some_and(|mark| mark.saved.is_none()) && self.saving.due
    }

    pub(super) fn on_rewind_asked(&mut self, turn: TurnNumber, what: RewindWhat) {
        if !self.turns.wish.is_some_and(|wish| wish.in_flight) {
            self.turns.wish = Some(Wish {
                turn,
                what,
                in_flight: false,
                after_commit: false,
            });
        }
    }

    pub(super) fn on_rewind_refused(&mut self, turn: TurnNumber) {
        self.turns.wish.take_if(|wish| wish.turn == turn);
    }

    pub(super) fn on_rewound(&mut self, rewound: &Rewound) {
        let is_wished = |wish: &mut Wish| wish.turn == rewound.turn && wish.what == rewound.what;
        if self.turns.wish.take_if(is_wished).is_none() {
            return;
        }
        self.interrupting = false;
        // What was judged is no longer what stands in the tree, or nobody remembers the claim.
        self.check = None;
        if rewound.what.has_talk() {
            self.forget_since(rewound.turn);
        }
        if rewound.what.has_files() {
            self.saving.due = true;
        }
        self.talk.tell(words::rewound(rewound));
        self.talk.failures = None;
        self.talk.idle_answers = 0;
        if self.calls.is_empty() {
            self.talk.request = Request::Due;
            self.turns.went_back = true;
        }
    }

    /// Takes up what the agent knew when a turn began.
    fn forget_since(&mut self, turn: TurnNumber) {
        self.turns.marks.retain(|mark| mark.turn <= turn);
        let Some(mark) = self.turns.marks.back().filter(|mark| mark.turn == turn) else {
            return;
        };
        self.talk.go_back(&mark.talk);
        self.drift = Drift::new(&self.saving.tree, self.talk.turn);
        self.loaded.clone_from(&mark.loaded);
        self.story.notes.truncate(mark.notes);
        self.carried.work.plan.clone_from(&mark.plan);
        self.carried.work.said.clone_from(&mark.said);
        let (decided, told) = (mark.decided, mark.told.clone());
        self.person_review.forget_told(&told);
        self.calls = Calls::default();
        self.question = None;
        self.pending.nudge = None;
        self.pending.giving_up = None;
        self.pending.documents.clear();
        self.informing.forget_told();
        self.forget_decided(decided);
    }

    /// Takes the wish up again whose process is gone.
    pub(super) fn resume_rewind(&mut self) {
        let was_committing = self.is_in_commit();
        if let Some(wish) = &mut self.turns.wish {
            wish.in_flight = false;
            wish.after_commit |= was_committing;
        }
    }

    /// Waits for the person's words, where they can go on talking.
    pub(crate) fn await_words(&mut self) {
        if self.turns.went_back && self.talk.request == Request::Due {
            self.talk.request = Request::Awaiting;
        }
    }

    /// Goes on without words where nobody can say any.
    pub(super) fn stop_awaiting_words(&mut self, steered: bool) {
        if self.turns.went_back && !steered {
            self.talk.request = Request::Due;
        }
    }

    /// Brings what is under way to its end and goes back; `None` when nobody wants that.
    pub(super) fn rewind_step(&mut self, run: &RunState) -> Option<Step> {
        let wish = self.turns.wish?;
        let commit_is_first = wish.after_commit && self.check.is_some();
        if self.pending.stop.is_some() || commit_is_first {
            return None;
        }
        if wish.in_flight {
            return Some(Step::Wait);
        }
        let refused = |reason: String| {
            Step::Record(Event::RewindRefused {
                turn: wish.turn,
                reason,
            })
        };
        if let Err(reason) = self.can_rewind(run, wish.turn) {
            return Some(refused(reason));
        }
        if let Some(step) = self.cut_short() {
            return Some(step);
        }
        if self.conclusion.is_some() {
            return Some(Step::Again);
        }
        // What goes on writing would write over what was taken back.
        if wish.what.has_files()
            && let Some(step) = self.stop_jobs()
        {
            return Some(step);
        }
        if let Some(step) = self.save_if_due() {
            return Some(step);
        }
        if self.saving.in_flight || self.bring_back.is_in_flight() || self.is_turning_down() {
            return Some(Step::Wait);
        }
        if !wish.what.has_files() {
            return Some(Step::Record(Event::Rewound(Box::new(Rewound {
                turn: wish.turn,
                what: wish.what,
                checkpoint: None,
                paths: Vec::new(),
                more: 0,
            }))));
        }
        Some(match self.files_of(wish.turn, wish.what) {
            Ok(files) => {
                self.turns.wish = Some(Wish {
                    in_flight: true,
                    ..wish
                });
                Step::Do(Effect::Rewind(Box::new(files)))
            }
            Err(reason) => refused(reason),
        })
    }

    /// Whether the files are being taken back.
    pub(super) fn is_rewinding(&self) -> bool {
        self.turns.wish.is_some_and(|wish| wish.in_flight)
    }

    /// Says why the session cannot go back to a turn.
    pub(crate) fn can_rewind(&self, run: &RunState, turn: TurnNumber) -> Result<(), String> {
        if run.by_hand.is_some() {
            return Err("what was done by hand has no turns".to_owned());
        }
        if self.conclusion.is_some() {
            let feature = &self.feature.id;
            return Err(format!("the session's work on {feature} is over"));
        }
        if self.turns.marks.iter().any(|mark| mark.turn == turn) {
            return Ok(());
        }
        let known: Vec<u32> = self.turns.marks.iter().map(|mark| mark.turn.0).collect();
        Err(match (known.first(), known.last()) {
            (Some(first), Some(last)) if turn.0 > *first && turn.0 < *last => {
                format!("turn {turn} was forgotten when the session went back before it")
            }
            (Some(first), Some(last)) => {
                format!("there is no turn {turn}: the session has turns {first} to {last}")
            }
            _ => "the session has no turn yet".to_owned(),
        })
    }

    /// Whether a proof is on its way into a commit.
    pub(crate) fn is_in_commit(&self) -> bool {
        let commits = |check: &Check| check.commit == Errand::InFlight;
        self.check.as_ref().is_some_and(commits)
    }

    /// Returns where the files of a turn are.
    pub(crate) fn files_of(
        &self,
        turn: TurnNumber,
        what: RewindWhat,
    ) -> Result<RewindFiles, String> {
        let mark = self.turns.marks.iter().find(|mark| mark.turn == turn);
        let saved = mark.and_then(|mark| mark.saved.clone());
        let (checkpoint, tree) =
            saved.ok_or_else(|| format!("no checkpoint stands for turn {turn}"))?;
        Ok(RewindFiles {
            turn,
            what,
            checkpoint,
            tree,
        })
    }
}
