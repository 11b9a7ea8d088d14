//! What the cage could not prevent, found after every command and taken back.
//!
//! A manifest of the whole repository is taken before the first action of a
//! session and again before and after each command. What changed while nothing of
//! the run was active is a person's; what changed meanwhile is judged by the guard.
//! Strays are undone at once, their bytes kept, and each is an event. What the
//! harness writes itself is taken in without a word.
//!
//! Blocks; called on threads that may.

mod ignored;
mod kept;
mod packed;
mod reach;
mod shared;
mod undo;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use harness_core::{BlobId, ByteCount, Event, Level, RepoPath, SessionId, Timestamp, TreeId};
use harness_guard::{Attributes, Content, Difference, FileKind, Guard, Judgement, Stray};
use harness_host::{disk::Root, manifest::Manifest};

pub use self::ignored::restore_ignored;
use self::{
    kept::{KEPT_MAX, Kept, Source},
    reach::Whole,
    undo::Undo,
};
use super::{chain, lock, shop::Workshop};

/// Paths of somebody else's changes that an event names.
const NAMED_MAX: usize = 20;
/// Strays of one command that are told one by one.
const TOLD_MAX: usize = 50;
/// How often is looked again whether everything is undone.
const ROUNDS_MAX: usize = 3;
/// The largest file of git's own that is hashed to recognise it.
const HASHED_MAX: u64 = 1024 * 1024;
/// A time this long before or after a command can still be that of a save. Unit: seconds.
const CLOCK_SLACK: i64 = 2;

/// What a watch is set up with.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) guard: Guard,
    pub(super) level: Level,
    pub(super) session: SessionId,
    pub(super) start_tree: TreeId,
    pub(super) shop: Arc<Mutex<Workshop>>,
    /// The harness's own folder in the common git directory.
    pub(super) own: PathBuf,
}

/// Watches one session's work tree.
#[derive(Debug)]
pub(super) struct Watch {
    post: Post,
    manifest: Manifest,
    kept: Kept,
    /// Commands and gates that run in the work tree now.
    active: usize,
    /// When the first of them began.
    since: Timestamp,
    /// Whether the harness itself changed files since the last look.
    own_changes: bool,
    /// Whether something has come that the scope does not open.
    has_new_closed: bool,
    /// Bytes in quarantine so far.
    quarantined: u64,
    /// What is to be told before the next command.
    pending: Vec<Event>,
    whole: Whole,
    /// Files that have a name in the scope and others elsewhere, by device and number.
    shared: HashSet<(u64, u64)>,
}

impl Watch {
    /// Takes the first manifest and keeps what could be damaged.
    ///
    /// What could not be kept or looked at is told before the first command.
    pub(super) fn begin(post: Post, root: &Root) -> Result<Self, String> {
        let manifest = walk(root, &post.guard)?;
        let failed =
            |error: std::io::Error| format!("cannot keep what commands could damage: {error}");
        let folder = post.own.join("kept");
        let unseen = kept::unseen(&folder, root.path()).map(|session| Event::ManifestShort {
            message: format!(
                "session `{session}` died in a command, and what that changed was not looked at; `harness resume {session}` does"
            ),
        });
        let kept = Kept::create(&folder, &post.session.to_string());
        let mut watch = Self {
            kept: kept.map_err(failed)?,
            manifest,
            active: 0,
            since: harness_host::clock::now(),
            own_changes: false,
            has_new_closed: false,
            quarantined: 0,
            pending: Vec::new(),
            whole: Whole::new(),
            shared: HashSet::new(),
            post,
        };
        let unkept = watch.keep_all(root)?;
        let short = watch.is_short();
        watch.pending = unseen.into_iter().chain(short).chain(unkept).collect();
        let guard = &watch.post.guard;
        let entries = watch.manifest.iter();
        let stored: Vec<_> = entries
            .filter(|(path, attributes)| {
                watch.kept.source(path).is_some() || is_stored(guard, path, attributes)
            })
            .collect();
        watch.kept.complete(&stored).map_err(failed)?;
        watch.looked_at_all();
        Ok(watch)
    }

