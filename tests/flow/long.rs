//! Long work in a small window: old output is dropped, fresh sessions go on, a kill in the middle, and a proof at the end.

use std::fmt::Write as _;

use harness_testkit::{Received, Server};
use serde_json::Value;

use crate::support::{CONFIG, Desk, FINISH, Live, TESTS, messages, session, write};

const WISH: &str = "src/answer must say 42, and each part stands in files of its own";
/// How a dropped result begins.
const STUB: &str = "[dropped to make room: ";

/// Makes text of so many lines that no two files share.
fn lines(name: &str, count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let _ = writeln!(
            text,
            "{name} line {number}: what stands here is long enough to fill a window"
        );
        text
    })
}

fn read(path: &str) -> String {
    format!("{{ tool = \"read\", path = \"{path}\" }}")
}

fn plan(items: [&str; 3]) -> String {
    format!("{{ tool = \"plan\", items = {items:?} }}")
}

/// A session that reads much, then writes one part of the work until its window is full.
fn part(fits: &str, name: &str, before: [&str; 3], after: [&str; 3]) -> String {
    let mut turns = vec![plan(before)];
    turns.extend((0..12).map(|number| read(&format!("docs/big-{number}.md"))));
    turns.push(plan(after));
    turns.extend((0..12).map(|number| {
        let name = format!("{name}-{number}");
        write(&format!("src/{name}"), &lines(&name, 150))
    }));
    let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
    session(fits, &turns)
}

fn script() -> String {
    let note = session(
        "It worked on F-1",
        &["left: the other part\ntrap: the files are long"],
    );
    let mut last: Vec<String> = (0..12)
        .map(|number| read(&format!("docs/big-{number}.md")))
        .collect();
    last.extend([write("src/answer", "42\n"), FINISH.to_owned()]);
    let last: Vec<&str> = last.iter().map(String::as_str).collect();
    [
        note,
        session("[x] part two", &last),
        part(
            "[x] part one",
            "two",
            ["[x] part one", "[>] part two", "[ ] the answer"],
            ["[x] part one", "[x] part two", "[ ] the answer"],
        ),
        part(
            "F-1",
            "one",
            ["[>] part one", "[ ] part two", "[ ] the answer"],
            ["[x] part one", "[ ] part two", "[ ] the answer"],
        ),
    ]
    .concat()
}

fn desk(server: &Server) -> Desk {
    let features = format!(
        "{{ \"schema\": 1, \"features\": [ {{ \"id\": \"F-1\", \"title\": \"Give the answer\", \"description\": \"{WISH}\", \
         \"status\": \"pending\", \"passes\": false }} ] }}\n"
    );
    let documents: Vec<(String, String)> = (0..12)
        .map(|number| {
            (
                format!("docs/big-{number}.md"),
                lines(&format!("document {number}"), 240),
            )
        })
        .collect();
    let mut files = vec![
        ("harness.toml", CONFIG),
        ("AGENTS.md", "# demo\n\nThe map of a long piece of work.\n"),
        ("feature_list.json", features.as_str()),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ];
    files.extend(
        documents
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str())),
    );
    let desk = Desk::with_files(&files);
    desk.home.configure(&format!(
        "[agent]\nmodel = \"small\"\n[model.small]\napi = \"chat\"\nbase_url = \"{}\"\nid = \"m\"\ncontext = \"24k tokens\"\n",
        server.base_url("chat")
    ));
    desk
}

/// Returns the requests of the agent: a note is asked for without tools.
fn requests(server: &Server) -> Vec<Received> {
    let received = server.received().into_iter();
    received
        .filter(|request| request.body["tools"].is_array())
        .collect()
}

fn is_first(request: &Received) -> bool {
    !messages(request)
        .iter()
        .any(|message| message["role"] == "assistant")
}

fn content(message: &Value) -> String {
    message["content"].to_string()
}

/// Everything of the first request stands in the second, but for results that were dropped.
fn check_cut(before: &Received, after: &Received) -> usize {
    let (old, new) = (messages(before), messages(after));
    let mut dropped = 0;
    for (old, new) in old.iter().zip(new) {
        if old == new {
            continue;
        }
        assert_eq!(old["role"], "tool", "only results are dropped: {old}");
        assert!(
            content(new).contains(STUB) && content(new).contains("read"),
            "{new}"
        );
        dropped += 1;
    }
    if dropped > 0 {
        assert!(after.text.len() < before.text.len());
        let told = content(new.last().unwrap());
        assert!(told.contains(WISH) && told.contains("# Scope"), "{told}");
        assert!(told.contains("[ ] the answer"), "{told}");
        // The first messages are as they were, and the last turn is whole.
        assert_eq!(old[..2], new[..2]);
        assert!(
            new[old.len()..]
                .iter()
                .all(|message| !content(message).contains(STUB))
        );
    }
    dropped
}

#[test]
fn a_feature_of_fifty_turns_is_proven_in_a_window_of_24k() {
    let server = Server::scripted(&script());
    let desk = desk(&server);
    let mut live = Live::start(&desk, &["run"]);
    assert!(
        live.wait_for("window_full", 1),
        "the first window is never full"
    );
    assert!(live.wait_for("turn_started", 8));
    live.kill();
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);

    let requests = requests(&server);
    assert!(requests.len() >= 40, "{} turns", requests.len());
    let mut cuts = 0;
    let mut fresh = Vec::new();
    for pair in requests.windows(2) {
        // No request is larger than the window, at four bytes for a token.
        assert!(pair[1].text.len() < 24_000 * 5, "{}", pair[1].text.len());
        if is_first(&pair[1]) && !is_first(&pair[0]) {
            assert!(pair[1].text.len() < pair[0].text.len() / 2);
            fresh.push(pair[1].text.clone());
        } else {
            cuts += usize::from(check_cut(&pair[0], &pair[1]) > 0);
        }
    }
    assert!(cuts >= 3, "{cuts} cuts in {} requests", requests.len());
    assert_eq!(fresh.len(), 2, "hand-overs");
    for (text, open) in fresh.iter().zip(["[ ] part two", "[ ] the answer"]) {
        for wanted in [
            WISH,
            open,
            "[ ] the answer",
            "You go on with this feature",
            "the other part",
            "src/one-0",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }

    let progress = desk.project.read("progress.md");
    assert_eq!(progress.matches("F-1 handed over").count(), 2, "{progress}");
    assert!(
        progress.contains("a fresh session goes on")
            && progress.contains("trap: the files are long"),
        "{progress}"
    );
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    assert_eq!(desk.harness(&["land"]).code, 0);
    assert_eq!(desk.project.read("src/answer"), "42\n");
    assert!(desk.project.read("src/two-0").starts_with("two-0 line 0"));
    assert_eq!(desk.harness(&["verify"]).code, 0);
    let sessions = desk.harness(&["session", "list"]);
    assert_eq!(
        sessions.stdout.matches("handed over").count(),
        2,
        "{}",
        sessions.stdout
    );
}

#[test]
fn a_window_that_is_too_small_from_the_start_names_the_largest_part() {
    let server = Server::scripted(&script());
    let desk = desk(&server);
    desk.home.configure(&format!(
        "[agent]\nmodel = \"small\"\n[model.small]\napi = \"chat\"\nbase_url = \"{}\"\nid = \"m\"\ncontext = \"2k tokens\"\n",
        server.base_url("chat")
    ));
    let story = desk.story(&["run"]);
    story.assert_ended("blocked", 5);
    let detail = story.first("run_ended")["detail"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        detail.contains("the largest part is") && detail.contains("--model"),
        "{detail}"
    );
    assert!(server.received().is_empty());
}
