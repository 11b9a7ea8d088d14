//! What a work tree would commit, judged as a finish judges it, without a run and without a record.
//!
//! Nothing is changed but objects that nothing points to. Called by commands that
//! look at what somebody else's agent has done.

use std::path::Path;

use harness_core::{FeatureId, FinishSubject, Level, RunState, SessionId, SessionOpened, TreeId};

use super::{Setting, chain, shop::Workshop};

/// Fixes what would be committed and looks for findings in it.
///
/// `run` names the feature among its own, its `work_start` says what is not part
/// of the work, and `here` is the work tree as it was stored. Blocks.
///
/// # Errors
/// When the repository or the scope cannot be read; the text says why.
pub fn judge_work_tree(
    root: &Path,
    run: RunState,
    feature: FeatureId,
    here: TreeId,
) -> Result<FinishSubject, String> {
    let mut shop = Workshop::open(root).map_err(|error| chain(&error))?;
    // A session that no store knows: it has no checkpoints and leaves none.
    let opened = SessionOpened {
        session: SessionId::new(0),
        feature,
        repository: String::new(),
        root: root.display().to_string(),
        branch: String::new(),
        level: Level::None,
        start_tree: here,
        start_checkpoint: run.base.clone(),
        sources: Vec::new(),
        documents: None,
        run: run.clone(),
    };
    let setting = Setting { opened, run };
    shop.take_up(&setting)?;
    shop.freeze(&setting)
}