    /// Takes up what another process left, and undoes what a command did that it did not look at.
    pub(super) fn recover(post: Post, root: &Root) -> Result<(Self, Vec<Event>), String> {
        let left = Kept::load(&post.own.join("kept"), &post.session.to_string());
        let left = left.map_err(|error| format!("cannot read what was kept: {error}"))?;
        let Some(left) = left else {
            return Ok((Self::begin(post, root)?, Vec::new()));
        };
        let mut watch = Self {
            manifest: Manifest::of(left.entries),
            kept: left.kept,
            active: 0,
            since: Timestamp::from_millis(0),
            own_changes: false,
            has_new_closed: false,
            quarantined: 0,
            pending: Vec::new(),
            whole: Whole::new(),
            shared: HashSet::new(),
            post,
        };
        let events = if left.in_command {
            watch.find_strays(root)?
        } else {
            watch.take_in(root, true)?
        };
        watch.mark_command(root, false)?;
        Ok((watch, events))
    }

    /// Goes on with other rules.
    pub(super) fn amend(&mut self, guard: &Guard) {
        self.post.guard = guard.clone();
    }

    /// Takes in what others changed before a command starts.
    pub(super) fn before_command(&mut self, root: &Root) -> Result<Vec<Event>, String> {
        let mut events = std::mem::take(&mut self.pending);
        if self.active == 0 {
            events.extend(match self.take_in_reach(root)? {
                Some(events) => events,
                None => self.take_in(root, false)?,
            });
            self.since = harness_host::clock::now();
            self.mark_command(root, true)?;
        }
        self.active += 1;
        Ok(events)
    }

    /// Looks at what a command changed and takes back what it may not.
    pub(super) fn after_command(&mut self, root: &Root) -> Result<Vec<Event>, String> {
        self.active = self.active.saturating_sub(1);
        let events = self.find_strays(root)?;
        if self.active == 0 {
            self.mark_command(root, false)?;
        }
        Ok(events)
    }

    /// Looks at what commands have changed so far that go on, and takes back what they may not.
    pub(super) fn meanwhile(&mut self, root: &Root) -> Result<Vec<Event>, String> {
        if self.active == 0 {
            return Ok(Vec::new());
        }
        self.find_strays(root)
    }

    /// Takes in what others changed while a person is waited for.
    pub(super) fn look_aside(&mut self, root: &Root) -> Result<Vec<Event>, String> {
        if self.active > 0 {
            return Ok(Vec::new());
        }
        self.take_in(root, false)
    }

    /// Takes in that the harness itself has written a path.
    pub(super) fn wrote(&mut self, root: &Root, path: &RepoPath) {
        self.changed_beyond();
        let mut at = Some(path.clone());
        while let Some(current) = at {
            at = current.parent();
            // What cannot be looked at shows as a difference and is judged then.
            let Ok(mut now) = root.look(&current) else {
                continue;
            };
            let old = self.manifest.at(&current).map(|old| old.modified);
            if let (Some(now), Some(Attributes::UNTOLD)) = (&mut now, old) {
                now.modified = Attributes::UNTOLD;
            }
            if now.is_some() && !self.post.guard.scope().is_writable(&current) {
                let _ = self.keep_again(root, &current, now.as_ref());
            }
            self.manifest.set(&current, now);
        }
    }

    /// Whether something has come since it was last asked that the scope does not open.
    pub(super) const fn take_new_closed(&mut self) -> bool {
        std::mem::replace(&mut self.has_new_closed, false)
    }

    /// Takes in, at the next look, whatever the harness itself has changed until then.
    pub(super) const fn wrote_many(&mut self) {
        self.own_changes = true;
    }

    /// Walks while nothing of the run is active: whatever differs is somebody else's.
    fn take_in(&mut self, root: &Root, is_resume: bool) -> Result<Vec<Event>, String> {
        let now = walk(root, &self.post.guard)?;
        let earlier = std::mem::take(&mut self.manifest);
        let others = self.note_others(root, &now, &earlier, is_resume);
        self.manifest = now;
        self.looked_at_all();
        Ok(changed_outside(others?).into_iter().collect())
    }

