//! Gates run on the candidate and on nothing else: not on the work tree, not on another checkout,
//! and not on what an earlier gate left.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use harness_testkit::{Run, Server};

use crate::support::{Desk, FEATURES, FINISH, Live, levels, say, session, write};

/// One gate, a script, with a folder that is kept.
const GATE: &str = r#"
[scope]
write = ["src/**"]
build = ["build"]

[[gate]]
name = "test"
run = ["sh", "gate.sh"]
timeout = "2m"
report = "exit"
"#;

fn desk(config: &str, gate: &str, more: &[(&str, &str)]) -> Desk {
    let files = [
        ("harness.toml", config),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        (".gitignore", "/build\n/.venv\n/modules\n__pycache__\n"),
        ("src/answer", "0\n"),
        ("gate.sh", gate),
    ];
    Desk::with_files(&[&files[..], more].concat())
}

impl Desk {
    /// Runs the gates at a level.
    fn gates_at(&self, level: &str) -> Run {
        self.harness(&["gate", "run", "--sandbox", level])
    }

    /// Returns a folder of the kept checkouts.
    fn checkout(&self, name: &str) -> PathBuf {
        let cache = self.home.path().join(".cache/harness");
        let entries = fs::read_dir(cache).unwrap().flatten();
        let mut gates = entries.map(|entry| entry.path().join("gates"));
        gates.find(|gates| gates.is_dir()).unwrap().join(name)
    }
}

#[track_caller]
fn assert_green(run: &Run) {
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}

/// Says what is wrong and fails, unless nothing was.
const END: &str = "[ -z \"$wrong\" ] || { echo \"$wrong\"; exit 1; }\n";

/// Runs a script as a gate at each level; `ROOT` stands for the repository, `BESIDE` for the folder around it.
fn check_at(level: &str, desk: &Desk, script: &str) {
    let root = desk.project.root().display().to_string();
    let beside = desk.project.outside().display().to_string();
    let script = script.replace("ROOT", &root).replace("BESIDE", &beside);
    desk.project
        .write("gate.sh", &format!("wrong=\n{script}{END}"));
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
    let run = desk.gates_at(level);
    assert_eq!(run.code, 0, "{level}: {}{}", run.stdout, run.stderr);
}

#[test]
fn git_answers_at_the_repositorys_path_and_cannot_be_written() {
    if !levels().contains(&"namespaces") {
        return;
    }
    let script = r#"
[ "$(pwd)" = ROOT ] || wrong="at $(pwd)"
[ "$(git rev-parse HEAD)" = HEAD_IS ] || wrong="$wrong; HEAD $(git rev-parse HEAD 2>&1)"
[ "$(git describe --tags)" = v1.0 ] || wrong="$wrong; describe $(git describe --tags 2>&1)"
[ "$(git rev-parse --show-toplevel)" = ROOT ] || wrong="$wrong; top"
echo x > "$(git rev-parse --git-dir)/evil" && wrong="$wrong; wrote into git's folder"
git update-ref refs/heads/evil HEAD && wrong="$wrong; made a ref"
git config core.fsmonitor /bin/true && wrong="$wrong; wrote the configuration"
rm -rf .git; mv .git gone; [ -e .git ] || wrong="$wrong; removed git's folder"
ls "$(git rev-parse --git-common-dir)/harness" | grep -q . && wrong="$wrong; the harness's folder is seen"
"#;
    let desk = desk(GATE, "true\n", &[]);
    desk.project.git(&["tag", "v1.0"]);
    let head = desk.project.git(&["rev-parse", "HEAD"]);
    check_at("namespaces", &desk, &script.replace("HEAD_IS", &head));
    // A second time, with the places of the first.
    assert_green(&desk.gates_at("namespaces"));
    assert!(desk.project.root().join(".git/harness").exists());

    let linked = desk.project.outside().join("linked");
    let path = linked.to_str().unwrap();
    desk.project.git(&["worktree", "add", "-q", path]);
    let script = script.replace("HEAD_IS", &head).replace("ROOT", path);
    fs::write(linked.join("gate.sh"), format!("wrong=\n{script}{END}")).unwrap();
    let run = |arguments: &[&str]| desk.home.run(&linked, arguments);
    assert_green(&run(&["trust", "--yes"]));
    assert_green(&run(&["gate", "run"]));
}

