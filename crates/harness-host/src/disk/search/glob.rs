//! Which files a search looks into: a pattern as ignore files write it, turned around.

use harness_core::RepoPath;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::disk::DiskError;

/// The files that are wanted.
#[derive(Debug)]
pub(super) struct Files {
    pattern: Option<Gitignore>,
    /// The folder that is searched: a pattern may be meant from there.
    below: RepoPath,
}

impl Files {
    /// Compiles a pattern; without one every file is wanted.
    ///
    /// A pattern without a slash is one of names, at any depth; one with a slash
    /// is meant from the root or from `below`. `{a,b}`, `[ab]`, `*` and `**` mean
    /// what they do elsewhere; a pattern that begins with `!` wants all others.
    pub(super) fn compile(glob: Option<&str>, below: &RepoPath) -> Result<Self, DiskError> {
        let pattern = glob.map(|glob| {
            let failed = |source| DiskError::Glob {
                glob: glob.to_owned(),
                source,
            };
            let mut builder = GitignoreBuilder::new("");
            // Without a pattern before it, an exception takes nothing away.
            let lines = match glob.trim().strip_prefix('!') {
                Some(_) => vec!["*", glob.trim()],
                None => vec![glob.trim()],
            };
            for line in lines {
                builder.add_line(None, line).map_err(failed)?;
            }
            builder.build().map_err(failed)
        });
        Ok(Self {
            pattern: pattern.transpose()?,
            below: below.clone(),
        })
    }

    /// Whether a file is wanted.
    pub(super) fn cover(&self, file: &RepoPath) -> bool {
        let Some(pattern) = &self.pattern else {
            return true;
        };
        let path = file.as_path();
        let wants =
            |path: &std::path::Path| pattern.matched_path_or_any_parents(path, false).is_ignore();
        let from_there = path.strip_prefix(self.below.as_path()).ok();
        wants(path) || from_there.is_some_and(|path| !path.as_os_str().is_empty() && wants(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_is_of_names_or_of_paths() {
        let cases = [
            ("*.rs", "", "src/a/b.rs", true),
            ("*.rs", "", "src/a/b.rst", false),
            ("*.{ts,tsx}", "", "web/a.tsx", true),
            ("src/*.rs", "", "src/a.rs", true),
            ("src/*.rs", "", "src/a/b.rs", false),
            ("src/**/*.rs", "", "src/a/b.rs", true),
            ("**/*.rs", "", "a.rs", true),
            ("lib/*.rs", "src", "src/lib/a.rs", true),
            ("src/lib/*.rs", "src", "src/lib/a.rs", true),
            ("tests", "", "web/tests/a.js", true),
            ("!*.rs", "", "a.rs", false),
            ("!*.rs", "", "a.md", true),
            ("a.rs", "a.rs", "a.rs", true),
        ];
        for (glob, below, file, expected) in cases {
            let files = Files::compile(Some(glob), &path(below)).unwrap();
            assert_eq!(files.cover(&path(file)), expected, "{glob} {below} {file}");
        }
        assert!(Files::compile(None, &path("")).unwrap().cover(&path("a")));
        assert!(Files::compile(Some("*.{rs"), &path("")).is_err());
    }
}
