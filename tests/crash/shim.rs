//! A library that stands before the C library of the program under test, made by the C compiler of this machine.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::support::say;

const SOURCE: &str = include_str!("shim.c");

/// Returns the library; says so and returns nothing where it cannot be made.
pub(super) fn shim() -> Option<&'static Path> {
    static MADE: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().ok()?;
        let (source, library) = (folder.path().join("shim.c"), folder.path().join("shim.so"));
        std::fs::write(&source, SOURCE).ok()?;
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(&source)
            .arg("-ldl");
        let output = cc.output().ok()?;
        if !output.status.success() {
            say(&String::from_utf8_lossy(&output.stderr));
            return None;
        }
        Some((folder, library))
    });
    if made.is_none() {
        say("skipped: there is no C compiler that makes a shared library");
    }
    made.as_ref().map(|(_, library)| library.as_path())
}

/// Puts the library before the C library of a command.
pub(super) fn preload<'a>(command: &'a mut Command, library: &Path) -> &'a mut Command {
    command.env("LD_PRELOAD", library)
}
