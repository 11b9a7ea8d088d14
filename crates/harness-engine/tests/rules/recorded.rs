//! Sessions of real agents that did healthy work, recorded by others: no detector may give one up.
//!
//! The folder is named by `HARNESS_RECORDINGS`; without it this test says that it was skipped.
//! Nobody's words begin the count anew here, which is harder than it was.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use harness_core::{
    CallEnd, Captured, CheckpointNumber, CheckpointSaved, Event, Goal, Outcome, Stop,
};
use serde_json::{Value, json};

use crate::{facts, script::Script};

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
        assert!(remarks.is_empty(), "{file}: {remarks:?}");
    }
}

/// Returns the turns in which an agent was told or its feature given up.
fn remarks(turns: &[Vec<Recorded>]) -> Vec<(u32, String)> {
    let mut run = Script::closed(Goal::All, 1, vec![facts::gate("test")], |run| {
        run.policy.limits.turns = 10_000;
    });
    run.opens(1);
    run.base_is_green();
    let mut found = Vec::new();
    let mut states = 1;
    for recorded in turns {
        let turn = run.turn.0;
        let arguments: Vec<String> = recorded
            .iter()
            .map(|call| call.arguments.to_string())
            .collect();
        let calls = recorded.iter().zip(&arguments);
        let calls: Vec<(&str, &str)> = calls
            .map(|(call, arguments)| (call.name.as_str(), arguments.as_str()))
            .collect();
        let mut follows = run.calls(&calls);
        for (index, call) in (0..).zip(recorded) {
            follows += &run.ends(turn, index, end(call, &run));
        }
        if follows.contains("save ") {
            let is_changed = recorded.iter().any(|call| call.changed);
            follows += &run.on(&saved(&mut states, is_changed));
        }
        if follows.contains("nudged") || follows.contains("given up") {
            found.push((turn, follows));
        }
    }
    // Every turn was heard to its end.
    assert_eq!(run.turn.0 as usize, turns.len() + 1);
    found
}

fn end(call: &Recorded, run: &Script) -> CallEnd {
    if call.changed && call.name != "shell" {
        return run.written();
    }
    CallEnd::Done {
        outcome: Outcome::Exited {
            kept: None,
            stop: Stop::Exited(0),
            output: Captured {
                head: call.result.clone(),
                ..Captured::default()
            },
        },
    }
}

fn saved(states: &mut u32, is_changed: bool) -> Event {
    if !is_changed {
        return Event::CheckpointUnchanged;
    }
    *states += 1;
    Event::CheckpointSaved(CheckpointSaved {
        number: CheckpointNumber(*states - 1),
        commit: facts::commit(50),
        tree: facts::tree(u64::from(*states)),
        changes: Vec::new(),
        ms: 1,
    })
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

/// Paths were written for the machine of whoever recorded them; here all of them are in the scope.
fn relative(path: &Value) -> String {
    let path = path.as_str().unwrap_or("a");
    format!("src/{}", path.trim_start_matches('/'))
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
