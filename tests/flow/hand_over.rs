//! The note for the next session: paid at the price of who writes it, cut short by a person, and made again after a kill.

use std::{fs, thread, time::Duration};

use harness_testkit::{Reply, Server};
use serde_json::Value;

use crate::support::{Desk, Live, session, shell};

/// Makes a project that has a dear model and a cheap one for notes, each at a server of its own.
fn desk(main: &Server, cheap: &Server) -> Desk {
    let desk = Desk::new();
    desk.home.configure(&format!(
        "[agent]\nmodel = \"main\"\n[role.cheap]\nmodel = \"small\"\n\
         [model.main]\napi = \"chat\"\nbase_url = \"{}\"\nid = \"m\"\nprice = {{ input = 100.0, output = 100.0 }}\n\
         [model.small]\napi = \"chat\"\nbase_url = \"{}\"\nid = \"s\"\nprice = {{ input = 10.0, output = 20.0 }}\n",
        main.base_url("chat"),
        cheap.base_url("chat"),
    ));
    desk
}

fn main_server() -> Server {
    let look = shell("cat src/answer");
    Server::scripted(&session("F-1", &[&look, &look, &look]))
}

fn piece(text: &str) -> Vec<u8> {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
        .into_bytes()
}

fn whole(text: &str) -> Reply {
    let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\
               \"usage\":{\"prompt_tokens\":700,\"completion_tokens\":10}}\n\ndata: [DONE]\n\n";
    Reply::Recorded {
        body: [piece(text), end.into()].concat(),
        chunk: 64,
    }
}

/// A note that takes longer than anybody waits.
fn slow() -> Reply {
    let mut pieces = vec![piece("left: write 42")];
    pieces.resize(100, piece("."));
    Reply::Paced {
        pieces,
        pause: Duration::from_millis(100),
    }
}

/// Returns what the day's file says that was spent, in millionths of a dollar.
fn spent_today(desk: &Desk) -> Vec<u64> {
    let folder = desk.home.path().join(".local/state/harness/spend");
    let day = fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    let text = fs::read_to_string(day.path()).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| line["micro_usd"].as_u64().unwrap())
        .collect()
}

fn micro(usd: &Value) -> u64 {
    (usd.as_f64().unwrap() * 1e6).round() as u64
}

#[test]
fn a_note_costs_what_its_writer_costs_once() {
    let (main, cheap) = (main_server(), Server::scripted(&session("F-1", &["-"])));
    cheap.reply_with([whole("left: write 42")]);
    let desk = desk(&main, &cheap);
    let story = desk.story(&["run", "--max-turns", "2", "--max-usd", "5"]);
    story.assert_ended("limit", 3);
    assert_eq!((main.received().len(), cheap.received().len()), (2, 1));
    let note = story.first("handed_over");
    assert_eq!(note["by_model"], true, "{note}");
    assert_eq!(micro(&note["usd"]), 700 * 10 + 10 * 20, "{note}");
    let mut costs: Vec<u64> = story
        .all("model_responded")
        .iter()
        .map(|line| micro(&line["usd"]))
        .collect();
    costs.push(micro(&note["usd"]));
    assert_eq!(spent_today(&desk), costs);
    assert_eq!(
        micro(&story.first("run_ended")["usd"]),
        costs.iter().sum::<u64>()
    );
}

/// Starts a run and waits until the cheap model writes its note.
fn writing(desk: &Desk, cheap: &Server) -> Live {
    let mut live = Live::start(desk, &["run", "--max-turns", "2"]);
    assert!(live.wait_for("feature_status", 2));
    while cheap.received().is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    live
}

#[test]
fn every_request_counts_once_at_the_price_of_who_was_asked() {
    let (main, cheap) = (main_server(), Server::scripted(&session("F-1", &["-"])));
    let spare = Server::scripted(&session("F-1", &[&shell("cat src/answer")]));
    let half = Reply::Recorded {
        body: piece(&"so ".repeat(40)),
        chunk: 64,
    };
    let no_more = Reply::Status {
        status: 402,
        headers: Vec::new(),
        body: String::new(),
    };
    main.reply_with([half, no_more]);
    cheap.reply_with([whole("left: write 42")]);
    let desk = desk(&main, &cheap);
    let config = desk.home.path().join(".config/harness/config.toml");
    let config = fs::read_to_string(config).unwrap();
    desk.home.configure(&format!(
        "{}\n[model.spare]\napi = \"chat\"\nbase_url = \"{}\"\nid = \"x\"\nprice = {{ input = 1.0, output = 1.0 }}\n",
        config.replace("model = \"main\"", "model = \"main\"\nfallback = [\"spare\"]"),
        spare.base_url("chat"),
    ));
    let story = desk.story(&["run", "--max-turns", "1", "--max-usd", "5"]);
    story.assert_ended("limit", 3);
    let asked = [
        main.received().len(),
        spare.received().len(),
        cheap.received().len(),
    ];
    assert_eq!(asked, [2, 1, 1], "{story}");
    let kinds = ["model_failed", "model_responded", "handed_over"];
    let lines = kinds.iter().flat_map(|kind| story.all(kind));
    let costs: Vec<u64> = lines
        .filter(|line| line["usd"].is_number())
        .map(|line| micro(&line["usd"]))
        .collect();
    assert_eq!(costs.len(), 3, "{story}");
    assert!(costs[0] > 40 * costs[1], "{costs:?}");
    assert_eq!(spent_today(&desk), costs);
    assert_eq!(
        micro(&story.first("run_ended")["usd"]),
        costs.iter().sum::<u64>()
    );
}

