//! The features: what is wanted, how far each is, what proves it, and what was noted about it.

use std::collections::{BTreeMap, HashMap, HashSet};

use harness_core::{Event, Feature, FeatureId, FeatureStatus, Limits, Money};
use harness_report::{clean, clean_line};

use super::State;
use crate::{
    found::{FeatureFound, FeaturesFound},
    list::{Line, List},
    text::{Role, Row, untabbed},
    theme::Sign,
    work::sign_of,
};

/// The longest title that is kept. Unit: characters.
const TITLE_CHARS: usize = 200;
/// The longest note behind a title. Unit: characters.
const NOTE_CHARS: usize = 160;
/// The most lines of the progress log about one feature.
const PROGRESS_LINES_MAX: usize = 400;

/// The features page.
#[derive(Debug)]
pub(crate) struct Features {
    pub(crate) state: State,
    pub(crate) list: List,
    /// What else is worth knowing, a sentence each, cleaned.
    pub(crate) notes: Vec<String>,
    found: Vec<FeatureFound>,
    progress: String,
    live: BTreeMap<FeatureId, Live>,
    /// How features stand in the run that goes on, which the list learns later.
    statuses: BTreeMap<FeatureId, FeatureStatus>,
    current: Option<FeatureId>,
    limits: Option<Limits>,
    is_changed: bool,
}

/// What the run that is shown did for a feature.
#[derive(Clone, Copy, Debug, Default)]
struct Live {
    refused: u32,
    spent: Money,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            state: State::default(),
            list: List::with_flexible(1),
            notes: Vec::new(),
            found: Vec::new(),
            progress: String::new(),
            live: BTreeMap::new(),
            statuses: BTreeMap::new(),
            current: None,
            limits: None,
            is_changed: true,
        }
    }
}

impl Features {
    /// Takes in what was looked up.
    pub(crate) fn fill(&mut self, found: FeaturesFound) {
        self.found = found.features;
        for found in &mut self.found {
            if let Some(status) = self.statuses.get(&found.feature.id) {
                found.feature.status = *status;
                found.is_claimed = false;
            }
        }
        self.progress = found.progress;
        self.notes = found
            .notes
            .iter()
            .map(|note| clean_line(note, 400))
            .collect();
        self.state = State::There;
        self.is_changed = true;
    }