    /// Keeps anew what is not as it was while nothing of the run was active, and names what is
    /// worth a word.
    fn note_others(
        &mut self,
        root: &Root,
        now: &Manifest,
        earlier: &Manifest,
        is_resume: bool,
    ) -> Result<Vec<RepoPath>, String> {
        let mut others = Vec::new();
        let is_own = std::mem::take(&mut self.own_changes);
        for difference in now.differences_from(earlier) {
            let in_scope = self.post.guard.scope().is_writable(&difference.path);
            // What is in the scope is not stored, so nobody knows what was there.
            if !(is_own || is_resume && in_scope) && self.is_worth_a_word(&difference) {
                others.push(difference.path.clone());
            }
            if !in_scope {
                self.has_new_closed |= difference.new.is_some();
                self.keep_again(root, &difference.path, difference.new.as_ref())?;
            }
        }
        Ok(others)
    }

    /// Walks after a command, and undoes until nothing is left to undo.
    fn find_strays(&mut self, root: &Root) -> Result<Vec<Event>, String> {
        let mut told = Vec::new();
        let mut others = Vec::new();
        let closed_before = self.manifest.closed().to_vec();
        let mut given_up = BTreeSet::new();
        let quarantine = Undo::place(&self.post.own, self.post.session);
        let is_enough = |reach: &Vec<RepoPath>| self.is_known() && !self.shares_beyond(reach);
        let reach = self.reach(root).filter(is_enough);
        for round in 0.. {
            let now = match &reach {
                Some(reach) => self.walk_reach(root, reach)?,
                None => self.walk_again(root)?,
            };
            let mut strays = Vec::new();
            for difference in self.differences(&now, reach.as_deref()) {
                if given_up.contains(&difference.path) {
                    continue;
                }
                match self.judge(root, &difference)? {
                    Judgement::Fine => {}
                    Judgement::Persons => {
                        if self.is_worth_a_word(&difference) {
                            others.push(difference.path.clone());
                        }
                    }
                    Judgement::Stray(stray) => {
                        strays.push((difference, stray));
                        continue;
                    }
                }
                if !self.post.guard.scope().is_writable(&difference.path) {
                    self.keep_again(root, &difference.path, difference.new.as_ref())?;
                }
                self.manifest.set(&difference.path, difference.new);
                self.take_in_times(&now, difference.path.parent());
            }
            if strays.is_empty() {
                self.know(now, reach.as_deref());
                break;
            }
            if round == ROUNDS_MAX {
                told.push(Event::ManifestShort {
                    message: format!(
                        "`{}` and {} more change as fast as they are undone",
                        strays[0].0.path,
                        strays.len() - 1
                    ),
                });
                self.know(now, reach.as_deref());
                break;
            }
            let mut undo = Undo::new(self, root, &now, &quarantine);
            undo.all(&strays);
            let (events, failed) = undo.into_told();
            told.extend(events);
            given_up.extend(failed);
        }
        others.sort();
        others.dedup();
        bound(&mut told);
        told.extend(self.is_short());
        told.extend(self.newly_closed(&closed_before));
        told.extend(changed_outside(others));
        Ok(told)
    }

    /// Walks; where there is more than a manifest holds, at least what was there before is looked at.
    fn walk_again(&self, root: &Root) -> Result<Manifest, String> {
        let mut now = walk(root, &self.post.guard)?;
        if now.is_cut() {
            for (path, _) in self.manifest.iter() {
                if now.at(path).is_none() && !self.post.guard.scope().is_writable(path) {
                    let is = root.look(path).map_err(|error| chain(&error))?;
                    now.set_missed(path, is);
                }
            }
        }
        Ok(now)
    }

    /// Says which folders cannot be looked into any more; each once.
    fn newly_closed(&self, before: &[RepoPath]) -> Option<Event> {
        let is_new = |folder: &&RepoPath| !before.contains(folder);
        let mut closed = self.manifest.closed().iter().filter(is_new);
        let first = closed.next()?;
        let more = match closed.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(Event::ManifestShort {
            message: format!("`{first}`{more} cannot be looked into; changes there are not found"),
        })
    }

