//! What a frame costs.

use super::desk::Desk;

#[test]
fn an_unchanged_state_draws_nothing() {
    let mut desk = Desk::new(120, 40);
    desk.play_until("checkpoint_saved", 1);
    assert!(desk.app.is_changed());
    assert!(!desk.bytes().is_empty());
    assert!(!desk.app.is_changed());
    assert_eq!(desk.bytes(), b"");
    desk.wait(1);
    assert_eq!(desk.bytes(), b"");
}

#[test]
fn a_streamed_word_costs_under_200_bytes() {
    let mut desk = Desk::new(120, 40);
    desk.play_until("turn_started", 2);
    desk.bytes();
    desk.stream("I");
    desk.bytes();
    let words = "look at the total first and then at how it is printed".split(' ');
    for word in words {
        desk.stream(&format!(" {word}"));
        let bytes = desk.bytes();
        assert!((1..200).contains(&bytes.len()), "{word}: {}", bytes.len());
    }
}

#[test]
fn a_printed_line_costs_no_more_than_the_lines_that_move() {
    let mut desk = Desk::new(120, 40);
    desk.play_until("turn_started", 2);
    let call = desk.run_command("make");
    for number in 0..4 {
        desk.print(call, &format!("step {number}\n"));
    }
    desk.bytes();
    desk.print(call, "step 4\n");
    let bytes = desk.bytes();
    assert!((1..400).contains(&bytes.len()), "{}", bytes.len());
}

#[test]
fn who_goes_away_and_comes_back_costs_nothing() {
    let mut desk = Desk::new(80, 24);
    desk.play();
    desk.bytes();
    for is_in_front in [false, true] {
        desk.take(crate::Input::Focused(is_in_front));
        assert_eq!(desk.bytes(), b"");
    }
}

#[test]
fn a_second_that_passes_costs_little_and_an_ended_run_costs_nothing() {
    let mut desk = Desk::new(120, 40);
    desk.play_until("turn_started", 2);
    desk.bytes();
    assert!(desk.app.next_change().is_some());
    desk.wait(1_000);
    let bytes = desk.bytes().len();
    assert!((1..200).contains(&bytes), "{bytes}");
    let mut desk = Desk::new(120, 40);
    desk.play();
    assert_eq!(desk.app.next_change(), None);
}

#[test]
fn a_frame_is_one_update_for_terminals_that_know_it_and_never_clears() {
    let mut desk = Desk::new(80, 24);
    desk.play();
    let bytes = String::from_utf8(desk.bytes()).unwrap();
    assert!(bytes.starts_with("\u{1b}[?2026h") && bytes.ends_with("\u{1b}[?2026l"));
    assert!(!bytes.contains("\u{1b}[2J") && !bytes.contains("\u{1b}[J"));
}
