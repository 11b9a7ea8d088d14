//! The first line: where we are and what it has cost so far.

use super::Canvas;
use crate::{
    app::App,
    text::{Role, Row, shortened},
    work::{Work, age},
};

/// The least room for the title of a feature that is worth showing. Unit: columns.
const TITLE_MIN: usize = 8;
/// The room for the title that goes before the share of the cache. Unit: columns.
const TITLE_WANTED: usize = 16;
/// Blanks between two items.
const GAP: usize = 2;

pub(super) fn paint(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.layout.header;
    let columns = usize::from(area.width).saturating_sub(2);
    let (left, right) = rows(app, columns);
    canvas.put_at(area, 0, 1, &left);
    let mut right_area = area;
    right_area.width = area.width.saturating_sub(1);
    canvas.put_right(right_area, 0, &right);
}

/// When an item is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Whatever has to go for it.
    Always,
    /// While there is room for what stands before it.
    Usually,
    /// While there is room for everything else.
    WithRoom,
}

type Item = (String, Role, Keep);

/// Returns the left and the right part; what has no room is dropped from the right, the share of the
/// cache first, a recording's name never.
fn rows(app: &App, columns: usize) -> (Row, Row) {
    let work = &app.work;
    let mut left = vec![("harness".to_owned(), Role::Strong)];
    left.extend((!work.repository.is_empty()).then(|| (work.repository.clone(), Role::Plain)));
    let feature = work.current.as_ref().map(|id| id.as_str().to_owned());
    left.extend(feature.map(|id| (id, Role::Title)));
    let mut right = right_items(app);
    let title = title(work);
    let wanted = title.as_deref().map_or(0, crate::text::width);
    if width(&left, &right) + wanted.min(TITLE_WANTED) + 1 > columns {
        right.retain(|(_, _, keep)| *keep != Keep::WithRoom);
    }
    while width(&left, &right) > columns {
        let Some(at) = right.iter().rposition(|item| item.2 != Keep::Always) else {
            break;
        };
        right.remove(at);
    }
    let mut left = join(left.iter().map(|(text, role)| (text.as_str(), *role)));
    let right = join(right.iter().map(|(text, role, _)| (text.as_str(), *role)));
    let room = columns.saturating_sub(left.width() + right.width() + GAP + 1);
    if let Some(title) = title.filter(|_| room >= TITLE_MIN) {
        left.push(Role::Plain, format!(" {}", shortened(&title, room)));
    }
    (left, right)
}

fn title(work: &Work) -> Option<String> {
    let current = work.current.as_ref()?;
    let feature = work
        .features
        .iter()
        .find(|feature| feature.id == *current)?;
    Some(feature.title.clone())
}

fn right_items(app: &App) -> Vec<Item> {
    let work = &app.work;
    let mut items = Vec::new();
    if !work.branch.is_empty() {
        let ahead = match work.commits {
            0 => String::new(),
            commits => format!("+{commits}"),
        };
        items.push((
            format!("{}{ahead}", work.branch),
            Role::Plain,
            Keep::Usually,
        ));
    }
    if let Some(model) = &work.model {
        let (role, keep) = if model.recorded {
            (Role::Needed, Keep::Always)
        } else {
            (Role::Plain, Keep::Usually)
        };
        items.push((model.name.clone(), role, keep));
    }
    if let Some(percent) = work.context_percent() {
        items.push((format!("{percent}% ctx"), Role::Plain, Keep::Usually));
    }
    if let Some(percent) = work.used.usage.cache_percent() {
        items.push((format!("cache {percent}%"), Role::Plain, Keep::WithRoom));
    }
    match &work.model {
        Some(model) if model.priced => {
            items.push((work.used.spent.to_string(), Role::Plain, Keep::Usually));
        }
        Some(_) => items.push(("price unknown".to_owned(), Role::Quiet, Keep::Usually)),
        None => {}
    }
    if let Some(since) = work.used.since {
        let until = work.used.until.unwrap_or(app.now);
        items.push((
            age(until.since(since).as_secs()),
            Role::Plain,
            Keep::Usually,
        ));
    }
    items
}

fn width(left: &[(String, Role)], right: &[Item]) -> usize {
    let texts = left
        .iter()
        .map(|item| &item.0)
        .chain(right.iter().map(|item| &item.0));
    texts.map(|text| crate::text::width(text) + GAP).sum()
}

fn join<'a>(items: impl Iterator<Item = (&'a str, Role)>) -> Row {
    let mut row = Row::default();
    for (text, role) in items {
        if !row.pieces.is_empty() {
            row.push(Role::Plain, " ".repeat(GAP));
        }
        row.push(role, text);
    }
    row
}
