//! Which two states a review compares, and the change between them.

use harness_core::{
    CheckpointNumber, FeatureId, RepoPath, RunId, SessionId, SessionOpened, TreeId,
};
use harness_git::{
    FileChange as TreeChange, FileKind, FileState, Looked, Repo, WorkContent, WorkFile,
};
use harness_review::{Base, Change, Content, FILES_MAX, FileChange, Side, TEXT_BYTES_MAX};
use harness_store::{ReviewKey, Store};

use crate::{
    cmd::{reach::Reach, runs},
    compose::Site,
    failure::{Failure, chain},
};

/// The most bytes of both sides that one change keeps; of later files only the size is told.
const KEPT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What somebody wants to review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// What was reviewed last of the newest run; without a run what is not committed.
    Usual,
    /// What a base says.
    Base {
        /// The base.
        base: Base,
        /// The session whose checkpoints are meant; the newest when absent.
        session: Option<SessionId>,
    },
}

/// Two states, and the book that belongs to their difference.
#[derive(Debug)]
pub(crate) struct Source {
    /// What the book is kept under.
    pub(crate) key: ReviewKey,
    /// What the change is seen against.
    pub(crate) base: Base,
    /// What is reviewed, for people.
    pub(crate) title: String,
    /// The two states, for people.
    pub(crate) words: String,
    /// The run whose change it is.
    pub(crate) run: Option<RunId>,
    /// The session whose proof belongs to it, and whose checkpoints go on from it.
    pub(crate) session: Option<SessionId>,
    old: TreeId,
    how: Looked,
    /// The later state; the work tree when absent.
    new: Option<TreeId>,
    /// What the run can have changed; everything when empty.
    openings: Vec<SessionOpened>,
}

impl Source {
    /// Finds what is asked for.
    pub(crate) fn find(site: &Site, store: Option<&Store>, asked: &Asked) -> Result<Self, Failure> {
        match asked {
            Asked::Usual => {
                let latest = store.map(|store| runs::latest_session(site, store));
                match (store, latest.transpose()?.flatten()) {
                    (Some(store), Some(session)) => Self::of_run(site, store, session),
                    _ => Self::of_range(site, "HEAD.."),
                }
            }
            Asked::Base {
                base: Base::Range { text },
                ..
            } => Self::of_range(site, text),
            Asked::Base { base, session } => {
                let no_run = || {
                    Failure::usage("there is no session in this work tree")
                        .hint("harness review BASE..")
                };
                let store = store.ok_or_else(no_run)?;
                let named = session.map(|session| session.to_string());
                let session = match base {
                    Base::Session { session } => {
                        runs::session(site, store, Some(&session.to_string()))?
                    }
                    _ => runs::session(site, store, named.as_deref())?,
                };
                Self::of_base(site, store, base, session)
            }
        }
    }

    /// Returns what was reviewed last of a run, or the feature of its newest session.
    fn of_run(site: &Site, store: &Store, session: SessionId) -> Result<Self, Failure> {
        let Some(opened) = runs::began(store, session)? else {
            return Self::of_range(site, "HEAD..");
        };
        let key = ReviewKey::of_run(opened.run.run);
        let kept = super::desk::read(store, &key)?.map(|book| book.base);
        let feature = Base::Feature {
            feature: opened.feature.clone(),
        };
        match kept {
            Some(Base::Range { text }) => {
                let mut source = Self::of_range(site, &text)?;
                (source.key, source.run) = (key, Some(opened.run.run));
                Ok(source)
            }
            // What was chosen once may be gone since.
            Some(base) => Self::of_base(site, store, &base, session)
                .or_else(|_| Self::of_base(site, store, &feature, session)),
            None => Self::of_base(site, store, &feature, session),
        }
    }

