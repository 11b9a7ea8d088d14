//! Runs that are killed, stopped or lose their recording, and the folders that none is made in.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use harness_testkit::{Reply, Server};

use super::{check_same, column, folder, meta, replay, replay_at, work};
use crate::support::{Desk, FINISH, Live, session, write};

/// A stream that says so much and then takes its time.
fn slow() -> Reply {
    let event = |text: &str| {
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
            .into_bytes()
    };
    let mut pieces = vec![event("I "), event("think")];
    pieces.resize(100, event("."));
    Reply::Paced {
        pieces,
        pause: Duration::from_millis(100),
    }
}

/// Starts a run whose second answer is slow, and waits until some of that one is recorded.
fn start(desk: &Desk, server: &Server) -> Live {
    server.reply_with([Reply::Script, slow()]);
    desk.use_server(server, "chat");
    let recording = folder(desk, "recording");
    let live = Live::start(desk, &["run", "--record", &recording.display().to_string()]);
    let body = recording.join("01.response.sse");
    let until = Instant::now() + Duration::from_secs(60);
    while fs::read(&body).map_or(0, |bytes| bytes.len()) < 100 && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    live
}

#[test]
fn a_killed_run_leaves_a_recording_that_plays_up_to_there_and_can_be_gone_on_with() {
    let (desk, server) = (Desk::new(), Server::scripted(&work()));
    let live = start(&desk, &server);
    live.kill();
    let recording = folder(&desk, "recording");
    assert_eq!(column(&recording, "ended"), ["complete", "open"]);
    let body = fs::read_to_string(recording.join("01.response.sse")).unwrap();
    assert!(body.contains("think"), "{body}");

    let (played, story) = replay(&recording);
    story.assert_ended("provider_failed", 6);
    assert_eq!(played.project.read("src/answer"), "41\n");
    let failed = story.first("model_failed").to_string();
    assert!(failed.contains("killed here"), "{failed}");

    let flag = recording.display().to_string();
    let again = desk.harness(&["run", "--no-input", "--dirty", "base", "--record", &flag]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert!(
        again.stderr.contains("holds a recording already"),
        "{}",
        again.stderr
    );
    let resumed = desk.story(&["resume", "--last", "--record", &flag]);
    resumed.assert_ended("all_passing", 0);
    let numbers = column(&recording, "n");
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    let (whole, story) = replay(&recording);
    story.assert_ended("all_passing", 0);
    assert_eq!(whole.project.read("src/answer"), "42\n");
}

#[test]
fn a_stopped_run_leaves_a_cancelled_exchange() {
    let (desk, server) = (Desk::new(), Server::scripted(&work()));
    let live = start(&desk, &server);
    live.signal("INT");
    live.end().assert_ended("interrupted", 3);
    let recording = folder(&desk, "recording");
    assert_eq!(column(&recording, "ended"), ["complete", "cancelled"]);
    let (_, story) = replay(&recording);
    story.assert_ended("provider_failed", 6);
    assert!(
        story.to_string().contains("request 3 is not in it"),
        "{story}"
    );
}

#[test]
fn a_replayed_run_that_was_stopped_goes_on_with_the_next_exchange() {
    let (desk, server) = (Desk::new(), Server::scripted(&work()));
    desk.use_server(&server, "chat");
    let recording = folder(&desk, "recording");
    let recorded = desk.story(&["run", "--record", &recording.display().to_string()]);
    recorded.assert_ended("all_passing", 0);
    let desk = Desk::new();
    replay_at(&desk, &recording, &["run", "--max-turns", "3"]).assert_ended("limit", 3);
    // Nobody said that a server may be asked, although there is one.
    let asked = server.received().len();
    desk.use_server(&server, "chat");
    let unsaid = desk.harness(&["resume", "--last", "--no-input"]);
    assert_eq!(unsaid.code, 2, "{}", unsaid.stderr);
    assert!(
        unsaid.stderr.contains("--agent replay:DIR"),
        "{}",
        unsaid.stderr
    );
    assert_eq!(server.received().len(), asked);
    replay_at(&desk, &recording, &["resume", "--last"]).assert_ended("all_passing", 0);
}

#[test]
fn a_recording_that_cannot_be_written_any_more_is_said_once_and_the_run_goes_on() {
    let desk = Desk::new();
    let right = write("src/answer", "42\n");
    let script = session("F-1", &[&right, FINISH]);
    let server =
        Server::scripted(&script.replace("[[session.turn]]", "[[session.turn]]\nthink_ms = 300"));
    desk.use_server(&server, "chat");
    let recording = folder(&desk, "recording");
    let mut live = Live::start(
        &desk,
        &["run", "--record", &recording.display().to_string()],
    );
    assert!(live.wait_for("session_started", 1));
    fs::remove_dir_all(&recording).unwrap();
    let story = live.end();
    story.assert_ended("all_passing", 0);
    let told = story.run.stderr.matches("recording into").count();
    assert_eq!(told, 1, "{story}");
    assert!(story.run.stderr.contains("stopped: cannot"), "{story}");
}

#[test]
fn a_folder_that_cannot_be_recorded_into_is_refused_before_the_first_request() {
    let (desk, server) = (Desk::new(), Server::scripted(&work()));
    desk.use_server(&server, "chat");
    let outside = desk.project.outside().to_owned();
    fs::write(outside.join("file"), "x").unwrap();
    fs::create_dir(outside.join("full")).unwrap();
    fs::write(outside.join("full/x"), "x").unwrap();
    std::os::unix::fs::symlink(desk.project.root(), outside.join("link")).unwrap();
    let root = desk.project.root();
    for (folder, told) in [
        (root.join("recording"), "it is inside the repository"),
        (root.join("a/../b"), "it is inside the repository"),
        (
            outside.join("none/../demo/x"),
            "it is inside the repository",
        ),
        (outside.join("link/x"), "it is inside the repository"),
        (root.join(".git/x"), "it is inside the repository"),
        (root.clone(), "it is inside the repository"),
        (outside.join("full"), "it is not empty"),
        (outside.join("file"), "cannot"),
        (outside.join("file/x"), "cannot create folder"),
        ("/proc/x".into(), "cannot create folder"),
    ] {
        let run = desk.harness(&[
            "run",
            "--no-input",
            "--record",
            &folder.display().to_string(),
        ]);
        assert_eq!(run.code, 2, "{}: {}", folder.display(), run.stderr);
        assert!(
            run.stderr.contains(told),
            "{}: {}",
            folder.display(),
            run.stderr
        );
    }
    let script = desk.script(&work());
    let place = outside.join("new").display().to_string();
    let run = desk.harness(&["run", "--no-input", "--model", &script, "--record", &place]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("asks no server"), "{}", run.stderr);
    assert!(server.received().is_empty());
    assert!(!outside.join("new").exists());
    // The number of a run that never began is not used up.
    let story = desk.story(&["run", "--record", &place]);
    story.assert_ended("all_passing", 0);
    assert_eq!(meta(&outside.join("new"))["models"][0]["name"], "test");
    check_same((&desk, &story), &outside.join("new"));
}
