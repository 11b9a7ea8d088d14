//! What the keys of the pages ask for, and what stands in their way.

use harness_core::{Event, FeatureId, SessionId, Timestamp};

use super::{
    OTHER, answer, begin_first, checkpoint, features, first, gates, look, over, report, sessions,
    show_checkpoints, show_features, show_gates, show_sessions,
};
use crate::{
    Answer, COMMANDS, CheckpointsFound, Command, Errand, Failed, Found, GatesFound, Input, KeyMap,
    Mine, Origin, Place, Progress, Rank, Reach, Request, Setup, Start, Wanted,
    tests::desk::{Desk, NOW},
};

#[test]
fn pages_are_reached_by_the_palette_alone_and_left_by_q_and_esc() {
    let pages = [
        ("features.show", " Features"),
        ("gates.show", " Gates"),
        ("checkpoints.show", " Checkpoints"),
        ("sessions.show", " Sessions"),
        ("review.show", " Review"),
    ];
    let mut desk = Desk::new(80, 24);
    for (name, title) in pages {
        for back in ["q", "esc"] {
            desk.press("ctrl+p");
            desk.write(name);
            desk.press("enter");
            let picture = desk.picture();
            let header = picture.lines().next().unwrap();
            assert!(header.replace('▌', " ").starts_with(title), "{header}");
            desk.press(back);
            assert!(desk.picture().starts_with(" harness"));
            assert_eq!(desk.app.place(), Place::Composer);
        }
    }
}

#[test]
fn what_was_being_written_stays_while_pages_are_looked_at() {
    let mut desk = Desk::new(80, 24);
    desk.write("half a thought");
    desk.press("f4 j f5 f6 f2");
    assert!(desk.picture().contains("half a thought"));
    // Ctrl+C on a page does not throw it away.
    desk.press("f4 ctrl+c f2");
    assert!(desk.picture().contains("half a thought"));
}

#[test]
fn features_are_added_changed_moved_blocked_and_finished() {
    let mut desk = Desk::new(100, 30);
    show_features(&mut desk);
    let id = |text: &str| FeatureId::new(text).unwrap();
    desk.press("n");
    desk.write("Export as JSON");
    let said = "Export as JSON".to_owned();
    assert_eq!(desk.press("enter"), [Request::Do(Errand::Add { said })]);
    // One thing at a time.
    assert!(desk.press("n").is_empty());
    assert!(desk.picture().contains("something is being done already"));
    let asked = over(&mut desk, Ok("feature: F-019 pending, Export as JSON\n"));
    assert_eq!(asked, [look(Wanted::Features)]);
    assert!(desk.picture().contains("feature: F-019 pending"));

    desk.press("j e");
    assert!(
        desk.picture()
            .contains("amend F-012: --title \"Export as CSV\"")
    );
    let said = "--title \"Export as CSV\"".to_owned();
    let amend = Errand::Amend {
        feature: id("F-012"),
        said,
    };
    assert_eq!(desk.press("enter"), [Request::Do(amend)]);
    over(&mut desk, Ok(""));

    let later = Errand::Move {
        feature: id("F-012"),
        to: Rank::Later,
    };
    assert_eq!(desk.press("J"), [Request::Do(later)]);
    over(&mut desk, Ok(""));
    desk.press("b");
    desk.write("the bank");
    let reason = "the bank".to_owned();
    let block = Errand::Block {
        feature: id("F-012"),
        reason,
    };
    assert_eq!(desk.press("enter"), [Request::Do(block)]);
    over(
        &mut desk,
        Err(Failed {
            message: "no".to_owned(),
            hint: Some("try".to_owned()),
        }),
    );
    assert!(desk.picture().contains("error: no"));
    assert!(desk.picture().contains("hint: try"));

    desk.press("j b");
    assert!(desk.picture().contains("reopen F-014, why"));
    desk.press("esc");
    assert!(desk.press("r").is_empty());
    assert!(desk.picture().contains("it waits for you"));
    desk.press("j");
    assert_eq!(
        desk.press("D"),
        [Request::Start(Start::Finish(id("F-013")))]
    );
    desk.press("f4");
    assert_eq!(
        desk.press("r"),
        [Request::Start(Start::Goal("F-013".to_owned()))]
    );
}

