//! Proposed features outside of any log: kept until a person says what becomes of them, then added
//! to the feature list, all or none.
//!
//! Files of `<git common dir>/harness/proposals`, one per proposal. A run keeps what its agent
//! proposes here, and a command takes it up later; both add to the list by the same code.

mod add;
mod fit;

use std::{fs, path::PathBuf};

use harness_core::{AddedFeature, EndReason, FeatureId, Policy, Proposal, SessionId, Timestamp};
use harness_runner::{Added, ProposalKeeper};
use harness_store::{
    Store,
    state::{self, StateError},
};
use serde::{Deserialize, Serialize};

use crate::{
    compose::Site,
    failure::{Failure, chain},
};

pub(crate) use add::add;

/// The most proposals that are kept; beyond it the oldest that are settled go.
const KEPT_MAX: usize = 100;
/// What stands in front of a number in the name of a proposal.
const PREFIX: &str = "P-";

/// A proposal with where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) proposal: Proposal,
    /// The session that made it.
    pub(crate) session: SessionId,
    /// When it was kept last.
    pub(crate) time: Timestamp,
    pub(crate) standing: Standing,
}

/// What a person has said of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Nothing yet.
    Waiting,
    /// It is in the list, without what was left out.
    Accepted { features: Vec<AddedFeature> },
    /// It goes nowhere.
    Rejected { reason: String },
}

impl Standing {
    /// Returns the word for lines and JSON.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted { .. } => "accepted",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// The folder of one repository's proposals.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    pub(crate) fn of(store: &Store) -> Self {
        Self {
            folder: store.folder().join("proposals"),
        }
    }

    /// Lists the proposals that are kept, the oldest first.
    pub(crate) fn names(&self) -> Vec<FeatureId> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let name = name.strip_suffix(".json")?;
            let digits = name.strip_prefix(PREFIX)?;
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| FeatureId::new(name).ok()).flatten()
        });
        let mut names: Vec<FeatureId> = names.collect();
        names.sort_by_key(|id| (id.as_str().len(), id.to_string()));
        names
    }

    /// Reads a proposal; `None` where there is none of that name.
    pub(crate) fn read(&self, id: &FeatureId) -> Result<Option<Kept>, Failure> {
        state::read_json(self.file(id)).map_err(|error| unreadable(&error))
    }

    /// Keeps a proposal in the place of an earlier one of its name.
    pub(crate) fn write(&self, kept: &Kept) -> Result<(), Failure> {
        state::write_json(self.file(&kept.proposal.id), kept)
            .map_err(|error| unreadable(&error))?;
        self.prune();
        Ok(())
    }

    fn file(&self, id: &FeatureId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Drops the oldest that nobody waits for.
    fn prune(&self) {
        let names = self.names();
        let beyond = names.len().saturating_sub(KEPT_MAX);
        let is_settled = |id: &&FeatureId| {
            let kept = self.read(id).ok().flatten();
            kept.is_some_and(|kept| kept.standing != Standing::Waiting)
        };
        for id in names.iter().filter(is_settled).take(beyond) {
            // Whoever cannot remove it keeps it.
            let _ = fs::remove_file(self.file(id));
        }
    }
}

fn unreadable(error: &StateError) -> Failure {
    Failure::failed(chain(error))
}

/// Takes what a run's agent proposes, and what its person says of it.
#[derive(Debug)]
pub(crate) struct Keeper {
    root: PathBuf,
    store: Store,
    /// The repository's own rules, as the run was started with them.
    policy: Policy,
}

impl Keeper {
    pub(crate) fn boxed(site: &Site, store: &Store, policy: Policy) -> Box<dyn ProposalKeeper> {
        Box::new(Self {
            root: site.repo.root().to_owned(),
            store: store.clone(),
            policy,
        })
    }

    fn settled(&self, id: &FeatureId, standing: Standing) -> Result<(), Failure> {
        let shelf = Shelf::of(&self.store);
        match shelf.read(id)? {
            Some(kept) => shelf.write(&Kept { standing, ..kept }),
            None => Ok(()),
        }
    }
}

impl ProposalKeeper for Keeper {
    fn keep(&self, proposal: &Proposal, session: SessionId) -> Result<(), String> {
        let kept = Kept {
            proposal: proposal.clone(),
            session,
            time: harness_host::clock::now(),
            standing: Standing::Waiting,
        };
        Shelf::of(&self.store)
            .write(&kept)
            .map_err(|failure| told(&failure))
    }

    fn accept(&self, proposal: &Proposal, without: &[u16]) -> Result<Added, String> {
        let site = Site::open_at(&self.root).map_err(|failure| told(&failure))?;
        let session = Shelf::of(&self.store).read(&proposal.id).ok().flatten();
        let session = session.map(|kept| kept.session);
        let added = add(&site, &self.policy, proposal, session, without)
            .map_err(|failure| told(&failure))?;
        let features = added.features.clone();
        self.settled(&proposal.id, Standing::Accepted { features })
            .map_err(|failure| told(&failure))?;
        Ok(added)
    }

    fn refuse(&self, proposal: &FeatureId, reason: &str) -> Result<(), String> {
        let reason = reason.to_owned();
        self.settled(proposal, Standing::Rejected { reason })
            .map_err(|failure| told(&failure))
    }
}

fn told(failure: &Failure) -> String {
    failure.to_told().message
}

/// Says how a planning run stands whose proposal was settled outside of it, or waits to be;
/// `None` where the run can go on.
pub(crate) fn settled_elsewhere(
    store: &Store,
    id: &FeatureId,
    end: Option<EndReason>,
) -> Result<Option<Failure>, Failure> {
    let Some(kept) = Shelf::of(store).read(id)? else {
        return Ok(None);
    };
    let failure = match (&kept.standing, end) {
        (Standing::Accepted { .. }, _) => {
            Failure::usage(format!("proposal `{id}` is in the list already")).hint("harness run")
        }
        (Standing::Waiting, Some(_)) => {
            Failure::needs_human(format!("proposal `{id}` waits for your word")).hint(format!(
                "`harness plan --show {id}`, then `harness plan --accept {id}` or `--reject {id}`"
            ))
        }
        _ => return Ok(None),
    };
    Ok(Some(failure))
}
