//! The gates: how each came out, on which state of the files, and what it wrote.

use std::borrow::Cow;

use harness_core::{CheckReport, CheckStatus, Event, FeatureId, Stop, TreeId};
use harness_report::clean_line;

use super::State;
use crate::{
    found::GatesFound,
    ink::inked,
    list::{Line, List},
    text::{Role, Row},
    theme::Sign,
    work::{GateState, Judged, Verdict, verdict},
};

/// The most failures that stand below a gate.
const BELOW_MAX: usize = 2;
/// The longest command or failure that is shown in a row. Unit: characters.
const LINE_CHARS: usize = 200;
/// What the gate is called that a person's review is.
const REVIEW: &str = "review";
/// The most gates that are kept.
const GATES_MAX: usize = 500;

/// The gates page.
#[derive(Debug)]
pub(crate) struct Gates {
    pub(crate) state: State,
    pub(crate) list: List,
    gates: Vec<GateRow>,
    /// The state of the files that counts, where one is known.
    tree: Option<TreeId>,
    /// How often gates were run for a finish.
    runs: u32,
    feature: Option<FeatureId>,
    /// What must be fixed before it can finish; absent where nobody ever said so.
    must_fix: Option<usize>,
    /// Whether that feature is proven.
    is_proven: bool,
    /// Whether a run goes on, which knows better than what is looked up.
    is_live: bool,
    is_changed: bool,
}

/// A gate.
#[derive(Clone, Debug)]
pub(crate) struct GateRow {
    /// Its name, as the configuration has it.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: GateKind,
    argv: Vec<String>,
    state: GateState,
    report: Option<Box<CheckReport>>,
    /// The files it ran on.
    of: Option<TreeId>,
}

/// What a gate is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum GateKind {
    /// A gate of the repository.
    #[default]
    Repository,
    /// The feature's own.
    Own,
    /// The person's review.
    Review,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            state: State::default(),
            list: List::with_flexible(1),
            gates: Vec::new(),
            tree: None,
            runs: 0,
            feature: None,
            must_fix: None,
            is_proven: false,
            is_live: false,
            is_changed: true,
        }
    }
}

impl GateRow {
    fn new(name: &str, argv: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            kind: GateKind::default(),
            argv: argv.to_vec(),
            state: GateState::Unknown,
            report: None,
            of: None,
        }
    }

    /// Makes the gate that a person's review is.
    fn review(must_fix: usize) -> Self {
        let (sign, word) = match must_fix {
            0 => (Sign::Good, "nothing open".to_owned()),
            must_fix => (Sign::Bad, format!("{must_fix} must-fix open")),
        };
        Self {
            kind: GateKind::Review,
            state: GateState::Current(Verdict { sign, word }),
            ..Self::new(REVIEW, &[])
        }
    }

    /// Whether it is not green on the files as they are.
    pub(crate) fn is_red(&self) -> bool {
        match &self.state {
            GateState::Current(verdict) | GateState::Base(verdict) | GateState::Stale(verdict) => {
                verdict.sign == Sign::Bad
            }
            GateState::Unknown | GateState::Running => false,
        }
    }

    /// Returns what its row is known by: a gate of the repository may have any name.
    fn id(&self) -> String {
        match self.kind {
            GateKind::Review => format!("\0{}", self.name),
            _ => self.name.clone(),
        }
    }

    const fn is_green(&self) -> bool {
        matches!(&self.state, GateState::Current(verdict) if matches!(verdict.sign, Sign::Good))
    }

    /// Returns what it wrote, as it wrote it.
    pub(crate) fn output(&self) -> Option<Vec<Row>> {
        let report = self.report.as_ref()?;
        let mut rows = vec![Row::of(
            Role::Quiet,
            format!("$ {}", clean_line(&report.argv.join(" "), LINE_CHARS)),
        )];
        rows.extend(
            Some(&report.reason)
                .filter(|reason| !reason.is_empty())
                .map(|reason| Row::of(Role::Bad, clean_line(reason, LINE_CHARS))),
        );
        for test in &report.failed_tests {
            let text = format!("failed: {}", clean_line(test, LINE_CHARS));
            rows.push(Row::of(Role::Bad, text));
        }
        rows.push(Row::default());
        rows.extend(inked(&report.output.head));
        let omitted = report.output.omitted();
        if omitted > 0 {
            rows.push(Row::of(
                Role::Needed,
                format!("[{omitted} bytes are left out here]"),
            ));
        }
        rows.extend(inked(&report.output.tail));
        if report.output.bytes == 0 {
            rows.push(Row::of(Role::Quiet, "it wrote nothing"));
        }
        Some(rows)
    }

    /// Returns the file and line where it failed, as its output names it.
    pub(crate) fn place(&self) -> Option<(String, u32)> {
        let report = self.report.as_ref()?;
        places(&report.excerpt).chain(places(&report.reason)).next()
    }

    /// Words how it failed, for the agent.
    pub(crate) fn to_words(&self) -> Option<String> {
        let report = self.report.as_ref()?;
        let mut text = format!("The gate `{}` is red: {}", self.name, report.reason);
        if !report.excerpt.trim().is_empty() {
            text.push_str(&format!("\n\n{}", report.excerpt.trim_end()));
        }
        Some(text)
    }
}

