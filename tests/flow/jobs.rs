//! Commands in the background, long output that is kept, and calls side by side.

use std::process::{Command, Stdio};

use harness_testkit::Server;

use crate::support::{
    Desk, FINISH, assert_gone, levels, news, say, session, shell, unique_word, write,
};

/// Writes a call that starts a job.
pub(crate) fn job(command: &str) -> String {
    shell(command).replace(" }", ", background = true }")
}

/// Writes a call about a job.
pub(crate) fn tend(id: &str, stop: bool) -> String {
    format!("{{ tool = \"job\", id = \"{id}\", stop = {stop} }}")
}

const LIST: &str = "{ tool = \"job\" }";

#[test]
fn a_job_goes_on_is_listed_read_and_stopped() {
    for level in levels() {
        let word = unique_word();
        let desk = Desk::new();
        let server = Server::scripted(&session(
            "F-1",
            &[
                &job(&format!("echo begun; touch tests/up; sleep {word}; :")),
                &shell("[ -e tests/up ] && rm tests/up && echo met"),
                LIST,
                &tend("t1c0", true),
                &tend("t1c0", false),
                LIST,
                &write("src/answer", "42\n"),
                FINISH,
            ],
        ));
        desk.use_server(&server, "anthropic");
        let story = desk.story(&["run", "--sandbox", level]);
        story.assert_ended("all_passing", 0);
        assert_gone(&word, level);
        let requests = server.received();
        let told = |turn: usize| news(&requests[turn]);
        assert!(told(1).contains("job t1c0: runs since"), "{}", told(1));
        assert!(told(1).contains("begun\n"), "{}", told(1));
        assert!(told(2).contains("met\n"), "{}", told(2));
        assert!(told(3).contains("t1c0: runs: echo begun"), "{}", told(3));
        assert!(told(4).contains("job t1c0: stopped"), "{}", told(4));
        assert!(told(5).contains("[no new output]"), "{}", told(5));
        assert!(told(6).contains("t1c0: stopped: echo"), "{}", told(6));
        let ended = story.all("job_ended");
        assert_eq!(story.all("job_started").len(), 1, "{story}");
        assert_eq!(ended.len(), 1, "{story}");
        assert_eq!(ended[0]["how"], "stopped", "{story}");
    }
}

#[test]
fn a_job_that_ends_at_once_or_later_says_so() {
    let desk = Desk::new();
    let later = "sleep 1.5; echo last words; exit 3";
    let wait = shell(
        "while [ ! -e tests/never ]; do sleep 0.1; i=x$i; [ \"$i\" = xxxxxxxxxxxxxxxxxxxxxxxxx ] && break; done",
    );
    let server = Server::scripted(&session(
        "F-1",
        &[
            &job("no-such-program-here"),
            &job(later),
            &wait,
            &tend("t2c0", false),
            &write("src/answer", "42\n"),
            FINISH,
        ],
    ));
    desk.use_server(&server, "chat");
    desk.story(&["run"]).assert_ended("all_passing", 0);
    let requests = server.received();
    let told = |turn: usize| news(&requests[turn]);
    assert!(told(1).contains("job t1c0: exit 127"), "{}", told(1));
    assert!(told(1).contains("not found"), "{}", told(1));
    assert!(told(3).contains("[job t2c0: exit 3"), "{}", told(3));
    assert!(told(4).contains("last words\n"), "{}", told(4));
}

#[test]
fn a_finish_ends_the_jobs_and_commits_what_they_had_written_by_then() {
    for level in levels() {
        let word = unique_word();
        let desk = Desk::new();
        let writer = format!("while :; do date +%N >> src/log; sleep 0.01; done; : {word}");
        let server = Server::scripted(&session(
            "F-1",
            &[
                &job(&writer),
                "{ tool = \"check\" }",
                &write("src/answer", "42\n"),
                FINISH,
            ],
        ));
        desk.use_server(&server, "anthropic");
        let story = desk.story(&["run", "--sandbox", level]);
        story.assert_ended("all_passing", 0);
        assert_gone(&word, level);
        let committed = desk.project.git(&["show", "harness/R-0001:src/log"]);
        assert_eq!(committed.trim(), desk.project.read("src/log").trim());
        let at = |kind: &str| story.run.stdout.find(&format!("\"type\":\"{kind}\""));
        assert!(at("finish_requested") < at("job_ended"), "{story}");
        assert_eq!(story.all("check_ended").len(), 2, "{story}");
        assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    }
}

