//! A session of an agent that runs commands and Python code in a sandbox.

use serde_json::{Value, json};

use super::{Table, as_ours, mini, print};

pub(super) fn drive(table: &mut Table, recording: &str) {
    let recording: Value = serde_json::from_str(recording.lines().next().unwrap()).unwrap();
    let mut written = None;
    for event in recording["history"].as_array().unwrap() {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        match (text("action"), text("observation")) {
            ("run", _) => table.count(match text("command").split_once(' ') {
                Some(("cat", path)) => {
                    as_ours("read", &json!({ "path": path }));
                    "commands: read"
                }
                _ => "commands: shell",
            }),
            ("run_ipython", _) => {
                // Code that writes one text to one file.
                let code = text("code");
                let content = code.split("\"\"\"").nth(1).unwrap();
                let path = code
                    .split("open('")
                    .nth(1)
                    .and_then(|rest| rest.split('\'').next());
                as_ours("write", &json!({ "path": path, "content": content }));
                written = Some(content.to_owned());
                table.count("code: write");
            }
            (_, "run") if text("command").starts_with("cat ") => {
                let shown = text("content").replace('\r', "");
                // Behind the file stands the prompt of the shell.
                assert!(shown.starts_with(written.as_deref().unwrap()));
                print(table, text("content"));
            }
            (_, "run" | "run_ipython") => print(table, text("content")),
            _ => {}
        }
    }
    let patch = recording["git_patch"].as_str().unwrap();
    for (old, new) in mini::hunks(&patch.replace('\r', "")) {
        let is_new = old.is_empty();
        assert_eq!(Some(new.trim_end()), written.as_deref().filter(|_| is_new));
        table.count("patches: of a new file, which is a `write`");
    }
}
