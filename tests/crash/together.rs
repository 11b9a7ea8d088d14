//! Several runs at once in one work tree: one wins, and the others say who.

use harness_testkit::Server;

use crate::support::{Desk, FINISH, Live, session, write};

#[test]
fn of_eight_runs_at_once_one_wins_and_the_others_name_it() {
    let desk = Desk::new();
    let right = write("src/answer", "42\n");
    let script = session("F-1", &[&right, FINISH]);
    // Slow enough that each run is met, and killed, before its first call.
    let script = script.replace(
        "calls = [{ tool = \"write\"",
        "think_ms = 2000\ncalls = [{ tool = \"write\"",
    );
    let server = Server::scripted(&script);
    desk.use_server(&server, "anthropic");
    let lives: Vec<Live> = (0..8).map(|_| Live::start(&desk, &["run"])).collect();
    let pids: Vec<u32> = lives.iter().map(Live::pid).collect();
    let stories: Vec<_> = lives.into_iter().map(Live::end).collect();
    let winner = stories
        .iter()
        .position(|story| story.run.code == 0)
        .expect("one wins");
    stories[winner].assert_ended("all_passing", 0);
    for (number, story) in stories
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != winner)
    {
        assert_eq!(story.run.code, 5, "{number}: {story}");
        let told = &story.run.stderr;
        assert!(
            told.contains("another run works in this work tree"),
            "{told}"
        );
        assert!(told.contains(&pids[winner].to_string()), "{told}");
    }
    assert_eq!(server.received().len(), 2);
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    assert_eq!(
        desk.project
            .git(&["rev-list", "--count", "--branches=harness/*", "^main"]),
        "1"
    );

    // Who was killed holds nothing.
    let desk = Desk::new();
    let server = Server::scripted(&script);
    desk.use_server(&server, "anthropic");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("turn_started", 1));
    live.kill();
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
}