impl Gates {
    /// Takes in what was looked up; while a run goes on, it knows better.
    pub(crate) fn fill(&mut self, found: GatesFound) {
        self.state = State::There;
        if self.is_live {
            return;
        }
        let known = std::mem::take(&mut self.gates);
        self.must_fix = found.must_fix;
        for gate in found.gates.into_iter().take(GATES_MAX) {
            let mut row = GateRow::new(&gate.name, &gate.argv);
            let kept = known.iter().find(|known| known.name == gate.name);
            if let Some((report, of)) = gate.last {
                (row.report, row.of) = (Some(report), of);
            }
            // What was run from here is in no log.
            if let Some(kept) = kept.filter(|kept| kept.of.is_some()) {
                (row.report, row.of) = (kept.report.clone(), kept.of.clone());
            }
            row.state = row.report.as_ref().map_or(GateState::Unknown, |report| {
                let is_current = row.of.is_some() && row.of == found.tree;
                if is_current {
                    GateState::Current(verdict(report))
                } else {
                    GateState::Stale(verdict(report))
                }
            });
            self.gates.push(row);
        }
        self.tree = found.tree;
        self.is_changed = true;
    }

    /// Takes an event of a run in.
    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::SessionOpened(opened) => self.open(opened),
            Event::SessionResumed { .. } => self.is_live = true,
            Event::RunEnded { .. } => {
                self.is_live = false;
                self.settle();
            }
            Event::FeaturePassed(_) => self.is_proven = true,
            Event::SessionEnded { .. } => self.settle(),
            Event::CheckpointSaved(_) => self.outdate(),
            Event::CandidateFrozen(subject) => {
                self.runs += 1;
                let tree = Some(subject.tree.clone());
                if self.tree != tree {
                    self.outdate();
                }
                self.tree = tree;
            }
            Event::BaselineEnded { report, .. } => {
                if let Some(gate) = self.get(&report.gate)
                    && gate.state == GateState::Unknown
                {
                    gate.state = GateState::Base(verdict(report));
                    gate.report = Some(report.clone());
                }
            }
            Event::GateStarted { .. } | Event::CheckEnded { .. } => {
                let tree = self.tree.clone();
                self.check(event, tree);
            }
            _ => return,
        }
        self.is_changed = true;
    }

    /// Takes in what the person's review wants of the run.
    pub(crate) fn judge(&mut self, judged: &Judged) {
        let must_fix = judged.gate();
        self.is_changed |= self.must_fix != must_fix;
        self.must_fix = must_fix;
    }

    /// Iterates over the gates, the person's review last.
    fn all(&self) -> impl Iterator<Item = Cow<'_, GateRow>> {
        let review = self.must_fix.map(|open| Cow::Owned(GateRow::review(open)));
        self.gates.iter().map(Cow::Borrowed).chain(review)
    }

    /// Takes in that a gate began or ended on a state of the files.
    pub(crate) fn check(&mut self, event: &Event, tree: Option<TreeId>) {
        match event {
            Event::GateStarted { gate } => {
                if let Some(gate) = self.get(gate) {
                    gate.state = GateState::Running;
                }
            }
            Event::CheckEnded { report } => {
                if let Some(gate) = self.get(&report.gate) {
                    gate.state = match report.stop {
                        Some(Stop::Cancelled) => GateState::Unknown,
                        _ => GateState::Current(verdict(report)),
                    };
                    gate.argv.clone_from(&report.argv);
                    gate.report = Some(report.clone());
                    gate.of.clone_from(&tree);
                }
                self.tree = tree.or(self.tree.take());
            }
            _ => {}
        }
        self.is_changed = true;
    }

    fn open(&mut self, opened: &harness_core::SessionOpened) {
        let is_named = |feature: &&harness_core::Feature| feature.id == opened.feature;
        let Some(feature) = opened.run.features.iter().find(is_named) else {
            return;
        };
        let gates = &opened.run.policy.gates;
        let is_wanted = |name: &String| feature.gates.is_empty() || feature.gates.contains(name);
        let named = gates.iter().filter(|gate| is_wanted(&gate.name));
        let mut rows: Vec<GateRow> = named
            .map(|gate| GateRow::new(&gate.name, &gate.run))
            .collect();
        rows.extend((1..).zip(&feature.verify).map(|(number, argv)| GateRow {
            kind: GateKind::Own,
            ..GateRow::new(&format!("verify-{number}"), argv)
        }));
        rows.truncate(GATES_MAX);
        (self.gates, self.tree, self.runs) = (rows, None, 0);
        self.feature = Some(opened.feature.clone());
        (self.is_live, self.is_proven) = (true, false);
        self.state = State::There;
    }

    fn get(&mut self, name: &str) -> Option<&mut GateRow> {
        self.gates.iter_mut().find(|gate| gate.name == name)
    }

    fn outdate(&mut self) {
        for gate in &mut self.gates {
            if let GateState::Current(verdict) = &gate.state {
                gate.state = GateState::Stale(verdict.clone());
            }
        }
    }

    /// A gate that was cut short has come to nothing.
    pub(crate) fn settle(&mut self) {
        for gate in &mut self.gates {
            if gate.state == GateState::Running {
                gate.state = GateState::Unknown;
            }
        }
        self.is_changed = true;
    }

    /// Returns the gate that is chosen.
    pub(crate) fn chosen(&self) -> Option<Cow<'_, GateRow>> {
        let id = &self.list.chosen()?.id;
        self.all().find(|gate| gate.id() == *id)
    }

    /// Whether a gate is not green.
    pub(crate) fn has_red(&self) -> bool {
        self.all().any(|gate| gate.is_red())
    }

    /// Returns how many are red.
    pub(crate) fn red(&self) -> usize {
        self.all().filter(|gate| gate.is_red()).count()
    }

    /// Whether the gate of this row is not green.
    pub(crate) fn is_red(&self, line: &Line) -> bool {
        let mut gates = self.all();
        gates.any(|gate| gate.id() == line.id && gate.is_red())
    }

    /// Says where it stands, for the header: what is known, and what that means for the feature.
    pub(crate) fn told(&self) -> (Vec<String>, Option<String>) {
        let mut items = Vec::new();
        items.extend(
            self.tree
                .as_ref()
                .map(|tree| format!("tree {}", &tree.short()[..4])),
        );
        if self.runs > 0 {
            items.push(format!("run {}", self.runs));
        }
        items.push(format!("required {}", self.all().count()));
        let open = self.all().filter(|gate| !gate.is_green()).count();
        let outcome = match (&self.feature, open) {
            _ if self.gates.is_empty() => None,
            (Some(feature), _) if self.is_proven => Some(format!("{feature} passes")),
            (Some(feature), 0) => Some(format!("{feature} can finish: all green")),
            (Some(feature), open) => Some(format!("{feature} cannot finish: {open} not green")),
            (None, 0) => Some("all green".to_owned()),
            (None, open) => Some(format!("{open} not green")),
        };
        (items, outcome)
    }

    /// Makes the rows anew where something has changed; says whether it has.
    pub(crate) fn renew(&mut self) -> bool {
        if !std::mem::take(&mut self.is_changed) {
            return false;
        }
        let lines = self.all().map(|gate| line(&gate)).collect();
        self.list.replace(lines);
        true
    }
}

