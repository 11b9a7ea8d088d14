//! Sets that were compiled before, for whoever asks with the same patterns.
//!
//! A run judges with the same rules in several places, and a default scope takes milliseconds to
//! compile. What comes out depends on the patterns alone, so it is the same whether it was
//! compiled now or before.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use harness_core::Sourced;

use super::{Effect, PatternSet, ScopeError};

/// How many sets are remembered: those of a run and of one feature, and of the next.
const SETS_MAX: usize = 24;

static BUILT: Mutex<VecDeque<(Effect, PatternSet)>> = Mutex::new(VecDeque::new());

/// Returns the set of these patterns, or remembers what `build` makes of them.
pub(super) fn or_build(
    list: &[Sourced],
    effect: Effect,
    build: impl FnOnce() -> Result<PatternSet, ScopeError>,
) -> Result<PatternSet, ScopeError> {
    let is_same =
        |(of, set): &&(Effect, PatternSet)| *of == effect && set.written().eq(list.iter());
    let sets = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, set)) = sets.iter().find(is_same) {
        return Ok(set.clone());
    }
    // Compiled without the lock: others may want theirs meanwhile.
    drop(sets);
    let set = build()?;
    let mut sets = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if sets.len() >= SETS_MAX {
        sets.pop_front();
    }
    sets.push_back((effect, set.clone()));
    Ok(set)
}