#[test]
fn a_gate_reaches_neither_the_work_tree_nor_another_checkout() {
    for &level in levels() {
        let desk = desk(GATE, "true\n", &[("src/other", "here\n")]);
        // Fills both checkouts' folders, so that there is something to reach.
        assert_green(&desk.gates_at(level));
        let base = desk.checkout("base");
        fs::create_dir_all(&base).unwrap();
        fs::write(base.join("secret"), "secret\n").unwrap();
        fs::create_dir(desk.project.outside().join("outside")).unwrap();
        fs::write(desk.project.outside().join("outside/kept"), "kept\n").unwrap();
        symlink(
            desk.project.outside().join("outside"),
            desk.project.root().join("src/out"),
        )
        .unwrap();
        symlink("../../../../../..", desk.project.root().join("src/up")).unwrap();
        desk.project.commit_all("links");
        desk.project.write("build/only-here", "work tree\n");
        let script = format!(
            r#"
grep -q 'work tree' ROOT/build/only-here && wrong="the work tree is seen"
echo evil > ROOT/src/answer; [ "$(cat src/answer)" = evil ] && echo 0 > src/answer
cat {base}/secret && wrong="$wrong; another checkout is seen"
echo x > {base}/evil && wrong="$wrong; another checkout is written"
cat src/out/kept && wrong="$wrong; a link led out"
echo x > src/out/evil && wrong="$wrong; a link led out for writing"
cat src/up/{secret} && wrong="$wrong; a link led up"
ls BESIDE/outside && wrong="$wrong; beside the repository"
"#,
            base = base.display(),
            secret = desk
                .home
                .path()
                .join("anything")
                .strip_prefix("/")
                .unwrap()
                .display(),
        );
        fs::write(desk.home.path().join("anything"), "x").unwrap();
        check_at(level, &desk, &script);
        assert_eq!(desk.project.read("src/answer"), "0\n", "{level}");
        assert!(!base.join("evil").exists());
        assert!(!desk.project.outside().join("outside/evil").exists());
    }
}

#[test]
fn a_repository_that_a_gate_makes_is_gone_for_the_next_one() {
    for &level in levels() {
        let desk = desk(GATE, "true\n", &[]);
        check_at(
            level,
            &desk,
            "git init -q planted; mkdir .git; echo x > .git/config\n",
        );
        check_at(
            level,
            &desk,
            "[ ! -e planted ] || wrong=planted\n[ \"$(cat .git/config)\" != x ] || wrong=\"$wrong; config\"\n",
        );
    }
}

#[test]
fn what_the_base_leaves_in_a_build_output_is_not_seen_by_the_candidate() {
    let gate = r#"mkdir -p build
if [ "$(cat src/answer)" = 0 ]; then echo base > build/left; exit 0; fi
[ ! -e build/left ] || { echo "the base left something"; exit 1; }
"#;
    for &level in levels() {
        let desk = desk(GATE, gate, &[]);
        let server = Server::scripted(&session("F-1", &[&write("src/answer", "42\n"), FINISH]));
        desk.use_server(&server, "anthropic");
        let story = desk.story(&["run", "--sandbox", level]);
        story.assert_ended("all_passing", 0);
        assert!(desk.checkout("base").join("build/left").exists(), "{level}");
        assert!(!desk.checkout("candidate").join("build/left").exists());
    }
}

#[test]
fn a_setup_step_sees_the_path_and_the_git_that_the_gate_sees() {
    let step = "\n[[setup]]\nrun = [\"sh\", \"setup.sh\"]\nwhen = [\"setup.sh\"]\n";
    let see = "pwd > build/seen; git rev-parse HEAD >> build/seen 2>&1; cat .git/HEAD >> build/seen 2>&1; true\n";
    let gate = format!("cp build/seen build/kept || exit 1\n{see}cmp build/seen build/kept\n");
    for &level in levels() {
        let desk = desk(&format!("{GATE}{step}"), &gate, &[("setup.sh", see)]);
        assert_green(&desk.gates_at(level));
        let seen = fs::read_to_string(desk.checkout("candidate").join("build/kept")).unwrap();
        if level == "namespaces" {
            let root = desk.project.root().display().to_string();
            let head = desk.project.git(&["rev-parse", "HEAD"]);
            assert!(seen.starts_with(&format!("{root}\n{head}\n")), "{seen}");
        }
    }
}

/// Finds tests as Jest does: whatever lies below a folder `.git` is none.
const FINDER: &str = r#"found=$(find "$PWD" -name '*.test.sh' | grep -v '/\.git/' | wc -l)
[ "$found" = 2 ] || { echo "found $found tests below $PWD"; exit 1; }
"#;

#[test]
fn a_finder_that_passes_over_git_folders_finds_the_candidates_tests() {
    for &level in levels() {
        let tests = [("tests/a.test.sh", "true\n"), ("tests/b.test.sh", "true\n")];
        assert_green(&desk(GATE, FINDER, &tests).gates_at(level));
    }
}

const MAKE: &str = "build/out: src/in\n\tcp src/in build/out\n\techo built >> build/log\n";
const MAKES: &str = "mkdir -p build && make -s build/out && cmp src/in build/out\n";