fn line(gate: &GateRow) -> Line {
    let (sign, word, role) = match &gate.state {
        GateState::Unknown => (Sign::Waiting, "not run".to_owned(), Role::Quiet),
        GateState::Running => (Sign::Working, "running".to_owned(), Role::Plain),
        GateState::Base(verdict) => (verdict.sign, "on the base".to_owned(), Role::Quiet),
        GateState::Current(verdict) if gate.kind == GateKind::Review => {
            (verdict.sign, verdict.word.clone(), Role::Plain)
        }
        GateState::Current(verdict) => (verdict.sign, String::new(), Role::Plain),
        GateState::Stale(_) => (Sign::Waiting, "stale".to_owned(), Role::Needed),
    };
    let report = gate
        .report
        .as_deref()
        .filter(|_| gate.state != GateState::Running);
    let took = report.map_or(String::new(), |report| seconds(report.ms));
    let outcome = report.map_or(String::new(), outcome);
    let words = [word, outcome].into_iter().filter(|word| !word.is_empty());
    let words: Vec<String> = words.collect();
    let mut line = Line::new(gate.id())
        .signed(sign)
        .cell(Role::Strong, clean_line(&gate.name, 40))
        .cell(Role::Plain, clean_line(&gate.argv.join(" "), LINE_CHARS))
        .cell(Role::Quiet, took)
        .cell(role, words.join(", "));
    if let Some(report) = report.filter(|_| gate.is_red()) {
        line.below = below(report);
    }
    line
}

