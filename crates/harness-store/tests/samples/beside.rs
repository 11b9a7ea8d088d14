//! Conversations beside the main one, and reviews, in every form.

use harness_core::{
    Beside, BesideEnd, BesideUse, ChangeShown, ConversationId, ConversationKind, Happened, Mark,
    Remark, RemarkKind, Review, ReviewBy, ReviewVerdict,
};

use super::*;

pub(super) fn beside() -> Vec<Event> {
    let explore = ConversationId {
        kind: ConversationKind::Explore,
        number: 1,
    };
    let reviewer = ConversationId {
        kind: ConversationKind::Reviewer,
        number: 2,
    };
    let used = BesideUse {
        turns: 2,
        calls: 1,
        usage: Usage {
            input: 900,
            cache_read: 10,
            cache_write: 20,
            output: 40,
        },
        cost: Money(120),
        unpriced: true,
    };
    let mut events: Vec<Event> = happened(used)
        .into_iter()
        .map(|happened| told(explore, happened))
        .collect();
    events.push(told(
        reviewer,
        Happened::Started {
            call: None,
            asked: String::new(),
            model: "large".to_owned(),
        },
    ));
    events.push(Event::ChangeShown(Box::new(ChangeShown {
        tree: tree('2'),
        diff: "changed src/a.rs, +1 -0\n".to_owned(),
        files: 2,
        cut: 1,
        problem: "cannot read an object".to_owned(),
    })));
    events.extend(reviews(reviewer, used));
    let reviewed = [ReviewBy::None, ReviewBy::Agent, ReviewBy::Person].map(|by| {
        let mut opened = opened(7, 8);
        opened.run.policy.review = by;
        Event::SessionOpened(Box::new(opened))
    });
    events.extend(reviewed);
    events.push(Event::FinishRefused {
        reason: "nobody has reviewed it".to_owned(),
        findings: vec![Finding::of_path(
            FindingKind::NotReviewed,
            RepoPath::root(),
            "a person has to review it".to_owned(),
        )],
    });
    events
}

fn told(conversation: ConversationId, happened: Happened) -> Event {
    Event::Beside(Box::new(Beside {
        conversation,
        happened,
    }))
}

fn happened(used: BesideUse) -> Vec<Happened> {
    let call = CallId {
        turn: TurnNumber(1),
        index: 0,
    };
    let turn = TurnNumber(1);
    let failure = ModelFailure {
        class: FailureClass::Overloaded,
        message: "the server answered 529".to_owned(),
        status: Some(529),
        retry_after_ms: None,
    };
    let read = Action::Read {
        path: RepoPath::parse("src/a.rs").unwrap(),
        lines: None,
    };
    let ends = [
        BesideEnd::Answered {
            text: "src/a.rs:3".to_owned(),
            bound: "20 turns are used up".to_owned(),
        },
        BesideEnd::Failed {
            reason: "the model said nothing".to_owned(),
        },
        BesideEnd::Cancelled,
    ];
    let mut all = vec![
        Happened::Started {
            call: Some(call),
            asked: "where?".to_owned(),
            model: "small".to_owned(),
        },
        Happened::Responded {
            turn,
            response: ModelResponse {
                parts: Vec::new(),
                stop: StopReason::EndTurn,
                usage: used.usage,
            },
            cost: Some(Money(4)),
            ms: 7,
        },
        Happened::Failed {
            turn,
            failure,
            spent: Some(Spent {
                usage: used.usage,
                cost: None,
                estimated: true,
            }),
        },
        Happened::Retried {
            turn,
            attempt: 1,
            delay_ms: 500,
            reason: "the server answered 529".to_owned(),
        },
        Happened::Paced {
            turn,
            delay_ms: 9,
            limit: RateLimit::Requests,
            until: time(),
        },
        Happened::RetryDue { turn },
        Happened::CallJudged {
            call,
            tool: "read".to_owned(),
            action: Some(read),
            verdict: Verdict::allow("not hidden", None),
        },
        Happened::LinkMet {
            call,
            link: RepoPath::parse("link").unwrap(),
            target: "src".to_owned(),
            resolved: None,
        },
        Happened::CallEnded {
            call,
            end: CallEnd::Lost,
            ms: 0,
        },
        Happened::Corrected {
            text: "once more".to_owned(),
        },
    ];
    all.extend(ends.map(|end| Happened::Ended { end, used }));
    all
}

fn reviews(conversation: ConversationId, used: BesideUse) -> Vec<Event> {
    let verdicts = [
        ReviewVerdict::Approved,
        ReviewVerdict::Refused,
        ReviewVerdict::Failed,
    ];
    let remark = |kind| Remark {
        kind,
        at: "src/a.rs:3".to_owned(),
        why: "so".to_owned(),
    };
    let kinds = [RemarkKind::MustFix, RemarkKind::Question, RemarkKind::Nit];
    let review = |verdict| {
        Event::Reviewed(Box::new(Review {
            conversation,
            model: "large".to_owned(),
            tree: tree('2'),
            id: "0badcafe".to_owned(),
            seen_sha256: "00".to_owned(),
            verdict,
            problem: "no model".to_owned(),
            marks: vec![Mark {
                criterion: "A1".to_owned(),
                score: 1,
                needed: 2,
                why: "so".to_owned(),
            }],
            remarks: kinds.map(remark).to_vec(),
            left_out: 1,
            used,
        }))
    };
    verdicts.map(review).to_vec()
}
