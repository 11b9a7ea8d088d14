//! Wires everything: the repository, its configuration, the person's, and what a run works with.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use harness_config::{ConfigError, ConfigFile, Overrides, RepositoryConfig, Resolved, UserConfig};
use harness_core::{Feature, FeatureId, FeatureStatus, Level, RepoPath, Sourced, TreeId};
use harness_gate::{
    evidence::{self, Demand, Doubt, Evidence},
    list::{self, FeatureList},
};
use harness_git::{GitError, OpenError, Repo};
use harness_guard::HostAct;
use harness_host::{
    disk::{DiskError, Expected, Root, Stamp},
    machine::{Place, Role},
};
use harness_runner::Workplace;
use harness_store::Store;

use crate::{
    cli::{Common, RunOptions, SandboxLevel},
    cmd::land::RunLander,
    failure::{Failure, chain},
    files::{self, HOST_FILE_MAX},
    folders::Folders,
    intent::Ledger,
    network, proof, repositories, rules, setup,
};

/// The repository's configuration file.
pub(crate) const CONFIG_FILE: &str = "harness.toml";
/// The feature list where the configuration names none, and the one of another tool that stands in for it.
pub(crate) const LIST_FILE: &str = "feature_list.json";
pub(crate) const STORIES_FILE: &str = "prd.json";
/// An older name of the progress log, kept where it is in use.
const OLD_PROGRESS_FILE: &str = "claude-progress.txt";
/// Where the proof of passing features is kept.
const EVIDENCE_FOLDER: &str = ".harness/evidence";

/// A repository with its configuration: what every command starts from.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) repo: Repo,
    /// The files of the work tree, for what the harness reads and writes itself.
    pub(crate) root: Root,
    pub(crate) folders: Folders,
    pub(crate) repository: Option<RepositoryConfig>,
    user: UserConfig,
}

impl Site {
    /// Opens the repository of the current folder, or of the one a flag names.
    pub(crate) fn open(common: &Common) -> Result<Self, Failure> {
        let folder = match &common.directory {
            Some(folder) => folder.clone(),
            None => std::env::current_dir().map_err(|error| {
                Failure::failed(format!("cannot find the current folder: {error}"))
            })?,
        };
        Self::open_at(&folder)
    }

    /// Opens the repository of a folder.
    pub(crate) fn open_at(folder: &Path) -> Result<Self, Failure> {
        let folders = Folders::find()?;
        let repo = Repo::discover(folder).map_err(|error| open_failure(&error))?;
        let root = Root::open(repo.root()).map_err(|error| Failure::failed(chain(&error)))?;
        let config = files::read_beneath(&root, &config_path(), harness_config::FILE_BYTES_MAX)?;
        let repository = config
            .map(|file| {
                let file = ConfigFile::from_bytes(CONFIG_FILE, &file.bytes)?;
                harness_config::parse_repository(file)
            })
            .transpose()
            .map_err(|error| config_failure(&error))?;
        let user = read_user(&folders)?
            .with_saved(rules::read(&folders.saved_rules())?)
            .for_repository(&repo.home().unwrap_or_else(|| repo.root().to_owned()));
        Ok(Self {
            repo,
            root,
            folders,
            repository,
            user,
        })
    }

    /// Returns the work tree that the person calls theirs: this one, or the one it was made from.
    pub(crate) fn home(&self) -> PathBuf {
        self.repo
            .home()
            .unwrap_or_else(|| self.repo.root().to_owned())
    }

    /// Returns how the person wants the screen, as settings are listed.
    pub(crate) fn face_settings(&self) -> &[harness_config::Setting] {
        &self.user.faces.settings
    }

