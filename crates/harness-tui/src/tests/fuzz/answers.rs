//! Answers: what was looked up as it may be, and every way in which that fails.

use std::sync::Arc;

use harness_core::{CheckpointNumber, Event, FeatureStatus, SessionId};
use harness_review::Change;

use super::{
    dice::Dice,
    inputs::{text, wanted},
};
use crate::{
    Answer, Failed, Found, Input, Overview, Progress, Query, ReviewKept, ReviewSaved, Wanted,
    tests::{pages, review},
};

/// Answers a query, mostly with what was meant.
pub(super) fn to(dice: &mut Dice, query: Query) -> Input {
    Input::Answered(match query {
        Query::Page(wanted) => page(dice, wanted),
        Query::Dress(wanted) => Answer::Dressed(Box::new(wanted.make())),
        Query::Overview => overview(dice),
        Query::Files => files(dice),
        Query::Detail { session, call } => {
            let action = r#"{"kind":"run","command":"make \u001b[2J 漢字","cwd":""}"#;
            let end = r#"{"how":"done","outcome":{"kind":"written","created":false,"added":1,"removed":2}}"#;
            let found = (
                serde_json::from_str(action).ok().filter(|_| dice.one_in(2)),
                serde_json::from_str(end).expect("an end"),
            );
            Answer::Detail {
                session,
                call,
                found: (!dice.one_in(4)).then(|| Box::new(found)),
            }
        }
    })
}

/// Answers what nobody asked, or what was asked long ago.
pub(super) fn any(dice: &mut Dice) -> Input {
    Input::Answered(match dice.below(9) {
        0..3 => {
            let wanted = wanted(dice);
            page(dice, wanted)
        }
        3 => overview(dice),
        4 => files(dice),
        5 => Answer::Composed(match dice.one_in(2) {
            true => Ok(dice.one_in(3).then(|| text(dice))),
            false => Err(failed(dice)),
        }),
        6 => Answer::Returned(failed(dice)),
        7 => Answer::Kept(match dice.one_in(2) {
            true => Ok(text(dice)),
            false => Err(failed(dice)),
        }),
        _ => Answer::Errand(progress(dice)),
    })
}

/// Answers what was to be kept of a review.
pub(super) fn kept(dice: &mut Dice, kept: &ReviewKept) -> Input {
    let saved = ReviewSaved {
        key: "R-0001".to_owned(),
        book: kept.book.clone(),
        told: (0..dice.below(3)).map(|_| text(dice)).collect(),
        is_changed: dice.one_in(2),
    };
    Input::Answered(Answer::Reviewed(match dice.one_in(5) {
        true => Err(failed(dice)),
        false => Ok(Box::new(saved)),
    }))
}

fn failed(dice: &mut Dice) -> Failed {
    Failed {
        message: text(dice),
        hint: dice.one_in(2).then(|| text(dice)),
    }
}

fn progress(dice: &mut Dice) -> Progress {
    let events: [&str; 2] = [
        r#"{"type":"gate_started","gate":"lint"}"#,
        r#"{"type":"gate_started","gate":"漢\u001b[2J"}"#,
    ];
    match dice.below(3) {
        0 => Progress::Over(Ok(text(dice))),
        1 => Progress::Over(Err(failed(dice))),
        _ => Progress::Checked {
            event: Box::new(
                serde_json::from_str::<Event>(events[dice.below(2)]).expect("an event"),
            ),
            tree: pages::TREE.parse().expect("a tree"),
        },
    }
}

fn overview(dice: &mut Dice) -> Answer {
    if dice.one_in(4) {
        return Answer::Overview(Err(failed(dice)));
    }
    let features = (0..dice.below(40)).map(|at| {
        let id = format!("F-{at:03}").parse().expect("an id");
        (id, text(dice), FeatureStatus::Pending)
    });
    let features = features.collect();
    let texts = |dice: &mut Dice, most: usize| -> Vec<String> {
        (0..dice.below(most)).map(|_| text(dice)).collect()
    };
    Answer::Overview(Ok(Box::new(Overview {
        repository: text(dice),
        branch: text(dice),
        features,
        gates: texts(dice, 12),
        scope: texts(dice, 12),
        notes: texts(dice, 3),
        is_first: dice.one_in(6),
        must_fix: dice.below(3),
        resumable: dice.one_in(2).then(|| SessionId::new(3)),
    })))
}

fn files(dice: &mut Dice) -> Answer {
    Answer::Files {
        names: (0..dice.below(40)).map(|_| text(dice)).collect(),
        is_cut: dice.one_in(3),
    }
}

