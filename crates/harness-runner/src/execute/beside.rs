//! Carries out what conversations beside the main one ask for: requests, looking, and the change
//! that a reviewer is shown.
//!
//! They leave no trace in what is known of the agent: what they have read, it has not. An explorer
//! looks at the work tree, a reviewer at a checkout of what it judges.

use std::{sync::Arc, time::Instant};

use harness_core::{Beside, CallEnd, CallId, ChangeShown, ConversationId, Event, Happened, TreeId};
use harness_engine::AskBeside;
use harness_guard::Permit;
use harness_host::Cancelled;
use tokio::sync::mpsc;

use super::{Executor, NO_SESSION, change, millis, perform};

impl Executor {
    /// Sends a request to whoever serves the conversation.
    pub(super) async fn ask_beside(
        &self,
        ask: AskBeside,
        deltas: mpsc::Sender<harness_core::ModelDelta>,
        cancelled: Cancelled,
    ) {
        let begun = Instant::now();
        let role = ask.conversation.kind.role();
        let setting = self.setting();
        let profile = setting.map(|setting| setting.run.model_for(role).clone());
        let name = profile.as_ref().map(|profile| profile.name.as_str());
        let model = self.models.for_role(role, name.unwrap_or_default());
        self.sent.set(!cancelled.is_cancelled());
        let mut unwanted = cancelled.clone();
        let answer = tokio::select! {
            biased;
            // The request is dropped where it stands: nothing it does is waited for.
            () = unwanted.wait() => Err(crate::model::cancelled_failure()),
            answer = model.request_within(&ask.prompt, ask.output, deltas, cancelled) => answer,
        };
        let turn = ask.turn;
        let happened = match answer {
            Ok(response) => Happened::Responded {
                turn,
                cost: profile.and_then(|profile| profile.cost(response.usage)),
                response,
                ms: millis(begun),
            },
            Err(failure) => Happened::Failed {
                turn,
                failure,
                spent: None,
            },
        };
        self.tell(told(ask.conversation, happened));
    }

    /// Looks at something, in the work tree or in a tree.
    pub(super) async fn look_beside(
        &self,
        id: ConversationId,
        call: CallId,
        permit: Permit,
        tree: Option<TreeId>,
    ) {
        let begun = Instant::now();
        let done = self.look_in(permit, tree).await;
        let done = done.unwrap_or_else(perform::Done::Failed);
        let ms = millis(begun);
        let ended = |end| Happened::CallEnded { call, end, ms };
        let happened = match done {
            perform::Done::Ended(outcome) => ended(CallEnd::Done { outcome }),
            perform::Done::Answered(text) => ended(CallEnd::Answered {
                text: text.text,
                is_error: text.is_error,
            }),
            perform::Done::Cancelled => ended(CallEnd::Cancelled),
            perform::Done::Failed(message) => ended(CallEnd::Failed { message }),
            perform::Done::Link {
                link,
                target,
                resolved,
            } => Happened::LinkMet {
                call,
                link,
                target,
                resolved,
            },
        };
        self.tell(told(id, happened));
    }

    async fn look_in(&self, permit: Permit, tree: Option<TreeId>) -> Result<perform::Done, String> {
        let root = match tree {
            Some(tree) => {
                let root = self.judged.root_of(&self.shop, &tree).await;
                Some(root.map_err(|problem| format!("what is reviewed cannot be read: {problem}"))?)
            }
            None => None,
        };
        let performer = Arc::clone(&self.performer);
        let done = tokio::task::spawn_blocking(move || match root {
            Some(root) => performer.look_at(&permit, &root),
            None => performer.look_at(&permit, performer.root()),
        });
        done.await
            .map_err(|error| format!("the action was cut short: {error}"))
    }

    /// Puts the change to a tree into words.
    pub(super) async fn show_change(&self, tree: TreeId) {
        let shown = match self.setting() {
            Some(setting) => {
                let tip = setting.run.tip;
                let of = tree.clone();
                self.in_shop(move |shop| change::shown(&shop.repo, &tip, &of))
                    .await
            }
            None => Err(NO_SESSION.to_owned()),
        };
        let shown = shown.unwrap_or_else(|problem| ChangeShown {
            tree,
            diff: String::new(),
            files: 0,
            cut: 0,
            problem: format!("the change cannot be read: {problem}"),
        });
        self.tell(Event::ChangeShown(Box::new(shown)));
    }
}

fn told(conversation: ConversationId, happened: Happened) -> Event {
    Event::Beside(Box::new(Beside {
        conversation,
        happened,
    }))
}
