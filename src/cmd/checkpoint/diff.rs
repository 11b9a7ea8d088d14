//! `harness checkpoint diff`: one checkpoint against another, or against the work tree.

use harness_core::{CheckpointNumber, RepoPath};
use harness_store::Store;
use serde_json::json;

use super::known::Known;
use crate::{
    cli::{CheckpointDiff, Common},
    cmd::{
        difference::{FileDifference, count, quoted},
        reach::Reach,
        runs, scope,
    },
    compose::Site,
    failure::Failure,
    output::{self, Output, say},
};

/// The most that is printed of differences.
const BYTES_MAX: usize = 4 * 1024 * 1024;

pub(super) fn run(
    site: &Site,
    store: &Store,
    common: &Common,
    known: &Known,
    flags: &CheckpointDiff,
) -> Result<u8, Failure> {
    let from = known.get(CheckpointNumber(flags.from))?;
    let to = match flags.to {
        Some(number) => known.get(CheckpointNumber(number))?.tree.clone(),
        None => {
            let opened = runs::opening(store, known.session)?;
            Reach::of(site, &[opened])?.snapshot(&from.tree)?
        }
    };
    let wanted = flags.paths.iter().map(|path| scope::from_here(site, path));
    let wanted = wanted.collect::<Result<Vec<RepoPath>, Failure>>()?;
    let is_wanted = |path: &RepoPath| {
        let mut folders = wanted.iter();
        wanted.is_empty() || folders.any(|folder| path.starts_with(folder))
    };
    let changes = site.repo.file_changes(&from.tree, &to)?.into_iter();
    let changes: Vec<_> = changes.filter(|change| is_wanted(&change.path)).collect();
    let mut output = Output::new(common);
    let (mut bytes, mut shown, mut totals) = (0, 0, (0_u64, 0_u64));
    for change in &changes {
        if flags.name_only && !common.json {
            output.text(&quoted("", &change.path))?;
            continue;
        }
        let file = FileDifference::read(&site.repo, change)?;
        if let Some((added, removed)) = file.counts() {
            totals = (totals.0 + u64::from(added), totals.1 + u64::from(removed));
        }
        let is_brief = flags.stat || flags.name_only;
        let text = if is_brief { file.stat() } else { file.patch() };
        bytes += text.len();
        if bytes > BYTES_MAX {
            say(&format!(
                "note: {} of {} files are shown; name some behind `--`, or take --stat",
                shown,
                changes.len()
            ));
            return Ok(0);
        }
        shown += 1;
        if common.json {
            let mut body =
                json!({ "session": known.session.to_string(), "from": flags.from, "to": flags.to });
            if let (Some(body), Some(more)) =
                (body.as_object_mut(), file.to_json(!is_brief).as_object())
            {
                body.extend(more.clone());
            }
            output.entry("checkpoint_diff", "", body)?;
        } else if is_brief {
            output.text(&text)?;
        } else {
            output::write(&clean_patch(&text))?;
        }
    }
    if flags.stat {
        output.text(&format!(
            "{}, +{} -{}",
            count(changes.len()),
            totals.0,
            totals.1
        ))?;
    }
    Ok(0)
}

/// Cleans a patch; line ends of two bytes stay, without them git would not apply it.
fn clean_patch(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let bare = line.strip_suffix("\r\n");
        bare.map_or_else(
            || harness_report::clean(line).into_owned(),
            |bare| format!("{}\r\n", harness_report::clean(bare)),
        )
    });
    lines.collect()
}
