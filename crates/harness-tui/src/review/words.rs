//! What a hunk is called, and how it stands, in words.

use harness_report::clean_line;
use harness_review::{Content, DecisionState, Piece, PieceContent, Side, WholeChange};

use super::Review;
use crate::{
    text::{Role, Row},
    theme::{Sign, Theme},
};

impl Review {
    /// Returns how many digits the numbers of lines have.
    pub(super) fn digits(&self) -> usize {
        let last = self.file().and_then(|file| {
            let hunks = file.pieces().iter().filter_map(Piece::hunk);
            let ends = hunks.map(|hunk| {
                let (old, new) = hunk.extent();
                hunk.old_start
                    .saturating_add(old)
                    .max(hunk.new_start.saturating_add(new))
            });
            ends.max()
        });
        last.unwrap_or(0)
            .saturating_add(25)
            .to_string()
            .len()
            .max(3)
    }

    /// Returns what stands at the head of a piece: `@@ 41  escape`.
    pub(crate) fn heading_words(&self, piece: usize) -> String {
        let words = || {
            let file = self.file()?;
            let piece = file.pieces().get(piece)?;
            Some(match &piece.content {
                PieceContent::Whole(whole) => format!("@@ {}", whole.as_str()),
                PieceContent::Lines(hunk) => {
                    let line = piece.first_line().unwrap_or(hunk.new_start);
                    let heading = file.heading(hunk).map(|text| clean_line(text, 120));
                    format!("@@ {line}  {}", heading.unwrap_or_default())
                }
            })
        };
        words().unwrap_or_default().trim_end().to_owned()
    }

    /// Returns how a piece stands, in a word and a mark.
    pub(crate) fn state_words(&self, piece: usize, theme: Theme) -> Row {
        let states = self
            .spot
            .and_then(|spot| self.standing.files.get(spot.file));
        let state = states
            .and_then(|file| file.hunks.get(piece))
            .map(|hunk| hunk.state);
        let signed = |words: &str, sign: Sign| {
            let words = Row::of(Role::Quiet, words);
            let gap = if words.pieces.is_empty() { "" } else { " " };
            words
                .and(Role::Plain, gap)
                .and(sign.role(), theme.sign(sign))
        };
        match state {
            Some(DecisionState::Accepted) => signed("", Sign::Good),
            Some(DecisionState::Rejected) => signed(self.rejected_words(piece), Sign::Bad),
            Some(DecisionState::Changed) => signed("changed since it was decided", Sign::Needed),
            Some(DecisionState::Mixed) => signed("accepted and rejected", Sign::Good),
            Some(DecisionState::Partly) => signed("partly decided", Sign::Waiting),
            Some(DecisionState::Unseen) | None => Row::default(),
        }
    }

    fn rejected_words(&self, piece: usize) -> &'static str {
        let waits = || {
            let (found, file) = (self.found.as_ref()?, self.file()?);
            let id = &file.pieces().get(piece)?.id;
            let mut pending = found
                .book
                .pending()
                .filter(|decision| decision.path == file.path);
            Some(pending.any(|decision| decision.hunk == *id))
        };
        match (waits().unwrap_or(false), self.is_at_work) {
            (true, true) => "rejected, at turn end",
            (true, false) => "rejected, S takes it back",
            (false, _) => "rejected",
        }
    }

    /// Returns what a piece without lines is, in words.
    pub(super) fn whole_words(&self, piece: usize) -> String {
        let words = || {
            let file = self.file()?;
            let side = |side: &Side| match side {
                Side::Absent => "nothing".to_owned(),
                Side::Link { target } => {
                    format!(
                        "link to {}",
                        clean_line(&String::from_utf8_lossy(target), 100)
                    )
                }
                Side::Gitlink { commit } => format!("submodule at {}", clean_line(commit, 12)),
                Side::File { content, .. } => match content {
                    Content::Text(text) => format!("text, {} bytes", text.len()),
                    Content::Binary { bytes, .. } => format!("binary, {bytes} bytes"),
                    Content::TooLarge { bytes, .. } => {
                        format!("{bytes} bytes, too large to compare")
                    }
                },
            };
            Some(match &file.pieces().get(piece)?.content {
                PieceContent::Lines(_) => "only white space differs: W shows it".to_owned(),
                PieceContent::Whole(WholeChange::Renamed) => {
                    let was = file
                        .was
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default();
                    format!("renamed from {}", clean_line(&was, 200))
                }
                PieceContent::Whole(WholeChange::Mode) => {
                    let (old, new) = file.mode_change().unwrap_or_default();
                    format!("mode {old} → {new}")
                }
                PieceContent::Whole(WholeChange::Added) => format!("new: {}", side(&file.new)),
                PieceContent::Whole(WholeChange::Deleted) => {
                    format!("deleted: {}", side(&file.old))
                }
                PieceContent::Whole(WholeChange::Replaced) => {
                    format!("{} → {}", side(&file.old), side(&file.new))
                }
            })
        };
        words().unwrap_or_default()
    }
}
