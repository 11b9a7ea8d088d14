//! Reading the map of a folder: its override first, links inside the repository followed.
//!
//! A map that is there and cannot be loaded is said with the reason, never passed over: who
//! wrote it counts on it. What an agent may not read is no map.

use harness_core::{ByteCount, RepoPath};
use harness_guard::Guard;
use harness_host::disk::{DiskError, Root};

use crate::execute::chain;

/// The largest map of the root that is read; the budget of the window is what counts.
pub(crate) const ROOT_MAX: ByteCount = ByteCount::mib(1);
/// The largest nested map that is loaded.
pub const NESTED_MAX: ByteCount = ByteCount::kib(64);
/// Links that are followed to a map, each judged anew.
const LINKS_MAX: usize = 8;

/// A map that stands in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MapFound {
    Text {
        path: RepoPath,
        text: String,
    },
    /// It is there and is not loaded.
    Problem {
        path: RepoPath,
        problem: String,
    },
}

/// Reads the map of a folder; `None` where it has none that an agent may read.
pub(crate) fn of_folder(
    root: &Root,
    guard: &Guard,
    map_file: &str,
    folder: &RepoPath,
    max: ByteCount,
) -> Option<MapFound> {
    let candidates = harness_context::map_candidates(map_file, folder).pop()?;
    candidates
        .into_iter()
        .find_map(|path| at(root, guard, path, max))
}

fn at(root: &Root, guard: &Guard, path: RepoPath, max: ByteCount) -> Option<MapFound> {
    let mut place = path.clone();
    for _ in 0..LINKS_MAX {
        if !guard.scope().read(&place).is_allowed() {
            let problem = format!("it leads to `{place}`, which may not be read");
            // What is hidden itself is not even named.
            return (place != path).then_some(MapFound::Problem { path, problem });
        }
        let problem = match root.host_read_file(&place, max) {
            Ok(file) => {
                let text = String::from_utf8_lossy(&file.bytes).into_owned();
                return Some(MapFound::Text { path, text });
            }
            Err(DiskError::NotFound { .. } | DiskError::NotFolder { .. }) if place == path => {
                return None;
            }
            Err(DiskError::IsLink {
                resolved: Some(target),
                ..
            }) => {
                place = target;
                continue;
            }
            Err(DiskError::IsLink { target, .. }) => format!(
                "it is a link to `{}`, which is outside the repository",
                String::from_utf8_lossy(&target)
            ),
            Err(DiskError::TooLarge { size, max, .. }) => {
                format!("it has {size}, more than {max}; `read` what you need of it")
            }
            Err(error) => chain(&error),
        };
        return Some(MapFound::Problem { path, problem });
    }
    let problem = "it is a chain of links".to_owned();
    Some(MapFound::Problem { path, problem })
}
