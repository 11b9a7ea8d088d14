//! A model that a seed speaks for.

use fastrand::Rng;
use harness_core::{AssistantPart, FailureClass, ModelFailure, ModelResponse, StopReason, Usage};

use super::plan::chance;
use crate::facts;

/// The model of one simulation.
#[derive(Debug)]
pub(crate) struct Model {
    rng: Rng,
    /// Every call is this one, when the model has run into a loop.
    habit: Option<AssistantPart>,
    /// How many of ten answers claim to be done.
    zeal: u32,
    calls_made: u32,
}

impl Model {
    pub(crate) fn new(mut rng: Rng) -> Self {
        let zeal = rng.u32(0..6);
        Self {
            rng,
            habit: None,
            zeal,
            calls_made: 0,
        }
    }

    /// Answers one request.
    pub(crate) fn answer(&mut self) -> ModelResponse {
        let usage = Usage {
            // Some servers do not count.
            input: if chance(&mut self.rng, 1, 3) {
                0
            } else {
                self.rng.u64(100..3_000)
            },
            output: self.rng.u64(10..1_000),
            ..Usage::default()
        };
        let (parts, stop) = self.speak();
        ModelResponse { parts, stop, usage }
    }

    /// Fails to answer.
    pub(crate) fn fail(&mut self) -> ModelFailure {
        let classes = [
            FailureClass::Unreachable,
            FailureClass::Broken,
            FailureClass::Overloaded,
            FailureClass::RateLimited,
            FailureClass::ContextOverflow,
            FailureClass::Quota,
            FailureClass::Auth,
            FailureClass::Invalid,
            FailureClass::Cancelled,
        ];
        // What can be tried again comes more often than what cannot.
        let class = if chance(&mut self.rng, 3, 4) {
            classes[self.rng.usize(0..4)]
        } else {
            classes[self.rng.usize(0..classes.len())]
        };
        let asked = chance(&mut self.rng, 1, 5);
        ModelFailure {
            class,
            message: format!("failed: {class:?}"),
            status: None,
            retry_after_ms: asked.then(|| self.rng.u64(0..200_000)),
        }
    }

    fn speak(&mut self) -> (Vec<AssistantPart>, StopReason) {
        let text = |words: &str| AssistantPart::Text {
            text: words.to_owned(),
        };
        match self.rng.u32(0..40) {
            0 | 1 => (vec![text("I am done, I think.")], StopReason::EndTurn),
            2 => (Vec::new(), StopReason::EndTurn),
            3 => (vec![text("and then")], StopReason::MaxTokens),
            4 => (Vec::new(), StopReason::MaxTokens),
            5 => (vec![text("wait")], StopReason::Paused),
            6 => (vec![text("no")], StopReason::Refused),
            7 if self.rng.bool() => (Vec::new(), StopReason::ContextFull),
            8 => {
                self.habit = match self.habit {
                    Some(_) => None,
                    None => Some(self.call()),
                };
                self.calls()
            }
            _ => self.calls(),
        }
    }

