//! `harness doctor`: what it proves, what it says, and that it only reads.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    process::Command,
};

use harness_testkit::{Home, Project, Run};
use serde_json::Value;

use super::{assert_ok, json, picture};
use crate::support::{CONFIG, Desk, PROGRAM, say};

/// A user without rights that every system has.
const NOBODY: u32 = 65534;

/// The levels that are tried.
const LEVELS: [&str; 3] = ["namespaces", "landlock", "none"];

/// The levels that a test of this machine is demanded to have.
fn demanded() -> String {
    std::env::var("HARNESS_REQUIRE_LEVEL").unwrap_or_default()
}

/// The levels whose attempts were made, after a look at what each holds.
fn check(run: &Run, demanded: &str) -> Vec<String> {
    let lines = json(run);
    let of = |kind: &'static str| {
        let lines = lines.iter().filter(move |line| line["type"] == kind);
        lines.collect::<Vec<&Value>>()
    };
    let mut levels = Vec::new();
    for tried in of("level_tried") {
        let level = tried["level"].as_str().unwrap_or_default();
        if tried["usable"] == true {
            levels.push(level.to_owned());
        } else {
            assert!(!demanded.split(',').any(|name| name == level), "{tried}");
            say(&format!("skipped: level `{level}`: {}", tried["reason"]));
        }
    }
    for level in LEVELS {
        let made: Vec<&Value> = of("attempt_made")
            .into_iter()
            .filter(|line| line["level"] == level)
            .collect();
        let broken: Vec<&&Value> = made.iter().filter(|line| line["held"] == false).collect();
        assert!(broken.is_empty(), "{broken:?}");
        assert_eq!(
            levels.iter().any(|known| known == level),
            !made.is_empty(),
            "{level}"
        );
    }
    let ended = &of("doctor_ended")[0];
    let is_confined = levels.iter().any(|level| level != "none");
    assert_eq!(ended["held"], is_confined, "{ended}");
    assert_eq!(ended["exit_code"], run.code, "{ended}");
    assert_eq!(run.code, if is_confined { 0 } else { 7 }, "{}", run.stderr);
    levels
}

#[test]
fn every_level_of_this_machine_holds_what_it_owes() {
    let desk = Desk::new();
    let run = desk.harness(&["doctor", "--json"]);
    let levels = check(&run, &demanded());
    let outcome = |level: &str, attempt: &str| {
        let lines = json(&run).into_iter();
        let mut found = lines
            .filter(|line| line["level"] == level && line["attempt"] == attempt)
            .map(|line| line["outcome"].clone());
        found.next().unwrap_or_default()
    };
    for level in &levels {
        let expected = if level == "none" {
            "allowed"
        } else {
            "prevented"
        };
        for attempt in [
            "write_outside",
            "read_hidden",
            "connect_tcp",
            "connect_unix",
        ] {
            assert_eq!(outcome(level, attempt), expected, "{level} {attempt}");
        }
        assert_eq!(outcome(level, "make_protected"), "allowed", "{level}");
    }
}

#[test]
fn somebody_without_rights_is_kept_in_as_well() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        say("skipped: only root can become somebody else, and this user has no rights anyway");
        return;
    }
    let home = tempfile_of_nobody();
    let mut command = Command::new(PROGRAM);
    command
        .args(["doctor", "--json"])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .uid(NOBODY)
        .gid(NOBODY);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            return say(&format!(
                "skipped: nobody cannot start the program: {error}"
            ));
        }
    };
    let run = Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    check(&run, &demanded());
    let proof = fs::metadata(home.path().join(".cache/harness/level")).unwrap();
    assert_eq!((proof.uid(), proof.mode() & 0o777), (NOBODY, 0o600));
}

fn tempfile_of_nobody() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("notes"), "mine\n").unwrap();
    chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    home
}

#[test]
fn a_repository_that_nobody_trusts_is_only_read() {
    let home = Home::new(PROGRAM);
    let marker = "touch \"$HOME/marker\" ../marker; exit 1";
    let config =
        format!("{CONFIG}\n[[gate]]\nname = \"evil\"\nrun = [\"sh\", \"-c\", '''{marker}''']\n");
    let project = Project::with_files(&[("harness.toml", &config), ("src/answer", "0\n")]);
    let before = picture(&project);
    let run = home.run(&project.root(), &["doctor", "--no-input"]);
    assert!([0, 7].contains(&run.code), "{}", run.stderr);
    assert!(
        run.stdout.contains("configuration: `harness.toml`"),
        "{}",
        run.stdout
    );
    assert_eq!(picture(&project), before);
    assert!(!project.root().join(".git/harness").exists());
    assert!(!project.root().join("../marker").exists() && !home.path().join("marker").exists());
}

#[test]
fn a_table_says_what_each_level_holds() {
    let desk = Desk::new();
    let run = desk.harness(&["doctor", "--sandbox", "none"]);
    assert_ok(&run);
    let line = |start: &str| run.stdout.lines().any(|line| line.starts_with(start));
    assert!(
        line("write a file outside               allowed"),
        "{}",
        run.stdout
    );
    assert!(
        line("attempt                            none"),
        "{}",
        run.stdout
    );
    assert!(line("not owed by none: "), "{}", run.stdout);
    assert!(line("result: `none` owes nothing"), "{}", run.stdout);
    assert!(
        run.stdout.lines().all(|line| !line.contains("ALLOWED")),
        "{}",
        run.stdout
    );
    assert!(
        !run.stdout.contains(&desk.home.path().display().to_string()),
        "{}",
        run.stdout
    );
}

