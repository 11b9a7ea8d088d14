//! A session of an agent that has one tool, the shell: what it reads, edits and writes by commands.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Table, as_ours, edited, print};

/// Makes our call of each command that is one, in the files as the outputs show them.
pub(super) fn drive(table: &mut Table, recording: &str) {
    let recording: Vec<Value> = serde_json::from_str(recording).unwrap();
    let mut files: HashMap<String, String> = HashMap::new();
    let mut first: HashMap<String, String> = HashMap::new();
    let mut command = String::new();
    for message in &recording {
        let text = text(&message["content"]);
        if message["role"] == "assistant" {
            command = block(&text).unwrap_or_default();
            continue;
        }
        if command.is_empty() {
            continue;
        }
        let output = between(&text, "<output>\n", "</output>").unwrap_or(&text);
        step(table, &mut files, &command, output);
        for (path, text) in &files {
            first.entry(path.clone()).or_insert_with(|| text.clone());
        }
        if text.starts_with("diff --git") {
            patch(table, &first, &files, &text);
        }
        command.clear();
    }
}

/// Carries out what a command says of a file, and holds what is known of it against what is shown.
fn step(table: &mut Table, files: &mut HashMap<String, String>, command: &str, output: &str) {
    let words = shlex::split(command.lines().next().unwrap_or_default()).unwrap_or_default();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let what = match words.as_slice() {
        ["cat", path] => {
            if !path.starts_with('/') {
                as_ours("read", &json!({ "path": path }));
                let shown = output.to_owned();
                if let Some(known) = files.insert((*path).to_owned(), shown.clone()) {
                    // What our edit made is what the command made.
                    assert_eq!(known, shown, "{path}");
                }
            }
            "read"
        }
        ["ls", "-la", rest @ ..] => {
            let path = rest.first().map(|path| path.trim_end_matches('/'));
            as_ours("list", &json!({ "path": path }));
            "list"
        }
        ["sed", "-i", script, path] => {
            let parts: Vec<&str> = script.split('/').collect();
            let ["s", old, new, ""] = parts.as_slice() else {
                panic!("{script}");
            };
            as_ours("edit", &json!({ "path": path, "old": old, "new": new }));
            let after = edited(table, &files[*path], &[(*old, *new)]).unwrap();
            files.insert((*path).to_owned(), after);
            "edit"
        }
        ["cat", ">", path, "<<", _] => {
            let content = between(command, "EOF'\n", "EOF").unwrap();
            as_ours("write", &json!({ "path": path, "content": content }));
            files.insert((*path).to_owned(), content.to_owned());
            "write"
        }
        _ => {
            print(table, output);
            "shell"
        }
    };
    table.count(format!("commands: {what}"));
}

/// Makes the hunks of the patch at the end as edits of the files as they were first.
fn patch(
    table: &mut Table,
    first: &HashMap<String, String>,
    last: &HashMap<String, String>,
    patch: &str,
) {
    let path = patch
        .lines()
        .find_map(|line| line.strip_prefix("+++ b/"))
        .unwrap();
    for (old, new) in hunks(patch) {
        let after = edited(table, &first[path], &[(old.as_str(), new.as_str())]).unwrap();
        assert_eq!(after.trim_end(), last[path].trim_end());
    }
}

/// Returns what each hunk of a patch replaces by what.
pub(super) fn hunks(patch: &str) -> Vec<(String, String)> {
    let mut hunks: Vec<(String, String)> = Vec::new();
    for line in patch.lines() {
        if line.starts_with("@@ ") {
            hunks.push(Default::default());
        } else if let (Some((old, new)), Some((sign, rest))) =
            (hunks.last_mut(), line.split_at_checked(1))
        {
            if matches!(sign, " " | "-") {
                old.push_str(&format!("{rest}\n"));
            }
            if matches!(sign, " " | "+") {
                new.push_str(&format!("{rest}\n"));
            }
        }
    }
    hunks
}

fn text(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten();
    let parts = parts.filter_map(|part| part["text"].as_str());
    content
        .as_str()
        .map_or_else(|| parts.collect(), str::to_owned)
}

/// Returns the command that an answer asks to be run.
fn block(text: &str) -> Option<String> {
    between(text, "```mswea_bash_command\n", "\n```").map(str::to_owned)
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let rest = text.split_once(from)?.1;
    Some(rest.split_once(to)?.0)
}
