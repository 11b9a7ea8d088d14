//! Back to an earlier turn: the talk, the files, or both; what is forgotten is not sent again.

use harness_testkit::{Received, Reply, Server};
use serde_json::Value;

use crate::support::{
    CONFIG, Desk, FEATURES, FINISH, Story, TESTS, Terminal, news, session, shell, write,
};

/// Three turns, each of which leaves a file and a word; then the server stops the run.
fn stopped() -> (Desk, Story) {
    let turns = [
        write("src/first", "wort-uno\n"),
        write("src/second", "wort-due\n"),
        write("src/answer", "wort-tre\n"),
    ];
    stopped_after(Desk::new(), &turns)
}

/// The same with other turns.
fn stopped_after(desk: Desk, turns: &[String]) -> (Desk, Story) {
    let all: Vec<&str> = turns.iter().map(String::as_str).collect();
    let server = Server::scripted(&session("F-1", &all));
    let refused = Reply::Status {
        status: 401,
        headers: Vec::new(),
        body: "{}".to_owned(),
    };
    let answers = turns.iter().map(|_| Reply::Script);
    server.reply_with(answers.chain([refused]));
    desk.use_server(&server, "chat");
    let story = desk.story(&["run"]);
    story.assert_ended("provider_failed", 6);
    (desk, story)
}

/// Goes on with a model that has another idea in place of turn 2.
fn goes_on(desk: &Desk, answers: usize) -> (Vec<Received>, Story) {
    goes_on_with(desk, answers, &[])
}

fn goes_on_with(desk: &Desk, answers: usize, flags: &[&str]) -> (Vec<Received>, Story) {
    let mut turns = vec![shell("true"); answers];
    turns.extend([write("src/answer", "42\n"), FINISH.to_owned()]);
    let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "chat");
    let story = desk.story(&[&["resume", "--last", "--max-turns", "20"], flags].concat());
    story.assert_ended("all_passing", 0);
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    (server.received(), story)
}

fn rewind(desk: &Desk, arguments: &[&str]) -> Value {
    let run = desk.harness(&[&["rewind"], arguments, &["--json"]].concat());
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap()
}

fn files(desk: &Desk) -> [String; 3] {
    ["src/first", "src/second", "src/answer"].map(|path| desk.project.read(path))
}

