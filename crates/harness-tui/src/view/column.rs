//! The work column: features, gates, plan, jobs, scope, checkpoints, budget.

use harness_core::{PLAN_ITEM_CHARS_MAX, PlanItem, StepState};
use harness_report::clean_line;

use super::Canvas;
use crate::{
    app::App,
    text::{Role, Row, shortened},
    theme::{Sign, Theme},
    work::{FeatureLine, GateState, Work, sign_of},
};

/// The most open steps of the plan that are listed.
const STEPS_MAX: usize = 3;
/// The most commands in the background that are listed.
const JOBS_MAX: usize = 2;
/// The most scope patterns that are listed.
const SCOPE_MAX: usize = 4;

pub(super) fn paint(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.layout.work;
    if area.width == 0 {
        return;
    }
    let mut rule = area;
    rule.x -= 2;
    rule.width = 1;
    for line in 0..rule.height {
        canvas.put(rule, line, &Row::of(Role::Quiet, "│"));
    }
    let columns = usize::from(area.width.saturating_sub(1));
    let rows = rows(&app.work, columns, usize::from(area.height), canvas.theme);
    for (line, row) in (0..area.height).zip(&rows) {
        canvas.put(area, line, row);
    }
}

fn rows(work: &Work, columns: usize, height: usize, theme: Theme) -> Vec<Row> {
    let below = below_features(work, columns, theme);
    let room = height.saturating_sub(below.len() + 1).max(1);
    let mut rows = features(work, columns, room, theme);
    rows.extend(below);
    rows
}

fn features(work: &Work, columns: usize, room: usize, theme: Theme) -> Vec<Row> {
    let title = match work.features.len() {
        0 => "none".to_owned(),
        _ if work.planned.is_some() => "the goal".to_owned(),
        all => format!("{} / {all} passing", work.passing()),
    };
    let mut rows = vec![titled("Features", &title)];
    let (first, last) = window(work, room);
    for feature in &work.features[first..last] {
        rows.push(feature_row(feature, work, columns, theme));
    }
    let left = work.features.len() - (last - first);
    if left > 0 {
        rows.push(Row::of(Role::Quiet, format!("  {left} more")));
    }
    rows
}

/// Returns which features are listed: the one in work stays in sight.
fn window(work: &Work, room: usize) -> (usize, usize) {
    let all = work.features.len();
    if all <= room {
        return (0, all);
    }
    let room = room.saturating_sub(1).max(1);
    let is_current = |feature: &FeatureLine| Some(&feature.id) == work.current.as_ref();
    let current = work.features.iter().position(is_current).unwrap_or(0);
    let first = current.saturating_sub(room / 2).min(all - room);
    (first, first + room)
}

fn feature_row(feature: &FeatureLine, work: &Work, columns: usize, theme: Theme) -> Row {
    let sign = sign_of(feature.status);
    let is_current = Some(&feature.id) == work.current.as_ref();
    let attempts = work
        .used
        .limits
        .as_ref()
        .map_or(0, |limits| limits.attempts);
    let attempt =
        if is_current && feature.refused > 0 && matches!(sign, Sign::Working | Sign::Verifying) {
            format!("  try {} of {attempts}", feature.refused + 1)
        } else {
            String::new()
        };
    let mut row = marked(sign, theme);
    let role = if is_current {
        Role::Strong
    } else {
        Role::Plain
    };
    row.push(role, feature.id.as_str());
    let room = columns.saturating_sub(row.width() + attempt.len() + 1);
    row.push(Role::Plain, format!(" {}", shortened(&feature.title, room)));
    row.push(Role::Needed, attempt);
    row
}

