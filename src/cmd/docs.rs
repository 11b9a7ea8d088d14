//! `harness docs check`: maps and documents held against the repository they describe.
//!
//! Reads and changes nothing; needs no trust, for nothing of the repository runs. It also works
//! where git cannot be seen, as in a gate's checkout at some levels: the folder is what counts.

mod library;

use harness_context::docs::{DocsCheck, check};
use serde_json::json;

use crate::{
    cli::{Common, DocsCommand},
    failure::{Failure, RED},
    output::{Output, say},
};

pub(super) fn run(common: &Common, command: &DocsCommand) -> Result<u8, Failure> {
    match command {
        DocsCommand::Check => run_check(common),
    }
}

fn run_check(common: &Common) -> Result<u8, Failure> {
    let gathered = library::gather(common)?;
    if let Some(note) = &gathered.note {
        say(&format!("note: {note}"));
    }
    let found = check(&gathered.library);
    let mut output = Output::new(common);
    for finding in &found.findings {
        let place = match finding.line {
            Some(line) => format!("{}:{line}", finding.path),
            None => finding.path.to_string(),
        };
        let text = format!("{place}: {}: {}", finding.rule.as_str(), finding.message);
        let body = json!({
            "rule": finding.rule.as_str(),
            "path": finding.path.to_text(),
            "line": finding.line,
            "message": finding.message,
        });
        output.entry("docs_finding", &text, body)?;
    }
    let all = found.findings.len() + found.more;
    let body = json!({
        "maps": found.maps,
        "documents": found.documents,
        "findings": all,
        "is_whole": gathered.note.is_none(),
    });
    output.entry("docs_checked", &summary(&found, all), body)?;
    Ok(if all == 0 { 0 } else { RED })
}

fn summary(found: &DocsCheck, all: usize) -> String {
    let count = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let more = match found.more {
        0 => String::new(),
        more => format!(", {more} of them not shown"),
    };
    format!(
        "docs: {}, {}: {}{more}",
        count(found.maps, "map"),
        count(found.documents, "document"),
        count(all, "finding")
    )
}
