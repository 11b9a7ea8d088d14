//! Sessions of real agents that did healthy work, recorded by others: no detector may give one up.
//!
//! The folder is named by `HARNESS_RECORDINGS`; without it this test says that it was skipped.
//! Nobody's words begin the count anew here, which is harder than it was.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use harness_core::{CallEnd, ToolCall, TreeId, TurnNumber};
use serde_json::{Value, json};

use super::{Drift, Remark};
use crate::calls::{CallState, Calls};

/// One call as it was recorded.
struct Recorded {
    name: String,
    arguments: Value,
    result: String,
    /// Whether files changed by it.
    changed: bool,
}

/// Reads a file of recorded work as turns with their calls.
type Read = fn(&Path) -> Vec<Vec<Recorded>>;

/// What was remarked, with the turn.
type Remarks = Vec<(u32, Remark)>;

#[test]
fn nothing_is_remarked_of_recorded_sessions_of_healthy_work() {
    let Some(root) = env::var_os("HARNESS_RECORDINGS") else {
        // Not printed by the test harness, which hides what a test that passes prints.
        writeln!(io::stderr(), "skipped: HARNESS_RECORDINGS is not set").unwrap();
        return;
    };
    let folder = PathBuf::from(root).join("transcripts");
    let sessions: [(&str, Read, usize); 6] = [
        ("pi-coding-session-a.jsonl", pi, 20),
        ("pi-coding-session-d.jsonl", pi, 20),
        ("sweagent-pydicom-1458.traj", swe_agent, 10),
        ("sweagent-marshmallow-function-calling.traj", swe_agent, 10),
        ("sweagent-ctf-babyencryption.traj", swe_agent, 10),
        ("tau-bench-airline-s.json", tau_bench, 5),
    ];
    for (file, read, least) in sessions {
        let turns = read(&folder.join(file));
        assert!(turns.len() >= least, "{file} has {} turns", turns.len());
        let remarks = remarks(&turns);
        for (turn, remark) in &remarks {
            writeln!(
                io::stderr(),
                "{file}, turn {turn} of {}: {remark:?}",
                turns.len()
            )
            .unwrap();
        }
        assert!(remarks.is_empty(), "{file}: {remarks:?}");
    }
}

fn remarks(turns: &[Vec<Recorded>]) -> Remarks {
    let tree = |number: usize| -> TreeId { format!("{number:040x}").parse().unwrap() };
    let mut drift = Drift::new(&tree(0), TurnNumber(0));
    let mut states = 0;
    let mut found = Vec::new();
    for (turn, recorded) in (1..).zip(turns) {
        drift.begin_turn(TurnNumber(turn));
        let asked: Vec<ToolCall> = recorded
            .iter()
            .map(|call| ToolCall {
                id: String::new(),
                name: call.name.clone(),
                arguments: call.arguments.to_string(),
            })
            .collect();
        let mut calls = Calls::new(TurnNumber(turn), asked.iter(), Path::new("/repo"));
        for (call, recorded) in calls.iter_mut().zip(recorded) {
            assert!(call.intent.is_ok(), "{:?}", call.asked);
            call.state = CallState::Running;
            call.end(&CallEnd::Answered {
                text: recorded.result.clone(),
                is_error: false,
            });
            drift.hear_call(call);
        }
        if recorded.iter().any(|call| call.changed) {
            states += 1;
            drift.hear_tree(&tree(states), &[]);
        }
        found.extend(drift.remarks.drain(..).map(|remark| (turn, remark)));
    }
    found
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text_of(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten();
    parts.filter_map(|part| part["text"].as_str()).collect()
}

fn pi(file: &Path) -> Vec<Vec<Recorded>> {
    let lines = lines(file);
    let messages: Vec<&Value> = lines.iter().map(|line| &line["message"]).collect();
    let result = |id: &Value| {
        let mut results = messages
            .iter()
            .filter(|message| message["role"] == "toolResult");
        let found = results.find(|message| message["toolCallId"] == *id);
        found.map(|message| text_of(&message["content"]))
    };
    let asked = messages
        .iter()
        .filter(|message| message["role"] == "assistant");
    let turns = asked.map(|message| {
        let parts = message["content"].as_array().into_iter().flatten();
        let calls = parts.filter(|part| part["type"] == "toolCall");
        calls
            .filter_map(|call| {
                let arguments = &call["arguments"];
                let (name, arguments) = match call["name"].as_str()? {
                    "bash" => ("shell", json!({ "command": arguments["command"] })),
                    "edit" => (
                        "edit",
                        json!({ "path": relative(&arguments["path"]), "old": arguments["oldText"], "new": arguments["newText"] }),
                    ),
                    "write" => (
                        "write",
                        json!({ "path": relative(&arguments["path"]), "content": arguments["content"] }),
                    ),
                    _ => ("shell", json!({ "command": format!("read {arguments}") })),
                };
                Some(Recorded {
                    changed: matches!(name, "edit" | "write"),
                    name: name.to_owned(),
                    arguments,
                    result: result(&call["id"])?,
                })
            })
            .collect::<Vec<_>>()
    });
    turns.filter(|calls| !calls.is_empty()).collect()
}

/// Paths were written for the machine of whoever recorded them.
fn relative(path: &Value) -> String {
    path.as_str()
        .unwrap_or("a")
        .trim_start_matches('/')
        .to_owned()
}

fn swe_agent(file: &Path) -> Vec<Vec<Recorded>> {
    let session: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let steps = session["trajectory"].as_array().unwrap();
    let call = |step: &Value| {
        let action = step["action"].as_str().unwrap_or_default();
        vec![Recorded {
            name: "shell".to_owned(),
            arguments: json!({ "command": action }),
            result: step["observation"].as_str().unwrap_or_default().to_owned(),
            changed: action.starts_with("edit") || action.starts_with("create"),
        }]
    };
    let is_call = |step: &&Value| {
        step["action"]
            .as_str()
            .is_some_and(|action| !action.trim().is_empty())
    };
    steps.iter().filter(is_call).map(call).collect()
}

fn tau_bench(file: &Path) -> Vec<Vec<Recorded>> {
    let sessions: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let talks = sessions.as_array().unwrap().iter();
    let messages: Vec<&Value> = talks
        .flat_map(|talk| talk["traj"].as_array().unwrap())
        .collect();
    let turns = messages.windows(2).filter_map(|pair| {
        let calls = pair[0]["tool_calls"].as_array()?;
        let function = &calls.first()?["function"];
        Some(vec![Recorded {
            name: "shell".to_owned(),
            arguments: json!({ "command": function.to_string() }),
            result: pair[1]["content"].as_str().unwrap_or_default().to_owned(),
            changed: false,
        }])
    });
    turns.collect()
}
