//! What a difference in the work tree is: the agent's, a person's, or a stray.
//!
//! A level prevents some writes and lets others through; what it lets through is
//! found by comparing two manifests and judged here. Only what the level could
//! not prevent is the run's: everything else that changed meanwhile is a
//! person's and is left alone.
//!
//! This looks at no disk: the host makes the manifests, the runner finds out
//! whether content is the same and undoes what is a stray.

use harness_core::{Level, RepoPath};
use serde::{Deserialize, Serialize};

use crate::{
    guard::Guard,
    scope::{Owner, Standing},
};

/// Bits that lend the owner's or the group's rights to whoever runs a file.
const LENDING_BITS: u32 = 0o6000;

/// What kind of thing stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A device, or something no system call explains.
    Device,
}

impl FileKind {
    /// Returns the word of sentences.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Link => "link",
            Self::Fifo => "named pipe",
            Self::Socket => "socket",
            Self::Device => "device",
        }
    }
}

/// What a manifest records of one path; links are not followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// What stands there.
    pub kind: FileKind,
    /// Permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The size; 0 for a folder. Unit: bytes.
    pub size: u64,
    /// When the content was changed: seconds and nanoseconds. [`Attributes::UNTOLD`]
    /// for a folder whose entries are not all in the manifest.
    pub modified: (i64, i64),
    /// When anything was changed: seconds and nanoseconds. Zero for a folder.
    pub changed: (i64, i64),
    /// The device it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// How many names it has; 1 for a folder.
    pub links: u64,
    /// Where a link leads, as stored in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Vec<u8>>,
}

impl Attributes {
    /// The time of a folder whose own time follows from what is in no manifest; no file has it.
    pub const UNTOLD: (i64, i64) = (0, -1);

    /// Whether rights, owner and times are the same.
    fn has_same_rights(&self, other: &Self) -> bool {
        (self.mode, self.uid, self.gid) == (other.mode, other.uid, other.gid)
            && (self.kind == FileKind::Link || self.modified == other.modified)
    }
}

/// A path that two manifests hold differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path.
    pub path: RepoPath,
    /// What stood there; `None` when nothing did.
    pub old: Option<Attributes>,
    /// What stands there; `None` when nothing does.
    pub new: Option<Attributes>,
    /// Every name in the manifest of a file that has several; empty for all else.
    pub names: Vec<RepoPath>,
    /// Every name that what stood there had in the earlier manifest, if several; empty for all else.
    pub former_names: Vec<RepoPath>,
}

/// Whether the bytes of a file, or the target of a link, are what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// They are.
    Same,
    /// They are not, or something else stands there, or nothing.
    Changed,
}

/// What a difference is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The agent may make it.
    Fine,
    /// The level prevents that a command makes it: it is a person's.
    Persons,
    /// A command made it and may not.
    Stray(Stray),
}

/// A change that is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Why, in one line without full stop.
    pub why: String,
    /// What takes it back.
    pub remedy: Remedy,
}

/// What takes a stray back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// What stood there is put back whole; where nothing stood, what is there goes.
    PutBack,
    /// Rights, owner and times are set to what they were; the content is left alone.
    SetRights,
    /// What is there goes.
    Remove,
    /// The bits that lend rights are cleared.
    ClearBits,
    /// The file becomes a copy of its own.
    BreakLink,
}

impl Guard {
    /// Judges what differs after a command at a level.
    ///
    /// `content` says whether what stood at the path and what stands there now
    /// hold the same; it counts only where both are there.
    pub fn judge_difference(
        &self,
        level: Level,
        difference: &Difference,
        content: Content,
    ) -> Judgement {
        let standing = self.scope().standing(&difference.path);
        if let Standing::Writable(_) | Standing::Unreadable(_) = standing {
            return self.judge_in_scope(difference);
        }
        let why = || standing.why(self.scope());
        match self.reaches(level, difference) {
            Reach::Content if self.is_way(difference, &standing) => Judgement::Fine,
            Reach::Content => judge_closed(difference, content, why),
            Reach::Nothing if level == Level::Namespaces && self.is_new_beside(difference) => {
                judge_closed(difference, content, why)
            }
            Reach::Rights => judge_out_of_reach(difference, content, why),
            Reach::Nothing => Judgement::Persons,
        }
    }

