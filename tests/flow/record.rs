//! `--record` keeps what goes over the wire and no key; `--agent replay:` plays it through the real program.

mod broken;
mod keys;
mod notes;
mod others;
mod stopped;

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use harness_testkit::{Reply, Server};
use serde_json::Value;

use crate::support::{Desk, FINISH, Story, WIRES, session, shell, write};

/// The script of most runs here: a wrong answer, a refused finish, a right one.
fn work() -> String {
    let (wrong, right) = (write("src/answer", "41\n"), write("src/answer", "42\n"));
    let look = shell("cat src/answer");
    session("F-1", &[&wrong, FINISH, &look, &right, FINISH])
}

fn folder(desk: &Desk, name: &str) -> PathBuf {
    desk.project.outside().join(name)
}

/// Records a run against a server that answers so first.
fn record(api: &str, replies: Vec<Reply>) -> (Desk, PathBuf, Story) {
    let desk = Desk::new();
    let server = Server::scripted(&work());
    server.reply_with(replies);
    desk.use_server(&server, api);
    let recording = folder(&desk, "recording");
    let story = desk.story(&["run", "--record", &recording.display().to_string()]);
    (desk, recording, story)
}

/// Plays a recording in a project of its own, with a home that knows no model and no key.
fn replay(recording: &Path) -> (Desk, Story) {
    let desk = Desk::new();
    let story = replay_at(&desk, recording, &["run"]);
    (desk, story)
}

fn replay_at(desk: &Desk, recording: &Path, command: &[&str]) -> Story {
    let agent = format!("replay:{}", recording.display());
    desk.story(&[command, &["--agent", &agent]].concat())
}

