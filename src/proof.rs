//! Which level a run uses: proven by attempts, and remembered until something it rests on changes.
//!
//! Remembered is only that a level was proven, never that one was not: a level that
//! was missing is tried at every start. A level that is taken from here and whose
//! cage then cannot be opened ends the run; nothing steps down to a weaker one.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::Path,
};

use harness_core::{ByteCount, EndReason, Level};
use harness_host::process::{PROVABLE, prove};
use sha2::{Digest as _, Sha256};

use crate::{
    failure::{Failure, chain, remedy::remedy},
    files,
    folders::Folders,
};

/// The largest file that is read back.
const FILE_MAX: ByteCount = ByteCount::kib(4);

/// What a proof rests on, as far as files of the system tell: the start of the machine, the
/// kernel, who may make namespaces, and which of its security modules are on.
const FACTS: [&str; 7] = [
    "/proc/sys/kernel/random/boot_id",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/sys/user/max_user_namespaces",
    "/sys/kernel/security/lsm",
    "/proc/self/attr/current",
];

/// Who builds cages: this program, and the system's own where this one may not.
const PROGRAMS: [&str; 2] = ["/proc/self/exe", "/usr/bin/bwrap"];

/// The namespaces this program is in itself.
const NAMESPACES: [&str; 4] = ["user", "mnt", "net", "pid"];

/// What of this process's state decides over what it may do.
const STATE: [&str; 7] = [
    "Uid:",
    "Gid:",
    "CapEff:",
    "CapBnd:",
    "NoNewPrivs:",
    "Seccomp:",
    "Seccomp_filters:",
];

/// Proves the level that is asked for, or the best one there is.
pub(crate) fn level(folders: &Folders, wish: Option<Level>) -> Result<Level, Failure> {
    let mut proofs = Proofs::read(folders);
    match wish {
        Some(level @ (Level::None | Level::External)) => Ok(level),
        Some(level) => match proofs.prove(level) {
            None => Ok(level),
            Some(why) => Err(Failure::ended(
                EndReason::Refused,
                format!("cannot confine processes: level `{level}` was asked for and is not enforced here: {why}"),
            )
            .hint("harness doctor")),
        },
        None => {
            let mut reasons = Vec::new();
            for level in PROVABLE {
                match proofs.prove(level) {
                    None => return Ok(level),
                    Some(why) => reasons.push(why),
                }
            }
            Err(unproven(&reasons))
        }
    }
}

/// Says that no level holds; a disk on which nothing could be tried says nothing of the kernel.
fn unproven(reasons: &[String]) -> Failure {
    match reasons.iter().find(|why| remedy(why).is_some()) {
        Some(why) => Failure::failed(format!(
            "cannot try which level holds here, in the folder for temporary files `{}`: {why}",
            std::env::temp_dir().display()
        )),
        None => Failure::ended(
            EndReason::Refused,
            "cannot confine processes: this kernel enforces no level",
        )
        .hint("`harness doctor` says why; run in a container and say `--sandbox external`, or accept none with `--sandbox none`"),
    }
}

/// Proves a level anew, whatever is remembered; `None` when it holds, else why not.
pub(crate) fn anew(folders: &Folders, level: Level) -> Option<String> {
    let mut proofs = Proofs::read(folders);
    proofs.levels.retain(|known| known != level.as_str());
    let why = proofs.prove(level);
    if why.is_some() {
        proofs.write();
    }
    why
}

/// The levels that were proven under the present circumstances.
#[derive(Debug)]
struct Proofs<'a> {
    folders: &'a Folders,
    /// What stands for the circumstances; absent where they cannot be told.
    key: Option<String>,
    levels: Vec<String>,
}

impl<'a> Proofs<'a> {
    fn read(folders: &'a Folders) -> Self {
        let key = key();
        let levels = key
            .as_deref()
            .and_then(|key| remembered(&folders.proof(), key));
        Self {
            folders,
            key,
            levels: levels.unwrap_or_default(),
        }
    }

