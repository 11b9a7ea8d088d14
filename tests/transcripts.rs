//! Recorded work of other agents, driven through the tools: what they call, edit, search and print.
//!
//! `HARNESS_RECORDINGS` names the folder; without it the test says that it was skipped. Files are
//! known as far as a recording shows them. The counts are what these recordings come to: another
//! count means that a tool takes another view of real input.

mod dialogue;
mod mini;
mod mutate;
mod open_hands;
mod pi;
mod swe;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use harness_core::{
    Action, ByteCount, Captured, Feature, FeatureId, Limits, Outcome, Policy, RepoPath, ScopeRules,
    Stop, TokenCount, ToolCall,
};
use harness_guard::Guard;
use harness_tool::{Intent, parse, render};

/// What a recording came to, by the word for it, and the edits that were made exactly.
#[derive(Debug, Default)]
struct Table(BTreeMap<String, usize>, Vec<Exact>);

/// An edit as it was recorded, and what it makes of the text it was made in.
#[derive(Debug)]
struct Exact {
    text: String,
    old: String,
    new: String,
    after: String,
}

impl Table {
    fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn of(&self, what: &str) -> usize {
        self.0.get(what).copied().unwrap_or_default()
    }

    fn show(&self, heading: &str) {
        let mut stderr = io::stderr().lock();
        writeln!(stderr, "{heading}").unwrap();
        for (what, count) in &self.0 {
            writeln!(stderr, "{count:5}  {what}").unwrap();
        }
    }

    fn assert(&self, expected: &[(&str, usize)]) {
        for (what, count) in expected {
            assert_eq!(self.of(what), *count, "{what}");
        }
    }
}

fn recordings() -> Option<PathBuf> {
    let Some(root) = env::var_os("HARNESS_RECORDINGS") else {
        // Not captured by the test harness, so that a skipped test is seen.
        let mut stderr = io::stderr().lock();
        writeln!(stderr, "skipped: HARNESS_RECORDINGS is not set").unwrap();
        return None;
    };
    Some(Path::new(&root).join("transcripts"))
}

/// Counts what our parser says of a call as another agent makes it.
fn as_called(table: &mut Table, name: &str, arguments: &str) {
    let call = ToolCall {
        id: "1".to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    };
    let said = match parse(&call, Path::new("/repository")) {
        Ok(_) => "taken",
        Err(fault) if fault.is_escape() => "outside",
        Err(fault) if fault.to_string().contains("did you mean") => "told the name",
        Err(_) => "refused",
    };
    table.count(format!("calls as made: {said}"));
}

/// Parses a call with our names; it must be one.
fn as_ours(name: &str, arguments: &serde_json::Value) -> Action {
    let call = ToolCall {
        id: "1".to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_string(),
    };
    match parse(&call, Path::new("/repository")) {
        Ok(Intent::Act(action)) => action,
        other => panic!("{other:?}"),
    }
}

/// Tells the model of an output, at two limits, and holds the text against its bounds.
fn print(table: &mut Table, output: &str) {
    let run = Action::Run {
        background: false,
        command: "x".to_owned(),
        cwd: RepoPath::root(),
    };
    let outcome = Outcome::Exited {
        kept: None,
        stop: Stop::Exited(0),
        output: Captured {
            head: output.to_owned(),
            tail: String::new(),
            bytes: output.len() as u64,
        },
    };
    for limit in [ByteCount::kib(1), ByteCount::kib(16)] {
        let told = render(&run, &outcome, limit).text;
        assert!(told.len() <= limit.as_usize());
        assert!(told.starts_with("exit 0\n["), "{told}");
        let shown = harness_tool::plain(output);
        let end: String = shown.chars().rev().take(40).collect();
        assert!(told.chars().rev().collect::<String>().starts_with(&end) || output.is_empty());
    }
    let is_long = output.len() > 16 * 1024 - 400;
    table.count(if is_long {
        "outputs: cut"
    } else {
        "outputs: whole"
    });
}

/// Counts an edit by how its place was found, or why it was not.
fn edited(table: &mut Table, text: &str, edits: &[(&str, &str)]) -> Option<String> {
    match harness_tool::edit::apply_all(text.as_bytes(), edits.iter().copied()) {
        Ok(edited) => {
            let after = String::from_utf8(edited.bytes).unwrap();
            if let (None, [(old, new)]) = (&edited.inexact, edits) {
                let [text, old, new] = [text, *old, *new].map(str::to_owned);
                let after = after.clone();
                table.1.push(Exact {
                    text,
                    old,
                    new,
                    after,
                });
            }
            let how = edited.inexact.unwrap_or_else(|| "exactly".to_owned());
            table.count(format!("edits: {how}"));
            Some(after)
        }
        Err(fault) => {
            let fault = fault.to_string();
            let why = fault.split([';', ',']).next().unwrap_or_default();
            let why = if why.contains("times") {
                "ambiguous"
            } else {
                why
            };
            table.count(format!("edits: {why}"));
            None
        }
    }
}

