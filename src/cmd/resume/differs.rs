//! What is not as a session left it: files, branch, configuration, model, checkpoints, log.
//!
//! What makes no difference to what is proven goes on and is told; what does is asked. Looks only.

use std::{collections::BTreeSet, os::unix::fs::MetadataExt as _, path::Path, time::Duration};

use harness_core::{
    Action, CallId, Change, CheckpointNumber, Decision as Verdict, Difference, DifferenceKind,
    EndReason, Event, Fate, InFlight, InFlightKind, ModelProfile, Policy, RepoPath, RunId,
    SessionId, SessionOpened, SetupPlace, Sourced, Timestamp, TreeId,
};
use harness_engine::Engine;
use harness_git::{CheckpointEntry, Checkpoints};
use harness_guard::Guard;
use harness_runner::named_paths;
use harness_store::{Store, TornTail};

use super::refused::Refused;
use crate::{
    cmd::{lost::Lost, runs},
    compose::Site,
    failure::{Failure, chain},
    surface::{Decision, Surface},
};

/// How long after its limit a command may still have changed a file.
const GRACE: Duration = Duration::from_secs(60);

/// What the log says of files that may be other than the last checkpoint has them.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    /// Whether something of the agent's may have changed files since the last checkpoint.
    may_have_changed: bool,
    /// Files that the agent's own edits since then are about.
    edited: BTreeSet<RepoPath>,
    /// Whether the harness itself has brought files to another state since then.
    moved: bool,
    /// Whether it was about to: the next process goes on with that, and asks there about what is the person's.
    rewinding: bool,
    /// Files that it takes a person's rejections back in, or was about to.
    turning_down: BTreeSet<RepoPath>,
    /// Calls that may change files and have no end.
    open: BTreeSet<CallId>,
    jobs: BTreeSet<CallId>,
    /// Setup steps that have no end, and where they ran.
    setup: Vec<(Vec<String>, SetupPlace)>,
    /// Whether gates run in the work tree itself, where they can change it.
    gates_in_place: bool,
    /// When the last record was made.
    last: Option<Timestamp>,
}

impl Unsaved {
    /// Takes a record in.
    pub(super) fn take(&mut self, event: &Event, at: Timestamp) {
        self.last = Some(at);
        match event {
            Event::CallJudged {
                call,
                action: Some(action),
                verdict,
                ..
            } if !action.is_read_only() && verdict.decision != Verdict::Deny => {
                self.open.insert(*call);
                if !matches!(action, Action::Run { .. }) {
                    self.edited.insert(action.path().clone());
                }
            }
            Event::CallEnded { call, .. } => self.may_have_changed |= self.open.remove(call),
            Event::JobStarted { call, .. } => {
                self.jobs.insert(*call);
            }
            Event::JobEnded { call, .. } => self.may_have_changed |= self.jobs.remove(call),
            Event::RewindAsked { .. } => self.rewinding = true,
            Event::RewindRefused { .. } => self.rewinding = false,
            Event::Formatted(_) | Event::WorkBroughtBack { .. } | Event::Rewound(_) => {
                (self.may_have_changed, self.moved, self.rewinding) = (true, true, false);
            }
            // The book may know of an end that the log does not, so only the record of it counts.
            Event::ReviewChanged(changed) => {
                let rejections = changed.rejections.iter();
                self.turning_down
                    .extend(rejections.map(|rejection| rejection.path.clone()));
            }
            Event::TurnedDown(_) => {
                self.may_have_changed |= !self.turning_down.is_empty();
                self.edited.append(&mut self.turning_down);
            }
            Event::CheckpointSaved(_) | Event::CheckpointUnchanged => {
                (self.may_have_changed, self.moved) = (false, false);
                self.edited.clear();
            }
            Event::SetupStarted { run, place, .. } => {
                self.setup.push((run.clone(), *place));
                self.may_have_changed |= *place == SetupPlace::WorkTree;
            }
            Event::SetupEnded { run, place, .. } => {
                self.setup.retain(|known| *known != (run.clone(), *place));
            }
            // Steps of another process have ended with it.
            Event::SessionResumed { .. } => self.setup.clear(),
            Event::SessionOpened(opened) => self.gates_in_place = !opened.run.policy.isolate,
            Event::GateStarted { .. } => self.may_have_changed |= self.gates_in_place,
            _ => {}
        }
    }

