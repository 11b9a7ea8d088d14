//! The two files as they are written: every value with its place, nothing decided.
//!
//! Filled only after `walk` has found every key known and of its type, so a
//! failure here is one that the table of keys does not know of.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize,
    de::{MapAccess, Visitor},
};
use toml::Spanned;

pub(crate) type Text = Spanned<String>;
pub(crate) type Texts = Vec<Text>;

/// `harness.toml`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawRepository {
    pub(crate) scope: RawScope,
    pub(crate) protect: RawProtect,
    pub(crate) features: RawFeatures,
    pub(crate) setup: Vec<RawSetup>,
    pub(crate) format: Vec<RawFormat>,
    pub(crate) gate: Vec<RawGate>,
    pub(crate) gates: RawGates,
    pub(crate) rule: Vec<RawRule>,
    pub(crate) limits: RawLimits,
    pub(crate) context: RawContext,
    pub(crate) sandbox: RawSandbox,
    pub(crate) agent: RawAgentChoice,
    pub(crate) role: RawRoles,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawScope {
    pub(crate) write: Texts,
    pub(crate) build: Texts,
    pub(crate) deny: Texts,
    pub(crate) hide: Texts,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawProtect {
    pub(crate) paths: Texts,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawFeatures {
    pub(crate) file: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSetup {
    pub(crate) run: Spanned<Texts>,
    #[serde(default)]
    pub(crate) network: Texts,
    #[serde(default)]
    pub(crate) when: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFormat {
    pub(crate) run: Spanned<Texts>,
    pub(crate) paths: Spanned<Texts>,
    pub(crate) timeout: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGate {
    pub(crate) name: Text,
    pub(crate) run: Spanned<Texts>,
    pub(crate) cwd: Option<Text>,
    #[serde(default)]
    pub(crate) environment: Texts,
    pub(crate) timeout: Option<Text>,
    pub(crate) report: Option<Text>,
    pub(crate) report_file: Option<Text>,
    pub(crate) min_tests: Option<Spanned<i64>>,
    pub(crate) when: Option<Text>,
    pub(crate) baseline: Option<Text>,
    #[serde(default)]
    pub(crate) paths: Texts,
    pub(crate) flaky_retries: Option<Spanned<i64>>,
}

/// `[[rule]]`; a repository's file has no `repository`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule {
    pub(crate) command: Spanned<Texts>,
    #[serde(default)]
    pub(crate) exact: bool,
    pub(crate) decision: Text,
    pub(crate) reason: Option<Text>,
    #[serde(default, rename = "match")]
    pub(crate) matching: Texts,
    #[serde(default, rename = "not_match")]
    pub(crate) not_matching: Texts,
    pub(crate) repository: Option<Text>,
}

/// The file of saved rules.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawSaved {
    pub(crate) rule: Vec<RawRule>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawGates {
    pub(crate) isolate: Option<Spanned<bool>>,
    pub(crate) link: Texts,
    pub(crate) review: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawLimits {
    pub(crate) usd: Option<Spanned<f64>>,
    pub(crate) day_usd: Option<Spanned<f64>>,
    pub(crate) session_usd: Option<Spanned<f64>>,
    pub(crate) feature_usd: Option<Spanned<f64>>,
    pub(crate) turns: Option<Spanned<i64>>,
    pub(crate) minutes: Option<Spanned<i64>>,
    pub(crate) attempts: Option<Spanned<i64>>,
    pub(crate) output: Option<Text>,
    pub(crate) command: Option<Text>,
    pub(crate) silence: Option<Text>,
    pub(crate) patience: Option<Text>,
    pub(crate) idle: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawContext {
    pub(crate) map: Option<Text>,
    pub(crate) budget: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawSandbox {
    pub(crate) network: Texts,
    pub(crate) memory: Option<Text>,
    pub(crate) processes: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawAgentChoice {
    #[serde(rename = "use")]
    pub(crate) agent: Option<Text>,
    pub(crate) model: Option<Text>,
    pub(crate) effort: Option<Text>,
    pub(crate) fallback: Texts,
}

/// `[role]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawRoles {
    pub(crate) cheap: RawRole,
    pub(crate) reviewer: RawRole,
}

/// `[role.NAME]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawRole {
    pub(crate) model: Option<Text>,
    pub(crate) effort: Option<Text>,
}

/// The person's own file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawUser {
    pub(crate) model: BTreeMap<Text, RawModel>,
    pub(crate) agent: RawAgents,
    pub(crate) role: RawRoles,
    pub(crate) limits: RawLimits,
    pub(crate) sandbox: RawUserSandbox,
    pub(crate) gates: RawUserGates,
    pub(crate) rule: Vec<RawRule>,
    pub(crate) repo: BTreeMap<Text, RawOverride>,
    pub(crate) ui: RawUi,
    #[serde(default)]
    pub(crate) composer: RawComposer,
    pub(crate) keys: toml::Table,
    pub(crate) notify: RawNotify,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawUserSandbox {
    pub(crate) network: Texts,
    pub(crate) offline: Option<Spanned<bool>>,
    pub(crate) read: Texts,
    pub(crate) memory: Option<Text>,
    pub(crate) processes: Option<Spanned<i64>>,
}

/// `[gates]` of the person's file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawUserGates {
    pub(crate) review: Option<Text>,
}

/// `[ui]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawUi {
    pub(crate) ascii: Option<Spanned<bool>>,
    pub(crate) screen_reader: Option<Spanned<bool>>,
    pub(crate) theme: Option<Text>,
    pub(crate) motion: Option<Text>,
    pub(crate) mouse: Option<Spanned<bool>>,
}

/// `[composer]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawComposer {
    pub(crate) keys: Option<Text>,
}

/// `[notify]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawNotify {
    pub(crate) method: Option<Text>,
    pub(crate) command: Option<Spanned<Texts>>,
}

/// `[repo."PATH"]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawOverride {
    pub(crate) agent: RawAgentChoice,
    pub(crate) role: RawRoles,
    pub(crate) limits: RawLimits,
    pub(crate) sandbox: RawUserSandbox,
    pub(crate) gates: RawUserGates,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawModel {
    pub(crate) api: Text,
    pub(crate) server: Option<Text>,
    pub(crate) id: Text,
    pub(crate) base_url: Option<Text>,
    pub(crate) key_env: Option<Text>,
    pub(crate) key_command: Option<Spanned<Texts>>,
    pub(crate) context: Option<Text>,
    pub(crate) output: Option<Text>,
    pub(crate) images: Option<Spanned<bool>>,
    pub(crate) effort: Option<Text>,
    pub(crate) price: Option<RawPrice>,
}

/// Unit: US dollars per million tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPrice {
    pub(crate) input: Spanned<f64>,
    pub(crate) output: Spanned<f64>,
    pub(crate) cache_read: Option<Spanned<f64>>,
    pub(crate) cache_write: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAgent {
    pub(crate) kind: Text,
    pub(crate) command: Option<Spanned<Texts>>,
}

/// `[agent]` and every `[agent.NAME]`.
///
/// Read by hand: a flattened map would lose the places of its values.
#[derive(Default)]
pub(crate) struct RawAgents {
    pub(crate) choice: RawAgentChoice,
    pub(crate) agents: BTreeMap<Text, RawAgent>,
}

impl<'de> Deserialize<'de> for RawAgents {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AgentsVisitor)
    }
}

struct AgentsVisitor;

impl<'de> Visitor<'de> for AgentsVisitor {
    type Value = RawAgents;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawAgents, A::Error> {
        let mut agents = RawAgents::default();
        while let Some(key) = map.next_key::<Text>()? {
            match key.get_ref().as_str() {
                "use" => agents.choice.agent = Some(map.next_value()?),
                "model" => agents.choice.model = Some(map.next_value()?),
                "effort" => agents.choice.effort = Some(map.next_value()?),
                "fallback" => agents.choice.fallback = map.next_value()?,
                _ => {
                    let agent = map.next_value()?;
                    agents.agents.insert(key, agent);
                }
            }
        }
        Ok(agents)
    }
}