    fn of_base(
        site: &Site,
        store: &Store,
        base: &Base,
        session: SessionId,
    ) -> Result<Self, Failure> {
        let opened = runs::opening(store, session)?;
        let run = opened.run.run;
        let latest = runs::latest_session(site, store)?;
        let found = match base {
            Base::Range { text } => return Self::of_range(site, text),
            Base::LastCheckpoint => checkpoint(site, session, None)?,
            Base::Checkpoint { number } => checkpoint(site, session, Some(*number))?,
            Base::Session { session } => Found {
                old: opened.start_tree.clone(),
                new: until(site, *session, latest)?,
                words: format!(
                    "the start of {session} → {}",
                    now(Some(*session) == latest, *session)
                ),
                session: *session,
                openings: vec![opened.clone()],
            },
            Base::Feature { feature } => of_feature(site, store, feature, &opened, latest)?,
        };
        let opened = found.openings.last().unwrap_or(&opened);
        let mut features = opened.run.features.iter();
        let feature = features.find(|feature| feature.id == opened.feature);
        let title = feature.map_or_else(
            || opened.feature.to_string(),
            |feature| format!("{} {}", feature.id, feature.title),
        );
        Ok(Self {
            key: ReviewKey::of_run(opened.run.run),
            base: base.clone(),
            title,
            words: found.words,
            run: Some(run),
            session: Some(found.session),
            old: found.old,
            how: Looked::Raw,
            new: found.new,
            openings: found.openings,
        })
    }

    /// Iterates over the sessions that made the change, in their order.
    pub(super) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.openings.iter().map(|opened| opened.session)
    }

    /// Compares commits, or a commit with the work tree: `A..B`, `A..`, `A...B`, `A...` or `A`.
    fn of_range(site: &Site, text: &str) -> Result<Self, Failure> {
        let range = Range::parse(text)?;
        let repo = &site.repo;
        let commit = |name: &str| {
            let name = if name.is_empty() { "HEAD" } else { name };
            repo.resolve(name).map_err(|error| {
                Failure::usage(chain(&error))
                    .hint("name a branch, a tag or a commit, as in `harness review main..`")
            })
        };
        let head = site.head().map(|head| head.commit);
        let mut old = commit(range.base)?;
        let new = range.head.map(commit).transpose()?;
        if range.in_common {
            let other = match &new {
                Some(new) => new.clone(),
                None => head?,
            };
            old = repo.merge_base(&old, &other)?.ok_or_else(|| {
                Failure::usage(format!(
                    "`{}` has no commit in common with the other side",
                    range.base
                ))
            })?;
        }
        Ok(Self {
            key: ReviewKey::of_range(text),
            base: Base::Range {
                text: text.to_owned(),
            },
            title: text.to_owned(),
            words: format!(
                "{} → {}",
                old.short(),
                range.head.filter(|name| !name.is_empty()).unwrap_or("now")
            ),
            run: None,
            session: None,
            old: repo.tree_of(&old)?,
            how: Looked::Stored,
            new: new.map(|new| repo.tree_of(&new)).transpose()?,
            openings: Vec::new(),
        })
    }

    /// Returns the feature that the newest of its sessions worked on.
    pub(crate) fn feature(&self) -> Option<FeatureId> {
        self.openings.last().map(|opened| opened.feature.clone())
    }

    /// Whether the later state is the work tree as it is.
    pub(crate) const fn is_now(&self) -> bool {
        self.new.is_none()
    }

    /// Returns the earlier state.
    pub(crate) const fn old(&self) -> &TreeId {
        &self.old
    }

    /// Compares the two states; nothing is written.
    pub(crate) fn change(&self, site: &Site) -> Result<Change, Failure> {
        let reach = Reach::of(site, &self.openings)?;
        let is_meant = |path: &RepoPath| {
            self.openings.is_empty() || reach.has(path) && !reach.is_host_owned(path)
        };
        let mut sides = Sides {
            repo: &site.repo,
            room: KEPT_BYTES_MAX,
            files: 0,
        };
        let mut files = Vec::new();
        match &self.new {
            Some(new) => {
                let changes = site.repo.file_changes(&self.old, new)?.into_iter();
                for TreeChange { path, old, new } in changes.filter(|change| is_meant(&change.path))
                {
                    sides.files += 1;
                    let (old, new) = (sides.of_tree(old.as_ref())?, sides.of_tree(new.as_ref())?);
                    files.push(FileChange::new(path, old, new));
                }
            }
            None => {
                let found = site.repo.look(&self.old, self.how, TEXT_BYTES_MAX as u64)?;
                for change in found.into_iter().filter(|change| is_meant(&change.path)) {
                    sides.files += 1;
                    let old = sides.of_tree(change.old.as_ref())?;
                    let new = sides.of_work(change.new);
                    files.push(FileChange::new(change.path, old, new));
                }
            }
        }
        Ok(Change::with_renames(files))
    }

    /// Whether files that the run can change differ from a tree.
    pub(crate) fn differs_from(&self, site: &Site, tree: &TreeId) -> Result<bool, Failure> {
        let reach = Reach::of(site, &self.openings)?;
        let is_meant = |path: &RepoPath| reach.has(path) && !reach.is_host_owned(path);
        let differing = match &self.new {
            Some(new) => {
                let changes = site.repo.diff(tree, new)?;
                changes.iter().any(|change| is_meant(&change.path))
            }
            None => {
                let found = site.repo.look(tree, self.how, 0)?;
                found.iter().any(|change| is_meant(&change.path))
            }
        };
        Ok(differing)
    }
}

