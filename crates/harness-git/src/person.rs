//! What is read from the person's own git configuration, as data.
//!
//! Exactly `user.name`, `user.email`, `core.excludesFile`, `core.autocrlf`,
//! `core.eol` and `safe.directory`; every other key is left unseen.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{libgit2, open::OpenError};

/// The person's git settings that the harness honours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub(crate) home: Option<PathBuf>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) excludes_file: Option<PathBuf>,
    pub(crate) autocrlf: Option<String>,
    pub(crate) eol: Option<String>,
    pub(crate) safe_directories: Vec<String>,
}

impl Person {
    /// Reads the settings of whoever runs this process.
    ///
    /// The files are those git reads, later ones winning: `/etc/gitconfig`,
    /// `$XDG_CONFIG_HOME/git/config` (or `~/.config/git/config`) and `~/.gitconfig`.
    ///
    /// # Errors
    /// When one of them is there and cannot be read or parsed.
    pub fn of_this_process() -> Result<Self, OpenError> {
        let path = |name: &str| {
            env::var_os(name)
                .filter(|value: &OsString| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = path("HOME");
        let xdg =
            path("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        let mut files = vec![PathBuf::from("/etc/gitconfig")];
        files.extend(xdg.as_ref().map(|xdg| xdg.join("git/config")));
        files.extend(home.as_ref().map(|home| home.join(".gitconfig")));
        let mut person = Self::read(home.as_deref(), &files)?;
        if person.excludes_file.is_none() {
            person.excludes_file = xdg.map(|xdg| xdg.join("git/ignore"));
        }
        Ok(person)
    }

    /// Reads the settings from `files`, later ones winning; a missing file counts as empty.
    ///
    /// `home` is what a leading `~/` stands for.
    ///
    /// # Errors
    /// When a file is there and cannot be read or parsed.
    pub fn read(home: Option<&Path>, files: &[PathBuf]) -> Result<Self, OpenError> {
        libgit2::isolate();
        let mut person = Self {
            home: home.map(Path::to_path_buf),
            ..Self::default()
        };
        for file in files.iter().filter(|file| file.is_file()) {
            person.add(file).map_err(|source| OpenError::Config {
                path: file.clone(),
                source,
            })?;
        }
        Ok(person)
    }

    /// Whether the person declared `folder` safe although somebody else owns it.
    pub(crate) fn trusts(&self, folder: &Path) -> bool {
        self.safe_directories.iter().any(|safe| {
            safe == "*"
                || match safe.strip_suffix("/*") {
                    Some(parent) => folder.starts_with(self.expand(parent)),
                    None => folder == self.expand(safe),
                }
        })
    }

    /// Resolves a leading `~/`.
    pub(crate) fn expand(&self, path: &str) -> PathBuf {
        match (&self.home, path.strip_prefix("~/")) {
            (Some(home), Some(rest)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    fn add(&mut self, file: &Path) -> Result<(), git2::Error> {
        let config = git2::Config::open(file)?;
        let text = |key: &str| config.get_string(key).ok();
        self.name = text("user.name").or(self.name.take());
        self.email = text("user.email").or(self.email.take());
        self.autocrlf = text("core.autocrlf").or(self.autocrlf.take());
        self.eol = text("core.eol").or(self.eol.take());
        if let Some(path) = text("core.excludesfile") {
            self.excludes_file = Some(self.expand(&path));
        }
        let safe = &mut self.safe_directories;
        config.entries(Some("safe\\.directory"))?.for_each(|entry| {
            match entry.value().unwrap_or_default() {
                // An empty value takes back what stood before it.
                "" => safe.clear(),
                value => safe.push(value.to_owned()),
            }
        })
    }
}
