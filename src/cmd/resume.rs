//! `harness resume`: goes on where a run was stopped or killed.
//!
//! It says one of three things first: it goes on where it was, something differs and this is done
//! about it, or it does not go on, with the way out. Whatever has to be refused is refused before
//! anything is changed or spent.

mod all;
mod differs;
mod fork;
mod refused;

use harness_config::Resolved;
use harness_core::{
    CommitId, EndReason, Event, Goal, Level, RunState, SessionId, SessionOpened, TakenUp, Timestamp,
};
use harness_engine::Engine;
use harness_runner::Launch;
use harness_store::{LogWriter, SpendLog, Store, TornTail};
use serde_json::json;

use self::{
    differs::{Left, Unsaved},
    refused::Refused,
};

use super::{
    lost::{self, Lost},
    moved, runs,
    session::marks::{is_archived, refuse_archived},
};
use crate::{
    cli::{Common, Resume},
    compose::Site,
    failure::{Failure, chain},
    intent,
    job::{Done, Job},
    named, network, proposals, questions,
    rules::RuleFile,
    screen,
    session::{
        self,
        recording::{self, Found, Recording},
    },
    surface::{LineSurface, Past, Surface},
    trust,
};

/// The most commits that one landing is taken to bring.
const LANDED_MAX: usize = 1_000;

pub(super) fn run(common: &Common, flags: &Resume) -> Result<u8, Failure> {
    if screen::is_wanted(common, flags.options.plain)? {
        let job = Job::Resume {
            flags: flags.clone(),
            said: Vec::new(),
        };
        return screen::open(common, Some(job));
    }
    let done = work(common, flags, &[], &LineSurface::new(common))?;
    if let Some(finished) = &done.finished {
        runs::say_what_next(finished, common);
    }
    Ok(done.code)
}

/// Resumes on a surface; `said` is what the person says to the agent first.
pub(crate) fn work(
    common: &Common,
    flags: &Resume,
    said: &[String],
    surface: &dyn Surface,
) -> Result<Done, Failure> {
    if flags.all {
        return all::work(common, flags, surface);
    }
    one(common, flags, said, surface)
}

/// Resumes one session, or says why it does not go on.
fn one(
    common: &Common,
    flags: &Resume,
    said: &[String],
    surface: &dyn Surface,
) -> Result<Done, Failure> {
    let done = attempt(common, flags, said, surface);
    done.map_err(|refused| refused.tell(common.json, surface))
}

