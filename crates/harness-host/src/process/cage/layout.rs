//! What a cage is built from, and what it is asked to start: the messages to its first process.

use std::{ffi::OsString, io, path::PathBuf};

use harness_guard::{CagePlan, Mount, MountKind};
use rustix::process::{Resource, Rlimit};

use super::wire::{Reader, Writer};

/// How large the files in a cage's private folder for temporary files may be, together. Unit: bytes.
const TEMP_MAX: u64 = 2 << 30;

/// What a cage is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The root on the machine; what lies below it is opened without following a link.
    pub(super) root: PathBuf,
    /// The repository's own root, where that is not the one that is shown; what is
    /// shown of it is opened in the same way.
    pub(super) work_tree: PathBuf,
    /// The file tree.
    pub(super) mounts: Vec<Mount>,
    /// Any folder of the machine that exists and that the cage may lie over while it is built.
    pub(super) scaffold: PathBuf,
    /// How much temporary files may take. Unit: bytes.
    pub(super) temp_max: u64,
    /// Whether a listener for the way out is opened on the cage's own loopback device.
    pub(super) listens: bool,
    /// Whether namespaces and file tree are there already: the next order is the only one.
    pub(super) is_built: bool,
}

/// What is started in a cage.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) argv: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
    /// The root as it is seen in the cage.
    pub(super) place: PathBuf,
    /// The working folder, below `place`.
    pub(super) cwd: PathBuf,
    /// What may be written, as the second lock sees it.
    pub(super) writable: Vec<PathBuf>,
    pub(super) resources: Vec<(u32, u64)>,
    /// How many processes the command may have.
    pub(super) processes: u64,
    /// How much memory they may have together. Unit: bytes.
    pub(super) memory: u64,
}

impl Layout {
    pub(super) fn of(plan: &CagePlan) -> Self {
        Self {
            root: plan.root().to_owned(),
            work_tree: plan.place().to_owned(),
            mounts: plan.mounts().mounts,
            scaffold: plan.home().to_owned(),
            temp_max: TEMP_MAX,
            listens: !plan.network().is_empty(),
            is_built: false,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.path(&self.root);
        writer.path(&self.work_tree);
        writer.path(&self.scaffold);
        writer.number(self.temp_max);
        writer.number(self.listens.into());
        writer.number(self.is_built.into());
        writer.list(&self.mounts, |writer, mount| {
            writer.path(&mount.source);
            writer.path(&mount.target);
            let kind = KINDS.iter().position(|kind| *kind == mount.kind);
            writer.number(kind.map_or(0, |kind| kind as u64));
        });
        writer.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            root: reader.path()?,
            work_tree: reader.path()?,
            scaffold: reader.path()?,
            temp_max: reader.number()?,
            listens: reader.number()? != 0,
            is_built: reader.number()? != 0,
            mounts: reader.list(|reader| {
                Ok(Mount {
                    source: reader.path()?,
                    target: reader.path()?,
                    kind: usize::try_from(reader.number()?)
                        .ok()
                        .and_then(|kind| KINDS.get(kind).copied())
                        .ok_or(io::ErrorKind::InvalidData)?,
                })
            })?,
        })
    }
}

const KINDS: [MountKind; 5] = [
    MountKind::Read,
    MountKind::Write,
    MountKind::Pin,
    MountKind::Close,
    MountKind::Hide,
];

impl Order {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.list(&self.argv, |writer, text| {
            writer.bytes(text.as_encoded_bytes());
        });
        writer.list(&self.environment, |writer, (name, value)| {
            writer.bytes(name.as_encoded_bytes());
            writer.bytes(value.as_encoded_bytes());
        });
        writer.path(&self.place);
        writer.path(&self.cwd);
        writer.list(&self.writable, |writer, path| writer.path(path));
        writer.list(&self.resources, |writer, (resource, limit)| {
            writer.number(u64::from(*resource));
            writer.number(*limit);
        });
        writer.number(self.processes);
        writer.number(self.memory);
        writer.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            argv: reader.list(Reader::text)?,
            environment: reader.list(|reader| Ok((reader.text()?, reader.text()?)))?,
            place: reader.path()?,
            cwd: reader.path()?,
            writable: reader.list(Reader::path)?,
            resources: reader.list(|reader| {
                let resource = u32::try_from(reader.number()?).map_err(io::Error::other)?;
                Ok((resource, reader.number()?))
            })?,
            processes: reader.number()?,
            memory: reader.number()?,
        })
    }

    /// Returns the bounds each process inherits, as the system calls them.
    pub(super) fn limits(&self) -> Vec<(Resource, Rlimit)> {
        let limit = |limit: u64| Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        self.resources
            .iter()
            .filter_map(|(index, value)| {
                let resource = RESOURCES.get(usize::try_from(*index).ok()?)?;
                Some((*resource, limit(*value)))
            })
            .collect()
    }
}

/// Bounds by the number that stands for them in an order.
pub(super) const RESOURCES: [Resource; 5] = [
    Resource::Core,
    Resource::Fsize,
    Resource::Data,
    Resource::Nofile,
    Resource::Nproc,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in() {
        let layout = Layout {
            root: "/repo".into(),
            work_tree: "/work".into(),
            scaffold: "/home/x".into(),
            temp_max: 17,
            listens: true,
            is_built: true,
            mounts: KINDS
                .iter()
                .map(|&kind| Mount {
                    source: "/a".into(),
                    target: "/b".into(),
                    kind,
                })
                .collect(),
        };
        assert_eq!(Layout::decode(&layout.encode()).unwrap(), layout);
        let order = Order {
            argv: vec!["sh".into(), "-c".into(), "".into()],
            environment: vec![("A".into(), "1\n".into())],
            place: "/repo".into(),
            cwd: "/repo/x".into(),
            writable: vec!["/repo/src".into()],
            resources: vec![(0, 0), (3, 4096)],
            processes: 5,
            memory: 6,
        };
        let decoded = Order::decode(&order.encode()).unwrap();
        assert_eq!(decoded, order);
        assert_eq!(decoded.limits().len(), 2);
        assert!(Layout::decode(&[1, 2, 3]).is_err());
        assert!(Order::decode(&[]).is_err());
    }
}
