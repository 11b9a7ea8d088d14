//! The tool calls of one answer: judged in order, reads side by side, everything else alone.

use std::path::Path;

use harness_core::{
    Action, ApprovalAsked, ByteCount, CallEnd, CallId, Outcome, RepoPath, ToolCall, ToolResult,
    TurnNumber, Verdict,
};
use harness_tool::{Intent, ToolFault};

use crate::words;

/// What the model is shown of one result.
const RESULT_MAX: ByteCount = ByteCount::kib(24);
/// Calls that only read and run at the same time.
const READS_MAX: usize = 4;
/// Links followed for one call, each judged anew.
const LINKS_MAX: u32 = 8;

/// Where a call stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CallState {
    /// The guard has not spoken, or speaks again because a link was met.
    New,
    /// The guard has spoken.
    Judged(Verdict),
    /// The approval is recorded; the person is to be asked, where there is one.
    ToApprove(Box<ApprovalAsked>),
    /// The person is asked for their approval.
    Asking(Box<ApprovalAsked>),
    /// The person said yes.
    Approved(Box<ApprovalAsked>),
    /// The question is recorded; the person is to be asked, where there is one.
    ToAsk,
    /// The runner does it, or a person is asked, or gates run for it.
    Running,
    /// It is answered without touching anything; the answer is not recorded yet.
    Answering { text: String, is_error: bool },
    /// The process that did it is gone; not recorded yet.
    Orphaned,
    /// Over.
    Ended(ToolResult),
}

/// One tool call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) asked: ToolCall,
    pub(crate) intent: Result<Intent, ToolFault>,
    /// The action as it is judged now: follows links.
    pub(crate) action: Option<Action>,
    pub(crate) state: CallState,
    links: u32,
    touched: bool,
    /// Whether its end was asked for.
    pub(crate) cancelling: bool,
}

impl Call {
    fn new(id: CallId, asked: ToolCall, root: &Path) -> Self {
        let intent = harness_tool::parse(&asked, root);
        let action = match &intent {
            Ok(Intent::Act(action)) => Some(action.clone()),
            Ok(Intent::Doc { path }) => Some(Action::Read {
                path: path.clone(),
                lines: None,
            }),
            _ => None,
        };
        Self {
            id,
            asked,
            intent,
            action,
            state: CallState::New,
            links: 0,
            touched: false,
            cancelling: false,
        }
    }

    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.state, CallState::Ended(_))
    }

    /// Whether the runner does it at present.
    pub(crate) fn is_performed(&self) -> bool {
        let is_effect = matches!(
            self.intent,
            Ok(Intent::Act(_) | Intent::Doc { .. } | Intent::Job { .. })
        );
        is_effect && self.state == CallState::Running
    }

    /// Whether it may run beside other calls.
    fn is_read_only(&self) -> bool {
        self.action.as_ref().is_some_and(Action::is_read_only)
    }

    /// Whether the work tree may have changed by it.
    pub(crate) fn may_have_changed(&self) -> bool {
        self.action
            .as_ref()
            .is_some_and(|action| !action.is_read_only())
    }

    /// Whether the host did it or may have done it; refused and answered calls did nothing.
    pub(crate) const fn was_done(&self) -> bool {
        self.touched
    }

    pub(crate) fn answer(&mut self, text: impl Into<String>, is_error: bool) {
        self.state = CallState::Answering {
            text: text.into(),
            is_error,
        };
    }

    /// Takes the target of a link in the action's path, to be judged next; answers where there is none.
    ///
    /// A link that is not on the action's path was followed before.
    pub(crate) fn follow_link(
        &mut self,
        link: &RepoPath,
        target: &str,
        resolved: Option<&RepoPath>,
    ) {
        if !self
            .action
            .as_ref()
            .is_some_and(|action| is_on(action.path(), link))
        {
            return;
        }
        self.links += 1;
        self.cancelling = false;
        match (resolved, &self.action) {
            (Some(_), _) if self.links > LINKS_MAX => {
                self.answer(
                    format!("`{link}` is a link in a chain of more than {LINKS_MAX} links"),
                    true,
                );
            }
            (Some(path), Some(action)) => {
                self.action = Some(action.at(path.clone()));
                self.state = CallState::New;
            }
            _ => {
                let text = format!(
                    "denied: `{link}` is a link to `{target}`, which is outside the repository"
                );
                self.answer(text, true);
            }
        }
    }

    /// Whether this can be its end: only what runs is done or fails.
    pub(crate) fn can_end(&self, end: &CallEnd) -> bool {
        match end {
            CallEnd::Done { .. } | CallEnd::Failed { .. } => self.state == CallState::Running,
            _ => !self.is_over(),
        }
    }

    /// Takes the end of the call and words it for the model; `ms` is how long it took.
    pub(crate) fn end(&mut self, end: &CallEnd, ms: u64) {
        self.touched = matches!(self.state, CallState::Running | CallState::Orphaned);
        let images = match end {
            CallEnd::Done {
                outcome: Outcome::Image(image),
            } => vec![image.clone()],
            _ => Vec::new(),
        };
        let (content, is_error) = match end {
            CallEnd::Done { outcome } => self.word(outcome, ms),
            CallEnd::Answered { text, is_error } => (text.clone(), *is_error),
            CallEnd::Refused { reason } => (format!("denied: {reason}"), true),
            CallEnd::Failed { message } => {
                (format!("the harness could not do this: {message}"), true)
            }
            CallEnd::Cancelled => ("cancelled before it was done".to_owned(), true),
            CallEnd::Lost => (words::UNKNOWN_OUTCOME.to_owned(), true),
        };
        self.state = CallState::Ended(ToolResult {
            id: self.asked.id.clone(),
            content,
            is_error,
            images,
        });
    }

    fn word(&self, outcome: &Outcome, ms: u64) -> (String, bool) {
        match &self.action {
            Some(action) => {
                let text = harness_tool::render(action, outcome, RESULT_MAX);
                let text = harness_tool::with_time(text, outcome, ms);
                (text.text, text.is_error)
            }
            None => (String::new(), false),
        }
    }

    pub(crate) fn result(&self) -> Option<&ToolResult> {
        match &self.state {
            CallState::Ended(result) => Some(result),
            _ => None,
        }
    }
}

