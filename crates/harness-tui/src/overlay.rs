//! What lies over the screen: the help, and lists to choose from by a few letters.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use crate::{
    command::{COMMANDS, Command, Place},
    keymap::KeyMap,
};

/// The longest text to look for. Unit: characters.
const NEEDLE_MAX: usize = 80;

/// What lies over the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overlay {
    /// What it is.
    pub(crate) kind: Kind,
    /// The letters to look for.
    pub(crate) needle: String,
    /// The items that fit, best first.
    pub(crate) items: Vec<Item>,
    /// Which item is chosen.
    pub(crate) chosen: usize,
    /// The first item that is seen.
    pub(crate) top: usize,
    all: Vec<Item>,
}

/// Kinds of overlays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The keys as they are bound.
    Help,
    /// Commands to run.
    Palette,
    /// What a change can be seen against.
    Bases,
    /// Models that can do the work.
    Models,
}

impl Kind {
    /// Returns the title.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Help => "Keys",
            Self::Palette => "Commands",
            Self::Bases => "Compare with",
            Self::Models => "Who does the work",
        }
    }
}

/// One line to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Item {
    /// What it says.
    pub(crate) text: String,
    /// The key, or the place; stands apart.
    pub(crate) aside: String,
    /// Why it cannot be used now; empty when it can.
    pub(crate) reason: String,
    /// A title above what follows.
    pub(crate) is_heading: bool,
    /// The command behind it.
    pub(crate) command: Option<Command>,
}

impl Overlay {
    fn new(kind: Kind, all: Vec<Item>) -> Self {
        let mut overlay = Self {
            kind,
            needle: String::new(),
            items: Vec::new(),
            chosen: 0,
            top: 0,
            all,
        };
        overlay.filter();
        overlay
    }

    /// Makes the help: every command with the keys it has now, place by place.
    pub(crate) fn help(keys: &KeyMap, reason: impl Fn(Command) -> Option<&'static str>) -> Self {
        let mut all = Vec::new();
        for place in Place::ALL {
            all.push(Item {
                text: place.title().to_owned(),
                is_heading: true,
                ..Item::default()
            });
            for entry in COMMANDS.iter().filter(|entry| entry.place == place) {
                let bound = keys.keys(entry).iter().map(ToString::to_string);
                all.push(Item {
                    text: entry.help.to_owned(),
                    aside: bound.collect::<Vec<_>>().join(" "),
                    reason: reason(entry.command).unwrap_or_default().to_owned(),
                    is_heading: false,
                    command: None,
                });
            }
        }
        Self::new(Kind::Help, all)
    }

    /// Makes the palette: every command once.
    pub(crate) fn palette(keys: &KeyMap, reason: impl Fn(Command) -> Option<&'static str>) -> Self {
        let mut all: Vec<Item> = Vec::new();
        for entry in COMMANDS {
            let is_there = all.iter().any(|item| item.command == Some(entry.command));
            if is_there || entry.place.is_by_hand() || entry.command == Command::Palette {
                continue;
            }
            all.push(Item {
                text: format!("{}  {}", entry.name, entry.help),
                aside: keys
                    .keys(entry)
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                reason: reason(entry.command).unwrap_or_default().to_owned(),
                is_heading: false,
                command: Some(entry.command),
            });
        }
        // What can be done now stands first.
        all.sort_by_key(|item| !item.reason.is_empty());
        Self::new(Kind::Palette, all)
    }

