//! What is offered above the composer, and the words that are looked for in the transcript.

use ratatui::layout::Position;

use super::{Canvas, typed};
use crate::{
    app::App,
    command::Place,
    offer::{Kind, Offered},
    text::{Role, Row, shortened, tail, width},
};

/// Columns for the name of a command.
const NAME: usize = 12;

pub(super) fn paint(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.layout.offer;
    let (true, Some(offer)) = (area.height > 0, &app.offer) else {
        return;
    };
    let count = match (
        offer.is_waiting,
        app.files.is_cut && offer.kind == Kind::Files,
    ) {
        (true, _) => " looking the names up ".to_owned(),
        (false, true) => format!(" {} of the first files ", offer.count()),
        (false, false) => format!(" {} {} ", offer.count(), offer.kind.noun(offer.count())),
    };
    let mut rule = app.layout.rule;
    rule.width = rule.width.saturating_sub(2);
    canvas.put_right(rule, 0, &Row::of(Role::Quiet, count));
    let columns = usize::from(area.width.saturating_sub(4));
    for (line, (offered, is_chosen)) in (0..area.height).zip(offer.seen()) {
        let mark = if is_chosen { " > " } else { "   " };
        let row = Row::of(Role::Strong, mark);
        canvas.put(area, line, &with_words(row, offer.kind, offered, columns));
        if is_chosen {
            canvas.choose(area, line);
        }
    }
    if offer.choice().is_none() && !offer.is_waiting {
        canvas.put_at(
            area,
            0,
            3,
            &Row::of(Role::Quiet, "nothing fits these letters"),
        );
    }
}

fn with_words(row: Row, kind: Kind, offered: &Offered, columns: usize) -> Row {
    let text = harness_report::clean_line(&offered.text, 2_000);
    match kind {
        Kind::Commands => {
            let row = row.and(Role::Strong, format!("/{text}")).padded(NAME + 3);
            let room = columns.saturating_sub(NAME);
            row.and(Role::Quiet, shortened(&offered.help, room))
        }
        // The end of a path says more than its beginning.
        Kind::Files if width(&text) > columns => {
            let end = tail(&text, columns.saturating_sub(1));
            row.and(Role::Plain, format!("…{end}"))
        }
        Kind::Files => row.and(Role::Plain, text),
        Kind::Earlier => row.and(Role::Plain, shortened(&text, columns)),
    }
}

/// Paints the words that are looked for where the keys stand else; returns where the cursor is.
pub(super) fn finding(app: &App, canvas: &mut Canvas<'_>) -> Option<Position> {
    let finding = app.finding.as_ref()?;
    if app.place() != Place::Find {
        return None;
    }
    let area = app.layout.footer;
    let room = usize::from(area.width).saturating_sub(30);
    let words = tail(&typed(&finding.words), room);
    let column = 2 + u16::try_from(width(&words)).unwrap_or(0);
    let row = Row::of(Role::Strong, "/").and(Role::Plain, words);
    canvas.put_at(area, 0, 1, &row);
    let told = match finding.is_found {
        true => Row::of(Role::Quiet, "enter find   esc back "),
        false => Row::of(Role::Needed, "stands nowhere   ").and(Role::Quiet, "esc back "),
    };
    canvas.put_right(area, 0, &told);
    Some(Position::new(area.x + column.min(area.width - 1), area.y))
}
