//! What all runs of a day cost together is counted, whoever spends it, and stops them.

use std::{path::PathBuf, process::Stdio};

use harness_testkit::{Project, Run, Server};
use serde_json::Value;

use crate::support::{CONFIG, Desk, FEATURES, TESTS, endless, session, shell};

/// A model that costs this much in USD per million tokens, in a day that may cost `day_usd`.
fn configure(desk: &Desk, server: &Server, price: &str, day_usd: &str) {
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[limits]\nday_usd = {day_usd}\n[model.test]\napi = \"anthropic\"\nid = \"m\"\nbase_url = \"{}\"\nprice = {{ input = {price}, output = {price} }}\n",
        server.url()
    ));
}

/// A script that never ends, and never stands still.
fn busy() -> Server {
    let call = shell("echo line >> src/growing; wc -l src/growing");
    Server::scripted(&endless("F-1", &[&call]))
}

fn lines(run: &Run) -> Vec<Value> {
    let lines = run.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

/// Returns the file of today, made with what was spent elsewhere.
fn spent_elsewhere(desk: &Desk, usd: f64) -> PathBuf {
    let now = harness_time();
    let folder = desk.home.path().join(".local/state/harness/spend");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{}.jsonl", &now[..10]));
    let micro_usd = (usd * 1e6) as u64;
    let line = format!(
        "{{\"v\":1,\"time\":\"{now}\",\"session\":\"S-0099\",\"micro_usd\":{micro_usd}}}\n"
    );
    std::fs::write(&path, line).unwrap();
    path
}

fn harness_time() -> String {
    humantime::format_rfc3339_millis(std::time::SystemTime::now()).to_string()
}

#[test]
fn two_runs_at_once_share_the_day_and_a_third_is_refused() {
    let desk = Desk::new();
    let other = Project::with_files(&[
        ("harness.toml", CONFIG),
        ("AGENTS.md", "# other\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let trusted = desk.home.run(&other.root(), &["trust", "--yes"]);
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    let server = busy();
    configure(&desk, &server, "100.0", "2.0");
    let runs: Vec<_> = [desk.project.root(), other.root()]
        .iter()
        .map(|root| {
            let mut command = desk.home.command(root, &["run", "--json", "--no-input"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut sum = 0.0;
    for run in runs {
        let run = Run::from(run.wait_with_output().unwrap());
        assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
        let lines = lines(&run);
        // One that began when the other had spent everything was refused, without a line.
        for ended in of_kind(&lines, "run_ended") {
            assert_eq!(ended["reason"], "budget", "{ended}");
            sum += ended["usd"].as_f64().unwrap();
        }
        // A step can be too large to be warned of before it is taken.
        assert!(
            of_kind(&lines, "budget_warned").len() <= 1,
            "{}",
            run.stdout
        );
    }
    // Each may have had an answer under way; each for itself would have gone to the whole of it.
    assert!((1.2..3.2).contains(&sum), "{sum}");

    let before = server.received().len();
    spent_elsewhere(&desk, 2.0);
    for arguments in [
        &["run", "--dirty", "base", "--no-input"][..],
        &["resume", "--last", "--no-input"],
    ] {
        let refused = desk.harness(arguments);
        assert_eq!(refused.code, 3, "{}", refused.stderr);
        assert!(
            refused
                .stderr
                .contains("of the day have cost $2.00 of $2.00"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(server.received().len(), before);
}

#[test]
fn what_was_spent_before_counts_and_is_warned_of_once() {
    let desk = Desk::new();
    let server = Server::scripted(&session("look", &[&shell("true"), "Nothing to see."]));
    configure(&desk, &server, "0.01", "1.0");
    let path = spent_elsewhere(&desk, 0.85);
    let before = std::fs::read_to_string(&path).unwrap();
    let run = desk.harness(&["run", "look", "--json", "--no-input"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let lines = lines(&run);
    let warned = of_kind(&lines, "budget_warned");
    assert_eq!(warned.len(), 1, "{}", run.stdout);
    assert!(
        warned[0].to_string().contains("$0.85 of $1.00"),
        "{}",
        warned[0]
    );
    let after = std::fs::read_to_string(&path).unwrap();
    assert!(
        after.starts_with(&before) && after.lines().count() == 3,
        "{after}"
    );
}

#[test]
fn a_model_that_costs_nothing_takes_nothing_and_a_day_that_cannot_be_read_stops_the_rest() {
    let desk = Desk::new();
    let server = Server::scripted(&session("look", &["Nothing to see."]));
    let path = spent_elsewhere(&desk, 9.0);
    configure(&desk, &server, "0.0", "1.0");
    let run = desk.harness(&["run", "look", "--no-input"]);
    assert_eq!(run.code, 0, "{}", run.stderr);

    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    configure(&desk, &server, "1.0", "1.0");
    let run = desk.harness(&["run", "look", "--no-input"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("spend/"), "{}", run.stderr);
    assert_eq!(server.received().len(), 1);
}