    fn is_agents(&self) -> bool {
        self.may_have_changed || !self.open.is_empty() || !self.jobs.is_empty()
    }

    /// Returns when every command of the agent was over, however it went; `None` where nobody knows.
    fn over_by(&self, command: Duration) -> Option<Timestamp> {
        // Nothing bounds a job but the process that is gone, and it is not written down when that went.
        let is_bound = self.jobs.is_empty() && self.setup.is_empty() && !self.gates_in_place;
        let last = self.last.filter(|_| is_bound)?;
        Some(last.plus(command).plus(GRACE))
    }

    /// Lists the setup steps that were under way.
    pub(super) fn setup(&self) -> impl Iterator<Item = InFlight> {
        self.setup.iter().map(|(run, place)| InFlight {
            kind: InFlightKind::Setup,
            what: format!(
                "`{}` for the {}",
                run.join(" "),
                place.as_str().replace('_', " ")
            ),
            fate: Fate::Again,
        })
    }
}

/// What is compared.
#[derive(Debug)]
pub(super) struct Left<'a> {
    pub(super) site: &'a Site,
    pub(super) store: &'a Store,
    pub(super) engine: &'a Engine,
    pub(super) opened: &'a SessionOpened,
    pub(super) unsaved: &'a Unsaved,
    pub(super) torn: Option<&'a TornTail>,
    pub(super) lost: Option<&'a Lost>,
    /// Whether a person takes what they changed as part of the work.
    pub(super) take_changes: bool,
}

