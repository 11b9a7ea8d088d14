//! Conversations beside the main one: what a world answers them, and what must hold of them.

use std::collections::BTreeMap;

use fastrand::Rng;
use harness_core::{
    Action, AssistantPart, Beside, BesideEnd, CallId, ChangeShown, ConversationId,
    ConversationKind, Decision, Event, Feature, FinishSubject, Happened, Review, ReviewBy,
    ReviewVerdict, StopReason, TreeId,
};
use harness_engine::{AskBeside, BESIDE_TURNS_MAX, CommitFeature};
use harness_gate::review;
use harness_guard::Guard;

use super::{monitor::ensure, plan::chance, prompt::check_prompt};
use crate::facts;

/// Says what a model answers in a conversation beside the main one.
pub(crate) fn answer(rng: &mut Rng, ask: &AskBeside) -> (Vec<AssistantPart>, StopReason) {
    let text = |text: String| AssistantPart::Text { text };
    if chance(rng, 1, 12) {
        let stop = [
            StopReason::Refused,
            StopReason::ContextFull,
            StopReason::Paused,
            StopReason::MaxTokens,
        ];
        let stop = rng.choice(&stop).cloned().unwrap_or(StopReason::Refused);
        return (vec![text("and".to_owned())], stop);
    }
    if chance(rng, 1, 2) {
        let count = rng.usize(1..11);
        let calls = (0..count).map(|number| call(rng, ask, number));
        return (calls.collect(), StopReason::ToolUse);
    }
    let said = match ask.conversation.kind {
        ConversationKind::Explore if chance(rng, 1, 8) => String::new(),
        ConversationKind::Explore => "It stands in src/a.rs:3.".to_owned(),
        ConversationKind::Reviewer => judgement(rng),
    };
    (vec![text(said)], StopReason::EndTurn)
}

