//! Where the person's files are: configuration, state, caches, by the XDG rules.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// The person's folders for this program.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    config: PathBuf,
    state: PathBuf,
    cache: PathBuf,
}

impl Folders {
    /// Finds them; nothing is created.
    pub(crate) fn find() -> Result<Self, Failure> {
        let base = etcetera::base_strategy::Xdg::new().map_err(|error| {
            Failure::usage(format!("cannot find your home folder: {error}")).hint("set HOME")
        })?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir());
        Ok(Self {
            config: base.config_dir().join("harness"),
            state: state.join("harness"),
            cache: base.cache_dir().join("harness"),
        })
    }

    /// Returns the person's configuration file.
    pub(crate) fn user_config(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// Returns the file with what the person trusts.
    pub(crate) fn trust(&self) -> PathBuf {
        self.state.join("trust.json")
    }

    /// Returns the folder with the repositories in which sessions were opened.
    pub(crate) fn repositories(&self) -> PathBuf {
        self.state.join("repositories")
    }

    /// Returns the folder with what each day has cost.
    pub(crate) fn spend(&self) -> PathBuf {
        self.state.join("spend")
    }

    /// Returns the folder of the work trees that runs of one repository have for themselves.
    pub(crate) fn worktrees_of(&self, root: &Path) -> PathBuf {
        self.state.join("worktrees").join(named(root))
    }

    /// Returns the file with what was proven of this machine.
    pub(crate) fn proof(&self) -> PathBuf {
        self.cache.join("level")
    }

    /// Returns the file with what programs have said of their versions.
    pub(crate) fn programs(&self) -> PathBuf {
        self.cache.join("programs.json")
    }

    /// Returns the folder with the person's own prompts.
    pub(crate) fn prompts(&self) -> PathBuf {
        self.config.join("prompts")
    }

    /// Returns the file with the rules that the person had saved.
    pub(crate) fn saved_rules(&self) -> PathBuf {
        self.state.join("rules.toml")
    }

    /// Returns the file with the text that was last copied and too long for the clipboard.
    pub(crate) fn copied(&self) -> PathBuf {
        self.state.join("copied.txt")
    }

    /// Returns the cache of one repository: its name for people, a digest of its path for us.
    pub(crate) fn cache_of(&self, root: &Path) -> PathBuf {
        self.cache.join(named(root))
    }
}

/// Returns a name for a work tree: its own for people, a digest of its path for us.
fn named(root: &Path) -> String {
    let name = root
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let safe: String = name
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() || "-_.".contains(*char))
        .collect();
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    format!(
        "{safe}-{:02x}{:02x}{:02x}{:02x}",
        digest[0], digest[1], digest[2], digest[3]
    )
}
