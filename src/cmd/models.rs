//! `harness models`: what can be used, what it costs, and whether its key is at hand.
//!
//! Servers on this machine are asked what they have; nothing else is reached, no key
//! is read but to see that it is there, and no key command is run.

mod roles;

use std::collections::BTreeSet;

use harness_config::{Api, KeySource, LoopbackServer, Model, Resolved};
use harness_core::{Money, Price, TokenCount};
use harness_git::{OpenError, Repo};
use serde_json::{Value, json};

use crate::{
    cli::{Common, RunOptions},
    compose::{self, Site},
    failure::Failure,
    loopback::{self, Found},
    output::Output,
    session, table,
};

pub(super) fn run(common: &Common) -> Result<u8, Failure> {
    let resolved = resolve(common)?;
    let mut lines: Vec<Line> = resolved
        .models
        .values()
        .filter(|model| !model.is_found())
        .map(|model| Line::written(model, &resolved))
        .collect();
    let found = loopback::find(&servers(&resolved));
    lines.extend(
        found
            .iter()
            .filter_map(|found| Line::found(found, &resolved)),
    );
    let rows: Vec<Vec<String>> = lines.iter().map(|line| line.cells().into()).collect();
    let mut output = Output::new(common);
    for (line, text) in lines.iter().zip(table::fitted(&rows)) {
        output.entry("model", &text, line.body())?;
    }
    if let Some(origins) = price_origins(&lines) {
        output.text(&format!("prices per million tokens: {origins}"))?;
    }
    if found.is_empty() {
        output.text("on this machine: no model server answers")?;
    }
    roles::tell(&resolved, &mut output)?;
    Ok(0)
}

/// Names where prices come from, with the dates of the table; `None` where no price is known.
fn price_origins(lines: &[Line]) -> Option<String> {
    let is_paid = |price: &Price| *price != Price::default();
    let priced = lines
        .iter()
        .filter(|line| line.model.price.as_ref().is_some_and(is_paid));
    // A file is named once, however many of its lines have a price.
    let origins: BTreeSet<String> = priced
        .map(|line| without_line(&line.model.price_origin).to_owned())
        .collect();
    let origins: Vec<String> = origins.into_iter().collect();
    (!origins.is_empty()).then(|| origins.join("; "))
}

/// Returns an origin such as `config.toml:7` without the line.
fn without_line(origin: &str) -> &str {
    match origin.rsplit_once(':') {
        Some((file, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) => file,
        _ => origin,
    }
}

/// A folder without a repository will do: the person's own file says most.
pub(super) fn resolve(common: &Common) -> Result<Resolved, Failure> {
    let folder = common.directory.clone().unwrap_or_else(|| ".".into());
    if matches!(
        Repo::discover(&folder),
        Err(OpenError::NotARepository { .. })
    ) {
        return compose::resolve_alone();
    }
    Site::open(common)?.resolve(&RunOptions::default())
}

/// Returns the servers to ask, Ollama where its variable says.
pub(crate) fn servers(resolved: &Resolved) -> Vec<LoopbackServer> {
    let mut servers = resolved.loopback_servers();
    let moved = session::ollama_host().and_then(|said| harness_config::ollama_address(&said));
    for server in &mut servers {
        let is_usual = server.base_url == Api::Ollama.default_base_url();
        if let Some(moved) = moved.as_ref().filter(|_| is_usual) {
            server.base_url.clone_from(moved);
        }
    }
    servers
}

/// A model, and what its server says of it.
struct Line {
    model: Model,
    host: String,
    chosen: bool,
    found: bool,
    /// The window the model was made for, where it is another than the one used.
    whole: Option<TokenCount>,
    tools: Option<bool>,
}

impl Line {
    fn written(model: &Model, resolved: &Resolved) -> Self {
        let moved = Model {
            base_url: session::base_url(model, session::ollama_host().as_deref()),
            ..model.clone()
        };
        Self {
            host: moved.host().to_owned(),
            chosen: is_chosen(model, resolved),
            found: false,
            whole: None,
            tools: None,
            model: moved,
        }
    }

    /// Tells of what was found; its name must stand for it and for nothing that is written down.
    fn found(found: &Found, resolved: &Resolved) -> Option<Self> {
        let model = resolved.loopback_model(&found.name())?;
        let whole = found.told.context;
        let model = match whole {
            Some(whole) => {
                let used = loopback::used_context(model.api, whole);
                model.with_context(used)
            }
            None => model,
        };
        let model = model.with_images(found.told.images);
        let line = Self::written(&model, resolved);
        Some(Self {
            found: true,
            whole: whole.filter(|whole| *whole != model.context),
            tools: found.told.tools,
            ..line
        })
    }

    fn cells(&self) -> [String; 8] {
        let model = &self.model;
        let context = match self.whole {
            Some(whole) => format!("{} of {whole}", model.context),
            None => model.context.to_string(),
        };
        let tools = match self.tools {
            Some(true) => "tools",
            Some(false) => "no tools",
            None => "",
        };
        let images = if model.images { "images" } else { "" };
        let chosen = if self.chosen { "chosen" } else { "" };
        [
            model.name.clone(),
            model.api.as_str().to_owned(),
            model.id.clone(),
            self.host.clone(),
            context,
            self.price(),
            self.key(),
            [tools, images, chosen]
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
        ]
    }

    fn price(&self) -> String {
        match self.model.price {
            None => "price unknown".to_owned(),
            Some(price) if price.input == Money(0) && price.output == Money(0) => "free".to_owned(),
            Some(price) => format!("{} in, {} out", price.input, price.output),
        }
    }

    fn key(&self) -> String {
        match &self.model.key {
            None => "no key".to_owned(),
            Some(KeySource::Command(argv)) => {
                format!("key command {}", argv.first().map_or("", String::as_str))
            }
            Some(KeySource::Env(name)) if session::is_set(name) => format!("{name} set"),
            Some(KeySource::Env(name)) => format!("{name} not set"),
        }
    }

    fn body(&self) -> Value {
        let model = &self.model;
        let usd = Money::as_usd;
        let price = model.price.map(|price| {
            json!({ "input": usd(price.input), "output": usd(price.output),
                "cache_read": usd(price.cache_read), "cache_write": usd(price.cache_write) })
        });
        let (variable, set) = match &model.key {
            Some(KeySource::Env(name)) => (Some(name), Some(session::is_set(name))),
            _ => (None, None),
        };
        json!({
            "name": model.name,
            "api": model.api.as_str(),
            "id": model.id,
            "host": self.host,
            "context": model.context.0,
            "context_max": self.whole.map(|whole| whole.0),
            "tools": self.tools,
            "images": model.images,
            "output": model.output.0,
            "price": price,
            "price_origin": model.price.map(|_| &model.price_origin),
            "key_variable": variable,
            "key_set": set,
            "key_command": matches!(model.key, Some(KeySource::Command(_))),
            "found": self.found,
            "effort": model.effort,
            "chosen": self.chosen,
            "origin": model.origin,
        })
    }
}

fn is_chosen(model: &Model, resolved: &Resolved) -> bool {
    let chosen = resolved.start_model(&|name| session::is_set(name));
    chosen.is_ok_and(|chosen| chosen.name == model.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_prices_is_named_without_its_lines() {
        for (origin, told) in [
            ("/home/me/config.toml:7", "/home/me/config.toml"),
            ("price table, 2026-11-29", "price table, 2026-11-29"),
            ("/odd:name/config.toml:12", "/odd:name/config.toml"),
        ] {
            assert_eq!(without_line(origin), told);
        }
    }
}
