//! A proposed feature in the shape of the list's file: what has no field there stands in its words.

use harness_core::{Feature, FeatureId, FeatureScope, ProposedFeature};
use harness_gate::list::Shape;

/// The group of a feature for which nobody named one.
const CATEGORY: &str = "functional";

/// Makes the entry of a proposed feature; `depends_on` has the ids of what must pass first.
pub(super) fn entry(
    shape: Shape,
    id: FeatureId,
    proposed: &ProposedFeature,
    depends_on: Vec<FeatureId>,
) -> Feature {
    let mut feature = Feature {
        description: proposed.description.clone(),
        ..Feature::titled(id, proposed.title.clone())
    };
    if matches!(shape, Shape::Native | Shape::Bare) {
        CATEGORY.clone_into(&mut feature.category);
    }
    if shape == Shape::Native {
        feature.acceptance.clone_from(&proposed.acceptance);
        feature.steps.clone_from(&proposed.steps);
        feature.priority = proposed.priority;
        feature.depends_on = depends_on;
        feature.gates.clone_from(&proposed.gates);
        feature.scope = FeatureScope {
            write: proposed.write.clone(),
            deny: Vec::new(),
        };
        return feature;
    }
    let mut lines: Vec<String> = proposed.description.lines().map(str::to_owned).collect();
    let mut say = |what: &str, texts: &[String]| {
        lines.extend(texts.iter().map(|text| format!("{what}: {text}")));
    };
    if shape == Shape::Stories {
        feature.acceptance.clone_from(&proposed.acceptance);
        feature.priority = proposed.priority;
        say("Step", &proposed.steps);
    } else {
        say("Done when", &proposed.acceptance);
        feature.steps.clone_from(&proposed.steps);
    }
    let after: Vec<String> = depends_on.iter().map(ToString::to_string).collect();
    for (what, texts) in [
        ("After", &after),
        ("Writes only", &proposed.write),
        ("Gates", &proposed.gates),
    ] {
        if !texts.is_empty() {
            say(what, &[texts.join(", ")]);
        }
    }
    feature.description = match shape {
        // There the first line of the description is the title.
        Shape::Bare if lines.is_empty() => String::new(),
        Shape::Bare => format!("{}\n{}", feature.title, lines.join("\n")),
        // A line that looks like markup would be read as another entry or a step.
        Shape::Markdown => lines
            .iter()
            .filter_map(|line| plain(line))
            .collect::<Vec<_>>()
            .join("\n"),
        _ => lines.join("\n"),
    };
    if shape == Shape::Markdown {
        feature.steps = feature
            .steps
            .iter()
            .filter_map(|step| plain(step))
            .collect();
    }
    feature
}

/// Returns a line without what Markdown takes for a bullet, a heading, a box or a fence.
fn plain(line: &str) -> Option<String> {
    let line = line.trim();
    let rest = line.trim_start_matches(|char: char| {
        char.is_whitespace()
            || matches!(
                char,
                '-' | '*' | '+' | '#' | '>' | '`' | '~' | '|' | '[' | ']' | '='
            )
    });
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_numbered = digits > 0 && rest[digits..].starts_with(['.', ')']);
    let rest = if is_numbered {
        rest[digits + 1..].trim_start()
    } else {
        rest
    };
    (!rest.is_empty()).then(|| rest.to_owned())
}