#[test]
fn a_changed_file_with_an_old_time_is_rebuilt_and_an_unchanged_one_is_not_touched() {
    if !has("make", &["--version"]) {
        return;
    }
    for &level in levels() {
        let desk = desk(GATE, MAKES, &[("Makefile", MAKE), ("src/in", "one\n")]);
        let by_hand = || {
            let mut made = Command::new("sh");
            quiet(made.arg("gate.sh").current_dir(desk.project.root()))
        };
        assert!(by_hand());
        assert_green(&desk.gates_at(level));
        assert_green(&desk.gates_at(level));
        let log = || fs::read_to_string(desk.checkout("candidate").join("build/log")).unwrap();
        assert_eq!(
            log(),
            "built\n",
            "{level}: nothing changed, nothing is built"
        );

        desk.project.write("src/in", "two\n");
        age(&desk.project.root().join("src/in"));
        assert!(!by_hand(), "in the work tree, make takes it for old");
        assert_green(&desk.gates_at(level));
        assert_eq!(log(), "built\nbuilt\n", "{level}");
    }
}

const CARGO_GATE: &str = "mkdir -p target && cargo test --offline > target/said 2>&1; code=$?; tail -n 5 target/said; exit $code\n";

#[test]
fn cargo_compiles_what_changed_and_nothing_twice() {
    for &level in levels() {
        let config = GATE.replace("\"build\"", "\"target\"");
        let manifest =
            "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
        let source =
            |answer: u32| format!("#[test]\nfn answer() {{\n    assert_eq!(42, {answer});\n}}\n");
        let files = [("Cargo.toml", manifest), ("src/lib.rs", &source(42))];
        let desk = desk(&config, CARGO_GATE, &files);
        let said = || fs::read_to_string(desk.checkout("candidate").join("target/said")).unwrap();
        let compiled = || said().matches("Compiling demo").count();
        assert_green(&desk.gates_at(level));
        assert_eq!(compiled(), 1, "{level}: {}", said());
        assert_green(&desk.gates_at(level));
        assert_eq!(compiled(), 0, "{level}: {}", said());

        desk.project.write("src/lib.rs", &source(41));
        age(&desk.project.root().join("src/lib.rs"));
        assert_eq!(desk.gates_at(level).code, 4, "{level}: {}", said());
        assert_eq!(compiled(), 1, "{level}: {}", said());
    }
}

const EDITABLE: &str = r#"
[scope]
write = ["src/**"]

[gates]
link = [".venv"]

[[gate]]
name = "test"
run = ["sh", "gate.sh"]
timeout = "2m"
report = "exit"
"#;

/// Waits, so that the work tree can become another one meanwhile, and tests what is imported.
const IMPORTS: &str = "sleep 2\n.venv/bin/python -B -c 'import demo; print(demo.__file__); assert demo.ANSWER == 42'\n";

/// A project whose virtual environment has it installed for editing, as pip does it.
fn editable(config: &str) -> Desk {
    let desk = desk(
        config,
        IMPORTS,
        &[("src/demo/__init__.py", "ANSWER = 42\n")],
    );
    let root = desk.project.root();
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--without-pip", ".venv"])
        .current_dir(&root);
    assert!(quiet(&mut make));
    let library = fs::read_dir(root.join(".venv/lib"))
        .unwrap()
        .flatten()
        .next()
        .unwrap();
    let site = library.path().join("site-packages");
    let path = format!("{}\n", root.join("src").display());
    fs::write(site.join("__editable__.demo-1.0.pth"), path).unwrap();
    desk
}

/// Lets an agent break the candidate, and mends the work tree alone while the gate runs.
fn break_the_candidate(desk: &Desk, level: &str) -> crate::support::Story {
    let broken = write("src/demo/__init__.py", "ANSWER = 41\n");
    let server = Server::scripted(&session("F-1", &[&broken, FINISH, "What next?"]));
    desk.use_server(&server, "anthropic");
    let mut live = Live::start(desk, &["run", "--sandbox", level, "--max-turns", "3"]);
    if live.wait_for("gate_started", 1) {
        desk.project.write("src/demo/__init__.py", "ANSWER = 42\n");
    }
    live.end()
}