#[test]
fn what_a_run_forbids_says_so() {
    let mut desk = Desk::new(100, 30);
    desk.play_until("checkpoint_saved", 1);
    for (page, keys) in [("f4", "r D"), ("f5", "r R"), ("f6", "u")] {
        desk.press(page);
        for key in keys.split(' ') {
            assert!(desk.press(key).is_empty(), "{page} {key}");
            let picture = desk.picture();
            assert!(
                picture.contains("a run is going on: stop it first"),
                "{picture}"
            );
        }
    }
}

#[test]
fn a_session_is_named_put_away_and_gone_on_from_in_a_new_one() {
    let mut desk = Desk::new(100, 30);
    show_sessions(&mut desk);
    desk.press("R");
    desk.write("csv");
    let rename = Errand::Rename {
        session: SessionId::new(7),
        repository: None,
        name: "csv".to_owned(),
    };
    assert_eq!(desk.press("enter"), [Request::Do(rename)]);
    over(&mut desk, Ok("note: S-0007 is called `csv`"));
    answer(
        &mut desk,
        Wanted::Sessions(Reach::Here),
        Found::Sessions(sessions()),
    );
    let archive = Errand::Archive {
        session: SessionId::new(7),
        repository: None,
    };
    assert_eq!(desk.press("x"), [Request::Do(archive)]);
    over(&mut desk, Ok(""));
    answer(
        &mut desk,
        Wanted::Sessions(Reach::Here),
        Found::Sessions(sessions()),
    );
    // The last checkpoint stands there already.
    desk.press("f");
    assert!(desk.picture().contains("at checkpoint: 3"));
    let number = harness_core::CheckpointNumber(3);
    assert_eq!(
        desk.press("enter"),
        [Request::Start(Start::Fork(SessionId::new(7), number))]
    );
}

#[test]
fn sessions_of_other_repositories_are_shown_and_named_and_not_gone_on_with_from_here() {
    let mut desk = Desk::new(100, 30);
    show_sessions(&mut desk);
    let everywhere = Wanted::Sessions(Reach::Everywhere);
    assert_eq!(desk.press("tab"), [look(everywhere.clone())]);
    let mut found = sessions();
    found.reach = Reach::Everywhere;
    for session in &mut found.sessions {
        session.repository = Some("/srv/other".into());
        session.elsewhere = "/srv/other".to_owned();
    }
    answer(&mut desk, everywhere, Found::Sessions(found));
    assert!(desk.picture().contains("all repos") && desk.picture().contains("/srv/other"));
    for key in ["enter", "f"] {
        assert!(desk.press(key).is_empty());
        assert!(desk.picture().contains("of another repository"), "{key}");
    }
    let asked = desk.press("x");
    assert!(
        matches!(&asked[..], [Request::Do(Errand::Archive { repository: Some(root), .. })] if root.ends_with("other")),
        "{asked:?}"
    );
}

