//! Sessions in which no file is edited: what is called in them, as our parser meets it.

use serde_json::Value;

use super::{Table, as_called, print};

/// A session of the Codex screen: what is said in it is words alone.
pub(super) fn codex(table: &mut Table, recording: &str) {
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let kind = line["payload"]["msg"]["type"].as_str().unwrap_or_default();
        if kind.contains("exec_command")
            || kind.contains("patch_apply")
            || kind.contains("tool_call")
        {
            table.count("codex: calls");
        } else if kind == "agent_message" {
            table.count("codex: messages");
        }
    }
}

/// Answers of the Gemini API, streamed or whole.
pub(super) fn gemini(table: &mut Table, recording: &str) {
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let response = &line["response"];
        let chunks = response
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![response.clone()]);
        for candidate in chunks.iter().filter_map(|chunk| chunk["candidates"].get(0)) {
            if candidate["finishReason"] == "MALFORMED_FUNCTION_CALL" {
                table.count("gemini: calls that were malformed");
            }
            for part in candidate["content"]["parts"]
                .as_array()
                .into_iter()
                .flatten()
            {
                if let Some(call) = part.get("functionCall") {
                    table.count("gemini: calls");
                    as_called(
                        table,
                        call["name"].as_str().unwrap(),
                        &call["args"].to_string(),
                    );
                }
            }
        }
    }
}

/// Dialogues of an agent with tools of another trade.
pub(super) fn tau(table: &mut Table, recording: &str) {
    let tasks: Vec<Value> = serde_json::from_str(recording).unwrap();
    for message in tasks
        .iter()
        .flat_map(|task| task["traj"].as_array().unwrap())
    {
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let function = &call["function"];
            table.count("tau-bench: calls");
            as_called(
                table,
                function["name"].as_str().unwrap(),
                function["arguments"].as_str().unwrap(),
            );
        }
        if message["role"] == "tool" {
            print(table, message["content"].as_str().unwrap_or_default());
        }
    }
}