fn attempt(
    common: &Common,
    flags: &Resume,
    said: &[String],
    surface: &dyn Surface,
) -> Result<Done, Refused> {
    let site = Site::open(common)?;
    if flags.fork.is_none()
        && let Some(inside) = in_own_tree(&site, common, flags)?
    {
        return attempt(&inside, flags, said, surface);
    }
    let mut resolved = site.resolve(&flags.options)?;
    let list = &resolved.policy.feature_file;
    let wished = intent::require(&site, list, &site.features(list)?);
    wished.map_err(|failure| Refused::asked("features", failure))?;
    let trusted = trust::trusted_features(&site, &resolved, surface);
    trusted.map_err(|failure| Refused::asked("trust", failure))?;
    let store = site.existing_store()?.ok_or_else(nothing)?;
    let lock = session::lock(&site, &store);
    let _lock = lock.map_err(|failure| Refused::cannot("lock", failure))?;
    let session = match &flags.fork {
        Some(wanted) => fork::fork(&site, &store, wanted, surface)?,
        None => choose(&site, &store, flags.session.as_deref())?,
    };
    let Taken {
        mut log,
        engine,
        opened,
        past,
        unsaved,
        torn,
        lost,
    } = open(&site, &store, session, surface)?;
    if engine.end() == Some(EndReason::Aborted) {
        let message = format!("run `{}` was given up", opened.run.run);
        let failure = Failure::usage(message).hint("harness run");
        return Err(Refused::cannot("given_up", failure));
    }
    // An answer can be answered, where a person goes on talking.
    let is_talk = surface.is_steered() && engine.end() == Some(EndReason::Answered);
    if engine.end().is_some_and(|end| end.exit_code() == 0) && !is_talk {
        let text = format!("session {session} ended well: nothing is left to do");
        if common.json {
            let body = json!({ "outcome": "cannot", "why": "ended_well", "message": text, "hint": null, "exit_code": 0 });
            surface.entry("resume_refused", "", body)?;
        } else {
            surface.say(&text);
            if let Some((run, session)) = all::with_work_left(&site, &store)?.first() {
                surface.say(&format!(
                    "hint: run {run} has work left: `harness resume {session}`"
                ));
            }
        }
        return Ok(Done::without_run(0));
    }
    if opened.run.by_hand.is_some() {
        let message =
            format!("session `{session}` judged what was done by hand: there is no agent to go on");
        let failure =
            Failure::usage(message).hint(format!("harness feature finish {}", opened.feature));
        return Err(Refused::cannot("by_hand", failure));
    }
    if let Goal::Plan { feature } = &opened.run.goal
        && let Some(failure) = proposals::settled_elsewhere(&store, feature, engine.end())?
    {
        return Err(Refused::cannot("settled", failure));
    }
    refuse_other_head(&site, &opened)?;
    let wish = recording::wish(&flags.options, &resolved)?;
    if wish.is_none() && engine.run().model.recorded {
        return Err(Refused::asked("model", played(session)));
    }
    keep_successor(&mut resolved, wish, &opened);
    let model = session::choose_model(wish.or_else(|| recorded_as(&opened)), &resolved)?
        .at_pace(flags.options.pace.into());
    recording::skip_answered(&model.client, &store, opened.run.run)?;
    session::day::refuse_spent(&site.folders, &resolved.policy.limits, &model.profile)?;
    let workplace = site.workplace(&resolved, store.clone())?;
    refuse_other_level(workplace.level, &opened)?;
    let left = Left {
        site: &site,
        store: &store,
        engine: &engine,
        opened: &opened,
        unsaved: &unsaved,
        torn: torn.as_ref(),
        lost: lost.as_ref(),
        take_changes: flags.take_changes,
    };
    let differs = left.look(&resolved.policy, &model.profile, surface)?;
    log.accept_loss();
    let mut models = model.with_others(&resolved, surface);
    let recorded = Recording::begin(
        &flags.options,
        &site,
        (&models.first, &models.standby),
        &mut models.clients,
        Found::Continued,
    )?;
    let resumed = Event::SessionResumed {
        attended: surface.is_attended(),
        model: Box::new(models.first),
        limits: Box::new(resolved.policy.limits.clone()),
        steered: surface.is_steered(),
        fallback: models.standby,
        roles: Box::new(models.roles),
        answers: questions::for_resume(&store, &engine.run())?,
        found: Box::new(found(&engine, &unsaved, differs)),
    };
    let proposals = super::plan::keeper_of(&site, &store, &opened.run);
    let is_plan = proposals.is_some();
    let began = engine.run().policy;
    let needed = network::needed(&began, &resolved.policy);
    network::refuse_closed(&needed, &resolved.policy.network)?;
    network::refuse_unenforced(workplace.level, &began.network)?;
    let launch = Launch {
        engine,
        resumed: Some((log, resumed)),
        said: said.to_vec(),
        models: models.clients,
        rules: Box::new(RuleFile::new(&site.folders, &site.home())),
        proposals,
        approve: flags.options.approve.clone(),
        spend: SpendLog::new(site.folders.spend()),
    };
    let ended = session::drive(workplace, launch, &past, surface);
    recorded.tell(surface);
    let (code, finished) = ended?;
    if is_plan {
        super::plan::tell_outcome(&site, &resolved, &store, &finished, common, surface);
    }
    Ok(Done::ended(code, finished))
}

/// Says how the session stood, for the log and everybody who reads it.
fn found(engine: &Engine, unsaved: &Unsaved, differs: Vec<harness_core::Difference>) -> TakenUp {
    let mut found = engine.taken_up();
    if engine.end().is_none() {
        found.in_flight.extend(unsaved.setup());
        found.in_flight.truncate(TakenUp::NAMED_MAX);
    }
    TakenUp { differs, ..found }
}