#[test]
fn a_first_run_offers_what_can_be_done_and_says_why_the_rest_cannot() {
    let mut desk = Desk::new(100, 30);
    begin_first(&mut desk);
    assert!(desk.press("3").is_empty());
    assert!(desk.picture().contains("no key is set"));
    assert!(desk.press("e").is_empty());
    assert!(desk.picture().contains("w writes harness.toml first"));
    assert_eq!(desk.press("w"), [Request::Do(Errand::Init)]);
    over(
        &mut desk,
        Ok("note: written harness.toml, nothing committed"),
    );
    let found = crate::FirstFound {
        has_config: true,
        lines: (3, 7),
        ..first()
    };
    answer(&mut desk, Wanted::First, Found::First(found));
    assert!(desk.press("w").is_empty());
    let path = harness_core::RepoPath::parse("harness.toml").unwrap();
    assert_eq!(
        desk.press("g"),
        [Request::Lend(crate::Loan::Open { path, line: 7 })]
    );
    // Two models: one is chosen.
    desk.press("2");
    assert!(desk.picture().contains("ollama/two"));
    let asked = desk.press("down enter");
    assert_eq!(asked, [Request::UseModel("ollama/two".to_owned())]);
    assert_eq!(desk.app.place(), Place::Composer);
    assert!(desk.picture().contains("ollama/two does the work"));
    // It comes up by itself once.
    desk.press("ctrl+p");
    desk.write("first.show");
    desk.press("enter");
    assert!(desk.picture().contains("Who does the work?"));
    assert_eq!(desk.press("q"), [Request::Quit]);
}

#[test]
fn the_demo_begins_from_the_first_run() {
    let mut desk = Desk::new(100, 30);
    begin_first(&mut desk);
    assert_eq!(desk.press("enter"), [Request::Start(Start::Demo)]);
    assert_eq!(desk.app.place(), Place::Composer);
}

#[test]
fn the_review_is_a_gate_that_opens_the_review() {
    let mut desk = Desk::new(100, 30);
    show_gates(&mut desk);
    desk.press("G");
    assert!(desk.picture().contains("✗ review"), "{}", desk.picture());
    assert!(desk.picture().contains("1 must-fix open"));
    assert!(desk.press("r").is_empty());
    assert!(desk.picture().contains("it is your review"));
    desk.press("enter");
    assert!(desk.picture().contains(" Review"));
}

#[test]
fn gates_run_and_turn_stale_when_files_change() {
    let mut desk = Desk::new(100, 30);
    show_gates(&mut desk);
    desk.press("j j");
    let names = vec!["test".to_owned()];
    assert_eq!(desk.press("r"), [Request::Do(Errand::RunGates { names })]);
    let tree = OTHER.parse().unwrap();
    let checked = |event: Event| {
        let (event, tree) = (Box::new(event), OTHER.parse().unwrap());
        Input::Answered(Answer::Errand(Progress::Checked { event, tree }))
    };
    desk.take(checked(Event::GateStarted {
        gate: "test".to_owned(),
    }));
    assert!(desk.picture().contains("running"));
    assert!(desk.picture().contains("gates run"));
    let green = report("test", "green", "fine\n");
    desk.take(checked(Event::CheckEnded {
        report: Box::new(green),
    }));
    assert_eq!(over(&mut desk, Ok("")), [look(Wanted::Gates)]);
    // The log knows nothing of it, and the files are as they were: it counts.
    let found = GatesFound {
        tree: Some(tree),
        ..gates()
    };
    answer(&mut desk, Wanted::Gates, Found::Gates(found));
    let picture = desk.picture();
    let row = picture
        .lines()
        .find(|line| line.contains("cargo test"))
        .unwrap();
    assert!(row.contains("✓ test") && row.contains("212 tests"), "{row}");
    answer(&mut desk, Wanted::Gates, Found::Gates(gates()));
    let picture = desk.picture();
    let row = picture
        .lines()
        .find(|line| line.contains("cargo test"))
        .unwrap();
    assert!(row.contains("stale"), "{row}");
    let names = Vec::new();
    assert_eq!(desk.press("R"), [Request::Do(Errand::RunGates { names })]);
}

