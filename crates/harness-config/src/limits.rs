//! Reads limits, and brings the wishes of person and repository together.
//!
//! The person's value is the flag, else what the environment narrows, else the
//! user file, else built in. The repository's value can only make it smaller.

use std::time::Duration;

use harness_core::{ByteCount, Limits, Money};

use crate::{
    document::{Document, Place},
    error::Fault,
    overrides::Overrides,
    raw::{RawLimits, Text},
    resolve::{ENVIRONMENT, FLAG},
    setting::{BUILT_IN, Literal, Settings},
    value::{self, Here, Written},
};

/// Limits as one file wishes them; what it does not name is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitWishes {
    pub(crate) usd: Option<Written<Money>>,
    pub(crate) day_usd: Option<Written<Money>>,
    pub(crate) session_usd: Option<Written<Money>>,
    pub(crate) feature_usd: Option<Written<Money>>,
    pub(crate) turns: Option<Written<u32>>,
    pub(crate) minutes: Option<Written<u32>>,
    pub(crate) attempts: Option<Written<u32>>,
    pub(crate) output: Option<Written<ByteCount>>,
    pub(crate) command: Option<Written<Duration>>,
    pub(crate) silence: Option<Written<Duration>>,
    pub(crate) patience: Option<Written<Duration>>,
    pub(crate) idle: Option<Written<Duration>>,
    pub(crate) memory: Option<Written<ByteCount>>,
    pub(crate) processes: Option<Written<u32>>,
}

/// The two limits that stand in `[sandbox]`.
pub(crate) struct SandboxLimits<'a> {
    pub(crate) memory: Option<&'a Text>,
    pub(crate) processes: Option<&'a toml::Spanned<i64>>,
}

/// Reads `[limits]` and the limits of `[sandbox]`, both below the tables `above`.
pub(crate) fn wishes(
    document: &Document<'_>,
    above: &[&str],
    raw: &RawLimits,
    sandbox: &SandboxLimits<'_>,
) -> Result<LimitWishes, Box<Fault>> {
    let limits = Here::new(
        document,
        Place::nested(above.iter().copied().chain(["limits"])),
    );
    let cage = Here::new(
        document,
        Place::nested(above.iter().copied().chain(["sandbox"])),
    );
    let time = |key, raw: &Option<Text>| limits.written(key, raw.as_ref(), value::duration);
    Ok(LimitWishes {
        usd: limits.written("usd", raw.usd.as_ref(), value::money)?,
        day_usd: limits.written("day_usd", raw.day_usd.as_ref(), value::money)?,
        session_usd: limits.written("session_usd", raw.session_usd.as_ref(), value::money)?,
        feature_usd: limits.written("feature_usd", raw.feature_usd.as_ref(), value::money)?,
        turns: limits.written("turns", raw.turns.as_ref(), value::count)?,
        minutes: limits.written("minutes", raw.minutes.as_ref(), value::minutes)?,
        attempts: limits.written("attempts", raw.attempts.as_ref(), value::count)?,
        output: limits.written("output", raw.output.as_ref(), value::size)?,
        command: time("command", &raw.command)?,
        silence: time("silence", &raw.silence)?,
        patience: time("patience", &raw.patience)?,
        idle: time("idle", &raw.idle)?,
        memory: cage.written("memory", sandbox.memory, value::size)?,
        processes: cage.written("processes", sandbox.processes, value::count)?,
    })
}

impl LimitWishes {
    /// Returns these wishes, replaced by those of `over` where it has any.
    pub(crate) fn overlaid(self, over: Self) -> Self {
        Self {
            usd: over.usd.or(self.usd),
            day_usd: over.day_usd.or(self.day_usd),
            session_usd: over.session_usd.or(self.session_usd),
            feature_usd: over.feature_usd.or(self.feature_usd),
            turns: over.turns.or(self.turns),
            minutes: over.minutes.or(self.minutes),
            attempts: over.attempts.or(self.attempts),
            output: over.output.or(self.output),
            command: over.command.or(self.command),
            silence: over.silence.or(self.silence),
            patience: over.patience.or(self.patience),
            idle: over.idle.or(self.idle),
            memory: over.memory.or(self.memory),
            processes: over.processes.or(self.processes),
        }
    }
}

/// The four voices on one limit.
struct Voices<T> {
    flag: Option<T>,
    environment: Option<T>,
    user: Option<Written<T>>,
    repository: Option<Written<T>>,
}

