//! A person's review of the change, with everything that can come of it.

use harness_core::{
    CallId, CommentAnswered, Event, OpenMustFix, Rejection, RepoPath, ReviewChanged, Timestamp,
    ToldComment, ToldComments, TurnNumber, TurnedDown, TurnedDownEnd, TurnedDownPart,
};

pub(super) fn review() -> Vec<Event> {
    let path = || RepoPath::parse("src/a.rs").unwrap();
    let must_fix = |number, waits_for_person| OpenMustFix {
        number,
        place: "src/a.rs:4".to_owned(),
        text: "also a newline?".to_owned(),
        waits_for_person,
    };
    let part = |end| TurnedDownPart {
        id: "0a1b2c3d4e5f6071".to_owned(),
        hunk: "0a1b2c3d4e5f".to_owned(),
        path: path(),
        end,
    };
    let changed = ReviewChanged {
        must_fix: vec![must_fix(1, false), must_fix(2, true)],
        more: 3,
        asked: vec![1],
        told: Some(ToldComments {
            comments: vec![ToldComment {
                number: 1,
                since: Timestamp::from_millis(1_763_633_643_000),
            }],
            text: "#1 must-fix at src/a.rs:4".to_owned(),
        }),
        rejections: vec![Rejection {
            id: "0a1b2c3d4e5f6071".to_owned(),
            hunk: "0a1b2c3d4e5f".to_owned(),
            path: path(),
            reason: "not needed".to_owned(),
            patch: "-let a = 1;\n".to_owned(),
        }],
        opening: true,
    };
    let clash = TurnedDownEnd::Clash {
        why: "it is not there any more".to_owned(),
        line: 4,
        wanted: "let a = 0;\n".to_owned(),
        found: "let a = 2;\n".to_owned(),
    };
    let answered = |call| {
        Event::CommentAnswered(Box::new(CommentAnswered {
            call,
            number: 1,
            text: "it is doubled now".to_owned(),
        }))
    };
    vec![
        Event::ReviewChanged(Box::default()),
        Event::ReviewChanged(Box::new(changed)),
        Event::TurnedDown(Box::new(TurnedDown {
            parts: vec![
                part(TurnedDownEnd::Applied),
                part(TurnedDownEnd::Withdrawn),
                part(clash),
            ],
            problem: String::new(),
        })),
        Event::TurnedDown(Box::new(TurnedDown {
            parts: Vec::new(),
            problem: "no space left on device".to_owned(),
        })),
        answered(None),
        answered(Some(CallId {
            turn: TurnNumber(2),
            index: 0,
        })),
    ]
}
