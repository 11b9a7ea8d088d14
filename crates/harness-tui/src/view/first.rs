//! The page of the first run as it is seen.

use super::Canvas;
use crate::{
    app::App,
    pages::State,
    text::{Role, Row},
};

pub(super) fn paint(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.pages.room.body;
    let first = &app.pages.first;
    let mut rows = first.rows(usize::from(area.width));
    match &first.state {
        State::Failed(failed) => {
            rows.push(Row::default());
            let text = harness_report::clean_line(&failed.message, 400);
            rows.push(Row::of(Role::Bad, format!("  error: {text}")));
            rows.extend(failed.hint.as_ref().map(|hint| {
                let hint = harness_report::clean_line(hint, 400);
                Row::of(Role::Plain, format!("  hint: {hint}"))
            }));
        }
        State::Unknown | State::Asked => rows.push(Row::of(Role::Quiet, "  looking")),
        State::There => {}
    }
    for (line, row) in (0..area.height).zip(&rows) {
        canvas.put(area, line, row);
        if usize::from(line) == first.at + 1 {
            canvas.choose(area, line);
        }
    }
}

/// Returns what the header tells.
pub(super) fn told(app: &App) -> Vec<Row> {
    let found = &app.pages.first.found;
    let plain = |text: String| Row::of(Role::Plain, text);
    let mut items = Vec::new();
    if !found.repository.is_empty() {
        let name = harness_report::clean_line(&found.repository, 60);
        items.push(plain(format!("in {name}")));
        let branch = harness_report::clean_line(&found.branch, 60);
        let state = match found.changed {
            0 => "clean".to_owned(),
            1 => "1 file not committed".to_owned(),
            many => format!("{many} files not committed"),
        };
        items.push(plain(format!("(git, {branch}, {state})")));
    }
    items
}
