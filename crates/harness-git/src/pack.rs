//! Packing what checkpoints left loose: one file instead of thousands.
//!
//! A pack of our own, made aside, read back and synced before it is put among git's and
//! only then are the loose files removed; a death in between leaves an object twice and
//! never not at all. No pack of the person's is opened for writing, nothing is ever
//! collected: what no reference needs stays until git itself removes it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
};

use git2::{ObjectType, Odb, Oid, PackBuilder};
use harness_core::{ByteCount, SessionId, TreeId};

use crate::{
    repo::{During, GitError, OnPath, Repo, oid},
    tree::Mode,
};

/// Fewer loose objects than this are left as they are.
const LOOSE_MIN: usize = 256;

/// The most objects of one pack; the rest waits for the next time.
const PACKED_OBJECTS_MAX: usize = 20_000;

/// A larger object stays loose: packing it would take long and save little.
const PACKED_BYTES_MAX: ByteCount = ByteCount::mib(1);

/// What packing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Objects in the new pack.
    pub objects: usize,
    /// Loose files removed.
    pub removed: usize,
}

impl Repo {
    /// Packs the objects of a session's checkpoints that are loose, if there are many.
    ///
    /// # Errors
    /// When the pack cannot be made, read back or synced; every object is then where it was.
    pub fn pack_checkpoints(&self, session: SessionId) -> Result<Packed, GitError> {
        self.pack_loose(session, LOOSE_MIN, &mut |_| Ok(()))
    }

    /// As [`Repo::pack_checkpoints`]; `step` is told of each point at which the process may die.
    pub(crate) fn pack_loose(
        &self,
        session: SessionId,
        loose_min: usize,
        step: &mut dyn FnMut(Step) -> Result<(), GitError>,
    ) -> Result<Packed, GitError> {
        let packing = self.common_dir().join("harness/packing");
        let aside = packing.join(session.to_string());
        clear(&aside)?;
        let loose = self.loose_objects(session)?;
        if loose.len() < loose_min {
            return Ok(Packed::default());
        }
        let folder = aside.join("pack");
        fs::create_dir_all(&folder).on_path("make the folder", &folder)?;
        let mut builder = self.git.packbuilder().during("begin", "a pack")?;
        builder.set_threads(1);
        write(&mut builder, &loose, &folder)?;
        step(Step::Written)?;
        let whole = read_back(&aside, &loose)?;
        self.place(&folder)?;
        step(Step::Placed)?;
        let mut removed = 0;
        for id in &whole {
            let file = self.loose_file(*id);
            removed += usize::from(fs::remove_file(&file).is_ok());
            step(Step::Removed)?;
        }
        clear(&aside)?;
        Ok(Packed {
            objects: whole.len(),
            removed,
        })
    }

    /// Finds the loose objects that a session's checkpoints need beyond the first one's.
    fn loose_objects(&self, session: SessionId) -> Result<BTreeSet<Oid>, GitError> {
        let odb = self.git.odb().during("open", "the objects")?;
        let mut seen = BTreeSet::new();
        let mut loose = BTreeSet::new();
        let mut add = |id: Oid| {
            if !seen.insert(id) || loose.len() >= PACKED_OBJECTS_MAX {
                return;
            }
            let is_small = odb
                .read_header(id)
                .is_ok_and(|(bytes, _)| bytes as u64 <= PACKED_BYTES_MAX.0);
            if is_small && self.loose_file(id).exists() {
                loose.insert(id);
            }
        };
        let mut before: Option<TreeId> = None;
        for entry in self.checkpoints(session)?.whole {
            add(oid(&entry.commit));
            self.add_new(before.as_ref(), &entry.tree, &mut add)?;
            before = Some(entry.tree);
        }
        Ok(loose)
    }

    /// Gives every object to `add` that a tree has and the one before has not.
    fn add_new(
        &self,
        before: Option<&TreeId>,
        tree: &TreeId,
        add: &mut dyn FnMut(Oid),
    ) -> Result<(), GitError> {
        // Without one before it is what the person's own commits have, but for what was dirty.
        let Some(before) = before else {
            add(oid(tree));
            return Ok(());
        };
        let mut folders = BTreeSet::new();
        for difference in self.differences(before, tree)? {
            let file = difference.new.filter(|new| new.mode != Mode::Module);
            if let Some(new) = file {
                add(new.id);
            }
            let mut folder = difference.path.parent();
            while let Some(path) = folder.filter(|path| folders.insert(path.clone())) {
                folder = path.parent();
            }
        }
        let root = self.tree_object(tree)?;
        add(root.id());
        for folder in folders.iter().filter(|folder| !folder.is_root()) {
            if let Ok(entry) = root.get_path(folder.as_path())
                && entry.kind() == Some(ObjectType::Tree)
            {
                add(entry.id());
            }
        }
        Ok(())
    }

    /// Puts a pack among git's own: first the pack, then its index, as git does; both synced.
    fn place(&self, folder: &Path) -> Result<(), GitError> {
        let target = self.common_dir().join("objects/pack");
        fs::create_dir_all(&target).on_path("make the folder", &target)?;
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .on_path("list", folder)?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        // `pack` comes before `idx`: without its index a pack is not there for git.
        files.sort_by_key(|file| file.extension().is_some_and(|end| end == "idx"));
        for file in &files {
            let sync = File::open(file).and_then(|file| file.sync_all());
            sync.on_path("sync", file)?;
        }
        for file in files {
            if let Some(name) = file.file_name() {
                let to = target.join(name);
                fs::rename(&file, &to).on_path("place", &to)?;
            }
        }
        let sync = File::open(&target).and_then(|folder| folder.sync_all());
        sync.on_path("sync", target)
    }

    fn loose_file(&self, id: Oid) -> PathBuf {
        let name = id.to_string();
        let objects = self.common_dir().join("objects");
        objects.join(&name[..2]).join(&name[2..])
    }
}

/// Where a death of the process may cut packing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Written,
    Placed,
    Removed,
}

fn write(
    builder: &mut PackBuilder<'_>,
    objects: &BTreeSet<Oid>,
    folder: &Path,
) -> Result<(), GitError> {
    for id in objects {
        builder.insert_object(*id, None).during("pack", id)?;
    }
    builder
        .write(folder, 0)
        .during("write the pack in", folder.display())
}

/// Reads every object from the pack alone, which checks its bytes against its id.
fn read_back(aside: &Path, objects: &BTreeSet<Oid>) -> Result<Vec<Oid>, GitError> {
    let odb = Odb::new().during("open", "a pack")?;
    let path = aside.to_string_lossy();
    odb.add_disk_alternate(&path).during("open", "a pack")?;
    let mut whole = Vec::with_capacity(objects.len());
    for id in objects {
        odb.read(*id).during("read back", id)?;
        whole.push(*id);
    }
    Ok(whole)
}

fn clear(folder: &Path) -> Result<(), GitError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).on_path("remove", folder)
        }
        _ => Ok(()),
    }
}
