//! The keys of the first run: who does the work, and what is written down for it.

use crate::{
    app::App,
    command::Command,
    found::Errand,
    input::{Loan, Request, Start},
    overlay::Overlay,
    page::Page,
    pages::Worker,
    text::Role,
};
use harness_core::RepoPath;
use harness_report::clean_line;

use super::{pages, run};

/// Opens the page by itself, once, where a person has not begun with anything.
pub(super) fn offer(app: &mut App) -> Vec<Request> {
    let is_free = app.pages.open == Page::Session
        && !app.is_busy()
        && app.composer.is_empty()
        && app.overlay.is_none()
        && app.panels.is_empty();
    if app.pages.first.was_shown || !is_free || app.setup.origin != crate::Origin::Bare {
        return Vec::new();
    }
    app.pages.first.was_shown = true;
    pages::show(app, Page::First)
}

/// Carries a command out on the open page; `None` where it is none of its own.
pub(super) fn perform(app: &mut App, command: Command) -> Option<Vec<Request>> {
    if app.pages.open != Page::First || app.pages.reader.is_some() {
        return None;
    }
    let last = Worker::ALL.len() - 1;
    let first = &mut app.pages.first;
    match command {
        Command::RowUp => first.at = first.at.saturating_sub(1),
        Command::RowDown => first.at = (first.at + 1).min(last),
        Command::RowFirst => first.at = 0,
        Command::RowLast => first.at = last,
        Command::Open => return Some(choose(app)),
        Command::FirstNumber1 => return Some(number(app, 0)),
        Command::FirstNumber2 => return Some(number(app, 1)),
        Command::FirstNumber3 => return Some(number(app, 2)),
        Command::FirstNumber4 => return Some(number(app, 3)),
        Command::FirstWrite => return Some(pages::begin(app, Errand::Init)),
        Command::FirstScopes => return Some(edit(app.pages.first.found.lines.0)),
        Command::FirstGates => return Some(edit(app.pages.first.found.lines.1)),
        // What nobody chose changes nothing.
        Command::LeavePage => return Some(run::quit(app)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Says why a command of the page cannot be used now.
pub(crate) fn obstacle(app: &App, command: Command) -> Option<&'static str> {
    let first = &app.pages.first;
    let worker = match command {
        Command::Open => first.chosen(),
        Command::FirstNumber1 => Worker::Demo,
        Command::FirstNumber2 => Worker::Local,
        Command::FirstNumber3 => Worker::Key,
        Command::FirstNumber4 => Worker::Nobody,
        Command::FirstWrite if first.found.has_config => {
            return Some("it is there: e and g open it");
        }
        Command::FirstScopes | Command::FirstGates if !first.found.has_config => {
            return Some("w writes harness.toml first");
        }
        _ => return None,
    };
    match worker {
        _ if app.is_busy() => Some("something is going on"),
        _ if !matches!(first.state, crate::pages::State::There) && worker != Worker::Demo => {
            Some("it is being looked up")
        }
        worker => first.obstacle(worker),
    }
}

fn number(app: &mut App, at: usize) -> Vec<Request> {
    app.pages.first.at = at;
    choose(app)
}

fn choose(app: &mut App) -> Vec<Request> {
    let worker = app.pages.first.chosen();
    if let Some(why) = obstacle(app, Command::Open) {
        app.tell(Role::Needed, why);
        return Vec::new();
    }
    match worker {
        Worker::Demo => {
            let mut asked = pages::show(app, Page::Session);
            app.setup.origin = crate::Origin::Demo;
            asked.push(Request::Start(Start::Demo));
            asked
        }
        Worker::Local => {
            let models = app.pages.first.found.local.clone();
            named(app, &models)
        }
        Worker::Key => {
            let keys = app.pages.first.found.keys.iter();
            let models: Vec<String> = keys.map(|(model, _)| model.clone()).collect();
            named(app, &models)
        }
        Worker::Nobody => {
            let asked = pages::show(app, Page::Session);
            app.tell(
                Role::Quiet,
                "F4 features, F5 gates and F3 review work by hand; D on a feature proves what you did",
            );
            asked
        }
    }
}

/// Takes the only model, or lets the person choose one.
fn named(app: &mut App, models: &[String]) -> Vec<Request> {
    match models {
        [only] => take(app, &clean_line(only, 200)),
        models => {
            app.overlay = Some(Overlay::models(models.iter().map(String::as_str)));
            Vec::new()
        }
    }
}

/// Has a model do the work for as long as the screen is open.
pub(super) fn take(app: &mut App, words: &str) -> Vec<Request> {
    let found = &app.pages.first.found;
    let keys = found.keys.iter().map(|(model, _)| model);
    let mut all = found.local.iter().chain(keys);
    let Some(model) = all.find(|model| clean_line(model, 200) == words).cloned() else {
        return Vec::new();
    };
    let mut asked = pages::show(app, Page::Session);
    app.tell(
        Role::Good,
        format!("{words} does the work: type a task; `[agent] model` in your own file keeps it"),
    );
    asked.push(Request::UseModel(model));
    asked
}

fn edit(line: u32) -> Vec<Request> {
    let Ok(path) = RepoPath::parse("harness.toml") else {
        return Vec::new();
    };
    vec![Request::Lend(Loan::Open {
        path,
        line: line.max(1),
    })]
}
