//! Whether there is a screen to open, and how the person wants it.

use std::io::{self, IsTerminal as _};

use harness_config::{ConfigFile, UserConfig};
use harness_tui::{
    Colours, Depth, KeyMap, LEAST, Motion, Notify, Origin, Palette, Passage, Setup, Signs, Theme,
    Wish,
};

use crate::{
    cli::Common, compose::config_failure, failure::Failure, files, folders::Folders, job::Job,
};

/// Whether a command that can use the screen should: where there is a terminal and nobody asked for lines.
pub(crate) fn is_wanted(common: &Common, plain: bool) -> Result<bool, Failure> {
    if plain || !can_be_shown(common) || is_set("HARNESS_PLAIN") {
        return Ok(false);
    }
    let has_room =
        harness_tui::size().is_some_and(|(columns, rows)| columns >= LEAST.0 && rows >= LEAST.1);
    Ok(has_room && !user()?.faces.ui.screen_reader)
}

/// Whether there is a terminal that a screen can be drawn on.
pub(super) fn can_be_shown(common: &Common) -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    let asks_lines = common.json || common.no_input;
    !asks_lines && !is_dumb && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Reads how the person wants the screen.
pub(super) fn read(job: Option<&Job>) -> Result<(Setup, Vec<String>), Failure> {
    let user = user()?;
    let (wishes, mut problems) = wishes(&user.faces.keys);
    let (keys, conflicts) = KeyMap::new(&wishes);
    problems.extend(conflicts);
    if !problems.is_empty() {
        let file = Folders::find()?.user_config();
        problems.insert(0, format!("in `[keys]` of `{}`:", file.display()));
    }
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (ui, notify) = (&user.faces.ui, &user.faces.notify);
    let palette = Palette::NAMES.iter().find(|(name, _)| *name == ui.theme);
    let setup = Setup {
        theme: Theme {
            colours: if is_set("NO_COLOR") {
                Colours::None
            } else {
                Colours::Palette
            },
            palette: palette.map(|(_, palette)| *palette).unwrap_or_default(),
            depth: Depth::of(env),
            signs: if ui.ascii {
                Signs::Ascii
            } else {
                Signs::Unicode
            },
        },
        keys,
        problems,
        rules_file: Folders::find()?.saved_rules().display().to_string(),
        origin: match job {
            None => Origin::Bare,
            Some(Job::Demo(_)) => Origin::Demo,
            Some(Job::Replay(_)) => Origin::Replay,
            Some(_) => Origin::Command,
        },
        asks_ground: ui.theme == "auto" && !is_set("NO_COLOR"),
        notify: Notify::of(notify.method, env).unwrap_or_default(),
        has_notify_command: !notify.command.is_empty(),
        passage: Passage::of(env),
        motion: if ui.is_calm || is_set("NO_MOTION") {
            Motion::Reduced
        } else {
            Motion::Full
        },
        has_mouse: ui.mouse,
        has_vim_keys: ui.has_vim_keys,
        review: None,
    };
    Ok((setup, notify.command.clone()))
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn user() -> Result<UserConfig, Failure> {
    let file = Folders::find()?.user_config();
    let shown = file.display().to_string();
    let bytes = files::read_own(&file, harness_config::FILE_BYTES_MAX)?;
    let config = bytes
        .map(|bytes| harness_config::parse_user(ConfigFile::from_bytes(&shown, &bytes)?))
        .transpose();
    config
        .map(Option::unwrap_or_default)
        .map_err(|error| config_failure(&error))
}

/// Reads `[keys]`: a list of keys for a command, or `false` for none.
fn wishes(table: &toml::Table) -> (Vec<Wish>, Vec<String>) {
    let (mut wishes, mut problems) = (Vec::new(), Vec::new());
    for (name, value) in table {
        let keys = match value {
            toml::Value::Boolean(false) => Some(Vec::new()),
            toml::Value::Array(keys) => keys
                .iter()
                .map(|key| key.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        match keys {
            Some(keys) => wishes.push(Wish {
                name: name.clone(),
                keys,
            }),
            None => problems.push(format!(
                "`{name}` is a list of keys, such as `[\"ctrl+o\"]`, or `false`"
            )),
        }
    }
    (wishes, problems)
}