#[test]
fn the_note_is_no_change_of_anybody_for_the_process_that_goes_on() {
    let (main, cheap) = (main_server(), Server::scripted(&session("F-1", &["-"])));
    cheap.reply_with([whole("left: write 42"), whole("left: write 42 at last")]);
    let desk = desk(&main, &cheap);
    let story = desk.story(&["run", "--max-usd", "0.3"]);
    story.assert_ended("budget", 3);
    assert_eq!(main.received().len(), 1, "{story}");
    let more = desk.story(&["resume", "--last", "--max-usd", "5", "--max-turns", "2"]);
    more.assert_ended("limit", 3);
    for told in [&story, &more] {
        for kind in ["stray_undone", "changed_outside", "manifest_short"] {
            assert!(told.all(kind).is_empty(), "{told}");
        }
    }
    let progress = desk.project.read("progress.md");
    assert_eq!(progress.matches("F-1 handed over").count(), 2, "{progress}");
    assert!(desk.harness(&["land"]).code != 1);
}

#[test]
fn a_person_cuts_a_note_short_and_what_was_read_and_said_of_it_counts() {
    for (signal, code) in [("INT", 3), ("TERM", 143)] {
        let (main, cheap) = (main_server(), Server::scripted(&session("F-1", &["-"])));
        cheap.reply_with([slow()]);
        let desk = desk(&main, &cheap);
        let live = writing(&desk, &cheap);
        live.signal(signal);
        let story = live.end();
        assert_eq!(story.run.code, code, "{story}");
        let note = story.first("handed_over");
        assert_eq!(note["by_model"], false, "{note}");
        assert!(desk.project.read("progress.md").contains("F-1 handed over"));
        let spent = spent_today(&desk);
        assert_eq!(spent.len(), 3, "{story}");
        assert_eq!(micro(&note["usd"]), spent[2], "{note}");
        let ended = story.first("run_ended");
        assert_eq!(micro(&ended["usd"]), spent.iter().sum::<u64>(), "{ended}");
        assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    }
}

#[test]
fn a_note_that_a_kill_cut_off_is_written_by_the_process_that_goes_on() {
    let (main, cheap) = (main_server(), Server::scripted(&session("F-1", &["-"])));
    cheap.reply_with([slow(), whole("left: write 42")]);
    let desk = desk(&main, &cheap);
    writing(&desk, &cheap).kill();
    let story = desk.story(&["resume", "--last", "--max-turns", "2"]);
    story.assert_ended("limit", 3);
    assert_eq!((main.received().len(), cheap.received().len()), (2, 2));
    let progress = desk.project.read("progress.md");
    assert_eq!(progress.matches("F-1 handed over").count(), 1, "{progress}");
    assert!(progress.contains("- Next: write 42"), "{progress}");
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
}

#[test]
fn a_progress_log_that_cannot_be_written_is_said_and_the_note_is_kept() {
    let (main, cheap) = (main_server(), Server::scripted(&session("F-1", &["-"])));
    cheap.reply_with([whole("left: write 42")]);
    let desk = desk(&main, &cheap);
    let file = desk.project.root().join("progress.md");
    fs::write(&file, b"no text: \xff\n").unwrap();
    let story = desk.story(&["run", "--max-turns", "2"]);
    story.assert_ended("limit", 3);
    let note = story.first("handed_over");
    assert_eq!(fs::read(&file).unwrap(), b"no text: \xff\n");
    let problem = note["problem"].as_str().unwrap();
    assert!(problem.starts_with("cannot write `progress.md`"), "{note}");
    assert!(
        note["note"].as_str().unwrap().contains("- Next: write 42"),
        "{note}"
    );
}
