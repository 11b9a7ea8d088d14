//! `harness context`: what a session's window is made of, from where, and what it takes.
//!
//! Gathers with the code of a run and assembles with the code of a session; asks no model and
//! runs nothing. With `--session` it reads a log instead, and nothing of the repository.

mod later;
mod prompt;
mod wish;

use harness_context::{Listed, Window, lay_out};
use harness_core::{Feature, RepoPath, SessionOpened, TokenCount, ToolSpec};
use serde_json::json;

use crate::{
    cli::{Common, Context},
    compose::Site,
    failure::Failure,
    output::Output,
    table,
};

pub(super) fn run(common: &Common, flags: &Context) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let mut output = Output::new(common);
    if let Some(named) = &flags.session {
        return later::run(&site, named, flags.prompt, &mut output);
    }
    let start = wish::gather(&site, flags.feature.as_deref(), common)?;
    if flags.prompt {
        prompt::show(&site, &start.opened, &mut output)?;
        return Ok(0);
    }
    let window = show(&start.opened, &start.feature, &mut output)?;
    later::show_loadable(&start, &mut output)?;
    check(&window)?;
    Ok(0)
}

/// Holds the window against its budget: the same error that would end a run.
fn check(window: &Window) -> Result<(), Failure> {
    window.check().map_err(|error| {
        let parts = window.listing.get(1..).unwrap_or_default();
        let largest = parts.iter().max_by_key(|part| part.tokens);
        let way_out = match largest.and_then(|part| part.path.as_ref()) {
            Some(path) => format!("move detail of `{path}` into documents that it links to"),
            None => "name less of it".to_owned(),
        };
        Failure::usage(error).hint(format!(
            "{way_out}, or raise `[context] budget` in harness.toml"
        ))
    })
}

/// Shows what the first window is made of.
fn show(opened: &SessionOpened, feature: &Feature, output: &mut Output) -> Result<Window, Failure> {
    let window = lay_out(opened, feature);
    let tools = tools(opened)?;
    let (system, message) = window.listing.split_at(1);
    let around: TokenCount =
        system.iter().map(|part| part.tokens).sum::<TokenCount>() + tools.tokens;
    let (size, budget) = (window.size(), window.budget);
    let title = format!(
        "{} {}: the first message takes {} of {}, {}",
        feature.id,
        feature.title,
        size,
        budget,
        share(size, budget)
    );
    let all = size + around;
    output.entry(
        "context",
        &title,
        json!({
            "feature": feature.id,
            "title": feature.title,
            "tokens": size.0,
            "budget_tokens": budget.0,
            "system_tokens": system.iter().map(|part| part.tokens.0).sum::<u64>(),
            "tools_tokens": tools.tokens.0,
            "total_tokens": all.0,
            "is_over_budget": size > budget,
        }),
    )?;
    let rows = message.iter().map(|part| {
        let path = part.path.as_ref().map(RepoPath::to_text);
        let of_documents = documents(opened, part);
        row(
            part.tokens,
            &share(part.tokens, budget),
            &part.name,
            &path.or(of_documents).unwrap_or_default(),
        )
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    rows.push(row(size, &share(size, budget), "first message", ""));
    rows.extend(
        system
            .iter()
            .map(|part| row(part.tokens, "", &part.name, &prompt::origins(opened))),
    );
    rows.push(row(
        tools.tokens,
        "",
        "tools",
        &format!("{} tools", tools.count),
    ));
    rows.push(row(all, "", "first request", ""));
    output.text(&table::fitted(&rows).join("\n"))?;
    if output.is_json() {
        for (part, place) in message
            .iter()
            .map(|part| (part, "message"))
            .chain(system.iter().map(|part| (part, "system")))
        {
            let body = json!({
                "name": part.name,
                "path": part.path.as_ref().map(RepoPath::to_text),
                "tokens": part.tokens.0,
                "place": place,
            });
            output.entry("context_part", "", body)?;
        }
        let body =
            json!({ "name": "tools", "path": null, "tokens": tools.tokens.0, "place": "tools" });
        output.entry("context_part", "", body)?;
    }
    Ok(window)
}

fn row(tokens: TokenCount, share: &str, name: &str, from: &str) -> Vec<String> {
    vec![
        format!("{:>7}", tokens.0),
        format!("{share:>4}"),
        name.to_owned(),
        from.to_owned(),
    ]
}

fn share(tokens: TokenCount, of: TokenCount) -> String {
    format!("{}%", (tokens.0 * 100).div_ceil(of.0.max(1)))
}

/// Says where the index of documents comes from.
fn documents(opened: &SessionOpened, part: &Listed) -> Option<String> {
    let count = opened.documents.as_ref().map_or(0, Vec::len);
    (part.name == "documents").then(|| match count {
        1 => "1 document, from the maps".to_owned(),
        count => format!("{count} documents, from the maps"),
    })
}

/// What the tools take.
struct Tools {
    count: usize,
    tokens: TokenCount,
}

/// Measures the tools as a request has them.
fn tools(opened: &SessionOpened) -> Result<Tools, Failure> {
    // The tools are the same whatever the budget says of the rest.
    let mut opened = opened.clone();
    opened.run.policy.context_budget = TokenCount(u64::MAX);
    let prompt = harness_engine::first_prompt(&opened).map_err(Failure::usage)?;
    let bytes = |tool: &ToolSpec| tool.name.len() + tool.description.len() + tool.schema.len();
    let bytes: usize = prompt.tools.iter().map(bytes).sum();
    Ok(Tools {
        count: prompt.tools.len(),
        tokens: TokenCount(bytes.div_ceil(4) as u64),
    })
}
