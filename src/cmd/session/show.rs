//! `harness session show`: one session in full.

use std::time::Duration;

use harness_core::{EndReason, FailureClass, ModelProfile, Money};
use harness_report::{Bill, GateUse, ToolUse, amount, span, tokens, usd as money};
use harness_store::Store;
use serde_json::{Value, json};

use super::{Told, find, minute, none_yet, usage, usd};
use crate::{
    compose::Site,
    failure::{Failure, chain},
    output::Output,
    table,
};

pub(super) fn run(
    site: &Site,
    store: Option<&Store>,
    named: Option<&str>,
    output: &mut Output,
) -> Result<u8, Failure> {
    let store = store.ok_or_else(none_yet)?;
    let session = find(site, store, named)?;
    let runs = store
        .runs()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let told = Told::read(store, &runs, session);
    let next = next(&told);
    let log = store.log_path(session).display().to_string();
    let mut body = told.body();
    if let (Value::Object(body), Value::Object(more)) = (&mut body, details(&told)) {
        body.extend(more);
        body.insert("log".to_owned(), log.clone().into());
        body.insert("next".to_owned(), json!(next));
    }
    let mut lines = vec![headline(&told)];
    lines.extend(work(&told));
    lines.extend(spending(&told));
    lines.extend(doing(&told));
    let problem = told.problem();
    lines.extend(problem.map(|problem| {
        format!(
            "damaged: the log holds {} records, then {problem}; what follows is not told",
            told.records()
        )
    }));
    lines.push(format!("log: {log}, {} records", told.records()));
    let next: Vec<String> = next.iter().map(|command| format!("`{command}`")).collect();
    lines.push(format!("next: {}", next.join(", ")));
    output.entry("session", &lines.join("\n"), body)?;
    Ok(0)
}

fn headline(told: &Told) -> String {
    let Some(opened) = &told.summary.opened else {
        return format!("session: {}", told.session);
    };
    let mut features = opened.run.features.iter();
    let feature = features.find(|feature| feature.id == opened.feature);
    let title = feature.map(|feature| format!(" {}", feature.title));
    format!(
        "session: {} of run {}, {}{}",
        told.session,
        opened.run.run,
        opened.feature,
        title.unwrap_or_default()
    )
}

/// Says when, by whom and how it went.
fn work(told: &Told) -> Vec<String> {
    let summary = &told.summary;
    let mut lines = Vec::new();
    if let (Some(began), Some(last)) = (summary.began, summary.last) {
        let resumed = match summary.resumed {
            0 => String::new(),
            1 => ", resumed once".to_owned(),
            times => format!(", resumed {times} times"),
        };
        lines.push(format!(
            "when: {} to {} (UTC), {} of work{resumed}",
            minute(&began.to_string()),
            minute(&last.to_string()),
            span(summary.took.taken()),
        ));
    }
    let run = summary.end.as_ref().and_then(|end| end.run);
    let run = run
        .filter(|reason| reason.as_str() != told.ended())
        .map(|reason| format!("; the run ended: {reason}"));
    lines.push(format!(
        "ended: {}{}",
        told.ended(),
        run.unwrap_or_default()
    ));
    let Some(opened) = &summary.opened else {
        return lines;
    };
    let (notes, models): (Vec<_>, Vec<_>) = summary
        .models
        .iter()
        .map(|(model, _)| model)
        .partition(|model| summary.helpers.contains(&model.name));
    let names = |models: Vec<&ModelProfile>| models.into_iter().map(name).collect::<Vec<_>>();
    let models = names(models).join(", then ");
    let notes = match names(notes).as_slice() {
        [] => String::new(),
        notes => format!(", beside it {}", notes.join(", ")),
    };
    lines.push(format!(
        "agent: builtin, model {models}{notes}; sandbox {}",
        opened.level
    ));
    lines.push(format!("where: {}, branch {}", opened.root, opened.branch));
    lines
}

