//! Hard texts through every pane, at every width: each row is exactly as wide as the screen, no
//! cluster is split, nothing acts, and the cursor stands before what it is before.
//!
//! A debug build goes through every fifteenth width, or through all of them with `HARNESS_WIDTHS=all`.

use std::sync::Arc;

use harness_core::{Event, FeatureStatus, SessionId};
use harness_review::{Author, Change, CommentKind, Draft, Place as Spot};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    desk::{Desk, NOW},
    hard::{Emulator, all_hard, hard, look},
    pages, review,
};
use crate::{
    Answer, Failed, Found, Input, Overview, Question, Reach, Request, Wanted,
    text::{Role, Row, shortened, tail, width, wrap},
};

fn widths() -> impl Iterator<Item = u16> {
    let is_all = !cfg!(debug_assertions) || std::env::var_os("HARNESS_WIDTHS").is_some();
    // Below 60 columns there is a notice and nothing else.
    let narrow = (20..60).step_by(if is_all { 1 } else { 39 });
    narrow.chain((60..=120).step_by(if is_all { 1 } else { 15 }))
}

/// Goes through a scene at every width: draws it, then after each of these keys.
fn check(scene: &str, keys: &str, play: impl Fn(&mut Desk)) {
    for columns in widths() {
        for ascii in [false, true] {
            let mut desk = match ascii {
                false => Desk::new(columns, 60),
                true if columns % 2 == 0 => continue,
                true => Desk::ascii(columns, 24),
            };
            play(&mut desk);
            let mut emulator = Emulator::new();
            let mut pressed = Vec::new();
            for key in std::iter::once("").chain(keys.split(' ')) {
                if !key.is_empty() {
                    let asked = desk.press(key);
                    review::serve(&mut desk, asked);
                    pressed.push(key);
                }
                if let Err(fault) = look(&mut desk, &mut emulator) {
                    panic!(
                        "{scene} at {columns}, after {pressed:?}: {fault}\n{}",
                        desk.picture()
                    );
                }
            }
        }
    }
}

fn texts() -> Vec<String> {
    hard().into_iter().map(|(_, text)| text).collect()
}

fn page(desk: &mut Desk, wanted: Wanted, found: Found) {
    desk.take(Input::Answered(Answer::Page(wanted, Ok(Box::new(found)))));
}

