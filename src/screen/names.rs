//! The names of the repository's files, for who writes of them.

use harness_core::RepoPath;
use harness_guard::Guard;
use harness_host::disk::{EntryKind, SurveyBounds};
use harness_tui::Answer;

use crate::{
    cli::{Common, RunOptions},
    compose::{Site, any_feature},
    failure::{Failure, chain},
};

/// How much is looked at; what is left out is said.
const BOUNDS: SurveyBounds = SurveyBounds {
    entries_max: 50_000,
    below_one_max: 50_000,
};

/// Looks the names up: what ignore files name and what is hidden is left out, as it is for agents.
pub(super) fn files(common: &Common) -> Answer {
    let (names, is_cut) = find(common).unwrap_or_default();
    Answer::Files { names, is_cut }
}

fn find(common: &Common) -> Result<(Vec<String>, bool), Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let guard = Guard::new(&resolved.policy, &any_feature());
    let guard = guard.map_err(|error| Failure::usage(chain(&error)))?;
    let scope = guard.scope().clone();
    let is_hidden = move |path: &RepoPath| scope.is_hidden(path);
    let survey = site.root.host_survey(is_hidden, BOUNDS);
    let files = survey.entries.into_iter();
    let files = files.filter(|entry| entry.kind == EntryKind::File);
    Ok((
        files.map(|entry| entry.path.to_text()).collect(),
        survey.cut,
    ))
}