    /// Takes in the times of a folder in which something came or went that stays.
    fn take_in_times(&mut self, now: &Manifest, folder: Option<RepoPath>) {
        let Some(folder) = folder else {
            return;
        };
        if let (Some(now), Some(known)) = (now.at(&folder), self.manifest.at(&folder)) {
            let known = Attributes {
                modified: now.modified,
                ..known.clone()
            };
            self.manifest.set(&folder, Some(known));
        }
    }

    fn judge(&self, root: &Root, difference: &Difference) -> Result<Judgement, String> {
        let Post { guard, level, .. } = &self.post;
        let content = if guard.scope().is_writable(&difference.path) {
            Content::Changed
        } else {
            self.content(root, difference)?
        };
        Ok(guard.judge_difference(*level, difference, content))
    }

    /// Finds out whether a path holds what it held.
    fn content(&self, root: &Root, difference: &Difference) -> Result<Content, String> {
        let (Some(old), Some(new)) = (&difference.old, &difference.new) else {
            return Ok(Content::Changed);
        };
        let same = |is_same| {
            if is_same {
                Content::Same
            } else {
                Content::Changed
            }
        };
        if old.kind != new.kind || old.size != new.size {
            return Ok(Content::Changed);
        }
        match old.kind {
            FileKind::Link => return Ok(same(old.target == new.target)),
            FileKind::File => {}
            FileKind::Folder => return Ok(Content::Same),
            _ => {
                return Ok(same((old.device, old.inode) == (new.device, new.inode)));
            }
        }
        let path = &difference.path;
        let in_reach = self.post.guard.can_have_made(self.post.level, difference);
        // Nothing in the repository is read for more than what is kept of it.
        let now = root.host_read_file(path, KEPT_MAX).ok();
        if let (Some(now), Some(source)) = (&now, self.kept.source(path)) {
            return Ok(same(match source {
                Source::Kept { sha256, .. } | Source::Hash { sha256 } => {
                    now.stamp.sha256() == sha256
                }
                Source::Tree { blob } => harness_git::blob_of(&now.bytes)
                    .map_err(|error| chain(&error))
                    .is_ok_and(|id| id == *blob),
            }));
        }
        if in_reach {
            return Ok(Content::Changed);
        }
        if let Some(now) = &now
            && old.modified != new.modified
            && self.tree_holds(path, &now.bytes)
        {
            return Ok(Content::Same);
        }
        // No command can have changed the bytes. A save moves the time to the present;
        // any other time was set by hand, and setting it back loses nothing.
        let begun = i64::try_from(self.since.as_millis() / 1000).unwrap_or(0) - CLOCK_SLACK;
        let now = harness_host::clock::now().as_millis() / 1000;
        let ended = i64::try_from(now).unwrap_or(i64::MAX) + CLOCK_SLACK;
        let is_set_by_hand = !(begun..=ended).contains(&new.modified.0);
        Ok(same(old.modified == new.modified || is_set_by_hand))
    }

    fn tree_holds(&self, path: &RepoPath, bytes: &[u8]) -> bool {
        let shop = lock(&self.post.shop);
        let stored = shop
            .repo
            .read_blob(&self.post.start_tree, path, bytes.len() as u64);
        stored.is_ok_and(|stored| stored.as_deref() == Some(bytes))
    }

    /// Returns what a file held, verified; else why that is not known.
    fn former_bytes(&self, path: &RepoPath, old: &Attributes) -> Result<Vec<u8>, String> {
        let gone = || "what stood there was not kept".to_owned();
        let bytes = match self.kept.source(path) {
            Some(Source::Kept {
                offset,
                size,
                sha256,
                ..
            }) => {
                let read = self.kept.read(*offset, *size, *sha256);
                let read =
                    read.map_err(|error| format!("the kept bytes cannot be read: {error}"))?;
                read.ok_or("the kept bytes were changed")?
            }
            Some(Source::Tree { blob }) => {
                let shop = lock(&self.post.shop);
                let stored = shop
                    .repo
                    .read_blob(&self.post.start_tree, path, old.size)
                    .map_err(|error| chain(&error))?
                    .ok_or_else(gone)?;
                let id = harness_git::blob_of(&stored).map_err(|error| chain(&error))?;
                if id != *blob {
                    return Err(gone());
                }
                stored
            }
            Some(Source::Hash { .. }) | None => {
                return Err(if old.size > KEPT_MAX.0 || !self.kept.has_room(old.size) {
                    format!("what stood there was more than the {KEPT_MAX} that are kept")
                } else {
                    gone()
                });
            }
        };
        if bytes.len() as u64 != old.size {
            return Err("what was kept is not what stood there".to_owned());
        }
        Ok(bytes)
    }