    /// Makes the list of the models that can do the work.
    pub(crate) fn models<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let item = |text: String| Item {
            text,
            ..Item::default()
        };
        let cleaned = names.map(|name| harness_report::clean_line(name, 200));
        Self::new(Kind::Models, cleaned.map(item).collect())
    }

    /// Makes the list of what a change can be seen against; the last one has it typed.
    pub(crate) fn bases<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let item = |text: String| Item {
            text,
            ..Item::default()
        };
        let cleaned = words.map(|words| harness_report::clean_line(words, 200));
        let typed = std::iter::once("another branch or commit: type it".to_owned());
        Self::new(Kind::Bases, cleaned.chain(typed).map(item).collect())
    }

    /// Adds a letter to look for.
    pub(crate) fn type_char(&mut self, char: char) {
        if self.needle.chars().count() < NEEDLE_MAX {
            self.needle.push(char);
            self.filter();
        }
    }

    /// Takes the last letter away.
    pub(crate) fn delete(&mut self) {
        self.needle.pop();
        self.filter();
    }

    /// Whether there is nothing to choose.
    pub(crate) fn is_help(&self) -> bool {
        self.kind == Kind::Help
    }

    /// Returns what is chosen.
    pub(crate) fn choice(&self) -> Option<&Item> {
        self.items.get(self.chosen)
    }

    /// Moves the choice, or the page of a help.
    pub(crate) fn step(&mut self, by: isize) {
        let last = self.items.len().saturating_sub(1);
        let place = match self.kind {
            Kind::Help => &mut self.top,
            Kind::Palette | Kind::Bases | Kind::Models => &mut self.chosen,
        };
        *place = place.saturating_add_signed(by).min(last);
    }

    /// Keeps what is chosen in sight.
    pub(crate) fn arrange(&mut self, rows: usize) {
        let rows = rows.max(1);
        if self.kind == Kind::Help {
            self.top = self.top.min(self.items.len().saturating_sub(rows));
            return;
        }
        self.top = self
            .top
            .min(self.chosen)
            .max((self.chosen + 1).saturating_sub(rows));
    }

    fn filter(&mut self) {
        (self.chosen, self.top) = (0, 0);
        if self.needle.trim().is_empty() {
            self.items.clone_from(&self.all);
            return;
        }
        self.items = match self.kind {
            Kind::Help => self.containing(),
            Kind::Palette | Kind::Bases | Kind::Models => self.ranked(),
        };
    }

    /// Help stays in its order, below its titles.
    fn containing(&self) -> Vec<Item> {
        let needle = self.needle.to_lowercase();
        let fits = |item: &Item| {
            item.text.to_lowercase().contains(&needle)
                || item.aside.to_lowercase().contains(&needle)
        };
        let mut kept: Vec<Item> = Vec::new();
        for item in &self.all {
            if item.is_heading {
                kept.pop_if(|last| last.is_heading);
                kept.push(item.clone());
            } else if fits(item) {
                kept.push(item.clone());
            }
        }
        kept.pop_if(|last| last.is_heading);
        kept
    }

    fn ranked(&self) -> Vec<Item> {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(&self.needle, CaseMatching::Ignore, Normalization::Smart);
        let mut buffer = Vec::new();
        let mut found: Vec<(u32, &Item)> = self
            .all
            .iter()
            .filter_map(|item| {
                let text = Utf32Str::new(&item.text, &mut buffer);
                Some((pattern.score(text, &mut matcher)?, item))
            })
            .collect();
        // Who types the beginning of a name means it.
        let needle = self.needle.to_lowercase();
        let is_named = |item: &Item| {
            let name = item.text.split("  ").next().unwrap_or_default();
            let mut words = name.split(['.', '_', ' ']);
            words.any(|word| word.to_lowercase().starts_with(&needle))
        };
        found.sort_by_cached_key(|(score, item)| (!is_named(item), std::cmp::Reverse(*score)));
        found.into_iter().map(|(_, item)| item.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(overlay: &mut Overlay, text: &str) {
        text.chars().for_each(|char| overlay.type_char(char));
    }

    #[test]
    fn the_beginning_of_a_name_finds_what_it_names() {
        for (letters, command) in [("lan", Command::Land), ("rev", Command::ShowReview)] {
            let mut overlay = Overlay::palette(&KeyMap::default(), |_| None);
            typed(&mut overlay, letters);
            assert_eq!(overlay.items[0].command, Some(command), "{letters}");
        }
    }

    #[test]
    fn every_command_is_in_the_help_and_reachable_by_the_palette() {
        let keys = KeyMap::default();
        let help = Overlay::help(&keys, |_| None);
        let palette = Overlay::palette(&keys, |_| None);
        for entry in COMMANDS {
            let in_help = help.items.iter().any(|item| item.text == entry.help);
            assert!(in_help, "{} is not in the help", entry.name);
            let only_in_place = entry.place.is_by_hand();
            let by_palette = palette
                .items
                .iter()
                .any(|item| item.command == Some(entry.command));
            let is_palette = entry.command == Command::Palette;
            assert!(
                by_palette || only_in_place || is_palette,
                "{} is not in the palette",
                entry.name
            );
        }
    }

    #[test]
    fn a_few_letters_find_a_command() {
        let mut palette = Overlay::palette(&KeyMap::default(), |_| None);
        typed(&mut palette, "land");
        assert_eq!(
            palette.choice().and_then(|item| item.command),
            Some(Command::Land)
        );
        typed(&mut palette, "zzzz");
        assert_eq!(palette.choice(), None);
        for _ in 0..4 {
            palette.delete();
        }
        assert!(palette.choice().is_some());
    }

    #[test]
    fn a_filtered_help_keeps_the_titles_of_what_is_left() {
        let mut help = Overlay::help(&KeyMap::default(), |_| None);
        typed(&mut help, "unfold");
        let texts: Vec<&str> = help.items.iter().map(|item| item.text.as_str()).collect();
        assert_eq!(texts, ["Transcript", "Unfold the entry, or fold it again"]);
    }

    #[test]
    fn what_cannot_be_used_now_says_why_and_comes_last() {
        let reason = |command| (command == Command::Help).then_some("not here");
        let palette = Overlay::palette(&KeyMap::default(), reason);
        let last = palette.items.last().unwrap();
        assert_eq!(
            (last.command, last.reason.as_str()),
            (Some(Command::Help), "not here")
        );
    }
}
