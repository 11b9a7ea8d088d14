//! `harness doctor`: proves by real attempts what each level gives on this machine.
//!
//! Of the repository only the configuration is read, so no trust is needed. What is
//! printed can be shown to others: names of variables, never values, and no path of
//! the person's home.

mod model;
mod obstacles;
mod table;

use std::{fs, io::IsTerminal as _, os::unix::fs::MetadataExt as _};

use harness_config::KeySource;
use harness_core::{EndReason, Level};
use harness_git::{OpenError, Repo};
use harness_host::process::{
    Attempted, Builder, Outcome, Owed, attempt_in, attempt_openly, owed, try_builder,
};
use harness_report::JsonLine;

use self::table::{Column, holds};
use crate::{
    cli::{Common, Doctor, RunOptions},
    compose::{CONFIG_FILE, Site, level_of},
    faces::JsonFace,
    failure::{Failure, USAGE, chain},
    folders::Folders,
    output::Output,
    proof,
};

pub(super) fn run(common: &Common, flags: &Doctor) -> Result<u8, Failure> {
    if !flags.models.is_empty() {
        return model::run(common, &flags.models);
    }
    let wish = flags.sandbox.map(level_of);
    if wish == Some(Level::External) {
        return Err(Failure::usage(
            "cannot try level `external`: it is what you vouch for, not what is proven here",
        ));
    }
    let folders = Folders::find()?;
    let teller = Teller {
        output: Output::new(common),
        json: JsonFace::default(),
    };
    start(&teller)?;
    let tried = try_levels(&teller, &folders, wish)?;
    let is_configured = check_configuration(&teller, common)?;
    check_terminal(&teller)?;
    let columns = attempt(&teller, &tried)?;
    conclude(&teller, wish, &tried, &columns, is_configured)
}

/// Tells what was found, to people or as JSON.
struct Teller {
    output: Output,
    json: JsonFace,
}

impl Teller {
    fn text(&self, text: &str) -> Result<(), Failure> {
        self.output.text(text)
    }

    fn tell(&self, text: &str, line: &JsonLine) -> Result<(), Failure> {
        if self.output.is_json() {
            self.json.put(line);
        }
        self.text(text)
    }
}

/// A level, and why it cannot be used.
struct Tried {
    level: Level,
    reason: Option<String>,
    /// Why only bubblewrap can build its cages, which it does anew for each command.
    detour: Option<String>,
}

fn start(teller: &Teller) -> Result<(), Failure> {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.trim().to_owned();
    let root = fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0);
    let user = if root {
        "root: a plain user is safer; for root, Landlock and a read-only /proc/sys are a must at `namespaces`"
    } else {
        "not root"
    };
    let text = format!(
        "harness: {} on Linux {kernel}, {}\nuser: {user}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH
    );
    teller.tell(&text, &JsonLine::DoctorStarted { kernel, root })
}

/// Proves each level and says which one a run would use.
fn try_levels(
    teller: &Teller,
    folders: &Folders,
    wish: Option<Level>,
) -> Result<Vec<Tried>, Failure> {
    let levels = match wish {
        Some(level) => vec![level],
        None => vec![Level::Namespaces, Level::Landlock, Level::None],
    };
    let mut tried = Vec::new();
    for level in levels {
        let reason = match level {
            Level::None | Level::External => None,
            level => proof::anew(folders, level).map(|reason| without_home(&reason)),
        };
        let detour = match (level, &reason) {
            (Level::Namespaces, None) => try_builder(Builder::Own).err(),
            _ => None,
        };
        tried.push(Tried {
            level,
            reason,
            detour: detour.map(|error| without_home(&chain(&error))),
        });
    }
    let used = tried.iter().find(|tried| tried.is_usable(wish));
    let text = match used {
        Some(used) => format!("level: a run uses `{}`", used.level),
        None => "level: no level can be used, so a run refuses to start".to_owned(),
    };
    teller.text(&text)?;
    for tried in &tried {
        tried.tell(teller)?;
    }
    Ok(tried)
}