    /// Whether a change that is not the run's is told: what git itself writes all the time is not.
    fn is_worth_a_word(&self, difference: &Difference) -> bool {
        let is_folder = |attributes: &Option<Attributes>| {
            attributes
                .as_ref()
                .is_none_or(|attributes| attributes.kind == FileKind::Folder)
        };
        let only_folders = is_folder(&difference.old) && is_folder(&difference.new);
        let name = difference.path.file_name().unwrap_or_default();
        !only_folders
            && !name.starts_with(b".~harness-")
            && !self.post.guard.is_git_traffic(&difference.path)
    }

    fn is_short(&self) -> Option<Event> {
        self.manifest.is_cut().then(|| Event::ManifestShort {
            message: format!(
                "the repository has more than {} entries; changes in the rest are not found",
                harness_host::manifest::ENTRIES_MAX
            ),
        })
    }

    fn mark_command(&self, root: &Root, runs: bool) -> Result<(), String> {
        self.kept
            .mark_command(root.path(), runs)
            .map_err(|error| format!("cannot note that a command runs: {error}"))
    }

    /// Keeps everything that a command could damage and that comes back from nowhere else.
    fn keep_all(&mut self, root: &Root) -> Result<Option<Event>, String> {
        let (tree, saved) = self.known_files()?;
        self.know_shared();
        let mut wanted: Vec<(bool, u64, RepoPath)> = Vec::new();
        for (path, attributes) in self.manifest.iter() {
            if attributes.kind != FileKind::File {
                continue;
            }
            let is_open = self.post.guard.scope().is_writable(path);
            let is_kept = if is_open {
                // In the scope only ignored files are in no tree.
                !tree.contains_key(path) && !saved.contains(path)
            } else {
                self.can_be_damaged(path, attributes) || is_hashed(path, attributes)
            };
            if is_kept {
                wanted.push((is_open, attributes.size, path.clone()));
            }
        }
        // First what is closed, then what is ignored; the small ones first.
        wanted.sort();
        let (mut files, mut bytes) = (0_u64, 0_u64);
        for (is_open, size, path) in wanted {
            let blob = tree.get(&path).filter(|_| !is_open);
            if !self.keep_one(root, &path, size, blob)? {
                files += 1;
                bytes += size;
            }
        }
        Ok((files > 0).then(|| Event::ManifestShort {
            message: format!(
                "what a command does to {files} {} of {} cannot be undone: only {KEPT_MAX} are kept",
                if files == 1 { "file" } else { "files" },
                ByteCount(bytes)
            ),
        }))
    }

    /// Returns the files of the tree that the session began with, and those that it has saved since.
    ///
    /// A session that is taken up, or begins with the work of another, has files of the agent that
    /// its first tree has not.
    fn known_files(&self) -> Result<(HashMap<RepoPath, BlobId>, HashSet<RepoPath>), String> {
        let shop = lock(&self.post.shop);
        let files = |tree| shop.repo.files(tree).map_err(|error| chain(&error));
        let known = shop.repo.checkpoints(self.post.session);
        let newest = known.map_err(|error| chain(&error))?.whole.pop();
        let newest = newest.map(|entry| entry.tree);
        let saved = newest.as_ref().map(files).transpose()?;
        let saved = saved.into_iter().flatten().map(|file| file.path);
        let tree = files(&self.post.start_tree)?.into_iter();
        Ok((
            tree.map(|file| (file.path, file.blob)).collect(),
            saved.collect(),
        ))
    }

