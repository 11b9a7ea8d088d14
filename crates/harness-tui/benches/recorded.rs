//! The recorded demo, for the benches that make a long session of it.

use std::path::Path;

use harness_core::{Event, Timestamp};
use serde_json::Value;

/// The events of the demo that a session repeats.
pub(crate) fn demo() -> Vec<(Event, Timestamp)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/sessions/demo.jsonl");
    let text = std::fs::read_to_string(file).expect("the recorded demo");
    text.lines()
        .map(|line| {
            let record: Value = serde_json::from_str(line).expect("a record");
            let event = serde_json::from_value(record["event"].clone()).expect("an event");
            let at = serde_json::from_value(record["time"].clone()).expect("a time");
            (event, at)
        })
        .collect()
}
