//! Which levels of confinement this machine enforces.

use std::sync::OnceLock;

use super::{Desk, say};

/// Returns the levels that are enforced here, strongest last; says which are not, and fails where
/// one of those was demanded.
pub(crate) fn levels() -> &'static [&'static str] {
    static LEVELS: OnceLock<Vec<&str>> = OnceLock::new();
    LEVELS.get_or_init(|| {
        let desk = Desk::new();
        let demanded = std::env::var("HARNESS_REQUIRE_LEVEL").unwrap_or_default();
        let is_enforced = |level: &&str| {
            let tried = desk.harness(&["run", "look", "--sandbox", level, "--json", "--no-input"]);
            let is_enforced = tried.code != 7;
            assert!(
                is_enforced || !demanded.split(',').any(|name| name == *level),
                "the level `{level}` is not enforced here"
            );
            if !is_enforced {
                say(&format!(
                    "skipped: the level `{level}` is not enforced here"
                ));
            }
            is_enforced
        };
        let mut levels = vec!["landlock", "namespaces"];
        levels.retain(is_enforced);
        levels
    })
}
