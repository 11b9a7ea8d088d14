//! A question blocks its feature alone: others go on, the answer comes from anywhere, and the work is not lost.

use std::{process::Stdio, thread, time::Duration};

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{CONFIG, Desk, FINISH, Live, TESTS, Terminal, news, session, write};

const THREE: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Write the list", "description": "the list of src/list", "status": "pending", "passes": false },
  { "id": "F-2", "title": "Write the two", "description": "the two of src/two", "status": "pending", "passes": false },
  { "id": "F-3", "title": "Write the three", "description": "the three of src/three", "status": "pending", "passes": false }
] }
"#;

fn desk() -> Desk {
    Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", THREE),
        ("src/answer", "42\n"),
        ("tests/run.sh", TESTS),
    ])
}

fn ask(question: &str) -> String {
    format!(
        "{{ tool = \"ask\", text = {} }}",
        toml::Value::String(question.to_owned())
    )
}

/// The first feature begins its work and asks; the others are done at once.
fn script(question: &str) -> String {
    let half = write("src/list", "half\n");
    let whole = write("src/list", "a,b\n");
    let done = |number: &str| {
        session(
            &format!("the {number} of"),
            &[&write(&format!("src/{number}"), "x\n"), FINISH],
        )
    };
    [
        session("The person answers: ", &[&whole, FINISH]),
        session("the list of", &[&half, &ask(question)]),
        done("two"),
        done("three"),
    ]
    .concat()
}

fn asked(question: &str) -> (Desk, Server, crate::support::Story) {
    let desk = desk();
    let server = Server::scripted(&script(question));
    desk.use_server(&server, "chat");
    let story = desk.story(&["run"]);
    (desk, server, story)
}

