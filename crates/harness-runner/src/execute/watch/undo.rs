//! Takes strays back: what is there goes to quarantine, what was there comes back.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use harness_core::{ByteCount, Event, RepoPath, SessionId};
use harness_guard::{Attributes, Difference, FileKind, HostAct, Remedy, Stray};
use harness_host::{
    disk::Root,
    manifest::{Former, Manifest, PutBackError},
};

use super::{Found, Watch, chain, named_from, packed::Packed};

/// The most that one process puts into a session's quarantine.
const QUARANTINE_MAX: ByteCount = ByteCount::mib(256);

/// The strays of one round.
pub(super) struct Undo<'a> {
    watch: &'a mut Watch,
    root: &'a Root,
    /// The repository with the strays in it.
    now: &'a Manifest,
    quarantine: &'a Path,
    told: Vec<Event>,
    failed: BTreeSet<RepoPath>,
    /// Paths that went with all below them.
    gone: BTreeSet<RepoPath>,
    /// Folders in which something was moved, with the time they had.
    touched: BTreeSet<RepoPath>,
}

/// What came of one stray.
struct Done {
    message: String,
    restored: bool,
    in_quarantine: bool,
}

impl Done {
    fn restored(message: impl Into<String>, in_quarantine: bool) -> Self {
        Self {
            message: message.into(),
            restored: true,
            in_quarantine,
        }
    }
}

const KEPT_FOR_PERSON: &str = "its bytes are kept for the person";