#[test]
fn a_failure_is_found_opened_and_told() {
    let mut desk = Desk::new(100, 30);
    show_gates(&mut desk);
    desk.press("n");
    let file = Wanted::File {
        path: "tests/csv.rs".to_owned(),
        line: 33,
    };
    assert_eq!(desk.press("o"), [look(file.clone())]);
    let text = (1..=60).map(|line| format!("line {line}\n")).collect();
    let found = Found::File {
        path: "tests/csv.rs".to_owned(),
        line: 33,
        text,
    };
    answer(&mut desk, file, found);
    assert!(
        desk.picture().contains(">   33 line 33"),
        "{}",
        desk.picture()
    );
    desk.press("q f");
    assert!(desk.picture().contains("no agent is there"));
    let mut desk = Desk::new(100, 30);
    desk.take(Input::Over(crate::Over {
        code: 3,
        failure: None,
        resumable: Some(SessionId::new(7)),
    }));
    show_gates(&mut desk);
    desk.press("n f");
    let picture = desk.picture();
    assert!(picture.contains("The gate `test` is red"), "{picture}");
    let asked = desk.press("enter");
    assert!(
        matches!(&asked[..], [Request::Start(Start::Resume { text, .. })] if text.contains("csv::quotes"))
    );
}

#[test]
fn the_output_keeps_its_own_colours_and_acts_on_nothing() {
    let mut desk = Desk::new(100, 30);
    show_gates(&mut desk);
    desk.press("n enter");
    let (buffer, _) = desk.buffer();
    let red = ratatui::style::Color::Red;
    let shown: String = buffer
        .content
        .iter()
        .filter(|cell| cell.fg == red)
        .map(|cell| cell.symbol())
        .collect();
    assert!(shown.contains("test csv::quotes FAILED"), "{shown}");
    let bytes = String::from_utf8(desk.bytes()).unwrap();
    assert!(
        !bytes.contains("]52;") && !bytes.contains("\u{1b}[2J"),
        "{bytes:?}"
    );
}

#[test]
fn a_checkpoint_opens_in_the_review_which_goes_back_to_the_list() {
    let mut desk = Desk::new(100, 30);
    show_checkpoints(&mut desk);
    let asked = desk.press("enter");
    let base = harness_review::Base::Checkpoint {
        number: harness_core::CheckpointNumber(4),
    };
    let session = Some(SessionId::new(7));
    let wanted = Wanted::Review(crate::ReviewAsked::Base { base, session });
    assert_eq!(asked, [look(wanted)]);
    assert!(desk.picture().contains(" Review"));
    desk.press("q");
    assert!(desk.picture().contains("Checkpoints"));
    // Nothing led to the state before the session.
    assert!(desk.press("G enter").is_empty());
    assert!(desk.picture().contains("nothing led to it"));
}

#[test]
fn checkpoints_are_compared_and_gone_back_to() {
    let mut desk = Desk::new(100, 30);
    show_checkpoints(&mut desk);
    let number = harness_core::CheckpointNumber;
    let session = SessionId::new(7);
    desk.press("d");
    assert!(desk.picture().contains("now choose the other one"));
    desk.press("j");
    let wanted = Wanted::Difference {
        session,
        from: Some(number(3)),
        to: number(4),
    };
    assert_eq!(desk.press("d"), [look(wanted)]);
    // What is damaged cannot be compared.
    desk.press("j");
    assert!(desk.press("d").is_empty() && desk.press("u").is_empty());
    assert!(desk.picture().contains("not there any more"));
    desk.press("j u");
    let undo = |mine| {
        Request::Do(Errand::Undo {
            session,
            number: number(1),
            mine,
        })
    };
    assert_eq!(desk.press("enter"), [undo(Mine::Refuse)]);
    let failed = Failed {
        message: "cannot undo\nboth sides".to_owned(),
        hint: None,
    };
    over(&mut desk, Err(failed));
    assert!(desk.picture().contains("Undo refused"));
    desk.press("q u");
    assert!(desk.picture().contains("files keep-mine"));
    assert_eq!(desk.press("enter"), [undo(Mine::Keep)]);
    over(&mut desk, Ok("checkpoint: back at 1\n"));
    desk.press("u ctrl+u");
    desk.write("both");
    let asked = desk.press("enter");
    let expected = Start::Rewind {
        session,
        turn: harness_core::TurnNumber(3),
        what: harness_core::RewindWhat::Both,
    };
    assert_eq!(asked, [Request::Start(expected)]);
}

