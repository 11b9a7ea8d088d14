//! The palettes, and how many colours a terminal has for them.

use ratatui::style::Color;

use crate::{
    review::{Dye, Tint, Token},
    text::Role,
};

/// Which colours are used; none has a background of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own sixteen.
    #[default]
    Terminal,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// Bright, and nothing is dim.
    Contrast,
    /// What is added or good is blue, what is removed or bad orange.
    BlueOrange,
}

impl Palette {
    /// Every palette with its name in the person's file.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("terminal", Self::Terminal),
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("contrast", Self::Contrast),
        ("blue-orange", Self::BlueOrange),
    ];

    /// Returns the palette for a background.
    pub const fn on(ground: Ground) -> Self {
        match ground {
            Ground::Dark => Self::Dark,
            Ground::Light => Self::Light,
        }
    }
}

/// Whether the terminal's background is light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Light letters on it.
    Dark,
    /// Dark letters on it.
    Light,
}

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Its own sixteen.
    #[default]
    Sixteen,
    /// 256, the same everywhere.
    Indexed,
    /// Any.
    True,
}

impl Depth {
    /// Finds out from `COLORTERM`, then `TERM`.
    pub fn of(env: impl Fn(&str) -> Option<String>) -> Self {
        let term = env("TERM").unwrap_or_default();
        match env("COLORTERM").unwrap_or_default().as_str() {
            "truecolor" | "24bit" => Self::True,
            _ if term.ends_with("-direct") => Self::True,
            _ if term.contains("256color") => Self::Indexed,
            _ => Self::Sixteen,
        }
    }
}

/// A colour by what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hue {
    Good,
    Bad,
    Needed,
    Working,
    Keyword,
    Text,
    Number,
}

impl Hue {
    /// Returns the hue of a role; most have none.
    pub(super) const fn of(role: Role) -> Option<Self> {
        match role {
            Role::Good | Role::Added => Some(Self::Good),
            Role::Bad | Role::Removed => Some(Self::Bad),
            Role::Needed => Some(Self::Needed),
            Role::Code | Role::Working => Some(Self::Working),
            Role::Dyed(dye) => Self::of_dye(dye),
            _ => None,
        }
    }
}

impl Hue {
    /// Returns the hue of a part of a line that is reviewed: the colour of its language, else what
    /// happened to the line.
    const fn of_dye(dye: Dye) -> Option<Self> {
        match (dye.token, dye.tint) {
            (Token::Keyword, _) => Some(Self::Keyword),
            (Token::Text, _) => Some(Self::Text),
            (Token::Number, _) => Some(Self::Number),
            (_, Tint::Added) => Some(Self::Good),
            (_, Tint::Removed) => Some(Self::Bad),
            (_, Tint::Both) => None,
        }
    }
}

/// A colour at every depth: one of the sixteen, one of the 256, and red, green, blue.
type Shade = (Color, u8, [u8; 3]);

impl Palette {
    pub(super) const fn colour(self, hue: Hue, depth: Depth) -> Color {
        let (own, index, [red, green, blue]) = self.shade(hue);
        match (self, depth) {
            (Self::Terminal, _) | (_, Depth::Sixteen) => own,
            (_, Depth::Indexed) => Color::Indexed(index),
            (_, Depth::True) => Color::Rgb(red, green, blue),
        }
    }