impl Tried {
    /// Whether a run would use it; `none` only where it is asked for.
    fn is_usable(&self, wish: Option<Level>) -> bool {
        self.reason.is_none() && (self.level != Level::None || wish == Some(Level::None))
    }

    fn tell(&self, teller: &Teller) -> Result<(), Failure> {
        let level = self.level.as_str().to_owned();
        let why = self.reason.as_ref().or(self.detour.as_ref());
        let hints = why.map(|_| obstacles::of(self.level)).unwrap_or_default();
        if let Some(reason) = &self.reason {
            teller.text(&format!("level: `{level}` cannot be used: {reason}"))?;
        }
        if let Some(detour) = &self.detour {
            teller.text(&format!(
                "level: bubblewrap builds the cages of `{level}`, one for each command, which takes longer: {detour}"
            ))?;
        }
        for hint in &hints {
            teller.text(&format!("hint: {hint}"))?;
        }
        if teller.output.is_json() {
            teller.json.put(&JsonLine::LevelTried {
                level,
                usable: self.reason.is_none(),
                reason: why.cloned(),
                hints,
            });
        }
        Ok(())
    }
}

fn check(teller: &Teller, check: &str, ok: bool, detail: &str) -> Result<(), Failure> {
    let detail = without_home(detail);
    let text = format!("{check}: {detail}");
    let check = check.to_owned();
    teller.tell(&text, &JsonLine::CheckMade { check, ok, detail })
}

/// Puts `~` in the place of the person's home.
fn without_home(text: &str) -> String {
    match std::env::home_dir().and_then(|home| home.to_str().map(str::to_owned)) {
        Some(home) if home.len() > 1 => text.replace(&home, "~"),
        _ => text.to_owned(),
    }
}

/// Whether the folder that is worked in, or one above it, is a repository.
fn is_in_repository(common: &Common) -> bool {
    let folder = common.directory.clone().unwrap_or_else(|| ".".into());
    !matches!(
        Repo::discover(&folder),
        Err(OpenError::NotARepository { .. })
    )
}

/// Reads the configuration; `false` where that cannot be done.
fn check_configuration(teller: &Teller, common: &Common) -> Result<bool, Failure> {
    if !is_in_repository(common) {
        let detail = "there is no repository here";
        check(teller, "configuration", true, detail)?;
        return Ok(true);
    }
    let read =
        Site::open(common).and_then(|site| Ok((site.resolve(&RunOptions::default())?, site)));
    let (resolved, site) = match read {
        Ok(read) => read,
        Err(failure) => {
            let text = failure.to_text();
            let detail = format!("cannot be read\n{}", text.trim_end());
            check(teller, "configuration", false, &detail)?;
            return Ok(false);
        }
    };
    let detail = match &site.repository {
        Some(_) => format!("`{CONFIG_FILE}` and your own file are read without a mistake"),
        None => format!("no `{CONFIG_FILE}` here, `harness init` writes one"),
    };
    check(teller, "configuration", true, &detail)?;
    for model in resolved.models.values() {
        let is_chosen = resolved.model.as_deref() == Some(&model.name);
        let chosen = if is_chosen { ", chosen" } else { "" };
        let (ok, key) = match &model.key {
            None => (true, "needs no key".to_owned()),
            Some(KeySource::Command(_)) => (
                true,
                "has its key from a command, which is not run here".to_owned(),
            ),
            Some(KeySource::Env(name)) => match std::env::var_os(name) {
                Some(value) if !value.is_empty() => (true, format!("`{name}` is set")),
                _ => (!is_chosen, format!("`{name}` is not set")),
            },
        };
        check(
            teller,
            "model",
            ok,
            &format!("`{}`{chosen}: {key}", model.name),
        )?;
    }
    Ok(true)
}

