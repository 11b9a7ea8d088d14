//! Cuts of random conversations: what must stay stays, and what is dropped makes room.

use harness_core::{ModelResponse, StopReason, ToolResult, TurnNumber, Usage};
use proptest::prelude::*;

use super::*;
use crate::talk::{Request, Talk};

/// Tools with results of every kind.
const TOOLS: [&str; 6] = ["read", "shell", "doc", "ask", "plan", "search"];

/// One turn: calls with the sizes of their results, what is said beside them, and whether the
/// provider says how many tokens it was.
#[derive(Clone, Debug)]
struct Turn {
    calls: Vec<(usize, usize)>,
    said: Option<String>,
    measured: bool,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let calls = prop::collection::vec((0..TOOLS.len(), 0_usize..9_000), 1..4);
    let said = prop::option::of("[a-z ]{1,40}");
    let turn = (calls, said, any::<bool>()).prop_map(|(calls, said, measured)| Turn {
        calls,
        said,
        measured,
    });
    prop::collection::vec(turn, 1..30)
}

fn talk(turns: &[Turn]) -> Talk {
    let mut talk = Talk::new(
        "system".to_owned(),
        ["the map".to_owned(), "the feature".to_owned()],
        harness_tool::specs().into(),
    );
    for (number, turn) in (1..).zip(turns) {
        talk.begin_turn(TurnNumber(number));
        talk.request = Request::InFlight { cancelling: false };
        let id = |call: usize| format!("{number}-{call}");
        let calls = turn.calls.iter().enumerate();
        let parts = calls.map(|(call, (tool, _))| {
            AssistantPart::ToolCall(ToolCall {
                id: id(call),
                name: TOOLS[*tool].to_owned(),
                arguments: format!(r#"{{"path":"src/{number}.rs"}}"#),
            })
        });
        let usage = Usage {
            input: if turn.measured { talk.bytes().0 / 3 } else { 0 },
            output: 40,
            ..Usage::default()
        };
        talk.hear(&ModelResponse {
            parts: parts.collect(),
            stop: StopReason::ToolUse,
            usage,
        });
        let calls = turn.calls.iter().enumerate();
        talk.give_results(calls.map(|(call, (_, bytes))| ToolResult {
            id: id(call),
            content: format!("{number}-{call} {}", "r".repeat(*bytes)),
            is_error: false,
            images: Vec::new(),
        }));
        if let Some(said) = &turn.said {
            talk.tell(said.clone());
        }
        talk.request = Request::Due;
    }
    talk
}

/// Returns everything that may never be dropped, in order.
fn lasting(messages: &[Arc<Message>]) -> Vec<String> {
    let parts = messages.iter().flat_map(|message| match &**message {
        Message::Assistant(parts) => parts.iter().map(|part| format!("{part:?}")).collect(),
        Message::User(parts) => {
            let texts = parts.iter().filter_map(|part| match part {
                UserPart::Text { text } => Some(text.clone()),
                UserPart::ToolResult(_) => None,
            });
            texts.collect::<Vec<_>>()
        }
    });
    parts.collect()
}

/// Returns the results of tools whose words cannot be got back.
fn irretrievable(messages: &[Arc<Message>]) -> Vec<ToolResult> {
    let never = |call: &ToolCall| harness_tool::droppable(&call.name) == Droppable::Never;
    results(messages)
        .filter(|(_, (call, _))| never(call))
        .map(|(_, (_, result))| result.clone())
        .collect()
}

proptest! {
    #[test]
    fn a_cut_makes_room_and_takes_nothing_that_must_stay(turns in turns(), window in 2_000_u64..60_000) {
        let mut talk = talk(&turns);
        let window = TokenCount(window);
        let before = talk.with_waiting();
        let whole = talk.whole();
        let cut = talk.possible_cut(window);
        prop_assert_eq!(&cut, &talk.possible_cut(window));
        talk.cut(&cut.dropped, "what holds");
        let after = talk.with_waiting();

        // Everything but the dropped results stands where it stood, byte for byte.
        prop_assert_eq!(after.len(), before.len());
        let mut told = lasting(&before);
        told.push("what holds".to_owned());
        prop_assert_eq!(lasting(&after), told);
        prop_assert_eq!(irretrievable(&after), irretrievable(&before));
        let is_dropped = |place: &Place| {
            cut.dropped.iter().any(|dropped| (dropped.message, dropped.part) == *place)
        };
        for ((place, (_, old)), (_, (_, new))) in results(&before).zip(results(&after)) {
            if is_dropped(&place) {
                prop_assert!(new.content.len() < old.content.len());
                prop_assert!(new.content.starts_with("[dropped to make room: "));
            } else {
                prop_assert_eq!(old, new);
            }
        }
        // The results of the last turn are in no message yet.
        prop_assert!(cut.dropped.iter().all(|dropped| (dropped.message as usize) < before.len() - 1));

        // It is smaller by what was said, within what rounding and the words of the cut make.
        let left = talk.whole().tokens;
        if !cut.dropped.is_empty() {
            prop_assert!(left < whole.tokens);
        }
        let off = left.abs_diff(cut.after);
        prop_assert!(off <= 20 + cut.dropped.len() as u64, "{} is not {}", left, cut.after);

        // Half of the window is free, or nothing is left that may go.
        let again = talk.possible_cut(window);
        if cut.after > percent_of(window, CUT_PERCENT) {
            let docs_stay = !is_full(cut.after, window);
            let dropped_docs = again.dropped.iter().all(|dropped| dropped.tool == "doc");
            prop_assert!(again.dropped.is_empty() || docs_stay && dropped_docs, "{:?}", again);
        }
        // What the next request sends agrees with the size that is kept.
        talk.begin_turn(TurnNumber(99));
        prop_assert_eq!(talk.prompt().bytes(), talk.bytes());
    }
}

fn reads(bytes: usize, count: usize) -> Vec<Turn> {
    let turn = Turn {
        calls: vec![(0, bytes)],
        said: None,
        measured: true,
    };
    vec![turn; count]
}

#[test]
fn the_oldest_go_first_and_the_last_turns_stay() {
    let talk = talk(&reads(3_000, 30));
    let cut = talk.possible_cut(TokenCount(30_000));
    let places: Vec<u32> = cut.dropped.iter().map(|dropped| dropped.message).collect();
    assert_eq!(places[..3], [2, 4, 6]);
    assert!(places.is_sorted());
    assert!(is_full(talk.whole().tokens, TokenCount(30_000)));
    assert!(cut.is_worth_it(500, TokenCount(30_000)), "{}", cut.after);
    let cut = talk.possible_cut(TokenCount(2_000_000_000));
    assert!(cut.dropped.is_empty());
    let large = super::cut(
        talk.messages(),
        3_000,
        Size {
            tokens: 1_000_000_000,
            rate: (1_000_000_000, talk.bytes().0),
        },
        TokenCount(1_300_000_000),
    );
    assert_eq!(large.dropped.len(), 11);
}

#[test]
fn in_a_small_window_fewer_turns_stay_but_the_last_one_always() {
    let talk = talk(&reads(8_000, 4));
    let cut = talk.possible_cut(TokenCount(12_000));
    assert_eq!(cut.dropped.len(), 3, "{cut:?}");
    let talk = self::talk(&reads(90_000, 1));
    let cut = talk.possible_cut(TokenCount(12_000));
    assert!(cut.dropped.is_empty());
    assert!(!cut.is_worth_it(0, TokenCount(12_000)));
}

#[test]
fn what_a_cut_would_gain_is_not_worth_the_cache_when_it_is_little() {
    let window = TokenCount(10_000);
    let cut = |after| Cut {
        dropped: vec![DroppedResult {
            message: 2,
            part: 0,
            tool: "read".to_owned(),
            bytes: ByteCount(1),
            stub: String::new(),
        }],
        after,
    };
    assert!(cut(6_000).is_worth_it(500, window));
    assert!(!cut(6_001).is_worth_it(500, window));
}

#[test]
fn an_earlier_state_shares_what_was_said_with_what_follows() {
    let turn = Turn {
        calls: vec![(0, 5_000)],
        said: None,
        measured: true,
    };
    let mut talk = talk(&vec![turn; 3]);
    talk.begin_turn(TurnNumber(4));
    let earlier = talk.clone();
    talk.request = Request::InFlight { cancelling: false };
    talk.hear(&ModelResponse {
        parts: vec![AssistantPart::Text {
            text: "well".to_owned(),
        }],
        stop: StopReason::EndTurn,
        usage: Usage::default(),
    });
    assert_eq!(talk.messages().len(), earlier.messages().len() + 1);
    let mut pairs = earlier.messages().iter().zip(talk.messages());
    assert!(pairs.all(|(earlier, now)| Arc::ptr_eq(earlier, now)));
}
