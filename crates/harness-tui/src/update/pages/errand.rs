//! What is done beside a run: how it begins, how far it is, and what is said when it is over.

use harness_report::{clean, clean_line};

use super::{complain, difference_row, look, read};
use crate::{
    app::{App, Notice, Quitting},
    found::{Errand, Progress},
    input::{Failed, Request},
    page::Page,
    reader::Reader,
    text::{Role, Row, untabbed},
};

/// The most lines of what an errand says that stand as a notice; all of it is in the transcript.
const NOTICE_LINES_MAX: usize = 3;

/// Begins something beside a run.
pub(in crate::update) fn begin(app: &mut App, errand: Errand) -> Vec<Request> {
    app.pages.errand = Some(errand.clone());
    vec![Request::Do(errand)]
}

/// Takes in how far an errand has come.
pub(in crate::update) fn progressed(app: &mut App, progress: Progress) -> Vec<Request> {
    let over = match progress {
        Progress::Checked { event, tree } => {
            app.pages.gates.check(&event, Some(tree));
            return Vec::new();
        }
        Progress::Over(over) => over,
    };
    let errand = app.pages.errand.take();
    let is_undo = matches!(errand, Some(Errand::Undo { .. }));
    app.pages.gates.settle();
    match over {
        Ok(text) => done(app, &text),
        Err(failed) if is_undo => refused(app, &failed),
        Err(failed) => {
            complain(app, &failed);
            say_all(app, &failed.message);
        }
    }
    if app.quitting == Quitting::WhenOver && !app.is_busy() {
        return vec![Request::Quit];
    }
    look(app)
}

fn done(app: &mut App, text: &str) {
    app.pages.checkpoints.is_refused = false;
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| clean_line(line, 400))
        .collect();
    if lines.is_empty() {
        return;
    }
    say_all(app, text);
    if app.pages.open != Page::Session {
        app.notice = Some(Notice {
            lines: lines.into_iter().take(NOTICE_LINES_MAX).collect(),
            role: Role::Good,
        });
    }
}

/// Shows why an undo was refused, both sides of each file, and the ways out.
fn refused(app: &mut App, failed: &Failed) {
    say_all(app, &failed.message);
    if failed.message.lines().count() < 2 {
        complain(app, failed);
        return;
    }
    app.tell(
        Role::Bad,
        "error: nothing was undone: it would have overwritten what is yours",
    );
    app.pages.checkpoints.is_refused = true;
    let mut lines: Vec<Row> = clean(&failed.message)
        .lines()
        .map(|line| match line.strip_prefix("  ") {
            Some(changed) => difference_row(changed),
            None => Row::of(Role::Strong, untabbed(line)),
        })
        .collect();
    lines.push(Row::default());
    for way in [
        "q, then u with `files keep-mine`: yours stay as they are, the rest is restored",
        "q, then u with `files save`: yours are saved as a checkpoint first, then all is restored",
    ] {
        lines.push(Row::of(Role::Needed, way));
    }
    read(app, Reader::new("Undo refused", lines));
}

fn say_all(app: &mut App, text: &str) {
    let text = text.trim_end();
    if !text.is_empty() {
        app.transcript.say(harness_report::Who::Note, None, text);
    }
}