impl Left<'_> {
    /// Lists what differs and goes on, or says what only a person can decide.
    pub(super) fn look(
        &self,
        policy: &Policy,
        model: &ModelProfile,
        surface: &dyn Surface,
    ) -> Result<Vec<Difference>, Refused> {
        self.refuse_other_branch()?;
        let session = self.opened.session;
        let checkpoints = self.site.repo.checkpoints(session).map_err(Failure::from)?;
        let mut found = Vec::new();
        found.extend(self.torn.map(log));
        found.extend(self.shortened(surface)?);
        found.extend(damaged(&checkpoints));
        found.extend(self.files(&checkpoints, surface)?);
        if self.site.repository.is_some() {
            found.extend(configuration(&self.engine.run().policy, policy));
        }
        found.extend(other_model(&self.opened.run.model, model));
        Ok(found)
    }

    /// What stood in records that are gone nobody knows, so a person says whether it goes on without.
    fn shortened(&self, surface: &dyn Surface) -> Result<Option<Difference>, Refused> {
        let Some(lost) = self.lost else {
            return Ok(None);
        };
        let session = self.opened.session;
        let text = format!("the log of {session} {}", lost.words());
        let decision = Decision {
            title: "Go on without the records that are missing?",
            body: &format!(
                "{text}.\nWhat was done in them is not known: calls may be made again, and what was spent is not counted."
            ),
        };
        let is_taken = self.take_changes || surface.is_attended() && surface.confirm(decision);
        if !is_taken {
            return Err(Refused::asked(
                "log",
                Failure::needs_human(text).hint(format!(
                    "put the log back from a copy, or go on without what is missing: `harness resume {session} --take-changes`; or begin anew with `harness run`"
                )),
            ));
        }
        let done = "goes on from what is left: what was done in the missing records is not known";
        Ok(Some(Difference::new(DifferenceKind::Log, text, done)))
    }

    /// A branch that somebody else moved cannot be committed to.
    fn refuse_other_branch(&self) -> Result<(), Refused> {
        let (repo, branch) = (&self.site.repo, &self.opened.branch);
        let run = self.engine.run();
        let Some(tip) = repo.branch_tip(branch).map_err(Failure::from)? else {
            return Ok(());
        };
        if tip == run.tip {
            return Ok(());
        }
        let info = repo.commit_info(&tip).map_err(Failure::from)?;
        let session = self.opened.session.to_string();
        let is_own = info
            .trailers
            .iter()
            .any(|(key, value)| key == "Harness-Session" && *value == session);
        // A process may have died between the commit and its record.
        let is_kept = info.parents == [run.tip.clone()]
            && (is_own || info.message.starts_with("wip before "));
        if is_kept {
            return Ok(());
        }
        let message = format!(
            "branch `{branch}` was moved by somebody else, from {} to {}",
            run.tip.short(),
            tip.short()
        );
        Err(Refused::asked(
            "branch",
            Failure::needs_human(message).hint(format!(
                "`git branch --force {branch} {}` puts it back, `git branch KEPT {}` keeps what it has now; or begin anew with `harness run`",
                run.tip.short(),
                tip.short()
            )),
        ))
    }

    /// Files that the agent may write and that are not as the last checkpoint has them.
    ///
    /// They would be committed with the agent's work, so a person says whether they belong to it; what
    /// may be of a command that was cut off is told alone.
    fn files(
        &self,
        checkpoints: &Checkpoints,
        surface: &dyn Surface,
    ) -> Result<Vec<Difference>, Refused> {
        let Some(last) = checkpoints.whole.last() else {
            return Ok(Vec::new());
        };
        let is_unknown = checkpoints.damaged.iter().max() > Some(&last.number);
        let is_known = !is_unknown && !self.unsaved.moved && !self.unsaved.rewinding;
        let mut theirs = self.changed(&last.tree).map_err(Failure::failed)?;
        if theirs.is_empty() {
            return Ok(Vec::new());
        }
        let other_run = self.other_run_since()?;
        let mut unclear = Vec::new();
        if other_run.is_none() && !is_known {
            return Ok(Vec::new());
        }
        let late = self.late();
        if other_run.is_none() {
            let is_ours = |path: &RepoPath| self.unsaved.turning_down.contains(path);
            theirs.retain(|path| !is_ours(path) || late(path));
        }
        if other_run.is_none() && self.unsaved.is_agents() {
            (theirs, unclear) = theirs.into_iter().partition(late);
            unclear.retain(|path| !self.unsaved.edited.contains(path));
        }
        let mut found = Vec::new();
        let since = format!("changed since checkpoint {}", last.number);
        if !unclear.is_empty() {
            // Whose it is nobody knows.
            let text = format!("{} {since}", named_paths(unclear.iter()));
            let done = "by a command of the agent or by you: kept as part of the work, look at it before you land";
            found.push(Difference::new(DifferenceKind::Files, text, done).about(unclear));
        }
        if !theirs.is_empty() {
            let text = format!("{} {since}", named_paths(theirs.iter()));
            self.ask_about(&theirs, &text, other_run, last, surface)?;
            let done = "kept as part of the work; the agent is told";
            found.push(Difference::new(DifferenceKind::Files, text, done).about(theirs));
        }
        Ok(found)
    }

    /// Lets a person say whether what somebody else changed belongs to the agent's work.
    fn ask_about(
        &self,
        paths: &[RepoPath],
        text: &str,
        other_run: Option<RunId>,
        last: &CheckpointEntry,
        surface: &dyn Surface,
    ) -> Result<(), Refused> {
        if self.take_changes {
            return Ok(());
        }
        let (since, by) = match other_run {
            Some(run) => (
                format!(
                    "Since the session stopped, run {run} worked here, and what the agent may write is not as it was"
                ),
                format!("and run {run} worked here since"),
            ),
            None => (
                "Since the session stopped, somebody changed what the agent may write".to_owned(),
                "and not by the agent".to_owned(),
            ),
        };
        let title = "Take what changed as part of the agent's work?";
        let body = format!(
            "{since}:\n  {}\nIt would be committed with the agent's work, and the agent is told.",
            named_paths(paths.iter())
        );
        let decision = Decision { title, body: &body };
        if surface.is_attended() && surface.confirm(decision) {
            return Ok(());
        }
        let session = self.opened.session;
        let message = format!("{text}, {by}");
        let away = match other_run {
            Some(run) => format!(
                "else finish run {run} first and land it, or take its files back with `harness abort {run}`"
            ),
            None => format!(
                "else put it away first, for instance with `git stash`, or take it back with `harness checkpoint undo {} --session {session}`",
                last.number
            ),
        };
        let hint = format!(
            "`harness resume {session} --take-changes` takes it as part of the work; {away}"
        );
        Err(Refused::asked(
            "files",
            Failure::needs_human(message).hint(hint),
        ))
    }

    /// Returns the newest other run that changed files of this work tree since the session stopped.
    fn other_run_since(&self) -> Result<Option<RunId>, Failure> {
        let Some(stopped) = self.unsaved.last else {
            return Ok(None);
        };
        let (store, own) = (self.store, self.opened.run.run);
        for run in runs::newest_first(self.site, store)? {
            if run == own {
                continue;
            }
            for session in runs::sessions_of(store, run)? {
                if is_written_since(&store.log_path(session), stopped)
                    && self.has_worked_since(session, stopped)?
                {
                    return Ok(Some(run));
                }
            }
        }
        Ok(None)
    }

    /// Whether a session of another run may have left changes here since a moment.
    fn has_worked_since(&self, session: SessionId, stopped: Timestamp) -> Result<bool, Failure> {
        // What its log does not tell counts as work.
        let Ok(log) = harness_store::read(self.store.log_path(session)) else {
            return Ok(true);
        };
        let is_given_up = |event: &Event| matches!(event, Event::RunEnded { reason, .. } if *reason == EndReason::Aborted);
        if log
            .records
            .last()
            .is_some_and(|last| is_given_up(&last.event))
        {
            return Ok(false);
        }
        let mut since = Unsaved::default();
        let mut has_saved = false;
        for record in log.records.iter().filter(|record| record.time > stopped) {
            since.take(&record.event, record.time);
            has_saved |= matches!(&record.event, Event::CheckpointSaved(saved) if saved.number > CheckpointNumber(0));
        }
        Ok(has_saved || since.is_agents())
    }

    /// Tells the files that changed after every command of the agent was over.
    fn late(&self) -> impl Fn(&RepoPath) -> bool {
        let over = self
            .unsaved
            .over_by(self.engine.run().policy.limits.command);
        let root = self.site.repo.root().to_path_buf();
        move |path| {
            let stat = root.join(path.as_path()).symlink_metadata().ok();
            let changed = stat.and_then(|stat| u64::try_from(stat.ctime()).ok());
            over.zip(changed)
                .is_some_and(|(over, changed)| changed > over.as_millis() / 1_000)
        }
    }

    fn changed(&self, last: &TreeId) -> Result<Vec<RepoPath>, String> {
        let run = self.engine.run();
        let features = run.features.iter();
        let mut of_session = features.filter(|feature| feature.id == self.opened.feature);
        let Some(feature) = of_session.next() else {
            return Ok(Vec::new());
        };
        let guard = Guard::new(&run.policy, feature).map_err(|error| chain(&error))?;
        let repo = &self.site.repo;
        let now = harness_runner::work_tree_now(repo, &guard, last)?;
        let differs_from = |tree: &TreeId| repo.diff(tree, &now).map_err(|error| chain(&error));
        // What was put aside is as it was before the work began.
        let before = run.work_start.clone();
        // What comes back anyway may stand there already: it is written down when all of it does.
        let aside = run.kept.aside_of(&feature.id);
        let coming = aside.filter(|work| work.session != self.opened.session);
        let coming = coming.map(|work| work.tree.clone());
        let known: Result<Vec<_>, _> = before.iter().chain(&coming).map(differs_from).collect();
        let known = known?;
        let is_new = |path: &RepoPath| {
            let is_other =
                |changes: &Vec<Change>| changes.iter().any(|change| change.path == *path);
            known.iter().all(is_other)
        };
        let paths = differs_from(last)?.into_iter().map(|change| change.path);
        Ok(paths
            .filter(|path| guard.scope().is_writable(path) && is_new(path))
            .collect())
    }
}

