//! What a person's review keeps from being finished by hand.
//!
//! A run at work asks the book of its own change. What a person did themselves belongs to the newest
//! run of the work tree, or to no run: then it is the review of what is not committed. A review of
//! any other range holds nothing up, and says so where a must-fix is written.

use harness_review::Base;
use harness_store::{ReviewKey, Store};

use super::{Desk, desk};
use crate::{cmd::runs, compose::Site, failure::Failure};

/// The range that is reviewed where no run is.
const NOT_COMMITTED: &str = "HEAD..";
/// The most comments that are named.
const NAMED_MAX: usize = 5;

/// Refuses what a person did while something in it must be fixed: the gate `review` is red.
pub(crate) fn refuse(site: &Site, store: &Store) -> Result<(), Failure> {
    let latest = runs::latest_session(site, store)?;
    let opened = latest
        .map(|session| runs::began(store, session))
        .transpose()?;
    let run = opened.flatten().map(|opened| opened.run.run);
    let of_run = run.map(|run| (ReviewKey::of_run(run), ""));
    let range = (ReviewKey::of_range(NOT_COMMITTED), " --of HEAD..");
    for (key, of) in of_run.into_iter().chain([range]) {
        let Some(book) = desk::read(store, &key)? else {
            continue;
        };
        let open = book.open_must_fix();
        if open.is_empty() {
            continue;
        }
        let named = open.iter().take(NAMED_MAX);
        let named =
            named.map(|comment| format!("#{} at {}", comment.number, comment.place.worded()));
        let named: Vec<String> = named.collect();
        let more = open.len() - named.len();
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let message = format!(
            "gate `review` is red: {} must-fix open: {}{rest}",
            open.len(),
            named.join(", ")
        );
        let numbers: Vec<String> = open
            .iter()
            .map(|comment| comment.number.to_string())
            .collect();
        return Err(Failure::red(message).hint(format!(
            "harness review resolve {}{of}, once you are content",
            numbers.join(" ")
        )));
    }
    Ok(())
}

/// Says plainly that a must-fix of a range keeps no run from finishing; `None` where it does.
pub(crate) fn holds_nothing(desk: &Desk<'_>) -> Option<String> {
    if desk.source.run.is_some() {
        return None;
    }
    let Base::Range { text } = &desk.source.base else {
        return None;
    };
    let by_hand = if text == NOT_COMMITTED {
        "it holds `harness feature finish` up and no run of an agent"
    } else {
        "it holds nothing up"
    };
    Some(format!(
        "a must-fix of the range `{text}` is for people: {by_hand}; `harness review` without a range is about the newest run"
    ))
}
