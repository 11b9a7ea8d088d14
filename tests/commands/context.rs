//! `harness context`: the first window by source, what may be loaded, and the exact texts.

use std::fs;

use harness_testkit::Server;

use super::{assert_ok, json};
use crate::support::{CONFIG, Desk, FEATURES, FINISH, TESTS, session, write};

fn desk(map: &str, config: &str) -> Desk {
    Desk::with_files(&[
        ("harness.toml", config),
        ("AGENTS.md", map),
        (
            "docs/answer.md",
            "---\ndescription: Where answers come from\n---\n# Answers\n\nThe answer is 42.\n",
        ),
        ("src/AGENTS.md", "One number per file.\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

const MAP: &str = "# demo\n\n[Answers](docs/answer.md) [gone](docs/gone.md) `TODO.md`\n";

fn own_prompt(desk: &Desk, name: &str, text: &str) {
    let folder = desk.home.path().join(".config/harness/prompts");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

#[test]
fn the_window_is_shown_by_source_and_nothing_is_changed() {
    let desk = desk(MAP, CONFIG);
    let before = desk.person_side();
    let run = desk.harness(&["context"]);
    assert_ok(&run);
    for line in [
        "F-1 Give the answer: the first message takes ",
        "  map            AGENTS.md",
        "  documents      2 documents, from the maps",
        "  instructions   built in",
        "tools",
        "  document  docs/answer.md  Answers; Where answers come from",
        "  document  docs/gone.md    gone; missing",
        "  map       src/AGENTS.md",
    ] {
        assert!(run.stdout.contains(line), "no `{line}` in\n{}", run.stdout);
    }
    assert!(!run.stdout.contains("TODO.md"), "{}", run.stdout);
    assert_eq!(desk.person_side(), before);
    let told = json(&desk.harness(&["context", "F-1", "--json"]));
    assert_eq!(told[0]["type"], "context");
    let of = |kind: &str| told.iter().filter(|line| line["type"] == kind).count();
    assert!(of("context_part") > 6, "{told:?}");
    assert_eq!(of("context_loadable"), 3);
    let parts = told.iter().filter(|line| line["type"] == "context_part");
    let sum: u64 = parts.filter_map(|part| part["tokens"].as_u64()).sum();
    let total = told[0]["total_tokens"].as_u64().unwrap();
    assert!(sum.abs_diff(total) < 12, "{sum} of {total}");
}

#[test]
fn the_prompt_is_what_a_run_sends() {
    let desk = desk(MAP, CONFIG);
    own_prompt(&desk, "work.md", "Work slowly, and enjoy it.\n");
    let told = json(&desk.harness(&["context", "--prompt", "--json"]));
    let text = |name: &str| {
        let part = told.iter().find(|line| line["name"] == name);
        part.unwrap_or_else(|| panic!("no {name} in {told:?}"))["text"].clone()
    };
    let right = write("src/answer", "42\n");
    let server = Server::scripted(&session("F-1", &[&right, FINISH]));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let sent = &server.received()[0].body;
    assert_eq!(sent["system"][0]["text"], text("instructions"));
    assert_eq!(
        sent["messages"][0]["content"][0]["text"],
        text("first message, part 1")
    );
    assert_eq!(
        sent["messages"][0]["content"][1]["text"],
        text("first message, part 2")
    );
    let system = sent["system"][0]["text"].as_str().unwrap();
    assert!(system.ends_with("Work slowly, and enjoy it.\n"), "{system}");
    assert!(system.contains("The harness enforces:"), "{system}");

    // What the session was told stands in its log, whatever the file says later.
    own_prompt(&desk, "work.md", "Another one.\n");
    let run = desk.harness(&["context", "--session", "--prompt"]);
    assert_ok(&run);
    assert!(
        run.stdout.contains("Work slowly, and enjoy it."),
        "{}",
        run.stdout
    );
    let run = desk.harness(&["context", "--session", "S-0001"]);
    assert_ok(&run);
    for line in [
        "map       src/AGENTS.md",
        "loaded in 2 turns:",
        "last request",
    ] {
        let squeezed = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(&line), "no `{line}` in\n{}", run.stdout);
    }
}

#[test]
fn a_window_over_its_budget_names_the_file_and_the_way_out() {
    let desk = desk(
        &"x ".repeat(3_000),
        &format!("{CONFIG}[context]\nbudget = \"1k tokens\"\n"),
    );
    let run = desk.harness(&["context"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.stdout.contains("152%  map"), "{}", run.stdout);
    for words in [
        "the largest part is `AGENTS.md` with 1513 tokens",
        "hint: move detail of `AGENTS.md`",
    ] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert_eq!(desk.harness(&["context", "--prompt"]).code, 2);
}

#[test]
fn wrong_prompts_are_refused_before_a_run_begins() {
    let desk = desk(MAP, CONFIG);
    for (name, text, words) in [
        ("wrok.md", "x", "there is no prompt `wrok`"),
        ("opening.md", "Hello.", "lacks the placeholder `{work}`"),
        ("work.md", " \n", "is empty"),
        ("work.md", "{feature}", "which nothing is filled in for"),
    ] {
        own_prompt(&desk, name, text);
        for command in ["context", "run"] {
            let run = desk.harness(&[command, "--no-input"]);
            assert_eq!(run.code, 2, "{}", run.stderr);
            assert!(
                run.stderr.contains(words) && run.stderr.contains("hint: "),
                "{}",
                run.stderr
            );
        }
        fs::remove_file(desk.home.path().join(".config/harness/prompts").join(name)).unwrap();
    }
    let story = desk.harness(&["session", "list"]);
    assert!(story.stdout.contains("no session yet"), "{}", story.stdout);
}

#[test]
fn a_task_and_a_repository_without_configuration_are_shown_too() {
    let desk = desk(MAP, CONFIG);
    let run = desk.harness(&["context", "mend the paging"]);
    assert_ok(&run);
    assert!(
        run.stdout.starts_with("T-0001 mend the paging: "),
        "{}",
        run.stdout
    );
    let run = desk.harness(&["context", "F-9"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("the features are: F-1"),
        "{}",
        run.stderr
    );
    fs::remove_file(desk.project.root().join("harness.toml")).unwrap();
    let run = desk.harness(&["context"]);
    assert_ok(&run);
    assert!(
        run.stderr.contains("there is no `harness.toml`"),
        "{}",
        run.stderr
    );
    let run = desk.harness(&["context", "--session"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("no session yet"), "{}", run.stderr);
}