fn below_features(work: &Work, columns: usize, theme: Theme) -> Vec<Row> {
    let review = work.judged.gate();
    let is_none = work.gates.is_empty() && review.is_none();
    let mut rows = vec![titled("Gates", if is_none { "none" } else { "" })];
    for gate in &work.gates {
        let (sign, word) = match &gate.state {
            GateState::Unknown => (Sign::Waiting, String::new()),
            GateState::Running => (Sign::Working, "running".to_owned()),
            GateState::Base(verdict) => (verdict.sign, format!("{} on the base", verdict.word)),
            GateState::Current(verdict) => (verdict.sign, verdict.word.clone()),
            GateState::Stale(_) => (Sign::Waiting, "stale".to_owned()),
        };
        let mut row = marked(sign, theme);
        row.push(Role::Plain, shortened(&gate.name, 16));
        row.push(Role::Quiet, format!("  {word}"));
        rows.push(row);
    }
    rows.extend(review.map(|must_fix| {
        let (sign, word) = match must_fix {
            0 => (Sign::Good, String::new()),
            must_fix => (Sign::Bad, format!("  {must_fix} must-fix")),
        };
        marked(sign, theme)
            .and(Role::Plain, "review")
            .and(Role::Quiet, word)
    }));
    rows.extend(plan(work, columns, theme));
    rows.extend(jobs(work, columns, theme));
    if !work.scope.is_empty() {
        rows.push(titled("Scope", "write"));
        for pattern in work.scope.iter().take(SCOPE_MAX) {
            let pattern = shortened(pattern, columns.saturating_sub(2));
            rows.push(Row::of(Role::Plain, format!("  {pattern}")));
        }
        let more = work.scope.len().saturating_sub(SCOPE_MAX);
        if more > 0 {
            rows.push(Row::of(Role::Quiet, format!("  {more} more")));
        }
    }
    if work.session.is_some() {
        rows.push(titled("Checkpoints", &work.checkpoints.to_string()));
        rows.extend(budget(work, columns));
        if let Some(level) = work.level {
            rows.push(titled("Sandbox", level.as_str()));
        }
    }
    rows
}

/// Says how far the plan is, and what comes next of it.
fn plan(work: &Work, columns: usize, theme: Theme) -> Vec<Row> {
    if work.plan.is_empty() {
        return Vec::new();
    }
    let open: Vec<&PlanItem> = work.plan.iter().filter(|item| item.is_open()).collect();
    let done = work.plan.len() - open.len();
    let mut rows = vec![titled(
        "Plan",
        &format!("{done} of {} done", work.plan.len()),
    )];
    for item in open.iter().take(STEPS_MAX) {
        let sign = match item.state {
            StepState::Doing => Sign::Working,
            StepState::Open | StepState::Done => Sign::Waiting,
        };
        let mut row = marked(sign, theme);
        let text = clean_line(&item.text, PLAN_ITEM_CHARS_MAX);
        row.push(
            Role::Plain,
            shortened(&text, columns.saturating_sub(row.width())),
        );
        rows.push(row);
    }
    let more = open.len().saturating_sub(STEPS_MAX);
    if more > 0 {
        rows.push(Row::of(Role::Quiet, format!("  {more} more")));
    }
    rows
}

/// Says what goes on in the background.
fn jobs(work: &Work, columns: usize, theme: Theme) -> Vec<Row> {
    if work.jobs.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![titled("Jobs", &format!("{} running", work.jobs.len()))];
    for job in work.jobs.iter().take(JOBS_MAX) {
        let mut row = marked(Sign::Working, theme);
        let room = columns.saturating_sub(row.width());
        row.push(Role::Plain, shortened(&job.command, room));
        rows.push(row);
    }
    let more = work.jobs.len().saturating_sub(JOBS_MAX);
    if more > 0 {
        rows.push(Row::of(Role::Quiet, format!("  {more} more")));
    }
    rows
}

/// Says how much of the tightest bounds is used.
fn budget(work: &Work, columns: usize) -> Vec<Row> {
    let limits = work.used.limits.as_ref();
    let turns = limits.map_or(0, |limits| limits.turns);
    let turns = format!("{} of {turns} turns", work.used.turns);
    let Some(usd) = limits.and_then(|limits| limits.usd) else {
        return vec![titled("Budget", &turns)];
    };
    let money = format!("{} of {usd}", work.used.spent);
    let both = titled("Budget", &format!("{money}, {turns}"));
    if both.width() <= columns {
        return vec![both];
    }
    vec![
        titled("Budget", &money),
        Row::of(Role::Quiet, format!("        {turns}")),
    ]
}

fn titled(title: &str, text: &str) -> Row {
    Row::of(Role::Title, title).and(Role::Quiet, format!("  {text}"))
}

fn marked(sign: Sign, theme: Theme) -> Row {
    Row::of(Role::Plain, "  ")
        .and(sign.role(), theme.sign(sign))
        .and(Role::Plain, " ")
}