fn call(rng: &mut Rng, ask: &AskBeside, number: usize) -> AssistantPart {
    let kinds = [
        ("read", r#"{"path":"src/a.rs"}"#),
        ("read", r#"{"path":".env"}"#),
        ("read", r#"{"path":"link/b.rs"}"#),
        ("list", "{}"),
        ("search", r#"{"query":"fn main"}"#),
        ("doc", r#"{"path":"docs/guide.md"}"#),
        ("write", r#"{"path":"src/a.rs","content":"1"}"#),
        ("shell", r#"{"command":"make"}"#),
        ("ask", r#"{"text":"may I?"}"#),
        ("finish", r#"{"text":"done"}"#),
        ("explore", r#"{"text":"deeper?"}"#),
        ("request", r#"{"paths":["docs/**"],"reason":"words"}"#),
        ("read", "{"),
    ];
    let (name, arguments) = kinds[rng.usize(0..kinds.len())];
    let id = format!("{}-{}-{number}", ask.conversation.number, ask.turn);
    facts::call(&id, name, arguments)
}

/// Writes a judgement of a feature without acceptance criteria, or something that is none.
fn judgement(rng: &mut Rng) -> String {
    let mut marks = Vec::new();
    for criterion in ["A1", "correctness", "tests", "scope", "security"] {
        let score = if chance(rng, 1, 12) { rng.u32(0..4) } else { 3 };
        marks.push(format!(
            r#"{{"criterion":"{criterion}","score":{score},"why":"so"}}"#
        ));
    }
    let finding = if chance(rng, 1, 5) {
        r#"{"kind":"must-fix","at":"src/a.rs:1","why":"no"}"#
    } else {
        ""
    };
    let whole = format!(
        r#"{{"marks":[{}],"findings":[{finding}]}}"#,
        marks.join(",")
    );
    match rng.u32(0..8) {
        0 => "approve".to_owned(),
        1 => format!("It says {whole}"),
        2 => format!("{whole}\n{whole}"),
        _ => whole,
    }
}

/// Shows a change, or cannot.
pub(crate) fn shown(tree: &TreeId, is_well: bool) -> Event {
    let problem = if is_well { "" } else { "cannot read an object" };
    Event::ChangeShown(Box::new(ChangeShown {
        tree: tree.clone(),
        diff: "-1\n+2\n".to_owned(),
        files: 1,
        cut: 0,
        problem: problem.to_owned(),
    }))
}

/// What is known of the conversations beside the main one in the session whose log is open.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    open: Option<Open>,
    begun: u32,
    /// The last answer of a reviewer that asked for nothing.
    said: String,
    /// The last judgement.
    review: Option<Review>,
}

#[derive(Debug)]
struct Open {
    id: ConversationId,
    turns: u32,
    judged: BTreeMap<CallId, (Option<Action>, Decision)>,
    ended: BTreeMap<CallId, u32>,
}

impl Watch {
    /// Takes note of something that happened in one.
    pub(crate) fn beside(&mut self, told: &Beside, guard: &Guard) -> Result<(), String> {
        let id = told.conversation;
        if let Happened::Started { .. } = told.happened {
            ensure(self.open.is_none(), || "two at a time".to_owned())?;
            ensure(id.number == self.begun + 1, || format!("{id} is the next"))?;
            self.begun = id.number;
            self.open = Some(Open {
                id,
                turns: 0,
                judged: BTreeMap::new(),
                ended: BTreeMap::new(),
            });
            return Ok(());
        }
        let Some(open) = self.open.as_mut().filter(|open| open.id == id) else {
            return Ok(());
        };
        match &told.happened {
            Happened::Responded { response, .. } => self.said = response.text(),
            Happened::CallJudged {
                call,
                action,
                verdict,
                ..
            } => {
                if verdict.is_allowed() {
                    let may = action.as_ref().is_some_and(|action| {
                        action.is_read_only() && guard.judge(action).is_allowed()
                    });
                    ensure(may, || format!("{id} may not {action:?}"))?;
                }
                open.judged
                    .insert(*call, (action.clone(), verdict.decision));
                open.ended.entry(*call).or_default();
            }
            Happened::CallEnded { call, .. } => {
                *open.ended.entry(*call).or_default() += 1;
            }
            Happened::Ended { end, .. } => {
                let left = open.ended.iter().find(|(_, count)| **count == 0);
                ensure(left.is_none(), || format!("{id} left {left:?}"))?;
                let is_cut = matches!(end, BesideEnd::Answered { text, .. } if text.is_empty());
                ensure(!is_cut, || format!("{id} answers nothing"))?;
                self.open = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// A reviewer's judgement must be what its last answer says.
    pub(crate) fn reviewed(&mut self, review: &Review, feature: &Feature) -> Result<(), String> {
        if review.verdict != ReviewVerdict::Failed {
            let read = review::read(&self.said, &review::criteria(feature));
            let verdict = read.map(|judgement| judgement.verdict);
            ensure(verdict == Ok(review.verdict), || {
                format!("{:?} of {:?}", review.verdict, self.said)
            })?;
        }
        self.review = Some(review.clone());
        Ok(())
    }

    pub(crate) fn may_ask(&mut self, ask: &AskBeside) -> Result<(), String> {
        check_prompt(&ask.prompt)?;
        let looking = ["doc", "list", "read", "search"];
        ensure(
            ask.prompt.tools.iter().map(|tool| tool.name).eq(looking),
            || "more than looking".to_owned(),
        )?;
        let open = self.open.as_mut().ok_or("asks for nobody")?;
        ensure(open.id == ask.conversation, || {
            "asks for another".to_owned()
        })?;
        open.turns = ask.turn.0;
        ensure(open.turns <= BESIDE_TURNS_MAX + 1, || {
            format!("turn {}", open.turns)
        })
    }

    pub(crate) fn may_perform(
        &self,
        id: ConversationId,
        call: CallId,
        action: &Action,
        guard: &Guard,
    ) -> Result<(), String> {
        let open = self.open.as_ref().filter(|open| open.id == id);
        let open = open.ok_or("performs for nobody")?;
        let logged = open.judged.get(&call);
        let is_logged = logged == Some(&(Some(action.clone()), Decision::Allow));
        ensure(is_logged, || format!("was not judged: {action:?}"))?;
        let may = action.is_read_only() && guard.judge(action).is_allowed();
        ensure(may, || format!("{id} performs {action:?}"))
    }

    /// A change that has to be reviewed is committed with an approval of exactly it, and no other.
    pub(crate) fn may_commit(
        &self,
        commit: &CommitFeature,
        by: ReviewBy,
        word: bool,
    ) -> Result<(), String> {
        let tree = &commit.subject.tree;
        let is_approved = self.review.as_ref().is_some_and(|review| {
            review.verdict == ReviewVerdict::Approved && review.tree == *tree
        });
        let may = match by {
            ReviewBy::None => true,
            ReviewBy::Agent => is_approved || word,
            ReviewBy::Person => word,
        };
        ensure(may, || format!("commits what {by:?} did not approve"))?;
        ensure(self.open.is_none(), || "commits while it talks".to_owned())
    }

    pub(crate) fn is_over(&self) -> Result<(), String> {
        ensure(self.open.is_none(), || {
            format!("{:?} has no end", self.open)
        })
    }
}

/// Whether a finding is the one that a review of this subject is approved by.
pub(crate) fn is_of(subject: &FinishSubject, id: &str) -> bool {
    review::not_reviewed(&subject.tree, String::new(), String::new()).id == id
}