#[test]
fn an_editable_install_imports_the_candidate_and_never_the_work_tree() {
    if !has("python3", &["-c", "import venv"]) {
        return;
    }
    // The attack: a folder that is linked takes the work tree's module along.
    let desk = editable(EDITABLE);
    let copy = desk.project.outside().join("copy");
    fs::create_dir_all(copy.join("src/demo")).unwrap();
    fs::write(copy.join("src/demo/__init__.py"), "ANSWER = 41\n").unwrap();
    symlink(desk.project.root().join(".venv"), copy.join(".venv")).unwrap();
    let mut by_hand = Command::new("sh");
    assert!(quiet(by_hand.args(["-c", IMPORTS]).current_dir(&copy)));
    // And a gate in the work tree sees what was mended there.
    if levels().contains(&"namespaces") {
        let open = EDITABLE.replace("[gates]", "[gates]\nisolate = false");
        let story = break_the_candidate(&editable(&open), "namespaces");
        assert_eq!(story.first("check_ended")["status"], "green", "{story}");
    }
    for &level in levels() {
        let desk = editable(EDITABLE);
        let story = break_the_candidate(&desk, level);
        if level == "namespaces" {
            let check = story.first("check_ended");
            assert_eq!(check["status"], "red", "{level}: {story}");
            continue;
        }
        // Without mounts it is not run at all, and said which file it is.
        let told = story.to_string();
        for word in [
            "cannot link `.venv`",
            "__editable__.demo-1.0.pth",
            "leads into the work tree",
            "[[setup]]",
        ] {
            assert!(told.contains(word), "{level}: no {word} in {told}");
        }
        assert!(story.all("feature_passed").is_empty(), "{story}");
    }
}

#[test]
fn a_linked_folder_that_leads_nowhere_else_is_found_at_every_level_and_closed() {
    let gate = r#"[ "$(cat modules/tool/file)" = tool ] || { echo missing; exit 1; }
echo x > modules/tool/file && { echo written; exit 1; }
rm -rf modules; mkdir -p modules/tool; echo evil > modules/tool/file
exit 0
"#;
    let config = EDITABLE.replace(".venv", "modules");
    for &level in levels() {
        let desk = desk(&config, gate, &[]);
        desk.project.write("modules/tool/file", "tool\n");
        assert_green(&desk.gates_at(level));
        // What a gate put in its place is gone.
        assert_green(&desk.gates_at(level));
        assert_eq!(desk.project.read("modules/tool/file"), "tool\n");
    }
    let Some(level) = levels().iter().find(|level| **level == "landlock") else {
        return;
    };
    // A workspace link leads to the sources beside it.
    let desk = desk(&config, gate, &[("packages/own/index.js", "1\n")]);
    desk.project.write("modules/tool/file", "tool\n");
    symlink("../packages/own", desk.project.root().join("modules/own")).unwrap();
    let run = desk.gates_at(level);
    assert_eq!(run.code, 4, "{}{}", run.stdout, run.stderr);
    assert!(
        run.stdout
            .contains("`modules/own` leads into the work tree"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_proof_says_what_it_was_made_on_and_the_commands_say_so_too() {
    let open = format!("{GATE}\n[gates]\nisolate = false\n");
    for (config, is_isolated) in [(GATE, true), (open.as_str(), false)] {
        for &level in levels() {
            let desk = desk(config, "exit 0\n", &[]);
            let server = Server::scripted(&session("F-1", &[&write("src/answer", "42\n"), FINISH]));
            desk.use_server(&server, "anthropic");
            let story = desk.story(&["run", "--sandbox", level]);
            story.assert_ended("all_passing", 0);
            assert_eq!(desk.harness(&["land"]).code, 0);
            let evidence: serde_json::Value =
                serde_json::from_str(&desk.project.read(".harness/evidence/F-1.json")).unwrap();
            let expected = match (is_isolated, level) {
                (false, _) => "work_tree",
                (true, "namespaces") => "repository_path",
                _ => "own_path",
            };
            assert_eq!(evidence["isolation"], expected, "{level}");
            assert_eq!(evidence["isolated"], is_isolated);
            for command in [
                &["gate", "list"][..],
                &["gate", "run"],
                &["status"],
                &["verify"],
            ] {
                let run = desk.harness(command);
                assert_green(&run);
                let note = "note: gates run in the work tree, not isolated";
                assert_eq!(
                    run.stdout.contains(note),
                    !is_isolated,
                    "{command:?} {}",
                    run.stdout
                );
            }
            let verified = desk.harness(&["verify"]).stdout;
            let proof = "F-1 exact, HEAD is what was proven; its gates ran in the work tree";
            assert_eq!(verified.contains(proof), !is_isolated, "{verified}");
        }
    }
}

/// Makes a file look older than anything that was built from it.
fn age(path: &Path) {
    let mut touch = Command::new("touch");
    touch.args(["-d", "2001-01-01"]).arg(path);
    assert!(quiet(&mut touch));
}

fn quiet(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    command
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn has(program: &str, arguments: &[&str]) -> bool {
    let is_there = quiet(Command::new(program).args(arguments));
    if !is_there {
        say(&format!("skipped: `{program}` does not work here"));
    }
    is_there
}
