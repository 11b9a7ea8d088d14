//! What a person sees, at the sizes that people have.

use ratatui::style::{Color, Modifier};

use super::desk::Desk;
use crate::{Input, Overview, input::Answer};

fn check(name: &str, desk: &mut Desk) {
    insta::assert_snapshot!(name, desk.picture());
}

/// At every size that is reviewed.
fn check_sizes(name: &str, play: impl Fn(&mut Desk)) {
    for (columns, rows) in [(80, 24), (120, 40), (60, 16)] {
        let mut desk = Desk::new(columns, rows);
        play(&mut desk);
        check(&format!("{name}_{columns}x{rows}"), &mut desk);
    }
}

#[test]
fn a_run_at_work() {
    check_sizes("running", |desk| {
        desk.play_until("finish_refused", 1);
        desk.log_json(r#"{"type":"turn_started","turn":4}"#);
        desk.stream("The gate is right: `12.5` lacks a digit. **I mend**");
        desk.wait(2_000);
    });
}

#[test]
fn commands_in_the_background() {
    let started = |index: u32, command: &str| {
        let command = serde_json::to_string(command).unwrap();
        format!(
            r#"{{"type":"job_started","call":{{"turn":3,"index":{index}}},"command":{command}}}"#
        )
    };
    let ended = r#"{"type":"job_ended","call":{"turn":3,"index":1},"end":{"how":"lost"},"ms":0}"#;
    check_sizes("jobs", |desk| {
        desk.play_until("checkpoint_saved", 1);
        desk.log_json(&started(0, "npm run dev -- --host 127.0.0.1 --port 8123"));
        desk.log_json(&started(1, "tsc --watch"));
        desk.log_json(&started(2, "tail -f\u{1b}[2J log\nmore"));
        desk.log_json(&started(3, "sleep 1000"));
        desk.log_json(ended);
    });
    let mut desk = Desk::new(120, 40);
    desk.play_until("checkpoint_saved", 1);
    desk.log_json(&started(0, "npm run dev"));
    assert!(desk.picture().contains("Jobs  1 running"));
    desk.log_json(&ended.replace("\"index\":1", "\"index\":0"));
    assert!(!desk.picture().contains("Jobs"));
}

#[test]
fn what_was_before_looks_as_when_it_happened() {
    let mut seen = Desk::new(120, 40);
    seen.play_until("nothing", usize::MAX);
    for at_a_time in [1, 7, 2_048] {
        let mut recalled = Desk::new(120, 40);
        recalled.recall(at_a_time);
        assert_eq!(recalled.picture(), seen.picture(), "{at_a_time}");
    }
}

#[test]
fn a_run_that_has_ended() {
    check_sizes("finished", Desk::play);
}

/// Begins the demo with a model that costs something and a provider that caches.
fn cached(desk: &mut Desk) {
    desk.play_until("finish_refused", 1);
    desk.log_json(
        r#"{"type":"model_changed","from":"recorded","reason":"x","model":{"name":"claude-sonnet",
            "id":"m","context":200000,"output":8000,"recorded":false,"price":{"input":3000000,
            "output":15000000,"cache_read":300000,"cache_write":3750000}}}"#,
    );
    desk.log_json(
        r#"{"type":"model_responded","turn":4,"response":{"parts":[],"stop":"tool_use","usage":
            {"input":2000,"cache_read":75000,"cache_write":4000,"output":800}},"cost":55500,"ms":900}"#,
    );
}

#[test]
fn the_share_of_the_cache_stands_where_there_is_room() {
    check_sizes("cached", cached);
    let mut desk = Desk::ascii(120, 40);
    cached(&mut desk);
    let picture = desk.picture();
    let header = picture.lines().next().unwrap();
    assert!(header.is_ascii() && header.contains("cache 8"), "{header}");
    for columns in 60..=160 {
        let mut desk = Desk::new(columns, 24);
        cached(&mut desk);
        let picture = desk.picture();
        let header = picture.lines().next().unwrap();
        // It comes last and goes first.
        let has = |text| header.contains(text);
        assert!(!has("cache ") || (has("% ctx") && has("$0.06")), "{header}");
        assert_eq!(has("cache 86%"), has("cache "), "{header}");
    }
}

#[test]
fn a_question_of_the_program() {
    check_sizes("trust", |desk| {
        desk.take(Input::Started);
        desk.ask(30);
        desk.wait(500);
    });
}

#[test]
fn a_question_of_the_agent() {
    check_sizes("question", |desk| {
        desk.play_until("checkpoint_saved", 1);
        desk.write("half a thought");
        let call = r#""call":{"turn":3,"index":0}"#;
        desk.log_json(&format!(
            r#"{{"type":"question_asked",{call},"question":"Which separator?\n1 comma\n2 semicolon"}}"#
        ));
        desk.write("comma");
    });
}