    /// Brings configuration, environment and flags together.
    pub(crate) fn resolve(&self, options: &RunOptions) -> Result<Resolved, Failure> {
        let environment = Overrides::from_environment(&|name| std::env::var(name).ok());
        let environment = environment.map_err(|error| config_failure(&error))?;
        let is_played = crate::session::recording::is_played;
        let is_agent_played = options.agent.as_deref().is_some_and(is_played);
        let is_model = |name: &String| !is_agent_played && !is_played(name);
        let flags = Overrides {
            agent: options.agent.clone(),
            model: options.model.clone().filter(is_model),
            usd: options.max_usd.map(harness_core::Money::from_usd),
            turns: options.max_turns,
            sandbox: options.sandbox.map(level_of),
            ..Overrides::default()
        };
        let resolved =
            harness_config::resolve(self.repository.as_ref(), &self.user, &environment, &flags);
        let mut resolved = resolved.map_err(|error| config_failure(&error))?;
        let named = |name: &str| RepoPath::parse(name).expect("a plain name is inside");
        let policy = &mut resolved.policy;
        let is_there = |path: &RepoPath| self.repo.root().join(path.as_path()).is_file();
        if !is_there(&policy.progress_file) && is_there(&named(OLD_PROGRESS_FILE)) {
            policy.progress_file = named(OLD_PROGRESS_FILE);
        }
        // With a configuration the file is named there: else an agent could bring a list of its own.
        if self.repository.is_none()
            && policy.feature_file == named(LIST_FILE)
            && !is_there(&policy.feature_file)
            && self.has_stories()
        {
            policy.feature_file = named(STORIES_FILE);
        }
        policy.scope.deny.extend(self.submodules());
        Ok(resolved)
    }

    /// Forbids what submodules hold: no checkpoint has it, so no undo could bring it back.
    fn submodules(&self) -> impl Iterator<Item = Sourced> {
        let is_plain = |path: &String| !path.contains(['*', '?', '[', ']', '{', '}', '!', '\\']);
        let paths = self.repo.submodules().into_iter();
        let paths = paths.map(|path| path.to_string()).filter(is_plain);
        paths.map(|value| Sourced {
            value,
            origin: ".gitmodules".to_owned(),
        })
    }

    /// Whether there is a `prd.json` with stories in it.
    pub(crate) fn has_stories(&self) -> bool {
        let path = RepoPath::parse(STORIES_FILE).expect("a plain name is inside");
        let file = self.host_file(&path);
        file.is_ok_and(|file| file.is_some_and(|(text, _)| text.contains("\"userStories\"")))
    }

    /// Opens the store, creating it where it is missing.
    pub(crate) fn store(&self) -> Result<Store, Failure> {
        repositories::note(&self.folders, self.repo.root(), self.repo.common_dir());
        Store::open(self.repo.common_dir().join("harness"))
            .map_err(|error| Failure::failed(chain(&error)))
    }

    /// Opens the store if there is one.
    pub(crate) fn existing_store(&self) -> Result<Option<Store>, Failure> {
        let folder = self.repo.common_dir().join("harness");
        Store::open_existing(folder).map_err(|error| Failure::failed(chain(&error)))
    }

    /// Reads the feature list; `None` when there is no file.
    pub(crate) fn list(&self, path: &RepoPath) -> Result<Option<FeatureList>, Failure> {
        let file = self.host_file(path)?;
        file.map(|(text, _)| self.parse_list(path, &text))
            .transpose()
    }

    /// Reads the text of a feature list, with the statuses that the ledger keeps for its file.
    pub(crate) fn parse_list(&self, path: &RepoPath, text: &str) -> Result<FeatureList, Failure> {
        let mut list = parse_list(path, text)?;
        if !list.shape().keeps_status() {
            list.overlay(&Ledger::read(self)?.statuses());
        }
        Ok(list)
    }

    /// Returns the features of the list; none when there is no file.
    pub(crate) fn features(&self, path: &RepoPath) -> Result<Vec<Feature>, Failure> {
        let list = self.list(path)?;
        Ok(list.map_or(Vec::new(), |list| list.features().to_vec()))
    }

    /// Reads the evidence of a feature; `None` when there is none or it cannot be read.
    pub(crate) fn evidence(&self, feature: &Feature) -> Option<Evidence> {
        self.read_evidence(feature).ok()
    }

    /// Reads the evidence of a feature, or says why it counts for nothing.
    pub(crate) fn read_evidence(&self, feature: &Feature) -> Result<Evidence, Doubt> {
        match self.host_file(&evidence_path(&feature.id)) {
            Ok(None) => Err(Doubt::Missing),
            Ok(Some((text, _))) => Ok(Evidence::parse(&text)?),
            Err(failure) => Err(Doubt::Unreadable(failure.to_told().message)),
        }
    }

