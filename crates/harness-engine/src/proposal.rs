//! Whether proposed features make sense in a repository: everything that is wrong, item by item.
//!
//! What comes out has passed what `harness feature add` asks of a feature, and more: an agent may
//! narrow where a feature writes and never widen it, and no command that would be executed can be
//! proposed at all. Called for the tool `propose`, and for a proposal that a person has edited.

use std::collections::BTreeMap;

use harness_core::{
    Feature, FeatureId, FeatureScope, FeatureStatus, PROPOSED_MAX, Policy, ProposedFeature,
};
use harness_guard::{Guard, redact};
use harness_tool::Draft;

/// The longest title. Unit: characters.
const TITLE_CHARS_MAX: usize = 200;
/// The longest description. Unit: bytes.
const DESCRIPTION_BYTES_MAX: usize = 8 * 1024;
/// The longest line of what counts as done, of a step or a pattern. Unit: bytes.
const LINE_BYTES_MAX: usize = 1024;
/// The most lines of one kind.
const LINES_MAX: usize = 40;
/// The largest priority, either way.
const PRIORITY_MAX: i64 = 1_000_000;
/// How many wrong things are told at a time.
const PROBLEMS_MAX: usize = 20;
/// What is shown of a name in a sentence. Unit: characters.
const SHOWN_CHARS: usize = 80;

/// Judges proposed features: against each other, the list and the repository's rules.
///
/// `existing` is the list as it is, and `policy` the repository's own. The order stays.
///
/// # Errors
/// All that is wrong, one line each with the number of the feature, at most 20 lines.
pub fn check_proposal(
    drafts: &[Draft],
    existing: &[Feature],
    policy: &Policy,
) -> Result<Vec<ProposedFeature>, String> {
    if drafts.is_empty() {
        return Err("the list is empty: propose at least one feature".to_owned());
    }
    if drafts.len() > PROPOSED_MAX {
        return Err(format!(
            "at most {PROPOSED_MAX} features can be proposed at a time"
        ));
    }
    let mut problems = Vec::new();
    let titles = titles(drafts, existing, &mut problems);
    let features: Vec<ProposedFeature> = (1..)
        .zip(drafts)
        .map(|(number, draft)| {
            let mut judge = Judge {
                number,
                problems: &mut problems,
            };
            judge.feature(draft, existing, &titles, policy)
        })
        .collect();
    problems.extend(circle(&features));
    if problems.is_empty() {
        return Ok(features);
    }
    let more = problems.len().saturating_sub(PROBLEMS_MAX);
    problems.truncate(PROBLEMS_MAX);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    Err(problems.join("\n"))
}

/// Reads and judges a proposal that a person has edited: `{"features": [...]}`, as the tool takes it.
///
/// # Errors
/// As [`check_proposal`], and when it is no such JSON.
pub fn read_proposal(
    json: &str,
    existing: &[Feature],
    policy: &Policy,
) -> Result<Vec<ProposedFeature>, String> {
    check_proposal(&harness_tool::read_drafts(json)?, existing, policy)
}

/// Returns what two titles have to differ in.
pub fn title_key(title: &str) -> String {
    let words: Vec<String> = title.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

/// Gathers the titles with their numbers; one that is there already is wrong.
fn titles(
    drafts: &[Draft],
    existing: &[Feature],
    problems: &mut Vec<String>,
) -> BTreeMap<String, u16> {
    let listed = existing.iter();
    let listed = listed.filter(|feature| feature.status != FeatureStatus::Cancelled);
    let listed: BTreeMap<String, &FeatureId> = listed
        .map(|feature| (title_key(&feature.title), &feature.id))
        .collect();
    let mut titles = BTreeMap::new();
    for (number, draft) in (1_u16..).zip(drafts) {
        let key = title_key(&draft.title);
        if let Some(id) = listed.get(&key) {
            problems.push(format!(
                "feature {number}: `{id}` of the list has the same title; propose only what is not there"
            ));
        }
        if let Some(first) = titles.get(&key) {
            problems.push(format!(
                "feature {number}: it has the title of feature {first}"
            ));
            continue;
        }
        titles.insert(key, number);
    }
    titles
}

/// Judges one feature and gathers what is wrong with it.
struct Judge<'a> {
    number: u16,
    problems: &'a mut Vec<String>,
}

