//! Does what an agent was permitted to do: files through the root's handle, commands in the cage.

mod around;
mod format;
mod job;
mod look;
mod waiting;

use std::{
    collections::{BTreeSet, HashMap},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use harness_core::{
    Action, ByteCount, CallId, Captured, Difference, Event, LineRange, Outcome, RepoPath,
    SessionOpened, Stop, TokenCount,
};
use harness_guard::{CagePlan, Guard, HostAct, Machine, Permit};
use harness_host::{
    Cancelled,
    disk::{DiskError, Expected, Root, SearchLimits, Stamp},
    machine::{Reach, fill_agent_home, masked_program, missing_program},
    process::{Cage, NetworkReport, RunLimits, SpawnError},
};
use harness_store::Store;
use harness_tool::{
    ToolText,
    edit::{self, Edited},
};

mod files;

pub(super) use self::format::changed_by;

use super::{
    chain,
    closed::with_closed,
    jobs::Jobs,
    lock,
    outputs::Outputs,
    printed::Printed,
    setup::{Halt, Setup},
    shop::Workshop,
    watch::{Post, Watch},
};
use crate::{
    RunnerError, Workplace,
    maps::{self, MapFound},
};

/// The largest file the tools read.
const FILE_MAX: ByteCount = ByteCount::mib(4);
/// What is given of a file or a search before the tool layer cuts it for the model.
const TEXT_MAX: ByteCount = ByteCount::kib(256);
/// Entries listed of one folder.
const ENTRIES_MAX: usize = 2_000;

/// Performs actions.
#[derive(Debug)]
pub(crate) struct Performer {
    root: Root,
    machine: Machine,
    setup: Arc<Setup>,
    map_file: Mutex<String>,
    guard: Mutex<Option<Guard>>,
    /// The machine as commands of the session see it; looked at before the first one.
    seen_by_commands: Mutex<Option<Machine>>,
    /// Folders that were made for commands, innermost first.
    made: Mutex<Vec<RepoPath>>,
    /// Where connections of commands are told.
    report: NetworkReport,
    /// What commands run in, kept open.
    cage: Mutex<Option<Arc<Cage>>>,
    /// What the agent last saw of each file.
    seen: Mutex<HashMap<RepoPath, Stamp>>,
    /// Folders whose map was looked for.
    touched: Mutex<BTreeSet<RepoPath>>,
    shop: Arc<Mutex<Workshop>>,
    /// The harness's own folder in the common git directory.
    own: PathBuf,
    watch: Mutex<Watching>,
    waiting: waiting::Waiting,
    jobs: Jobs,
    outputs: Outputs,
    /// Where a session's own folder is.
    store: Store,
    /// Where it is told what commands print.
    printed: Printed,
}

/// What a command is started with.
struct Ready {
    plan: CagePlan,
    argv: [OsString; 3],
    cage: Arc<Cage>,
}

/// Whether the work tree is watched.
#[derive(Debug)]
enum Watching {
    /// No session is open.
    Off,
    /// The session is open and its first manifest is not taken yet.
    Due(Box<Post>),
    On(Box<Watch>),
}

/// What came of an action, and what is told before it: what was found and undone, and the
/// maps of folders it touched first.
#[derive(Debug)]
pub(crate) struct Performed {
    pub(crate) result: Done,
    pub(crate) told: Vec<Event>,
}

/// What came of an action.
#[derive(Debug)]
pub(crate) enum Done {
    Ended(Outcome),
    Answered(ToolText),
    Cancelled,
    Failed(String),
    Link {
        link: RepoPath,
        target: String,
        resolved: Option<RepoPath>,
    },
}

impl Performer {
    pub(crate) fn open(
        workplace: &Workplace,
        shop: Arc<Mutex<Workshop>>,
        report: NetworkReport,
        setup: Arc<Setup>,
        jobs: Jobs,
    ) -> Result<Self, RunnerError> {
        let root = Root::open(&workplace.root).map_err(|error| RunnerError::SetUp {
            attempt: format!("open `{}`", workplace.root.display()),
            source: std::io::Error::other(chain(&error)),
        })?;
        Ok(Self {
            root,
            machine: workplace.agent.clone(),
            setup,
            map_file: Mutex::new(String::new()),
            guard: Mutex::new(None),
            seen_by_commands: Mutex::new(None),
            made: Mutex::default(),
            report,
            cage: Mutex::new(None),
            seen: Mutex::default(),
            touched: Mutex::default(),
            shop,
            own: workplace.store.folder().to_owned(),
            watch: Mutex::new(Watching::Off),
            waiting: waiting::Waiting::default(),
            jobs,
            outputs: Outputs::default(),
            store: workplace.store.clone(),
            printed: Printed::default(),
        })
    }

    /// Sets up for a session: what it hides, where it builds, and the maps it has in its first window.
    pub(crate) fn begin_session(&self, guard: &Guard, map_file: &str) {
        self.remove_empty_folders();
        // A command cannot make a folder that was opened for it and is missing.
        let bounds = guard.bounds();
        let is_folder = |folder: &&RepoPath| guard.scope().is_folder(folder);
        let folders = bounds.writable.iter().filter(is_folder);
        for folder in folders
            .chain(&bounds.build)
            .filter(|folder| !folder.is_root())
        {
            let missing = missing_folders(self.root.path(), folder);
            if self
                .root
                .host_create_folder(HostAct::WriteHostFile, folder)
                .is_ok()
            {
                lock(&self.made).extend(missing);
            }
        }
        *lock(&self.guard) = Some(guard.clone());
        *lock(&self.seen_by_commands) = None;
        *lock(&self.cage) = None;
        map_file.clone_into(&mut lock(&self.map_file));
        lock(&self.seen).clear();
        *lock(&self.touched) = BTreeSet::from([RepoPath::root()]);
    }

    /// Takes in that files are not as the agent may have seen them: it has to read them again.
    pub(crate) fn doubt(&self, differs: &[Difference]) {
        let paths = differs.iter().flat_map(|difference| &difference.paths);
        lock(&self.seen).extend(paths.map(|path| (path.clone(), Stamp::NONE)));
    }

    /// Begins to watch a new session's work tree; the first manifest is taken meanwhile.
    pub(crate) fn watch(self: &Arc<Self>, guard: &Guard, opened: &SessionOpened) {
        *lock(&self.watch) = Watching::Due(Box::new(self.post(guard, opened)));
        let performer = Arc::clone(self);
        // Whatever goes wrong here goes wrong again, and is told, before the first action.
        drop(tokio::task::spawn_blocking(move || {
            let _ = performer.with_watch(|_, _| Ok(Vec::new()));
        }));
    }

    /// Goes on watching a session that another process left, and undoes what it had no time for.
    pub(crate) fn watch_again(
        &self,
        guard: &Guard,
        opened: &SessionOpened,
    ) -> Result<Vec<Event>, String> {
        let (watch, events) = Watch::recover(self.post(guard, opened), &self.root)?;
        *lock(&self.watch) = Watching::On(Box::new(watch));
        Ok(events)
    }

    fn post(&self, guard: &Guard, opened: &SessionOpened) -> Post {
        let log = self.store.log_path(opened.session);
        self.outputs.open(log.with_file_name("tools"));
        Post {
            guard: guard.clone(),
            level: opened.level,
            session: opened.session,
            start_tree: opened.start_tree.clone(),
            shop: Arc::clone(&self.shop),
            own: self.own.clone(),
        }
    }

    /// Takes in that the harness has written a file of the work tree.
    pub(crate) fn wrote(&self, path: &RepoPath) {
        if let Watching::On(watch) = &mut *lock(&self.watch) {
            watch.wrote(&self.root, path);
        }
    }

    /// Takes in that the harness has changed files all over the work tree.
    pub(crate) fn wrote_many(&self) {
        if let Watching::On(watch) = &mut *lock(&self.watch) {
            watch.wrote_many();
        }
    }

    /// Looks at the work tree before something runs in it. Blocks.
    pub(crate) fn before_command(&self) -> Result<Vec<Event>, String> {
        self.with_watch(|watch, root| {
            if self.setup.take_worked() {
                // What a step made is nobody's stray.
                watch.wrote_many();
            }
            let events = watch.before_command(root)?;
            if watch.take_new_closed() {
                // The next cage closes and hides it too.
                *lock(&self.seen_by_commands) = None;
            }
            Ok(events)
        })
    }

    /// Looks at what ran in the work tree has changed, and undoes what it may not. Blocks.
    pub(crate) fn after_command(&self) -> Result<Vec<Event>, String> {
        self.with_watch(Watch::after_command)
    }

    /// Does something with the watch, which is set up first where that is due.
    fn with_watch(
        &self,
        work: impl FnOnce(&mut Watch, &Root) -> Result<Vec<Event>, String>,
    ) -> Result<Vec<Event>, String> {
        let mut watching = lock(&self.watch);
        if let Watching::Due(post) = &*watching {
            let watch = Watch::begin((**post).clone(), &self.root)?;
            *watching = Watching::On(Box::new(watch));
        }
        match &mut *watching {
            Watching::On(watch) => work(watch, &self.root),
            Watching::Off | Watching::Due(_) => Ok(Vec::new()),
        }
    }

    /// Removes folders again that were made for commands and that nobody put anything into.
    fn remove_empty_folders(&self) {
        for folder in lock(&self.made).drain(..) {
            // It fails for every folder that is not empty.
            let _ = fs::remove_dir(self.root.path().join(folder.as_path()));
        }
    }

    /// Goes on with other rules: the machine is looked at anew, and the open cage is given up.
    pub(crate) fn amend(&self, guard: &Guard) {
        *lock(&self.guard) = Some(guard.clone());
        *lock(&self.seen_by_commands) = None;
        *lock(&self.cage) = None;
        match &mut *lock(&self.watch) {
            Watching::On(watch) => watch.amend(guard),
            Watching::Due(post) => post.guard = guard.clone(),
            Watching::Off => {}
        }
    }

    pub(crate) const fn root(&self) -> &Root {
        &self.root
    }

    /// Does one action.
    pub(crate) async fn perform(
        self: &Arc<Self>,
        call: CallId,
        permit: Permit,
        cancelled: Cancelled,
    ) -> Performed {
        let touched = touched_by(permit.action());
        let is_command = matches!(permit.action(), Action::Run { .. });
        let mut told = Vec::new();
        let result = if permit.action().is_job() {
            self.start_job(call, &permit, cancelled, &mut told).await
        } else if is_command {
            self.run_watched(call, &permit, cancelled, &mut told).await
        } else {
            let performer = Arc::clone(self);
            let done = tokio::task::spawn_blocking(move || performer.touch_files(&permit)).await;
            done.unwrap_or_else(|error| Done::Failed(format!("the action was cut short: {error}")))
        };
        if matches!(result, Done::Ended(_)) {
            told.extend(touched.iter().flat_map(|path| self.new_maps(path)));
        }
        self.look_meanwhile(result, told).await
    }

    /// Makes the work tree ready for a command and looks at it; what stands in the way is the end of the call.
    async fn before_running(
        self: &Arc<Self>,
        cancelled: Cancelled,
        told: &mut Vec<Event>,
    ) -> Result<(), Done> {
        self.prepare(cancelled).await.map_err(|halt| match halt {
            Halt::Cancelled => Done::Cancelled,
            Halt::Failed(message) => Done::Failed(message),
        })?;
        let events = self.look(Self::before_command).await;
        told.extend(events.map_err(Done::Failed)?);
        Ok(())
    }

    /// Runs a command between two looks at the work tree.
    async fn run_watched(
        self: &Arc<Self>,
        call: CallId,
        permit: &Permit,
        cancelled: Cancelled,
        told: &mut Vec<Event>,
    ) -> Done {
        if let Err(done) = self.before_running(cancelled.clone(), told).await {
            return done;
        }
        let done = self.run(call, permit, cancelled).await;
        match self.look(Self::after_command).await {
            Ok(events) => told.extend(events),
            Err(message) => return Done::Failed(message),
        }
        self.look_around();
        done
    }

    /// Looks at the work tree on a thread that may block, while no job changes it.
    pub(crate) async fn look(
        self: &Arc<Self>,
        look: impl FnOnce(&Self) -> Result<Vec<Event>, String> + Send + 'static,
    ) -> Result<Vec<Event>, String> {
        let _held = self.jobs.hold().await;
        self.look_now(look).await
    }

    async fn look_now(
        self: &Arc<Self>,
        look: impl FnOnce(&Self) -> Result<Vec<Event>, String> + Send + 'static,
    ) -> Result<Vec<Event>, String> {
        let performer = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || look(&performer)).await;
        looked.map_err(|error| format!("looking at the repository was cut short: {error}"))?
    }

    fn touch_files(&self, permit: &Permit) -> Done {
        let done = match permit.action() {
            Action::Read { path, lines } => self.read(permit, path, *lines),
            Action::List { .. } => self.list(&self.root, permit),
            Action::Search { .. } => self.search(&self.root, permit),
            Action::Write { path, content } => self.write(permit, path, content),
            Action::Edit { path, .. } => self.edit(permit, path),
            Action::Move { path, to } => self.move_file(permit, path, to),
            Action::Delete { path } => self.delete(permit, path),
            Action::Run { .. } => return Done::Failed("a command is no file action".to_owned()),
        };
        done.map_or_else(|error| undone(permit.action(), error), Done::Ended)
    }

    fn read(
        &self,
        permit: &Permit,
        path: &RepoPath,
        lines: Option<LineRange>,
    ) -> Result<Outcome, DiskError> {
        let (outcome, stamp) = self.content(&self.root, permit, lines)?;
        lock(&self.seen).insert(path.clone(), stamp);
        Ok(outcome)
    }

    fn list(&self, root: &Root, permit: &Permit) -> Result<Outcome, DiskError> {
        let kept = self.outputs.root_of(permit.action().path());
        let root = kept.as_deref().unwrap_or(root);
        let listing = root.list(permit, &|path| self.is_hidden(path), ENTRIES_MAX)?;
        Ok(files::listed(&listing))
    }

    fn search(&self, root: &Root, permit: &Permit) -> Result<Outcome, DiskError> {
        let kept = self.outputs.root_of(permit.action().path());
        let root = kept.as_deref().unwrap_or(root);
        let found = root.search(
            permit,
            &|path| self.is_hidden(path),
            SearchLimits::default(),
        )?;
        Ok(files::found(permit.action(), &found))
    }

    fn write(&self, permit: &Permit, path: &RepoPath, content: &str) -> Result<Outcome, DiskError> {
        let old = match self.root.read_file(permit, FILE_MAX) {
            Ok(file) => Some(file),
            Err(DiskError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let expected = match &old {
            Some(file) => Expected::Unchanged(self.last_seen(path).unwrap_or(file.stamp)),
            None => Expected::Absent,
        };
        let stamp = self.write_watched(permit, path, content.as_bytes(), expected)?;
        lock(&self.seen).insert(path.clone(), stamp);
        let (added, removed) = harness_tool::write_counts(
            old.as_ref().map(|file| file.bytes.as_slice()),
            content.as_bytes(),
        );
        Ok(Outcome::Written {
            created: old.is_none(),
            added,
            removed,
            inexact: None,
        })
    }

    fn edit(&self, permit: &Permit, path: &RepoPath) -> Result<Outcome, DiskError> {
        let file = self.root.read_file(permit, FILE_MAX)?;
        if self.last_seen(path).is_some_and(|seen| seen != file.stamp) {
            return Err(DiskError::Stale { path: path.clone() });
        }
        match edit::apply_all(&file.bytes, permit.action().replacements()) {
            Err(fault) => Ok(Outcome::Refused {
                message: fault.to_string(),
            }),
            Ok(Edited {
                bytes,
                inexact,
                added,
                removed,
            }) => {
                let expected = Expected::Unchanged(file.stamp);
                let stamp = self.write_watched(permit, path, &bytes, expected)?;
                lock(&self.seen).insert(path.clone(), stamp);
                Ok(Outcome::Written {
                    created: false,
                    added,
                    removed,
                    inexact,
                })
            }
        }
    }

    /// Writes a file and takes that in: it is no stray, and no person's.
    fn write_watched(
        &self,
        permit: &Permit,
        path: &RepoPath,
        bytes: &[u8],
        expected: Expected,
    ) -> Result<Stamp, DiskError> {
        self.begin_watch(path)?;
        let stamp = self.root.write_file(permit, bytes, expected)?;
        self.wrote(path);
        Ok(stamp)
    }

    /// Sees that setup steps have run on the work tree; how they fail is told by themselves.
    pub(crate) async fn set_up(&self, cancelled: Cancelled) {
        // A cancelled step is run before the next command.
        let _ = self.prepare(cancelled).await;
    }

    /// Sees that setup steps have run on the work tree.
    async fn prepare(&self, cancelled: Cancelled) -> Result<(), Halt> {
        let guard = lock(&self.guard).clone();
        let Some(guard) = guard else {
            return Ok(());
        };
        self.setup.prepare_work_tree(&guard, cancelled).await
    }

    /// Makes what a command needs, as it is to be now: what it is held to, and what it runs in.
    async fn ready(self: &Arc<Self>, permit: &Permit) -> Result<Ready, String> {
        let machine = self.machine().await?;
        let (Action::Run { command, .. }, Some(plan)) =
            (permit.action(), CagePlan::for_permit(permit, &machine))
        else {
            return Err("the permit is for no command".to_owned());
        };
        let cage = self.cage(&plan).await.map_err(|error| chain(&error))?;
        Ok(Ready {
            argv: ["sh", "-c", command].map(OsString::from),
            plan,
            cage,
        })
    }

    async fn run(self: &Arc<Self>, call: CallId, permit: &Permit, cancelled: Cancelled) -> Done {
        let Ready { plan, argv, cage } = match self.ready(permit).await {
            Ok(ready) => ready,
            Err(message) => return Done::Failed(message),
        };
        let limits = RunLimits::of(&permit.bounds().limits);
        let on_output = self.printed.of(call);
        match cage.run(&plan, &argv, &limits, on_output, cancelled).await {
            Ok(exited) if exited.stop == Stop::Cancelled => Done::Cancelled,
            Ok(exited) => Done::Ended(Outcome::Exited {
                kept: self.outputs.keep_long(call, &exited.output),
                output: with_masked(&exited.stop, exited.output, &plan),
                stop: exited.stop,
            }),
            Err(error) => Done::Failed(chain(&error)),
        }
    }

    /// Returns where it is told what commands print.
    pub(crate) const fn printed(&self) -> &Printed {
        &self.printed
    }

    /// Returns the machine as the session's commands see it.
    async fn machine(&self) -> Result<Machine, String> {
        let known = lock(&self.seen_by_commands).clone();
        if let Some(machine) = known {
            return Ok(machine);
        }
        let guard = lock(&self.guard).clone().ok_or(super::NO_SESSION)?;
        let machine = with_closed(&self.machine, &guard).await?;
        let (at_home, reach) = (machine.clone(), Reach::of(&guard.bounds().network));
        let filled = tokio::task::spawn_blocking(move || fill_agent_home(&at_home, reach)).await;
        filled.map_err(|error| format!("filling the agent's home was cut short: {error}"))?;
        Ok(lock(&self.seen_by_commands).insert(machine).clone())
    }

    /// Returns the open cage, or opens another where it does not fit any more.
    async fn cage(&self, plan: &CagePlan) -> Result<Arc<Cage>, SpawnError> {
        let open = lock(&self.cage).clone().filter(|cage| cage.fits(plan));
        if let Some(cage) = open {
            return Ok(cage);
        }
        let cage = Arc::new(Cage::open(plan, self.report.clone()).await?);
        *lock(&self.cage) = Some(Arc::clone(&cage));
        Ok(cage)
    }

    fn last_seen(&self, path: &RepoPath) -> Option<Stamp> {
        lock(&self.seen).get(path).copied()
    }

    fn is_hidden(&self, path: &RepoPath) -> bool {
        lock(&self.guard)
            .as_ref()
            .is_some_and(|guard| guard.scope().is_hidden(path))
    }

    /// Returns the maps of folders that `path` lies in and that were not touched before.
    fn new_maps(&self, path: &RepoPath) -> Vec<Event> {
        let map_file = lock(&self.map_file).clone();
        let mut maps = Vec::new();
        let mut folder = Some(path.clone());
        while let Some(current) = folder {
            folder = current.parent();
            if !map_file.is_empty() && lock(&self.touched).insert(current.clone()) {
                maps.extend(self.map_of(&map_file, &current));
            }
        }
        maps.reverse();
        maps
    }

    fn map_of(&self, map_file: &str, folder: &RepoPath) -> Option<Event> {
        let guard = lock(&self.guard).clone()?;
        let found = maps::of_folder(&self.root, &guard, map_file, folder, maps::NESTED_MAX)?;
        Some(match found {
            MapFound::Text { path, text } => Event::DocumentLoaded {
                path,
                tokens: TokenCount::estimate(&text),
                text: Some(text),
                problem: None,
            },
            MapFound::Problem { path, problem } => Event::DocumentLoaded {
                path,
                tokens: TokenCount(0),
                text: None,
                problem: Some(problem),
            },
        })
    }
}

impl Drop for Performer {
    fn drop(&mut self) {
        self.remove_empty_folders();
    }
}

/// Returns the paths of which the maps above are told: what an action names, and where it moves that.
fn touched_by(action: &Action) -> Vec<RepoPath> {
    let to = match action {
        Action::Move { to, .. } => Some(to.clone()),
        _ => None,
    };
    [action.path().clone()].into_iter().chain(to).collect()
}

/// Returns which of a folder and the folders it lies in are missing, innermost first.
fn missing_folders(root: &Path, folder: &RepoPath) -> Vec<RepoPath> {
    std::iter::successors(Some(folder.clone()), RepoPath::parent)
        .take_while(|folder| fs::symlink_metadata(root.join(folder.as_path())).is_err())
        .collect()
}

/// Says where a program is that a command did not find because it is masked.
fn with_masked(stop: &Stop, mut output: Captured, plan: &CagePlan) -> Captured {
    if *stop != Stop::Exited(127) {
        return output;
    }
    let text = output.to_text();
    let name = missing_program(&text);
    if let Some(said) = name.and_then(|name| masked_program(plan.readable(), name)) {
        let end = if output.tail.is_empty() {
            &mut output.head
        } else {
            &mut output.tail
        };
        if !end.ends_with('\n') {
            end.push('\n');
        }
        end.push_str(&format!("harness: {said}\n"));
    }
    output
}

/// A link goes back to the guard; everything else is an answer the agent can act on.
fn undone(action: &Action, error: DiskError) -> Done {
    // A name is moved or deleted where it stands: what a link leads to is not meant.
    let is_followed = !matches!(action, Action::Move { .. } | Action::Delete { .. });
    match error {
        DiskError::IsLink {
            link,
            target,
            resolved,
        } if is_followed => Done::Link {
            link,
            target: String::from_utf8_lossy(&target).into_owned(),
            resolved,
        },
        error @ DiskError::NotPermitted { .. } => Done::Failed(chain(&error)),
        error => Done::Ended(Outcome::Refused {
            message: files::refusal(action, &error),
        }),
    }
}