    /// Takes an event of a run in.
    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::SessionOpened(opened) => {
                self.current = Some(opened.feature.clone());
                self.limits = Some(opened.run.policy.limits.clone());
                self.merge(&opened.run.features);
            }
            Event::FeatureStatusChanged { feature, to, .. } => {
                self.statuses.insert(feature.clone(), *to);
                if let Some(found) = self.get(feature) {
                    found.feature.status = *to;
                    found.is_claimed = false;
                    found.reason.clear();
                }
            }
            Event::FinishRefused { .. } => self.current_live(|live| live.refused += 1),
            Event::ModelResponded(responded) => {
                let cost = responded.cost.unwrap_or_default();
                self.current_live(|live| live.spent = live.spent + cost);
            }
            Event::QuestionAsked { question, .. } => {
                let asks = format!("asks: {}", clean_line(question, NOTE_CHARS));
                self.current_reason(asks);
            }
            Event::QuestionAnswered { .. } => self.current_reason(String::new()),
            Event::RunEnded { .. } => {
                self.current = None;
                self.statuses.clear();
            }
            _ => return,
        }
        self.is_changed = true;
    }

    /// Takes over what a run says of features; those that are new to it come last.
    fn merge(&mut self, features: &[Feature]) {
        let known = self.found.iter().enumerate();
        let known: HashMap<FeatureId, usize> = known
            .map(|(at, found)| (found.feature.id.clone(), at))
            .collect();
        for feature in features {
            match known.get(&feature.id) {
                Some(at) => self.found[*at].feature = feature.clone(),
                None => self.found.push(FeatureFound {
                    feature: feature.clone(),
                    is_claimed: false,
                    is_changed: false,
                    reason: String::new(),
                    proof: None,
                }),
            }
        }
    }

    fn get(&mut self, id: &FeatureId) -> Option<&mut FeatureFound> {
        self.found.iter_mut().find(|found| found.feature.id == *id)
    }

    fn current_live(&mut self, change: impl FnOnce(&mut Live)) {
        if let Some(current) = &self.current {
            change(self.live.entry(current.clone()).or_default());
        }
    }

    fn current_reason(&mut self, reason: String) {
        if let Some(current) = self.current.clone()
            && let Some(found) = self.get(&current)
        {
            found.reason = reason;
        }
    }

    /// Returns the feature that is chosen.
    pub(crate) fn chosen(&self) -> Option<&FeatureFound> {
        let id = &self.list.chosen()?.id;
        self.found
            .iter()
            .find(|found| found.feature.id.as_str() == id)
    }

    /// Counts how features stand: a mark, a word and how many.
    pub(crate) fn counts(&self) -> Vec<(Sign, &'static str, usize)> {
        let mut counts = vec![
            (Sign::Good, "passing", 0),
            (Sign::Working, "working", 0),
            (Sign::Verifying, "verifying", 0),
            (Sign::Needed, "needs you", 0),
            (Sign::Bad, "failing", 0),
            (Sign::Blocked, "blocked", 0),
            (Sign::Waiting, "pending", 0),
            (Sign::Cancelled, "cancelled", 0),
        ];
        for found in &self.found {
            let sign = sign(found);
            if let Some(count) = counts.iter_mut().find(|(known, ..)| *known == sign) {
                count.2 += 1;
            }
        }
        counts.retain(|(.., count)| *count > 0);
        counts
    }

    /// Returns how many there are.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// Makes the rows anew where something has changed; says whether it has.
    pub(crate) fn renew(&mut self) -> bool {
        if !std::mem::take(&mut self.is_changed) {
            return false;
        }
        let is_there =
            |found: &&FeatureFound| found.feature.status.is_settled() && !found.is_claimed;
        let there = self.found.iter().filter(is_there);
        let there: HashSet<&FeatureId> = there.map(|found| &found.feature.id).collect();
        let lines = self
            .found
            .iter()
            .map(|found| self.line(found, &there))
            .collect();
        self.list.replace(lines);
        true
    }

    /// Makes a row; `there` are the features that others need not wait for.
    fn line(&self, found: &FeatureFound, there: &HashSet<&FeatureId>) -> Line {
        let feature = &found.feature;
        let is_current = self.current.as_ref() == Some(&feature.id);
        let role = if is_current {
            Role::Strong
        } else {
            Role::Plain
        };
        let mut line = Line::new(feature.id.as_str())
            .signed(sign(found))
            .cell(Role::Strong, feature.id.as_str())
            .cell(role, clean_line(&feature.title, TITLE_CHARS))
            .cell(Role::Quiet, self.note(found, is_current, there));
        line.more = clean_line(&feature.category, 40);
        line
    }

    /// Says what matters about a feature, by how it stands.
    fn note(&self, found: &FeatureFound, is_current: bool, there: &HashSet<&FeatureId>) -> String {
        let feature = &found.feature;
        let reason = clean_line(&found.reason, NOTE_CHARS);
        let mut notes = Vec::new();
        match feature.status {
            _ if found.is_claimed => notes.push("claimed, no proof".to_owned()),
            FeatureStatus::Pending | FeatureStatus::InProgress => {}
            FeatureStatus::Passing => notes.extend(found.proof.as_ref().map(|proof| {
                format!(
                    "gates {0}/{0}  tree {1}",
                    proof.checks,
                    &proof.tree.short()[..4]
                )
            })),
            status => notes.push(words(status).to_owned()),
        }
        if is_current || feature.status == FeatureStatus::InProgress {
            notes.extend(self.live(feature));
        }
        if found.is_changed {
            notes.push("changed by hand".to_owned());
        }
        if !reason.is_empty() {
            notes.push(reason);
        }
        if feature.status.is_open() {
            notes.extend(after(feature, there));
        }
        if feature.status == FeatureStatus::Pending && !feature.scope.write.is_empty() {
            let scope = feature.scope.write.join(" ");
            notes.push(format!("scope {}", clean_line(&scope, NOTE_CHARS)));
        }
        notes.join("  ")
    }

    /// Says how much was tried and spent in the run that is shown.
    fn live(&self, feature: &Feature) -> Vec<String> {
        let Some(live) = self.live.get(&feature.id) else {
            return Vec::new();
        };
        let mut notes = Vec::new();
        let limits = self.limits.as_ref();
        let attempts = feature.budget.attempts;
        let attempts = attempts.or(limits.map(|limits| limits.attempts));
        if live.refused > 0 {
            let of = attempts.map_or(String::new(), |attempts| format!(" of {attempts}"));
            notes.push(format!("try {}{of}", live.refused + 1));
        }
        if live.spent > Money(0) {
            let of = feature
                .budget
                .usd
                .map_or(String::new(), |usd| format!(" of {usd}"));
            notes.push(format!("{}{of}", live.spent));
        }
        notes
    }

    /// Returns everything about the chosen feature: what it is meant to be, then what was noted.
    pub(crate) fn more(&self) -> Option<(String, Vec<Row>)> {
        let found = self.chosen()?;
        let feature = &found.feature;
        let mut rows = Vec::new();
        let mut said = |name: &str, text: &str| {
            for (at, line) in clean(text.trim()).lines().enumerate() {
                let (lead, line) = if at == 0 {
                    (format!("{name}: "), line)
                } else {
                    ("  ".to_owned(), line)
                };
                rows.push(Row::of(Role::Quiet, lead).and(Role::Plain, untabbed(line)));
            }
        };
        said("done when", &feature.acceptance.join("; "));
        said("description", &feature.description);
        said("steps", &feature.steps.join("; "));
        said("why", &found.reason);
        said("write", &feature.scope.write.join(" "));
        said("deny", &feature.scope.deny.join(" "));
        let paths = feature.may_change.iter().map(ToString::to_string);
        said("may change", &paths.collect::<Vec<_>>().join(" "));
        said("gates", &feature.gates.join(", "));
        let commands = feature.verify.iter().map(|argv| argv.join(" "));
        said("verify", &commands.collect::<Vec<_>>().join("; "));
        if let Some(proof) = &found.proof {
            said(
                "evidence",
                &format!("tree {}, session {}", proof.tree.short(), proof.session),
            );
        }
        rows.extend(progress(&self.progress, &feature.id));
        if rows.is_empty() {
            rows.push(Row::of(
                Role::Quiet,
                "nothing more is said of it; e adds to it, as in --acceptance TEXT",
            ));
        }
        let title = format!(
            "{}  {}",
            feature.id,
            clean_line(&feature.title, TITLE_CHARS)
        );
        Some((title, rows))
    }
}

