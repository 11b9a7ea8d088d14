//! What a person has done from a page, beside a run: the commands themselves, heard instead of printed.

use std::path::Path;

use clap::Parser as _;
use harness_core::{Captured, CheckReport, Event};
use harness_host::Cancelled;
use harness_runner::redact_for_log;
use harness_tui::{Answer, Errand, Input, Mine, Progress, Rank};

use super::stage::Stage;
use crate::{
    cli::{self, Checkpoint, CheckpointUndo, Cli, Command, Common, Feature, SessionCommand},
    cmd::{checkpoint, feature, gate, init, session},
    compose::Site,
    failure::Failure,
    output,
    surface::{Decision, Surface as _},
};

/// Carries an errand out; returns what the command would have printed.
pub(super) fn perform(
    common: &Common,
    errand: &Errand,
    stage: &Stage,
    cancelled: &Cancelled,
) -> Result<String, Failure> {
    let (done, text) = output::heard(|| carry_out(common, errand, stage, cancelled));
    done.map(|_| text)
}

fn carry_out(
    common: &Common,
    errand: &Errand,
    stage: &Stage,
    cancelled: &Cancelled,
) -> Result<u8, Failure> {
    match errand {
        Errand::Init => init(common, stage),
        Errand::Add { said } => {
            let (title, flags) = title_and_flags(&split(said)?);
            typed(common, "add", &flags, &title)
        }
        Errand::Amend { feature, said } => typed(common, "amend", &split(said)?, feature.as_str()),
        Errand::Move { feature: id, to } => {
            let id = id.to_string();
            let to = match to {
                Rank::Earlier => cli::Rank::Earlier,
                Rank::Later => cli::Rank::Later,
            };
            feature::run(common, &Feature::Move { id, to })
        }
        Errand::Block {
            feature: id,
            reason,
        } => {
            let (id, reason) = (id.to_string(), reason.clone());
            feature::run(common, &Feature::Block { id, reason })
        }
        Errand::Reopen {
            feature: id,
            reason,
        } => {
            let (id, reason) = (id.to_string(), reason.clone());
            feature::run(common, &Feature::Reopen { id, reason })
        }
        Errand::RunGates { names } => run_gates(common, names, stage, cancelled),
        Errand::Undo {
            session,
            number,
            mine,
        } => checkpoint::run(
            common,
            &Checkpoint::Undo(CheckpointUndo {
                number: number.0,
                session: Some(session.to_string()),
                keep_mine: *mine == Mine::Keep,
                save: *mine == Mine::Save,
            }),
        ),
        Errand::Rename {
            session,
            repository,
            name,
        } => {
            let (session, name) = (session.to_string(), name.clone());
            let command = SessionCommand::Rename { session, name };
            session::run(&at(common, repository.as_deref()), &command)
        }
        Errand::Archive {
            session,
            repository,
        } => {
            let session = session.to_string();
            let command = SessionCommand::Archive {
                session,
                undo: false,
            };
            session::run(&at(common, repository.as_deref()), &command)
        }
    }
}

/// Writes what a repository needs, once a person has seen it.
fn init(common: &Common, stage: &Stage) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let body = init::shown(&site)?;
    let decision = Decision {
        title: "Write these files?",
        body: &body,
    };
    if body.is_empty() || !stage.confirm(decision) {
        return Err(Failure::needs_human("nothing was written").hint("w shows it again"));
    }
    let written = init::write_all(&site)?.join(", ");
    output::Output::new(common).text(&format!("note: written {written}, nothing committed"))?;
    Ok(0)
}

/// Returns the flags for another repository, where one is named.
fn at(common: &Common, repository: Option<&Path>) -> Common {
    let repository = repository.map(Path::to_path_buf);
    Common {
        directory: repository.or_else(|| common.directory.clone()),
        ..common.clone()
    }
}

/// Splits what was typed as a shell does.
fn split(said: &str) -> Result<Vec<String>, Failure> {
    shlex::split(said).ok_or_else(|| {
        Failure::usage("cannot read the line: a quote is not closed")
            .hint("a text with blanks stands in quotes, as in --acceptance \"header once\"")
    })
}

/// Takes the words before the first flag for the title.
fn title_and_flags(words: &[String]) -> (String, Vec<String>) {
    let is_flag = |word: &&String| word.starts_with("--");
    let flags = words.iter().position(|word| is_flag(&word));
    let (title, flags) = words.split_at(flags.unwrap_or(words.len()));
    (title.join(" "), flags.to_vec())
}

/// Carries out `harness feature WORD`, with flags as they were typed.
fn typed(common: &Common, word: &str, flags: &[String], named: &str) -> Result<u8, Failure> {
    let mut words = vec!["harness", "feature", word];
    words.extend(flags.iter().map(String::as_str));
    words.extend(["--", named]);
    let parsed = Cli::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        let line = line.strip_prefix("error: ").unwrap_or(line);
        Failure::usage(format!("cannot read the line: {line}"))
            .hint(format!("`harness feature {word} --help` lists the flags"))
    })?;
    match parsed.command {
        Some(Command::Feature(command)) => feature::run(common, &command),
        _ => Err(Failure::usage("cannot read the line")),
    }
}

fn run_gates(
    common: &Common,
    names: &[String],
    stage: &Stage,
    cancelled: &Cancelled,
) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let wish = gate::Wish {
        names,
        sandbox: None,
        cancelled: cancelled.clone(),
    };
    gate::check_gates(&site, &wish, common, stage, &mut |event, tree| {
        let event = Box::new(redacted(event.clone()));
        let tree = tree.clone();
        stage.send(Input::Answered(Answer::Errand(Progress::Checked {
            event,
            tree,
        })));
        Ok(())
    })
}

/// Keeps secrets out of what is shown, as they are kept out of the log.
fn redacted(event: Event) -> Event {
    let Event::CheckEnded { report } = event else {
        return event;
    };
    let without = |text: String| redact_for_log(&text).unwrap_or(text);
    let report = CheckReport {
        reason: without(report.reason),
        excerpt: without(report.excerpt),
        failed_tests: report.failed_tests.into_iter().map(without).collect(),
        output: Captured {
            head: without(report.output.head),
            tail: without(report.output.tail),
            ..report.output
        },
        ..*report
    };
    Event::CheckEnded {
        report: Box::new(report),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_before_the_first_flag_are_the_title() {
        let read = |said: &str| title_and_flags(&split(said).unwrap());
        assert_eq!(read("Export as CSV").0, "Export as CSV");
        let (title, flags) = read("Export as CSV --acceptance 'header once' --write src/**");
        assert_eq!(title, "Export as CSV");
        assert_eq!(flags, ["--acceptance", "header once", "--write", "src/**"]);
        assert!(split("it's").is_err());
    }
}
