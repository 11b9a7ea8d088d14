//! Formatters: run on what the agent has edited, and nothing a repository writes into one gets further.

use std::fs;

use harness_testkit::Server;

use crate::support::{CONFIG, Desk, FEATURES, FINISH, Story, TESTS, levels, news, session, write};

/// Makes every letter of its files a capital.
const CAPITALS: &str = r#"
for file in "$@"; do
    tr a-z A-Z < "$file" > "$TMPDIR/capitals" && cat "$TMPDIR/capitals" > "$file"
done
"#;

fn edit(old: &str, new: &str) -> String {
    format!("{{ tool = \"edit\", path = \"src/answer\", old = \"{old}\", new = \"{new}\" }}")
}

fn config(paths: &str, timeout: &str) -> String {
    format!(
        "{CONFIG}\n[[format]]\nrun = [\"sh\", \"fmt.sh\"]\npaths = [\"{paths}\"]\ntimeout = \"{timeout}\"\n"
    )
}

fn desk(config: &str, formatter: &str) -> Desk {
    Desk::with_files(&[
        ("harness.toml", config),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("src/other", "kept\n"),
        ("tests/run.sh", TESTS),
        ("fmt.sh", formatter),
    ])
}

fn run(desk: &Desk, turns: &[&str]) -> (Story, Vec<String>) {
    run_with(desk, turns, &["run"])
}

fn run_with(desk: &Desk, turns: &[&str], arguments: &[&str]) -> (Story, Vec<String>) {
    let server = Server::scripted(&session("F-1", turns));
    desk.use_server(&server, "anthropic");
    let story = desk.story(arguments);
    let told = server.received();
    let told = told.iter().map(news);
    (story, told.collect())
}

#[test]
fn what_is_edited_is_formatted_and_the_next_edit_is_not_stale() {
    let desk = desk(&config("src/**", "20s"), CAPITALS);
    let turns = [
        &write("src/answer", "forty two\n"),
        &edit("FORTY TWO", "42"),
        FINISH,
    ];
    let (story, told) = run(&desk, &turns);
    story.assert_ended("all_passing", 0);
    assert!(
        told[1].contains("[formatted by `sh fmt.sh`: `src/answer`;"),
        "{}",
        told[1]
    );
    assert!(!told[2].contains("formatted by"), "{}", told[2]);
    let formatted = story.all("formatted");
    assert_eq!(formatted.len(), 2, "{story}");
    assert_eq!(formatted[0]["changed"][0], "src/answer", "{story}");
    assert!(
        formatted.iter().all(|line| line["message"] == ""),
        "{story}"
    );
    assert_eq!(
        desk.project.git(&["show", "harness/R-0001:src/answer"]),
        "42"
    );
}