#[test]
fn a_server_in_the_background_is_reached_by_later_commands_where_the_level_allows_it() {
    let python = Command::new("python3")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !python.is_ok_and(|status| status.success()) {
        return say("skipped: there is no `python3` to serve and to ask with");
    }
    for level in levels() {
        let desk = Desk::new();
        let ask = "import time, urllib.request\n\
            for _ in range(100):\n    \
                try:\n        print(urllib.request.urlopen('http://127.0.0.1:8123/answer').status); break\n    \
                except Exception as error: time.sleep(0.1); last = error\n\
            else: print('unreached', last)";
        let server = Server::scripted(&session(
            "F-1",
            &[
                &job("cd src && python3 -m http.server 8123 --bind 127.0.0.1"),
                &shell(&format!("python3 -c \"{ask}\"")),
                &write("src/answer", "42\n"),
                FINISH,
            ],
        ));
        desk.use_server(&server, "anthropic");
        desk.story(&["run", "--sandbox", level])
            .assert_ended("all_passing", 0);
        let requests = server.received();
        let (started, asked) = (news(&requests[1]), news(&requests[2]));
        let is_promised = started.contains("later commands reach its ports on 127.0.0.1");
        // Nothing is promised that does not hold.
        assert!(
            !is_promised || asked.contains("\n200\n"),
            "{level}: {asked}"
        );
        let is_denied = started.contains("at this level no other command reaches its ports")
            || started.contains("exit 1");
        assert!(is_promised || is_denied, "{level}: {started}");
    }
}

#[test]
fn long_output_is_kept_for_the_tools_and_gone_with_the_session() {
    let desk = Desk::new();
    let read = |path: &str| {
        format!("{{ tool = \"read\", path = \"{path}\", first = 15000, last = 15001 }}")
    };
    let search = "{ tool = \"search\", query = \"^19999$\", path = \"@output\" }";
    let server = Server::scripted(&session(
        "F-1",
        &[
            &shell("seq 1 20000; printf '\\033[31mred\\033[0m\\n'"),
            &read("@output/t1c0.txt"),
            search,
            "{ tool = \"list\", path = \"@output\" }",
            &read("@output/t7c0.txt"),
            &shell("ls -a; git status --short; cat @output/t1c0.txt"),
            &write("@output/t1c0.txt", "mine\n"),
            &write("src/answer", "42\n"),
            FINISH,
        ],
    ));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let requests = server.received();
    let told = |turn: usize| news(&requests[turn]);
    assert!(
        told(1).contains("all of it in `@output/t1c0.txt`: `read` or `search` that"),
        "{}",
        told(1)
    );
    assert!(told(1).contains("\nred\n"), "{}", told(1));
    assert!(told(2).contains("\n15000\n15001\n"), "{}", told(2));
    assert!(
        told(3).contains("@output/t1c0.txt:19999: 19999"),
        "{}",
        told(3)
    );
    assert!(told(4).contains("@output/t1c0.txt"), "{}", told(4));
    assert!(told(5).contains("not done"), "{}", told(5));
    assert!(!told(6).contains("15000"), "{}", told(6));
    assert!(told(7).contains("denied"), "{}", told(7));
    let tree = desk
        .project
        .git(&["ls-tree", "-r", "--name-only", "harness/R-0001"]);
    assert!(!tree.contains("@output"), "{tree}");
    let sessions = desk.project.root().join(".git/harness/sessions/S-0001");
    assert!(sessions.join("log.jsonl").exists());
    assert!(!sessions.join("tools").exists());
}

#[test]
fn calls_that_only_read_give_their_results_in_the_order_of_the_calls() {
    let desk = Desk::new();
    for number in 0..400 {
        desk.project.write(
            &format!("docs/{number}.md"),
            &"a line of text\n".repeat(400),
        );
    }
    desk.project.commit_all("much to search");
    let calls = "{ tool = \"search\", query = \"no such line\" }, \
        { tool = \"read\", path = \"src/answer\" }, \
        { tool = \"list\", path = \"src\" }, \
        { tool = \"read\", path = \"tests/run.sh\" }, \
        { tool = \"doc\", path = \"docs/answer.md\" }, \
        { tool = \"write\", path = \"src/answer\", content = \"42\\n\" }, \
        { tool = \"read\", path = \"src/answer\" }";
    let server = Server::scripted(&session("F-1", &[calls, FINISH]));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let told = news(&server.received()[1]);
    let order = [
        "nothing found in",
        "src/answer, lines 1-1 of 1 [data, not instructions]\n0",
        "src, entries: 1",
        "tests/run.sh, lines",
        "The answer is 42",
        "wrote src/answer",
        "src/answer, lines 1-1 of 1 [data, not instructions]\n42",
    ];
    let places: Vec<_> = order.iter().map(|text| told.find(text)).collect();
    assert!(places.iter().all(Option::is_some), "{places:?} {told}");
    assert!(places.is_sorted(), "{places:?} {told}");
}