fn json(desk: &Desk, arguments: &[&str]) -> Vec<Value> {
    let run = desk.harness(&[arguments, &["--json"]].concat());
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let lines = run.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_question_blocks_its_feature_and_the_answer_brings_its_work_back() {
    let (desk, server, story) = asked("Which separator?\n1 comma\n2 tab");
    story.assert_ended("needs_human", 5);
    let passed: Vec<&Value> = story.all("feature_passed");
    assert_eq!(passed.len(), 2, "{story}");
    assert_eq!(story.status_of("F-1"), "needs_human");
    let needed = story.first("needs_human");
    assert_eq!(
        (&needed["id"], &needed["answer"]),
        (
            &Value::from("Q-0001"),
            &Value::from("harness answer Q-0001 TEXT"),
        )
    );
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(
        detail.contains("`harness answer Q-0001 \"TEXT\"`"),
        "{detail}"
    );
    // No proof of another feature holds the half of this one.
    assert_eq!(desk.project.read("src/list"), "");
    let files = desk
        .project
        .git(&["ls-tree", "-r", "--name-only", "harness/R-0001"]);
    assert!(!files.contains("src/list"), "{files}");

    // Without an answer nothing is asked again, and nothing is paid for.
    let before = server.received().len();
    desk.story(&["resume", "--last"])
        .assert_ended("needs_human", 5);
    assert_eq!(server.received().len(), before);

    let listed = json(&desk, &["answer"]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["choices"], serde_json::json!(["comma", "tab"]));
    let answered = desk.harness(&["answer", "1"]);
    assert_eq!(answered.code, 0, "{}", answered.stderr);
    assert!(
        answered.stdout.contains("Q-0001 of F-1: 1 (comma)"),
        "{}",
        answered.stdout
    );
    assert!(
        answered.stderr.contains("harness resume S-0003"),
        "{}",
        answered.stderr
    );
    let twice = desk.harness(&["answer", "Q-0001", "tabs"]);
    assert_eq!(twice.code, 2, "{}", twice.stderr);
    assert!(desk.harness(&["answer"]).stdout.contains("none waits"));

    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(
        story.first("session_resumed")["answers"],
        serde_json::json!(["Q-0001"])
    );
    let back = story.first("work_brought_back");
    assert_eq!(
        (&back["files"], &back["message"]),
        (&Value::from(1), &Value::from(""))
    );
    let opening = &server.received()[before];
    let told = news(opening);
    assert!(
        told.contains("An agent asked: Which separator? 1 comma 2 tab"),
        "{told}"
    );
    assert!(told.contains("The person answers: 1 (comma)"), "{told}");
    assert!(told.contains("is back in the tree (1 file)"), "{told}");
    assert_eq!(desk.project.read("src/list"), "a,b\n");
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    assert_eq!(desk.harness(&["land"]).code, 0);
}

#[test]
fn a_new_run_takes_the_answer_up_as_well() {
    let (desk, server, _) = asked("Which separator?");
    assert_eq!(desk.harness(&["land"]).code, 0);
    let path = desk.project.outside().join("answer.txt");
    std::fs::write(&path, "commas,\nand no \u{1b}[31mred\u{1b}[0m\n").unwrap();
    let file = path.display().to_string();
    let answered = desk.harness(&["answer", "--feature", "F-1", "--file", &file]);
    assert_eq!(answered.code, 0, "{}", answered.stderr);
    assert!(!answered.stdout.contains('\u{1b}'), "{}", answered.stdout);
    let before = server.received().len();
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    assert!(
        story.run.stderr.contains("F-1 is taken up again"),
        "{story}"
    );
    let told = news(&server.received()[before]);
    assert!(
        told.contains("The person answers: commas,\nand no"),
        "{told}"
    );
    // With the work that was put aside for it.
    let back = story.first("work_brought_back");
    assert_eq!(
        (&back["files"], &back["message"]),
        (&Value::from(1), &Value::from(""))
    );
    assert!(told.contains("is back in the tree (1 file)"), "{told}");
}

#[test]
fn a_new_run_takes_work_up_once_and_never_over_that_of_others() {
    let desk = desk();
    // It asks again when it is taken up, and is then taken up without a word of a person.
    let again = session(
        "The person answers: commas",
        &[&write("src/list", "more\n"), &ask("And how?")],
    );
    let server = Server::scripted(&(again + &script("Which separator?")));
    desk.use_server(&server, "chat");
    desk.story(&["run"]).assert_ended("needs_human", 5);
    assert_eq!(desk.harness(&["land"]).code, 0);
    assert_eq!(desk.harness(&["answer", "commas"]).code, 0);
    let aside = |story: &crate::support::Story| -> Vec<Value> {
        let back = story.all("work_brought_back").into_iter();
        back.map(|line| line["files"].clone()).collect()
    };

    let story = desk.story(&["run"]);
    story.assert_ended("needs_human", 5);
    assert_eq!(aside(&story), [Value::from(1)], "{story}");
    assert_eq!(desk.project.read("src/list"), "");
    // The last state counts, not the first; who is named is worked on with no answer.
    let story = desk.story(&["run", "F-1"]);
    assert_eq!(aside(&story), [Value::from(1)], "{story}");
    let commit = story.first("checkpoint_created")["commit"].clone();
    let file = format!("{}:src/list", commit.as_str().unwrap());
    assert_eq!(desk.project.git(&["show", &file]), "more");
    // What was given up is as it was before; what others did in between is not written over.
    desk.harness(&["abort"]);
    desk.project.write("src/list", "mine\n");
    desk.project.commit_all("Mine");
    let story = desk.story(&["run", "F-1"]);
    let back = story.first("work_brought_back");
    let message = back["message"].as_str().unwrap();
    assert!(
        message.contains("other work has changed `src/list` since")
            && message.contains("`git diff "),
        "{back}"
    );
    desk.harness(&["abort"]);
    assert_eq!(desk.project.read("src/list"), "mine\n");
}

#[test]
fn work_comes_back_to_the_byte_whatever_git_makes_of_line_endings() {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        (".gitattributes", "* text=auto\n"),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", THREE),
        ("src/answer", "42\n"),
        ("tests/run.sh", TESTS),
    ]);
    let script = [
        session(
            "The person answers: ",
            &[&crate::support::shell("cp src/list src/copy"), FINISH],
        ),
        session(
            "the list of",
            &[&write("src/list", "half\r\n"), &ask("Which?")],
        ),
        script("Which?"),
    ]
    .concat();
    let server = Server::scripted(&script);
    desk.use_server(&server, "chat");
    desk.story(&["run"]).assert_ended("needs_human", 5);
    assert_eq!(desk.harness(&["answer", "this"]).code, 0);
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
    assert_eq!(desk.project.read("src/copy"), "half\r\n");
}

