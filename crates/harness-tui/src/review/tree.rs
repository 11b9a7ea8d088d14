//! The files of a change on the left: how each stands, and below them how the gates came out.

use harness_core::ChangeKind;
use harness_report::clean_line;
use harness_review::{
    Change, DecisionState, FileStanding, Order, RowKind, Standing, export::ShownCheck,
};

use crate::{
    text::{Role, Row, shortened, width},
    theme::{Sign, Theme},
};

/// The most lines about the gates.
const CHECKS_MAX: usize = 6;

/// The part of the tree that is seen.
#[derive(Debug, Default)]
pub(super) struct Tree {
    top: usize,
}

/// What the tree is made of.
pub(super) struct Wood<'a> {
    pub(super) change: &'a Change,
    pub(super) standing: &'a Standing,
    pub(super) order: &'a Order,
    pub(super) checks: &'a [ShownCheck],
    /// The file that is looked at.
    pub(super) file: Option<usize>,
    pub(super) theme: Theme,
}

impl Tree {
    /// Lays out what is seen, each row with whether it is the file that is looked at.
    pub(super) fn arrange(
        &mut self,
        wood: &Wood<'_>,
        columns: usize,
        lines: usize,
    ) -> Vec<(Row, bool)> {
        let checks = wood.checks.len().min(CHECKS_MAX);
        let below = if checks > 0 && lines >= 10 {
            (checks + 2).min(lines / 3)
        } else {
            0
        };
        let lines_of_files = lines.saturating_sub(below).max(1);
        let all = wood.order.rows();
        let is_here =
            |kind: &RowKind| matches!(kind, RowKind::File { at } if Some(*at) == wood.file);
        let here = all
            .iter()
            .position(|row| is_here(&row.kind))
            .unwrap_or(self.top);
        self.top = self
            .top
            .min(here)
            .max((here + 1).saturating_sub(lines_of_files));
        self.top = self.top.min(all.len().saturating_sub(lines_of_files));
        let seen = all.iter().skip(self.top).take(lines_of_files);
        let mut rows: Vec<(Row, bool)> = seen
            .map(|row| (wood.row(row, columns), is_here(&row.kind)))
            .collect();
        let hidden = all.len().saturating_sub(self.top + lines_of_files);
        if let Some(last) = rows
            .last_mut()
            .filter(|(_, is_here)| hidden > 0 && !is_here)
        {
            last.0 = Row::of(Role::Quiet, format!("   {} more", hidden + 1));
        }
        if below > 1 {
            rows.resize(lines.saturating_sub(below) + 1, (Row::default(), false));
            let tree = wood
                .checks
                .first()
                .map(|check| format!(" Evidence {}", check.tree));
            rows.push((
                Row::of(Role::Title, shortened(&tree.unwrap_or_default(), columns)),
                false,
            ));
            let shown = wood.checks.iter().take(below - 2);
            rows.extend(shown.map(|check| (wood.check(check, columns), false)));
        }
        rows
    }
}

impl Wood<'_> {
    fn row(&self, row: &harness_review::Row, columns: usize) -> Row {
        let indent = " ".repeat(1 + usize::from(row.depth.min(6)));
        let name = clean_line(&row.name, 200);
        let RowKind::File { at } = row.kind else {
            let text = format!("{indent}▾ {name}/");
            return Row::of(Role::Plain, shortened(&text, columns));
        };
        let standing = self.standing.files.get(at);
        let (role, sign) = match self
            .change
            .files()
            .get(at)
            .map(harness_review::FileChange::kind)
        {
            Some(ChangeKind::Added) => (Role::Added, "+"),
            Some(ChangeKind::Deleted) => (Role::Removed, "−"),
            _ => (Role::Plain, "~"),
        };
        let aside = standing.map_or_else(Row::default, |standing| self.aside(standing));
        let lead = width(&indent) + 2;
        let room = columns.saturating_sub(lead + aside.width() + 1);
        let mut told = Row::of(Role::Plain, indent)
            .and(role, sign)
            .and(Role::Plain, format!(" {}", shortened(&name, room)))
            .padded(lead + room + 1);
        told.pieces.extend(aside.pieces);
        told
    }

    /// Returns how a file stands: how much is decided, and a mark that says why to look again.
    fn aside(&self, standing: &FileStanding) -> Row {
        let counts = format!("{}/{}", standing.decided(), standing.hunks.len());
        let is_changed = standing
            .hunks
            .iter()
            .any(|hunk| hunk.state == DecisionState::Changed);
        let (role, mark) = if is_changed {
            (Role::Needed, "!")
        } else if standing.comments > 0 {
            (Role::Needed, "✎")
        } else if standing.is_done() {
            (Role::Good, self.theme.sign(Sign::Good))
        } else {
            (Role::Plain, " ")
        };
        Row::of(Role::Plain, format!("{counts} ")).and(role, mark)
    }

    fn check(&self, check: &ShownCheck, columns: usize) -> Row {
        let sign = match check.status.as_str() {
            "green" => Sign::Good,
            "stale" => Sign::Waiting,
            _ => Sign::Bad,
        };
        let tests = check
            .tests
            .map_or(String::new(), |[run, failed, _]| match failed {
                0 => format!(" {run}"),
                failed => format!(" {failed} of {run}"),
            });
        let word = if sign == Sign::Waiting { " stale" } else { "" };
        let text = format!(" {}{tests}{word}", clean_line(&check.gate, 60));
        let mark = self.theme.sign(sign);
        let room = columns.saturating_sub(2 + width(mark));
        Row::of(Role::Plain, "  ")
            .and(sign.role(), mark)
            .and(Role::Plain, shortened(&text, room))
    }
}
