//! `harness review`: a change hunk by hunk, in plain lines, for people and for scripts.
//!
//! Works in any git repository, with a run or without. Everything that the screen's page can do can
//! be done here.

mod comments;
mod decide;
mod listing;
mod walk;

pub(crate) use decide::no_secret;

use harness_core::{CheckpointNumber, FeatureId, SessionId};
use harness_review::{Base, export};
use harness_tui::ReviewAsked;

use crate::{
    ask,
    cli::{Common, Review, ReviewBase, ReviewCommand, ReviewForm, ReviewOf, ReviewPart},
    compose::Site,
    failure::{Failure, NEEDS_HUMAN},
    output,
    review::{Asked, Desk, proof::Proof},
    screen,
};

pub(crate) fn run(common: &Common, flags: &Review) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let Some(command) = &flags.command else {
        let asked = asked(flags.base.range.as_deref(), &flags.base.part)?;
        if flags.export.is_none() && screen::is_wanted(common, flags.plain)? {
            let code = screen::review(common, page_of(&asked))?;
            // What must be fixed is a person's to settle, wherever it was looked at.
            return Ok(if code == 0 {
                standing(&Desk::open(&site, &asked)?)?
            } else {
                code
            });
        }
        let desk = Desk::open(&site, &asked)?;
        if let Some(form) = flags.export {
            return export(&desk, form);
        }
        let is_asked_for = flags.plain && !common.no_input && !common.json;
        // A terminal without room for the screen gets plain lines.
        if is_asked_for || ask::is_attended(common) {
            walk::run(common, &desk)?;
        } else {
            listing::all(common, &desk)?;
        }
        return standing(&desk);
    };
    let open = |of: &ReviewOf| Desk::open(&site, &asked(of.range.as_deref(), &of.part)?);
    match command {
        ReviewCommand::Status { of } => {
            let desk = open(of)?;
            listing::status(common, &desk)?;
            return standing(&desk);
        }
        ReviewCommand::Show { hunks, of } => listing::show(common, &open(of)?, hunks)?,
        ReviewCommand::Accept(decision) => {
            decide::run(
                common,
                &open(&decision.of)?,
                decision,
                harness_review::Choice::Accepted,
            )?;
        }
        ReviewCommand::Reject(decision) => {
            decide::run(
                common,
                &open(&decision.of)?,
                decision,
                harness_review::Choice::Rejected,
            )?;
        }
        ReviewCommand::Apply { of } => decide::apply(common, &open(of)?)?,
        ReviewCommand::Undo { of } => decide::undo(common, &open(of)?)?,
        ReviewCommand::Comment {
            text,
            file,
            at,
            old,
            kind,
            of,
        } => {
            let desk = open(of)?;
            let text = comments::text(text.as_deref(), file.as_deref())?;
            let place = comments::place(&desk, at.as_deref(), *old)?;
            comments::write(common, &desk, *kind, place, &text)?;
        }
        ReviewCommand::Edit {
            number,
            text,
            kind,
            of,
        } => comments::edit(common, &open(of)?, *number, *kind, text)?,
        ReviewCommand::Withdraw(flags) => {
            comments::each(
                common,
                &open(&flags.of)?,
                &flags.numbers,
                comments::Change::Withdraw,
            )?;
        }
        ReviewCommand::Send { of } => comments::send(common, &open(of)?)?,
        ReviewCommand::Answer { number, text, of } => {
            comments::answer(common, &open(of)?, *number, text)?;
        }
        ReviewCommand::Resolve(flags) => {
            comments::each(
                common,
                &open(&flags.of)?,
                &flags.numbers,
                comments::Change::Resolve,
            )?;
        }
        ReviewCommand::Reopen(flags) => {
            comments::each(
                common,
                &open(&flags.of)?,
                &flags.numbers,
                comments::Change::Reopen,
            )?;
        }
    }
    Ok(0)
}

/// Returns no flags about what is compared.
pub(crate) fn no_base() -> ReviewBase {
    ReviewBase::default()
}

/// Returns what the screen's page is asked for.
fn page_of(asked: &Asked) -> ReviewAsked {
    match asked {
        Asked::Usual => ReviewAsked::Usual,
        Asked::Base { base, session } => ReviewAsked::Base {
            base: base.clone(),
            session: *session,
        },
    }
}

/// Reads what is to be compared off the command line.
fn asked(range: Option<&str>, part: &ReviewPart) -> Result<Asked, Failure> {
    let usage = |error: harness_core::IdError| Failure::usage(error.to_string());
    let session = part.session.as_deref().map(str::parse::<SessionId>);
    let session = session.transpose().map_err(usage)?;
    let base = if let Some(text) = range {
        Base::Range {
            text: text.to_owned(),
        }
    } else if let Some(number) = part.checkpoint {
        Base::Checkpoint {
            number: CheckpointNumber(number),
        }
    } else if part.last {
        Base::LastCheckpoint
    } else if let Some(feature) = &part.feature {
        let feature =
            FeatureId::new(feature.as_str()).map_err(|error| Failure::usage(error.to_string()))?;
        Base::Feature { feature }
    } else if let Some(session) = session {
        Base::Session { session }
    } else {
        return Ok(Asked::Usual);
    };
    Ok(Asked::Base { base, session })
}

/// Writes the whole review out.
fn export(desk: &Desk<'_>, form: ReviewForm) -> Result<u8, Failure> {
    let (book, proof) = (desk.book()?, Proof::of(desk.site, &desk.source)?);
    let (findings, standing_now) = (proof.findings(), desk.standing(&book));
    let exported = export::Exported {
        title: &desk.source.title,
        base: &desk.source.words,
        time: harness_host::clock::now(),
        change: &desk.change,
        standing: &standing_now,
        book: &book,
        findings: &findings,
        evidence: &proof.checks,
    };
    match form {
        ReviewForm::Md => output::write(&harness_report::clean(&export::markdown(&exported)))?,
        ReviewForm::Json => {
            let text = export::json(&exported).to_string();
            output::write(&format!("{}\n", harness_report::escape_json(&text)))?;
        }
    }
    standing(desk)
}

/// Returns the exit code: a person is needed while something must be fixed.
fn standing(desk: &Desk<'_>) -> Result<u8, Failure> {
    let open = !desk.book()?.open_must_fix().is_empty();
    Ok(if open { NEEDS_HUMAN } else { 0 })
}