    /// Whether something is new beside a file that the scope names: the folder of such a file is
    /// open, and only what stood in it when the cage was built is closed.
    fn is_new_beside(&self, difference: &Difference) -> bool {
        let folder = difference.path.parent();
        let mut named = self.bounds().writable.iter();
        difference.old.is_none()
            && named.any(|path| !self.scope().is_folder(path) && path.parent() == folder)
    }

    /// Whether a command can change the content of what stands at a path at this level.
    pub fn is_in_reach(&self, level: Level, path: &RepoPath) -> bool {
        let any = Difference {
            path: path.clone(),
            old: None,
            new: None,
            names: Vec::new(),
            former_names: Vec::new(),
        };
        self.can_have_made(level, &any)
    }

    /// Whether a command can have made a difference in content at this level.
    pub fn can_have_made(&self, level: Level, difference: &Difference) -> bool {
        self.reaches(level, difference) == Reach::Content
    }

    /// Whether it is one file with a name that the scope opens, and so is written through that.
    fn is_shared_with_scope(&self, difference: &Difference) -> bool {
        let mut names = difference.names.iter().chain(&difference.former_names);
        names.any(|name| self.scope().is_writable(name))
    }

    /// Whether a command can change what stands at a path at this level, its content or at least its rights.
    fn reaches(&self, level: Level, difference: &Difference) -> Reach {
        let path = &difference.path;
        let bounds = self.bounds();
        let mut folders = bounds.writable.iter().chain(&bounds.build);
        let is_below = folders.any(|folder| path.starts_with(folder));
        match level {
            Level::None | Level::External => Reach::Content,
            _ if self.is_shared_with_scope(difference) => Reach::Content,
            Level::Landlock if is_below && !self.is_left_out(path) => Reach::Content,
            Level::Landlock => Reach::Rights,
            Level::Namespaces if is_below && !self.is_pinned(difference) => Reach::Content,
            Level::Namespaces => Reach::Nothing,
        }
    }

    /// Whether Landlock gives no right on the path: where the root is writable, what stays
    /// read-only there is left out by name, with all below it.
    fn is_left_out(&self, path: &RepoPath) -> bool {
        let Some(first) = path.components().next() else {
            return true;
        };
        let bounds = self.bounds();
        let mut folders = bounds.writable.iter().chain(&bounds.build);
        let is_inner = folders.any(|folder| !folder.is_root() && path.starts_with(folder));
        !is_inner
            && bounds.read_only.iter().any(|closed| {
                closed.components().count() == 1
                    && closed
                        .file_name()
                        .is_some_and(|name| name.eq_ignore_ascii_case(first))
            })
    }

    /// Whether a mount keeps the path read-only; a mount on a file ends when the file is replaced.
    fn is_pinned(&self, difference: &Difference) -> bool {
        let closed = self.bounds().read_only.iter();
        let mut closed = closed.filter(|closed| difference.path.starts_with(closed));
        closed.any(|closed| {
            *closed != difference.path
                || match (&difference.old, &difference.new) {
                    (Some(old), Some(new)) => (old.device, old.inode) == (new.device, new.inode),
                    _ => false,
                }
        })
    }

    /// Whether a folder is only on the way to what the scope opens: it may come and go, and
    /// its times follow from what does so in it.
    fn is_way(&self, difference: &Difference, standing: &Standing<'_>) -> bool {
        let missed = matches!(
            standing,
            Standing::Root | Standing::OutsideRepository | Standing::OutsideFeature
        );
        let is_folder = |attributes: &Option<Attributes>| {
            attributes
                .as_ref()
                .is_none_or(|attributes| attributes.kind == FileKind::Folder)
        };
        let leads = |folder: &RepoPath| {
            folder.starts_with(&difference.path) || difference.path.starts_with(folder)
        };
        let bounds = self.bounds();
        missed
            && is_folder(&difference.old)
            && is_folder(&difference.new)
            && has_same_owner(difference)
            && bounds.writable.iter().chain(&bounds.build).any(leads)
    }

