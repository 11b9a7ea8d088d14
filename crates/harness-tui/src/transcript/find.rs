//! Finding words in the transcript: from a place on, once around, and marked where they are seen.

use super::{Top, Transcript, Way, entry::Entry};
use crate::text::{Role, Row};

/// Words to look for: small letters also find capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needle {
    chars: Vec<char>,
    is_exact: bool,
}

impl Needle {
    /// Makes one; none of an empty text.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let is_exact = text.chars().any(char::is_uppercase);
        let chars: Vec<char> = text.chars().collect();
        (!chars.is_empty()).then_some(Self { chars, is_exact })
    }

    /// Returns where they stand next, from a byte on: begin and end.
    fn next(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let starts = text[from..].char_indices();
        starts
            .map(|(at, _)| from + at)
            .find_map(|start| Some((start, self.end(text, start)?)))
    }

    /// Returns where they end when they begin here.
    fn end(&self, text: &str, start: usize) -> Option<usize> {
        let mut chars = text[start..].char_indices();
        for wanted in &self.chars {
            let (_, char) = chars.next()?;
            let is_same = char == *wanted
                || !self.is_exact && char.to_lowercase().eq(std::iter::once(*wanted));
            if !is_same {
                return None;
            }
        }
        Some(chars.next().map_or(text.len(), |(at, _)| start + at))
    }

    /// Whether they stand in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.next(text, 0).is_some()
    }

    /// Marks them in a row.
    pub(super) fn mark(&self, row: &Row) -> Row {
        let text = row.to_text();
        let mut marked = Row::default();
        let (mut begin, mut hit) = (0, self.next(&text, 0));
        for piece in &row.pieces {
            let end = begin + piece.text.len();
            let mut at = begin;
            while at < end {
                let (until, role) = match hit {
                    Some((start, _)) if at < start => (start.min(end), piece.role),
                    Some((_, stop)) => (stop.min(end), Role::Found),
                    None => (end, piece.role),
                };
                marked.push(role, &text[at..until]);
                at = until;
                if let Some((_, stop)) = hit.filter(|(_, stop)| at >= *stop) {
                    hit = self.next(&text, stop);
                }
            }
            begin = end;
        }
        marked
    }
}

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    /// Found on the way.
    Found,
    /// Found after the end, or the beginning, was passed.
    Around,
    /// They stand nowhere.
    Nowhere,
}

/// Where the transcript was looked at before a search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    top: Top,
    selected: Option<usize>,
    unseen: usize,
    hit: Option<(usize, usize)>,
}

/// Where a search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With what is selected.
    Here,
    /// Behind the last place, or what is selected.
    Beyond,
}

impl Transcript {
    /// Returns where it is looked at.
    pub(crate) const fn spot(&self) -> Spot {
        Spot {
            top: self.top,
            selected: self.selected,
            unseen: self.unseen,
            hit: self.hit,
        }
    }

    /// Goes back to where it was looked at.
    pub(crate) fn go_back(&mut self, spot: Spot) {
        (self.top, self.selected, self.unseen) = (spot.top, spot.selected, spot.unseen);
        self.hit = spot.hit;
        self.settle_top();
    }

    /// Marks words wherever they are seen; none marks nothing.
    pub(crate) fn mark(&mut self, needle: Option<Needle>) {
        self.hit = None;
        self.needle = needle;
    }

    /// Whether words were looked for.
    pub(crate) const fn has_needle(&self) -> bool {
        self.needle.is_some()
    }

