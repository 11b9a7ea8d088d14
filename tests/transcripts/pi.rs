//! Sessions of a coding agent with the tools `read`, `edit`, `write` and `bash`.

use std::{collections::HashMap, fs};

use harness_core::Action;
use harness_testkit::Project;
use serde_json::{Value, json};

use super::{Table, as_called, as_ours, edited, print};

/// Where the recorded repository lay.
const ROOT: &str = "/Users/badlogic/workspaces/pi-mono/";

/// What is known of files: each time one was shown, newest last.
#[derive(Default)]
struct Known(HashMap<String, Vec<String>>);

pub(super) fn drive(table: &mut Table, recording: &str) {
    let mut calls: HashMap<String, (String, Value)> = HashMap::new();
    let mut known = Known::default();
    let mut patterns = Vec::new();
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let message = &line["message"];
        if message["role"] == "assistant" {
            for part in message["content"].as_array().into_iter().flatten() {
                if part["type"] == "toolCall" {
                    let (name, arguments) = (part["name"].as_str().unwrap(), &part["arguments"]);
                    as_called(table, name, &arguments.to_string());
                    let id = part["id"].as_str().unwrap().to_owned();
                    calls.insert(id, (name.to_owned(), arguments.clone()));
                }
            }
        }
        if message["role"] == "toolResult" {
            let Some((name, arguments)) = calls.remove(message["toolCallId"].as_str().unwrap())
            else {
                table.count("results without their call");
                continue;
            };
            let text = message["content"][0]["text"].as_str().unwrap_or_default();
            let is_error = message["isError"] == true;
            match name.as_str() {
                "bash" => {
                    print(table, text);
                    patterns.extend(searched(arguments["command"].as_str().unwrap()));
                }
                _ if is_error => table.count(format!("calls that failed then: {name}")),
                "read" => known.read(&arguments, text),
                "write" => known.write(&arguments),
                "edit" => known.edit(table, &arguments),
                other => panic!("{other}"),
            }
        }
    }
    search(table, &known, &patterns);
}

fn path(arguments: &Value) -> String {
    let path = arguments["path"].as_str().unwrap();
    path.strip_prefix(ROOT).unwrap_or(path).to_owned()
}

impl Known {
    fn read(&mut self, arguments: &Value, text: &str) {
        let path = path(arguments);
        let first = arguments["offset"].as_u64();
        let last = arguments["limit"]
            .as_u64()
            .map(|limit| first.unwrap_or(1) + limit - 1);
        if !path.starts_with('/') {
            as_ours(
                "read",
                &json!({ "path": path, "first": first, "last": last }),
            );
        }
        let shown = self.0.entry(path).or_default();
        if first.is_none() && last.is_none() {
            shown.clear();
        }
        shown.push(text.to_owned());
    }

    fn write(&mut self, arguments: &Value) {
        let content = arguments["content"].as_str().unwrap();
        let path = path(arguments);
        as_ours("write", &json!({ "path": path, "content": content }));
        self.0.insert(path, vec![content.to_owned()]);
    }

    /// Makes an edit that was made then, in the newest that shows its place.
    fn edit(&mut self, table: &mut Table, arguments: &Value) {
        let path = path(arguments);
        let (old, new) = (
            arguments["oldText"].as_str().unwrap(),
            arguments["newText"].as_str().unwrap(),
        );
        let ours = as_ours(
            "edit",
            &json!({ "path": path, "edits": [{ "old": old, "new": new }] }),
        );
        let edits: Vec<(&str, &str)> = ours.replacements().collect();
        let Some(shown) = self.0.get_mut(&path) else {
            table.count("edits: of a file that is not shown");
            return;
        };
        let Some(text) = shown.iter_mut().rev().find(|text| text.contains(old)) else {
            table.count("edits: of a place that is not shown");
            return;
        };
        if let Some(after) = edited(table, text, &edits) {
            assert_eq!(after, text.replacen(old, new, 1));
            *text = after;
        }
    }
}

/// Returns the expressions that a command line greps for.
fn searched(command: &str) -> Vec<String> {
    let words = shlex::split(command).unwrap_or_default();
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "grep" || word == "rg" {
            found.extend(words.by_ref().find(|word| !word.starts_with('-')).cloned());
        }
    }
    found
}

/// Searches for the same in what is known of the files.
fn search(table: &mut Table, known: &Known, patterns: &[String]) {
    let project = Project::with_files(&[("a", "")]);
    for (number, (path, texts)) in known.0.iter().enumerate() {
        let name = path.rsplit('/').next().unwrap();
        let file = project.root().join(format!("{number}-{name}"));
        fs::write(file, texts.concat()).unwrap();
    }
    let root = harness_host::disk::Root::open(&project.root()).unwrap();
    let guard = super::guard();
    for pattern in patterns {
        let action = as_ours("search", &json!({ "query": pattern }));
        assert!(matches!(action, Action::Search { .. }));
        let permit = guard.permit(action).unwrap();
        let said = match root.search(&permit, &|_| false, Default::default()) {
            Ok(found) if !found.hits.is_empty() => "found",
            Ok(_) if pattern.contains(r"\|") => "nothing, alternatives written as grep does",
            Ok(_) => "nothing in what is known",
            Err(_) => "no expression",
        };
        table.count(format!("searches: {said}"));
    }
}
