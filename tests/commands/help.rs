//! Help for every command, and the version.

use harness_testkit::Home;

use crate::support::PROGRAM;

#[test]
fn every_command_has_help() {
    let home = Home::new(PROGRAM);
    let mut waiting = vec![Vec::new()];
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        let path: Vec<String> = path;
        for flag in ["-h", "--help"] {
            let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
            arguments.push(flag);
            let run = home.run(home.path(), &arguments);
            assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
            assert!(run.stdout.contains("Usage: harness"), "{}", run.stdout);
            assert!(run.stderr.is_empty(), "{}", run.stderr);
        }
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["-h"]).collect();
        let text = home.run(home.path(), &arguments).stdout;
        let listed = text.split("Commands:\n").nth(1).unwrap_or_default();
        for line in listed.lines().take_while(|line| line.starts_with("  ")) {
            let name = line.split_whitespace().next().unwrap_or_default();
            let about = line.trim_start().trim_start_matches(name).trim();
            assert!(!about.is_empty(), "`{name}` says nothing about itself");
            if name != "help" {
                waiting.push([path.clone(), vec![name.to_owned()]].concat());
            }
        }
        seen += 1;
    }
    assert!(seen > 25, "only {seen} commands were found");
}

#[test]
fn the_version_is_one_line() {
    let home = Home::new(PROGRAM);
    let run = home.run(home.path(), &["--version"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "harness 0.1.0\n"));
}

#[test]
fn help_and_version_make_nothing_in_the_home() {
    let home = Home::new(PROGRAM);
    for flag in ["--help", "--version"] {
        assert_eq!(home.run(home.path(), &[flag]).code, 0);
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}