    /// Proves a level unless that was done; `None` when it holds, else why not.
    fn prove(&mut self, level: Level) -> Option<String> {
        if self.levels.iter().any(|known| known == level.as_str()) {
            return None;
        }
        if let Err(error) = prove(level) {
            return Some(chain(&error));
        }
        self.levels.push(level.as_str().to_owned());
        self.write();
        None
    }

    /// Keeps what was proven. Where that fails, the next start proves it again.
    fn write(&self) {
        let Some(key) = &self.key else {
            return;
        };
        let path = self.folders.proof();
        let Some(folder) = path.parent() else {
            return;
        };
        let text = format!("{key}\n{}\n", self.levels.join("\n"));
        // The file is made anew, readable and writable for its owner alone.
        let _ = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .and_then(|()| tempfile::NamedTempFile::new_in(folder))
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.persist(&path).map_err(|error| error.error)
            });
    }
}

/// Reads which levels were proven; `None` where the file is not this person's alone, or of other circumstances.
fn remembered(path: &Path, key: &str) -> Option<Vec<String>> {
    let stat = fs::symlink_metadata(path).ok()?;
    let own = fs::metadata("/proc/self").ok()?.uid();
    if !stat.is_file() || stat.uid() != own || stat.mode() & 0o077 != 0 {
        return None;
    }
    let text = String::from_utf8(files::read_own(path, FILE_MAX).ok()??).ok()?;
    let mut lines = text.lines();
    (lines.next() == Some(key)).then(|| lines.map(str::to_owned).collect())
}

/// Returns what stands for everything a proof rests on; `None` where the start of the machine is not told.
fn key() -> Option<String> {
    fs::metadata(FACTS[0]).ok()?;
    let mut digest = Sha256::new();
    let mut add = |fact: &[u8]| {
        digest.update((fact.len() as u64).to_le_bytes());
        digest.update(fact);
    };
    for path in FACTS {
        add(&fs::read(path).unwrap_or_default());
    }
    for name in NAMESPACES {
        let link = fs::read_link(Path::new("/proc/self/ns").join(name)).unwrap_or_default();
        add(link.as_os_str().as_encoded_bytes());
    }
    let status = fs::read_to_string("/proc/self/status").ok()?;
    for line in status
        .lines()
        .filter(|line| STATE.iter().any(|name| line.starts_with(name)))
    {
        add(line.as_bytes());
    }
    for program in PROGRAMS {
        let Ok(stat) = fs::metadata(program) else {
            add(&[]);
            continue;
        };
        for number in [stat.dev(), stat.ino(), stat.size()] {
            add(&number.to_le_bytes());
        }
        for number in [stat.mtime(), stat.mtime_nsec()] {
            add(&number.to_le_bytes());
        }
    }
    let hex = digest.finalize();
    Some(hex.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

    #[test]
    fn the_same_circumstances_have_the_same_key() {
        assert_eq!(key(), key());
        assert_eq!(key().map(|key| key.len()), Some(64));
    }

    #[test]
    fn only_a_file_of_this_person_alone_and_of_now_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("level");
        let check = |text: &str, mode: u32, key: &str| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            remembered(&path, key)
        };
        assert_eq!(
            check("k\nlandlock\n", 0o600, "k"),
            Some(vec!["landlock".to_owned()])
        );
        assert_eq!(check("k\n", 0o600, "k"), Some(Vec::new()));
        assert_eq!(check("k\nlandlock\n", 0o600, "other"), None);
        assert_eq!(check("k\nlandlock\n", 0o620, "k"), None);
        assert_eq!(check("", 0o600, "k"), None);
        fs::remove_file(&path).unwrap();
        assert_eq!(remembered(&path, "k"), None);
        std::os::unix::fs::symlink("/proc/self/status", &path).unwrap();
        assert_eq!(remembered(&path, "Name:\tharness"), None);
    }
}