#[test]
fn several_edits_in_one_call_are_formatted_once_and_a_moved_file_where_it_is_then() {
    for level in levels() {
        let desk = desk(&config("src/**/*.txt", "20s"), CAPITALS);
        desk.project.write("src/plain", "one two\n");
        desk.project.commit_all("a file without an ending");
        let edits = r#"{ tool = "edit", path = "src/new/a.txt", edits = [{ old = "ONE", new = "three" }, { old = "TWO", new = "four" }] }"#;
        let turns = [
            // No formatter is for the old name.
            r#"{ tool = "move", path = "src/plain", to = "src/new/a.txt" }"#,
            edits,
            r#"{ tool = "move", path = "src/new/a.txt", to = "src/new/b.txt" }"#,
            r#"{ tool = "move", path = "src/new/b.txt", to = "src/new/plain" }"#,
            r#"{ tool = "delete", path = "src/other" }"#,
            &write("src/answer", "42\n"),
            FINISH,
        ];
        let (story, told) = run_with(&desk, &turns, &["run", "--sandbox", level]);
        story.assert_ended("all_passing", 0);
        let formatted: Vec<(String, usize)> = story
            .all("formatted")
            .iter()
            .map(|line| {
                assert_eq!(line["message"], "", "{level}: {story}");
                let changed = line["changed"].as_array().unwrap().len();
                (line["files"].to_string(), changed)
            })
            .collect();
        let expected = [
            (r#"["src/new/a.txt"]"#.to_owned(), 1),
            (r#"["src/new/a.txt"]"#.to_owned(), 1),
            (r#"["src/new/b.txt"]"#.to_owned(), 0),
        ];
        assert_eq!(formatted, expected, "{level}: {story}");
        assert!(
            told[1].contains("[formatted by `sh fmt.sh`: `src/new/a.txt`;"),
            "{}",
            told[1]
        );
        assert!(
            told[2].contains("[formatted by `sh fmt.sh`: `src/new/a.txt`;"),
            "{}",
            told[2]
        );
        assert_eq!(desk.project.read("src/new/plain"), "THREE FOUR\n");
        let moved = story.all("tool_called");
        let moved: Vec<_> = moved
            .iter()
            .filter(|line| line["action"] == "move")
            .collect();
        assert_eq!(moved[0]["path"], "src/plain", "{story}");
        assert_eq!(moved[0]["to"], "src/new/a.txt", "{story}");
        assert!(story.first("tool_called")["command"].is_null());
    }
}

#[test]
fn files_that_are_none_of_its_business_are_not_given_to_it() {
    let desk = desk(&config("**/*.rs", "20s"), CAPITALS);
    let (story, _) = run(&desk, &[&write("src/answer", "forty two\n"), FINISH]);
    assert!(story.all("formatted").is_empty(), "{story}");
}

#[test]
fn a_formatter_writes_no_file_but_the_one_it_was_given() {
    let attack = "echo stolen > src/other\necho stolen > tests/run.sh\necho stolen > harness.toml\n\
        echo stolen > docs.md\necho stolen > fmt.sh\necho stolen > .git/config\nprintf 42 > \"$1\"\n";
    let config = config("src/**", "20s");
    let desk = desk(&config, attack);
    let git = fs::read(desk.project.root().join(".git/config")).unwrap();
    let (story, _) = run(&desk, &[&write("src/answer", "x\n"), FINISH]);
    story.assert_ended("all_passing", 0);
    for (path, held) in [
        ("src/other", "kept\n"),
        ("tests/run.sh", TESTS),
        ("harness.toml", config.as_str()),
        ("fmt.sh", attack),
        ("src/answer", "42"),
    ] {
        assert_eq!(desk.project.read(path), held, "{path}: {story}");
    }
    assert!(!desk.project.root().join("docs.md").exists(), "{story}");
    assert_eq!(
        fs::read(desk.project.root().join(".git/config")).unwrap(),
        git
    );
}

#[test]
fn a_file_name_is_no_option() {
    let config =
        config("*.txt", "20s").replace("\"src/**\", \"tests/**\"", "\"src/**\", \"*.txt\"");
    let formatter = "for file in \"$@\"; do\n    case \"$file\" in -*) echo an option; exit 9;; esac\n    printf formatted > \"$file\"\ndone\n";
    let desk = desk(&config, formatter);
    let turns = [
        &write("--config=evil.txt", "x\n"),
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let (story, _) = run(&desk, &turns.map(|turn| turn as &str));
    story.assert_ended("all_passing", 0);
    assert_eq!(story.first("formatted")["message"], "", "{story}");
    assert_eq!(desk.project.read("--config=evil.txt"), "formatted");
}

#[test]
fn a_formatter_that_never_ends_or_fails_is_told_and_stops_nothing() {
    let slow = desk(&config("src/**", "1s"), "sleep 1000\n");
    let (story, told) = run(&slow, &[&write("src/answer", "42\n"), FINISH]);
    story.assert_ended("all_passing", 0);
    assert!(
        told[1].contains("[formatter `sh fmt.sh` failed, your change stands"),
        "{}",
        told[1]
    );
    assert!(told[1].contains("took too long"), "{}", told[1]);

    let broken = desk(&config("src/**", "20s"), "echo no such rule >&2\nexit 3\n");
    let turns = [
        &write("src/answer", "1\n"),
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let (story, told) = run(&broken, &turns.map(|turn| turn as &str));
    story.assert_ended("all_passing", 0);
    assert!(
        told[1].contains("it exited with 3: no such rule"),
        "{}",
        told[1]
    );
    assert!(!told[2].contains("no such rule"), "told once: {}", told[2]);
}

#[test]
fn a_formatter_is_trusted_like_everything_that_a_repository_executes() {
    let desk = desk(&config("src/**", "5s"), CAPITALS);
    let shown = desk.harness(&["trust", "--show"]).stdout;
    assert!(
        shown.contains("format: sh fmt.sh; timeout 5s; paths \"src/**\"")
            || shown.contains("format: sh fmt.sh; timeout 5s; paths src/**"),
        "{shown}"
    );
    desk.project.write("fmt.sh", "rm -rf src\n");
    let (story, _) = run(&desk, &[FINISH]);
    assert_eq!(story.run.code, 5, "{story}");
    let origin = desk.harness(&["config", "show", "--origin"]).stdout;
    assert!(
        origin.contains("format = { run = [\"sh\", \"fmt.sh\"]"),
        "{origin}"
    );
}