/// Lets everything be read.
fn guard() -> Guard {
    let file = |name| RepoPath::parse(name).unwrap();
    let policy = Policy {
        scope: ScopeRules {
            write: Vec::new(),
            deny: Vec::new(),
            hide: Vec::new(),
            protect: Vec::new(),
            build: Vec::new(),
            host_owned: Vec::new(),
        },
        gates: Vec::new(),
        commands: Vec::new(),
        formats: Vec::new(),
        review: harness_core::ReviewBy::None,
        network_closed: String::new(),
        amendments: Vec::new(),
        limits: Limits::default(),
        isolate: true,
        feature_file: file("feature_list.json"),
        progress_file: file("progress.md"),
        map_file: "AGENTS.md".to_owned(),
        context_budget: TokenCount(16_000),
        network: Vec::new(),
    };
    Guard::new(&policy, &Feature::titled(FeatureId::task(1), "any")).unwrap()
}

/// Drives the recordings that show what they edit.
fn driven(folder: &Path) -> Table {
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let mut table = Table::default();
    for name in ["pi-coding-session-a.jsonl", "pi-coding-session-d.jsonl"] {
        pi::drive(&mut table, &text(name));
    }
    for name in [
        "sweagent-pydicom-1458.traj",
        "sweagent-marshmallow-function-calling.traj",
        "sweagent-ctf-babyencryption.traj",
    ] {
        swe::drive(&mut table, &text(name));
    }
    table
}

#[test]
fn recorded_agents_at_work_are_understood() {
    let Some(folder) = recordings() else {
        return;
    };
    let table = driven(&folder);
    table.show("pi and SWE-agent");
    table.assert(&[
        ("calls as made: told the name", 172),
        ("calls as made: taken", 11),
        ("calls as made: refused", 29),
        ("calls as made: outside", 3),
        ("edits: exactly", 38),
        ("edits: of a place that is not shown", 2),
        ("edits: of a file that is not shown", 1),
        ("edits by line: mapped", 5),
        ("outputs: whole", 100),
        ("searches: found", 24),
        ("searches: no expression", 3),
    ]);
    // Every edit whose place is shown is made, and exactly where it was made then.
    let edits = table
        .0
        .iter()
        .filter(|(what, _)| what.starts_with("edits: "));
    assert_eq!(edits.map(|(_, count)| count).sum::<usize>(), 38 + 2 + 1);
}

#[test]
fn agents_that_edit_by_commands_and_agents_that_edit_nothing_are_understood() {
    let Some(folder) = recordings() else {
        return;
    };
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let mut table = Table::default();
    mini::drive(&mut table, &text("mini-swe-agent-github-issue.traj.json"));
    table.show("mini-swe-agent: commands as our tools");
    table.assert(&[
        ("edits: exactly", 2),
        ("commands: read", 3),
        ("commands: list", 2),
        ("commands: edit", 1),
        ("commands: write", 1),
        ("commands: shell", 3),
    ]);

    let mut table = Table::default();
    open_hands::drive(&mut table, &text("openhands-resolver-output.jsonl"));
    table.show("OpenHands: commands and code as our tools");
    table.assert(&[
        ("commands: read", 1),
        ("commands: shell", 1),
        ("code: write", 1),
        ("patches: of a new file, which is a `write`", 1),
    ]);

    let mut table = Table::default();
    dialogue::codex(&mut table, &text("codex-tui-oss-story.jsonl"));
    for name in [
        "gemini-cli-context-compress.responses",
        "gemini-cli-flicker-max-height.responses",
    ] {
        dialogue::gemini(&mut table, &text(name));
    }
    dialogue::tau(&mut table, &text("tau-bench-airline-s.json"));
    table.show("Codex, Gemini CLI, tau-bench: no file is edited");
    table.assert(&[("codex: calls", 0), ("gemini: calls", 1)]);
    assert_eq!(table.of("edits: exactly"), 0);
}

#[test]
fn recorded_edits_that_are_copied_badly_go_to_their_place_or_nowhere() {
    let Some(folder) = recordings() else {
        return;
    };
    let mut table = driven(&folder);
    mini::drive(
        &mut table,
        &fs::read_to_string(folder.join("mini-swe-agent-github-issue.traj.json")).unwrap(),
    );
    mutate::check(&table.1);
}