/// Whether a log got more since a moment; one that cannot be asked may have.
fn is_written_since(log: &Path, moment: Timestamp) -> bool {
    let stat = log.metadata().ok();
    let written = stat.and_then(|stat| u64::try_from(stat.mtime()).ok());
    written.is_none_or(|written| written >= moment.as_millis() / 1_000)
}

fn log(torn: &TornTail) -> Difference {
    Difference::new(
        DifferenceKind::Log,
        format!("the last record was cut short, {}", torn.bytes),
        format!(
            "kept in `{}`; the session goes on behind the last whole record",
            torn.kept.display()
        ),
    )
}

fn damaged(checkpoints: &Checkpoints) -> Option<Difference> {
    let numbers: Vec<String> = checkpoints
        .damaged
        .iter()
        .map(ToString::to_string)
        .collect();
    if numbers.is_empty() {
        return None;
    }
    Some(Difference::new(
        DifferenceKind::Checkpoint,
        format!("damaged: {}", numbers.join(", ")),
        "skipped: nothing can go back there; the files as they are now are saved anew",
    ))
}

/// Says which parts of the configuration are others than those the run began with.
fn configuration(began: &Policy, now: &Policy) -> Option<Difference> {
    let is_other = |began: &[Sourced], now: &[Sourced]| {
        let of = |rules: &[Sourced]| -> BTreeSet<String> {
            rules.iter().map(|rule| rule.value.clone()).collect()
        };
        of(began) != of(now)
    };
    let (old, new) = (&began.scope, &now.scope);
    let parts = [
        ("gates", began.gates != now.gates),
        ("formatters", began.formats != now.formats),
        (
            "scope",
            is_other(&old.write, &new.write)
                || is_other(&old.deny, &new.deny)
                || is_other(&old.hide, &new.hide)
                || is_other(&old.build, &new.build),
        ),
        ("protected paths", is_other(&old.protect, &new.protect)),
        ("isolation of gates", began.isolate != now.isolate),
        ("review", began.review != now.review),
    ];
    let changed: Vec<&str> = parts
        .into_iter()
        .filter(|(_, is_other)| *is_other)
        .map(|(name, _)| name)
        .collect();
    if changed.is_empty() {
        return None;
    }
    Some(Difference::new(
        DifferenceKind::Configuration,
        format!("{} changed since the run began", changed.join(", ")),
        "the run goes on with what it began with, and with the limits of now; a new run takes the rest",
    ))
}

fn other_model(before: &ModelProfile, now: &ModelProfile) -> Option<Difference> {
    let is_same = before.name == now.name && before.id == now.id && before.effort == now.effort;
    if is_same || before.recorded && now.recorded {
        return None;
    }
    let named = |model: &ModelProfile| match model.effort {
        Some(effort) => format!("`{}` ({}, effort {effort})", model.name, model.id),
        None => format!("`{}` ({})", model.name, model.id),
    };
    Some(Difference::new(
        DifferenceKind::Model,
        format!(
            "{} answered before, {} answers now",
            named(before),
            named(now)
        ),
        "it goes on with the same conversation",
    ))
}
