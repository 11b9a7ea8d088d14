//! `[agent] fallback`: another model goes on with the same conversation when a provider is given up.

use harness_testkit::{Reply, Server};

use crate::support::{CONFIG, Desk, FEATURES, FINISH, TESTS, session, shell};

/// Makes a project whose models `first` and `second` are two servers; `more` goes into the tables of each.
fn desk(first: &Server, second: &Server, more: [&str; 2], limits: &str) -> Desk {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let (a, b) = (first.base_url("anthropic"), second.base_url("chat"));
    let [for_a, for_b] = more;
    desk.home.configure(&format!(
        "[agent]\nmodel = \"first\"\nfallback = [\"second\"]\n{limits}\n\
         [model.first]\napi = \"anthropic\"\nbase_url = \"{a}\"\nid = \"first-model\"\n{for_a}\n\
         [model.second]\napi = \"chat\"\nbase_url = \"{b}\"\nid = \"second-model\"\n{for_b}\n"
    ));
    desk
}

fn script() -> String {
    session("F-1", &[&shell("echo once >> src/marker"), FINISH])
}

fn unwell(status: u16) -> Reply {
    Reply::Status {
        status,
        headers: vec![("retry-after-ms", "1".to_owned())],
        body: String::new(),
    }
}

#[test]
fn the_next_model_goes_on_with_the_same_conversation_at_its_own_price() {
    let (first, second) = (Server::scripted(&script()), Server::scripted(&script()));
    first.reply_with([vec![Reply::Script], vec![unwell(503); 20]].concat());
    let price = "price = { input = 1000.0, output = 1000.0 }";
    let desk = desk(&first, &second, ["", price], "");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(desk.project.read("src/marker"), "once\n");

    let changed = story.first("model_changed");
    assert_eq!(
        (&changed["from"], &changed["to"]),
        (&"first".into(), &"second".into())
    );
    assert_eq!(
        first.received().len(),
        4,
        "one answer, then three failures in a row"
    );
    let asked = &second.received()[0].body;
    assert_eq!(asked["model"], "second-model");
    assert!(
        asked.to_string().contains("echo once >> src/marker"),
        "{asked}"
    );
    let costs: Vec<f64> = story
        .all("model_responded")
        .iter()
        .map(|line| line["usd"].as_f64().unwrap())
        .collect();
    assert!(
        matches!(costs[..], [free, paid] if free == 0.0 && paid > 0.0),
        "{costs:?}"
    );
    assert_eq!(story.all("session_started").len(), 1, "{story}");
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    let progress = story.all("finish_refused");
    assert!(
        progress.is_empty(),
        "a provider's failure is no attempt: {story}"
    );
}

#[test]
fn it_is_said_in_one_line_and_resuming_keeps_the_model() {
    let (first, second) = (Server::scripted(&script()), Server::scripted(&script()));
    first.reply_with(vec![unwell(402); 20]);
    second.reply_with(vec![unwell(401)]);
    let desk = desk(&first, &second, ["", ""], "");
    let run = desk.harness(&["run", "--no-input"]);
    assert_eq!(run.code, 6, "{}", run.stderr);
    let said = "model first is given up (the server answered 402); second goes on";
    let lines = run.stdout.lines().filter(|line| line.contains(said));
    assert_eq!(lines.count(), 1, "{}", run.stdout);

    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(
        first.received().len(),
        1,
        "the first one is not asked again"
    );
}

#[test]
fn a_request_that_is_wrong_itself_is_sent_to_nobody_else() {
    for status in [400, 401, 403, 404, 413] {
        let (first, second) = (Server::scripted(&script()), Server::scripted(&script()));
        first.reply_with([unwell(status)]);
        let desk = desk(&first, &second, ["", ""], "");
        desk.story(&["run"]).assert_ended("provider_failed", 6);
        assert!(second.received().is_empty(), "{status}");
    }
}

#[test]
fn a_model_that_cannot_be_asked_is_left_out_and_said() {
    let (first, second) = (Server::scripted(&script()), Server::scripted(&script()));
    first.reply_with([unwell(402)]);
    let no_key = ["", "key_env = \"NO_SUCH_KEY\""];
    let desk = desk(&first, &second, no_key, "");
    let story = desk.story(&["run"]);
    story.assert_ended("provider_failed", 6);
    let stderr = &story.run.stderr;
    assert!(
        stderr.contains("fallback model `second` is left out"),
        "{stderr}"
    );
    assert!(stderr.contains("NO_SUCH_KEY"), "{stderr}");
    assert!(second.received().is_empty());
}