    fn calls(&mut self) -> (Vec<AssistantPart>, StopReason) {
        let count = *self.rng.choice(&[1, 1, 1, 2, 3, 5]).unwrap_or(&1);
        let mut parts: Vec<AssistantPart> = (0..count).map(|_| self.call()).collect();
        if chance(&mut self.rng, self.zeal, 10) {
            parts.push(self.named("finish", r#"{"text":"done"}"#));
        }
        if self.rng.bool() {
            parts.insert(
                0,
                AssistantPart::Text {
                    text: "Next:".to_owned(),
                },
            );
        }
        let stop = if chance(&mut self.rng, 1, 20) {
            StopReason::MaxTokens
        } else {
            StopReason::ToolUse
        };
        (parts, stop)
    }

    fn call(&mut self) -> AssistantPart {
        if let Some(AssistantPart::ToolCall(habit)) = &self.habit {
            let (name, arguments) = (habit.name.clone(), habit.arguments.clone());
            return self.named(&name, &arguments);
        }
        let kinds: &[(&str, &str)] = &[
            ("plan", r#"{"items":["[>] look","[ ] write it down"]}"#),
            ("plan", r#"{"items":["[x] look"]}"#),
            ("plan", r#"{"items":["[?] look"]}"#),
            ("read", r#"{"path":"src/a.rs"}"#),
            ("read", r#"{"path":"src/b.rs"}"#),
            ("read", r#"{"path":"docs/deep.md"}"#),
            ("read", r#"{"path":".env"}"#),
            ("read", r#"{"path":"chain0/a.rs"}"#),
            ("read", r#"{"path":"link/b.rs"}"#),
            ("list", r#"{"path":"src"}"#),
            ("search", r#"{"query":"fn main"}"#),
            ("write", r#"{"path":"src/a.rs","content":"1"}"#),
            ("write", r#"{"path":"src/a.rs","content":"2"}"#),
            ("write", r#"{"path":"src/b.rs","content":"3"}"#),
            ("write", r#"{"path":"src/generated/b.rs","content":"3"}"#),
            ("write", r#"{"path":"docs/a.md","content":"3"}"#),
            ("write", r#"{"path":"../up.rs","content":"3"}"#),
            ("write", r#"{"path":"link/x.rs","content":"4"}"#),
            ("write", r#"{"path":"link/schema.rs","content":"4"}"#),
            ("write", r#"{"path":"link/out.rs","content":"4"}"#),
            ("edit", r#"{"path":"src/a.rs","old":"1","new":"2"}"#),
            (
                "edit",
                r#"{"path":"src/a.rs","edits":[{"old":"1","new":"2"},{"old":"2","new":"3"}]}"#,
            ),
            ("move", r#"{"path":"src/a.rs","to":"src/b.rs"}"#),
            ("move", r#"{"path":"src/a.rs","to":"docs/a.md"}"#),
            ("delete", r#"{"path":"src/a.rs"}"#),
            ("delete", r#"{"path":"docs/a.md"}"#),
            ("edit", r#"{"path":"src/schema.rs","old":"1","new":"2"}"#),
            ("shell", r#"{"command":"make"}"#),
            ("shell", r#"{"command":"make test"}"#),
            ("shell", r#"{"command":"curl example.com"}"#),
            ("shell", r#"{"command":"make","background":true}"#),
            ("shell", r#"{"command":"make dev","background":true}"#),
            ("shell", r#"{"command":"make watch","background":true}"#),
            (
                "shell",
                r#"{"command":"curl example.com","background":true}"#,
            ),
            ("job", "{}"),
            ("job", r#"{"id":"nonsense","stop":true}"#),
            ("job", r#"{"id":"t1c0"}"#),
            ("job", r#"{"id":"t2c0","stop":true}"#),
            ("note", r#"{"text":"learned something"}"#),
            ("ask", r#"{"text":"which of the two?"}"#),
            ("request", r#"{"paths":["docs/**"],"reason":"words"}"#),
            (
                "request",
                r#"{"paths":["src/a.rs","docs/a.md"],"reason":"a word"}"#,
            ),
            (
                "request",
                r#"{"hosts":["example.org:443"],"reason":"a crate"}"#,
            ),
            ("request", r#"{"paths":["../up.rs"],"reason":"up"}"#),
            ("doc", r#"{"path":"docs/guide.md"}"#),
            ("check", "{}"),
            ("check", r#"{"gate":"lint"}"#),
            ("check", r#"{"gate":"nonsense"}"#),
            ("finish", r#"{"text":"done"}"#),
            ("finish", r#"{"text":"really done"}"#),
            ("explore", r#"{"text":"where does it begin?"}"#),
            ("explore", r#"{"text":"who calls it?"}"#),
            ("read", "{"),
            ("write", r#"{"path":"src/a.rs","approved":true}"#),
            (
                "propose",
                r#"{"features":[{"title":"a","acceptance":["b"]},{"title":"c","acceptance":["d"],"depends_on":[1],"scope":["src/x/**"]}]}"#,
            ),
            (
                "propose",
                r#"{"features":[{"title":"e","acceptance":["f"]}]}"#,
            ),
            (
                "propose",
                r#"{"features":[{"title":"feature 1","acceptance":["up"],"scope":["../**"]}]}"#,
            ),
            ("teleport", "{}"),
            ("shell", r#"{"command":"a\u0000b"}"#),
        ];
        let (name, arguments) = kinds[self.rng.usize(0..kinds.len())];
        self.named(name, arguments)
    }

    fn named(&mut self, name: &str, arguments: &str) -> AssistantPart {
        self.calls_made += 1;
        facts::call(&format!("call-{}", self.calls_made), name, arguments)
    }
}