    /// Whether a feature says that it passes and has no proof for it.
    ///
    /// What its files are now makes no difference to that.
    pub(crate) fn is_claimed(&self, feature: &Feature, resolved: &Resolved) -> bool {
        feature.status == FeatureStatus::Passing && self.doubt(feature, resolved).is_some()
    }

    /// Counts features that say they pass and have no proof as open; returns a line about each.
    pub(crate) fn reopen_claims(
        &self,
        features: &mut [Feature],
        resolved: &Resolved,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for feature in features {
            if feature.status == FeatureStatus::Passing
                && let Some(doubt) = self.doubt(feature, resolved)
            {
                lines.push(format!(
                    "{} says it passes and has no proof: it counts as not passing ({doubt})",
                    feature.id
                ));
                feature.status = FeatureStatus::Pending;
            }
        }
        lines
    }

    /// Says why a feature has no proof, whatever its status; `None` when it has one.
    pub(crate) fn doubt(&self, feature: &Feature, resolved: &Resolved) -> Option<Doubt> {
        match self.read_evidence(feature) {
            Ok(evidence) => evidence::doubt(&evidence, feature, demand(resolved)),
            Err(doubt) => Some(doubt),
        }
    }

    pub(crate) fn head(&self) -> Result<harness_git::Head, Failure> {
        self.repo.head().map_err(|error| match error {
            GitError::NoCommits { .. } => {
                Failure::usage(chain(&error)).hint("git add -A && git commit -m start")
            }
            error => Failure::failed(chain(&error)),
        })
    }

    /// Proves what the kernel enforces and gathers what a run works with.
    ///
    /// Refused where the policy names hosts and the level cannot hold processes to them.
    pub(crate) fn workplace(
        &self,
        resolved: &Resolved,
        store: Store,
    ) -> Result<Workplace, Failure> {
        let workplace = self.explained_workplace(resolved, store)?;
        network::refuse_unenforced(workplace.level, &resolved.policy.network)?;
        network::refuse_unenforced(workplace.level, &setup::hosts(resolved))?;
        Ok(workplace)
    }

    /// Does the same for somebody who only looks at it.
    pub(crate) fn explained_workplace(
        &self,
        resolved: &Resolved,
        store: Store,
    ) -> Result<Workplace, Failure> {
        let level = proof::level(&self.folders, resolved.sandbox.level)?;
        let cache = self.folders.cache_of(self.repo.root());
        let environment: Vec<String> = resolved
            .policy
            .gates
            .iter()
            .flat_map(|gate| gate.environment.iter().cloned())
            .collect();
        let machine = |role, environment: &[String]| {
            let place = Place {
                root: self.repo.root(),
                git_dir: self.repo.common_dir(),
                level,
                cache: &cache,
                role,
                environment,
            };
            harness_host::machine::machine(&place).map_err(|error| Failure::failed(chain(&error)))
        };
        let mut agent = machine(Role::Agent, &[])?;
        let mut gate = machine(Role::Gate, &environment)?;
        let more: Vec<PathBuf> = resolved
            .sandbox
            .read
            .iter()
            .map(|path| expand_home(path))
            .collect();
        agent.read.extend(more.iter().cloned());
        gate.read.extend(more);
        Ok(Workplace {
            root: self.repo.root().to_owned(),
            name: self.repo.name(),
            store,
            cache: cache.clone(),
            programs: self.folders.programs(),
            level,
            agent,
            gate,
            setup: setup::plan(resolved)?,
            lander: Arc::new(RunLander {
                root: self.repo.root().to_owned(),
            }),
        })
    }

    /// Changes a file that only the harness and people write; somebody else's change is never lost.
    ///
    /// `change` is given the text, `None` when there is no file; it is asked once
    /// more when the file was changed in between.
    pub(crate) fn rewrite<T>(
        &self,
        path: &RepoPath,
        change: impl Fn(Option<String>) -> Result<(String, T), Failure>,
    ) -> Result<T, Failure> {
        let mut tries = 0;
        loop {
            let (text, expected) = match self.host_file(path)? {
                Some((text, stamp)) => (Some(text), Expected::Unchanged(stamp)),
                None => (None, Expected::Absent),
            };
            let (text, made) = change(text)?;
            let act = HostAct::WriteHostFile;
            match self
                .root
                .host_write_file(act, path, text.as_bytes(), expected)
            {
                Ok(_) => return Ok(made),
                Err(DiskError::Stale { .. }) if tries == 0 => tries += 1,
                Err(error) => return Err(files::disk_failure("write", path, &error)),
            }
        }
    }

