//! Wires everything: the repository, its configuration, the person's, and what a run works with.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use harness_config::{ConfigError, ConfigFile, Overrides, RepositoryConfig, Resolved, UserConfig};
use harness_core::{ByteCount, Feature, FeatureStatus, Level, RepoPath, TreeId};
use harness_gate::{
    evidence::{self, Evidence, Standing},
    list::{FeatureList, ListError},
};
use harness_git::{GitError, OpenError, Repo};
use harness_host::machine::{Place, Role};
use harness_runner::Workplace;
use harness_store::Store;

use crate::{
    cli::{Common, RunOptions, SandboxLevel},
    failure::{Failure, chain},
    folders::Folders,
};

/// The repository's configuration file.
pub(crate) const CONFIG_FILE: &str = "harness.toml";
/// An older name of the progress log, kept where it is in use.
const OLD_PROGRESS_FILE: &str = "claude-progress.txt";
/// The largest feature list or evidence file that is read.
const HOST_FILE_MAX: ByteCount = ByteCount::mib(16);

/// A repository with its configuration: what every command starts from.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) repo: Repo,
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
        let repository = read_config(&repo.root().join(CONFIG_FILE), CONFIG_FILE)?
            .map(|bytes| {
                let file = ConfigFile::from_bytes(CONFIG_FILE, &bytes)?;
                harness_config::parse_repository(file)
            })
            .transpose()
            .map_err(|error| config_failure(&error))?;
        let user_file = folders.user_config();
        let shown = user_file.display().to_string();
        let user = read_config(&user_file, &shown)?
            .map(|bytes| harness_config::parse_user(ConfigFile::from_bytes(&shown, &bytes)?))
            .transpose()
            .map_err(|error| config_failure(&error))?
            .unwrap_or_default()
            .for_repository(repo.root());
        Ok(Self {
            repo,
            folders,
            repository,
            user,
        })
    }

    /// Brings configuration, environment and flags together.
    pub(crate) fn resolve(&self, options: &RunOptions) -> Result<Resolved, Failure> {
        let environment = Overrides::from_environment(&|name| std::env::var(name).ok());
        let environment = environment.map_err(|error| config_failure(&error))?;
        let scripted = options
            .model
            .as_deref()
            .is_some_and(|model| model.starts_with("script:"));
        let flags = Overrides {
            model: options.model.clone().filter(|_| !scripted),
            usd: options.max_usd.map(harness_core::Money::from_usd),
            turns: options.max_turns,
            sandbox: options.sandbox.map(level_of),
            ..Overrides::default()
        };
        let resolved =
            harness_config::resolve(self.repository.as_ref(), &self.user, &environment, &flags);
        let mut resolved = resolved.map_err(|error| config_failure(&error))?;
        if self.repo.root().join(OLD_PROGRESS_FILE).is_file() {
            let path = RepoPath::parse(OLD_PROGRESS_FILE).expect("a plain name is inside");
            resolved.policy.progress_file = path;
        }
        Ok(resolved)
    }

    /// Opens the store, creating it where it is missing.
    pub(crate) fn store(&self) -> Result<Store, Failure> {
        Store::open(self.repo.common_dir().join("harness"))
            .map_err(|error| Failure::failed(chain(&error)))
    }

    /// Opens the store if there is one.
    pub(crate) fn existing_store(&self) -> Result<Option<Store>, Failure> {
        let folder = self.repo.common_dir().join("harness");
        Store::open_existing(folder).map_err(|error| Failure::failed(chain(&error)))
    }

    /// Reads the feature list; `None` when there is no file.
    pub(crate) fn features(&self, path: &RepoPath) -> Result<Option<FeatureList>, Failure> {
        let Some(text) = self.host_file(path)? else {
            return Ok(None);
        };
        FeatureList::parse(&text)
            .map(Some)
            .map_err(|error| list_failure(path, &error))
    }

    /// Reads the evidence of a feature; `None` when there is none or it cannot be read.
    pub(crate) fn evidence(&self, feature: &Feature) -> Result<Option<Evidence>, Failure> {
        let path = RepoPath::parse(format!(".harness/evidence/{}.json", feature.id))
            .expect("ids are file names");
        Ok(self
            .host_file(&path)?
            .and_then(|text| Evidence::parse(&text).ok()))
    }

    /// Says what the proof of a passing feature is worth; `tree` and `content` as far as they are known.
    pub(crate) fn standing(
        &self,
        feature: &Feature,
        resolved: &Resolved,
        tree: &TreeId,
        content: Option<&str>,
    ) -> Result<Standing, Failure> {
        let evidence = self.evidence(feature)?;
        Ok(evidence::standing(
            evidence.as_ref(),
            feature,
            &resolved.policy.gates,
            tree,
            content,
        ))
    }

    /// Whether a feature says that it passes and has no proof for it.
    pub(crate) fn is_claimed(
        &self,
        feature: &Feature,
        resolved: &Resolved,
    ) -> Result<bool, Failure> {
        if feature.status != FeatureStatus::Passing {
            return Ok(false);
        }
        // Which tree makes no difference to whether there is a proof at all.
        let tree = self.head()?.tree;
        Ok(!self.standing(feature, resolved, &tree, None)?.is_proof())
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
    pub(crate) fn workplace(
        &self,
        resolved: &Resolved,
        store: Store,
    ) -> Result<Workplace, Failure> {
        let level = prove_level(resolved.sandbox.level)?;
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
            level,
            agent,
            gate,
        })
    }

    fn host_file(&self, path: &RepoPath) -> Result<Option<String>, Failure> {
        let whole = self.repo.root().join(path.as_path());
        match fs::metadata(&whole) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(stat) if stat.len() > HOST_FILE_MAX.0 => {
                return Err(Failure::usage(format!(
                    "cannot read `{path}`: it is larger than {HOST_FILE_MAX}"
                )));
            }
            _ => {}
        }
        let bytes = fs::read(&whole)
            .map_err(|error| Failure::failed(format!("cannot read `{path}`: {error}")))?;
        let text = String::from_utf8(bytes);
        text.map(Some)
            .map_err(|_| Failure::usage(format!("cannot read `{path}`: it is no UTF-8")))
    }
}

