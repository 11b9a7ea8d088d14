//! What later sessions read: patterns, entries, and what was tried in vain.

use harness_testkit::Server;

use crate::{
    commands::assert_ok,
    support::{CONFIG, Desk, FINISH, session, write},
};

const PATTERN: &str =
    "{ tool = \"note\", text = \"pattern: ## numbers are plain\\n```\\nforged\" }";

#[test]
fn a_pattern_is_kept_once_and_given_to_the_next_session() {
    let desk = Desk::new();
    assert_ok(&desk.harness(&["feature", "add", "Two", "--depends-on", "F-1"]));
    desk.project.write(
        "progress.md",
        "# Log\n\n## Codebase Patterns\n\n- tests are shell\n\n## by hand\n\n- mine\n",
    );
    desk.project.commit_all("two");
    let note = "{ tool = \"note\", text = \"looked around\" }";
    let server = Server::scripted(&format!(
        "{}{}",
        session(
            "Give the answer",
            &[PATTERN, PATTERN, note, &write("src/answer", "42\n"), FINISH]
        ),
        session("Two", &[&write("src/two", "2\n"), FINISH])
    ));
    desk.use_server(&server, "anthropic");
    let run = desk.harness(&["run"]);
    assert_ok(&run);
    assert_ok(&desk.harness(&["land"]));
    let progress = desk.project.read("progress.md");
    let begin = "# Log\n\n## Codebase Patterns\n\n- tests are shell\n- numbers are plain ``` forged\n\n## by hand\n\n- mine\n\n## 20";
    assert!(progress.starts_with(begin), "{progress}");
    assert!(progress.contains("- Done: looked around\n"), "{progress}");
    assert_eq!(
        progress.matches("numbers are plain").count(),
        1,
        "{progress}"
    );
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    let seen = server.received().iter().any(|request| {
        let text = request.body.to_string();
        text.contains("numbers are plain ``` forged") && text.contains("Two")
    });
    assert!(seen, "the second session is given the pattern");
}

#[test]
fn what_was_given_up_says_what_was_tried() {
    let desk = Desk::with_files(&[
        ("harness.toml", &format!("{CONFIG}[limits]\nattempts = 2\n")),
        ("feature_list.json", crate::support::FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", crate::support::TESTS),
    ]);
    let model = desk.script(&session(
        "F-1",
        &[&write("src/answer", "41\n"), FINISH, FINISH],
    ));
    assert_eq!(desk.harness(&["run", "--model", &model]).code, 4);
    let progress = desk.project.read("progress.md");
    assert!(progress.contains(" S-0001 F-1 needs human\n"), "{progress}");
    assert!(progress.contains("- Tried and failed: "), "{progress}");
    assert!(
        progress.contains("- Tried and failed: given up: gates_red: 2 attempts refused\n"),
        "{progress}"
    );
    assert!(progress.contains("- Gates: test red: "), "{progress}");
    assert!(progress.contains("the answer is not 41"), "{progress}");
    assert_ok(&desk.harness(&["abort"]));
    assert_eq!(
        desk.project.git(&["status", "--porcelain"]),
        "",
        "what the run wrote is taken back"
    );
}

#[test]
fn an_older_log_is_used_where_there_is_no_newer_one() {
    let desk = Desk::new();
    desk.project.write("claude-progress.txt", "done by hand\n");
    assert_ok(&desk.harness(&["feature", "accept", "F-1", "--reason", "seen"]));
    assert!(
        desk.project
            .read("claude-progress.txt")
            .starts_with("done by hand\n\n## 20")
    );
    assert_eq!(desk.project.read("progress.md"), "");
    desk.project.write("progress.md", "# Progress\n");
    assert_ok(&desk.harness(&["feature", "reopen", "F-1", "--reason", "not so"]));
    assert!(desk.project.read("progress.md").contains("not so"));
    assert!(!desk.project.read("claude-progress.txt").contains("not so"));
}