    /// Reads a text file of a tree; `None` when there is none.
    pub(crate) fn text_of(
        &self,
        tree: &TreeId,
        path: &RepoPath,
    ) -> Result<Option<String>, Failure> {
        let bytes = self.repo.read_blob(tree, path, HOST_FILE_MAX.0)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Reads a file that only the harness and people write; `None` when there is none.
    pub(crate) fn host_file(&self, path: &RepoPath) -> Result<Option<(String, Stamp)>, Failure> {
        let Some(file) = files::read_beneath(&self.root, path, HOST_FILE_MAX)? else {
            return Ok(None);
        };
        let text = String::from_utf8(file.bytes);
        text.map(|text| Some((text, file.stamp))).map_err(|_| {
            Failure::usage(format!("cannot read `{path}`: it is no UTF-8")).hint(format!(
                "mend the file by hand, or get the last good one back with `git checkout {path}`"
            ))
        })
    }
}

/// Reads the person's own file; what holds where there is none.
pub(crate) fn read_user(folders: &Folders) -> Result<UserConfig, Failure> {
    let file = folders.user_config();
    let shown = file.display().to_string();
    let user = files::read_own(&file, harness_config::FILE_BYTES_MAX)?
        .map(|bytes| harness_config::parse_user(ConfigFile::from_bytes(&shown, &bytes)?))
        .transpose();
    Ok(user
        .map_err(|error| config_failure(&error))?
        .unwrap_or_default())
}

/// Brings the person's file and the environment together, where there is no repository.
pub(crate) fn resolve_alone() -> Result<Resolved, Failure> {
    let user = read_user(&Folders::find()?)?;
    let environment = Overrides::from_environment(&|name| std::env::var(name).ok());
    let environment = environment.map_err(|error| config_failure(&error))?;
    harness_config::resolve(None, &user, &environment, &Overrides::default())
        .map_err(|error| config_failure(&error))
}

/// Returns the path of the repository's configuration file.
pub(crate) fn config_path() -> RepoPath {
    RepoPath::parse(CONFIG_FILE).expect("a plain name is inside")
}

/// Returns a feature that says nothing, for what holds whatever is worked on.
pub(crate) fn any_feature() -> Feature {
    Feature::titled(FeatureId::task(1), "any feature")
}

/// Returns what a proof has to hold: the repository's gates, and the review that it demands itself.
pub(crate) fn demand(resolved: &Resolved) -> Demand<'_> {
    Demand {
        gates: &resolved.policy.gates,
        review: resolved.demanded_review,
    }
}

/// Returns the folder with the proof of features.
pub(crate) fn evidence_folder() -> RepoPath {
    RepoPath::parse(EVIDENCE_FOLDER).expect("a plain path is inside")
}

/// Returns where the proof of a feature is kept.
pub(crate) fn evidence_path(feature: &FeatureId) -> RepoPath {
    evidence_folder()
        .join(format!("{feature}.json"))
        .expect("ids are file names")
}

/// Returns the level that a flag names.
pub(crate) const fn level_of(level: SandboxLevel) -> Level {
    match level {
        SandboxLevel::Namespaces => Level::Namespaces,
        SandboxLevel::Landlock => Level::Landlock,
        SandboxLevel::External => Level::External,
        SandboxLevel::None => Level::None,
    }
}

fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}

pub(crate) fn config_failure(error: &ConfigError) -> Failure {
    Failure::usage(chain(error))
        .snippet(error.snippet())
        .maybe_hint(error.hint())
}

/// Reads the text of a feature list.
fn parse_list(path: &RepoPath, text: &str) -> Result<FeatureList, Failure> {
    let is_blank = text.trim().is_empty() && list::is_markdown(path);
    let text = if is_blank { list::empty(path) } else { text };
    FeatureList::parse(text).map_err(|error| {
        Failure::usage(format!("cannot read `{path}`: {}", chain(&error))).hint(format!(
            "mend the file by hand, or get the last good one back with `git checkout {path}`"
        ))
    })
}

fn open_failure(error: &OpenError) -> Failure {
    Failure::usage(chain(error)).maybe_hint(error.fix().map(str::to_owned))
}
