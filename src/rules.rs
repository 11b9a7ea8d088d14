//! The rules that a person had saved: where they stand, and how one more is kept.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use harness_config::{ConfigFile, FILE_BYTES_MAX, SavedRules, parse_saved_rules, render_rule};
use harness_core::CommandRule;
use harness_runner::RuleKeeper;

use crate::{
    failure::{Failure, chain},
    files,
    folders::Folders,
};

/// What stands at the top of a new file.
const HEAD: &str = "\
# Rules you answered `always` to, each for one repository. Edit or delete them as you like;
# they are read when a command starts, like the `[[rule]]` of your own configuration.

";

/// The file with the rules of one repository, among others.
#[derive(Debug)]
pub(crate) struct RuleFile {
    path: PathBuf,
    repository: PathBuf,
}

impl RuleFile {
    pub(crate) fn new(folders: &Folders, repository: &Path) -> Self {
        Self {
            path: folders.saved_rules(),
            repository: repository.to_owned(),
        }
    }

    /// Puts a rule at the end, unless it is there already; returns the line of its words.
    fn add(&self, rule: &CommandRule) -> Result<usize, String> {
        let cannot = |error: io::Error| format!("cannot write `{}`: {error}", self.path.display());
        // What cannot be read is never written over.
        read(&self.path).map_err(|failure| failure.to_told().message)?;
        let mut text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => HEAD.to_owned(),
            Err(error) => return Err(cannot(error)),
        };
        let block = render_rule(rule, &self.repository);
        let line_of = |text: &str| text.lines().count() + 2;
        if let Some((before, _)) = text.split_once(&block) {
            return Ok(line_of(before));
        }
        if !text.ends_with("\n\n") {
            text.push('\n');
        }
        let line = line_of(&text);
        text.push_str(&block);
        if text.len() > FILE_BYTES_MAX.as_usize() {
            return Err(format!("`{}` has no room for more", self.path.display()));
        }
        replace(&self.path, &text).map_err(cannot)?;
        Ok(line)
    }
}

impl RuleKeeper for RuleFile {
    fn keep(&self, rule: &CommandRule) -> Result<String, String> {
        let line = self.add(rule)?;
        Ok(format!("{}:{line}", self.path.display()))
    }
}

/// Reads the rules that the person had saved; none where there is no file.
pub(crate) fn read(path: &Path) -> Result<SavedRules, Failure> {
    let shown = path.display().to_string();
    let bytes = files::read_own(path, FILE_BYTES_MAX)?;
    bytes
        .map(|bytes| parse_saved_rules(ConfigFile::from_bytes(&shown, &bytes)?))
        .transpose()
        .map_err(|error| {
            let away =
                "mend it, or move it away: what you had allowed for ever is asked about again";
            Failure::usage(chain(&error))
                .snippet(error.snippet())
                .hint(error.hint().unwrap_or_else(|| away.to_owned()))
        })
        .map(Option::unwrap_or_default)
}

/// Replaces a file whole, so that a crash leaves the old or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)
        .map_err(|error| io::Error::other(chain(&error)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use harness_core::RuleDecision;

    use super::*;

    fn rule(words: &str) -> CommandRule {
        CommandRule {
            prefix: words.split(' ').map(str::to_owned).collect(),
            exact: true,
            decision: RuleDecision::Allow,
            reason: "a person said always".to_owned(),
            origin: String::new(),
        }
    }

    #[test]
    fn a_rule_is_kept_once_and_read_back_from_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = RuleFile {
            path: folder.path().join("state/rules.toml"),
            repository: PathBuf::from("/home/me/shop"),
        };
        let first = file.keep(&rule("npm publish")).unwrap();
        assert!(first.ends_with("rules.toml:5"), "{first}");
        let second = file.keep(&rule("make deploy")).unwrap();
        assert_eq!(file.keep(&rule("npm publish")).unwrap(), first);
        let text = fs::read_to_string(&file.path).unwrap();
        let line: usize = second.rsplit(':').next().unwrap().parse().unwrap();
        let at = text.lines().nth(line - 1).unwrap();
        assert_eq!(at, "command = [\"make\", \"deploy\"]");
        assert_eq!(text.matches("[[rule]]\n").count(), 2);
        assert!(read(&file.path).is_ok());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = RuleFile {
            path: folder.path().join("rules.toml"),
            repository: PathBuf::from("/home/me/shop"),
        };
        fs::write(&file.path, "[[rule\n").unwrap();
        assert!(file.keep(&rule("npm publish")).is_err());
        assert_eq!(fs::read_to_string(&file.path).unwrap(), "[[rule\n");
    }
}