/// Two states of a session.
struct Found {
    old: TreeId,
    new: Option<TreeId>,
    words: String,
    session: SessionId,
    openings: Vec<SessionOpened>,
}

/// Finds the states before and after a checkpoint; without a number from before the last one to now.
fn checkpoint(
    site: &Site,
    session: SessionId,
    number: Option<CheckpointNumber>,
) -> Result<Found, Failure> {
    let store = site.store()?;
    let hint = format!("harness checkpoint list {session}");
    let whole = site.repo.checkpoints(session)?.whole;
    let last = whole.last().map(|entry| entry.number);
    let Some(wanted) = number.or(last) else {
        return Err(Failure::usage(format!(
            "session `{session}` has no checkpoint that is whole"
        ))
        .hint(hint));
    };
    let Some(entry) = whole.iter().find(|entry| entry.number == wanted) else {
        let message = format!("there is no checkpoint {wanted} in session `{session}`");
        return Err(Failure::usage(message).hint(hint));
    };
    let before = whole.iter().rev().find(|entry| entry.number < wanted);
    let before = match (before, number) {
        (Some(before), _) => before,
        (None, None) => entry,
        (None, Some(_)) => {
            let message =
                format!("nothing stands before checkpoint {wanted} of session `{session}`");
            return Err(Failure::usage(message).hint(hint));
        }
    };
    Ok(Found {
        old: before.tree.clone(),
        new: number.map(|_| entry.tree.clone()),
        words: format!(
            "checkpoint {} → {}",
            before.number,
            number.map_or_else(|| "now".to_owned(), |number| number.to_string())
        ),
        session,
        openings: vec![runs::opening(&store, session)?],
    })
}

/// Finds the states around the work on a feature: in the session's run, else in the newest that had it.
fn of_feature(
    site: &Site,
    store: &Store,
    feature: &FeatureId,
    opened: &SessionOpened,
    latest: Option<SessionId>,
) -> Result<Found, Failure> {
    let mut all = runs::openings(store, opened.run.run)?;
    if !all.iter().any(|opened| opened.feature == *feature) {
        for run in runs::newest_first(site, store)? {
            all = runs::openings(store, run)?;
            if all.iter().any(|opened| opened.feature == *feature) {
                break;
            }
        }
    }
    let of_it: Vec<SessionOpened> = all
        .into_iter()
        .filter(|opened| opened.feature == *feature)
        .collect();
    let (Some(first), Some(last)) = (of_it.first(), of_it.last()) else {
        return Err(Failure::usage(format!("no run has worked on `{feature}`"))
            .hint("harness feature list"));
    };
    let old = first.run.work_start.as_ref().unwrap_or(&first.start_tree);
    let session = last.session;
    Ok(Found {
        old: old.clone(),
        new: until(site, session, latest)?,
        words: format!(
            "the start of {feature} → {}",
            now(Some(session) == latest, session)
        ),
        session,
        openings: of_it,
    })
}