#[test]
fn what_others_have_changed_since_is_not_overwritten_and_the_way_to_the_work_is_told() {
    let desk = desk();
    let other = write("src/list", "another\n");
    let first = session("the two of", &[&other, FINISH]);
    let server = Server::scripted(&(first + &script("Which separator?")));
    desk.use_server(&server, "chat");
    desk.story(&["run"]).assert_ended("needs_human", 5);
    assert_eq!(desk.harness(&["answer", "commas"]).code, 0);
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    let back = story.first("work_brought_back");
    let message = back["message"].as_str().unwrap();
    assert!(
        message.contains("other work has changed `src/list` since"),
        "{back}"
    );
    let (_, command) = message.split_once("`git ").unwrap();
    let (command, _) = command.split_once('`').unwrap();
    let shown = desk.project.git(&command.split(' ').collect::<Vec<_>>());
    assert!(shown.contains("+half"), "{shown}");
}

#[test]
fn what_is_no_answer_is_refused_and_changes_nothing() {
    let (desk, _server, story) = asked(&format!(
        "Which?\u{1b}]0;title\u{7}\u{202e}{}",
        "x".repeat(60_000)
    ));
    story.assert_ended("needs_human", 5);
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(detail.len() < 2_000, "{}", detail.len());
    let listed = desk.harness(&["answer"]);
    let whole = desk.harness(&["answer", "Q-0001"]);
    for shown in [&listed.stdout, &whole.stdout] {
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown}");
    }
    let long = "y".repeat(20_000);
    let key = format!("use {}{}", "ghp_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    for (arguments, why) in [
        (
            &["answer", "Q-0009", "x"][..],
            "there is no question `Q-0009`",
        ),
        (&["answer", "Q-0009"], "there is no question `Q-0009`"),
        (&["answer", ""], "it is empty"),
        (&["answer", " \n"], "it is empty"),
        (&["answer", &long], "it is longer than 16 KiB"),
        (&["answer", &key], "looks like a key"),
        (&["answer", "later"], "it waits already"),
        (&["answer", "use", "commas"], "question id `use` must match"),
        (
            &["answer", "--feature", "F-2", "x"],
            "no question about `F-2` waits",
        ),
        (
            &["answer", "Q-0001", "x", "--feature", "F-2"],
            "is about F-1, not about F-2",
        ),
        (
            &["answer", "--file", "/dev/null"],
            "it is not a regular file",
        ),
        (&["answer", "x", "--file", "f"], "as words or as a file"),
    ] {
        let run = desk.harness(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(why), "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(json(&desk, &["answer"]).len(), 1);
    // Nobody waits for what is not wanted any more.
    assert_eq!(
        desk.harness(&["feature", "cancel", "F-1", "--reason", "no"])
            .code,
        0
    );
    let run = desk.harness(&["answer", "Q-0001", "x"]);
    assert!(
        run.code == 2 && run.stderr.contains("F-1 is cancelled"),
        "{}",
        run.stderr
    );
    assert!(desk.harness(&["answer"]).stdout.contains("none waits"));
    desk.story(&["resume", "--last"]);
}

#[test]
fn two_questions_wait_and_each_is_answered_by_its_name() {
    let desk = desk();
    let both = session("the two of", &[&ask("Which two?"), FINISH]);
    let server = Server::scripted(&(both + &script("Which list?")));
    desk.use_server(&server, "chat");
    let story = desk.story(&["run"]);
    story.assert_ended("needs_human", 5);
    assert_eq!(json(&desk, &["answer"]).len(), 2);
    let which = desk.harness(&["answer", "commas"]);
    assert!(
        which.code == 2 && which.stderr.contains("2 questions wait"),
        "{}",
        which.stderr
    );
    assert_eq!(desk.harness(&["answer", "Q-0001", "commas"]).code, 0);
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("needs_human", 5);
    assert_eq!(story.status_of("F-1"), "passing");
    assert_eq!(json(&desk, &["answer"])[0]["id"], "Q-0002");
}

#[test]
fn an_answer_survives_a_kill_of_the_run_that_takes_it() {
    let (desk, server, _) = asked("Which separator?");
    assert_eq!(desk.harness(&["answer", "commas"]).code, 0);
    for kind in ["session_resumed", "work_brought_back", "turn_started"] {
        let mut live = Live::start(&desk, &["resume", "--last"]);
        assert!(live.wait_for(kind, 1), "{kind}");
        live.kill();
    }
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    let openings = server.received();
    let last = openings
        .iter()
        .rev()
        .find(|request| !crate::support::has_answer(request));
    assert!(news(last.unwrap()).contains("The person answers: commas"));
    assert_eq!(desk.project.read("src/list"), "a,b\n");
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
}

fn plain(desk: &Desk) -> Terminal {
    Terminal::start(
        &desk.home,
        &desk.project.root(),
        &["run", "--plain"],
        (100, 30),
    )
}

#[test]
fn plain_lines_put_numbered_choices_and_later_lets_the_others_go_on() {
    let desk = desk();
    let server = Server::scripted(&script("Which separator?\n1 comma\n2 tab"));
    desk.use_server(&server, "chat");
    let mut terminal = plain(&desk);
    terminal.wait_for("answer 1-2, in your own words, or later:");
    terminal.press("later\r");
    terminal.wait_for("run ended: needs_human");
    assert_eq!(terminal.end(), 5);
    assert_eq!(
        desk.project
            .git(&["rev-list", "--count", "main..harness/R-0001"]),
        "2"
    );
    assert_eq!(desk.harness(&["answer", "2"]).code, 0);
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
}

#[test]
fn an_answer_from_another_terminal_reaches_the_run_that_waits() {
    let desk = desk();
    let half = write("src/list", "half\n");
    let first = session(
        "the list of",
        &[
            &half,
            &ask("Which separator?"),
            &write("src/list", "a,b\n"),
            FINISH,
        ],
    );
    let server = Server::scripted(&(first + &script("")));
    desk.use_server(&server, "chat");
    let mut terminal = plain(&desk);
    terminal.wait_for("answer, or later:");
    let answered = desk.harness(&["answer", "use commas"]);
    assert_eq!(answered.code, 0, "{}", answered.stderr);
    assert!(
        answered.stderr.contains("takes the answer in a moment"),
        "{}",
        answered.stderr
    );
    terminal.wait_for("run ended: all_passing");
    assert_eq!(terminal.end(), 0);
    let heard = server
        .received()
        .iter()
        .any(|request| news(request).contains("the person answers: use commas"));
    assert!(heard);
    assert!(desk.harness(&["answer"]).stdout.contains("none waits"));
}

#[test]
fn an_answer_is_read_from_standard_input() {
    let (desk, ..) = asked("Which separator?");
    let mut command = desk
        .home
        .command(&desk.project.root(), &["answer", "--file", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"commas\n").unwrap();
    thread::sleep(Duration::from_millis(1));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(json(&desk, &["answer", "Q-0001"])[0]["answer"], "commas");
}

#[test]
fn what_is_put_aside_takes_nothing_of_the_list_and_of_other_features_with_it() {
    let desk = desk();
    let script = [
        session(
            "The person answers: ",
            &[&write("src/list", "more\n"), &ask("And how?")],
        ),
        script("Which separator?"),
    ]
    .concat();
    let server = Server::scripted(&script);
    desk.use_server(&server, "chat");
    let statuses = |desk: &Desk| -> Vec<(Value, Value, Value)> {
        let listed = json(desk, &["feature", "list"]);
        let of = |line: &Value| {
            let [status, passes, claimed] =
                ["status", "passes", "claimed"].map(|key| line[key].clone());
            (status, passes, claimed)
        };
        listed.iter().map(of).collect()
    };
    let expected: Vec<(Value, Value, Value)> =
        [("needs_human", false), ("passing", true), ("passing", true)]
            .into_iter()
            .map(|(status, passes)| (status.into(), passes.into(), false.into()))
            .collect();
    desk.story(&["run"]).assert_ended("needs_human", 5);
    assert_eq!(statuses(&desk), expected);
    assert_eq!(desk.harness(&["answer", "comma"]).code, 0);
    desk.story(&["resume", "--last"])
        .assert_ended("needs_human", 5);
    assert_eq!(statuses(&desk), expected);
    assert_eq!(desk.project.read("src/list"), "");
    let progress = desk.project.read("progress.md");
    assert!(progress.contains("F-2 passing"), "{progress}");
}
