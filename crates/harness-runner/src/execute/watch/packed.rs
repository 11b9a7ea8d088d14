//! The harness' own references, when git packed them on behalf of a command.
//!
//! `git gc` and `git pack-refs` move every reference into one file and remove the others. Where no
//! cage keeps that file closed it is put back as it was, and what was only in it would be gone:
//! checkpoints, and the branches of runs. Those that are missing then are written on their own again.

use std::{
    fs,
    io::Write as _,
    path::{Component, Path},
};

use harness_guard::Difference;

const FILE: &str = ".git/packed-refs";
/// Where the references of the harness are.
const OWN: [&str; 2] = ["refs/harness/", "refs/heads/harness/"];
/// The largest file that is looked into. Unit: bytes.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// References of the harness that a file which is about to be put back names, with their objects.
#[derive(Debug, Default)]
pub(super) struct Packed(Vec<(String, String)>);

impl Packed {
    /// Reads them, where that file is among what changed.
    pub(super) fn read<'a>(root: &Path, mut changed: impl Iterator<Item = &'a Difference>) -> Self {
        let is_it = |difference: &Difference| difference.path.as_bytes() == FILE.as_bytes();
        let file = root.join(FILE);
        let is_plain = |file: &Path| {
            let stat = file.symlink_metadata();
            stat.is_ok_and(|stat| stat.is_file() && stat.len() <= BYTES_MAX)
        };
        if !changed.any(is_it) || !is_plain(&file) {
            return Self::default();
        }
        let text = fs::read_to_string(&file).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let own = lines.filter(|(object, name)| {
            let is_object =
                object.len() == 40 && object.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_object && OWN.iter().any(|own| name.starts_with(own)) && is_inside(name)
        });
        Self(
            own.map(|(object, name)| (name.to_owned(), object.to_owned()))
                .collect(),
        )
    }

    /// Writes those that are nowhere any more; what cannot be written is found damaged later.
    pub(super) fn bring_back(&self, root: &Path) {
        let packed = fs::read_to_string(root.join(FILE)).unwrap_or_default();
        let is_packed = |name: &str| {
            packed
                .lines()
                .any(|line| line.split_once(' ').is_some_and(|(_, known)| known == name))
        };
        for (name, object) in &self.0 {
            let file = root.join(".git").join(name);
            if is_packed(name) {
                continue;
            }
            if let Some(folder) = file.parent() {
                let _ = fs::create_dir_all(folder);
            }
            // One that is there is newer than the file it was packed into.
            if let Ok(mut file) = fs::File::create_new(&file) {
                let _ = writeln!(file, "{object}");
            }
        }
    }
}

/// Whether a name leads nowhere else.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    parts.all(|part| matches!(part, Component::Normal(_)))
}
