//! The review page as it is seen: the files on the left, the chosen one on the right.

use super::{Canvas, focus_mark};
use crate::{
    app::{App, Focus},
    pages::State,
    review::Shown,
    text::{Role, Row, shortened, width},
};

/// Returns how many columns the tree takes, its rule left out. Unit: columns.
pub(crate) fn tree_columns(columns: u16) -> u16 {
    (columns / 4).clamp(14, 34)
}

/// Paints both parts into the room of the page.
pub(super) fn paint(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.pages.room.body;
    let review = &app.pages.review;
    if !review.has_files() {
        for (line, row) in (0..area.height).zip(nothing(app)) {
            canvas.put_at(area, line, 3, &row);
        }
        return;
    }
    let tree = tree_columns(area.width);
    let mut left = area;
    left.width = tree;
    let on_tree = app.focus == Focus::Below && app.pages.prompt.is_none();
    for (line, (row, is_here)) in (0..area.height).zip(&review.files) {
        canvas.put(left, line, row);
        if *is_here {
            let mark = if on_tree { "▌" } else { ">" };
            canvas.put(left, line, &Row::of(Role::Strong, mark));
        }
        if *is_here && on_tree {
            canvas.choose(left, line);
        }
    }
    let mut right = area;
    (right.x, right.width) = (area.x + tree + 2, area.width.saturating_sub(tree + 2));
    for line in 0..area.height {
        canvas.put_at(area, line, tree, &Row::of(Role::Quiet, "│"));
    }
    title(app, canvas, right);
    for (line, shown) in (1..right.height).zip(&review.window) {
        put(canvas, right, line, shown);
    }
}

fn put(canvas: &mut Canvas<'_>, area: ratatui::layout::Rect, line: u16, shown: &Shown) {
    canvas.put(area, line, &shown.row);
    if shown.is_here {
        canvas.put(area, line, &Row::of(Role::Strong, ">"));
    }
    if shown.is_chosen {
        canvas.choose(area, line);
    }
}

/// The line above the sheet: the file, the hunk that one stands in, and how it stands.
fn title(app: &App, canvas: &mut Canvas<'_>, area: ratatui::layout::Rect) {
    let review = &app.pages.review;
    let (Some(file), Some(spot)) = (review.file(), review.spot()) else {
        return;
    };
    let has_focus = app.focus == Focus::List && app.pages.prompt.is_none();
    let mark = focus_mark(has_focus);
    let count = file.pieces().len();
    let mut aside = review.state_words(spot.piece, canvas.theme);
    let place = format!("hunk {}/{count}", spot.piece + 1);
    let mut right = Row::of(Role::Quiet, place);
    if !aside.pieces.is_empty() {
        right.push(Role::Plain, "  ");
        right.pieces.append(&mut aside.pieces);
    }
    let columns = usize::from(area.width);
    let room = columns.saturating_sub(right.width() + 3);
    let path = harness_report::clean_line(&file.path.to_text(), 400);
    let path = shortened_front(&path, room);
    let words = review.heading_words(spot.piece);
    let rest = room.saturating_sub(width(&path) + 3);
    let mut row = Row::of(Role::Working, mark).and(Role::Title, path);
    if rest >= 4 && !words.is_empty() {
        row.push(Role::Working, format!("   {}", shortened(&words, rest)));
    }
    canvas.put(area, 0, &row);
    canvas.put_right(area, 0, &right);
}

/// Cuts the beginning of a path: its end tells more.
fn shortened_front(path: &str, columns: usize) -> String {
    if width(path) <= columns {
        return path.to_owned();
    }
    format!("…{}", crate::text::tail(path, columns.saturating_sub(1)))
}

/// What stands there where there is nothing to look at.
fn nothing(app: &App) -> Vec<Row> {
    let quiet = |text: &str| Row::of(Role::Quiet, text);
    match &app.pages.review.state {
        State::Failed(failed) => {
            let message = harness_report::clean_line(&failed.message, 400);
            let mut rows = vec![Row::of(Role::Bad, format!("error: {message}"))];
            rows.extend(failed.hint.as_ref().map(|hint| {
                Row::of(
                    Role::Plain,
                    format!("hint: {}", harness_report::clean_line(hint, 400)),
                )
            }));
            rows.push(quiet("F3 looks again"));
            rows
        }
        State::There => vec![
            quiet("nothing differs"),
            quiet("b chooses something else to compare; ( goes to the last checkpoint"),
        ],
        State::Unknown | State::Asked => vec![quiet("looking")],
    }
}

/// What the header counts, and what weighs less than what: 0 is never left out.
type Item = (Row, u8);

/// Returns what the header counts, as far as there is room; what must be fixed and how much is
/// decided never goes. Unit of the room: columns.
pub(super) fn told(app: &App, room: usize, gap: usize) -> Vec<Row> {
    let items = items(app);
    let mut by_weight: Vec<usize> = (0..items.len()).collect();
    by_weight.sort_by_key(|at| items[*at].1);
    let mut taken = 0;
    let mut kept = vec![false; items.len()];
    for at in by_weight {
        let (row, rank) = &items[at];
        let width = row.width() + gap;
        kept[at] = *rank == 0 || taken + width <= room;
        taken += if kept[at] { width } else { 0 };
    }
    let kept = items.into_iter().zip(kept).filter(|(_, kept)| *kept);
    kept.map(|((row, _), _)| row).collect()
}

fn items(app: &App) -> Vec<Item> {
    let review = &app.pages.review;
    let Some(found) = review.found() else {
        return Vec::new();
    };
    let plain = |text: String| Row::of(Role::Plain, text);
    let count = |number: usize, noun: &str| match number {
        1 => format!("1 {noun}"),
        many => format!("{many} {noun}s"),
    };
    let title = harness_report::clean_line(&found.title, 60);
    let title = title.split_whitespace().next().unwrap_or_default();
    let words = harness_report::clean_line(&found.words, 60);
    let (added, removed) = review.counts();
    let files = found.change.files().len() + found.change.left_out();
    let progress = review.standing().progress;
    let sizes = Row::of(Role::Added, format!("+{added}"))
        .and(Role::Plain, " ")
        .and(Role::Removed, format!("−{removed}"));
    let hunks = count(progress.hunks, "hunk");
    let mut items = vec![
        (plain(title.to_owned()), 2),
        (plain(format!("base: {words}")), 3),
        (plain(count(files, "file")), 5),
        (sizes, 4),
        (plain(format!("{} of {hunks}", progress.decided)), 0),
    ];
    if progress.must_fix > 0 {
        let text = format!("{} must-fix", progress.must_fix);
        items.push((Row::of(Role::Bad, text), 0));
    }
    items.push((plain(count(progress.comments, "comment")), 1));
    if review.hidden() > 0 {
        items.push((plain(format!("{} done hidden", review.hidden())), 6));
    }
    items
}
