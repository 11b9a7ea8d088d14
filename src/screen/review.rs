//! The review page's program: builds the change, keeps the book, carries out what waits.
//!
//! Everything is done by what `harness review` does; only what a page needs beside it is put
//! together here. Called on threads, never while drawing.

use std::sync::Arc;

use harness_core::{CheckpointNumber, SessionId};
use harness_review::{Author, Base, Book};
use harness_store::ReviewKey;
use harness_tui::{Failed, ReviewAsked, ReviewFound, ReviewKept, ReviewSaved, Then};

use crate::{
    cli::{Common, Review, ReviewCommand, ReviewOf, ReviewPart},
    cmd,
    compose::Site,
    failure::Failure,
    output,
    review::{self, Asked, Desk, Source, proof::Proof},
};

/// The most checkpoints that are offered to compare with.
const OFFERED_MAX: usize = 20;

/// Looks a change up with all that stands beside it.
pub(super) fn found(common: &Common, wanted: &ReviewAsked) -> Result<ReviewFound, Failure> {
    let site = Site::open(common)?;
    let desk = Desk::open(&site, &asked(wanted))?;
    let mut book = desk.book()?;
    if let ReviewAsked::Base { base, .. } = wanted {
        // It is kept with the next decision.
        book.choose_base(base.clone(), harness_host::clock::now());
    }
    let proof = Proof::of(&site, &desk.source)?;
    let findings = proof.findings().into_iter();
    let findings = findings
        .map(|shown| (shown.finding.clone(), shown.is_approved))
        .collect();
    let checkpoints = match desk.source.session {
        Some(session) => steps(&site, session)?,
        None => Vec::new(),
    };
    let source = &desk.source;
    let found = ReviewFound {
        key: source.key.as_str().to_owned(),
        bases: bases(source, &checkpoints),
        title: source.title.clone(),
        words: source.words.clone(),
        run: source.run,
        session: source.session,
        can_reject: source.is_now() || source.run.is_some(),
        findings,
        checks: proof.checks,
        checkpoints,
        book,
        change: Arc::new(desk.change),
    };
    found.compare();
    Ok(found)
}

fn asked(wanted: &ReviewAsked) -> Asked {
    match wanted {
        ReviewAsked::Usual => Asked::Usual,
        ReviewAsked::Base { base, session } => Asked::Base {
            base: base.clone(),
            session: *session,
        },
    }
}

/// Returns the checkpoints that have one before them, oldest first.
fn steps(site: &Site, session: SessionId) -> Result<Vec<CheckpointNumber>, Failure> {
    let whole = site.repo.checkpoints(session)?.whole;
    Ok(whole.iter().skip(1).map(|entry| entry.number).collect())
}

/// Returns what else can be compared.
fn bases(source: &Source, checkpoints: &[CheckpointNumber]) -> Vec<(Base, String)> {
    let mut bases = Vec::new();
    if let Some(session) = source.session {
        bases.push((Base::LastCheckpoint, "since the last checkpoint".to_owned()));
        if let Base::Feature { feature } = &source.base {
            let words = format!("since the work on {feature} began");
            bases.push((source.base.clone(), words));
        } else if let Some(feature) = source.feature() {
            let words = format!("since the work on {feature} began");
            bases.push((Base::Feature { feature }, words));
        }
        bases.push((Base::Session { session }, format!("since {session} began")));
    }
    let head = Base::Range {
        text: "HEAD..".to_owned(),
    };
    bases.push((head, "what is not committed".to_owned()));
    let newest = checkpoints.iter().rev().take(OFFERED_MAX);
    bases.extend(newest.map(|number| {
        let base = Base::Checkpoint { number: *number };
        (base, format!("what checkpoint {number} changed"))
    }));
    bases
}

/// Keeps a book together with what others wrote, and carries out what waits.
pub(super) fn keep(common: &Common, kept: ReviewKept) -> Result<ReviewSaved, Failed> {
    let saved = save(common, kept);
    saved.map_err(|failure| failure.to_told())
}

fn save(common: &Common, kept: ReviewKept) -> Result<ReviewSaved, Failure> {
    no_secrets(&kept.book)?;
    let site = Site::open(common)?;
    let key = match (&kept.book.base, kept.run) {
        (_, Some(run)) => ReviewKey::of_run(run),
        (Base::Range { text }, None) => ReviewKey::of_range(text),
        (base, None) => {
            let message = format!(
                "cannot keep the review of {}: no run made it",
                base.worded()
            );
            return Err(Failure::failed(message));
        }
    };
    let of = of(&kept);
    let store = site.store()?;
    let own = kept.book;
    let empty = || Book::new(own.base.clone(), own.based);
    let merged = review::desk::update(&store, &key, empty, |book| {
        book.merge(own.clone());
        Ok(book.clone())
    })?;
    let mut saved = ReviewSaved {
        key: key.as_str().to_owned(),
        book: merged,
        told: Vec::new(),
        is_changed: false,
    };
    if kept.then == Then::TurnDown && saved.book.pending().next().is_some() {
        let flags = Review {
            command: Some(ReviewCommand::Apply { of }),
            base: cmd::review::no_base(),
            export: None,
            plain: false,
        };
        let quiet = Common {
            json: false,
            ..common.clone()
        };
        let (done, text) = output::heard(|| cmd::review::run(&quiet, &flags));
        done?;
        saved.told = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect();
        saved.is_changed = true;
        let found = review::desk::read(&store, &key)?;
        saved.book = found.unwrap_or(saved.book);
    }
    Ok(saved)
}

/// Returns the flags that name the same review.
fn of(kept: &ReviewKept) -> ReviewOf {
    match (&kept.book.base, kept.run) {
        (Base::Range { text }, None) => ReviewOf {
            range: Some(text.clone()),
            part: ReviewPart::default(),
        },
        (Base::Feature { feature }, _) => ReviewOf {
            range: None,
            part: ReviewPart {
                feature: Some(feature.to_string()),
                ..ReviewPart::default()
            },
        },
        (Base::Session { session }, _) => ReviewOf {
            range: None,
            part: ReviewPart {
                session: Some(session.to_string()),
                ..ReviewPart::default()
            },
        },
        (Base::Checkpoint { number }, _) => ReviewOf {
            range: None,
            part: ReviewPart {
                checkpoint: Some(number.0),
                session: kept.session.map(|session| session.to_string()),
                ..ReviewPart::default()
            },
        },
        (Base::LastCheckpoint, _) => ReviewOf {
            range: None,
            part: ReviewPart {
                last: true,
                session: kept.session.map(|session| session.to_string()),
                ..ReviewPart::default()
            },
        },
        // What a run was last seen against.
        (Base::Range { .. }, Some(_)) => ReviewOf::default(),
    }
}

/// Refuses words of the person that hold what looks like a key.
fn no_secrets(book: &Book) -> Result<(), Failure> {
    let decisions = book.decisions.iter().map(|decision| &decision.reason);
    let own = book
        .comments
        .iter()
        .filter(|comment| comment.by == Author::Person);
    let comments = own.clone().map(|comment| &comment.text);
    let answers = book.comments.iter().flat_map(|comment| &comment.answers);
    let answers = answers.filter(|answer| answer.by == Author::Person);
    let all = decisions
        .chain(comments)
        .chain(answers.map(|answer| &answer.text));
    all.filter(|text| !text.is_empty())
        .try_for_each(|text| cmd::review::no_secret(text))
}
