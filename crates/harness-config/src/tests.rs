//! The crate from outside: texts in, values or messages out.

mod errors;
mod reference;
mod repository;
mod resolving;
mod roles;
mod rules;
mod user;

use crate::{ConfigError, ConfigFile, RepositoryConfig, UserConfig, parse_repository, parse_user};

fn repository(text: &str) -> Result<RepositoryConfig, ConfigError> {
    parse_repository(ConfigFile {
        name: "harness.toml",
        text,
    })
}

fn user(text: &str) -> Result<UserConfig, ConfigError> {
    parse_user(ConfigFile {
        name: "config.toml",
        text,
    })
}

/// The message, the hint, and the place, as a person would be shown them.
fn shown(error: &ConfigError) -> String {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}"));
    let snippet = error.snippet().map(|snippet| format!("\n{snippet}"));
    format!(
        "error: {error}{}{}",
        hint.unwrap_or_default(),
        snippet.unwrap_or_default()
    )
}

/// Message and hint of each text, for tables.
fn messages<T>(parse: impl Fn(&str) -> Result<T, ConfigError>, texts: &[&str]) -> String {
    let message = |text: &&str| match parse(text) {
        Ok(_) => format!("accepted: {text}"),
        Err(error) => match error.hint() {
            Some(hint) => format!("{error}\n    {hint}"),
            None => error.to_string(),
        },
    };
    texts.iter().map(message).collect::<Vec<_>>().join("\n")
}