#[test]
fn words_that_wait() {
    check_sizes("waiting", |desk| {
        desk.play_until("checkpoint_saved", 1);
        for text in ["mind the header", "and the tests", "two\nlines", "one more"] {
            let text = serde_json::to_string(text).unwrap();
            desk.log_json(&format!(r#"{{"type":"person_said","text":{text}}}"#));
        }
        desk.write("a text of\nseveral lines that is being written");
    });
}

#[test]
fn the_help() {
    check_sizes("help", |desk| {
        desk.play();
        desk.press("f1");
    });
}

#[test]
fn the_palette() {
    check_sizes("palette", |desk| {
        desk.play();
        desk.press("ctrl+p l a n");
    });
}

#[test]
fn nothing_runs_until_asked() {
    check_sizes("idle", |desk| {
        desk.take(Input::Answered(Answer::Overview(Ok(Box::new(Overview {
            repository: "till".to_owned(),
            branch: "main".to_owned(),
            gates: vec!["lint".to_owned(), "test".to_owned()],
            scope: vec!["src/**".to_owned()],
            notes: vec!["not trusted yet: a run asks first".to_owned()],
            ..Overview::default()
        })))));
    });
}

#[test]
fn an_unfolded_call() {
    check_sizes("unfolded", |desk| {
        desk.play_until("checkpoint_saved", 1);
        let asked = desk.unfold_a_call();
        let crate::Request::Look(crate::Query::Detail { session, call }) = asked[0] else {
            panic!("{asked:?}");
        };
        let action = r#"{"kind":"edit","path":"src/till.sh","old":"a\n\tb","new":"c\u001b[2J"}"#;
        let end =
            r#"{"how":"done","outcome":{"kind":"written","created":false,"added":1,"removed":2}}"#;
        let found = (
            Some(serde_json::from_str(action).unwrap()),
            serde_json::from_str(end).unwrap(),
        );
        desk.take(Input::Answered(Answer::Detail {
            session,
            call,
            found: Some(Box::new(found)),
        }));
    });
}

#[test]
fn a_screen_that_is_too_small() {
    let mut desk = Desk::new(50, 12);
    desk.play();
    check("too_small_50x12", &mut desk);
    for (columns, rows) in [(0, 0), (1, 1), (59, 40), (120, 15)] {
        desk.take(Input::Resized { columns, rows });
        desk.picture();
    }
}

#[test]
fn plain_ascii_whatever_is_shown() {
    for (columns, rows) in [(80, 24), (120, 40)] {
        let mut desk = Desk::ascii(columns, rows);
        desk.play_until("finish_refused", 1);
        desk.stream("Grüße, 漢字 and “quotes” — 👩‍👩‍👧");
        let (buffer, _) = desk.buffer();
        let odd: Vec<&str> = buffer
            .content
            .iter()
            .map(|cell| cell.symbol())
            .filter(|symbol| !symbol.is_ascii())
            .collect();
        assert!(odd.is_empty(), "{odd:?}");
        check(&format!("ascii_{columns}x{rows}"), &mut desk);
    }
}

#[test]
fn without_colour_the_words_are_the_same_and_weight_stays() {
    let (mut with, mut without) = (Desk::new(120, 40), Desk::colourless(120, 40));
    with.play_until("finish_refused", 1);
    without.play_until("finish_refused", 1);
    assert_eq!(with.picture(), without.picture());
    let (buffer, _) = without.buffer();
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset));
    let has = |modifier| {
        buffer
            .content
            .iter()
            .any(|cell| cell.modifier.contains(modifier))
    };
    assert!(has(Modifier::BOLD) && has(Modifier::DIM));
}

#[test]
fn only_the_terminals_own_sixteen_colours_and_no_background() {
    let mut desk = Desk::new(120, 40);
    desk.play();
    let (buffer, _) = desk.buffer();
    for cell in &buffer.content {
        assert!(
            !matches!(cell.fg, Color::Rgb(..) | Color::Indexed(_)),
            "{cell:?}"
        );
        assert_eq!(cell.bg, Color::Reset);
    }
}

#[test]
fn nothing_foreign_acts_on_the_terminal_at_any_width() {
    let wild = "\u{1b}]52;c;aGk=\u{7} \u{9b}6n \u{202e}x 漢字 e\u{301} 👩‍👩‍👧 שלום \u{5} a\tb";
    let text = serde_json::to_string(wild).unwrap();
    for columns in 20..=120 {
        let mut desk = Desk::new(columns, 24);
        desk.play_until("checkpoint_saved", 1);
        desk.stream(wild);
        desk.log_json(&format!(r#"{{"type":"note_taken","text":{text}}}"#));
        desk.log_json(&format!(r#"{{"type":"person_said","text":{text}}}"#));
        desk.log_json(&format!(r#"{{"type":"gate_started","gate":{text}}}"#));
        desk.take(Input::Pasted(wild.to_owned()));
        desk.ask(2);
        desk.picture();
        let bytes = String::from_utf8(desk.bytes()).unwrap();
        let body = bytes.replace("\u{1b}[", "");
        let acting = |char: char| char.is_control() || matches!(char, '\u{202e}' | '\u{200d}');
        assert!(!body.contains(acting), "{columns}: {body:?}");
        assert!(
            !bytes.contains("]52;") || bytes.contains("‹U+001B›]52;"),
            "{columns}"
        );
    }
}
