//! Each command for itself: what it prints, what it changes, and what it leaves alone.

mod apart;
mod checkpoint;
mod compare;
mod context;
mod damage;
mod docs;
mod doctor;
mod doctor_model;
mod feature;
mod finish;
mod followed;
mod forgotten;
mod gate;
mod help;
mod hook;
mod init;
mod kept;
mod land;
mod log;
mod lost;
mod models;
mod moved;
mod pinned;
mod pruned;
mod readme;
mod review;
mod scope;
mod secrets;
mod session;
mod several;
mod trust;
mod undo;
mod verify;
mod watch;

use std::{collections::BTreeMap, os::unix::fs::MetadataExt as _, path::Path};

use harness_testkit::{Project, Run};
use serde_json::Value;

use crate::support::Desk;

/// Proves F-1 with a file changed, one made, one removed, a link, a mode and bytes that are no text.
const BUSY_SCRIPT: &str = r#"
[[session]]
[[session.turn]]
calls = [
    { tool = "write", path = "src/answer", content = "42\n" },
    { tool = "shell", command = "rm src/gone && printf '\\0\\377' > src/bytes && chmod +x src/bytes && mkdir src/deep && ln -s ../answer src/deep/link" },
]
[[session.turn]]
calls = [{ tool = "write", path = "src/second", content = "2\n" }]
[[session.turn]]
calls = [{ tool = "finish", text = "The answer is 42." }]
"#;

/// Makes a desk with something for the busy script to remove.
fn busy_desk() -> Desk {
    let desk = Desk::new();
    desk.project.write("src/gone", "to be removed\r\n");
    desk.project.commit_all("something to remove");
    desk
}

/// Runs the busy script to its end, nothing landed.
fn busy_run(desk: &Desk) {
    let model = desk.script(BUSY_SCRIPT);
    assert_ok(&desk.harness(&["run", "--model", &model]));
}

fn assert_ok(run: &Run) {
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
}

/// Reads JSON lines, and sees that each has what every line has.
fn json(run: &Run) -> Vec<Value> {
    let lines = run.stdout.lines().enumerate().map(|(seq, line)| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert_eq!(
            (&value["v"], &value["seq"]),
            (&1.into(), &seq.into()),
            "{line}"
        );
        assert!(
            value["type"].is_string() && value["time"].is_string(),
            "{line}"
        );
        assert!(value.get("session").is_some(), "{line}");
        value
    });
    lines.collect()
}

/// Every entry of a work tree but git's: its mode, and its bytes or where it leads.
fn picture(project: &Project) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut entries = BTreeMap::new();
    collect(&project.root(), &project.root(), &mut entries);
    entries
}

fn collect(root: &Path, folder: &Path, entries: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("a folder has entries").path();
        let stat = std::fs::symlink_metadata(&path).expect("an entry has a kind");
        if path.ends_with(".git") {
            continue;
        }
        if stat.is_dir() {
            collect(root, &path, entries);
            continue;
        }
        let bytes = if stat.is_symlink() {
            std::fs::read_link(&path)
                .expect("a link leads somewhere")
                .into_os_string()
                .into_encoded_bytes()
        } else {
            std::fs::read(&path).expect("a file can be read")
        };
        let name = path
            .strip_prefix(root)
            .expect("an entry is below its folder")
            .display()
            .to_string();
        entries.insert(name, (stat.mode(), bytes));
    }
}