    /// Keeps one file, unless a tree has it; `false` when there is no room.
    fn keep_one(
        &mut self,
        root: &Root,
        path: &RepoPath,
        size: u64,
        blob: Option<&BlobId>,
    ) -> Result<bool, String> {
        if blob.is_none() && !self.kept.has_room(size) {
            return Ok(false);
        }
        // What is gone or unreadable by now could not be damaged unseen either.
        let Ok(file) = root.host_read_file(path, KEPT_MAX) else {
            return Ok(size <= KEPT_MAX.0);
        };
        if let Some(blob) = blob
            && harness_git::blob_of(&file.bytes).is_ok_and(|id| id == *blob)
        {
            let blob = blob.clone();
            self.kept.know(path, Source::Tree { blob });
            return Ok(true);
        }
        let sha256 = *file.stamp.sha256();
        let open = self.post.guard.scope().is_writable(path);
        let now = root.look(path).ok().flatten();
        if !open && !now.is_some_and(|now| self.can_be_damaged(path, &now)) {
            self.kept.know(path, Source::Hash { sha256 });
            return Ok(true);
        }
        if !self.kept.has_room(file.bytes.len() as u64) {
            return Ok(false);
        }
        let kept = self.kept.keep(path, &file.bytes, sha256, open);
        kept.map_err(|error| format!("cannot keep `{path}`: {error}"))?;
        Ok(true)
    }

    /// Keeps what somebody else or the harness has put at a path that the scope does not open.
    fn keep_again(
        &mut self,
        root: &Root,
        path: &RepoPath,
        new: Option<&Attributes>,
    ) -> Result<(), String> {
        self.kept.forget(path);
        if let Some(new) = new.filter(|new| new.kind == FileKind::File)
            && (self.can_be_damaged(path, new) || is_hashed(path, new))
        {
            // Without room it is known that it was not kept, should it be damaged.
            self.keep_one(root, path, new.size, None)?;
        }
        self.kept
            .update(path, new)
            .map_err(|error| format!("cannot note what stands at `{path}`: {error}"))
    }
}

/// Walks everything but declared build outputs.
fn walk(root: &Root, guard: &Guard) -> Result<Manifest, String> {
    root.manifest(&|path| guard.scope().is_build_output(path))
        .map_err(|error| format!("cannot look at the repository: {}", chain(&error)))
}

/// Whether a file steers git and is small enough to be recognised by its hash.
fn is_hashed(path: &RepoPath, attributes: &Attributes) -> bool {
    let first = path.components().next();
    first.is_some_and(|first| first == b".git") && attributes.size <= HASHED_MAX
}

/// Whether a resumed session must know of an entry: all that the scope does not open, and
/// what would count against a command if it were new.
fn is_stored(guard: &Guard, path: &RepoPath, attributes: &Attributes) -> bool {
    let is_odd = match attributes.kind {
        FileKind::Folder | FileKind::Link => false,
        FileKind::File => attributes.links > 1 || attributes.mode & 0o6000 != 0,
        _ => true,
    };
    is_odd || !guard.scope().is_writable(path)
}

fn changed_outside(mut paths: Vec<RepoPath>) -> Option<Event> {
    if paths.is_empty() {
        return None;
    }
    let more = paths.len().saturating_sub(NAMED_MAX) as u64;
    paths.truncate(NAMED_MAX);
    Some(Event::ChangedOutside { paths, more })
}

/// Leaves the first strays as they are and puts the others into the last one that is told.
fn bound(told: &mut Vec<Event>) {
    if told.len() <= TOLD_MAX {
        return;
    }
    let rest = told.split_off(TOLD_MAX);
    let is_restored = |event: &Event| {
        !matches!(
            event,
            Event::StrayUndone {
                restored: false,
                ..
            }
        )
    };
    if let Some(Event::StrayUndone {
        message, restored, ..
    }) = told.last_mut()
    {
        message.push_str(&format!("; so were {} more", rest.len()));
        *restored &= rest.iter().all(is_restored);
    }
}

/// Returns the folder of what was taken away from `own`, as events name it.
fn named_from(own: &Path, folder: &Path) -> Option<String> {
    let inside = folder.strip_prefix(own.parent()?).ok()?;
    Some(inside.to_string_lossy().into_owned())
}

/// One stray and what it was.
type Found = (Difference, Stray);
