//! Agents whose work goes nowhere: told first, then given up; slow healthy work is left alone.

use harness_testkit::Server;

use crate::support::{Desk, FINISH, Story, news, session, shell, write};

/// Runs these turns and returns the story with what each request brought that was new.
fn run(desk: &Desk, turns: &[String]) -> (Story, Vec<String>) {
    let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run"]);
    let told = server.received();
    let told = told.iter().map(news);
    (story, told.collect())
}

fn read(path: &str) -> String {
    format!("{{ tool = \"read\", path = \"{path}\" }}")
}

/// Returns the one request in which this was told.
fn only(told: &[String], text: &str) -> usize {
    let at: Vec<usize> = (0..told.len())
        .filter(|&at| told[at].contains(text))
        .collect();
    assert_eq!(at.len(), 1, "`{text}` in requests {at:?} of {told:#?}");
    at[0]
}

fn needs_human(story: &Story) -> String {
    story.first("needs_human")["question"].to_string()
}

#[test]
fn edits_back_and_forth_end_as_stuck() {
    let desk = Desk::new();
    let turns: Vec<String> = (0..30)
        .flat_map(|n| {
            [
                write("src/answer", &format!("{}\n", n % 2 + 1)),
                shell(&format!("echo {n}")),
            ]
        })
        .collect();
    let (story, told) = run(&desk, &turns);
    story.assert_ended("stuck", 5);
    only(
        &told,
        "Your edits of `src/answer` go back and forth: 4 times in a row",
    );
    assert!(
        needs_human(&story).contains("back and forth: 10 times in a row"),
        "{story}"
    );
}

#[test]
fn the_same_wall_tried_in_other_ways_is_left_to_a_person() {
    let desk = Desk::new();
    let turns: Vec<String> = (0..20)
        .flat_map(|n| {
            [
                write(&format!("docs/{n}.md"), "x\n"),
                shell(&format!("echo {n}")),
            ]
        })
        .collect();
    // A command that was done is a way on, so here are none.
    let refused: Vec<String> = turns.iter().step_by(2).cloned().collect();
    let (story, told) = run(&desk, &refused);
    story.assert_ended("needs_human", 5);
    assert_eq!(
        only(&told, "5 calls were refused with nothing done between them"),
        5
    );
    assert!(
        told[5].contains("`request`") && told[5].contains("docs/4.md"),
        "{}",
        told[5]
    );
    assert!(
        needs_human(&story).contains("12 calls of the agent were refused"),
        "{story}"
    );
    // With work between them they are nothing but refusals.
    let mixed: Vec<String> = turns
        .into_iter()
        .chain([write("src/answer", "42\n"), FINISH.to_owned()])
        .collect();
    let (story, told) = run(&Desk::new(), &mixed);
    story.assert_ended("all_passing", 0);
    assert!(told.iter().all(|told| !told.contains("calls were refused")));
}

#[test]
fn calls_of_tools_that_do_not_exist_end_as_stuck() {
    let desk = Desk::new();
    let turns: Vec<String> = (0..20)
        .map(|n| format!("{{ tool = \"apply_patch\", patch = \"{n}\" }}"))
        .collect();
    let (story, told) = run(&desk, &turns);
    story.assert_ended("stuck", 5);
    assert_eq!(only(&told, "3 calls in a row could not be understood"), 3);
    assert!(
        needs_human(&story).contains("9 calls of the agent in a row made no sense"),
        "{story}"
    );
}

#[test]
fn turns_that_bring_nothing_are_left_to_a_person() {
    let desk = Desk::new();
    let files = [
        "src/answer",
        "AGENTS.md",
        "docs/answer.md",
        "tests/run.sh",
        "feature_list.json",
    ];
    let turns: Vec<String> = (0..80).map(|n| read(files[n % files.len()])).collect();
    let (story, told) = run(&desk, &turns);
    story.assert_ended("needs_human", 5);
    only(&told, "In the 25 turns since turn 6 no file changed");
    assert!(
        needs_human(&story).contains("in the 50 turns since turn 6"),
        "{story}"
    );
}

#[test]
fn the_same_failures_in_every_check_are_told() {
    let desk = Desk::new();
    let mut turns: Vec<String> = (0..6)
        .flat_map(|n| {
            [
                write("src/other", &format!("{n}\n")),
                write("src/answer", "41\n"),
                "{ tool = \"check\" }".to_owned(),
            ]
        })
        .collect();
    turns.extend([write("src/answer", "42\n"), FINISH.to_owned()]);
    let (story, told) = run(&desk, &turns);
    story.assert_ended("all_passing", 0);
    let at = only(
        &told,
        "Gate test has failed in the same way 5 times since turn 3",
    );
    assert!(told[at].contains("the answer is not 41"), "{}", told[at]);
}

#[test]
fn slow_healthy_work_is_left_alone() {
    let desk = Desk::new();
    let mut turns: Vec<String> = Vec::new();
    // Exploring: forty files that were never seen.
    turns.extend((0..40).map(|n| shell(&format!("echo file {n}"))));
    // Debugging: the same red test after every edit.
    for n in 0..15 {
        turns.push(write("src/notes", &format!("{n}\n")));
        turns.push(write("src/answer", "41\n"));
        turns.push(shell("sh tests/run.sh"));
    }
    // Polling something that goes on, and taking a refactoring back once.
    turns.extend((0..12).map(|_| shell("echo step >> src/build.log; wc -l < src/build.log")));
    turns.extend(["a", "b", "a", "c"].map(|text| write("src/notes", text)));
    turns.extend([write("src/answer", "42\n"), FINISH.to_owned()]);
    let (story, told) = run(&desk, &turns);
    story.assert_ended("all_passing", 0);
    assert!(story.all("nudged").is_empty(), "{story}");
    assert_eq!(told.len(), turns.len());
}
