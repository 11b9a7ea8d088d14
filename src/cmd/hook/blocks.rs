//! How often each session of an agent was held back: a small file, so that no loop is endless.

use std::path::PathBuf;

use harness_store::state;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{compose::Site, failure::chain};

/// Sessions that are remembered; the one that was held back longest ago is forgotten first.
const SESSIONS_MAX: usize = 64;

/// The counts, and where they are kept.
#[derive(Debug)]
pub(super) struct Blocks {
    file: PathBuf,
}

/// What the file holds, the latest session last.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counts {
    sessions: Vec<(String, u32)>,
}

impl Blocks {
    pub(super) fn open(site: &Site) -> Self {
        Self {
            file: site.repo.common_dir().join("harness/hook-stop.json"),
        }
    }

    /// Counts one more block, unless there were `max` already; says whether to block.
    ///
    /// # Errors
    /// When it cannot be counted: then the agent must not be held, or it is for ever.
    pub(super) fn count(&mut self, session: &str, max: u32) -> Result<bool, String> {
        let key = key(session);
        let mut counts = self.read();
        let at = counts.sessions.iter().position(|(known, _)| *known == key);
        let before = at.map_or(0, |at| counts.sessions.remove(at).1);
        if before >= max {
            return Ok(false);
        }
        counts.sessions.push((key, before + 1));
        let surplus = counts.sessions.len().saturating_sub(SESSIONS_MAX);
        counts.sessions.drain(..surplus);
        self.write(&counts)?;
        Ok(true)
    }

    /// Begins anew with a session that was let go.
    pub(super) fn forget(&mut self, session: &str) {
        let key = key(session);
        let mut counts = self.read();
        let before = counts.sessions.len();
        counts.sessions.retain(|(known, _)| *known != key);
        if counts.sessions.len() != before {
            // Where that fails the agent has fewer tries left, no more.
            let _ = self.write(&counts);
        }
    }

    /// A file that is broken was put aside, and is as good as none.
    fn read(&self) -> Counts {
        state::read_json(&self.file)
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    fn write(&self, counts: &Counts) -> Result<(), String> {
        let cannot = |why: String| format!("tries cannot be counted: {why}");
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder).map_err(|error| cannot(error.to_string()))?;
        }
        state::write_json(&self.file, counts).map_err(|error| cannot(chain(&error)))
    }
}

/// Any text an agent gives becomes a short name.
fn key(session: &str) -> String {
    let digest = Sha256::digest(session.as_bytes());
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_is_counted_for_itself_and_only_so_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut blocks = Blocks {
            file: folder.path().join("harness/hook-stop.json"),
        };
        let mut count = |session: &str| blocks.count(session, 2).unwrap();
        assert!(count("a") && count("a") && count("b"));
        assert!(!count("a"));
        for number in 0..200 {
            count(&number.to_string());
        }
        assert_eq!(blocks.read().sessions.len(), SESSIONS_MAX);
        blocks.forget("199");
        assert_eq!(blocks.read().sessions.len(), SESSIONS_MAX - 1);
        std::fs::write(&blocks.file, "broken").unwrap();
        assert!(blocks.count("a", 1).unwrap());
    }
}
