//! The tool `propose` of a planning session, and the tools such a session has.
//!
//! Reads what a model wrote and bounds how much of it there is. Whether the features make sense in
//! this repository is judged elsewhere. Also called by the command that has a person edit a
//! proposal: the file has the same shape.

use std::fmt;

use harness_core::{PROPOSED_MAX, ToolCall, ToolSpec};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, SeqAccess, Visitor},
};

use crate::{Intent, ToolFault, shape};

/// The name of the tool.
pub(crate) const NAME: &str = "propose";

/// The most bytes of JSON that a proposal may have.
const PROPOSAL_BYTES_MAX: usize = 256 * 1024;

/// The most texts of one list of a feature.
const TEXTS_MAX: usize = 64;

/// How much is told of what is wrong. Unit: characters.
const PROBLEM_CHARS: usize = 600;

/// What a planning session may call, beside `propose`.
const PLANNING: [&str; 9] = [
    "ask", "doc", "explore", "job", "list", "note", "read", "search", "shell",
];

static PROPOSE: ToolSpec = ToolSpec {
    name: NAME,
    description: "Propose the whole feature list for the goal, the first to be worked on first. A person takes all of it, takes a part, says what should be different, or refuses. `depends_on` takes numbers of this list (from 1), titles, or ids of the list; `scope` narrows where a feature may write.",
    schema: r#"{"type":"object","properties":{"features":{"type":"array","items":{"type":"object","properties":{"title":{"type":"string"},"description":{"type":"string"},"acceptance":{"type":"array","items":{"type":"string"}},"steps":{"type":"array","items":{"type":"string"}},"depends_on":{"type":"array","items":{"type":"string"}},"scope":{"type":"array","items":{"type":"string"}},"gates":{"type":"array","items":{"type":"string"}},"priority":{"type":"integer"}},"required":["title","acceptance"]}}},"required":["features"]}"#,
};

/// A feature as a model wrote it: typed, and nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// One line.
    pub title: String,
    /// The whole wish.
    #[serde(default, deserialize_with = "text")]
    pub description: String,
    /// When it counts as done.
    #[serde(default, deserialize_with = "texts")]
    pub acceptance: Vec<String>,
    /// Steps on the way.
    #[serde(default, deserialize_with = "texts")]
    pub steps: Vec<String>,
    /// What must pass first: numbers of the list, titles or ids.
    #[serde(default, deserialize_with = "texts")]
    pub depends_on: Vec<String>,
    /// Patterns it may write.
    #[serde(default, deserialize_with = "texts", alias = "paths")]
    pub scope: Vec<String>,
    /// Names of gates.
    #[serde(default, deserialize_with = "texts")]
    pub gates: Vec<String>,
    /// Higher is earlier.
    #[serde(default, deserialize_with = "number")]
    pub priority: i64,
}

/// Returns the tools of a planning session, sorted by name, the same bytes in every such session.
pub fn planning_specs() -> Vec<ToolSpec> {
    let shared = shape::specs().iter();
    let mut specs: Vec<ToolSpec> = shared
        .filter(|spec| PLANNING.contains(&spec.name))
        .cloned()
        .collect();
    specs.push(PROPOSE.clone());
    specs.sort_by_key(|spec| spec.name);
    specs
}

/// Reads a call of `propose`.
pub(crate) fn parse(call: &ToolCall) -> Result<Intent, ToolFault> {
    read_drafts(&call.arguments)
        .map(|features| Intent::Propose { features })
        .map_err(|problem| ToolFault::NotProposal { problem })
}

/// Reads `{"features": [...]}`.
///
/// A list may also be one text, and a text or list may be null.
///
/// # Errors
/// When it is longer than 256 KiB, is no such JSON, has a field that features do
/// not have (a status, an id, a command), or more than [`PROPOSED_MAX`] features; says which
/// feature it is.
pub fn read_drafts(json: &str) -> Result<Vec<Draft>, String> {
    if json.len() > PROPOSAL_BYTES_MAX {
        return Err(format!(
            "it has {} bytes, at most {PROPOSAL_BYTES_MAX} are taken; propose fewer or shorter features",
            json.len()
        ));
    }
    let wire: Wire = serde_json::from_str(json.trim()).map_err(|error| {
        error
            .to_string()
            .chars()
            .take(PROBLEM_CHARS)
            .collect::<String>()
    })?;
    Ok(wire.features.0)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    features: Drafts,
}

