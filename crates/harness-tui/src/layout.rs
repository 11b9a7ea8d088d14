//! Who gets which part of the screen.

use ratatui::layout::Rect;

use crate::{
    app::App, command::Place, page::Page, pages::Room, review, transcript::Size, view::tree_columns,
};

/// The least room a screen is drawn in. Unit: columns and rows.
pub const LEAST: (u16, u16) = (60, 16);
/// From this width on, the work column stands beside the transcript.
const WIDE: u16 = 90;
/// From this width on, the work column is wider.
const WIDEST: u16 = 120;
/// The most words that are listed as waiting.
const WAITING_MAX: u16 = 3;
/// The most lines of a notice.
const NOTICE_MAX: u16 = 4;

/// Where everything stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The whole screen.
    pub(crate) whole: Rect,
    /// The first line.
    pub(crate) header: Rect,
    /// The titles of the panes.
    pub(crate) titles: Rect,
    /// The transcript.
    pub(crate) transcript: Rect,
    /// What is going on, one line.
    pub(crate) activity: Rect,
    /// The work column, its rule left out; empty when there is no room.
    pub(crate) work: Rect,
    /// Words that wait.
    pub(crate) waiting: Rect,
    /// The question.
    pub(crate) panel: Rect,
    /// The rule above the composer.
    pub(crate) rule: Rect,
    /// What is offered above the composer.
    pub(crate) offer: Rect,
    /// The composer.
    pub(crate) composer: Rect,
    /// A message to the person.
    pub(crate) notice: Rect,
    /// The last line.
    pub(crate) footer: Rect,
}

impl Layout {
    /// Makes the layout of a screen with nothing on it.
    pub(crate) fn of(columns: u16, rows: u16) -> Self {
        Self {
            whole: Rect::new(0, 0, columns, rows),
            ..Self::default()
        }
    }

    /// Whether there is room for the screen.
    pub(crate) fn fits(&self) -> bool {
        self.whole.width >= LEAST.0 && self.whole.height >= LEAST.1
    }

    /// Returns the room of what lies over the screen.
    pub(crate) fn overlay(&self) -> Rect {
        Rect::new(0, 1, self.whole.width, self.whole.height.saturating_sub(4))
    }
}

/// Shares the screen out and lays out what is seen of every pane.
pub(crate) fn arrange(app: &mut App) {
    if !app.layout.fits() {
        return;
    }
    if app.pages.open == Page::Session {
        arrange_session(app);
    } else {
        arrange_page(app);
    }
    let rows = usize::from(app.layout.overlay().height.saturating_sub(2));
    if let Some(overlay) = &mut app.overlay {
        overlay.arrange(rows);
    }
}

fn arrange_session(app: &mut App) {
    let whole = app.layout.whole;
    let (columns, rows) = (whole.width, whole.height);
    let text_columns = usize::from(columns.saturating_sub(4));
    let (written, _) = app.composer.arrange(text_columns);
    let composer = length(written.len()).clamp(1, (rows / 4).max(1));
    let notice = app.notice.as_ref().map_or(0, |notice| {
        let rows = notice.rows(usize::from(columns), usize::from(NOTICE_MAX));
        length(rows.len())
    });
    let waiting = length(app.waiting.len()).min(WAITING_MAX);
    let activity = u16::from(app.is_busy());
    let offer = match app.place() {
        Place::Offer => app.offer.as_ref().map_or(0, |offer| length(offer.rows())),
        _ => 0,
    };
    let fixed = 4 + composer + notice + waiting + activity + offer;
    let panel = arrange_panel(
        app,
        columns,
        rows.saturating_sub(fixed + 3).min(rows / 2 + 2),
    );
    let transcript = rows.saturating_sub(fixed + panel);
    let side = match columns {
        WIDEST.. => 36,
        WIDE.. => 28,
        _ => 0,
    };
    let mut below = 0;
    let mut next = |height: u16| {
        let area = Rect::new(0, below, columns, height);
        below += height;
        area
    };
    let (header, titles) = (next(1), next(1));
    let body = next(transcript + activity);
    let (waiting, panel, rule) = (next(waiting), next(panel), next(1));
    let (offer, composer, notice, footer) = (next(offer), next(composer), next(notice), next(1));
    let left = columns - side;
    app.layout = Layout {
        whole,
        header,
        titles,
        transcript: Rect::new(0, body.y, left, transcript),
        activity: Rect::new(0, body.y + transcript, left, activity),
        work: match side {
            0 => Rect::default(),
            side => Rect::new(left + 2, body.y, side - 2, body.height),
        },
        waiting,
        panel,
        rule,
        offer,
        composer,
        notice,
        footer,
    };
    app.transcript.arrange(Size {
        columns: usize::from(left.saturating_sub(1)),
        rows: usize::from(transcript),
    });
}