/// Names a model, with the provider's id where that is another.
fn name(model: &ModelProfile) -> String {
    if model.id == model.name || model.id.is_empty() {
        model.name.clone()
    } else {
        format!("{} ({})", model.name, model.id)
    }
}

/// Says what it used and cost.
fn spending(told: &Told) -> Vec<String> {
    let summary = &told.summary;
    // What a limit or a person called off did not fail.
    let called_off = FailureClass::Cancelled.as_str();
    let failures = summary.failures.iter();
    let failures: Vec<String> = failures
        .filter(|(class, _)| *class != called_off)
        .map(|(class, times)| format!("{class} {times}"))
        .collect();
    let mut failures = if failures.is_empty() {
        "no failure".to_owned()
    } else {
        format!("failed: {}", failures.join(", "))
    };
    if let Some(times) = summary.failures.get(called_off) {
        failures.push_str(&format!("; called off: {times}"));
    }
    let usage = summary.total.usage;
    let cache = match usage.cache_percent() {
        Some(percent) => format!("cache {percent}%"),
        None => "no cache told of".to_owned(),
    };
    let mut lines = vec![
        format!(
            "turns: {}, requests {}, sent again {}, {failures}",
            summary.turns, summary.requests, summary.retries
        ),
        format!(
            "tokens: {} in ({} fresh, {} from the cache, {} into it), {} out, {cache}",
            amount(usage.input_total()),
            amount(usage.input),
            amount(usage.cache_read),
            amount(usage.cache_write),
            amount(usage.output),
        ),
        format!("cost: {}", summary.total.money()),
    ];
    if summary.models.len() > 1 {
        lines.extend(
            summary.models.iter().map(|(model, used)| {
                format!("  {}: {}, {}", model.name, used.money(), used.tokens())
            }),
        );
    }
    lines.extend(summary.besides.iter().map(|(kind, (times, used))| {
        let times = match times {
            1 => "1 conversation".to_owned(),
            times => format!("{times} conversations"),
        };
        format!(
            "  {}: {times}, {}, {}",
            kind.as_str(),
            used.money(),
            used.tokens()
        )
    }));
    let is_paid = summary.total.spent > Money(0);
    let title = if is_paid { "dearest" } else { "largest" };
    let has_tokens = |bill: &Bill| bill.usage.input_total() > 0;
    let mut dearest = summary
        .dearest
        .iter()
        .filter(|(bill, _)| has_tokens(bill))
        .peekable();
    if dearest.peek().is_some() {
        lines.push(format!("{title} requests:"));
    }
    for (bill, model) in dearest {
        let about = if bill.estimated { "about " } else { "" };
        let cost = bill.cost.map_or_else(|| "price unknown".to_owned(), money);
        let model = match summary.models.len() {
            0 | 1 => String::new(),
            _ => format!(", {model}"),
        };
        let took = match bill.ms {
            0 => String::new(),
            ms => format!(", {}", span(Duration::from_millis(ms))),
        };
        lines.push(format!(
            "  {}: {about}{cost}, {}{took}{model}",
            bill.name(),
            tokens(bill.usage),
        ));
    }
    lines
}

/// Says what was called, checked, saved and proven.
fn doing(told: &Told) -> Vec<String> {
    let summary = &told.summary;
    let mut lines = Vec::new();
    let mut list = |title: &str, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            lines.push(format!("{title}:"));
            let rows = table::aligned(&rows).into_iter();
            lines.extend(rows.map(|row| format!("  {row}")));
        }
    };
    list("tools", summary.tools.iter().map(tool_row).collect());
    list("gates", summary.gates.iter().map(gate_row).collect());
    let passed = summary.passed.iter().map(ToString::to_string);
    let passed = passed.collect::<Vec<_>>().join(", ");
    lines.push(format!(
        "checkpoints: {}, refused finishes {}, proven: {}",
        summary.checkpoints,
        summary.refused,
        if passed.is_empty() {
            "nothing"
        } else {
            &passed
        }
    ));
    lines
}

