//! Taking part in a run: words, answers, stops.

use harness_core::{Request as Steer, RewindWhat, SessionId, TurnNumber, Urgency};

use super::desk::Desk;
use crate::{Input, Known, Over, Request, Start};

fn at_work() -> Desk {
    let mut desk = Desk::new(80, 24);
    desk.play_until("checkpoint_saved", 1);
    desk
}

fn say(text: &str, urgency: Urgency) -> Request {
    Request::Steer(Steer::Say {
        text: text.to_owned(),
        urgency,
    })
}

fn ended(desk: &mut Desk, code: u8) -> Vec<Request> {
    let resumable = (code != 0).then(|| SessionId::new(1));
    desk.take(Input::Over(Over {
        code,
        failure: None,
        resumable,
    }))
}

#[test]
fn a_text_goes_with_the_next_turn_or_into_this_one() {
    let mut desk = at_work();
    desk.write("mind the tests");
    assert_eq!(
        desk.press("enter"),
        [say("mind the tests", Urgency::NextTurn)]
    );
    desk.write("/now stop that");
    assert_eq!(desk.press("enter"), [say("stop that", Urgency::Now)]);
    desk.write("and this");
    assert_eq!(desk.press("ctrl+enter"), [say("and this", Urgency::Now)]);
}

#[test]
fn waiting_words_are_listed_until_the_turn_and_can_be_taken_back() {
    let mut desk = at_work();
    desk.log_json(r#"{"type":"person_said","text":"one"}"#);
    desk.log_json(r#"{"type":"person_said","text":"two"}"#);
    assert!(desk.picture().contains("waits   2 two"));
    let text = "two".to_owned();
    assert_eq!(
        desk.press("ctrl+t"),
        [Request::Steer(Steer::TakeBack { text })]
    );
    assert!(desk.picture().contains("> two"));
    desk.log_json(r#"{"type":"person_took_back","text":"two"}"#);
    assert!(desk.picture().contains("waits   one"));
    desk.log_json(r#"{"type":"turn_started","turn":9}"#);
    assert!(!desk.picture().contains("waits"));
}

#[test]
fn words_that_nobody_read_come_back() {
    let mut desk = at_work();
    desk.log_json(r#"{"type":"person_said","text":"and the docs"}"#);
    desk.log_json(r#"{"type":"session_ended","reason":"passed"}"#);
    let picture = desk.picture();
    assert!(
        picture.contains("done before it read: and the docs"),
        "{picture}"
    );
    assert!(picture.contains("> and the docs"), "{picture}");
}

#[test]
fn esc_stops_after_the_step_and_once_more_now() {
    let mut desk = at_work();
    assert_eq!(desk.press("esc"), [Request::Steer(Steer::Stop)]);
    assert_eq!(desk.press("esc"), [Request::Steer(Steer::Interrupt)]);
}

#[test]
fn ctrl_c_stops_now_then_quits_when_it_is_over_then_leaves_at_once() {
    let mut desk = at_work();
    assert_eq!(desk.press("ctrl+c"), [Request::Steer(Steer::Interrupt)]);
    assert_eq!(desk.press("ctrl+c"), [Request::Steer(Steer::Interrupt)]);
    assert_eq!(desk.press("ctrl+c"), [Request::Abandon]);
    assert_eq!(ended(&mut desk, 3), [Request::Quit]);
    let mut desk = at_work();
    desk.press("ctrl+c");
    ended(&mut desk, 3);
    assert_eq!(desk.press("ctrl+c"), [Request::Quit]);
}

#[test]
fn after_a_stop_a_text_goes_on_with_the_same_session() {
    let mut desk = at_work();
    desk.press("esc");
    ended(&mut desk, 3);
    desk.write("go on");
    let resume = Start::Resume {
        session: SessionId::new(1),
        text: "go on".to_owned(),
        known: Known::Shown,
    };
    assert_eq!(desk.press("enter"), [Request::Start(resume)]);
}

#[test]
fn words_are_held_while_a_session_opens_and_while_it_ends() {
    let mut desk = Desk::new(80, 24);
    desk.take(Input::Started);
    desk.write("mind the tests");
    assert_eq!(desk.press("enter"), []);
    desk.play_until("session_opened", 1);
    assert!(desk.app.held.is_empty());
    let mut desk = at_work();
    desk.log_json(r#"{"type":"run_ended","reason":"interrupted","detail":""}"#);
    desk.write("go on");
    assert_eq!(desk.press("enter"), []);
    let resume = Start::Resume {
        session: SessionId::new(1),
        text: "go on".to_owned(),
        known: Known::Shown,
    };
    assert_eq!(ended(&mut desk, 3), [Request::Start(resume)]);
}

#[test]
fn a_session_is_seen_before_it_can_be_talked_to_and_words_wait_for_it() {
    let mut ended = Desk::new(80, 24);
    ended.recall(50);
    // One that was killed has no end in its log, and looks as if it could be talked to.
    let mut killed = at_work();
    killed.take(Input::Started);
    for mut desk in [ended, killed] {
        let picture = desk.picture();
        assert!(picture.contains("opening"), "{picture}");
        desk.write("mind the tests");
        assert_eq!(desk.press("enter"), []);
        let asked = desk.log_json(r#"{"type":"turn_started","turn":9}"#);
        assert_eq!(asked, [say("mind the tests", Urgency::NextTurn)]);
    }
}

#[test]
fn a_command_that_is_refused_ends_although_its_session_was_seen() {
    let mut desk = Desk::new(80, 24);
    desk.app.setup.origin = crate::Origin::Command;
    desk.recall(50);
    let refused = Over {
        code: 5,
        failure: Some(crate::Failed {
            message: "HEAD is elsewhere".to_owned(),
            hint: None,
        }),
        resumable: None,
    };
    assert_eq!(desk.take(Input::Over(refused)), [Request::Quit]);
}

#[test]
fn what_does_not_open_gives_the_words_back() {
    let mut desk = at_work();
    ended(&mut desk, 3);
    desk.write("go on");
    desk.press("enter");
    desk.take(Input::Started);
    desk.write("and mind the tests");
    assert_eq!(desk.press("enter"), []);
    desk.write("half a");
    let failure = Some(crate::Failed {
        message: "HEAD is elsewhere".to_owned(),
        hint: None,
    });
    let over = Over {
        code: 2,
        failure,
        resumable: Some(SessionId::new(1)),
    };
    let asked = desk.take(Input::Over(over));
    let begins = |request: &Request| matches!(request, Request::Start(_));
    assert!(!asked.iter().any(begins), "{asked:?}");
    let written = desk.app.composer.text();
    assert_eq!(written, "go on\nand mind the tests\nhalf a");
}

#[test]
fn an_answer_is_typed_while_the_half_written_text_waits() {
    let mut desk = at_work();
    desk.write("half a thought");
    let call = r#""call":{"turn":3,"index":0}"#;
    desk.log_json(&format!(
        r#"{{"type":"question_asked",{call},"question":"Port?"}}"#
    ));
    assert!(!desk.picture().contains("half a thought"));
    assert_eq!(desk.press("enter"), []);
    desk.write("/8080");
    let text = "/8080".to_owned();
    assert_eq!(
        desk.press("enter"),
        [Request::Steer(Steer::Answer { text })]
    );
    desk.log_json(&format!(
        r#"{{"type":"question_answered",{call},"answer":"/8080"}}"#
    ));
    assert!(desk.picture().contains("> half a thought"));
}

#[test]
fn a_question_is_answered_by_number_in_words_or_left_for_later() {
    let ask = r#"{"type":"question_asked","call":{"turn":2,"index":0},"question":"Which?\n1 comma\n2 tab","id":"Q-0001"}"#;
    let answer = |text: &str| {
        let text = text.to_owned();
        [Request::Steer(Steer::Answer { text })]
    };
    let later = [Request::Steer(Steer::PutOff)];
    for (columns, rows) in [(80, 24), (120, 40)] {
        let mut desk = Desk::new(columns, rows);
        desk.play_until("checkpoint_saved", 1);
        assert_eq!(desk.press("alt+l"), []);
        assert!(desk.picture().contains("no question is open"));
        desk.log_json(ask);
        let picture = desk.picture();
        assert!(
            picture.contains("the answer, Enter sends it, /later leaves it"),
            "{picture}"
        );
        assert!(picture.contains("2 tab"), "{picture}");
        assert_eq!(desk.press("alt+l"), later);
        desk.write("2");
        assert_eq!(desk.press("enter"), answer("2 (tab)"));
        desk.write("neither, a bar");
        assert_eq!(desk.press("enter"), answer("neither, a bar"));
        desk.write("/later");
        assert_eq!(desk.press("enter"), later);
        desk.write("/etc is the place");
        assert_eq!(desk.press("enter"), answer("/etc is the place"));
        desk.log_json(r#"{"type":"question_put_off","call":{"turn":2,"index":0}}"#);
        desk.log_json(
            r#"{"type":"call_ended","call":{"turn":2,"index":0},"end":{"how":"cancelled"},"ms":0}"#,
        );
        let picture = desk.picture();
        assert!(picture.contains("later: the feature waits"), "{picture}");
        assert!(!picture.contains("answer>"), "{picture}");
    }
}

#[test]
fn a_turn_is_gone_back_to_by_its_key_or_by_its_number() {
    let rewind = |turn, what| {
        [Request::Steer(Steer::Rewind {
            turn: TurnNumber(turn),
            what,
        })]
    };
    for (columns, rows) in [(80, 24), (120, 40)] {
        let mut desk = Desk::new(columns, rows);
        desk.play_until("checkpoint_saved", 1);
        desk.press("tab");
        desk.press("[");
        assert_eq!(desk.press("r"), []);
        let picture = desk.picture();
        assert!(picture.contains("> /rewind 3 both"), "{picture}");
        assert!(picture.contains("Enter goes back to before"), "{picture}");
        assert_eq!(desk.press("enter"), rewind(3, RewindWhat::Both));
        desk.write("/rewind 2 files");
        assert_eq!(desk.press("enter"), rewind(2, RewindWhat::Files));
        for wrong in [
            "/rewind",
            "/rewind two",
            "/rewind 0",
            "/rewind 1 all",
            "/rewind 1 talk now",
        ] {
            desk.press("ctrl+u");
            desk.write(wrong);
            assert_eq!(desk.press("enter"), [], "{wrong}");
            assert!(desk.picture().contains("as in `/rewind 3"), "{wrong}");
        }
        desk.press("ctrl+u");
        // A text that is half written is kept.
        desk.write("half a thought");
        desk.press("tab");
        desk.press("r");
        assert!(desk.picture().contains("> half a thought"));
        desk.press("tab");
        desk.press("ctrl+u");
        desk.log_json(
            r#"{"type":"rewound","turn":1,"what":"both","checkpoint":0,"paths":["src/a.rs"]}"#,
        );
        let picture = desk.picture();
        assert!(picture.contains("waits for you"), "{picture}");
        ended(&mut desk, 3);
        desk.write("/rewind 1 talk");
        let start = Start::Rewind {
            session: SessionId::new(1),
            turn: TurnNumber(1),
            what: RewindWhat::Talk,
        };
        assert_eq!(desk.press("enter"), [Request::Start(start)]);
    }
}

#[test]
fn when_the_agent_stops_the_gates_can_be_asked() {
    let mut desk = at_work();
    assert_eq!(desk.press("alt+g"), []);
    desk.log_json(r#"{"type":"person_awaited"}"#);
    assert!(desk.picture().contains("alt+g gates"));
    assert_eq!(desk.press("alt+g"), [Request::Steer(Steer::TakeClaim)]);
}

#[test]
fn a_signal_ends_the_run_in_order_first() {
    let mut desk = at_work();
    let name = "SIGTERM";
    let asked = desk.take(Input::Signalled { name });
    assert_eq!(asked, [Request::Steer(Steer::Interrupt)]);
    assert!(desk.picture().contains("SIGTERM"));
    assert_eq!(ended(&mut desk, 3), [Request::Quit]);
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.take(Input::Signalled { name }), [Request::Quit]);
}

#[test]
fn an_answer_that_was_cut_is_marked_and_does_not_count() {
    let mut desk = at_work();
    desk.log_json(r#"{"type":"turn_started","turn":3}"#);
    desk.stream("I was about to");
    desk.log_json(r#"{"type":"model_failed","turn":3,"failure":{"class":"broken","message":"the stream ended","status":null,"retry_after_ms":null}}"#);
    let picture = desk.picture();
    assert!(picture.contains("I was about to"), "{picture}");
    assert!(picture.contains("cut here; it does not count"), "{picture}");
}

#[test]
fn the_demo_hears_nobody_and_says_so() {
    let setup = crate::Setup {
        origin: crate::Origin::Demo,
        ..crate::Setup::default()
    };
    let mut desk = Desk::with(setup, 80, 24);
    desk.play_until("checkpoint_saved", 1);
    desk.write("hello");
    assert_eq!(desk.press("enter"), []);
    assert!(desk.picture().contains("it cannot hear you"));
}

#[test]
fn what_a_wait_is_for_is_cut_before_the_time_that_is_left() {
    for columns in [60, 80, 120] {
        let mut desk = Desk::new(columns, 24);
        desk.play_until("checkpoint_saved", 1);
        desk.log_json(
            r#"{"type":"request_paced","turn":2,"delay_ms":98000,"limit":"input_tokens","until":"2026-11-20T10:32:05.000Z"}"#,
        );
        let picture = desk.picture();
        let line = picture
            .lines()
            .find(|line| line.contains("waits: the provider"));
        assert!(
            line.is_some_and(|line| line.contains("  98 s")),
            "{picture}"
        );
    }
}

#[test]
fn what_was_said_of_the_way_to_the_end_is_gone_with_it() {
    let mut desk = at_work();
    desk.press("esc");
    assert!(desk.picture().contains("stopping after the step in hand"));
    ended(&mut desk, 3);
    assert!(!desk.picture().contains("stopping after the step in hand"));
}

#[test]
fn a_budget_that_is_too_wide_for_the_column_takes_two_lines() {
    let mut desk = Desk::new(120, 40);
    desk.play_until("checkpoint_saved", 1);
    desk.log_json(
        r#"{"type":"session_resumed","attended":true,"model":{"name":"m","id":"m","context":200000,
            "output":8000,"recorded":false},"limits":{"usd":5000000,"turns":200,"time":{"secs":3600,"nanos":0},
            "attempts":2,"output":65536,"command":{"secs":60,"nanos":0},"silence":{"secs":30,"nanos":0},
            "patience":{"secs":20,"nanos":0},"idle":{"secs":10,"nanos":0},"memory":2147483648,"processes":64}}"#,
    );
    let picture = desk.picture();
    assert!(picture.contains("Budget  $0.00 of $5.00"), "{picture}");
    assert!(picture.contains(" of 200 turns"), "{picture}");
}

#[test]
fn an_agent_that_had_stopped_still_waits_after_a_resume() {
    const RESUMED: &str = r#"{"type":"session_resumed","attended":true,"steered":true,"model":{"name":"m","id":"m",
        "context":200000,"output":8000,"recorded":false},"limits":{"turns":200,"time":{"secs":3600,"nanos":0},
        "attempts":2,"output":65536,"command":{"secs":60,"nanos":0},"silence":{"secs":30,"nanos":0},
        "patience":{"secs":20,"nanos":0},"idle":{"secs":10,"nanos":0},"memory":2147483648,"processes":64}}"#;
    let mut desk = at_work();
    desk.log_json(r#"{"type":"person_awaited"}"#);
    desk.log_json(r#"{"type":"interrupted"}"#);
    desk.log_json(RESUMED);
    assert!(
        desk.picture().contains("waits for you"),
        "{}",
        desk.picture()
    );
    desk.log_json(r#"{"type":"person_said","text":"go on"}"#);
    desk.log_json(RESUMED);
    assert!(
        !desk.picture().contains("waits for you"),
        "{}",
        desk.picture()
    );
}

#[test]
fn what_the_composer_is_for_is_marked_where_it_is_cut() {
    let mut desk = Desk::new(60, 16);
    desk.play_until("checkpoint_saved", 1);
    ended(&mut desk, 3);
    let picture = desk.picture();
    assert!(picture.contains("/run TEXT starts a…"), "{picture}");
}