/// Resolves every limit.
///
/// Adds to `settings` what holds and whose word it is.
pub(crate) fn resolve(
    repository: &LimitWishes,
    user: &LimitWishes,
    environment: &Overrides,
    flags: &Overrides,
    settings: &mut Settings,
) -> Limits {
    let built_in = Limits::default();
    let mut table = Table {
        settings,
        built_in: &built_in,
    };
    let day_usd = table.optional("limits.day_usd", voices(&user.day_usd, &repository.day_usd));
    let session_usd = table.optional(
        "limits.session_usd",
        voices(&user.session_usd, &repository.session_usd),
    );
    let feature_usd = table.optional(
        "limits.feature_usd",
        voices(&user.feature_usd, &repository.feature_usd),
    );
    Limits {
        day_usd,
        session_usd,
        feature_usd,
        usd: table.optional(
            "limits.usd",
            Voices {
                flag: flags.usd,
                environment: environment.usd,
                ..voices(&user.usd, &repository.usd)
            },
        ),
        turns: table.bounded(
            "limits.turns",
            |limits| limits.turns,
            Voices {
                flag: flags.turns,
                environment: environment.turns,
                ..voices(&user.turns, &repository.turns)
            },
        ),
        time: minutes_to_time(table.bounded(
            "limits.minutes",
            |limits| time_to_minutes(limits.time),
            voices(&user.minutes, &repository.minutes),
        )),
        attempts: table.bounded(
            "limits.attempts",
            |limits| limits.attempts,
            voices(&user.attempts, &repository.attempts),
        ),
        output: table.bounded(
            "limits.output",
            |limits| limits.output,
            voices(&user.output, &repository.output),
        ),
        command: table.bounded(
            "limits.command",
            |limits| limits.command,
            voices(&user.command, &repository.command),
        ),
        silence: table.bounded(
            "limits.silence",
            |limits| limits.silence,
            voices(&user.silence, &repository.silence),
        ),
        patience: table.bounded(
            "limits.patience",
            |limits| limits.patience,
            Voices {
                flag: flags.patience,
                environment: environment.patience,
                ..voices(&user.patience, &repository.patience)
            },
        ),
        idle: table.bounded(
            "limits.idle",
            |limits| limits.idle,
            voices(&user.idle, &repository.idle),
        ),
        memory: table.bounded(
            "sandbox.memory",
            |limits| limits.memory,
            voices(&user.memory, &repository.memory),
        ),
        processes: table.bounded(
            "sandbox.processes",
            |limits| limits.processes,
            voices(&user.processes, &repository.processes),
        ),
    }
}

fn voices<T: Clone>(user: &Option<Written<T>>, repository: &Option<Written<T>>) -> Voices<T> {
    Voices {
        flag: None,
        environment: None,
        user: user.clone(),
        repository: repository.clone(),
    }
}

fn minutes_to_time(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

fn time_to_minutes(time: Duration) -> u32 {
    u32::try_from(time.as_secs() / 60).unwrap_or(u32::MAX)
}

struct Table<'a> {
    settings: &'a mut Settings,
    built_in: &'a Limits,
}

impl Table<'_> {
    fn bounded<T: Ord + Copy + Literal>(
        &mut self,
        key: &str,
        of: impl FnOnce(&Limits) -> T,
        voices: Voices<T>,
    ) -> T {
        let built_in = Written {
            value: of(self.built_in),
            origin: BUILT_IN.to_owned(),
        };
        let chosen = narrowest(Some(built_in.clone()), voices).unwrap_or(built_in);
        self.settings.keep(key, chosen)
    }

    fn optional<T: Ord + Copy + Literal>(&mut self, key: &str, voices: Voices<T>) -> Option<T> {
        self.settings.keep_optional(key, narrowest(None, voices))
    }
}

fn narrowest<T: Ord>(built_in: Option<Written<T>>, voices: Voices<T>) -> Option<Written<T>> {
    let with_origin = |value: Option<T>, origin: &str| {
        value.map(|value| Written {
            value,
            origin: origin.to_owned(),
        })
    };
    let file = voices.user.or(built_in);
    let person = with_origin(voices.flag, FLAG)
        .or_else(|| smaller(file, with_origin(voices.environment, ENVIRONMENT)));
    smaller(person, voices.repository)
}

/// Returns `narrower` where it is smaller than what holds so far.
fn smaller<T: Ord>(holds: Option<Written<T>>, narrower: Option<Written<T>>) -> Option<Written<T>> {
    match (holds, narrower) {
        (Some(holds), Some(narrower)) if narrower.value < holds.value => Some(narrower),
        (Some(holds), _) => Some(holds),
        (None, narrower) => narrower,
    }
}
