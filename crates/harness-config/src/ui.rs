//! Reads `[ui]`, `[composer]` and `[notify]` of the person's file: how the screen is to be, and how it calls.
//!
//! What the words mean is known to the faces. Called by `user`.

use toml::Spanned;

use crate::{
    document::Document,
    error::Fault,
    raw::{RawComposer, RawNotify, RawUi, Text},
    setting::{BUILT_IN, Literal, Setting},
    value::{self, Here, Written},
};

/// How the screen is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ui {
    /// Whether every frame is plain ASCII.
    pub ascii: bool,
    /// Whether plain lines are wanted always, for a screen reader or a braille line.
    pub screen_reader: bool,
    /// The name of the palette, or `auto`.
    pub theme: &'static str,
    /// Whether little may move.
    pub is_calm: bool,
    /// Whether the wheel of the mouse scrolls.
    pub mouse: bool,
    /// Whether the composer has vim's keys instead of those of readline.
    pub has_vim_keys: bool,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            ascii: false,
            screen_reader: false,
            theme: THEMES[0].1,
            is_calm: false,
            mouse: false,
            has_vim_keys: false,
        }
    }
}

/// How a person who looks elsewhere is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The name of the way.
    pub method: &'static str,
    /// The program that is run with the words as its last argument; empty for none.
    pub command: Vec<String>,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            method: METHODS[0].1,
            command: Vec::new(),
        }
    }
}

const THEMES: [(&str, &str); 6] = [
    ("terminal", "terminal"),
    ("auto", "auto"),
    ("dark", "dark"),
    ("light", "light"),
    ("contrast", "contrast"),
    ("blue-orange", "blue-orange"),
];

const MOTIONS: [(&str, &str); 2] = [("full", "full"), ("reduced", "reduced")];

const EDITINGS: [(&str, &str); 2] = [("readline", "readline"), ("vim", "vim")];

const METHODS: [(&str, &str); 6] = [
    ("auto", "auto"),
    ("off", "off"),
    ("bell", "bell"),
    ("osc9", "osc9"),
    ("osc99", "osc99"),
    ("osc777", "osc777"),
];

/// Reads the tables; the settings are listed for `config show`.
pub(crate) fn read(
    document: &Document<'_>,
    ui: &RawUi,
    (composer, notify): (&RawComposer, &RawNotify),
) -> Result<(Ui, Notify, Vec<Setting>), Box<Fault>> {
    let mut settings = Vec::new();
    let mut list = Listed(&mut settings);
    let here = Here::table(document, "ui");
    let flag = |raw: &Option<Spanned<bool>>, key| here.written(key, raw.as_ref(), plain);
    let word = |raw: &Option<Text>, key, words: &[(&str, &'static str)]| {
        here.written(key, raw.as_ref(), |here, key, raw| {
            value::word(here, key, raw, words)
        })
    };
    let defaults = Ui::default();
    let motion = word(&ui.motion, "motion", &MOTIONS)?;
    let beneath = Here::table(document, "composer");
    let editing = beneath.written("keys", composer.keys.as_ref(), |here, key, raw| {
        value::word(here, key, raw, &EDITINGS)
    });
    let mut ui = Ui {
        has_vim_keys: false,
        ascii: list.keep("ui.ascii", flag(&ui.ascii, "ascii")?, defaults.ascii),
        screen_reader: list.keep(
            "ui.screen_reader",
            flag(&ui.screen_reader, "screen_reader")?,
            defaults.screen_reader,
        ),
        theme: list.keep_word("ui.theme", word(&ui.theme, "theme", &THEMES)?, THEMES[0].1),
        is_calm: list.keep_word("ui.motion", motion, MOTIONS[0].1) == MOTIONS[1].1,
        mouse: list.keep("ui.mouse", flag(&ui.mouse, "mouse")?, defaults.mouse),
    };
    ui.has_vim_keys = list.keep_word("composer.keys", editing?, EDITINGS[0].1) == EDITINGS[1].1;
    let here = Here::table(document, "notify");
    let method = here.written("method", notify.method.as_ref(), |here, key, raw| {
        value::word(here, key, raw, &METHODS)
    });
    let command = here.written("command", notify.command.as_ref(), value::argv);
    let notify = Notify {
        method: list.keep_word("notify.method", method?, METHODS[0].1),
        command: list.keep("notify.command", command?, Vec::new()),
    };
    Ok((ui, notify, settings))
}

/// Returns what is listed where nothing was written.
pub(crate) fn default_settings() -> Vec<Setting> {
    let (ui, notify) = (Ui::default(), Notify::default());
    let word = |word: &str| word.to_owned().literal();
    let listed = [
        ("ui.ascii", ui.ascii.literal()),
        ("ui.screen_reader", ui.screen_reader.literal()),
        ("ui.theme", word(ui.theme)),
        ("ui.motion", word(MOTIONS[0].1)),
        ("ui.mouse", ui.mouse.literal()),
        ("composer.keys", word(EDITINGS[0].1)),
        ("notify.method", word(notify.method)),
        ("notify.command", notify.command.literal()),
    ];
    let setting = |(key, value): (&str, String)| Setting {
        key: key.to_owned(),
        value,
        origin: BUILT_IN.to_owned(),
    };
    listed.into_iter().map(setting).collect()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "what reads a value may find fault with it"
)]
fn plain(_: &Here<'_>, _: &str, raw: &Spanned<bool>) -> Result<bool, Box<Fault>> {
    Ok(*raw.get_ref())
}

/// Settings as they are decided.
struct Listed<'a>(&'a mut Vec<Setting>);

impl Listed<'_> {
    fn keep<T: Literal>(&mut self, key: &str, written: Option<Written<T>>, default: T) -> T {
        let (value, origin) = match written {
            Some(written) => (written.value, written.origin),
            None => (default, BUILT_IN.to_owned()),
        };
        self.0.push(Setting {
            key: key.to_owned(),
            value: value.literal(),
            origin,
        });
        value
    }

    fn keep_word(
        &mut self,
        key: &str,
        written: Option<Written<&'static str>>,
        default: &'static str,
    ) -> &'static str {
        let word = written.as_ref().map_or(default, |written| written.value);
        let written = written.map(|written| Written {
            value: written.value.to_owned(),
            origin: written.origin,
        });
        self.keep(key, written, default.to_owned());
        word
    }
}