/// Whether `link` is `path` or a folder above it.
fn is_on(path: &RepoPath, link: &RepoPath) -> bool {
    let mut components = path.components();
    link.components()
        .all(|component| components.next() == Some(component))
}

/// The calls of one answer, in its order.
#[derive(Debug, Default)]
pub(crate) struct Calls(Vec<Call>);

impl Calls {
    pub(crate) fn new<'a>(
        turn: TurnNumber,
        asked: impl Iterator<Item = &'a ToolCall>,
        root: &Path,
    ) -> Self {
        let call = |(index, asked): (u32, &ToolCall)| {
            Call::new(CallId { turn, index }, asked.clone(), root)
        };
        Self((0..).zip(asked).map(call).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Call> {
        self.0.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        self.0.iter_mut()
    }

    pub(crate) fn find(&mut self, id: CallId) -> Option<&mut Call> {
        self.0.iter_mut().find(|call| call.id == id)
    }

    pub(crate) fn are_over(&self) -> bool {
        self.0.iter().all(Call::is_over)
    }

    /// Returns the first call the guard has to speak about.
    pub(crate) fn next_to_judge(&self) -> Option<&Call> {
        self.0.iter().find(|call| call.state == CallState::New)
    }

    /// Returns the next call that something can be done for: a few calls that only
    /// read run beside each other, every other call waits for all before it.
    pub(crate) fn next_to_act(&mut self) -> Option<&mut Call> {
        let mut reads = 0;
        for call in &mut self.0 {
            match call.state {
                CallState::Ended(_) => {}
                CallState::Running if call.is_read_only() => reads += 1,
                CallState::Running | CallState::Asking(_) => return None,
                _ if reads == READS_MAX || reads > 0 && !call.is_read_only() => return None,
                _ => return Some(call),
            }
        }
        None
    }

    pub(crate) fn take(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.0)
    }
}
