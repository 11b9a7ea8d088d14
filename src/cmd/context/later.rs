//! What comes into a window after its beginning: what can be loaded, and what a session has loaded.

use harness_core::{Event, ModelResponded, RepoPath, SessionOpened, TokenCount};
use serde_json::json;

use super::{prompt, row, show, tools, wish::Start};
use crate::{
    cmd::session::find,
    compose::Site,
    failure::{Failure, chain},
    output::Output,
    table,
};

/// Shows which maps and documents an agent may load, and what each takes.
pub(super) fn show_loadable(start: &Start, output: &mut Output) -> Result<(), Failure> {
    let documents = start.opened.documents.iter().flatten();
    let documents = documents.map(|document| {
        let says = [&document.title, &document.about];
        let says: Vec<&str> = says
            .into_iter()
            .map(String::as_str)
            .filter(|text| !text.is_empty() && *text != document.path.to_text())
            .collect();
        ("document", &document.path, document.tokens, says.join("; "))
    });
    let maps = start.nested.iter().map(|map| match &map.tokens {
        Ok(tokens) => ("map", &map.path, Some(*tokens), String::new()),
        Err(problem) => ("map", &map.path, None, format!("NOT loaded: {problem}")),
    });
    let all: Vec<(&str, &RepoPath, Option<TokenCount>, String)> = documents.chain(maps).collect();
    if !all.is_empty() {
        output.text("\nloaded when the agent asks (documents) or touches the folder (maps):")?;
    }
    let cells = all.iter().map(|(kind, path, tokens, says)| {
        let tokens = tokens.map_or_else(|| "-".to_owned(), |tokens| tokens.0.to_string());
        vec![
            format!("{tokens:>7}"),
            (*kind).to_owned(),
            path.to_text(),
            says.clone(),
        ]
    });
    let cells: Vec<Vec<String>> = cells.collect();
    for (text, (kind, path, tokens, says)) in table::fitted(&cells).iter().zip(&all) {
        let body = json!({
            "kind": kind,
            "path": path.to_text(),
            "tokens": tokens.map(|tokens| tokens.0),
            "about": says,
        });
        output.entry("context_loadable", text, body)?;
    }
    Ok(())
}

/// What a log says of a window.
#[derive(Default)]
struct Told {
    opened: Option<Box<SessionOpened>>,
    loads: Vec<Load>,
    turns: u32,
    /// The whole input of the last request, as its provider counted it.
    last_input: Option<TokenCount>,
}

struct Load {
    path: RepoPath,
    tokens: TokenCount,
    is_map: bool,
    problem: Option<String>,
}

impl Told {
    fn take(&mut self, event: &Event) {
        match event {
            Event::SessionOpened(opened) => self.opened = Some(opened.clone()),
            Event::DocumentLoaded {
                path,
                tokens,
                text,
                problem,
            } => self.loads.push(Load {
                path: path.clone(),
                tokens: *tokens,
                is_map: text.is_some() || problem.is_some(),
                problem: problem.clone(),
            }),
            Event::ModelResponded(ModelResponded { response, .. }) => {
                self.turns += 1;
                let input = response.usage.input_total();
                self.last_input = (input > 0).then_some(TokenCount(input)).or(self.last_input);
            }
            _ => {}
        }
    }
}

/// Shows what the window of a session held at its end.
pub(super) fn run(
    site: &Site,
    named: &str,
    with_prompt: bool,
    output: &mut Output,
) -> Result<u8, Failure> {
    let store = site.existing_store()?;
    let none = || Failure::usage("there is no session yet").hint("harness run");
    let store = store.as_ref().ok_or_else(none)?;
    let named = (named != "last").then_some(named);
    let session = find(site, store, named)?;
    let mut told = Told::default();
    let read = harness_store::fold(store.log_path(session), |record| told.take(&record.event));
    read.map_err(|error| Failure::failed(chain(&error)))?;
    let opened = told
        .opened
        .take()
        .ok_or_else(|| Failure::usage(format!("session `{session}` never began")))?;
    if with_prompt {
        prompt::show(site, &opened, output)?;
        return Ok(0);
    }
    let features = &opened.run.features;
    let feature = features.iter().find(|entry| entry.id == opened.feature);
    let feature = feature.ok_or_else(|| {
        Failure::failed(format!(
            "the log of `{session}` lacks the feature it was for"
        ))
    })?;
    let window = show(&opened, feature, output)?;
    let first = window.size() + window.listing[0].tokens + tools(&opened)?.tokens;
    show_end(&told, first, output)?;
    Ok(0)
}

/// Shows what came after the beginning.
fn show_end(told: &Told, first: TokenCount, output: &mut Output) -> Result<(), Failure> {
    output.text(&format!("\nloaded in {}:", turns(told.turns)))?;
    let mut rows = Vec::new();
    for load in &told.loads {
        let kind = if load.is_map { "map" } else { "document" };
        let note = load
            .problem
            .as_ref()
            .map(|why| format!("NOT loaded: {why}"));
        let mut cells = row(load.tokens, "", kind, &load.path.to_text());
        cells.extend(note.clone());
        rows.push(cells);
        if output.is_json() {
            let body = json!({
                "kind": kind,
                "path": load.path.to_text(),
                "tokens": load.tokens.0,
                "problem": load.problem,
            });
            output.entry("context_loaded", "", body)?;
        }
    }
    let loaded: TokenCount = told.loads.iter().map(|load| load.tokens).sum();
    let rest = told
        .last_input
        .map(|all| TokenCount(all.0.saturating_sub(first.0 + loaded.0)));
    if let Some(rest) = rest {
        rows.push(row(
            rest,
            "",
            "the rest",
            "calls, results and answers, about",
        ));
    }
    if let Some(all) = told.last_input {
        rows.push(row(all, "", "last request", "as its provider counted it"));
    }
    output.text(&table::fitted(&rows).join("\n"))?;
    if output.is_json() {
        let body = json!({
            "turns": told.turns,
            "first_tokens": first.0,
            "loaded_tokens": loaded.0,
            "conversation_tokens": rest.map(|rest| rest.0),
            "last_request_tokens": told.last_input.map(|all| all.0),
        });
        output.entry("context_end", "", body)?;
    }
    Ok(())
}

fn turns(count: u32) -> String {
    match count {
        1 => "1 turn".to_owned(),
        count => format!("{count} turns"),
    }
}
