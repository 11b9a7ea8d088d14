//! The same attacks by a user who is not root: what root may do less than others is a way in for neither.

use std::{env, fs, os::unix::fs::chown, path::Path, process::Command};

/// A user and group that own nothing.
const NOBODY: u32 = 65534;

#[test]
fn every_lock_holds_for_a_user_without_privileges_too() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: the other tests are run by such a user already");
        return;
    }
    let home = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .unwrap();
    chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let program = env::current_exe().unwrap();
    let cage = Path::new(env!("CARGO_BIN_EXE_harness-cage"));
    let as_nobody = |program: &Path| {
        let user = NOBODY.to_string();
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &user, "--regid", &user, "--clear-groups", "--"])
            .arg(program)
            .current_dir(home.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("CARGO_MANIFEST_DIR", "/")
            .env("HOME", home.path())
            .env("TMPDIR", home.path());
        if let Some(demanded) = env::var_os("HARNESS_REQUIRE_LEVEL") {
            command.env("HARNESS_REQUIRE_LEVEL", demanded);
        }
        command
    };
    for needed in [&program, cage] {
        let found = as_nobody(Path::new("test")).arg("-x").arg(needed).status();
        if !found.is_ok_and(|found| found.success()) {
            eprintln!(
                "skipped: `setpriv` or a way to {} is missing",
                needed.display()
            );
            return;
        }
    }
    let told = as_nobody(&program)
        .args(["cage::", "leaks::", "tree::", "process::"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success(), "{text}");
    assert!(!text.contains(" 0 passed"), "{text}");
    assert!(fs::exists(home.path()).unwrap());
}
