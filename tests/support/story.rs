//! What a run told: its JSON lines, and what its model was sent.

use harness_testkit::{Received, Run};
use serde_json::Value;

use super::Desk;

/// A run with `--json`, read back.
pub(crate) struct Story {
    pub(crate) run: Run,
    lines: Vec<Value>,
}

impl Story {
    /// Reads what a run printed; every line of standard output must be JSON.
    pub(crate) fn of(run: Run) -> Self {
        let lines = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
        Self {
            lines: lines.collect(),
            run,
        }
    }

    /// Returns the lines of a type.
    pub(crate) fn all(&self, kind: &str) -> Vec<&Value> {
        self.lines
            .iter()
            .filter(|line| line["type"] == kind)
            .collect()
    }

    /// Returns the first line of a type.
    pub(crate) fn first(&self, kind: &str) -> &Value {
        self.lines
            .iter()
            .find(|line| line["type"] == kind)
            .unwrap_or_else(|| panic!("no `{kind}` in {self}"))
    }

    /// Returns the last line that speaks of a feature's status.
    pub(crate) fn status_of(&self, feature: &str) -> &str {
        let told = self.all("feature_status");
        let last = told.iter().rev().find(|line| line["feature"] == feature);
        last.and_then(|line| line["to"].as_str())
            .unwrap_or("untold")
    }

    /// Holds the end of the run against what it should be.
    pub(crate) fn assert_ended(&self, reason: &str, code: i32) -> &Self {
        let end = self.first("run_ended");
        assert_eq!(
            (end["reason"].as_str(), self.run.code),
            (Some(reason), code),
            "{self}"
        );
        assert_eq!(end["exit_code"], code, "{self}");
        self
    }
}

impl std::fmt::Display for Story {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "exit {}\n{}\n{}",
            self.run.code, self.run.stdout, self.run.stderr
        )
    }
}

impl Desk {
    /// Runs the program without a person and reads what it tells.
    pub(crate) fn story(&self, arguments: &[&str]) -> Story {
        Story::of(self.harness(&[arguments, &["--json", "--no-input"]].concat()))
    }

    /// Returns what of git a run must leave alone: HEAD, its branch, the index and the tags.
    pub(crate) fn person_side(&self) -> String {
        [
            &["rev-parse", "HEAD"][..],
            &["symbolic-ref", "HEAD"],
            &["ls-files", "--stage"],
            &["stash", "list"],
            &["for-each-ref", "refs/heads/main", "refs/tags"],
            &["config", "--local", "--list"],
        ]
        .map(|arguments| self.project.git(arguments))
        .join("\n")
    }
}

/// Writes a session of a script: each turn is the calls it makes, or else what it says.
pub(crate) fn session(fits: &str, turns: &[&str]) -> String {
    let mut text = format!("[[session]]\nmatch = \"{fits}\"\n");
    for turn in turns {
        let line = if turn.starts_with('{') {
            format!("calls = [{turn}]")
        } else {
            format!("text = {turn:?}")
        };
        text.push_str(&format!("[[session.turn]]\n{line}\n"));
    }
    text
}

/// Writes a session that gives its last turn for ever.
pub(crate) fn endless(fits: &str, turns: &[&str]) -> String {
    session(fits, turns).replacen(
        "[[session.turn]]",
        "repeat_last = true\n[[session.turn]]",
        1,
    )
}

/// Writes a call of the shell.
pub(crate) fn shell(command: &str) -> String {
    format!("{{ tool = \"shell\", command = {} }}", quoted(command))
}

/// Writes a call that replaces a file.
pub(crate) fn write(path: &str, content: &str) -> String {
    format!(
        "{{ tool = \"write\", path = {}, content = {} }}",
        quoted(path),
        quoted(content)
    )
}

/// Quotes a text for a script.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Says that the work is done.
pub(crate) const FINISH: &str = "{ tool = \"finish\", text = \"All done.\" }";

/// Returns every text of the messages after the model's last answer, whatever the wire.
pub(crate) fn news(request: &Received) -> String {
    let messages = messages(request);
    let last = messages.iter().rposition(is_answer);
    let mut text = String::new();
    for message in &messages[last.map_or(0, |at| at + 1)..] {
        for key in ["content", "output", "parts"] {
            collect(&message[key], &mut text);
        }
    }
    text
}

/// Returns whether a request holds anything the model said, whatever the wire.
pub(crate) fn has_answer(request: &Received) -> bool {
    messages(request).iter().any(is_answer)
}

/// Returns the messages of a request, whatever the wire.
pub(crate) fn messages(request: &Received) -> &[Value] {
    let lists = ["messages", "input", "contents"].iter();
    let mut lists = lists.filter_map(|key| request.body[*key].as_array());
    lists.next().expect("a request has messages")
}

/// Whether a message, or an item of one, is the model's.
fn is_answer(message: &Value) -> bool {
    ["assistant", "model"]
        .iter()
        .any(|role| message["role"] == *role)
        || ["reasoning", "function_call"]
            .iter()
            .any(|kind| message["type"] == *kind)
}

fn collect(value: &Value, text: &mut String) {
    match value {
        Value::String(part) => {
            text.push_str(part);
            text.push('\n');
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, text)),
        Value::Object(fields) => fields.values().for_each(|part| collect(part, text)),
        _ => {}
    }
}
