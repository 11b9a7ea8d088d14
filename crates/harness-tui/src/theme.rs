//! How roles and signs look: the colours of a palette, or none, or plain ASCII.

mod palette;

use ratatui::{
    buffer::Buffer,
    style::{Color, Modifier, Style},
};

pub use palette::{Depth, Ground, Palette};

use crate::{
    ink::Ink,
    review::{Dye, Tint, Token},
    text::Role,
};
use palette::Hue;

/// How the screen is painted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Whether colours are used; bold, underline and reverse always are.
    pub colours: Colours,
    /// Which characters are used.
    pub signs: Signs,
    /// Which colours.
    pub palette: Palette,
    /// How many colours the terminal has.
    pub depth: Depth,
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// Those of the palette, on the terminal's own background.
    #[default]
    Palette,
    /// None, as `NO_COLOR` asks for.
    None,
}

/// Which characters are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signs {
    /// Marks and rules of Unicode.
    #[default]
    Unicode,
    /// ASCII alone, also for foreign text.
    Ascii,
}

/// A mark with a meaning; it never stands for something that no word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Proven, green.
    Good,
    /// Failed, refused.
    Bad,
    /// A person is needed.
    Needed,
    /// In work.
    Working,
    /// Being proven.
    Verifying,
    /// Not begun, or not known.
    Waiting,
    /// Waits for something else.
    Blocked,
    /// Not wanted any more.
    Cancelled,
}

impl Sign {
    /// Returns the role of the mark.
    pub(crate) const fn role(self) -> Role {
        match self {
            Self::Good => Role::Good,
            Self::Bad => Role::Bad,
            Self::Needed => Role::Needed,
            Self::Working | Self::Verifying => Role::Working,
            Self::Waiting | Self::Blocked | Self::Cancelled => Role::Quiet,
        }
    }
}

impl Theme {
    /// Returns the mark as it is written.
    pub(crate) const fn sign(self, sign: Sign) -> &'static str {
        match (self.signs, sign) {
            (Signs::Unicode, Sign::Good) => "✓",
            (Signs::Unicode, Sign::Bad) => "✗",
            (Signs::Unicode, Sign::Working) => "●",
            (Signs::Unicode, Sign::Verifying) => "◐",
            (Signs::Unicode, Sign::Waiting) => "○",
            (Signs::Unicode, Sign::Blocked) => "‖",
            (Signs::Unicode, Sign::Cancelled) => "–",
            (_, Sign::Needed) => "!",
            (Signs::Ascii, Sign::Good) => "ok",
            (Signs::Ascii, Sign::Bad) => "FAIL",
            (Signs::Ascii, Sign::Working) => "*",
            (Signs::Ascii, Sign::Verifying) => "%",
            (Signs::Ascii, Sign::Waiting) => "-",
            (Signs::Ascii, Sign::Blocked) => "=",
            (Signs::Ascii, Sign::Cancelled) => "x",
        }
    }

    /// Returns how a role looks. No background but reverse, so that every palette can be read.
    pub(crate) fn style(self, role: Role) -> Style {
        let style = match role {
            Role::Plain => Style::new(),
            Role::Quiet if self.palette == Palette::Contrast => Style::new(),
            Role::Quiet => Style::new().add_modifier(Modifier::DIM),
            Role::Strong | Role::Title | Role::Needed => Style::new().add_modifier(Modifier::BOLD),
            Role::Stressed => Style::new().add_modifier(Modifier::ITALIC),
            Role::Chosen | Role::Found => Style::new().add_modifier(Modifier::REVERSED),
            Role::Own(ink) => own(ink),
            Role::Dyed(dye) => dyed(dye, self.palette),
            _ => Style::new(),
        };
        let hue = match (self.colours, Hue::of(role)) {
            (Colours::Palette, Some(hue)) => hue,
            (Colours::Palette, None) => return style,
            (Colours::None, _) => return Style { fg: None, ..style },
        };
        style.fg(self.palette.colour(hue, self.depth))
    }
}

/// Returns the weight of a part of a line that is reviewed: changed words are bold and underlined.
fn dyed(dye: Dye, palette: Palette) -> Style {
    let style = match dye.token {
        Token::Comment if dye.tint == Tint::Both && palette != Palette::Contrast => {
            Style::new().add_modifier(Modifier::DIM)
        }
        _ => Style::new(),
    };
    match dye.is_word {
        true => style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        false => style,
    }
}

/// Returns how a program's own text looks, in the terminal's own colours.
fn own(ink: Ink) -> Style {
    const COLOURS: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    let weights = [
        (ink.is_bold, Modifier::BOLD),
        (ink.is_dim, Modifier::DIM),
        (ink.is_slanted, Modifier::ITALIC),
        (ink.is_underlined, Modifier::UNDERLINED),
    ];
    let mut style = Style::new();
    for (_, weight) in weights.into_iter().filter(|(is_meant, _)| *is_meant) {
        style = style.add_modifier(weight);
    }
    match ink.colour.and_then(|at| COLOURS.get(usize::from(at))) {
        // Bright black cannot be seen on some palettes, nor black or white on their own ground.
        Some(Color::DarkGray) => style.add_modifier(Modifier::DIM),
        Some(Color::Black | Color::White | Color::Gray) | None => style,
        Some(colour) => style.fg(*colour),
    }
}

/// Replaces everything that is no ASCII, so that a frame is plain whatever it shows.
pub(crate) fn to_ascii(buffer: &mut Buffer) {
    let mut covered = None;
    for cell in &mut buffer.content {
        // What took several columns becomes as many signs, each in a cell of its own.
        if let Some((style, left)) = covered.take() {
            cell.set_symbol("?").set_style(style);
            covered = (left > 1).then(|| (style, left - 1));
            continue;
        }
        if cell.symbol().is_ascii() {
            continue;
        }
        let columns = crate::text::width(cell.symbol());
        covered = (columns > 1).then(|| (cell.style(), columns - 1));
        let plain = match cell.symbol() {
            "─" | "–" | "—" | "−" => "-",
            "│" | "▌" | "┃" => "|",
            "┬" | "┴" => "+",
            "●" | "•" | "·" => "*",
            "…" => "~",
            "⏎" => "+",
            "▾" => "v",
            "✎" => "c",
            "‹" => "<",
            "›" => ">",
            "“" | "”" | "„" => "\"",
            "‘" | "’" => "'",
            "→" => ">",
            "↑" => "^",
            "↓" => "v",
            "✓" => "v",
            "✗" => "x",
            _ if columns == 0 => " ",
            _ => "?",
        };
        cell.set_symbol(plain);
    }
}