impl Judge<'_> {
    fn feature(
        &mut self,
        draft: &Draft,
        existing: &[Feature],
        titles: &BTreeMap<String, u16>,
        policy: &Policy,
    ) -> ProposedFeature {
        let title = draft.title.trim();
        if title.is_empty() {
            self.wrong("it has no title");
        }
        if title.chars().count() > TITLE_CHARS_MAX || title.contains(['\n', '\r', '\t']) {
            self.wrong(format!(
                "its title is one line of at most {TITLE_CHARS_MAX} characters; the rest belongs into `description`"
            ));
        }
        if draft.description.len() > DESCRIPTION_BYTES_MAX {
            self.wrong(format!(
                "its description has {} bytes, at most {DESCRIPTION_BYTES_MAX} are taken",
                draft.description.len()
            ));
        }
        let acceptance = self.lines("acceptance", &draft.acceptance);
        if acceptance.is_empty() {
            self.wrong("`acceptance` is empty: say what a person or a test can check");
        }
        if draft.priority.abs() > PRIORITY_MAX {
            self.wrong(format!(
                "its priority is not between -{PRIORITY_MAX} and {PRIORITY_MAX}"
            ));
        }
        self.characters(draft);
        let (after, depends_on) = self.dependencies(&draft.depends_on, existing, titles);
        ProposedFeature {
            title: title.to_owned(),
            description: draft.description.trim().to_owned(),
            acceptance,
            steps: self.lines("steps", &draft.steps),
            after,
            depends_on,
            write: self.scope(&draft.scope, policy),
            gates: self.gates(&draft.gates, policy),
            priority: draft.priority,
        }
    }

    fn wrong(&mut self, what: impl AsRef<str>) {
        self.problems
            .push(format!("feature {}: {}", self.number, what.as_ref()));
    }

    /// Takes the lines that say something, each on one line.
    fn lines(&mut self, field: &str, lines: &[String]) -> Vec<String> {
        if lines.len() > LINES_MAX {
            self.wrong(format!("`{field}` has more than {LINES_MAX} entries"));
        }
        if lines.iter().any(|line| line.len() > LINE_BYTES_MAX) {
            self.wrong(format!(
                "an entry of `{field}` is longer than {LINE_BYTES_MAX} bytes"
            ));
        }
        let lines = lines.iter().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.join(" ")
        });
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// Sees that no text holds what a terminal would obey, or a secret.
    fn characters(&mut self, draft: &Draft) {
        let lists = [&draft.acceptance, &draft.steps, &draft.scope, &draft.gates];
        let texts = [&draft.title, &draft.description];
        let mut all = texts.into_iter().chain(lists.into_iter().flatten());
        if all.clone().any(|text| text.chars().any(is_odd)) {
            self.wrong("it holds control characters or invisible ones that turn text around");
        }
        if all.any(|text| redact(text) != text.as_str()) {
            self.wrong("it holds what looks like a secret");
        }
    }

    /// Tells numbers, titles and ids apart.
    fn dependencies(
        &mut self,
        named: &[String],
        existing: &[Feature],
        titles: &BTreeMap<String, u16>,
    ) -> (Vec<u16>, Vec<FeatureId>) {
        let (mut after, mut depends_on) = (Vec::new(), Vec::new());
        let count = titles.values().copied().max().unwrap_or_default();
        if named.len() > PROPOSED_MAX {
            self.wrong("it depends on too many others");
            return (after, depends_on);
        }
        for name in named.iter().map(|name| name.trim()) {
            let by_number = name
                .parse()
                .ok()
                .filter(|number| (1..=count).contains(number));
            let number = by_number.or_else(|| titles.get(&title_key(name)).copied());
            let listed = existing.iter().find(|feature| feature.id.as_str() == name);
            match (listed, number) {
                (Some(feature), _) if feature.status == FeatureStatus::Cancelled => {
                    self.wrong(format!("`{name}` is cancelled: nothing can wait for it"));
                }
                (Some(feature), _) => depends_on.push(feature.id.clone()),
                (None, Some(number)) if number == self.number => {
                    self.wrong("it depends on itself");
                }
                (None, Some(number)) => after.push(number),
                (None, None) => {
                    let shown = shown(name);
                    self.wrong(format!(
                        "there is no feature `{shown}` to depend on: name a number from 1 to {count}, a title of this list, or an id of the feature list"
                    ));
                }
            }
        }
        after.sort_unstable();
        after.dedup();
        depends_on.dedup();
        (after, depends_on)
    }

    /// Takes patterns that narrow the repository's scope.
    fn scope(&mut self, patterns: &[String], policy: &Policy) -> Vec<String> {
        let patterns = self.lines("scope", patterns);
        for pattern in &patterns {
            match reach(pattern, policy) {
                Err(problem) => self.wrong(format!("scope: {problem}")),
                Ok(false) => {
                    let rules = policy.scope.write.iter();
                    let open: Vec<&str> = rules.map(|rule| rule.value.as_str()).collect();
                    self.wrong(format!(
                        "`{}` of its scope lies outside of what may be written here: {}",
                        shown(pattern),
                        open.join(" ")
                    ));
                }
                Ok(true) => {}
            }
        }
        patterns
    }

    fn gates(&mut self, names: &[String], policy: &Policy) -> Vec<String> {
        let names = self.lines("gates", names);
        let known: Vec<&str> = policy.gates.iter().map(|gate| gate.name.as_str()).collect();
        for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
            let shown = shown(name);
            self.wrong(format!(
                "there is no gate `{shown}`; the gates are: {}",
                known.join(", ")
            ));
        }
        names
    }
}