    fn judge_in_scope(&self, difference: &Difference) -> Judgement {
        let Some(new) = &difference.new else {
            return Judgement::Fine;
        };
        let old = difference.old.as_ref().filter(|old| old.kind == new.kind);
        match new.kind {
            FileKind::Folder | FileKind::Link => Judgement::Fine,
            FileKind::Fifo | FileKind::Socket | FileKind::Device => {
                if old.is_some() {
                    return Judgement::Fine;
                }
                let why = format!("a {} is no file anybody can review", new.kind.as_str());
                stray(why, Remedy::Remove)
            }
            FileKind::File => {
                let lent = |attributes: &Attributes| attributes.mode & LENDING_BITS;
                if lent(new) & !old.map_or(0, lent) != 0 {
                    let why = "it would run with the rights of its owner or group".to_owned();
                    return stray(why, Remedy::ClearBits);
                }
                let grew = new.links > old.map_or(1, |old| old.links);
                if grew && self.has_partner_outside(difference, new.links) {
                    let why = "it is one file with a name outside the write scope".to_owned();
                    return stray(why, Remedy::BreakLink);
                }
                Judgement::Fine
            }
        }
    }

    fn has_partner_outside(&self, difference: &Difference, links: u64) -> bool {
        let names = difference.names.iter();
        let own = names.filter(|name| self.scope().is_writable(name)).count();
        (own as u64) < links
    }

    /// Whether a path of git's own is what git itself changes from time to time.
    ///
    /// Such a change by a person's git command is not worth a word.
    pub fn is_git_traffic(&self, path: &RepoPath) -> bool {
        let is_git = matches!(self.scope().standing(path), Standing::Owned(Owner::Git));
        let mut components = path.components();
        let at_root = components
            .next()
            .is_some_and(|first| first.eq_ignore_ascii_case(b".git"));
        let steering = [b"config".as_slice(), b"hooks", b"info", b"modules"];
        is_git
            && at_root
            && !components
                .next()
                .is_some_and(|second| steering.contains(&second))
    }
}

/// How far a command's changes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Content,
    Rights,
    Nothing,
}

/// Judges a path that the scope does not open and a command can change.
fn judge_closed(difference: &Difference, content: Content, why: impl Fn() -> String) -> Judgement {
    match (&difference.old, &difference.new) {
        (None, None) => Judgement::Fine,
        (Some(old), Some(new)) if old.kind == new.kind && content == Content::Same => {
            if old.has_same_rights(new) {
                Judgement::Fine
            } else {
                stray(why(), Remedy::SetRights)
            }
        }
        _ => stray(why(), Remedy::PutBack),
    }
}

/// Judges a path whose content no command can change, but its rights.
fn judge_out_of_reach(
    difference: &Difference,
    content: Content,
    why: impl Fn() -> String,
) -> Judgement {
    match (&difference.old, &difference.new) {
        (Some(old), Some(new)) if is_same_file(old, new) && content == Content::Same => {
            if old.has_same_rights(new) {
                Judgement::Fine
            } else {
                stray(why(), Remedy::SetRights)
            }
        }
        _ => Judgement::Persons,
    }
}

/// Whether a folder that stays keeps its rights.
fn has_same_owner(difference: &Difference) -> bool {
    match (&difference.old, &difference.new) {
        (Some(old), Some(new)) => (old.mode, old.uid, old.gid) == (new.mode, new.uid, new.gid),
        _ => true,
    }
}

fn is_same_file(one: &Attributes, other: &Attributes) -> bool {
    (one.kind, one.device, one.inode) == (other.kind, other.device, other.inode)
}

const fn stray(why: String, remedy: Remedy) -> Judgement {
    Judgement::Stray(Stray { why, remedy })
}

#[cfg(test)]
mod tests;