/// Finds the work tree that was made for the wanted session, seen from the person's.
fn in_own_tree(site: &Site, common: &Common, flags: &Resume) -> Result<Option<Common>, Failure> {
    let Some(store) = site.existing_store()? else {
        return Ok(None);
    };
    let sessions = store
        .sessions()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let wanted = match flags.session.as_deref() {
        Some(name) => match named::session(&store, name)? {
            Some(session) => Some(session),
            None => return Ok(None),
        },
        None => None,
    };
    for session in sessions.into_iter().rev() {
        let is_meant = match wanted {
            Some(wanted) => wanted == session,
            None => !is_archived(&store, session),
        };
        if !is_meant {
            continue;
        }
        let Some(root) = runs::root_of(&store, session) else {
            continue;
        };
        if !runs::is_elsewhere(site, &store, session) {
            return Ok(None);
        }
        let mut linked = moved::linked(site).into_iter();
        let found = linked.find(|linked| moved::is_of(&store, linked, &root));
        if let Some(linked) = found {
            let linked = moved::ready(site, &linked)?;
            return Ok(Some(Common {
                directory: Some(linked.root),
                ..common.clone()
            }));
        }
    }
    Ok(None)
}

/// Finds the session that is wanted, or the latest one of this work tree that began; it must be its run's last.
pub(super) fn choose(
    site: &Site,
    store: &Store,
    wanted: Option<&str>,
) -> Result<SessionId, Failure> {
    let session = match wanted {
        Some(_) => {
            let session = runs::session(site, store, wanted)?;
            refuse_archived(store, session)?;
            session
        }
        None => latest(site, store)?.ok_or_else(nothing)?,
    };
    let Some(opened) = runs::began(store, session)? else {
        if let Some(lost) = lost::look_at(site, store, session)? {
            return Err(Refused::lost(session, &lost).into());
        }
        return Err(Failure::usage(format!("session `{session}` never began"))
            .hint("harness resume --last"));
    };
    let run = opened.run.run;
    let last = runs::openings(store, run)?.pop();
    match last.filter(|last| last.session != session) {
        Some(last) => {
            let message = format!(
                "run `{run}` went on after session `{session}`: its last one is `{}`",
                last.session
            );
            Err(Failure::usage(message).hint(format!("harness resume {}", last.session)))
        }
        None => Ok(session),
    }
}

/// Returns the latest session of this work tree that began.
fn latest(site: &Site, store: &Store) -> Result<Option<SessionId>, Failure> {
    let sessions = store
        .sessions()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let mut put_away = Vec::new();
    for session in sessions.into_iter().rev() {
        // A log without a record belongs to a session that never began.
        let Some(opened) = runs::began(store, session)? else {
            match lost::look_at(site, store, session)? {
                Some(lost) if !is_archived(store, session) => {
                    return Err(Refused::lost(session, &lost).into());
                }
                _ => continue,
            }
        };
        let run = opened.run.run;
        if runs::is_elsewhere(site, store, session) || put_away.contains(&run) {
            continue;
        }
        if !is_archived(store, session) {
            return Ok(Some(session));
        }
        // With its last session the run is put away.
        put_away.push(run);
    }
    if put_away.is_empty() {
        return Ok(None);
    }
    let message = "every session that could be resumed in this work tree is archived";
    Err(Failure::usage(message).hint("harness session list --archived"))
}

/// A session that was taken up.
pub(super) struct Taken {
    pub(super) log: LogWriter,
    pub(super) engine: Engine,
    /// Its opening, with the run as it is now.
    opened: SessionOpened,
    /// What the run's faces have to see first.
    past: Vec<(Event, Timestamp)>,
    /// What its log says of files that no checkpoint has.
    unsaved: Unsaved,
    torn: Option<TornTail>,
    /// What it is known to have held, and does not.
    pub(super) lost: Option<Lost>,
}

