//! A session as a Markdown text to read: what was said, what was called, how it came out.

use std::io::{self, Write};

use harness_core::Event;
use harness_report::{Lines, clean};

use super::{Target, unreadable};
use crate::failure::Failure;

/// Writes the transcript; what people and models said as text, all else as lines of a list.
pub(super) fn write(target: &Target, to: &mut impl Write) -> Result<io::Result<()>, Failure> {
    let mut lines = Lines::detailed();
    let mut result = Ok(());
    let found = harness_store::fold(&target.path, |record| {
        lines.at(record.time);
        let told = lines.write(&record.event);
        if result.is_ok() {
            let time = record.time.to_seconds_text();
            result = to.write_all(section(&record.event, &told, &time).as_bytes());
        }
    });
    found.map_err(|error| unreadable(target, &error))?;
    Ok(result.and_then(|()| to.flush()))
}

fn section(event: &Event, told: &str, time: &str) -> String {
    match event {
        Event::SessionOpened(opened) => format!(
            "# Session {} of run {}: {}\n\n{time}, model {}, sandbox {}\n",
            opened.session, opened.run.run, opened.feature, opened.run.model.name, opened.level
        ),
        Event::TurnStarted { turn } => format!("\n## Turn {}, {time}\n\n", turn.0),
        Event::PersonSaid { text, .. } => format!("\n**Person**\n\n{}\n\n", quoted(text)),
        Event::ModelResponded(responded) if !responded.response.text().is_empty() => {
            format!("{}\n\n", quoted(&responded.response.text()))
        }
        _ => listed(told),
    }
}

/// Foreign text cannot be taken for the transcript's own: each line of it is quoted.
fn quoted(text: &str) -> String {
    let lines = clean(text);
    let lines = lines.lines().map(|line| format!("> {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn listed(told: &str) -> String {
    let mut text = String::new();
    for line in told.lines() {
        let is_more = line.starts_with("  ");
        let line = line.trim_start().replace('`', "'");
        match is_more {
            true => text.push_str(&format!("  `{line}`\n")),
            false => text.push_str(&format!("- `{line}`\n")),
        }
    }
    text
}