#[test]
fn talk_and_files_go_back_and_the_next_request_has_none_of_what_was_forgotten() {
    let (desk, before) = stopped();
    let done = rewind(&desk, &["2"]);
    assert_eq!(
        (&done["what"], &done["files"]),
        (&Value::from("both"), &Value::from(2))
    );
    assert_eq!(files(&desk), ["wort-uno\n", "", "0\n"]);
    let (requests, story) = goes_on(&desk, 1);
    let first = &requests[0].text;
    assert!(
        first.contains("wort-uno") && !first.contains("wort-due") && !first.contains("wort-tre"),
        "{first}"
    );
    assert!(news(&requests[0]).contains("taken the conversation and the files back to here"));
    // Neither turns nor money go back.
    assert_eq!(story.first("turn_started")["turn"], 5);
    let spent = |story: &Story| story.first("run_ended")["usd"].as_f64();
    assert!(spent(&story) >= spent(&before), "{story}");
    assert_eq!(files(&desk), ["wort-uno\n", "", "42\n"]);
    // A turn of proven work is not gone back into.
    let run = desk.harness(&["rewind", "1"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("its last session is over"),
        "{}",
        run.stderr
    );
}

#[test]
fn talk_alone_leaves_the_files() {
    let (desk, _) = stopped();
    rewind(&desk, &["2", "--talk"]);
    assert_eq!(files(&desk), ["wort-uno\n", "wort-due\n", "wort-tre\n"]);
    let (requests, _) = goes_on(&desk, 1);
    let first = &requests[0].text;
    assert!(
        !first.contains("wort-due") && !first.contains("wort-tre"),
        "{first}"
    );
    assert!(news(&requests[0]).contains("The files stay as they are"));
}

#[test]
fn files_alone_leave_the_talk_and_can_be_brought_forth_again() {
    let (desk, _) = stopped();
    rewind(&desk, &["3", "--files", "--session", "S-0001"]);
    assert_eq!(files(&desk), ["wort-uno\n", "wort-due\n", "0\n"]);
    // The way back is a checkpoint as well.
    let undone = desk.harness(&["checkpoint", "undo", "3"]);
    assert_eq!(undone.code, 0, "{}", undone.stderr);
    assert_eq!(files(&desk), ["wort-uno\n", "wort-due\n", "wort-tre\n"]);
    rewind(&desk, &["2", "--files"]);
    assert_eq!(files(&desk), ["wort-uno\n", "", "0\n"]);
    let (requests, _) = goes_on(&desk, 3);
    let first = &requests[0].text;
    assert!(
        first.contains("wort-due") && first.contains("wort-tre"),
        "{first}"
    );
    assert!(news(&requests[0]).contains("files back to how they were when turn 2 began"));
    assert_eq!(files(&desk), ["wort-uno\n", "", "42\n"]);
}

#[test]
fn what_a_person_has_changed_is_named_and_nothing_goes_back() {
    let (desk, _) = stopped();
    desk.project.write("src/second", "mine\n");
    let run = desk.harness(&["rewind", "2"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(run.stderr.contains("`src/second`") && run.stderr.contains("nothing was changed"));
    assert_eq!(files(&desk), ["wort-uno\n", "mine\n", "wort-tre\n"]);
    let (requests, _) = goes_on_with(&desk, 3, &["--take-changes"]);
    assert!(requests[0].text.contains("wort-tre"), "the talk went back");
}

#[test]
fn turns_that_are_not_there_are_refused_with_those_that_are() {
    let (desk, _) = stopped();
    for (turn, why) in [
        ("5", "there is no turn 5: the session has turns 1 to 4"),
        ("0", "0 is not in 1.."),
    ] {
        let run = desk.harness(&["rewind", turn]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
    rewind(&desk, &["2"]);
    let forgotten = desk.harness(&["rewind", "3"]);
    assert!(
        forgotten.stderr.contains("the session has turns 1 to 2"),
        "{}",
        forgotten.stderr
    );
    // Before that, further back is still there.
    rewind(&desk, &["1"]);
    assert_eq!(files(&desk), ["", "", "0\n"]);
    assert_eq!(desk.harness(&["rewind", "1", "--talk", "--files"]).code, 2);
    assert_eq!(
        desk.harness(&["rewind", "1", "--session", "S-0009"]).code,
        2
    );
}

/// Leaves the session as a kill does in the middle: the wish is in the log, its end is not told.
fn forget_the_end(desk: &Desk) {
    let log = desk
        .project
        .root()
        .join(".git/harness/sessions/S-0001/log.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let (kept, end) = text.trim_end().rsplit_once('\n').unwrap();
    assert!(end.contains("\"rewound\""), "{end}");
    std::fs::write(&log, format!("{kept}\n")).unwrap();
    // Its record was never durable.
    std::fs::remove_file(log.with_file_name("log.synced")).unwrap();
}

#[test]
fn a_wish_whose_process_was_killed_is_carried_out_by_the_next() {
    let (desk, _) = stopped();
    rewind(&desk, &["2"]);
    // The files are half back.
    forget_the_end(&desk);
    desk.project.write("src/answer", "wort-tre\n");
    let (requests, story) = goes_on(&desk, 1);
    assert_eq!(story.first("rewound")["turn"], 2, "{story}");
    let first = &requests[0].text;
    assert!(
        !first.contains("wort-due") && !first.contains("wort-tre"),
        "{first}"
    );
    assert_eq!(files(&desk), ["wort-uno\n", "", "42\n"]);
}

#[test]
fn files_go_back_to_the_byte_whatever_git_makes_of_line_endings() {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        (".gitattributes", "* text=auto\n"),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let turns = [write("src/first", "uno\r\n"), write("src/first", "due\n")];
    let (desk, _) = stopped_after(desk, &turns);
    rewind(&desk, &["2"]);
    forget_the_end(&desk);
    desk.project.write("src/first", "due\n");
    let (_, story) = goes_on(&desk, 1);
    assert_eq!(story.first("rewound")["files"], 1, "{story}");
    assert_eq!(files(&desk), ["uno\r\n", "", "42\n"]);
}

#[test]
fn on_the_screen_a_turn_is_chosen_and_the_next_words_follow() {
    let desk = Desk::new();
    let turns = [
        write("src/answer", "41\n"),
        "I only talk.".to_owned(),
        "And talk.".to_owned(),
    ];
    let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "chat");
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &["run"], (80, 24));
    terminal.wait_for("say how to go on");
    // The transcript has the focus: the first turn, and the key that proposes.
    terminal.press("\t[[[");
    terminal.press("r");
    terminal.wait_for("/rewind 1 both");
    terminal.press("\r");
    terminal.wait_until("the file of before", |_| {
        desk.project.read("src/answer") == "0\n"
    });
    terminal.wait_for("waits for you");
    terminal.press("zig zag\r");
    terminal.wait_until("a request with the words", |_| {
        server
            .received()
            .iter()
            .any(|request| news(request).contains("zig zag"))
    });
    let requests = server.received();
    let next = requests
        .iter()
        .find(|request| news(request).contains("zig zag"))
        .unwrap();
    let said = next.body["messages"].to_string();
    assert!(!said.contains("I only talk"), "{said}");
    assert!(next.text.contains("chooses another way"), "{}", next.text);
    terminal.wait_for("say how to go on");
    terminal.press("/rewind 9\r");
    terminal.wait_for("there is no turn 9");
    // Stopped, the same command goes back before anything runs.
    terminal.press("\u{3}");
    terminal.wait_for("run ended: interrupted");
    terminal.press("/rewind 1 files\r");
    terminal.wait_for("files; the conversation stays");
    assert_eq!(desk.project.read("src/answer"), "0\n");
    terminal.press("\u{4}");
    terminal.end();
}
