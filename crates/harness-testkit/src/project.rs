//! Throw-away repositories, made by the real `git`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// A repository in a temporary folder, removed at the end.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// Makes an empty repository on branch `main`.
    ///
    /// # Panics
    /// When `git` is missing or fails.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("harness-project-")
            .tempdir()
            .expect("a temporary folder");
        let project = Self { folder };
        std::fs::create_dir(project.root()).expect("a folder in a temporary folder");
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.git(&["config", "user.name", "Test Person"]);
        project.git(&["config", "user.email", "person@example.com"]);
        project
    }

    /// Makes a repository with these files, committed.
    ///
    /// # Panics
    /// When `git` is missing or fails.
    pub fn with_files(files: &[(&str, &str)]) -> Self {
        let project = Self::new();
        for (path, text) in files {
            project.write(path, text);
        }
        project.commit_all("start");
        project
    }

    /// Returns the work tree.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("demo")
    }

    /// Returns the folder around the work tree: outside every scope.
    pub fn outside(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the work tree.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder"))
            .expect("a folder of the work tree");
        std::fs::write(path, text).expect("a file of the work tree");
    }

    /// Reads a file of the work tree; empty when there is none.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap_or_default()
    }

    /// Commits everything.
    ///
    /// # Panics
    /// When `git` fails.
    pub fn commit_all(&self, message: &str) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// Runs `git` in the work tree and returns what it prints, trimmed.
    ///
    /// # Panics
    /// When it fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(self.root())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.outside())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .expect("git is installed");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "git {arguments:?} failed: {stderr}"
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}