#[test]
fn a_session_is_found_by_its_words_and_gone_on_with() {
    let mut desk = Desk::new(100, 30);
    show_sessions(&mut desk);
    desk.press("/");
    desk.write("importer");
    desk.press("enter");
    assert!(desk.picture().contains("1 shown"));
    let asked = desk.press("enter");
    assert!(
        matches!(&asked[..], [Request::Start(Start::Resume { session, .. })] if *session == SessionId::new(6)),
        "{asked:?}"
    );
    assert_eq!(desk.app.place(), Place::Composer);
    let mut desk = Desk::new(100, 30);
    show_sessions(&mut desk);
    desk.press("/");
    desk.write("doubled quotes");
    assert!(desk.picture().contains("3 shown"));
    // The first esc leaves the line and shows all, the next one leaves the page.
    desk.press("esc");
    assert!(!desk.picture().contains("shown"));
    desk.press("esc");
    assert_eq!(desk.app.place(), Place::Composer);
}

#[test]
fn the_checkpoints_of_a_chosen_session_are_one_key_away() {
    let mut desk = Desk::new(100, 30);
    show_sessions(&mut desk);
    let wanted = Wanted::Checkpoints(Some(SessionId::new(6)));
    assert_eq!(desk.press("j f6"), [look(wanted)]);
    desk.press("q");
    assert_eq!(desk.press("f6"), [look(Wanted::Checkpoints(None))]);
}

#[test]
fn what_was_asked_for_is_not_asked_for_twice() {
    let mut desk = Desk::new(100, 30);
    assert_eq!(desk.press("f4 f4 f4"), [look(Wanted::Features)]);
    // What comes may be older than the last key: it is asked for once more, and then no more.
    let found = || Ok(Box::new(Found::Features(features())));
    let come = |desk: &mut Desk| {
        let found = Answer::Page(Wanted::Features, found());
        desk.take(Input::Answered(found))
    };
    assert_eq!(come(&mut desk), [look(Wanted::Features)]);
    assert!(come(&mut desk).is_empty());
    assert_eq!(desk.press("f4"), [look(Wanted::Features)]);
}

#[test]
fn a_page_that_cannot_be_told_says_why() {
    let mut desk = Desk::new(80, 24);
    desk.press("f4");
    assert!(desk.picture().contains("looking"));
    let failed = Failed {
        message: "cannot read `feature_list.json`".to_owned(),
        hint: Some("mend it".to_owned()),
    };
    desk.take(Input::Answered(Answer::Page(Wanted::Features, Err(failed))));
    let picture = desk.picture();
    assert!(
        picture.contains("error: cannot read") && picture.contains("hint: mend it"),
        "{picture}"
    );
}

#[test]
fn the_place_is_kept_while_a_run_changes_the_rows() {
    let mut desk = Desk::new(100, 30);
    show_features(&mut desk);
    desk.press("j j j");
    let mut found = features();
    found.features.rotate_left(2);
    answer(&mut desk, Wanted::Features, Found::Features(found));
    let picture = desk.picture();
    assert!(picture.contains(" > ○ F-013"), "{picture}");
}

#[test]
fn a_demo_can_be_looked_at_and_nothing_more() {
    let setup = Setup {
        origin: Origin::Demo,
        ..Setup::default()
    };
    let mut desk = Desk::with(setup, 100, 30);
    desk.play();
    show_features(&mut desk);
    for key in ["r", "n", "e", "b", "D", "J", "K"] {
        assert!(desk.press(key).is_empty());
        assert!(desk.picture().contains("nobody hears"), "{key}");
    }
}

