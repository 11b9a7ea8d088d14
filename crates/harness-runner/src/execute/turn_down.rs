//! What a person rejected is taken back at the end of a turn, beneath the checkpoints.
//!
//! The files are saved before, and saved as a checkpoint of its own behind it. A process that dies in
//! between finds everything as it left it: what was taken back is found to be so, and is noted then.

use std::collections::{BTreeMap, BTreeSet};

use harness_core::{Event, Rejection, RepoPath, TreeId, TurnedDown, TurnedDownEnd, TurnedDownPart};
use harness_review::{Clash, Decision, Outcome};
use harness_store::{ReviewKey, Store};

use super::{Executor, NO_SESSION, chain, shop::Workshop};
use crate::{
    TurnDown,
    dispatch::reviews::{change, parse},
};

impl Executor {
    /// Takes back what was rejected.
    pub(super) async fn turn_down(&self, rejections: Vec<Rejection>) {
        let store = self.workplace.store.clone();
        let done = self
            .in_shop(move |shop| shop.turn_down(&store, &rejections))
            .await;
        self.performer.wrote_many();
        let turned = match done {
            Ok(parts) => TurnedDown {
                parts,
                problem: String::new(),
            },
            Err(problem) => TurnedDown {
                parts: Vec::new(),
                problem,
            },
        };
        self.tell(Event::TurnedDown(Box::new(turned)));
    }
}

impl Workshop {
    fn turn_down(
        &mut self,
        store: &Store,
        rejections: &[Rejection],
    ) -> Result<Vec<TurnedDownPart>, String> {
        let (session, run) = self.session_and_run().ok_or(NO_SESSION)?;
        let key = ReviewKey::of_run(run);
        let found = store.review(&key, parse).map_err(|error| chain(&error))?;
        let decisions = found.book.map(|book| book.decisions).unwrap_or_default();
        let by_id: BTreeMap<&str, &Decision> = decisions
            .iter()
            .map(|decision| (decision.id.as_str(), decision))
            .collect();
        let wanted = rejections
            .iter()
            .filter_map(|one| by_id.get(one.id.as_str()));
        let wanted: Vec<&Decision> = wanted.copied().filter(|one| one.is_pending()).collect();
        let outcomes = self.take_back(session, &wanted)?;
        harness_failpoint::moment("turn_down.written");
        let mut ends: BTreeMap<&str, TurnedDownEnd> = BTreeMap::new();
        for (decision, outcome) in wanted.iter().zip(outcomes) {
            ends.insert(decision.id.as_str(), end(outcome));
        }
        let ids = |clash: bool| -> BTreeSet<String> {
            let meant = ends
                .iter()
                .filter(|(_, end)| matches!(end, TurnedDownEnd::Clash { .. }) == clash);
            meant.map(|(id, _)| (*id).to_owned()).collect()
        };
        let (done, clashed) = (ids(false), ids(true));
        let now = harness_host::clock::now();
        change(store, &key, |book| {
            book.applied(&done, now);
            // What clashed is to be decided anew.
            let clashed = book
                .decisions
                .iter_mut()
                .filter(|one| clashed.contains(&one.id));
            clashed.for_each(|one| (one.withdrawn, one.kept) = (Some(now), None));
        })?;
        harness_failpoint::moment("turn_down.noted");
        Ok(rejections
            .iter()
            .map(|rejection| {
                let known = by_id.get(rejection.id.as_str());
                let end = ends.get(rejection.id.as_str()).cloned();
                TurnedDownPart {
                    id: rejection.id.clone(),
                    hunk: rejection.hunk.clone(),
                    path: rejection.path.clone(),
                    end: end.unwrap_or_else(|| match known {
                        Some(decision) if decision.applied.is_some() => TurnedDownEnd::Applied,
                        _ => TurnedDownEnd::Withdrawn,
                    }),
                }
            })
            .collect())
    }

    fn take_back(
        &self,
        session: harness_core::SessionId,
        wanted: &[&Decision],
    ) -> Result<Vec<Outcome>, String> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let last = self.last_tree().ok_or(NO_SESSION)?;
        let whole = self
            .repo
            .checkpoints(session)
            .map_err(|error| chain(&error))?
            .whole;
        let mut sources: Vec<TreeId> = whole.into_iter().rev().map(|entry| entry.tree).collect();
        sources.extend(self.repo.head().map(|head| head.tree));
        let is_host_owned = |path: &RepoPath| {
            let why = "only the harness and people write it; change it by hand";
            self.is_host_owned(path).then(|| why.to_owned())
        };
        let turned = TurnDown {
            repo: &self.repo,
            base: last,
            sources: &sources,
            forbidden: &is_host_owned,
        };
        Ok(turned.carry_out(wanted)?.outcomes)
    }
}

fn end(outcome: Outcome) -> TurnedDownEnd {
    match outcome {
        Outcome::Applied { .. } | Outcome::Already => TurnedDownEnd::Applied,
        Outcome::Clash(Clash {
            why,
            line,
            instead,
            found,
            ..
        }) => TurnedDownEnd::Clash {
            why: why.as_str().to_owned(),
            line,
            wanted: instead,
            found,
        },
    }
}
