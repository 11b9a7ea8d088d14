//! A recorded run that asked a model for a note: its exchange is no turn of the replayed one.

use harness_testkit::{Reply, Server};

use super::{came_to, column, folder, proven, replay_at};
use crate::support::{CONFIG, Desk, FINISH, TESTS, session, shell};

const TWO: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "description": "src/answer must say forty-two", "status": "pending", "passes": false },
  { "id": "F-2", "title": "Give the question", "description": "src/question must end in a mark", "status": "pending", "passes": false }
] }
"#;

/// The flags of both runs: two turns are not enough for the first feature.
const RUN: [&str; 3] = ["run", "--max-turns", "2"];

fn desk() -> Desk {
    Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", TWO),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

/// A whole answer on the wire `chat`.
fn note() -> Reply {
    let text = r#"{"choices":[{"index":0,"delta":{"content":"left: write 42 to src/answer"},"finish_reason":"stop"}],"usage":{"prompt_tokens":700,"completion_tokens":9}}"#;
    Reply::Recorded {
        body: format!("data: {text}\n\ndata: [DONE]\n\n").into_bytes(),
        chunk: 64,
    }
}

#[test]
fn the_exchange_of_a_note_is_passed_over() {
    let (recorded, look) = (desk(), shell("cat src/answer"));
    let question = shell("echo 'What is six times seven?' > src/question");
    let script = session("src/question must end", &[&question, FINISH])
        + &session("src/answer must say", &[&look, &look, &look]);
    let server = Server::scripted(&script);
    server.reply_with([Reply::Script, Reply::Script, note()]);
    recorded.use_server(&server, "chat");
    let recording = folder(&recorded, "recording");
    let record = ["--record", &recording.display().to_string()];
    let told = recorded.story(&[&RUN[..], &record].concat());
    told.assert_ended("limit", 3);
    assert_eq!(told.first("handed_over")["by_model"], true, "{told}");
    assert_eq!(told.status_of("F-2"), "passing", "{told}");
    // What the harness wrote to the progress log meanwhile is nobody's change.
    assert!(told.all("stray_undone").is_empty() && told.all("changed_outside").is_empty());
    let purposes = column(&recording, "purpose");
    let purposes: Vec<_> = purposes.iter().map(serde_json::Value::as_str).collect();
    assert_eq!(purposes, [None, None, Some("hand_over"), None, None]);

    let played = desk();
    let story = replay_at(&played, &recording, &RUN);
    assert_eq!(came_to(&story), came_to(&told), "{story}\n{told}");
    assert_eq!(proven(&played), proven(&recorded));
    let note = story.first("handed_over");
    assert_eq!(
        (&note["by_model"], &note["problem"]),
        (&false.into(), &"".into())
    );
    // Gone on with, it stands behind the last turn.
    let again = replay_at(&played, &recording, &["resume", "--last"]);
    again.assert_ended("provider_failed", 6);
    let failed = again.first("model_failed").to_string();
    assert!(
        failed.contains("has 4 exchanges; request 5 is not in it"),
        "{failed}"
    );
}