/// Whether anything that a pattern covers could be written under the repository's rules.
fn reach(pattern: &str, policy: &Policy) -> Result<bool, String> {
    let feature = Feature {
        scope: FeatureScope {
            write: vec![pattern.to_owned()],
            deny: Vec::new(),
        },
        ..Feature::titled(FeatureId::plan(0), "a proposal")
    };
    let guard = Guard::new(policy, &feature).map_err(|error| error.to_string())?;
    Ok(!guard.bounds().writable.is_empty())
}

/// Says which features wait for each other in a circle.
fn circle(features: &[ProposedFeature]) -> Option<String> {
    let mut open: Vec<u16> = (1..).zip(features).map(|(number, _)| number).collect();
    loop {
        let waits = |number: &u16| {
            let feature = features.get(usize::from(*number) - 1);
            feature.is_some_and(|feature| feature.after.iter().any(|after| open.contains(after)))
        };
        let left: Vec<u16> = open.iter().copied().filter(waits).collect();
        if left.is_empty() {
            return None;
        }
        if left.len() == open.len() {
            let names: Vec<String> = left.iter().map(ToString::to_string).collect();
            return Some(format!(
                "features {} wait for each other in a circle",
                names.join(", ")
            ));
        }
        open = left;
    }
}

/// Returns as much of a name as stands in a sentence about it.
fn shown(name: &str) -> String {
    let plain = name.chars().filter(|char| !is_odd(*char));
    plain.take(SHOWN_CHARS).collect()
}

/// Whether a terminal would obey a character, or show the text around it in another order.
fn is_odd(char: char) -> bool {
    let is_layout = matches!(char, '\n' | '\t' | '\r');
    (char.is_control() && !is_layout)
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
