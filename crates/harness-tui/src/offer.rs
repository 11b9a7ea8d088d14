//! What is offered above the composer while a word is typed: file names, commands, earlier texts.

use std::sync::Arc;

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

/// The most names that are listed; the letters decide which.
const FOUND_MAX: usize = 200;
/// The most rows that are seen at once.
pub(crate) const ROWS_MAX: usize = 6;
/// The longest text to look for. Unit: characters.
const NEEDLE_MAX: usize = 200;

/// What is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Files of the repository, after `@`.
    Files,
    /// Commands, after `/`.
    Commands,
    /// Texts that were written before.
    Earlier,
}

impl Kind {
    /// Returns what so many are called.
    pub(crate) const fn noun(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Files, 1) => "file",
            (Self::Files, _) => "files",
            (Self::Commands, 1) => "command",
            (Self::Commands, _) => "commands",
            (Self::Earlier, 1) => "earlier text",
            (Self::Earlier, _) => "earlier texts",
        }
    }
}

/// One thing that can be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offered {
    /// What is put into the text.
    pub(crate) text: String,
    /// What it does.
    pub(crate) help: String,
}

/// The names of the repository's files, as they were last looked up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// The names; none before the first answer.
    pub(crate) names: Option<Arc<[Offered]>>,
    /// Whether there are more than were told.
    pub(crate) is_cut: bool,
    /// Whether an answer is on its way.
    pub(crate) is_asked: bool,
}

/// The list above the composer.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// What is offered.
    pub(crate) kind: Kind,
    /// The letters that were typed.
    pub(crate) needle: String,
    /// Which is chosen, of those that fit.
    pub(crate) chosen: usize,
    /// The first that is seen.
    pub(crate) top: usize,
    /// Whether the names are still being looked up.
    pub(crate) is_waiting: bool,
    all: Arc<[Offered]>,
    /// All that fit, in their order; typing on looks at no others.
    fitting: Vec<usize>,
    /// The best of them, best first.
    best: Vec<usize>,
}

impl Offer {
    /// Makes an offer of what fits some letters.
    pub(crate) fn new(kind: Kind, all: Arc<[Offered]>, needle: &str) -> Self {
        let mut offer = Self {
            kind,
            needle: String::new(),
            chosen: 0,
            top: 0,
            is_waiting: false,
            fitting: (0..all.len()).collect(),
            best: Vec::new(),
            all,
        };
        offer.look_for(needle);
        offer
    }

    /// Makes an offer of names that are not known yet.
    pub(crate) fn waiting(kind: Kind, needle: &str) -> Self {
        Self {
            is_waiting: true,
            ..Self::new(kind, Arc::from([]), needle)
        }
    }

    /// Whether there is something to see.
    pub(crate) fn is_shown(&self) -> bool {
        self.is_waiting || !self.best.is_empty() || self.kind == Kind::Earlier
    }

    /// Returns how many fit.
    pub(crate) fn count(&self) -> usize {
        self.fitting.len()
    }

