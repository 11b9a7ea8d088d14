//! `harness rewind`: takes a stopped session back to an earlier turn.
//!
//! The wish goes into the log first, then the files go back, then the log says so: whoever is
//! killed in between leaves a wish that `harness resume` carries out.

use harness_core::{CheckpointNumber, Event, RewindWhat, Rewound, SessionId, TurnNumber};
use harness_engine::RewindFiles;
use harness_git::{CheckpointRef, Repo, RestoreMode};
use harness_runner::changed_by_others;
use harness_store::LogWriter;
use serde_json::json;

use super::resume;
use crate::{
    cli::{Common, Rewind},
    compose::Site,
    failure::{Failure, chain},
    session,
    surface::{LineSurface, Surface},
};

pub(super) fn run(common: &Common, flags: &Rewind) -> Result<u8, Failure> {
    let what = match (flags.talk, flags.files) {
        (true, false) => RewindWhat::Talk,
        (false, true) => RewindWhat::Files,
        _ => RewindWhat::Both,
    };
    let session = flags.session.as_deref();
    work(
        common,
        session,
        TurnNumber(flags.turn),
        what,
        &LineSurface::new(common),
    )?;
    Ok(0)
}

/// Goes back to before the agent's answer in a turn.
pub(crate) fn work(
    common: &Common,
    wanted: Option<&str>,
    turn: TurnNumber,
    what: RewindWhat,
    surface: &dyn Surface,
) -> Result<SessionId, Failure> {
    let site = Site::open(common)?;
    let store = site.existing_store()?.ok_or_else(resume::nothing)?;
    let _lock = session::lock(&site, &store)?;
    let session = resume::choose(&site, &store, wanted)?;
    let taken = resume::open(&site, &store, session, surface)?;
    if let Some(lost) = &taken.lost {
        let message = format!("cannot go back in {session}: its log {}", lost.words());
        return Err(Failure::needs_human(message).hint(format!("harness log verify {session}")));
    }
    let mut log = taken.log;
    let files = taken.engine.rewind(turn, what).map_err(|why| {
        Failure::usage(format!("cannot go back to turn {turn} of {session}: {why}"))
            .hint(format!(
                "`harness log show {session}` has the turns; `harness checkpoint list {session}` has the files of a session that is over"
            ))
    })?;
    let mut record = |event: Event| keep(&mut log, &event);
    record(Event::RewindAsked { turn, what })?;
    let paths = match &files {
        None => Vec::new(),
        Some(files) => match take_back(&site.repo, session, files) {
            Ok(paths) => paths,
            Err(reason) => {
                record(Event::RewindRefused {
                    turn,
                    reason: reason.clone(),
                })?;
                let message = format!("cannot go back to turn {turn} of {session}: {reason}");
                return Err(Failure::needs_human(message).hint(
                    "move your own changes away first; work of a killed agent is saved by `harness resume`, and `/rewind` goes back there",
                ));
            }
        },
    };
    let count = paths.len();
    let rewound = Rewound {
        turn,
        what,
        checkpoint: files.as_ref().map(|files| files.checkpoint),
        more: count.saturating_sub(Rewound::PATHS_MAX) as u64,
        paths: paths.into_iter().take(Rewound::PATHS_MAX).collect(),
    };
    let body = json!({ "rewound": session.to_string(), "turn": turn.0, "what": what.to_string(),
        "files": count, "checkpoint": rewound.checkpoint.map(|number| number.0) });
    record(Event::Rewound(Box::new(rewound)))?;
    let files = match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    let text = match what {
        RewindWhat::Talk => "the conversation; the files stay".to_owned(),
        RewindWhat::Files => format!("{files}; the conversation stays"),
        RewindWhat::Both => format!("the conversation and {files}"),
    };
    let text = format!("note: {session} back at turn {turn}: {text}");
    surface.entry("rewound", &text, body)?;
    if !common.json {
        surface.say(&format!(
            "hint: `harness resume {session}` goes on from there"
        ));
    }
    Ok(session)
}

fn keep(log: &mut LogWriter, event: &Event) -> Result<(), Failure> {
    log.append(event, harness_host::clock::now())
        .and_then(|_| log.sync())
        .map_err(|error| Failure::failed(chain(&error)))
}

/// Takes the files back, as a new checkpoint, so that this can be undone as well.
fn take_back(
    repo: &Repo,
    session: SessionId,
    files: &RewindFiles,
) -> Result<Vec<harness_core::RepoPath>, String> {
    let known = repo.checkpoints(session).map_err(|error| chain(&error))?;
    let last = known.whole.last().ok_or("the session has no checkpoint")?;
    let restored = repo
        .restore(&last.tree, &files.tree, RestoreMode::Write)
        .map_err(|error| chain(&error))?;
    if !restored.refused.is_empty() {
        return Err(changed_by_others(&restored.refused));
    }
    let paths: Vec<_> = restored
        .written
        .into_iter()
        .chain(restored.removed)
        .collect();
    if last.tree == files.tree {
        return Ok(paths);
    }
    let damaged = known.damaged.iter().max().copied();
    let highest: CheckpointNumber = last.number.max(damaged.unwrap_or_default());
    let name = CheckpointRef {
        session,
        number: highest.next(),
    };
    let message = format!("back to turn {} of {session}", files.turn);
    let now = harness_host::clock::now();
    repo.checkpoint(name, &files.tree, Some(&last.commit), &message, now)
        .map_err(|error| chain(&error))?;
    Ok(paths)
}
