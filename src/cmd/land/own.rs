//! The harness' own files where two sides wrote them: the feature list, the progress log, evidence.
//!
//! Two runs that were proven apart write the same lines of them, and that is no conflict. What is
//! one stays one, and is said in words rather than between markers.

use harness_core::{Policy, RepoPath};
use harness_gate::{
    list::{self, Merged},
    progress,
};
use harness_git::{Put, Sides};
use serde_json::Value;

use crate::compose::evidence_folder;

/// Puts together what HEAD and a commit of a run made of a file.
pub(super) fn put(policy: &Policy, path: &RepoPath, sides: Sides<'_>) -> Put {
    let [base, head, run] = [sides.base, sides.head, sides.run].map(text);
    if *path == policy.feature_file {
        return match (base, head, run) {
            (Some(base), Some(head), Some(run)) => list_of(base, head, run),
            _ => Put::ByLines,
        };
    }
    if *path == policy.progress_file {
        let (Some(head), Some(run)) = (head, run) else {
            return Put::ByLines;
        };
        let joined = progress::join(base.unwrap_or_default(), head, run);
        return joined.map_or(Put::ByLines, |text| Put::Together(text.into_bytes()));
    }
    if path.starts_with(&evidence_folder()) {
        return match (head.and_then(session), run.and_then(session)) {
            (Some(head), Some(run)) => Put::Clash(format!(
                "both prove this feature: HEAD has the proof of session {head}, the run has that of {run}"
            )),
            _ => Put::ByLines,
        };
    }
    Put::ByLines
}

fn list_of(base: &str, head: &str, run: &str) -> Put {
    match list::merge(base, head, run) {
        Merged::Text(text) => Put::Together(text.into_bytes()),
        Merged::Clash(clashes) => {
            let lines: Vec<String> = clashes.iter().map(ToString::to_string).collect();
            Put::Clash(lines.join("\n"))
        }
        Merged::Unknown => Put::ByLines,
    }
}

fn text(bytes: Option<&[u8]>) -> Option<&str> {
    std::str::from_utf8(bytes?).ok()
}

/// Returns the session that a record of evidence names.
fn session(evidence: &str) -> Option<String> {
    let evidence: Value = serde_json::from_str(evidence).ok()?;
    Some(evidence.get("session")?.as_str()?.to_owned())
}