    /// Goes to the next place where the words stand that are marked.
    pub(crate) fn seek(&mut self, way: Way, from: Begin) -> Sought {
        let Some(needle) = self.needle.clone() else {
            return Sought::Nowhere;
        };
        let count = self.entries.len();
        let start = self
            .selected
            .unwrap_or_default()
            .min(count.saturating_sub(1));
        let hit = self
            .hit
            .filter(|(entry, _)| *entry == start && from == Begin::Beyond);
        if let Some((entry, row)) = hit {
            let others = self.hits(entry, &needle);
            let next = match way {
                Way::Down => others.iter().find(|other| **other > row),
                Way::Up => others.iter().rev().find(|other| **other < row),
            };
            if let Some(next) = next {
                self.come_to(entry, *next);
                return Sought::Found;
            }
        }
        let steps = match (from, hit) {
            (Begin::Here, _) => 0..count,
            // The entry where it began is the last one, once around.
            (Begin::Beyond, _) => 1..count + 1,
        };
        for step in steps {
            let (index, is_around) = match way {
                Way::Down => ((start + step) % count, start + step >= count),
                Way::Up => ((start + count - step % count) % count, step > start),
            };
            if !self.entries[index].has(&needle) {
                continue;
            }
            self.entries[index].unfold_for(&needle);
            let hits = self.hits(index, &needle);
            let row = match way {
                Way::Down => hits.first(),
                Way::Up => hits.last(),
            };
            self.come_to(index, row.copied().unwrap_or_default());
            return if is_around {
                Sought::Around
            } else {
                Sought::Found
            };
        }
        Sought::Nowhere
    }

    /// Returns the rows of an entry in which the words stand; a place that wraps has none.
    fn hits(&mut self, entry: usize, needle: &Needle) -> Vec<usize> {
        let rows = self.rows(entry).iter().enumerate();
        rows.filter(|(_, row)| needle.is_in(&row.to_text()))
            .map(|(at, _)| at)
            .collect()
    }

    /// Selects an entry and shows one of its rows, with what stands before it.
    fn come_to(&mut self, entry: usize, row: usize) {
        self.selected = Some(entry);
        self.hit = Some((entry, row));
        if !self.is_row_seen(entry, row) {
            self.top = self.above(entry, row, self.size.rows / 3);
            self.settle_top();
        }
    }

    fn is_row_seen(&mut self, entry: usize, row: usize) -> bool {
        let (first, skip) = self.top_row();
        if (entry, row) < (first, skip) {
            return false;
        }
        let (mut at, mut end) = (first, self.size.rows + skip);
        while at < entry {
            let height = self.height(at);
            if height >= end {
                return false;
            }
            end -= height;
            at += 1;
        }
        row < end
    }

    /// Returns the text of the entry that is selected.
    pub(crate) fn selected_text(&self) -> Option<String> {
        self.entries.get(self.selected?).map(Entry::to_text)
    }

    /// Returns the agent's last answer.
    pub(crate) fn last_answer(&self) -> Option<String> {
        let answer = self.entries.iter().rev().find(|entry| entry.is_answer());
        answer.map(Entry::to_text)
    }

    /// Returns everything, an entry after the other, who said it first.
    pub(crate) fn whole_text(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            let body = entry.to_text();
            let mut lines = body.lines();
            text.push_str(entry.who().as_str());
            text.push_str(": ");
            text.push_str(lines.next().unwrap_or_default());
            text.push('\n');
            for line in lines {
                text.push_str("  ");
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, needle: &str) -> String {
        let row = Row::of(Role::Plain, &text[..text.len() / 2])
            .and(Role::Strong, &text[text.len() / 2..]);
        let row = Needle::of(needle).unwrap().mark(&row);
        assert_eq!(row.to_text(), text);
        let pieces = row.pieces.iter().map(|piece| match piece.role {
            Role::Found => format!("<{}>", piece.text),
            _ => piece.text.clone(),
        });
        pieces.collect()
    }

    #[test]
    fn words_are_marked_across_pieces_and_small_letters_find_capitals() {
        assert_eq!(marked("one two one", "one"), "<one> two <one>");
        assert_eq!(marked("abcdef", "cd"), "ab<cd>ef");
        assert_eq!(marked("Error error", "error"), "<Error> <error>");
        assert_eq!(marked("Error error", "Error"), "<Error> error");
        assert_eq!(marked("aaaa", "aa"), "<aaaa>");
        assert_eq!(marked("none here", "x"), "none here");
    }

    #[test]
    fn an_empty_text_is_nothing_to_look_for() {
        assert_eq!(Needle::of(""), None);
    }
}