fn check_terminal(teller: &Teller) -> Result<(), Failure> {
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let kind = std::env::var("TERM").unwrap_or_default();
    let size = harness_tui::size();
    let (least_columns, least_rows) = harness_tui::LEAST;
    let (ok, detail) = match size.filter(|_| is_terminal) {
        None => (
            true,
            "none, so there are plain lines and no screen".to_owned(),
        ),
        Some(_) if kind.is_empty() || kind == "dumb" => (
            false,
            "`TERM` names no terminal that can draw, so there is no screen".to_owned(),
        ),
        Some((columns, rows)) if columns < least_columns || rows < least_rows => (
            false,
            format!(
                "{columns}x{rows} is too small for the screen, which needs {least_columns}x{least_rows}"
            ),
        ),
        Some((columns, rows)) => (
            true,
            format!("`{kind}`, {columns}x{rows}, the screen can be used"),
        ),
    };
    check(teller, "terminal", ok, &detail)
}

/// Makes the attempts at each level whose cage can be opened.
fn attempt(teller: &Teller, tried: &[Tried]) -> Result<Vec<Column>, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::failed(chain(error));
    let openly = attempt_openly().map_err(|error| failed(&error))?;
    let mut columns = Vec::new();
    for Tried { level, reason, .. } in tried {
        match attempt_in(*level, &openly) {
            Ok(attempts) => columns.push(Column {
                level: *level,
                attempts,
            }),
            // It was said already why there is no such cage.
            Err(_) if reason.is_some() => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    if teller.output.is_json() {
        for column in &columns {
            for made in &column.attempts {
                teller.json.put(&line(made, column.level));
            }
        }
        return Ok(columns);
    }
    if !columns.is_empty() {
        teller.text("")?;
        for line in table::lines(&columns) {
            teller.text(&line)?;
        }
        teller.text("")?;
        for note in table::notes(&columns) {
            teller.text(&note)?;
        }
    }
    Ok(columns)
}

fn line(made: &Attempted, level: Level) -> JsonLine {
    let (owed, reason) = match owed(made.attempt, level) {
        Owed::Prevented => ("prevented", ""),
        Owed::Undone => ("undone", ""),
        Owed::Nothing(reason) => ("nothing", reason),
    };
    let (outcome, detail) = match made.outcome {
        Outcome::Prevented => ("prevented", made.detail.as_str()),
        Outcome::Allowed => ("allowed", reason),
        Outcome::NotHere => ("not_here", made.detail.as_str()),
    };
    JsonLine::AttemptMade {
        level: level.as_str().to_owned(),
        attempt: made.attempt.name().to_owned(),
        outcome: outcome.to_owned(),
        owed: owed.to_owned(),
        held: holds(made, level),
        detail: detail.to_owned(),
    }
}

/// Says whether the level that a run uses holds, and returns the exit code.
fn conclude(
    teller: &Teller,
    wish: Option<Level>,
    tried: &[Tried],
    columns: &[Column],
    is_configured: bool,
) -> Result<u8, Failure> {
    let used = tried.iter().find(|tried| tried.is_usable(wish));
    let used = used.map(|tried| tried.level);
    for column in columns {
        for made in column.broken() {
            teller.text(&format!(
                "broken: `{}` owes to prevent this and does not: {}",
                column.level, made.attempt
            ))?;
        }
    }
    let column = columns.iter().find(|column| Some(column.level) == used);
    let held = column.is_some_and(|column| column.broken().next().is_none());
    let code = match (held, is_configured) {
        (false, _) => EndReason::Refused.exit_code(),
        (true, false) => USAGE,
        (true, true) => 0,
    };
    let text = match used {
        None => "result: nothing keeps processes in here".to_owned(),
        Some(Level::None) => {
            "result: `none` owes nothing, and a run has to be told to use it".to_owned()
        }
        Some(level) if held => format!("result: `{level}` holds everything it owes"),
        Some(level) => format!("result: `{level}` does not hold what it owes"),
    };
    let level = used.map(|level| level.as_str().to_owned());
    let line = JsonLine::DoctorEnded {
        level,
        held,
        exit_code: code,
    };
    teller.tell(&text, &line)?;
    Ok(code)
}