#[test]
fn keys_are_named_and_never_shown() {
    let desk = Desk::new();
    desk.home
        .configure("[model.mine]\napi = \"chat\"\nid = \"x\"\nkey_env = \"MINE_KEY\"\n");
    let arguments = ["doctor", "--sandbox", "none"];
    let root = desk.project.root();
    let run = desk
        .home
        .run_with(&root, &arguments, "MINE_KEY", "sk-canary-1234567890");
    assert_ok(&run);
    assert!(
        run.stdout.contains("model: `mine`: `MINE_KEY` is set"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("`OPENAI_API_KEY` is not set"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("canary") && !run.stderr.contains("canary"));
}

#[test]
fn a_configuration_that_cannot_be_read_is_told_beside_the_rest() {
    let desk = Desk::new();
    desk.project.write("harness.toml", "[gaet]\n");
    let run = desk.harness(&["doctor", "--sandbox", "none"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(
        run.stdout.contains("configuration: cannot be read"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("`gaet`"), "{}", run.stdout);
    assert!(run.stdout.contains("connect by TCP"), "{}", run.stdout);
}

#[test]
fn outside_a_repository_the_machine_is_looked_at_all_the_same() {
    let home = Home::new(PROGRAM);
    let run = home.run(home.path(), &["doctor", "--sandbox", "none"]);
    assert_ok(&run);
    assert!(
        run.stdout
            .contains("configuration: there is no repository here"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_somebody_vouches_for_is_not_tried() {
    let home = Home::new(PROGRAM);
    let run = home.run(home.path(), &["doctor", "--sandbox", "external"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("level `external`"), "{}", run.stderr);
}

#[test]
fn a_proven_level_is_remembered_and_a_forged_memory_is_not_believed() {
    let desk = Desk::new();
    let explain = || desk.harness(&["scope", "explain", "src", "--sandbox"]);
    if explain().code == 7 {
        return say("skipped: this kernel enforces no level");
    }
    let proof = desk.home.path().join(".cache/harness/level");
    let proven = fs::read_to_string(&proof).unwrap();
    assert_eq!(fs::metadata(&proof).unwrap().mode() & 0o777, 0o600);
    let made = |path| fs::metadata(path).unwrap().ino();
    let first = made(&proof);
    assert_ok(&explain());
    assert_eq!(made(&proof), first, "it was proven twice");
    let (key, levels) = proven.split_once('\n').unwrap();
    let forged = format!("{}\n{levels}", key.chars().rev().collect::<String>());
    fs::write(&proof, forged).unwrap();
    assert_ok(&explain());
    assert_eq!(fs::read_to_string(&proof).unwrap(), proven);
}

/// Runs a script where no further namespaces can be made, in the desk's project; `None` where that cannot be had.
fn without_namespaces(desk: &Desk, script: &str) -> Option<Run> {
    let run = |script: &str| {
        let script = format!("echo 0 > /proc/sys/user/max_user_namespaces && {script}");
        let home = desk.home.command(&desk.project.root(), &[]);
        let kept = home
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        let mut command = Command::new("unshare");
        command
            .args(["-Ur", "sh", "-c", &script])
            .env_clear()
            .envs(kept)
            .env("PROGRAM", PROGRAM)
            .current_dir(desk.project.root());
        let output = command.output().ok()?;
        Some(Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    };
    if run("true").is_none_or(|run| run.code != 0) {
        say("skipped: `unshare` cannot make a place without namespaces");
        return None;
    }
    run(script)
}

#[test]
fn why_namespaces_are_not_there_is_said_with_what_mends_it() {
    let desk = Desk::new();
    let Some(run) = without_namespaces(&desk, "\"$PROGRAM\" doctor --json") else {
        return;
    };
    let levels = check(&run, "");
    assert!(
        !levels.iter().any(|level| level == "namespaces"),
        "{levels:?}"
    );
    let tried = &json(&run)[1];
    assert_eq!(
        (&tried["level"], &tried["usable"]),
        (&"namespaces".into(), &false.into())
    );
    let reason = tried["reason"].as_str().unwrap();
    assert!(reason.contains("make namespaces: "), "{reason}");
    let hint = tried["hints"][0].as_str().unwrap();
    assert!(
        hint.contains("sudo sysctl user.max_user_namespaces="),
        "{hint}"
    );
}

#[test]
fn a_level_that_was_remembered_and_is_not_there_is_never_a_weaker_one() {
    let desk = Desk::new();
    // As if namespaces had been proven under these very circumstances.
    let script = "\"$PROGRAM\" scope explain src --sandbox > first || exit 77
        sed -i s/landlock/namespaces/ \"$HOME/.cache/harness/level\"
        exec \"$PROGRAM\" gate run --json";
    let Some(run) = without_namespaces(&desk, script) else {
        return;
    };
    if run.code == 77 {
        return say("skipped: this kernel enforces no other level");
    }
    assert!(desk.project.read("first").contains("sandbox: landlock\n"));
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(
        said.contains("the level `namespaces` cannot be enforced here"),
        "{said}"
    );
    assert!(
        run.code != 0 && said.contains("\"exit_code\":null"),
        "{said}"
    );
}