impl<'a> Undo<'a> {
    /// Names a folder of the quarantine that is not there yet; it is made when something comes to it.
    pub(super) fn place(own: &Path, session: SessionId) -> PathBuf {
        let folder = own.join("quarantine").join(session.to_string());
        let names = fs::read_dir(&folder).into_iter().flatten().flatten();
        let last = names
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok())
            .max();
        folder.join((last.unwrap_or(0) + 1).to_string())
    }

    pub(super) fn new(
        watch: &'a mut Watch,
        root: &'a Root,
        now: &'a Manifest,
        quarantine: &'a Path,
    ) -> Self {
        Self {
            watch,
            root,
            now,
            quarantine,
            told: Vec::new(),
            failed: BTreeSet::new(),
            gone: BTreeSet::new(),
            touched: BTreeSet::new(),
        }
    }

    /// Takes strays back; they are sorted by path, folders before what is in them.
    pub(super) fn all(&mut self, strays: &[Found]) {
        let changed = strays.iter().map(|(difference, _)| difference);
        let packed = Packed::read(self.root.path(), changed);
        for (difference, stray) in strays {
            let path = &difference.path;
            if difference.old.is_none() && self.is_gone(path) {
                continue;
            }
            self.touched.extend(path.parent());
            let done = self.one(difference, stray).unwrap_or_else(|message| Done {
                message,
                restored: false,
                in_quarantine: false,
            });
            if !done.restored {
                self.failed.insert(path.clone());
            }
            self.tell(path, &stray.why, done);
            // What stays in the scope is judged once more as it is now.
            if !matches!(stray.remedy, Remedy::ClearBits | Remedy::BreakLink) {
                let is = self.root.look(path).ok().flatten();
                self.watch.manifest.set(path, is);
            }
        }
        packed.bring_back(self.root.path());
        self.set_times_back();
    }

    pub(super) fn into_told(self) -> (Vec<Event>, BTreeSet<RepoPath>) {
        (self.told, self.failed)
    }

    /// Whether a path went with a folder above it.
    fn is_gone(&self, path: &RepoPath) -> bool {
        let mut at = Some(path.clone());
        while let Some(current) = at {
            if self.gone.contains(&current) {
                return true;
            }
            at = current.parent();
        }
        false
    }

    fn one(&mut self, difference: &Difference, stray: &Stray) -> Result<Done, String> {
        let path = &difference.path;
        match (stray.remedy, &difference.old, &difference.new) {
            (Remedy::Remove, _, _) => {
                self.root
                    .remove_stray(HostAct::SetAside, path)
                    .map_err(worded)?;
                Ok(Done::restored("removed", false))
            }
            (Remedy::ClearBits, _, Some(new)) => {
                let plain = Attributes {
                    mode: new.mode & 0o1777,
                    ..new.clone()
                };
                self.set_rights(path, &plain)?;
                Ok(Done::restored(
                    "the bits that lend rights are cleared",
                    false,
                ))
            }
            (Remedy::BreakLink, _, Some(new)) => {
                let broken = self.root.break_link(HostAct::SetAside, path, new);
                broken.map_err(worded)?;
                Ok(Done::restored("it is a copy of its own now", false))
            }
            (Remedy::SetRights, Some(old), _) => {
                self.set_rights(path, old)?;
                Ok(Done::restored(
                    "rights, owner and times are set back",
                    false,
                ))
            }
            (Remedy::PutBack, None, Some(_)) => {
                let kept = self.take_away(path)?;
                Ok(Done::restored(taken_away(kept), kept))
            }
            (Remedy::PutBack, Some(old), new) => self.put_back(path, old, new.as_ref()),
            _ => Ok(Done::restored("nothing is there any more", false)),
        }
    }

    fn set_rights(&self, path: &RepoPath, wanted: &Attributes) -> Result<(), String> {
        let set = self.root.set_rights(HostAct::SetAside, path, wanted);
        let set = set.map_err(worded)?;
        if (set.mode, set.uid, set.gid) == (wanted.mode, wanted.uid, wanted.gid) {
            return Ok(());
        }
        Err("it cannot be given back to its owner".to_owned())
    }

    fn put_back(
        &mut self,
        path: &RepoPath,
        old: &Attributes,
        new: Option<&Attributes>,
    ) -> Result<Done, String> {
        let bytes = if old.kind == FileKind::File {
            match self.watch.former_bytes(path, old) {
                Ok(bytes) => bytes,
                Err(why) => return Err(format!("it cannot be put back: {why}")),
            }
        } else {
            Vec::new()
        };
        if matches!(old.kind, FileKind::Socket | FileKind::Device) {
            return Err(format!("a {} cannot be made again", old.kind.as_str()));
        }
        self.clear_way(path)?;
        let is_folder = |attributes: &Attributes| attributes.kind == FileKind::Folder;
        if is_folder(old) && new.is_some_and(is_folder) {
            self.set_rights(path, old)?;
            return Ok(Done::restored("put back", false));
        }
        let mut kept = false;
        if self
            .root
            .look(path)
            .map_err(|error| chain(&error))?
            .is_some()
        {
            kept = self.take_away(path)?;
        }
        let former = Former {
            attributes: old,
            bytes: &bytes,
        };
        let back = self.root.put_back(HostAct::SetAside, path, former);
        let back = back.map_err(worded)?;
        if (back.uid, back.gid) != (old.uid, old.gid) {
            return Err("put back, but not to its owner".to_owned());
        }
        let message = if kept {
            format!("put back; {KEPT_FOR_PERSON}")
        } else {
            "put back".to_owned()
        };
        Ok(Done::restored(message, kept))
    }

    /// Sees to it that the folders above a path are folders, as they were.
    fn clear_way(&mut self, path: &RepoPath) -> Result<(), String> {
        let mut above = Vec::new();
        let mut at = path.parent();
        while let Some(folder) = at.filter(|folder| !folder.is_root()) {
            at = folder.parent();
            above.push(folder);
        }
        for folder in above.into_iter().rev() {
            let now = self.root.look(&folder).map_err(|error| chain(&error))?;
            let was = self.watch.manifest.at(&folder);
            let was = was.filter(|was| was.kind == FileKind::Folder).cloned();
            match now {
                Some(now) if now.kind == FileKind::Folder => {
                    // A folder that nobody may enter keeps what is below it from coming back.
                    if now.mode & 0o700 != 0o700 {
                        let open = Attributes {
                            mode: was.map_or(0o755, |was| was.mode) | 0o700,
                            ..now
                        };
                        self.set_rights(&folder, &open)?;
                    }
                    continue;
                }
                Some(_) => {
                    let kept = self.take_away(&folder)?;
                    let why = format!("it stands where the folder of `{path}` was");
                    self.tell(&folder, &why, Done::restored(taken_away(kept), kept));
                }
                None => {}
            }
            let plain = Attributes {
                kind: FileKind::Folder,
                mode: 0o755,
                uid: 0,
                gid: 0,
                size: 0,
                modified: Attributes::UNTOLD,
                changed: (0, 0),
                device: 0,
                inode: 0,
                links: 1,
                target: None,
            };
            let root = self.watch.manifest.at(&RepoPath::root());
            let owner = root.map_or((0, 0), |root| (root.uid, root.gid));
            let wanted = was.unwrap_or(Attributes {
                uid: owner.0,
                gid: owner.1,
                ..plain
            });
            let former = Former {
                attributes: &wanted,
                bytes: &[],
            };
            self.root
                .put_back(HostAct::SetAside, &folder, former)
                .map_err(worded)?;
            let is = self.root.look(&folder).ok().flatten();
            self.watch.manifest.set(&folder, is);
            self.touched.extend(folder.parent());
        }
        Ok(())
    }

    /// Moves what stands at a path into quarantine; `false` when it is too much to be kept and is gone.
    fn take_away(&mut self, path: &RepoPath) -> Result<bool, String> {
        let below = self.now.below(path);
        let bytes: u64 = below.map(|(_, attributes)| attributes.size).sum();
        self.gone.insert(path.clone());
        if self.watch.quarantined + bytes > QUARANTINE_MAX.0 {
            self.root
                .remove_stray(HostAct::SetAside, path)
                .map_err(worded)?;
            return Ok(false);
        }
        self.watch.quarantined += bytes;
        let mut into = self.quarantine.to_owned();
        let mut number = 1;
        // Nothing in quarantine is overwritten: what went there before stays.
        while fs::symlink_metadata(into.join(path.as_path())).is_ok() {
            into = self.quarantine.join(format!("again-{number}"));
            number += 1;
        }
        self.root
            .take_away(HostAct::SetAside, path, &into)
            .map_err(worded)?;
        Ok(true)
    }

    fn tell(&mut self, path: &RepoPath, why: &str, done: Done) {
        let quarantine = done
            .in_quarantine
            .then(|| named_from(&self.watch.post.own, self.quarantine))
            .flatten();
        self.told.push(Event::StrayUndone {
            path: path.clone(),
            message: done.message,
            why: why.to_owned(),
            restored: done.restored,
            quarantine,
        });
    }

    /// Gives folders in which something came back the times they had.
    fn set_times_back(&mut self) {
        for folder in std::mem::take(&mut self.touched) {
            let Some(old) = self.watch.manifest.at(&folder).cloned() else {
                continue;
            };
            let Ok(Some(now)) = self.root.look(&folder) else {
                continue;
            };
            let is_open = self.watch.post.guard.scope().is_writable(&folder);
            if is_open || old.kind != FileKind::Folder || now.kind != FileKind::Folder {
                continue;
            }
            let wanted = Attributes {
                modified: old.modified,
                ..now
            };
            // A folder's time is worth no word of its own.
            if let Ok(set) = self.root.set_rights(HostAct::SetAside, &folder, &wanted) {
                self.watch.manifest.set(&folder, Some(set));
            }
        }
    }
}

fn taken_away(kept: bool) -> String {
    if kept {
        format!("taken away; {KEPT_FOR_PERSON}")
    } else {
        format!("removed; it was more than the {QUARANTINE_MAX} that are kept")
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn worded(error: PutBackError) -> String {
    chain(&error)
}
