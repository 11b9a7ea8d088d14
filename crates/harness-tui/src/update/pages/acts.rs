//! What a page is for: runs, errands and lines that begin at its chosen row.

use harness_report::clean_line;

use super::{difference, errand::begin, look, show};
use crate::{
    app::App,
    command::Command,
    found::{Errand, Rank, Wanted},
    input::{Query, Request, Start},
    list::Step,
    page::{self, Page, Prompt, Typing},
    text::Role,
};

/// Does what a page is for.
pub(super) fn acts(app: &mut App, command: Command) -> Option<Vec<Request>> {
    match command {
        Command::FailureNext => failure(app, Step::Down),
        Command::FailurePrevious => failure(app, Step::Up),
        Command::FeatureNew => {
            app.pages.prompt = Some(Prompt::new(Typing::New, "new feature: ", ""));
            app.tell(
                Role::Quiet,
                "its title, then flags if you like, as in --acceptance \"header once\"",
            );
        }
        Command::FeatureEdit => edit(app),
        Command::FeatureBlock => block(app),
        Command::FeatureRun => {
            let id = app.pages.features.chosen()?.feature.id.to_string();
            show(app, Page::Session);
            return Some(vec![Request::Start(Start::Goal(id))]);
        }
        Command::FeatureFinish => {
            let id = app.pages.features.chosen()?.feature.id.clone();
            show(app, Page::Session);
            return Some(vec![Request::Start(Start::Finish(id))]);
        }
        Command::FeatureEarlier => return ranked(app, Rank::Earlier),
        Command::FeatureLater => return ranked(app, Rank::Later),
        Command::GateRun => {
            let names = vec![app.pages.gates.chosen()?.name.clone()];
            return Some(begin(app, Errand::RunGates { names }));
        }
        Command::GateRunAll => return Some(begin(app, Errand::RunGates { names: Vec::new() })),
        Command::GateOpen => {
            let (path, line) = app.pages.gates.chosen()?.place()?;
            return Some(vec![Request::Look(Query::Page(Wanted::File {
                path,
                line,
            }))]);
        }
        Command::GateTell => return tell_agent(app),
        Command::CheckpointCompare => return compare(app),
        Command::CheckpointUndo => undo(app),
        Command::SessionRename => {
            let chosen = app.pages.sessions.chosen()?;
            let typing = Typing::Rename(chosen.session?, chosen.repository.clone());
            app.pages.prompt = Some(Prompt::new(typing, "name: ", &chosen.name.clone()));
            app.tell(
                Role::Quiet,
                "letters, digits, `-`, `_` and `.`; an empty line takes the name away",
            );
        }
        Command::SessionArchive => {
            let chosen = app.pages.sessions.chosen()?;
            let errand = Errand::Archive {
                session: chosen.session?,
                repository: chosen.repository.clone(),
            };
            return Some(begin(app, errand));
        }
        Command::SessionFork => {
            let chosen = app.pages.sessions.chosen()?;
            let (session, last) = (chosen.session?, chosen.checkpoint?);
            let title = format!("a new session from {session} at checkpoint: ");
            let prompt = Prompt::new(Typing::Fork(session), title, &last.to_string());
            app.pages.prompt = Some(prompt);
            app.tell(
                Role::Quiet,
                "files and talk go there; F6 lists the checkpoints; nothing of yours is overwritten",
            );
        }
        Command::SessionsEverywhere => {
            app.pages.sessions.reach = page::other(app.pages.sessions.reach);
            return Some(look(app));
        }
        _ => return None,
    }
    Some(Vec::new())
}

fn failure(app: &mut App, step: Step) {
    let gates = &mut app.pages.gates;
    let mut list = std::mem::take(&mut gates.list);
    list.seek(step, |line| gates.is_red(line));
    gates.list = list;
}

fn edit(app: &mut App) {
    let Some(found) = app.pages.features.chosen() else {
        return;
    };
    let id = found.feature.id.clone();
    let title = found.feature.title.replace('"', "\\\"");
    let prompt = Prompt::new(
        Typing::Amend(id.clone()),
        format!("amend {id}: "),
        &format!("--title \"{}\"", clean_line(&title, 400)),
    );
    app.pages.prompt = Some(prompt);
    app.tell(
        Role::Quiet,
        "flags as of `harness feature amend`, as in --add-acceptance \"header once\"",
    );
}

fn block(app: &mut App) {
    use harness_core::FeatureStatus as Status;
    let Some(found) = app.pages.features.chosen() else {
        return;
    };
    let id = found.feature.id.clone();
    let prompt = match found.feature.status {
        Status::Blocked | Status::NeedsHuman | Status::Cancelled => {
            let title = format!("reopen {id}, why (may be empty): ");
            Prompt::new(Typing::Reopen(id), title, "")
        }
        _ => {
            let title = format!("{id} waits for: ");
            Prompt::new(Typing::Block(id), title, "")
        }
    };
    app.pages.prompt = Some(prompt);
}

fn ranked(app: &mut App, to: Rank) -> Option<Vec<Request>> {
    let feature = app.pages.features.chosen()?.feature.id.clone();
    Some(begin(app, Errand::Move { feature, to }))
}

/// Puts how a gate failed to the agent, as words of the person.
fn tell_agent(app: &mut App) -> Option<Vec<Request>> {
    let text = app.pages.gates.chosen()?.to_words()?;
    show(app, Page::Session);
    // What was being written stays: it goes along behind.
    let written = app.composer.text();
    let text = if written.trim().is_empty() {
        text
    } else {
        format!("{text}\n\n{written}")
    };
    app.composer.set(&text);
    app.tell(
        Role::Needed,
        "Enter sends this to the agent; change it first if you like",
    );
    Some(Vec::new())
}

/// Marks the chosen checkpoint, or compares it with the one that is marked.
fn compare(app: &mut App) -> Option<Vec<Request>> {
    let number = app.pages.checkpoints.chosen()?.number;
    match app.pages.checkpoints.marked {
        Some(marked) if marked == number => {
            app.pages.checkpoints.mark(None);
            app.tell(Role::Quiet, "the mark is taken away");
            Some(Vec::new())
        }
        Some(marked) => {
            app.pages.checkpoints.mark(None);
            Some(difference(app, marked))
        }
        None => {
            app.pages.checkpoints.mark(Some(number));
            app.tell(Role::Needed, "now choose the other one and press d again");
            Some(Vec::new())
        }
    }
}

fn undo(app: &mut App) {
    let checkpoints = &app.pages.checkpoints;
    let (Some(session), Some(chosen)) = (checkpoints.session, checkpoints.chosen()) else {
        return;
    };
    let number = chosen.number;
    let text = if checkpoints.is_refused {
        "files keep-mine"
    } else {
        "files"
    };
    let title = format!("back to checkpoint {number}, what: ");
    app.pages.prompt = Some(Prompt::new(Typing::Undo(session, number), title, text));
    app.tell(
        Role::Needed,
        "files, talk or both; files keep-mine leaves yours as they are, files save saves them first",
    );
}