/// Answers with a page: mostly the one that was asked for.
fn page(dice: &mut Dice, meant: Wanted) -> Answer {
    if dice.one_in(6) {
        return Answer::Page(meant, Err(failed(dice)));
    }
    let told = match dice.one_in(10) {
        true => wanted(dice),
        false => meant.clone(),
    };
    let found = found(dice, &told);
    Answer::Page(meant, Ok(Box::new(found)))
}

fn found(dice: &mut Dice, wanted: &Wanted) -> Found {
    match wanted {
        Wanted::Features => features(dice),
        Wanted::Gates => gates(dice),
        Wanted::Checkpoints(_) => {
            let all = (0..dice.below(60)).map(|number| {
                let number = u32::try_from(number).unwrap_or(0);
                pages::checkpoint(number, dice.one_in(2).then_some(number), &text(dice))
            });
            Found::Checkpoints(crate::CheckpointsFound {
                checkpoints: all.collect(),
                session: dice.one_in(2).then(|| SessionId::new(7)),
            })
        }
        Wanted::Sessions(reach) => sessions(dice, *reach),
        Wanted::Difference { .. } => Found::Difference {
            title: text(dice),
            text: (0..dice.below(50))
                .map(|_| format!("+{}\n", text(dice)))
                .collect(),
        },
        Wanted::File { .. } => Found::File {
            path: text(dice),
            line: u32::try_from(dice.below(80)).unwrap_or(1),
            text: (0..dice.below(50))
                .map(|_| format!("{}\n", text(dice)))
                .collect(),
        },
        Wanted::Review(_) => review(dice),
        Wanted::First => first(dice),
    }
}

fn first(dice: &mut Dice) -> Found {
    let mut texts =
        |most: usize| -> Vec<String> { (0..dice.below(most)).map(|_| text(dice)).collect() };
    let (local, gates, write) = (texts(5), texts(9), texts(9));
    Found::First(crate::FirstFound {
        repository: text(dice),
        branch: text(dice),
        changed: dice.below(9),
        local,
        keys: (0..dice.below(3))
            .map(|_| (text(dice), text(dice)))
            .collect(),
        gates,
        write,
        has_config: dice.one_in(2),
        lines: (1, 1),
    })
}

fn features(dice: &mut Dice) -> Found {
    let mut found = pages::features();
    for feature in &mut found.features {
        if dice.one_in(2) {
            feature.feature.title = text(dice);
            feature.feature.description = text(dice);
            feature.feature.acceptance = vec![text(dice), text(dice)];
            feature.reason = text(dice);
        }
    }
    found.features.truncate(dice.below(9));
    found.progress = text(dice);
    found.notes = (0..dice.below(3)).map(|_| text(dice)).collect();
    Found::Features(found)
}

fn gates(dice: &mut Dice) -> Found {
    let mut found = pages::gates();
    for gate in &mut found.gates {
        if dice.one_in(2) {
            gate.name = text(dice);
            gate.argv = vec![text(dice), text(dice)];
            if let Some((report, _)) = &mut gate.last {
                report.excerpt = text(dice);
                report.reason = text(dice);
            }
        }
    }
    found.gates.truncate(dice.below(5));
    Found::Gates(found)
}

fn sessions(dice: &mut Dice, reach: crate::Reach) -> Found {
    let mut found = pages::sessions();
    found.reach = reach;
    found.older = dice.below(3);
    for session in &mut found.sessions {
        if dice.one_in(2) {
            session.name = text(dice);
            session.goal = text(dice);
            session.features = text(dice);
            session.branch = text(dice);
            session.state = text(dice);
            session.words = (text(dice), text(dice));
            session.tried = vec![text(dice)];
            session.elsewhere = text(dice);
        }
    }
    found.sessions.truncate(dice.below(4));
    Found::Sessions(found)
}

fn review(dice: &mut Dice) -> Found {
    let mut found = review::found();
    match dice.below(5) {
        0 => found.change = Arc::new(Change::default()),
        1 | 2 => {
            let side = |dice: &mut Dice| -> String {
                (0..dice.below(30))
                    .map(|_| format!("{}\n", text(dice)))
                    .collect()
            };
            let files = ["src/a.rs", "src/漢/e\u{301}.py", "b\u{202e}\u{1b}.md"];
            let files = files.map(|name| {
                let (old, new) = (side(dice), side(dice));
                review::file(name, &old, &new)
            });
            found.change = Arc::new(Change::new(files.into_iter().collect()));
        }
        _ => {}
    }
    if dice.one_in(2) {
        found.title = text(dice);
        found.words = text(dice);
        found.can_reject = dice.one_in(2);
        found.checks[0].gate = text(dice);
        found.findings[0].0.message = text(dice);
    }
    if dice.one_in(4) {
        found.checkpoints = vec![CheckpointNumber(1)];
        found.bases.clear();
    }
    Found::Review(Box::new(found))
}