/// Opens the log of a session for more, and folds what it holds.
pub(super) fn open(
    site: &Site,
    store: &Store,
    session: SessionId,
    surface: &dyn Surface,
) -> Result<Taken, Refused> {
    let known = store.synced(session);
    let reopened = LogWriter::reopen(store, session);
    let (log, records, torn) = reopened.map_err(|error| Refused::log(session, &error))?;
    if let Some(torn) = &torn {
        surface.say(&format!(
            "the last record of {session} was cut short; its {} are kept in `{}`",
            torn.bytes,
            torn.kept.display()
        ));
    }
    let has = records.iter().map(|record| record.hash).collect();
    let lost = lost::look(Some(site), store, session, known, (&has, torn.is_some()))?;
    if let Some(lost) = lost.as_ref().filter(|_| records.is_empty()) {
        return Err(Refused::lost(session, lost));
    }
    let events: Vec<(Event, Timestamp)> = records
        .into_iter()
        .map(|record| (record.event, record.time))
        .collect();
    let no_opening = || {
        Failure::failed(format!(
            "session `{session}` does not begin with its opening"
        ))
    };
    if surface.past() == Past::Whole {
        surface.recall(&events);
    }
    let mut unsaved = Unsaved::default();
    for (event, at) in &events {
        unsaved.take(event, *at);
    }
    let folded = events.iter().map(|(event, time)| (event, *time));
    let engine = Engine::fold(folded).ok_or_else(no_opening)?;
    let mut opened = engine.opened().cloned().ok_or_else(no_opening)?;
    opened.run = engine.run();
    let opening = || {
        let event = Event::SessionOpened(Box::new(opened.clone()));
        (event, harness_host::clock::now())
    };
    let past = match surface.past() {
        Past::Opening => vec![opening()],
        Past::Whole | Past::Nothing => Vec::new(),
    };
    let log = log.with_redaction(Box::new(harness_runner::redact_for_log));
    Ok(Taken {
        log,
        engine,
        opened,
        past,
        unsaved,
        torn,
        lost,
    })
}

/// What a run proves is about the commit it began from.
fn refuse_other_head(site: &Site, opened: &SessionOpened) -> Result<(), Refused> {
    let (head, base) = (site.head()?.commit, opened.run.head());
    if head == *base || is_landing(site, &head, &opened.run)? {
        return Ok(());
    }
    let message = format!(
        "run `{}` began from {} and HEAD is at {}",
        opened.run.run,
        base.short(),
        head.short()
    );
    let failure = Failure::needs_human(message).hint(format!(
        "start anew with `harness run`, or go back to the run's base with `git checkout {}`",
        base.short()
    ));
    Err(Refused::asked("head", failure))
}

/// Whether HEAD moved because the run brought features there and had no time to say so.
fn is_landing(site: &Site, head: &CommitId, run: &RunState) -> Result<bool, Failure> {
    if run.lands.is_none() {
        return Ok(false);
    }
    let commits = site.repo.commits_beyond(head, run.head(), LANDED_MAX)?;
    for commit in &commits {
        let info = site.repo.commit_info(commit)?;
        let mut trailers = info.trailers.iter();
        if !trailers.any(|(key, _)| key == "Harness-Session") {
            return Ok(false);
        }
    }
    Ok(!commits.is_empty())
}

/// The proof names one level, so the whole session has one.
fn refuse_other_level(level: Level, opened: &SessionOpened) -> Result<(), Refused> {
    if level == opened.level {
        return Ok(());
    }
    let message = format!(
        "session `{}` began at level `{}` and would go on at level `{level}`",
        opened.session, opened.level
    );
    let failure = Failure::ended(EndReason::Refused, message).hint(format!(
        "harness resume {} --sandbox {}",
        opened.session, opened.level
    ));
    Err(Refused::asked("level", failure))
}

/// Goes on with the model that took over, where one of the chain did and no flag names another.
fn keep_successor(resolved: &mut Resolved, wish: Option<&str>, opened: &SessionOpened) {
    let name = &opened.run.model.name;
    if wish.is_none() && resolved.fallback.contains(name) && resolved.models.contains_key(name) {
        resolved.model = Some(name.clone());
    }
}

/// Returns the model of the run when the configuration still has it; a recording has to be named.
fn recorded_as(opened: &SessionOpened) -> Option<&str> {
    let model = &opened.run.model;
    (!model.recorded).then_some(model.name.as_str())
}

/// Whoever played a script or a recording did not ask for a server, which may cost something.
fn played(session: SessionId) -> Failure {
    let message =
        format!("session `{session}` was played from a file, and who goes on with it is not said");
    Failure::usage(message).hint(
        "name the file, `--agent replay:DIR` or `--agent script:FILE`, or a model, `--model NAME`",
    )
}

pub(super) fn nothing() -> Failure {
    Failure::usage("there is no session to resume in this work tree").hint("harness run")
}