#[test]
fn quitting_waits_for_what_is_being_done() {
    let mut desk = Desk::new(100, 30);
    show_gates(&mut desk);
    desk.press("R f2");
    assert!(desk.press("ctrl+d").is_empty());
    assert!(desk.picture().contains("quitting after what is being done"));
    assert!(over(&mut desk, Ok("")).contains(&Request::Quit));
    let mut desk = Desk::new(100, 30);
    show_gates(&mut desk);
    desk.press("R");
    // The first one stops what runs.
    assert_eq!(desk.press("ctrl+c"), [Request::StopErrand]);
    assert!(desk.press("ctrl+c").is_empty());
    assert_eq!(desk.press("ctrl+c"), [Request::Abandon]);
}

#[test]
fn esc_stops_gates_that_run_and_leaves_the_page_else() {
    let mut desk = Desk::new(100, 30);
    show_gates(&mut desk);
    desk.press("R");
    assert!(desk.picture().contains("esc stop"), "{}", desk.picture());
    assert_eq!(desk.press("esc"), [Request::StopErrand]);
    over(&mut desk, Ok(""));
    desk.press("esc");
    assert_eq!(desk.app.place(), Place::Composer);
}

#[test]
fn an_unchanged_page_draws_nothing() {
    let mut desk = Desk::new(120, 40);
    show_features(&mut desk);
    assert!(!desk.bytes().is_empty());
    assert!(desk.bytes().is_empty());
    desk.wait(1_000);
    assert!(desk.bytes().is_empty());
}

#[test]
fn nothing_foreign_acts_on_the_terminal_from_any_page() {
    let wild = "\u{1b}]52;c;aGk=\u{7} \u{9b}6n \u{202e}x 漢字 e\u{301} 👩‍👩‍👧 שלום \u{5} a\tb";
    for columns in (60..=120).step_by(7) {
        let mut desk = Desk::new(columns, 24);
        let mut found = features();
        for found in &mut found.features {
            found.feature.title = wild.to_owned();
            found.feature.description = wild.to_owned();
            found.feature.scope.write = vec![wild.to_owned()];
            found.reason = wild.to_owned();
        }
        found.progress = format!("## x F-012 {wild}\n\n- Tried: {wild}\n");
        desk.press("f4");
        answer(&mut desk, Wanted::Features, Found::Features(found));
        let mut bytes = desk.bytes();
        desk.press("j enter");
        bytes.extend(desk.bytes());
        desk.press("q f5");
        let mut found = gates();
        for gate in &mut found.gates {
            gate.argv = vec![wild.to_owned()];
            let mut red = report("test", "red", wild);
            (red.reason, red.excerpt) = (wild.to_owned(), wild.to_owned());
            red.failed_tests = vec![wild.to_owned()];
            gate.last = Some((Box::new(red), found.tree.clone()));
        }
        answer(&mut desk, Wanted::Gates, Found::Gates(found));
        bytes.extend(desk.bytes());
        desk.press("enter");
        bytes.extend(desk.bytes());
        desk.press("q f6");
        let found = CheckpointsFound {
            session: Some(SessionId::new(7)),
            checkpoints: vec![checkpoint(1, None, wild)],
        };
        answer(
            &mut desk,
            Wanted::Checkpoints(None),
            Found::Checkpoints(found),
        );
        bytes.extend(desk.bytes());
        desk.press("f2");
        desk.write("/sessions");
        desk.press("enter");
        let mut found = sessions();
        for found in &mut found.sessions {
            found.name = wild.to_owned();
            found.words = (wild.to_owned(), wild.to_owned());
            found.branch = wild.to_owned();
            found.tried = vec![wild.to_owned()];
        }
        answer(
            &mut desk,
            Wanted::Sessions(Reach::Here),
            Found::Sessions(found),
        );
        bytes.extend(desk.bytes());
        let bytes = String::from_utf8(bytes).unwrap();
        let body = bytes.replace("\u{1b}[", "");
        let acting = |char: char| char.is_control() || matches!(char, '\u{202e}' | '\u{200d}');
        assert!(!body.contains(acting), "{columns}: {body:?}");
    }
}