fn tool_row((name, used): (&String, &ToolUse)) -> Vec<String> {
    let some = |number: u64, word: &str| (number > 0).then(|| format!("{number} {word}"));
    let bad = [some(used.refused, "refused"), some(used.failed, "failed")];
    let bad = bad.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let calls = if used.calls == 1 {
        "1 call".to_owned()
    } else {
        format!("{} calls", used.calls)
    };
    vec![name.clone(), calls, span(used.took), bad]
}

fn gate_row((name, used): (&String, &GateUse)) -> Vec<String> {
    let checks = if used.checks == 1 {
        "1 check".to_owned()
    } else {
        format!("{} checks", used.checks)
    };
    let red = match used.red {
        0 => "all green".to_owned(),
        red => format!("{red} not green"),
    };
    vec![name.clone(), checks, span(used.took), red]
}

/// Names the commands that go on from here: the session's run, if it can go on, and its log.
fn next(told: &Told) -> Vec<String> {
    let session = told.session;
    if told.problem().is_some() {
        return vec![format!("harness log verify {session}")];
    }
    let mut commands = vec![format!("harness log show {session}")];
    if told.summary.opened.is_none() {
        return commands;
    }
    let ended = told.summary.end.as_ref().and_then(|end| end.run);
    match (told.after, ended) {
        (Some(after), _) => commands.push(format!("harness session show {after}")),
        (None, Some(reason)) if reason.exit_code() == 0 => {}
        (None, Some(EndReason::Aborted)) => {}
        (None, _) => commands.push(format!("harness resume {session}")),
    }
    commands
}

/// Returns what the list does not say.
fn details(told: &Told) -> Value {
    let summary = &told.summary;
    let opened = summary.opened.as_ref();
    let models: Vec<Value> = summary
        .models
        .iter()
        .map(|(model, used)| {
            json!({ "name": model.name, "id": model.id, "requests": used.requests, "usage": usage(used), "usd": usd(used) })
        })
        .collect();
    let dearest: Vec<Value> = summary
        .dearest
        .iter()
        .map(|(bill, model)| {
            json!({ "turn": bill.turn.map(|turn| turn.0), "conversation": bill.conversation.map(|id| id.to_string()), "model": model, "usage": harness_report::Tokens::from(bill.usage),
                "usd": bill.cost.map(Money::as_usd), "estimated": bill.estimated, "ms": bill.ms })
        })
        .collect();
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let tools: Vec<Value> = summary
        .tools
        .iter()
        .map(|(name, used)| {
            json!({ "tool": name, "calls": used.calls, "refused": used.refused, "failed": used.failed, "ms": ms(used.took) })
        })
        .collect();
    let gates: Vec<Value> = summary
        .gates
        .iter()
        .map(|(name, used)| {
            json!({ "gate": name, "checks": used.checks, "red": used.red, "ms": ms(used.took) })
        })
        .collect();
    let besides: Vec<Value> = summary
        .besides
        .iter()
        .map(|(kind, (times, used))| {
            json!({ "kind": kind.as_str(), "conversations": times, "requests": used.requests, "usage": usage(used), "usd": usd(used) })
        })
        .collect();
    let passed: Vec<String> = summary.passed.iter().map(ToString::to_string).collect();
    json!({
        "agent": "builtin",
        "level": opened.map(|opened| opened.level.to_string()),
        "branch": opened.map(|opened| &opened.branch),
        "ms": ms(summary.took.taken()),
        "resumed": summary.resumed,
        "requests": summary.requests,
        "retries": summary.retries,
        "failures": summary.failures,
        "models": models,
        "dearest": dearest,
        "tools": tools,
        "gates": gates,
        "finishes_refused": summary.refused,
        "checkpoints": summary.checkpoints,
        "passed": passed,
        "conversations": besides,
    })
}