/// Returns what a session left; `None` for the work tree where no other came after it.
fn until(
    site: &Site,
    session: SessionId,
    latest: Option<SessionId>,
) -> Result<Option<TreeId>, Failure> {
    if latest == Some(session) {
        return Ok(None);
    }
    let whole = site.repo.checkpoints(session)?.whole;
    let last = whole.into_iter().next_back();
    let last = last.ok_or_else(|| {
        Failure::usage(format!(
            "session `{session}` has no checkpoint that is whole"
        ))
    })?;
    Ok(Some(last.tree))
}

fn now(is_latest: bool, session: SessionId) -> String {
    if is_latest {
        "now".to_owned()
    } else {
        format!("the end of {session}")
    }
}

/// A range as it is typed.
#[derive(Debug, PartialEq, Eq)]
struct Range<'a> {
    base: &'a str,
    /// The work tree when absent.
    head: Option<&'a str>,
    /// Whether it begins at what both have in common.
    in_common: bool,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Result<Self, Failure> {
        let (base, head, in_common) = match (text.split_once("..."), text.split_once("..")) {
            (Some((base, head)), _) => (base, head, true),
            (None, Some((base, head))) => (base, head, false),
            (None, None) => (text, "", false),
        };
        let is_clear =
            |name: &str| !name.starts_with('-') && !name.contains("..") && !name.starts_with('.');
        if !is_clear(base) || !is_clear(head) || base.is_empty() && head.is_empty() {
            return Err(Failure::usage(format!("`{text}` is no range of commits"))
                .hint("`harness review main..` compares with the files as they are, `main..topic` two commits"));
        }
        Ok(Self {
            base,
            head: (!head.is_empty()).then_some(head),
            in_common,
        })
    }
}

/// Reads the sides of files, until there is no room for more.
struct Sides<'a> {
    repo: &'a Repo,
    room: usize,
    files: usize,
}

impl Sides<'_> {
    fn of_tree(&mut self, state: Option<&FileState>) -> Result<Side, Failure> {
        let Some(state) = state else {
            return Ok(Side::Absent);
        };
        if state.kind == FileKind::Module {
            return Ok(Side::Gitlink {
                commit: state.blob.to_string(),
            });
        }
        let size = self.repo.size_of(state)?;
        let most = self.room.min(TEXT_BYTES_MAX);
        let is_shown = self.files <= FILES_MAX && size <= most as u64;
        let bytes = if is_shown {
            self.repo.content(state, most as u64)?
        } else {
            None
        };
        Ok(match bytes {
            Some(bytes) => self.of_bytes(state.kind, bytes),
            None => Side::File {
                executable: state.kind == FileKind::Executable,
                content: Content::TooLarge {
                    bytes: size,
                    id: state.blob.to_string(),
                },
            },
        })
    }

    fn of_work(&mut self, file: Option<WorkFile>) -> Side {
        let Some(file) = file else {
            return Side::Absent;
        };
        match file.content {
            WorkContent::Bytes(bytes) => self.of_bytes(file.kind, bytes),
            WorkContent::TooLarge { bytes, id } => Side::File {
                executable: file.kind == FileKind::Executable,
                content: Content::TooLarge { bytes, id },
            },
        }
    }

    fn of_bytes(&mut self, kind: FileKind, bytes: Vec<u8>) -> Side {
        self.room = self.room.saturating_sub(bytes.len());
        match kind {
            FileKind::Link => Side::Link { target: bytes },
            kind => Side::of_file(&bytes, kind == FileKind::Executable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_git_reads_it() {
        let check = |text, base, head, in_common| {
            let expected = Range {
                base,
                head,
                in_common,
            };
            assert_eq!(Range::parse(text).unwrap(), expected, "{text}");
        };
        check("main..", "main", None, false);
        check("main", "main", None, false);
        check("v1.2..topic", "v1.2", Some("topic"), false);
        check("main...", "main", None, true);
        check("..topic", "", Some("topic"), false);
        for text in ["", "..", "...", "a....b", "-x..", "a..b..c"] {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }
}
