//! Recorded work of other agents, driven through the tools: what they call, edit, search and print.
//!
//! `HARNESS_RECORDINGS` names the folder; without it the test says that it was skipped. Files are
//! known as far as a recording shows them. The counts are what these recordings come to: another
//! count means that a tool takes another view of real input.

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

/// What a recording came to, by the word for it.
#[derive(Debug, Default)]
struct Table(BTreeMap<String, usize>);

impl Table {
    fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn of(&self, what: &str) -> usize {
        self.0.get(what).copied().unwrap_or_default()
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
            let how = edited.inexact.unwrap_or_else(|| "exactly".to_owned());
            table.count(format!("edits: {how}"));
            Some(String::from_utf8(edited.bytes).unwrap())
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

#[test]
fn recorded_agents_at_work_are_understood() {
    let Some(folder) = recordings() else {
        return;
    };
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
    let mut stderr = io::stderr().lock();
    for (what, count) in &table.0 {
        writeln!(stderr, "{count:5}  {what}").unwrap();
    }
    drop(stderr);
    let expected = [
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
    ];
    for (what, count) in expected {
        assert_eq!(table.of(what), count, "{what}");
    }
    // Every edit whose place is shown is made, and exactly where it was made then.
    let edits = table
        .0
        .iter()
        .filter(|(what, _)| what.starts_with("edits: "));
    assert_eq!(edits.map(|(_, count)| count).sum::<usize>(), 38 + 2 + 1);
}
