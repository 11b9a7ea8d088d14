//! Real work in the cage, from a cold home: what toolchains need is there, what setup steps bring
//! stays, and the network is off afterwards.
//!
//! What is missing on this machine is skipped and said.

mod cargo;
mod java;
mod node;
mod public;
mod python;
mod registry;
pub(crate) mod reports;
mod steps;

use std::process::{Command, Stdio};

use harness_testkit::{Home, Project, Server};
use serde_json::Value;

use crate::support::{Desk, FEATURES, FINISH, PROGRAM, Story, levels, say, session, shell, write};

/// What the agent writes: the feature of [`FEATURES`].
fn answer() -> String {
    write("src/answer", "42\n")
}

/// Whether the machine has a program; what it lacks is said.
fn has(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let is_there = status.is_ok_and(|status| status.success());
    if !is_there {
        say(&format!("skipped: `{program}` does not work here"));
    }
    is_there
}

/// Whether the kernel enforces a level here.
fn enforces(level: &str) -> bool {
    levels().contains(&level)
}

impl Desk {
    /// Makes a project of these files and a feature, with ignored files.
    fn of(files: &[(&str, &str)], ignored: &str) -> Self {
        let project = Project::new();
        for (path, text) in files {
            project.write(path, text);
        }
        project.write("feature_list.json", FEATURES);
        project.write(".gitignore", ignored);
        project.commit_all("start");
        let desk = Self {
            home: Home::new(PROGRAM),
            project,
        };
        let trusted = desk.harness(&["trust", "--yes"]);
        assert_eq!(trusted.code, 0, "{}", trusted.stderr);
        desk
    }

    /// Runs the feature with an agent that takes these turns.
    fn work(&self, turns: &[&str], flags: &[&str]) -> (Story, Server) {
        let server = Server::scripted(&session("F-1", turns));
        self.use_model(&server, "");
        let story = self.story(&[&["run"], flags].concat());
        (story, server)
    }

    /// Tells the home about a model behind a test server, and about something more.
    fn use_model(&self, server: &Server, more: &str) {
        self.home.configure(&format!(
            "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nbase_url = \"{}\"\nid = \"test-model\"\n{more}",
            server.url()
        ));
    }
}

/// Returns how the setup steps of a place ended, in order.
fn ends<'a>(story: &'a Story, place: &str) -> Vec<&'a str> {
    let ended = story.all("setup_ended").into_iter();
    let here = ended.filter(|line| line["place"] == place);
    here.filter_map(|line| line["status"].as_str()).collect()
}

/// Holds every check of a story against what it should be.
fn assert_green(story: &Story) {
    story.assert_ended("all_passing", 0);
    for check in story.all("check_ended") {
        assert_eq!(check["status"], "green", "{story}");
    }
}

fn tests_run(line: &Value) -> Option<u64> {
    line["tests"]["run"].as_u64()
}

/// A call of the shell that must come to exit code 0, and the finish.
fn try_and_finish(command: &str) -> Vec<String> {
    vec![answer(), shell(command), FINISH.to_owned()]
}