/// Proves the level that is asked for, or the best one there is.
fn prove_level(wish: Option<Level>) -> Result<Level, Failure> {
    match wish {
        Some(level @ (Level::None | Level::External)) => Ok(level),
        wish => match (harness_host::process::probe_level(), wish) {
            (Level::None, Some(level)) => Err(Failure::ended(
                harness_core::EndReason::Refused,
                format!("cannot confine processes: level `{level}` was asked for and this kernel does not enforce it"),
            )),
            (Level::None, None) => Err(Failure::ended(
                harness_core::EndReason::Refused,
                "cannot confine processes: this kernel enforces no level",
            )
            .hint("run in a container and say `--sandbox external`, or accept none with `--sandbox none`")),
            (level, _) => Ok(level),
        },
    }
}

const fn level_of(level: SandboxLevel) -> Level {
    match level {
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

fn read_config(path: &Path, shown: &str) -> Result<Option<Vec<u8>>, Failure> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(stat) if stat.len() > harness_config::FILE_BYTES_MAX.0 => {
            return Err(Failure::usage(format!(
                "cannot read `{shown}`: it is larger than {}",
                harness_config::FILE_BYTES_MAX
            )));
        }
        _ => {}
    }
    fs::read(path)
        .map(Some)
        .map_err(|error| Failure::usage(format!("cannot read `{shown}`: {error}")))
}

pub(crate) fn config_failure(error: &ConfigError) -> Failure {
    Failure::usage(chain(error))
        .snippet(error.snippet())
        .maybe_hint(error.hint())
}

fn list_failure(path: &RepoPath, error: &ListError) -> Failure {
    Failure::usage(format!("cannot read `{path}`: {}", chain(error))).hint(format!(
        "mend the file by hand, or get the last good one back with `git checkout {path}`"
    ))
}

fn open_failure(error: &OpenError) -> Failure {
    Failure::usage(chain(error)).maybe_hint(error.fix().map(str::to_owned))
}