#[test]
fn a_page_gives_a_key_of_all_pages_another_meaning_only_where_that_is_meant() {
    // What has a meaning of its own on a page; its other key still means the same everywhere.
    let meant = [
        (Place::Features, "n"),
        (Place::Gates, "n"),
        (Place::Gates, "N"),
        (Place::Sessions, "tab"),
        (Place::Review, "n"),
        (Place::Review, "space"),
    ];
    let keys = KeyMap::default();
    for place in [
        Place::Review,
        Place::Features,
        Place::Gates,
        Place::Checkpoints,
        Place::Sessions,
    ] {
        for entry in COMMANDS.iter().filter(|entry| entry.place == place) {
            for key in keys.keys(entry) {
                let beyond = keys.find(Place::Page, *key);
                let is_meant = meant.contains(&(place, key.to_string().as_str()));
                assert!(beyond.is_none() || is_meant, "{place:?} {key}: {beyond:?}");
            }
        }
        for command in [
            Command::FindNext,
            Command::FindPrevious,
            Command::RowDown,
            Command::Help,
        ] {
            assert!(keys.row(place, command).is_some(), "{place:?} {command:?}");
        }
    }
    let (entry, key) = keys.row(Place::Gates, Command::FindNext).unwrap();
    assert_eq!(
        (entry.name, key.to_string().as_str()),
        ("page.find_next", ";")
    );
}

/// When nothing was ever looked up, no key of a page does harm.
#[test]
fn every_key_on_an_empty_page_is_harmless() {
    let keys = KeyMap::default();
    let at = Timestamp::from_millis(NOW.as_millis() + 10_000);
    for page in ["f3", "f4", "f5", "f6"] {
        for entry in COMMANDS {
            for key in keys.keys(entry) {
                let mut desk = Desk::new(60, 16);
                desk.press(page);
                desk.take(Input::Key { key: *key, at });
                desk.picture();
            }
        }
    }
}

/// Numbers as good as random, always the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

#[test]
fn whatever_is_pressed_in_whatever_order_a_page_can_be_drawn() {
    let keys = KeyMap::default();
    let known: Vec<crate::Key> = COMMANDS
        .iter()
        .flat_map(|entry| keys.keys(entry))
        .copied()
        .collect();
    let sizes = [(60, 16), (61, 17), (80, 24), (200, 60), (20, 5)];
    for seed in 1..=6 {
        let mut dice = Dice(seed);
        let mut desk = Desk::new(80, 24);
        if seed % 2 == 0 {
            desk.play_until("finish_refused", 1);
        }
        for _ in 0..250 {
            match dice.roll(24) {
                0 => {
                    let (columns, rows) = sizes[dice.roll(sizes.len())];
                    desk.take(Input::Resized { columns, rows });
                }
                1 => {
                    let mut found = features();
                    let keep = dice.roll(9);
                    found.features.truncate(keep);
                    answer(&mut desk, Wanted::Features, Found::Features(found));
                }
                2 => answer(&mut desk, Wanted::Gates, Found::Gates(gates())),
                3 => desk.ask(dice.roll(40)),
                4 => desk.wait(600),
                5 => _ = over(&mut desk, Ok("done\n")),
                6 => {
                    let found = Found::Sessions(sessions());
                    answer(&mut desk, Wanted::Sessions(Reach::Here), found);
                }
                7 => desk.take(Input::Pasted("a b\nc".to_owned())).clear(),
                8 => {
                    let keys = ["f4", "f5", "f6", "f3", "/", "enter", "tab"];
                    desk.press(keys[dice.roll(keys.len())]);
                }
                _ => {
                    let key = known[dice.roll(known.len())];
                    let at = NOW;
                    desk.take(Input::Key { key, at });
                }
            }
            desk.picture();
        }
    }
}