    const fn shade(self, hue: Hue) -> Shade {
        match (self, hue) {
            (Self::Terminal, Hue::Good) => (Color::Green, 2, [0, 128, 0]),
            (Self::Terminal, Hue::Bad) => (Color::Red, 1, [128, 0, 0]),
            (Self::Terminal, Hue::Needed) => (Color::Yellow, 3, [128, 128, 0]),
            (Self::Terminal, Hue::Working) => (Color::Cyan, 6, [0, 128, 128]),
            (Self::Terminal, Hue::Keyword) => (Color::Magenta, 5, [128, 0, 128]),
            (Self::Terminal, Hue::Text) => (Color::Yellow, 3, [128, 128, 0]),
            (Self::Terminal, Hue::Number) => (Color::Cyan, 6, [0, 128, 128]),
            (Self::Dark, Hue::Keyword) => (Color::LightMagenta, 176, [200, 150, 230]),
            (Self::Dark, Hue::Text) => (Color::LightYellow, 180, [229, 192, 123]),
            (Self::Dark, Hue::Number) => (Color::LightCyan, 80, [95, 205, 215]),
            (Self::Light, Hue::Keyword) => (Color::Magenta, 90, [125, 30, 140]),
            (Self::Light, Hue::Text) => (Color::Yellow, 94, [130, 85, 0]),
            (Self::Light, Hue::Number) => (Color::Cyan, 24, [0, 90, 120]),
            (Self::Contrast, Hue::Keyword) => (Color::LightMagenta, 213, [255, 135, 255]),
            (Self::Contrast, Hue::Text) => (Color::LightYellow, 226, [255, 255, 0]),
            (Self::Contrast, Hue::Number) => (Color::LightCyan, 51, [0, 255, 255]),
            (Self::BlueOrange, Hue::Keyword) => (Color::Magenta, 133, [175, 95, 175]),
            (Self::BlueOrange, Hue::Text) => (Color::Cyan, 37, [0, 160, 170]),
            (Self::BlueOrange, Hue::Number) => (Color::Cyan, 37, [0, 160, 170]),
            (Self::Dark, Hue::Good) => (Color::LightGreen, 114, [126, 199, 126]),
            (Self::Dark, Hue::Bad) => (Color::LightRed, 210, [240, 128, 128]),
            (Self::Dark, Hue::Needed) => (Color::LightYellow, 180, [229, 192, 123]),
            (Self::Dark, Hue::Working) => (Color::LightCyan, 80, [95, 205, 215]),
            (Self::Light, Hue::Good) => (Color::Green, 28, [20, 110, 45]),
            (Self::Light, Hue::Bad) => (Color::Red, 124, [170, 25, 25]),
            (Self::Light, Hue::Needed) => (Color::Yellow, 94, [130, 85, 0]),
            (Self::Light, Hue::Working) => (Color::Cyan, 24, [0, 90, 120]),
            (Self::Contrast, Hue::Good) => (Color::LightGreen, 46, [0, 255, 0]),
            (Self::Contrast, Hue::Bad) => (Color::LightRed, 203, [255, 95, 95]),
            (Self::Contrast, Hue::Needed) => (Color::LightYellow, 226, [255, 255, 0]),
            (Self::Contrast, Hue::Working) => (Color::LightCyan, 51, [0, 255, 255]),
            // Bright enough for dark ground, and dark enough for light.
            (Self::BlueOrange, Hue::Good) => (Color::Blue, 33, [30, 136, 229]),
            (Self::BlueOrange, Hue::Bad) => (Color::Yellow, 172, [217, 115, 13]),
            (Self::BlueOrange, Hue::Needed) => (Color::Magenta, 133, [175, 95, 175]),
            (Self::BlueOrange, Hue::Working) => (Color::Cyan, 37, [0, 160, 170]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUES: [Hue; 4] = [Hue::Good, Hue::Bad, Hue::Needed, Hue::Working];

    fn env<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn the_depth_goes_by_colorterm_and_then_by_term() {
        let deep = [("COLORTERM", "truecolor"), ("TERM", "xterm")];
        assert_eq!(Depth::of(env(&deep)), Depth::True);
        assert_eq!(
            Depth::of(env(&[("TERM", "xterm-256color")])),
            Depth::Indexed
        );
        assert_eq!(Depth::of(env(&[("TERM", "vt220")])), Depth::Sixteen);
        assert_eq!(Depth::of(env(&[])), Depth::Sixteen);
    }

    #[test]
    fn the_hues_of_a_palette_differ_at_every_depth() {
        for (name, palette) in Palette::NAMES {
            for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
                let colours = HUES.map(|hue| palette.colour(hue, depth));
                for (at, colour) in colours.iter().enumerate() {
                    assert!(!colours[..at].contains(colour), "{name} {depth:?}");
                }
            }
        }
    }

    #[test]
    fn the_terminals_own_palette_has_its_own_colours_at_every_depth() {
        for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
            assert_eq!(Palette::Terminal.colour(Hue::Good, depth), Color::Green);
        }
    }
}
