//! What flags and environment say for one call.

use std::time::Duration;

use harness_core::{Level, Money};

use crate::{ConfigError, error::shown};

/// The wishes of one call. Absent means: not said.
///
/// From flags they replace the person's file; from the environment they can
/// only narrow it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The agent's name, `shell`, `script:FILE` or `replay:DIR`.
    pub agent: Option<String>,
    /// The model's name or the provider's id of it.
    pub model: Option<String>,
    /// What the run may cost.
    pub usd: Option<Money>,
    /// Model requests per session.
    pub turns: Option<u32>,
    /// The level that is demanded.
    pub sandbox: Option<Level>,
    /// Whether processes reach no host at all.
    pub offline: bool,
    /// How long a provider that cannot be reached is waited for.
    pub patience: Option<Duration>,
}

impl Overrides {
    /// Reads `HARNESS_MODEL`, `HARNESS_MAX_USD`, `HARNESS_MAX_TURNS` and `HARNESS_OFFLINE`.
    ///
    /// `variable` gives the value of an environment variable. An empty value is none.
    ///
    /// # Errors
    /// When a value is not of its kind, or a number is zero.
    pub fn from_environment(
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty());
        Ok(Self {
            model: value("HARNESS_MODEL"),
            usd: value("HARNESS_MAX_USD")
                .map(|text| usd("HARNESS_MAX_USD", &text))
                .transpose()?,
            turns: value("HARNESS_MAX_TURNS")
                .map(|text| turns("HARNESS_MAX_TURNS", &text))
                .transpose()?,
            offline: value("HARNESS_OFFLINE")
                .map(|text| flag("HARNESS_OFFLINE", &text))
                .transpose()?
                .unwrap_or_default(),
            ..Self::default()
        })
    }
}

fn usd(name: &str, text: &str) -> Result<Money, ConfigError> {
    text.trim()
        .parse::<f64>()
        .ok()
        .filter(|usd| usd.is_finite())
        .map(Money::from_usd)
        .filter(|usd| *usd > Money(0))
        .ok_or_else(|| unusable(name, text, "an amount of US dollars above 0, such as `2.5`"))
}

fn turns(name: &str, text: &str) -> Result<u32, ConfigError> {
    text.trim()
        .parse::<u32>()
        .ok()
        .filter(|turns| *turns > 0)
        .ok_or_else(|| unusable(name, text, "a number of turns above 0"))
}

fn flag(name: &str, text: &str) -> Result<bool, ConfigError> {
    match text.trim() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(unusable(name, text, "`1` or `0`")),
    }
}

fn unusable(name: &str, text: &str, expected: &str) -> ConfigError {
    ConfigError::Environment {
        name: name.to_owned(),
        problem: format!("`{}` is not {expected}", shown(text)),
    }
}
