//! Recordings that others made of real services, played through the real program.
//!
//! Their models call tools that are not here and end as they please: what counts
//! is that nothing panics, that the end is a documented one, and that the run saw
//! what the codec sees.

use std::{env, fs, path::Path};

use harness_provider::{Api, Asked, Decoder};
use serde_json::Value;

use super::replay_at;
use crate::support::{Desk, say};

/// Exit codes of a run that was not stopped by a person or a signal.
const CODES: [i32; 6] = [0, 3, 4, 5, 6, 7];

/// Tokens as a line of the log tells them, by what they were for.
const TOKENS: [&str; 4] = ["input", "output", "cache_read", "cache_write"];

#[test]
fn every_recording_of_others_plays_to_a_documented_end() {
    let Some(root) = env::var_os("HARNESS_RECORDINGS") else {
        say("skipped: HARNESS_RECORDINGS is not set");
        return;
    };
    let folders = fs::read_dir(Path::new(&root).join("wire")).unwrap();
    let mut folders: Vec<_> = folders.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() > 50, "the recordings are not all there");
    let rows: Vec<String> = folders.iter().map(|folder| play(folder)).collect();
    say(&format!(
        "recording | exchanges | asked for | ended\n{}",
        rows.join("\n")
    ));
}

/// Plays one recording and returns its row of the table.
fn play(folder: &Path) -> String {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let desk = Desk::new();
    let story = replay_at(&desk, folder, &["run"]);
    assert!(CODES.contains(&story.run.code), "{name}: {story}");
    assert!(!story.run.stderr.contains("panicked"), "{name}: {story}");
    assert_eq!(desk.harness(&["log", "verify"]).code, 0, "{name}");

    let decoded = decoded(folder);
    let responded = story.all("model_responded");
    let answers: Vec<_> = decoded.iter().flatten().collect();
    assert!(responded.len() <= answers.len(), "{name}: {story}");
    for (line, answer) in responded.iter().zip(&answers) {
        let told = TOKENS.map(|kind| line["usage"][kind].as_u64().unwrap_or(0));
        assert_eq!(told, answer.0, "{name}: {line}");
        assert_eq!(line["text"], *answer.1, "{name}");
    }
    let ended = story.first("run_ended");
    let asked = responded.len() + story.all("model_failed").len();
    format!(
        "{name} | {} | {asked} | {} {}",
        decoded.len(),
        ended["reason"].as_str().unwrap_or_default(),
        story.run.code
    )
}

type Answer = ([u64; 4], String);

/// Decodes every exchange by the codec itself; `None` for one that has no answer.
fn decoded(folder: &Path) -> Vec<Option<Answer>> {
    let meta: Value = serde_json::from_slice(&fs::read(folder.join("meta.json")).unwrap()).unwrap();
    let entries = meta["interactions"].as_array().unwrap().iter();
    entries.map(|entry| decode(folder, entry)).collect()
}

fn decode(folder: &Path, entry: &Value) -> Option<Answer> {
    if entry["status"] != 200 {
        return None;
    }
    let api = match entry["api"].as_str().unwrap() {
        "anthropic" => Api::Anthropic,
        "openai-chat" => Api::Chat,
        "openai-responses" => Api::Responses,
        "gemini" => Api::Gemini,
        "ollama" => Api::Ollama,
        other => panic!("{other}"),
    };
    let file = entry["response"].as_str().unwrap();
    let mut bytes = fs::read(folder.join(file)).unwrap();
    if file.ends_with(".jsonl") {
        let lines = String::from_utf8(bytes).unwrap();
        let events = lines.lines().map(|line| format!("data: {line}\n\n"));
        let done = if api == Api::Chat {
            "data: [DONE]\n\n"
        } else {
            ""
        };
        bytes = (events.collect::<String>() + done).into_bytes();
    }
    let mut decoder = Decoder::new(api, Asked::default());
    decoder.push(&bytes);
    let response = decoder.finish().ok()?;
    let usage = response.usage;
    let tokens = [
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write,
    ];
    Some((tokens, response.text()))
}