/// Shares the screen out for a page: header, list, what is below it, what waits, footer.
fn arrange_page(app: &mut App) {
    let whole = app.layout.whole;
    let (columns, rows) = (whole.width, whole.height);
    app.pages.renew(app.now);
    let notice = app.notice.as_ref().map_or(0, |notice| {
        let rows = notice.rows(usize::from(columns), usize::from(NOTICE_MAX));
        length(rows.len())
    });
    let prompt = u16::from(app.pages.prompt.is_some());
    let (asked, composer) = arrange_asked(app);
    let fixed = 2 + notice + prompt + asked + composer;
    let panel = arrange_panel(
        app,
        columns,
        rows.saturating_sub(fixed + 4).min(rows / 2 + 2),
    );
    let room = rows.saturating_sub(fixed + panel);
    let more = length(app.pages.below.len());
    let has_below = app.pages.open.has_below() && app.pages.reader.is_none() && more > 0;
    let below = match has_below && room >= 8 {
        true => more.min(room / 3),
        false => 0,
    };
    let rule = u16::from(below > 0);
    let mut next = 0;
    let mut next = |height: u16| {
        let area = Rect::new(0, next, columns, height);
        next += height;
        area
    };
    let header = next(1);
    let body = next(room.saturating_sub(below + rule));
    let (rule, below) = (next(rule), next(below));
    let (asked, panel) = (next(asked), next(panel));
    let (composer, prompt) = (next(composer), next(prompt));
    let (notice, footer) = (next(notice), next(1));
    app.layout = Layout {
        whole,
        header,
        panel,
        composer,
        notice,
        footer,
        ..Layout::default()
    };
    app.pages.room = Room {
        body,
        rule,
        below,
        asked,
        prompt,
    };
    let text_columns = usize::from(columns.saturating_sub(2));
    app.pages
        .below
        .arrange(text_columns, usize::from(below.height));
    let lines = usize::from(body.height);
    match &mut app.pages.reader {
        // Its title stands above it.
        Some(reader) => reader.arrange(text_columns, lines.saturating_sub(1)),
        None if app.pages.open == Page::Review => arrange_review(app, body),
        None => {
            if let Some(list) = app.pages.list_mut() {
                list.arrange(lines);
            }
        }
    }
}

/// Lays out what is seen of a review: the tree, and the sheet with its title.
fn arrange_review(app: &mut App, body: Rect) {
    let tree = tree_columns(body.width);
    let columns = usize::from(body.width.saturating_sub(tree + 2));
    let room = review::Room {
        screen: usize::from(body.width),
        tree: usize::from(tree),
        sheet: (columns, usize::from(body.height.saturating_sub(1))),
    };
    app.pages.review.is_at_work = app.is_busy();
    app.pages.review.arrange(room, app.setup.theme);
}

/// Returns the room for the agent's question and for the answer to it. Unit: rows.
fn arrange_asked(app: &App) -> (u16, u16) {
    if app.asked.is_none() || !app.panels.is_empty() {
        return (0, 0);
    }
    let columns = usize::from(app.layout.whole.width.saturating_sub(4));
    let (written, _) = app.composer.arrange(columns);
    let question = length(app.question.lines().count()).clamp(1, WAITING_MAX);
    (question, length(written.len()).clamp(1, WAITING_MAX))
}

/// Lays the open question out; returns its height.
fn arrange_panel(app: &mut App, columns: u16, rows_max: u16) -> u16 {
    let Some(panel) = app.panels.front_mut() else {
        return 0;
    };
    let body = usize::from(rows_max.saturating_sub(3)).max(1);
    panel.arrange(usize::from(columns.saturating_sub(4)), body);
    // Title, body, what is hidden, keys.
    length(panel.window.len()) + 3
}

fn length(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