#[test]
fn what_is_said_and_streamed() {
    check("transcript", "tab g ctrl+d ctrl+d G k enter", |desk| {
        desk.take(Input::Started);
        for text in texts() {
            let json = serde_json::to_string(&text).unwrap();
            desk.log_json(&format!(r#"{{"type":"person_said","text":{json}}}"#));
            desk.log_json(&format!(r#"{{"type":"note_taken","text":{json}}}"#));
            desk.log_json(&format!(
                r#"{{"type":"model_responded","turn":1,"response":{{"parts":[{{"type":"text","text":{json}}}],"stop":"tool_use","usage":{{"input":1,"cache_read":0,"cache_write":0,"output":1}}}},"cost":0,"ms":1}}"#
            ));
        }
        desk.stream(&all_hard());
    });
}

#[test]
fn what_a_command_prints() {
    check("live output", "", |desk| {
        desk.play_until("turn_started", 2);
        let call = desk.run_command("make 漢");
        for text in texts() {
            desk.print(call, &text);
            desk.print(call, "\n");
        }
    });
    for text in texts() {
        let mut desk = Desk::new(60, 16);
        desk.play_until("turn_started", 2);
        let call = desk.run_command("make");
        desk.print(call, &text.repeat(30));
        look(&mut desk, &mut Emulator::new()).unwrap();
    }
}

#[test]
fn what_a_call_did() {
    let action = serde_json::json!({"kind": "edit", "path": "src/till.sh", "old": all_hard(), "new": all_hard()});
    let end = serde_json::json!({"how": "done", "outcome": {"kind": "text", "text": all_hard(), "lines": 3, "cut": false, "note": ""}});
    check("unfolded call", "G g ctrl+d ctrl+d ctrl+d", |desk| {
        desk.play_until("checkpoint_saved", 1);
        if desk.app.layout.whole.width < 60 {
            return;
        }
        let asked = desk.unfold_a_call();
        let Request::Look(crate::Query::Detail { session, call }) = asked[0] else {
            panic!("{asked:?}");
        };
        let found = (
            Some(serde_json::from_value(action.clone()).unwrap()),
            serde_json::from_value(end.clone()).unwrap(),
        );
        desk.take(Input::Answered(Answer::Detail {
            session,
            call,
            found: Some(Box::new(found)),
        }));
    });
}

#[test]
fn what_is_written() {
    check(
        "composer",
        "left left up up home end ctrl+w ctrl+y",
        |desk| {
            desk.take(Input::Pasted(all_hard()));
        },
    );
}

#[test]
fn the_cursor_stands_before_what_it_is_before() {
    for (name, text) in hard() {
        let text: String = text.chars().filter(|char| !char.is_control()).collect();
        let text = format!("{text} and {text}");
        for columns in [60, 61, 64, 79, 120] {
            let mut desk = Desk::new(columns, 24);
            desk.take(Input::Pasted(text.clone()));
            desk.press("home");
            let clusters: Vec<&str> = text.graphemes(true).collect();
            for cluster in &clusters {
                let (buffer, cursor) = desk.buffer();
                let at = cursor.expect("it is shown");
                // What is made visible stands for the character it was.
                let meant = harness_report::clean(cluster);
                let meant = meant.graphemes(true).next().unwrap_or(" ");
                let shown = buffer[(at.x, at.y)].symbol();
                // A blank at the end of a row may stand out of sight, and a mark alone has no width.
                let is_seen = meant.trim() != "" && width(meant) > 0;
                assert!(
                    !is_seen || shown == meant,
                    "{name}: `{}` and not `{}` at {at} of {columns}:\n{}",
                    shown.escape_debug(),
                    meant.escape_debug(),
                    desk.picture()
                );
                desk.press("right");
            }
            // As many keys go back, and as many delete everything.
            for _ in &clusters {
                desk.press("left");
            }
            assert!(desk.app.composer.text() == text, "{name}");
            desk.press("end");
            for _ in &clusters {
                desk.press("backspace");
            }
            assert_eq!(desk.app.composer.text(), "", "{name}");
        }
    }
}

#[test]
fn what_is_offered() {
    check("files", "down down up", |desk| {
        desk.type_text("mend @");
        desk.take(Input::Answered(Answer::Files {
            names: texts(),
            is_cut: true,
        }));
    });
    check("earlier texts", "漢 down backspace", |desk| {
        for text in texts() {
            desk.take(Input::Pasted(text));
            desk.press("enter");
        }
        desk.press("ctrl+r");
    });
    check("commands", "", |desk| {
        desk.take(Input::Pasted("/re".to_owned()));
    });
}

#[test]
fn what_needs_a_word() {
    let asked = |command: &str| {
        let command = serde_json::to_string(command).unwrap();
        format!(
            r#"{{"type":"approval_asked","call":{{"turn":3,"index":0}},"subject":{{"kind":"action","action":{{"kind":"run","command":{command},"cwd":""}}}},"reason":{command}}}"#
        )
    };
    check("approval", "pgdn pgdn pgdn pgdn n 漢 \u{301}", |desk| {
        desk.play_until("checkpoint_saved", 1);
        desk.log_json(&asked(&all_hard()));
        desk.wait(500);
    });
    check("question", "pgdn pgdn", |desk| {
        desk.take(Input::Started);
        let texts = texts();
        let question = Question {
            id: 1,
            title: texts[3].clone(),
            body: texts.clone(),
            yes: texts[7].clone(),
            no: texts[20].clone(),
        };
        desk.take(Input::Asked { question, at: NOW });
        desk.wait(500);
    });
    check("the agent's question", "漢 tab", |desk| {
        desk.play_until("checkpoint_saved", 1);
        let json = serde_json::to_string(&all_hard()).unwrap();
        desk.log_json(&format!(
            r#"{{"type":"question_asked","call":{{"turn":3,"index":0}},"question":{json}}}"#
        ));
        desk.press("f4");
    });
}

#[test]
fn what_waits_and_what_is_told() {
    for text in texts() {
        let mut desk = Desk::new(61, 24);
        desk.play_until("checkpoint_saved", 1);
        let json = serde_json::to_string(&text.repeat(9)).unwrap();
        desk.log_json(&format!(r#"{{"type":"person_said","text":{json}}}"#));
        let failed = Failed {
            message: text.repeat(9),
            hint: Some(text.clone()),
        };
        desk.take(Input::Answered(Answer::Returned(failed)));
        look(&mut desk, &mut Emulator::new()).unwrap();
    }
}

#[test]
fn header_and_work_column() {
    for text in texts() {
        for columns in widths() {
            let mut desk = Desk::new(columns, 40);
            let id = "F-001".parse().unwrap();
            desk.take(Input::Answered(Answer::Overview(Ok(Box::new(Overview {
                repository: text.clone(),
                branch: text.repeat(3),
                features: vec![(id, text.repeat(3), FeatureStatus::InProgress)],
                gates: vec![text.clone(), text.repeat(9)],
                scope: vec![text.repeat(3); 6],
                notes: vec![text.clone()],
                ..Overview::default()
            })))));
            if let Err(fault) = look(&mut desk, &mut Emulator::new()) {
                panic!("{columns}: {fault}");
            }
        }
    }
}

#[test]
fn palette_and_help() {
    let keys = "ctrl+p 漢 字 \u{301} \u{202e} space backspace esc f1 a \u{5e9} esc";
    check("overlays", keys, |_| {});
    check("pasted into the palette", "backspace", |desk| {
        desk.press("ctrl+p");
        desk.take(Input::Pasted(texts()[16].repeat(9)));
    });
}

/// What is found is marked, and no sign is lost or moved by that.
#[test]
fn what_is_looked_for() {
    for needle in ["e", "a", "漢", "k", " ", "o\u{302}", "\u{301}", "<"] {
        let mut desk = Desk::new(80, 60);
        desk.take(Input::Started);
        // A mark at the beginning of a row has nothing to stand on, or what was put before it.
        let texts = texts();
        let texts: Vec<&str> = texts
            .iter()
            .map(|text| text.trim_start_matches('\u{300}'))
            .collect();
        desk.stream(&texts.join("\n\n").replace("\n\u{301}", "\n"));
        desk.log_json(r#"{"type":"turn_started","turn":1}"#);
        desk.press("tab g");
        let plain = signs(&mut desk);
        desk.press("/");
        for char in needle.chars() {
            let key = crate::Key::plain(crate::Code::Char(char));
            desk.take(Input::Key { key, at: NOW });
        }
        desk.press("enter g");
        assert_same(&signs(&mut desk), &plain, needle);
        look(&mut desk, &mut Emulator::new()).unwrap();
    }
}

/// The rows of a pane, without the last ones, which say what the keys do.
fn signs(desk: &mut Desk) -> Vec<String> {
    let (buffer, _) = desk.buffer();
    let rows = 2..buffer.area.height.saturating_sub(5);
    let row = |y| -> String {
        let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect()
    };
    rows.map(row).collect()
}

fn assert_same(shown: &[String], meant: &[String], needle: &str) {
    for (shown, meant) in shown.iter().zip(meant) {
        assert_eq!(shown, meant, "{needle:?}");
    }
}

fn hard_review() -> crate::ReviewFound {
    let (old, new) = (all_hard(), all_hard().replace(' ', "  ").replace('e', "E"));
    let mut found = review::found();
    let names = [
        "src/漢/e\u{301}\u{202e}.rs",
        "src/שלום.py",
        "\u{1b}]52;c;aGk=\u{7}.md",
    ];
    let files = names.map(|name| review::file(name, &old, &new));
    found.change = Arc::new(Change::new(files.into_iter().collect()));
    (found.title, found.words) = (texts()[9].clone(), texts()[3].clone());
    for text in texts() {
        let draft = Draft {
            kind: CommentKind::Question,
            place: Spot::File {
                path: review::path(names[0]),
            },
            text,
            by: Author::Agent,
        };
        found.book.comment(draft, NOW).unwrap();
    }
    found.checks[0].gate = texts()[7].clone();
    found.findings[0].0.message = all_hard();
    found.findings[0].0.path = review::path(names[0]);
    found
}

#[test]
fn a_change_and_what_was_said_about_it() {
    let keys = "n t w ctrl+d ctrl+d t G z n t G w p g m m c 漢 \u{301} esc";
    check("review", keys, |desk| {
        if desk.app.layout.whole.width < 60 {
            desk.press("f3");
            return;
        }
        review::open(desk, hard_review());
    });
}

/// What is found in a change is marked, and no sign is lost or moved by that.
#[test]
fn what_is_looked_for_in_a_change() {
    for needle in ["e", "a", "漢", "\u{301}", "o"] {
        let mut desk = Desk::new(120, 60);
        review::open(&mut desk, hard_review());
        desk.press("g w");
        let plain = signs(&mut desk);
        desk.press("/");
        desk.take(Input::Pasted(needle.to_owned()));
        desk.press("enter g");
        assert_same(&signs(&mut desk), &plain, needle);
    }
}

#[test]
fn features_gates_checkpoints_and_sessions() {
    check("features", "j enter G q n 漢 esc j / 漢 enter", |desk| {
        desk.press("f4");
        let mut found = pages::features();
        for (at, text) in texts().into_iter().enumerate() {
            let mut feature = found.features[at % 3].clone();
            feature.feature.id = format!("F-{:03}", at + 100).parse().unwrap();
            feature.feature.title = text.repeat(2);
            feature.feature.description = all_hard();
            feature.feature.acceptance = texts();
            feature.reason = text;
            found.features.insert(0, feature);
        }
        found.progress = all_hard();
        found.notes = texts();
        page(desk, Wanted::Features, Found::Features(found));
    });
    check("gates", "n enter ctrl+d ctrl+d / 漢 enter q N", |desk| {
        desk.press("f5");
        let mut found = pages::gates();
        for (at, text) in texts().into_iter().enumerate() {
            let mut gate = found.gates[2].clone();
            gate.name = format!("{at} {text}");
            gate.argv = texts();
            let (report, tree) = gate.last.take().expect("it ran");
            let mut report = serde_json::to_value(&*report).unwrap();
            report["output"]["head"] = all_hard().into();
            report["excerpt"] = all_hard().into();
            report["reason"] = text.into();
            report["failed_tests"] = texts().into();
            let report = serde_json::from_value(report).unwrap();
            gate.last = Some((Box::new(report), tree));
            found.gates.insert(0, gate);
        }
        page(desk, Wanted::Gates, Found::Gates(found));
    });
    check("checkpoints", "j d j enter", |desk| {
        desk.press("f6");
        let texts = texts();
        let all = texts.iter().enumerate();
        let all = all.map(|(at, text)| {
            let mut found = pages::checkpoint(u32::try_from(at).unwrap(), None, text);
            found.gates = text.clone();
            found
        });
        let checkpoints = crate::CheckpointsFound {
            session: Some(SessionId::new(7)),
            checkpoints: all.collect(),
        };
        page(
            desk,
            Wanted::Checkpoints(None),
            Found::Checkpoints(checkpoints),
        );
    });
    check("sessions", "j j tab / 漢 enter esc R 漢 esc", |desk| {
        desk.write("/sessions");
        desk.press("enter");
        let mut found = pages::sessions();
        let all = texts().into_iter().map(|text| crate::SessionFound {
            name: text.clone(),
            goal: text.repeat(4),
            features: text.clone(),
            branch: text.clone(),
            state: text.clone(),
            words: (all_hard(), all_hard()),
            tried: texts(),
            elsewhere: text,
            ..found.sessions[0].clone()
        });
        found.sessions = all.collect();
        page(desk, Wanted::Sessions(Reach::Here), Found::Sessions(found));
    });
    check("first run", "ctrl+p", |desk| {
        desk.write("first.show");
        desk.press("enter");
        let found = crate::FirstFound {
            repository: "tmp".to_owned(),
            local: texts(),
            gates: texts(),
            write: texts(),
            ..crate::FirstFound::default()
        };
        page(desk, Wanted::First, Found::First(found));
    });
}

#[test]
fn texts_over_a_page() {
    for is_file in [true, false] {
        check("reader", "ctrl+d ctrl+d / e enter n G q", |desk| {
            desk.press("f6");
            let checkpoint = pages::checkpoint(4, None, "");
            let checkpoints = crate::CheckpointsFound {
                session: Some(SessionId::new(7)),
                checkpoints: vec![checkpoint],
            };
            page(
                desk,
                Wanted::Checkpoints(None),
                Found::Checkpoints(checkpoints),
            );
            let asked = desk.press("enter");
            let Some(Request::Look(crate::Query::Page(wanted))) = asked.into_iter().next() else {
                return;
            };
            let found = match is_file {
                true => Found::File {
                    path: texts()[3].clone(),
                    line: 4,
                    text: all_hard(),
                },
                false => Found::Difference {
                    title: texts()[7].repeat(9),
                    text: all_hard().replace('\n', "\n+"),
                },
            };
            page(desk, wanted, found);
        });
    }
}

/// A line as long as a file: it is cut or wrapped, and what is cut is told.
#[test]
fn a_line_of_a_hundred_kilobytes() {
    let long = |text: &str| text.repeat(100 * 1024 / text.len().max(1) + 1);
    for text in ["x", "漢", "e\u{301}", "\u{1b}[2J", "👩\u{200d}", " ", "\t"] {
        let text = long(text);
        let mut desk = Desk::new(80, 24);
        desk.play_until("checkpoint_saved", 1);
        desk.stream(&text);
        let json = serde_json::to_string(&text).unwrap();
        desk.log_json(&format!(r#"{{"type":"person_said","text":{json}}}"#));
        desk.take(Input::Pasted(text.clone()));
        look(&mut desk, &mut Emulator::new()).unwrap();
        let mut found = review::found();
        let file = review::file("src/long.rs", "y\n", &format!("{text}\n"));
        found.change = Arc::new(Change::new(vec![file]));
        found.findings.clear();
        let mut desk = Desk::new(80, 24);
        review::open(&mut desk, found);
        let mut emulator = Emulator::new();
        for key in ["w", "j", "G", "g", "t"] {
            let asked = desk.press(key);
            review::serve(&mut desk, asked);
            look(&mut desk, &mut emulator).unwrap();
        }
    }
}

/// What is wrapped is whole, in its order, and no row is too wide; what is cut is a beginning or an end.
#[test]
fn wrapping_and_cutting_keep_clusters_whole() {
    for (name, text) in hard() {
        let text = harness_report::clean(&text).replace(['\t', '\n'], " ");
        let clusters = |text: &str| -> Vec<String> {
            let seen = text.graphemes(true).filter(|cluster| *cluster != " ");
            seen.map(str::to_owned).collect()
        };
        for columns in 8..=120 {
            let rows = wrap(&Row::of(Role::Plain, text.clone()), columns);
            let mut seen = Vec::new();
            for row in &rows {
                assert!(row.width() <= columns, "{name} {columns}: {row:?}");
                seen.extend(clusters(&row.to_text()));
            }
            assert_eq!(seen, clusters(&text), "{name} {columns}");
            let (begin, end) = (shortened(&text, columns), tail(&text, columns));
            assert!(width(&begin) <= columns && width(&end) <= columns, "{name}");
            let is_boundary = |at: usize| {
                let mut places = text.grapheme_indices(true).map(|(place, _)| place);
                at == text.len() || places.any(|place| place == at)
            };
            let kept = begin.strip_suffix('…').unwrap_or(&begin);
            assert!(
                text.starts_with(kept) && is_boundary(kept.len()),
                "{name} {columns}"
            );
            assert!(is_boundary(text.len() - end.len()), "{name} {columns}");
        }
    }
}

/// A part of a cluster that has a role of its own stays with what it belongs to.
#[test]
fn pieces_never_split_a_cluster() {
    for (name, text) in hard() {
        let whole = Row::of(Role::Plain, text.clone());
        let mut parts = Row::default();
        for (at, char) in text.chars().enumerate() {
            let role = [Role::Plain, Role::Strong][at % 2];
            parts.push(role, char.to_string());
        }
        assert_eq!(parts.width(), whole.width(), "{name}");
        assert_eq!(parts.to_text(), whole.to_text(), "{name}");
    }
}

/// Names every event whose text reaches the screen by way of the log.
#[test]
fn every_event_with_hard_texts_in_it() {
    let pin = include_str!("../../../harness-store/tests/format_v1.jsonl");
    let mut texts = texts().into_iter().cycle();
    let mut emulator = Emulator::new();
    let mut desk = Desk::new(100, 40);
    desk.take(Input::Started);
    let mut taken = 0;
    for line in pin.lines() {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        replace_words(&mut value, &mut texts);
        let event: Result<Event, _> = serde_json::from_value(value);
        if let Ok(event) = event {
            taken += 1;
            desk.log(event);
            if let Err(fault) = look(&mut desk, &mut emulator) {
                panic!("{line}: {fault}");
            }
        }
    }
    assert!(taken > 100, "{taken}");
}

/// Replaces what is prose; what has a form of its own would not be read any more.
fn replace_words(value: &mut serde_json::Value, texts: &mut impl Iterator<Item = String>) {
    const PROSE: [&str; 16] = [
        "text",
        "message",
        "reason",
        "title",
        "goal",
        "question",
        "answer",
        "excerpt",
        "output",
        "head",
        "tail",
        "note",
        "words",
        "description",
        "gate",
        "command",
    ];
    match value {
        serde_json::Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match value {
                    serde_json::Value::String(old) if PROSE.contains(&name.as_str()) => {
                        *old = texts.next().unwrap_or_default();
                    }
                    value => replace_words(value, texts),
                }
            }
        }
        serde_json::Value::Array(values) => {
            values
                .iter_mut()
                .for_each(|value| replace_words(value, texts));
        }
        _ => {}
    }
}
