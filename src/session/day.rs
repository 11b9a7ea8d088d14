//! The day's limit, before anything begins: a day that is used up allows no run.

use harness_core::{EndReason, Limits, ModelProfile, Money, Price, RunState};
use harness_store::SpendLog;

use crate::{
    failure::{Failure, chain},
    folders::Folders,
};

/// Returns what the day has cost so far, in words, where it has a limit and the model costs something.
pub(crate) fn told(run: &RunState, spend: &mut SpendLog) -> Option<String> {
    let limit = run.policy.limits.day_usd?;
    let spent = spend.today(harness_host::clock::now()).ok()?;
    let is_free = run.model.price == Some(Price::default());
    if is_free && spent == Money(0) {
        return None;
    }
    Some(format!(
        "note: all runs of the day have cost {} of {limit}",
        harness_report::usd(spent)
    ))
}

/// Refuses a run for which nothing is left of the day; a model that costs nothing needs nothing.
pub(crate) fn refuse_spent(
    folders: &Folders,
    limits: &Limits,
    model: &ModelProfile,
) -> Result<(), Failure> {
    let is_free = model.price == Some(Price::default());
    let Some(limit) = limits.day_usd.filter(|_| !is_free) else {
        return Ok(());
    };
    let spent = SpendLog::new(folders.spend()).today(harness_host::clock::now());
    let spent = spent.map_err(|error| {
        Failure::failed(chain(&error)).hint("`[limits] day_usd` cannot be held without that file")
    })?;
    if spent < limit {
        return Ok(());
    }
    let message = format!("all runs of the day have cost {spent} of {limit}");
    Err(Failure::ended(EndReason::Budget, message).hint(
        "wait for the next day (UTC), raise `[limits] day_usd`, or use a model that costs nothing",
    ))
}