fn meta(recording: &Path) -> Value {
    let text = fs::read(recording.join("meta.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Returns a key of every exchange.
fn column(recording: &Path, key: &str) -> Vec<Value> {
    let meta = meta(recording);
    let entries = meta["interactions"].as_array().unwrap().iter();
    entries.map(|entry| entry[key].clone()).collect()
}

/// Returns what a run came to: the ends of its requests and calls, and the tree it proved.
fn came_to(story: &Story) -> Vec<String> {
    let kinds: [(&str, &[&str]); 7] = [
        ("model_responded", &["text"]),
        ("model_failed", &["class"]),
        ("tool_called", &["tool", "verdict"]),
        ("tool_returned", &["ok"]),
        ("finish_refused", &["reason"]),
        ("feature_passed", &["tree"]),
        ("run_ended", &["reason", "exit_code"]),
    ];
    let tell = |(kind, keys): (&str, &[&str])| {
        let lines = story.all(kind).into_iter();
        let told = lines.map(|line| {
            let values = keys.iter().map(|key| line[*key].to_string());
            format!("{kind} {}", values.collect::<Vec<_>>().join(" "))
        });
        told.collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(tell).collect()
}

/// Returns the files of the commit that proves the feature, as git has them.
fn proven(desk: &Desk) -> String {
    let branch = ["for-each-ref", "--format=%(refname)", "refs/heads/harness"];
    let branch = desk.project.git(&branch);
    desk.project
        .git(&["ls-tree", "-r", &branch, "src", "tests"])
}

fn check_same(recorded: (&Desk, &Story), recording: &Path) {
    let played = check_same_end(recorded, recording);
    let usage = |story: &Story| -> Vec<Value> {
        let lines = story.all("model_responded").into_iter();
        lines.map(|line| line["usage"].clone()).collect()
    };
    assert_eq!(usage(&played), usage(recorded.1), "{played}");
}

/// Compares all but tokens: what a request weighs changes with every word of a tool.
fn check_same_end(recorded: (&Desk, &Story), recording: &Path) -> Story {
    let (desk, story) = replay(recording);
    assert_eq!(
        came_to(&story),
        came_to(recorded.1),
        "{story}\n{}",
        recorded.1
    );
    assert_eq!(proven(&desk), proven(recorded.0));
    assert_eq!(story.first("session_started")["recorded"], true, "{story}");
    let costs = story.all("model_responded");
    assert!(costs.iter().all(|line| line["usd"] == 0.0), "{story}");
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    story
}

#[test]
fn a_recorded_run_plays_to_the_same_end_on_every_wire() {
    for api in WIRES {
        let (desk, recording, story) = record(api, Vec::new());
        story.assert_ended("all_passing", 0);
        assert!(
            story.run.stderr.contains("5 exchanges are recorded in"),
            "{story}"
        );
        assert_eq!(column(&recording, "ended"), ["complete"; 5]);
        check_same((&desk, &story), &recording);
    }
}

#[test]
fn a_body_is_kept_byte_for_byte_with_the_moments_it_came() {
    let body = include_bytes!("../../fixtures/provider/chat-tools.sse");
    let stream = Reply::Recorded {
        body: body.to_vec(),
        chunk: 7,
    };
    let (_desk, recording, _) = record("chat", vec![stream]);
    assert_eq!(fs::read(recording.join("00.response.sse")).unwrap(), body);
    let request = fs::read(recording.join("00.request.json")).unwrap();
    let request: Value = serde_json::from_slice(&request).unwrap();
    assert_eq!(request["model"], "test-model");
    let chunks = fs::read_to_string(recording.join("00.chunks.tsv")).unwrap();
    let came = chunks.lines().map(|line| line.split_once('\t').unwrap().1);
    let came: usize = came.map(|bytes| bytes.parse::<usize>().unwrap()).sum();
    assert_eq!(came, body.len());
    assert_eq!(column(&recording, "url_path")[0], "/v1/chat/completions");
}

#[test]
fn failures_and_retries_are_played_again_without_the_waits() {
    let status = |status, wait: &str| Reply::Status {
        status,
        headers: vec![("retry-after-ms", wait.to_owned())],
        body: "{\"error\":{\"message\":\"unwell\"}}".to_owned(),
    };
    let reset = harness_testkit::Shape {
        alter: |body| body[..body.len() / 2].to_vec(),
        end: harness_testkit::Ending::Reset,
        ..harness_testkit::Shape::default()
    };
    let replies = vec![
        status(429, "20"),
        Reply::Close,
        Reply::Script,
        Reply::Cut { bytes: 100 },
        Reply::Shaped(reset),
    ];
    let (desk, recording, story) = record("anthropic", replies);
    story.assert_ended("all_passing", 0);
    assert_eq!(story.all("provider_retried").len(), 4, "{story}");
    let ended = column(&recording, "ended");
    assert_eq!(ended.len(), 9);
    assert_eq!(ended[0], "complete");
    for at in [1, 3, 4] {
        assert!(
            ["cut", "reset"].contains(&ended[at].as_str().unwrap()),
            "{ended:?}"
        );
    }
    check_same((&desk, &story), &recording);
    let (_, replayed) = replay(&recording);
    for line in replayed.all("provider_retried") {
        assert_eq!(line["delay_ms"], 1, "{replayed}");
    }
}

#[test]
fn a_silent_server_is_silent_again() {
    let desk = Desk::new();
    let server = Server::scripted(&work());
    server.reply_with([Reply::Stall(Duration::from_secs(5))]);
    desk.use_server(&server, "chat");
    let limits = "[limits]\nidle = \"1s\"\n";
    let config = fs::read_to_string(desk.home.path().join(".config/harness/config.toml")).unwrap();
    desk.home.configure(&format!("{config}{limits}"));
    let recording = folder(&desk, "recording");
    let story = desk.story(&["run", "--record", &recording.display().to_string()]);
    story.assert_ended("all_passing", 0);
    assert_eq!(column(&recording, "ended")[0], "silent");
    check_same((&desk, &story), &recording);
}

#[test]
fn a_run_that_another_model_went_on_with_plays_to_the_same_end() {
    let desk = Desk::new();
    let (first, second) = (Server::scripted(&work()), Server::scripted(&work()));
    let unwell = Reply::Status {
        status: 503,
        headers: vec![("retry-after-ms", "1".to_owned())],
        body: String::new(),
    };
    first.reply_with([vec![Reply::Script], vec![unwell; 20]].concat());
    let (a, b) = (first.base_url("gemini"), second.base_url("chat"));
    desk.home.configure(&format!(
        "[agent]\nmodel = \"first\"\nfallback = [\"second\"]\n\
         [model.first]\napi = \"gemini\"\nbase_url = \"{a}\"\nid = \"m1\"\n\
         [model.second]\napi = \"chat\"\nbase_url = \"{b}\"\nid = \"m2\"\n"
    ));
    let recording = folder(&desk, "recording");
    let story = desk.story(&["run", "--record", &recording.display().to_string()]);
    story.assert_ended("all_passing", 0);
    check_same((&desk, &story), &recording);
    let (_, replayed) = replay(&recording);
    assert_eq!(replayed.first("model_changed")["to"], "second");
}

#[test]
fn a_recording_that_is_used_up_ends_the_run_and_says_so() {
    let (_desk, recording, _) = record("chat", Vec::new());
    let mut meta = meta(&recording);
    meta["interactions"].as_array_mut().unwrap().truncate(2);
    fs::write(recording.join("meta.json"), meta.to_string()).unwrap();
    let (desk, story) = replay(&recording);
    story.assert_ended("provider_failed", 6);
    let told = "the recording has 2 exchanges; request 3 is not in it";
    assert!(
        story.run.stderr.contains(told) || story.run.stdout.contains(told),
        "{story}"
    );
    assert_eq!(
        desk.project.read("src/answer"),
        "41\n",
        "what was played was done"
    );
}

#[test]
fn both_flags_take_a_recording_or_a_script_at_either_pace() {
    let (_desk, recording, _) = record("ollama", Vec::new());
    let recording = format!("replay:{}", recording.display());
    let desk = Desk::new();
    let script = desk.script(&work());
    for (flag, name) in [("--agent", &script), ("--model", &recording)] {
        let desk = Desk::new();
        desk.story(&["run", flag, name, "--pace", "natural"])
            .assert_ended("all_passing", 0);
    }
    for (flags, told) in [
        (vec!["--agent", "nobody"], "there is no agent `nobody`"),
        (
            vec!["--agent", &recording, "--model", "x"],
            "cannot ask model `x`",
        ),
        (vec!["--agent", "script:/none"], "there is no such file"),
    ] {
        let run = desk.harness(&[vec!["run", "--no-input"], flags].concat());
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(told), "{}", run.stderr);
        assert!(
            run.stderr.contains("hint: ") || told.contains("file"),
            "{}",
            run.stderr
        );
    }
}

/// Where the recordings that are kept with the program are.
fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/recordings")
        .join(name)
}

/// Records what is kept under `fixtures/recordings/answer`; `HARNESS_ACCEPT_RECORDING=1` keeps it anew.
fn record_answer() -> (Desk, PathBuf, Story) {
    let body = include_bytes!("../../fixtures/provider/anthropic-tools.sse");
    let stream = Reply::Recorded {
        body: body.to_vec(),
        chunk: 300,
    };
    let limited = Reply::Status {
        status: 429,
        headers: vec![("retry-after-ms", "20".to_owned())],
        body: "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"slow down\"}}"
            .to_owned(),
    };
    let (desk, recording, story) = record("anthropic", vec![limited, stream]);
    if env::var_os("HARNESS_ACCEPT_RECORDING").is_some() {
        let kept = kept("answer");
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir_all(&kept).unwrap();
        for entry in fs::read_dir(&recording).unwrap() {
            let from = entry.unwrap().path();
            // Nothing reads what was sent, and it changes with every word of a tool.
            if !from.to_string_lossy().ends_with(".request.json") {
                fs::copy(&from, kept.join(from.file_name().unwrap())).unwrap();
            }
        }
    }
    (desk, recording, story)
}

#[test]
fn a_recording_of_ones_own_becomes_a_test() {
    let (recorded, _, story) = record_answer();
    story.assert_ended("all_passing", 0);
    check_same_end((&recorded, &story), &kept("answer"));
}
