//! The candidate's checkout, and the gates that run on it at the same time.
//!
//! Who comes first has the checkout brought to the tree; who comes while others
//! run on that tree joins them. When the last of them is over the files are
//! looked at, once and for all of them: no gate is blamed alone for what it may
//! not have done. Each gate has a home of its own. Which gates meet here is the
//! engine's business.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use harness_core::{CheckReport, SetupPlace, TreeId};
use harness_host::Cancelled;
use tokio::sync::{Mutex as AsyncMutex, watch};

use super::{
    super::{Setting, in_shop, setup::Halt},
    Bench, Judged,
    checkout::{Checkout, Subject},
};

/// Gates on one checkout.
#[derive(Debug)]
pub(super) struct Party(AsyncMutex<Round>);

/// What runs now, and the checkout it runs on.
#[derive(Debug)]
struct Round {
    checkout: Checkout,
    tree: Option<TreeId>,
    /// Whether the checkout was brought to any tree by this process.
    is_begun: bool,
    /// The number of each home that is in use.
    homes: Vec<usize>,
    /// Everything that ran since the checkout was brought to the tree.
    names: Vec<String>,
    verdict: watch::Sender<Option<Verdict>>,
    /// The home each gate had last: tools that keep paths find them again.
    habits: BTreeMap<String, usize>,
}

/// What the gates of a round left behind.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    names: Vec<String>,
    changed: Result<Vec<String>, String>,
}

/// The place of one gate.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) folder: PathBuf,
    pub(super) home: String,
    pub(super) setup: SetupPlace,
    number: usize,
}

/// Where something runs: a folder, the name of its home, and which setup steps are for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'a> {
    pub(super) folder: &'a Path,
    pub(super) home: &'a str,
    pub(super) setup: SetupPlace,
}

impl Party {
    pub(super) fn new(checkout: Checkout) -> Self {
        Self(AsyncMutex::new(Round {
            checkout,
            tree: None,
            is_begun: false,
            homes: Vec::new(),
            names: Vec::new(),
            verdict: watch::Sender::new(None),
            habits: BTreeMap::new(),
        }))
    }
}

impl Round {
    /// Gives a gate its place: a home that nobody else has.
    fn seat(&mut self, gate: &str) -> Seat {
        let is_free = |number: &usize| !self.homes.contains(number);
        let habit = self.habits.get(gate).copied().filter(is_free);
        let number = habit.or_else(|| (0..).find(is_free)).unwrap_or_default();
        self.homes.push(number);
        self.habits.insert(gate.to_owned(), number);
        self.names.push(gate.to_owned());
        let home = match number {
            0 => self.checkout.home.to_owned(),
            more => format!("{}-{}", self.checkout.home, more + 1),
        };
        Seat {
            folder: self.checkout.folder.clone(),
            home,
            setup: self.checkout.setup,
            number,
        }
    }
}

impl Seat {
    pub(super) fn ground(&self) -> Ground<'_> {
        Ground {
            folder: &self.folder,
            home: &self.home,
            setup: self.setup,
        }
    }
}

impl Verdict {
    /// What one gate left behind that ran by itself.
    pub(super) const fn alone(changed: Result<Vec<String>, String>) -> Self {
        Self {
            names: Vec::new(),
            changed,
        }
    }

    /// Makes a report count for nothing where files were changed while it was made.
    pub(super) fn weigh(self, judged: Judged) -> Judged {
        let reason = match self.changed {
            Ok(changed) if changed.is_empty() => return judged,
            Ok(changed) => {
                let changed = changed.join(", ");
                match self.names.as_slice() {
                    [] | [_] => format!("the gate changed files of the candidate: {changed}"),
                    names => format!(
                        "files of the candidate changed while these gates ran together: {}: {changed}",
                        names.join(", ")
                    ),
                }
            }
            Err(message) => message,
        };
        Judged {
            report: CheckReport {
                status: harness_core::CheckStatus::Error,
                reason,
                ..judged.report
            },
            ..judged
        }
    }
}

impl Bench {
    /// Brings the candidate's checkout to the tip of the run's branch before it is wanted: a candidate
    /// differs from it in little, and to write or read everything takes long in a large repository.
    ///
    /// What fails here fails again for the gate, which tells it.
    pub(in crate::execute) async fn make_ready_ahead(&self, setting: &Setting) {
        let mut round = self.candidate.0.lock().await;
        let policy = &setting.run.policy;
        if round.is_begun || !policy.isolate || policy.gates.is_empty() {
            return;
        }
        round.is_begun = true;
        let tip = setting.run.tip.clone();
        let tree = in_shop(&self.shop, move |shop| shop.tree_of(&tip));
        let (Ok(tree), Ok(guard)) = (tree.await, setting.guard()) else {
            return;
        };
        let on = Subject {
            tree: &tree,
            build: &guard.bounds().build,
            network: &guard.bounds().network,
            guard: &guard,
        };
        drop(self.bring(&round.checkout, on).await);
    }

    /// Takes a place on the candidate's checkout, which is brought to the tree where nobody runs on it.
    pub(super) async fn join(
        &self,
        gate: &str,
        on: Subject<'_>,
        cancelled: Cancelled,
    ) -> Result<Seat, Halt> {
        let mut called_off = cancelled.clone();
        loop {
            // It may be on its way to the tip, which takes long in a large repository.
            let mut round = tokio::select! {
                biased;
                () = called_off.wait() => return Err(Halt::Cancelled),
                round = self.candidate.0.lock() => round,
            };
            if round.homes.is_empty() {
                round.tree = None;
                round.names.clear();
                round.verdict = watch::Sender::new(None);
                round.is_begun = true;
                self.ready(&round.checkout, on, cancelled).await?;
                round.tree = Some(on.tree.clone());
                return Ok(round.seat(gate));
            }
            if round.tree.as_ref() == Some(on.tree) {
                return Ok(round.seat(gate));
            }
            let mut over = round.verdict.subscribe();
            drop(round);
            // It fails when another round has begun meanwhile, which is looked at anew.
            let _ = over.wait_for(Option::is_some).await;
        }
    }

    /// Gives a place back, and returns what the round left behind when all of it is over.
    pub(super) async fn leave(&self, seat: Seat, on: Subject<'_>) -> Verdict {
        let mut round = self.candidate.0.lock().await;
        round.homes.retain(|number| *number != seat.number);
        let mut over = round.verdict.subscribe();
        if round.homes.is_empty() {
            let changed = self.changed_by_gate(&round.checkout, on).await;
            let verdict = Verdict {
                names: std::mem::take(&mut round.names),
                changed,
            };
            round.verdict.send_replace(Some(verdict));
        }
        drop(round);
        let verdict = over.wait_for(Option::is_some).await;
        verdict
            .ok()
            .and_then(|verdict| verdict.clone())
            .unwrap_or_else(|| Verdict {
                names: Vec::new(),
                changed: Err("nobody saw what became of the candidate's files".to_owned()),
            })
    }
}
