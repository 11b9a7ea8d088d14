//! Going to comments and to matches, over the ends of files.

use harness_core::RepoPath;
use harness_review::{Order, Piece, Spot};

use super::{Review, Way, line, sheet::Item};

/// The most lines that are looked through for a text at once.
const SOUGHT_MAX: usize = 2_000_000;

impl Review {
    /// Goes to the next comment or the one before, over the ends of files.
    pub(crate) fn go_to_comment(&mut self, way: Way) -> bool {
        let is_comment = |item: &Item| {
            matches!(
                item,
                Item::Said {
                    comment: Some(_),
                    ..
                }
            )
        };
        let here = match way {
            Way::On => (self.cursor + 1..self.items.len()).find(|at| is_comment(&self.items[*at])),
            Way::Back => (0..self.cursor)
                .rev()
                .find(|at| is_comment(&self.items[*at])),
        };
        if let Some(at) = here {
            self.selection = None;
            self.cursor = at;
            self.follow();
            return true;
        }
        let Some(found) = &self.found else {
            return false;
        };
        let said: Vec<&RepoPath> = found
            .book
            .shown()
            .filter_map(|comment| comment.place.path())
            .collect();
        let has_comments = |spot: &Spot| {
            found
                .change
                .files()
                .get(spot.file)
                .is_some_and(|file| said.contains(&&file.path))
        };
        let next = |from: Option<Spot>| match way {
            Way::On => self.order.next_file(from),
            Way::Back => self.order.previous_file(from),
        };
        let mut file = next(self.spot);
        while let Some(spot) = file.filter(|spot| !has_comments(spot)) {
            file = next(Some(spot));
        }
        let Some(spot) = file else { return false };
        self.go(spot);
        let mut comments = (0..self.items.len()).filter(|at| is_comment(&self.items[*at]));
        let at = match way {
            Way::On => comments.next(),
            Way::Back => comments.next_back(),
        };
        self.cursor = at.unwrap_or(self.cursor);
        self.follow();
        true
    }

    /// Goes to a comment, in whatever file it is.
    pub(crate) fn go_to_number(&mut self, number: u32) {
        let file = self.found.as_ref().and_then(|found| {
            let place = &found.book.comment_by_number(number)?.place;
            found.change.file(place.path()?).map(|(file, _)| file)
        });
        if let Some(file) = file.filter(|file| self.spot.is_none_or(|here| here.file != *file)) {
            self.go(Spot { file, piece: 0 });
        }
        self.make();
        let is_it = |item: &Item| matches!(item, Item::Said { comment: Some(other), .. } if *other == number);
        if let Some(at) = self.items.iter().position(is_it) {
            self.cursor = at;
        }
    }

    /// Returns what is looked for.
    pub(crate) fn needle(&self) -> &str {
        &self.needle
    }

    /// Looks for a text from here on; `false` when it is nowhere.
    pub(crate) fn find(&mut self, needle: &str) -> bool {
        self.needle = needle.trim().to_lowercase();
        !self.needle.is_empty() && (self.is_match(self.cursor) || self.find_next(Way::On))
    }

    fn is_match(&self, at: usize) -> bool {
        let Some(item) = self.items.get(at) else {
            return false;
        };
        let hunk = item
            .piece()
            .and_then(|piece| self.file()?.pieces().get(piece)?.hunk());
        let has = |line: &usize| {
            let line = hunk.and_then(|hunk| hunk.lines.get(*line));
            line.is_some_and(|line| !line::found(&line.text, &self.needle).is_empty())
        };
        match item {
            Item::Around { text, .. } => !line::found(text, &self.needle).is_empty(),
            item => item.lines().iter().any(has),
        }
    }

    /// Goes to the next line with the text, over the ends of files and around.
    pub(crate) fn find_next(&mut self, way: Way) -> bool {
        if self.needle.is_empty() {
            return false;
        }
        self.selection = None;
        let here = match way {
            Way::On => (self.cursor + 1..self.items.len()).find(|at| self.is_match(*at)),
            Way::Back => (0..self.cursor).rev().find(|at| self.is_match(*at)),
        };
        if let Some(at) = here {
            self.cursor = at;
            self.follow();
            return true;
        }
        let Some(spot) = self.file_with(way) else {
            return false;
        };
        self.go(spot);
        let mut matches = (0..self.items.len()).filter(|at| self.is_match(*at));
        let at = match way {
            Way::On => matches.next(),
            Way::Back => matches.next_back(),
        };
        self.cursor = at.unwrap_or(self.cursor);
        self.follow();
        at.is_some()
    }

    /// Returns the next file with the text that is looked for, this one last.
    fn file_with(&self, way: Way) -> Option<Spot> {
        let found = self.found.as_ref()?;
        let mut left = SOUGHT_MAX;
        let mut has = |spot: Spot| {
            let pieces = found.change.files().get(spot.file)?.pieces().iter();
            let mut lines = pieces.filter_map(Piece::hunk).flat_map(|hunk| &hunk.lines);
            let is_there = lines.any(|line| {
                left = left.saturating_sub(1);
                left > 0 && !line::found(&line.text, &self.needle).is_empty()
            });
            is_there.then_some(spot)
        };
        let next = |order: &Order, from: Option<Spot>| match way {
            Way::On => order.next_file(from),
            Way::Back => order.previous_file(from),
        };
        let mut from = self.spot;
        let mut is_around = false;
        loop {
            let spot = match next(&self.order, from) {
                Some(spot) => spot,
                None if is_around => return None,
                None => {
                    is_around = true;
                    next(&self.order, None)?
                }
            };
            if has(spot).is_some() {
                return Some(spot);
            }
            if is_around && Some(spot.file) == self.spot.map(|spot| spot.file) {
                return None;
            }
            from = Some(spot);
        }
    }
}
