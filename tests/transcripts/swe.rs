//! Sessions of an agent that edits by line numbers in a window of an open file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Table, as_called, edited, print};

pub(super) fn drive(table: &mut Table, recording: &str) {
    let recording: Value = serde_json::from_str(recording).unwrap();
    let mut window: BTreeMap<usize, String> = BTreeMap::new();
    for step in recording["trajectory"].as_array().unwrap() {
        let action = step["action"].as_str().unwrap();
        let observation = step["observation"].as_str().unwrap();
        let name = action.split_whitespace().next().unwrap_or_default();
        as_called(table, name, "{}");
        if let Some(edit) = action.strip_prefix("edit ") {
            edit_lines(table, &window, edit, observation);
        } else {
            print(table, observation);
        }
        let shown = numbered(observation);
        // A failed edit shows the file twice, last as it still is; one alone is as it is now.
        if !shown.is_empty() {
            window = shown;
        }
    }
}

/// Makes an edit of lines as one of text: what stood there by what is put there.
fn edit_lines(table: &mut Table, window: &BTreeMap<usize, String>, edit: &str, observation: &str) {
    if !observation.contains("File updated") {
        table.count("edits by line: failed then");
        return;
    }
    let (range, rest) = edit.split_once('\n').unwrap();
    let new = rest.split("end_of_edit").next().unwrap();
    let range = range.split_whitespace().next().unwrap();
    let (first, last) = range.split_once(':').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let lines: Vec<&String> = (first..=last)
        .filter_map(|line| window.get(&line))
        .collect();
    if lines.len() != last + 1 - first {
        table.count("edits by line: of lines that are not shown");
        return;
    }
    let old: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let text: String = window.values().map(|line| format!("{line}\n")).collect();
    if old.trim().is_empty() {
        table.count("edits by line: of an empty file, which is a `write`");
        return;
    }
    table.count("edits by line: mapped");
    edited(table, &text, &[(&old, new)]);
}

/// Returns the lines that an observation shows with their numbers; of several windows the last.
fn numbered(observation: &str) -> BTreeMap<usize, String> {
    let mut lines = BTreeMap::new();
    for line in observation.lines() {
        if let Some((number, text)) = line.split_once(':')
            && let Ok(number) = number.parse::<usize>()
        {
            if lines.keys().last().is_some_and(|last| number <= *last) {
                lines.clear();
            }
            lines.insert(number, text.to_owned());
        }
    }
    lines
}