fn outcome(report: &CheckReport) -> String {
    match (report.status, report.tests) {
        (CheckStatus::Green, Some(tests)) => format!("{} tests", tests.run),
        (CheckStatus::Green, None) => String::new(),
        (CheckStatus::Red, Some(tests)) => format!("{} of {} failed", tests.failed, tests.run),
        (CheckStatus::Red, None) => "failed".to_owned(),
        (CheckStatus::Error, _) => "could not run".to_owned(),
        (CheckStatus::Timeout, _) => "out of time".to_owned(),
    }
}

/// Says what failed: tests by name with their places, else why it is not green.
fn below(report: &CheckReport) -> Vec<Row> {
    let lead = "     ";
    let row =
        |text: &str| Row::of(Role::Plain, lead).and(Role::Plain, clean_line(text, LINE_CHARS));
    if report.failed_tests.is_empty() {
        let reason = report.reason.trim();
        return if reason.is_empty() {
            Vec::new()
        } else {
            vec![row(reason)]
        };
    }
    let mut rows: Vec<Row> = report
        .failed_tests
        .iter()
        .take(BELOW_MAX)
        .map(|test| {
            let line = report
                .excerpt
                .lines()
                .find(|line| line.contains(test.as_str()));
            let place = line.and_then(|line| places(line).next());
            let place = place.map_or(String::new(), |(path, line)| format!("   {path}:{line}"));
            row(&format!("{test}{place}"))
        })
        .collect();
    let more = report.failed_tests.len().saturating_sub(BELOW_MAX);
    if more > 0 {
        rows.push(Row::of(Role::Quiet, format!("{lead}and {more} more")));
    }
    rows
}

/// Finds what looks like a file with a line: `src/export.rs:33`.
fn places(text: &str) -> impl Iterator<Item = (String, u32)> {
    let is_apart =
        |char: char| char.is_whitespace() || matches!(char, '(' | ')' | '\'' | '"' | '`' | ',');
    text.split(is_apart).filter_map(|word| {
        let mut parts = word.split(':');
        let path = parts.next()?;
        let line = parts.next()?.parse().ok().filter(|line| *line > 0)?;
        let is_file = path.contains(['.', '/']) && !path.contains("//") && path.len() < 300;
        let is_inside = !path.starts_with('/') && !path.split('/').any(|part| part == "..");
        (is_file && is_inside && !path.is_empty()).then(|| (path.to_owned(), line))
    })
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_inside_with_a_line() {
        let found = |text: &str| places(text).next();
        assert_eq!(
            found("at tests/csv.rs:33:5"),
            Some(("tests/csv.rs".to_owned(), 33))
        );
        assert_eq!(found("(src/a.py:7) boom"), Some(("src/a.py".to_owned(), 7)));
        for none in [
            "10:24:11",
            "http://x.y:80",
            "/etc/passwd:1",
            "../x.rs:3",
            "a.rs:0",
            "word",
        ] {
            assert_eq!(found(none), None, "{none}");
        }
    }
}
