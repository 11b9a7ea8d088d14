use std::{ffi::OsStr, os::unix::ffi::OsStrExt, time::Duration};

use harness_core::Reader;

use super::*;
use crate::network::listed_hosts;

pub(crate) fn machine() -> Machine {
    Machine {
        root: "/repo".into(),
        git_dir: "/repo/.git".into(),
        level: Level::Namespaces,
        home: "/cache/agent".into(),
        temp: "/cache/tmp".into(),
        read: vec!["/usr".into(), "/usr/lib".into(), "/repo/vendor".into()],
        opened: Vec::new(),
        pinned: vec!["/repo/src/Cargo.toml".into()],
        masked: vec!["/repo/.env".into()],
        environment: vec![
            ("PATH".to_owned(), "/usr/bin".to_owned()),
            ("FOO".to_owned(), "secret".to_owned()),
        ],
    }
}

pub(crate) fn texts(paths: &[PathBuf]) -> Vec<&str> {
    paths.iter().filter_map(|path| path.to_str()).collect()
}

/// Checks the plan of a command in `docs` under a scope of `src`, `tests` and the build output `target`.
pub(crate) fn check_command(plan: &CagePlan) {
    assert_eq!(plan.root(), Path::new("/repo"));
    assert_eq!(plan.cwd(), Path::new("/repo/docs"));
    assert_eq!(
        texts(plan.writable()),
        ["/repo/src", "/repo/target", "/repo/tests"]
    );
    assert_eq!(texts(plan.readable()), ["/repo", "/usr"]);
    assert_eq!(texts(plan.masked()), ["/repo/.env", "/repo/.git/harness"]);
    for pinned in [
        "/repo/.git",
        "/repo/harness.toml",
        "/repo/src/Cargo.toml",
        "/repo/src/features.json",
    ] {
        assert!(texts(plan.read_only()).contains(&pinned), "{pinned}");
    }
    assert!(plan.network().is_empty());
    assert_eq!(plan.level(), Level::Namespaces);
    assert_eq!(plan.home(), Path::new("/cache/agent"));
    assert_eq!(plan.temp(), Path::new("/cache/tmp"));
    assert_eq!(plan.environment(), machine().environment);
    assert_eq!(plan.limits().turns, 7);
}

pub(crate) fn gate(cwd: &str) -> Gate {
    Gate {
        cwd: RepoPath::parse(cwd).unwrap(),
        timeout: Duration::from_secs(30),
        reader: Reader::Cargo,
        min_tests: 1,
        ..Gate::named("test", vec!["cargo".to_owned(), "test".to_owned()])
    }
}

#[test]
fn a_gate_has_the_checkout_alone() {
    let machine = Machine {
        git_dir: "/elsewhere/.git".into(),
        read: vec!["/usr".into()],
        ..machine()
    };
    let plan = CagePlan::for_gate(
        &gate("web"),
        &Limits::default(),
        &Hosts::default(),
        &machine,
        Path::new("/cache/candidate"),
    );
    assert_eq!(plan.root(), Path::new("/cache/candidate"));
    assert_eq!(plan.cwd(), Path::new("/cache/candidate/web"));
    assert_eq!(texts(plan.writable()), ["/cache/candidate"]);
    assert_eq!(texts(plan.readable()), ["/cache/candidate", "/usr"]);
    assert_eq!(texts(plan.read_only()), ["/elsewhere/.git"]);
    assert_eq!(texts(plan.git()), ["/elsewhere/.git", "/repo/.git"]);
    assert_eq!(
        texts(plan.masked()),
        ["/elsewhere/.git/harness", "/repo/.env"]
    );
    assert!(plan.network().is_empty());
    assert_eq!(plan.limits().command, Duration::from_secs(30));
    assert_eq!(plan.limits().silence, Limits::default().silence);
}

#[test]
fn a_gate_without_folder_starts_in_the_checkout() {
    let (limits, none) = (Limits::default(), Hosts::default());
    let plan = CagePlan::for_gate(&gate(""), &limits, &none, &machine(), Path::new("/c"));
    assert_eq!(plan.cwd().as_os_str(), "/c");
}

#[test]
fn one_folder_never_lies_in_another_and_borders_are_components() {
    let paths = ["/a/b", "/a", "/a-b", "/a/b/c", "/b", "/a"].map(PathBuf::from);
    assert_eq!(texts(&outermost(paths.into_iter())), ["/a", "/a-b", "/b"]);
}

#[test]
fn a_stored_plan_names_the_environment_and_keeps_its_values_back() {
    let checkout = PathBuf::from(OsStr::from_bytes(b"/c/\xff"));
    let allowed = listed_hosts("example.org", "harness.toml:3", false).unwrap();
    let (limits, hosts) = (Limits::default(), Hosts::new(&allowed));
    let plan = CagePlan::for_gate(&gate(""), &limits, &hosts, &machine(), &checkout);
    let stored = serde_json::to_value(&plan).unwrap();
    assert_eq!(stored["environment"], serde_json::json!(["PATH", "FOO"]));
    assert_eq!(stored["root"], "/c/\u{fffd}");
    assert_eq!(stored["level"], "namespaces");
    assert_eq!(stored["network"], serde_json::json!(["example.org:443"]));
    assert!(!stored.to_string().contains("secret"));
}