/// Drafts, each read with its number so that what is wrong has a place.
struct Drafts(Vec<Draft>);

impl<'de> Deserialize<'de> for Drafts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(DraftsVisitor)
    }
}

struct DraftsVisitor;

impl<'de> Visitor<'de> for DraftsVisitor {
    type Value = Drafts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Drafts, A::Error> {
        let mut drafts = Vec::new();
        while let Some(draft) = seq.next_element_seed(Numbered(drafts.len() + 1))? {
            if drafts.len() == PROPOSED_MAX {
                return Err(de::Error::custom(format!(
                    "at most {PROPOSED_MAX} features can be proposed at a time"
                )));
            }
            drafts.push(draft);
        }
        Ok(Drafts(drafts))
    }
}

struct Numbered(usize);

impl<'de> DeserializeSeed<'de> for Numbered {
    type Value = Draft;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Draft, D::Error> {
        Draft::deserialize(deserializer)
            .map_err(|error| de::Error::custom(format!("feature {}: {error}", self.0)))
    }
}

/// Reads a text; null is none.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a whole number; null is none.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads texts: a list of texts or numbers, one text alone, or null.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_any(TextsVisitor)
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
        let mut texts = Vec::new();
        while let Some(One(text)) = seq.next_element()? {
            if texts.len() == TEXTS_MAX {
                return Err(de::Error::custom(format!(
                    "a list has more than {TEXTS_MAX} texts"
                )));
            }
            texts.push(text);
        }
        Ok(texts)
    }
}

/// A text, or a number in its place.
struct One(String);

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneVisitor)
    }
}

struct OneVisitor;

impl Visitor<'_> for OneVisitor {
    type Value = One;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<One, E> {
        Ok(One(text.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<One, E> {
        Ok(One(number.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Result<usize, &str>) {
        match (read_drafts(json), expected) {
            (Ok(drafts), Ok(count)) => assert_eq!(drafts.len(), count, "{json}"),
            (Err(problem), Err(part)) => assert!(problem.contains(part), "{problem}"),
            (found, expected) => panic!("{json}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn what_a_model_asserts_about_a_feature_is_an_unknown_field() {
        for field in ["status", "passes", "id", "verify", "may_change", "budget"] {
            let json = format!(
                r#"{{"features":[{{"title":"a","acceptance":["b"]}},{{"title":"a","acceptance":["b"],"{field}":"passing"}}]}}"#
            );
            check(&json, Err("feature 2: unknown field"));
        }
        check(r#"{"features":[],"approved":true}"#, Err("unknown field"));
    }

    #[test]
    fn shapes_that_models_write_are_understood() {
        check(r#"{"features":[]}"#, Ok(0));
        check(
            r#"{"features":[{"title":"a","acceptance":"b","steps":null,"depends_on":[1,"F-001"],"paths":["src/**"],"priority":null}]}"#,
            Ok(1),
        );
        check(
            r#"{"features":[{"acceptance":["b"]}]}"#,
            Err("feature 1: missing field `title`"),
        );
        check(
            r#"{"features":[{"title":"a","title":"b"}]}"#,
            Err("duplicate field `title`"),
        );
        check(r#"{"features":{"title":"a"}}"#, Err("a list of features"));
        check("", Err("EOF"));
    }

    #[test]
    fn a_proposal_is_bounded() {
        let one = r#"{"title":"a","acceptance":["b"]}"#;
        let many = |count: usize| format!(r#"{{"features":[{}]}}"#, vec![one; count].join(","));
        check(&many(PROPOSED_MAX), Ok(PROPOSED_MAX));
        check(&many(PROPOSED_MAX + 1), Err("at most 60"));
        check(&many(10_000), Err("bytes"));
        check(&"[".repeat(100_000), Err("invalid type"));
    }

    #[test]
    fn the_tools_of_a_planning_session_write_nothing() {
        let specs = planning_specs();
        let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
        assert_eq!(
            names,
            [
                "ask", "doc", "explore", "job", "list", "note", "propose", "read", "search",
                "shell"
            ]
        );
        let schema: serde_json::Value = serde_json::from_str(PROPOSE.schema).unwrap();
        assert_eq!(schema["required"][0], "features");
    }
}