    /// Returns what is seen, with whether it is chosen.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (&Offered, bool)> {
        let rows = self.best.iter().enumerate().skip(self.top).take(ROWS_MAX);
        rows.map(|(at, index)| (&self.all[*index], at == self.chosen))
    }

    /// Returns how many rows it takes.
    pub(crate) fn rows(&self) -> usize {
        self.best.len().clamp(1, ROWS_MAX)
    }

    /// Returns what is chosen.
    pub(crate) fn choice(&self) -> Option<&Offered> {
        self.best.get(self.chosen).map(|index| &self.all[*index])
    }

    /// Whether what was typed is the whole of what is offered, so that there is nothing to take.
    pub(crate) fn is_exact(&self) -> bool {
        let is_typed = |index: &usize| self.all[*index].text == self.needle;
        self.kind != Kind::Earlier && self.best.iter().any(is_typed)
    }

    /// Moves the choice; past either end it begins again at the other.
    pub(crate) fn step(&mut self, by: isize) {
        let count = self.best.len().max(1);
        self.chosen = match self.chosen.checked_add_signed(by) {
            Some(next) if next < count => next,
            Some(_) => 0,
            None => count - 1,
        };
        let least = (self.chosen + 1).saturating_sub(ROWS_MAX);
        self.top = self.top.clamp(least, self.chosen);
    }

    /// Adds a letter to look for.
    pub(crate) fn type_char(&mut self, char: char) {
        self.look_for(&format!("{}{char}", self.needle));
    }

    /// Takes the last letter away; `false` when there was none.
    pub(crate) fn delete(&mut self) -> bool {
        let mut needle = self.needle.clone();
        let had_one = needle.pop().is_some();
        self.look_for(&needle);
        had_one
    }

    /// Looks for other letters.
    pub(crate) fn look_for(&mut self, needle: &str) {
        let needle: String = needle.chars().take(NEEDLE_MAX).collect();
        // More letters fit no more names than fewer do.
        if !needle.starts_with(&self.needle) {
            self.fitting = (0..self.all.len()).collect();
        }
        self.needle = needle;
        (self.chosen, self.top) = (0, 0);
        if self.needle.trim().is_empty() {
            self.best = self.fitting.iter().copied().take(FOUND_MAX).collect();
            return;
        }
        let scored = self.scored();
        self.fitting = scored.iter().map(|(_, index)| *index).collect();
        self.best = best(&self.all, self.kind, scored);
        let is_exact = |index: &usize| self.all[*index].text == self.needle;
        if self.kind != Kind::Earlier
            && let Some(at) = self.best.iter().position(is_exact)
        {
            self.best[..=at].rotate_right(1);
        }
    }

    fn scored(&self) -> Vec<(u32, usize)> {
        let config = match self.kind {
            Kind::Files => Config::DEFAULT.match_paths(),
            Kind::Commands | Kind::Earlier => Config::DEFAULT,
        };
        let (mut matcher, mut buffer) = (Matcher::new(config), Vec::new());
        let pattern = Pattern::new(
            &self.needle,
            CaseMatching::Smart,
            Normalization::Smart,
            AtomKind::Fuzzy,
        );
        let mut score = |index: usize| {
            let text = Utf32Str::new(&self.all[index].text, &mut buffer);
            Some((pattern.score(text, &mut matcher)?, index))
        };
        let fitting = self.fitting.iter();
        fitting.filter_map(|index| score(*index)).collect()
    }
}

/// Returns the best, the shorter first of two that fit alike; earlier texts stay in their order.
fn best(all: &[Offered], kind: Kind, mut scored: Vec<(u32, usize)>) -> Vec<usize> {
    if kind != Kind::Earlier {
        scored.sort_unstable_by_key(|(score, index)| {
            (std::cmp::Reverse(*score), all[*index].text.len(), *index)
        });
    }
    let best = scored.into_iter().take(FOUND_MAX);
    best.map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(kind: Kind, names: &[&str], needle: &str) -> Offer {
        let offered = |name: &&str| Offered {
            text: (*name).to_owned(),
            help: String::new(),
        };
        Offer::new(kind, names.iter().map(offered).collect(), needle)
    }

    fn seen(offer: &Offer) -> Vec<&str> {
        offer.seen().map(|(offered, _)| &*offered.text).collect()
    }

    const NAMES: [&str; 4] = [
        "README.md",
        "src/page.rs",
        "src/page/list.rs",
        "tests/page.rs",
    ];

    #[test]
    fn a_few_letters_find_a_file_and_more_letters_fewer() {
        let mut files = offer(Kind::Files, &NAMES, "");
        assert_eq!(seen(&files).len(), 4);
        files.look_for("page");
        assert_eq!(files.count(), 3);
        files.look_for("pagels");
        assert_eq!(seen(&files), ["src/page/list.rs"]);
        files.look_for("pagelsx");
        assert!(!files.is_shown());
        files.look_for("read");
        assert_eq!(seen(&files), ["README.md"]);
    }

    #[test]
    fn what_is_typed_whole_stands_first_and_is_not_to_be_taken() {
        let commands = offer(Kind::Commands, &["rewind", "run", "resume"], "run");
        assert_eq!(seen(&commands)[0], "run");
        assert!(commands.is_exact());
        assert!(!offer(Kind::Commands, &["rewind", "run"], "r").is_exact());
    }

    #[test]
    fn earlier_texts_keep_their_order() {
        let earlier = offer(
            Kind::Earlier,
            &["mend the tests now", "mend", "tests"],
            "mend",
        );
        assert_eq!(seen(&earlier), ["mend the tests now", "mend"]);
    }

    #[test]
    fn the_choice_stays_in_sight_and_goes_round() {
        let names: Vec<String> = (0..20).map(|number| format!("f{number:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut files = offer(Kind::Files, &names, "");
        files.step(-1);
        assert_eq!(files.choice().unwrap().text, "f19");
        assert!(seen(&files).contains(&"f19"));
        files.step(1);
        assert_eq!(seen(&files)[0], "f00");
        for _ in 0..7 {
            files.step(1);
        }
        assert!(
            files
                .seen()
                .any(|(offered, chosen)| chosen && offered.text == "f07")
        );
    }
}
