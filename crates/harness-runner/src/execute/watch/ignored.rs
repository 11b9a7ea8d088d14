//! Ignored files come back with an undo: they are in no checkpoint.

use std::path::Path;

use harness_core::{RepoPath, SessionId};
use harness_guard::HostAct;
use harness_host::{disk::Root, manifest::Former};

use super::{
    super::chain,
    kept::{Kept, Source},
};

/// Puts back the ignored files of the scope that were there when a session began and are gone.
///
/// `own` is the harness's folder in the common git directory. One that is there with other
/// content is left alone: nobody knows who changed it. Returns what came back; nothing when
/// the session never came to an action.
///
/// # Errors
/// When the kept bytes cannot be read or a file not be written; the text says which.
pub fn restore_ignored(
    own: &Path,
    session: SessionId,
    root: &Root,
    act: HostAct,
) -> Result<Vec<RepoPath>, String> {
    let left = Kept::load(&own.join("kept"), &session.to_string());
    let left = left.map_err(|error| format!("cannot read what was kept: {error}"))?;
    let Some(left) = left else {
        return Ok(Vec::new());
    };
    let mut restored = Vec::new();
    for (path, attributes) in &left.entries {
        let Some(Source::Kept {
            offset,
            size,
            sha256,
            open: true,
        }) = left.kept.source(path)
        else {
            continue;
        };
        if root.look(path).map_err(|error| chain(&error))?.is_some() {
            continue;
        }
        let bytes = left.kept.read(*offset, *size, *sha256);
        let bytes = bytes.map_err(|error| format!("cannot read what was kept: {error}"))?;
        let bytes = bytes.ok_or_else(|| format!("the kept bytes of `{path}` were changed"))?;
        let folder = path.parent().unwrap_or_default();
        root.host_create_folder(act, &folder)
            .map_err(|error| chain(&error))?;
        let former = Former {
            attributes,
            bytes: &bytes,
        };
        root.put_back(act, path, former)
            .map_err(|error| chain(&error))?;
        restored.push(path.clone());
    }
    Ok(restored)
}