/// Names what has to pass first, and whether it does.
fn after(feature: &Feature, there: &HashSet<&FeatureId>) -> Option<String> {
    let named = feature.depends_on.iter().map(|id| {
        let mark = if there.contains(id) { " ✓" } else { "" };
        format!("{id}{mark}")
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| format!("after {}", named.join(", ")))
}

/// Returns the entries of the progress log about a feature, newest first.
fn progress(text: &str, id: &FeatureId) -> Vec<Row> {
    let mut sections: Vec<Vec<&str>> = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            sections.push(vec![heading]);
        } else if let Some(section) = sections.last_mut()
            && !line.trim().is_empty()
        {
            section.push(line);
        }
    }
    let is_about = |section: &&Vec<&str>| {
        section[0]
            .split_whitespace()
            .any(|word| word == id.as_str())
    };
    let mut rows = Vec::new();
    for section in sections.iter().rev().filter(is_about) {
        for (at, line) in section.iter().enumerate() {
            let role = if at == 0 { Role::Title } else { Role::Plain };
            rows.push(Row::of(role, untabbed(&clean(line))));
        }
    }
    rows.truncate(PROGRESS_LINES_MAX);
    rows
}

/// Returns the mark of a feature; a claim without proof counts as not begun.
fn sign(found: &FeatureFound) -> Sign {
    if found.is_claimed {
        return Sign::Waiting;
    }
    sign_of(found.feature.status)
}

/// Returns the word for a status, where the mark alone would not do.
const fn words(status: FeatureStatus) -> &'static str {
    match status {
        FeatureStatus::NeedsHuman => "needs you",
        FeatureStatus::InProgress => "working",
        FeatureStatus::Accepted => "accepted without proof",
        other => other.as_str(),
    }
}
