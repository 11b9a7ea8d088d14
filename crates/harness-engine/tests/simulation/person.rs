//! The person before the screen: talks, takes back, stops, and lets the gates decide.

use fastrand::Rng;
use harness_core::{
    ApprovalAnswer, ApprovalAsked, ApprovalSubject, ApprovedHow, Event, OpenMustFix, Rejection,
    RepoPath, ReviewChanged, RewindWhat, Timestamp, ToldComment, ToldComments, TurnNumber, Urgency,
};

use super::{plan::chance, steering::VOICE};

/// Different things the person has to say; the same is said again now and then.
const TEXTS: u32 = 12;

/// Returns what a person does of their own accord, now and then; `waiting` is what they could take back.
pub(crate) fn whim(rng: &mut Rng, waiting: &[String]) -> Option<Event> {
    match rng.u32(0..240) {
        0..8 => Some(said(rng)),
        8..12 => Some(Event::PersonTookBack {
            text: taken_back(rng, waiting),
        }),
        12..15 => Some(Event::ClaimTaken),
        _ => None,
    }
}

/// Returns what a person says about something that needs their word, with what a yes to findings approves.
pub(crate) fn approval(rng: &mut Rng, asked: &ApprovalAsked) -> Vec<Event> {
    let answer = answer(rng, asked);
    let approved = match &asked.subject {
        ApprovalSubject::Findings { feature, findings } if answer.is_yes() => {
            Some(Event::FindingsApproved {
                feature: feature.clone(),
                findings: findings.clone(),
                how: ApprovedHow::Asked,
            })
        }
        _ => None,
    };
    let answered = Event::ApprovalAnswered {
        call: asked.call,
        answer,
    };
    std::iter::once(answered).chain(approved).collect()
}

fn answer(rng: &mut Rng, asked: &ApprovalAsked) -> ApprovalAnswer {
    if let ApprovalSubject::Features { proposal } = &asked.subject
        && proposal.features.len() > 1
        && chance(rng, 1, 4)
    {
        return ApprovalAnswer::Part { without: vec![2] };
    }
    match (rng.u32(0..6), &asked.always) {
        (0, Some(rule)) => ApprovalAnswer::Always {
            rule: rule.clone(),
            problem: String::new(),
        },
        (1, Some(_)) => ApprovalAnswer::Session,
        (2, _) => ApprovalAnswer::Never,
        (3, _) => ApprovalAnswer::No {
            reason: "not now".to_owned(),
        },
        _ => ApprovalAnswer::Once,
    }
}

/// Returns a wish to go back to a turn, now and then to one that is not there.
pub(crate) fn rewind(rng: &mut Rng, last: TurnNumber) -> Option<Event> {
    if !chance(rng, 1, 60) {
        return None;
    }
    let all = [RewindWhat::Talk, RewindWhat::Files, RewindWhat::Both];
    Some(Event::RewindAsked {
        turn: TurnNumber(rng.u32(1..last.0 + 2)),
        what: all[rng.usize(0..all.len())],
    })
}

/// Returns what a person's review says, now and then.
pub(crate) fn review(rng: &mut Rng) -> Option<Event> {
    if !chance(rng, 1, 90) {
        return None;
    }
    let number = rng.u32(1..4);
    let must_fix = OpenMustFix {
        number,
        place: "src/a.rs:1".to_owned(),
        text: "why?".to_owned(),
        waits_for_person: rng.bool(),
    };
    let rejection = Rejection {
        id: format!("d{}", rng.u32(0..20)),
        hunk: "0a1b2c3d4e5f".to_owned(),
        path: RepoPath::parse("src/a.rs").unwrap(),
        reason: "no".to_owned(),
        patch: "-a\n".to_owned(),
    };
    let told = ToldComments {
        comments: vec![ToldComment {
            number,
            since: Timestamp::from_millis(rng.u64(0..1_000)),
        }],
        text: format!("#{number} why?"),
    };
    let mut now_and_then = || chance(rng, 1, 2);
    let (has_must_fix, has_rejection) = (now_and_then(), now_and_then());
    let (is_told, opening) = (now_and_then(), now_and_then());
    Some(Event::ReviewChanged(Box::new(ReviewChanged {
        asked: vec![number],
        must_fix: has_must_fix.then_some(must_fix).into_iter().collect(),
        rejections: has_rejection.then_some(rejection).into_iter().collect(),
        told: is_told.then_some(told),
        more: 0,
        opening,
    })))
}

/// Returns what a person does about an agent that has stopped.
pub(crate) fn reply(rng: &mut Rng) -> Event {
    if chance(rng, 1, 2) {
        return said(rng);
    }
    last_reply(rng)
}

/// The same from a person who wants to be done.
pub(crate) fn last_reply(rng: &mut Rng) -> Event {
    match rng.u32(0..4) {
        0 => Event::StopRequested,
        1 => Event::Interrupted,
        _ => Event::ClaimTaken,
    }
}

fn said(rng: &mut Rng) -> Event {
    let urgency = if chance(rng, 1, 3) {
        Urgency::Now
    } else {
        Urgency::NextTurn
    };
    let text = text(rng);
    Event::PersonSaid { text, urgency }
}

/// What waits, mostly; else what was never said, or has been sent.
fn taken_back(rng: &mut Rng, waiting: &[String]) -> String {
    let waits = chance(rng, 3, 4);
    match rng.choice(waiting) {
        Some(text) if waits => text.clone(),
        _ => text(rng),
    }
}

fn text(rng: &mut Rng) -> String {
    format!("{VOICE} {}.", rng.u32(0..TEXTS))
}
