//! Reads single values: durations, sizes, amounts, names, paths, patterns, hosts.
//!
//! Each function says what is wrong with the place of the value. Which values a
//! table holds and what they are for is decided by the module of that table.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use harness_core::{ByteCount, Money, RepoPath, Sourced, TokenCount};
use harness_guard::network::{
    HostError, ListedError, REGISTRY_NAMES, listed_hosts, registry_hosts,
};
use toml::Spanned;

use crate::{
    document::{Document, Place},
    error::{Fault, list_names, nearest, shown},
    raw::Text,
};

/// The longest time any limit may name.
const DURATION_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The largest amount any limit or price may name. Unit: US dollars.
const USD_MAX: f64 = 1_000_000.0;

/// A value and where it was written, such as `harness.toml:3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<T> {
    /// The value.
    pub value: T,
    /// Its origin.
    pub origin: String,
}

/// The table that is being read.
pub(crate) struct Here<'a> {
    document: &'a Document<'a>,
    place: Place,
}

impl<'a> Here<'a> {
    pub(crate) fn new(document: &'a Document<'a>, place: Place) -> Self {
        Self { document, place }
    }

    pub(crate) fn table(document: &'a Document<'a>, name: &str) -> Self {
        Self::new(document, Place::table(name))
    }

    pub(crate) fn fault<T>(
        &self,
        key: &str,
        at: &Spanned<T>,
        problem: impl Into<String>,
    ) -> Box<Fault> {
        self.document.fault(at.span(), &self.place, key, problem)
    }

    pub(crate) fn origin<T>(&self, at: &Spanned<T>) -> String {
        self.document.origin(at.span().start)
    }

    /// Reads an optional value and keeps where it was written.
    pub(crate) fn written<R, T>(
        &self,
        key: &str,
        raw: Option<&Spanned<R>>,
        read: impl FnOnce(&Self, &str, &Spanned<R>) -> Result<T, Box<Fault>>,
    ) -> Result<Option<Written<T>>, Box<Fault>> {
        raw.map(|raw| {
            Ok(Written {
                value: read(self, key, raw)?,
                origin: self.origin(raw),
            })
        })
        .transpose()
    }
}

/// Reads a time such as `10m`: above zero, at most 30 days.
pub(crate) fn duration(here: &Here<'_>, key: &str, raw: &Text) -> Result<Duration, Box<Fault>> {
    match humantime::parse_duration(raw.get_ref()) {
        Ok(time) if time.is_zero() => Err(here.fault(key, raw, format!("`{key}` must be above 0"))),
        Ok(time) if time > DURATION_MAX => {
            Err(here.fault(key, raw, format!("`{key}` must be at most 30 days")))
        }
        Ok(time) => Ok(time),
        Err(_) => {
            let problem = format!("`{}` is not a time", shown(raw.get_ref()));
            Err(here
                .fault(key, raw, problem)
                .with_hint("write it as `90s`, `10m` or `1h 30m`"))
        }
    }
}

/// Reads a number of minutes: from 1 to 30 days.
pub(crate) fn minutes(here: &Here<'_>, key: &str, raw: &Spanned<i64>) -> Result<u32, Box<Fault>> {
    whole(here, key, raw, 1..=43_200)
}

/// Reads a whole number within bounds.
pub(crate) fn whole(
    here: &Here<'_>,
    key: &str,
    raw: &Spanned<i64>,
    bounds: RangeInclusive<u32>,
) -> Result<u32, Box<Fault>> {
    u32::try_from(*raw.get_ref())
        .ok()
        .filter(|number| bounds.contains(number))
        .ok_or_else(|| {
            let (low, high) = (bounds.start(), bounds.end());
            here.fault(
                key,
                raw,
                format!("`{key}` must be between {low} and {high}"),
            )
        })
}

/// Reads a count of things there must be at least one of.
pub(crate) fn count(here: &Here<'_>, key: &str, raw: &Spanned<i64>) -> Result<u32, Box<Fault>> {
    whole(here, key, raw, 1..=1_000_000)
}

/// Reads a limit in US dollars: above zero.
pub(crate) fn money(here: &Here<'_>, key: &str, raw: &Spanned<f64>) -> Result<Money, Box<Fault>> {
    let amount = price(here, key, raw)?;
    if amount == Money(0) {
        return Err(here.fault(key, raw, format!("`{key}` must be above 0")));
    }
    Ok(amount)
}

/// Reads a price in US dollars: zero is one.
pub(crate) fn price(here: &Here<'_>, key: &str, raw: &Spanned<f64>) -> Result<Money, Box<Fault>> {
    if !(0.0..=USD_MAX).contains(raw.get_ref()) {
        let problem = format!("`{key}` must be an amount of US dollars from 0 to 1000000");
        return Err(here.fault(key, raw, problem));
    }
    Ok(Money::from_usd(*raw.get_ref()))
}

/// Reads a size such as `1 MiB`: above zero.
pub(crate) fn size(here: &Here<'_>, key: &str, raw: &Text) -> Result<ByteCount, Box<Fault>> {
    amount(here, key, raw)
}

/// Reads a number of tokens such as `16k tokens`: above zero.
pub(crate) fn tokens(here: &Here<'_>, key: &str, raw: &Text) -> Result<TokenCount, Box<Fault>> {
    amount(here, key, raw)
}

fn amount<T>(here: &Here<'_>, key: &str, raw: &Text) -> Result<T, Box<Fault>>
where
    T: FromStr<Err: Display> + PartialEq + Default,
{
    match raw.get_ref().parse::<T>() {
        Ok(amount) if amount == T::default() => {
            Err(here.fault(key, raw, format!("`{key}` must be above 0")))
        }
        Ok(amount) => Ok(amount),
        Err(error) => Err(here.fault(key, raw, error.to_string())),
    }
}

/// Reads one of several words.
pub(crate) fn word<T: Copy>(
    here: &Here<'_>,
    key: &str,
    raw: &Text,
    words: &[(&str, T)],
) -> Result<T, Box<Fault>> {
    let word = raw.get_ref();
    if let Some((_, value)) = words.iter().find(|(known, _)| known == word) {
        return Ok(*value);
    }
    let problem = format!("`{key}` cannot be `{}`", shown(word));
    let names = || words.iter().map(|(known, _)| *known);
    let hint = match nearest(word, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it is one of {}", list_names(names(), ", ")),
    };
    Err(here.fault(key, raw, problem).with_hint(hint))
}

/// Reads a name: letters, digits, dot, underscore and hyphen, at most 64.
pub(crate) fn name(here: &Here<'_>, key: &str, raw: &Text) -> Result<String, Box<Fault>> {
    let name = raw.get_ref();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(name.clone());
    }
    let problem = format!("`{}` is not a name", shown(name));
    Err(here
        .fault(key, raw, problem)
        .with_hint("a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -"))
}

/// Reads the name of an environment variable; the text is not repeated, it may be a key.
pub(crate) fn variable(here: &Here<'_>, key: &str, raw: &Text) -> Result<String, Box<Fault>> {
    let name = raw.get_ref();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let starts_well = name.starts_with(|first: char| !first.is_ascii_digit());
    if starts_well && name.len() <= 128 && name.bytes().all(allowed) {
        return Ok(name.clone());
    }
    Err(here
        .fault(
            key,
            raw,
            format!("`{key}` holds no name of an environment variable"),
        )
        .with_hint("write the name of the variable, such as `SERVICE_KEY`, never its value"))
}

/// Reads a path inside the repository.
pub(crate) fn repo_path(here: &Here<'_>, key: &str, raw: &Text) -> Result<RepoPath, Box<Fault>> {
    check_inside(here, key, raw)?;
    RepoPath::parse(raw.get_ref()).map_err(|error| here.fault(key, raw, error.to_string()))
}

/// Reads a list of paths inside the repository; the repository itself is none of them.
pub(crate) fn repo_paths(
    here: &Here<'_>,
    key: &str,
    raw: &[Text],
) -> Result<Vec<RepoPath>, Box<Fault>> {
    raw.iter()
        .map(|raw| match repo_path(here, key, raw)? {
            path if path.is_root() => {
                Err(here.fault(key, raw, format!("`{key}` names the repository itself")))
            }
            path => Ok(path),
        })
        .collect()
}

/// Reads patterns of paths inside the repository.
pub(crate) fn patterns(
    here: &Here<'_>,
    key: &str,
    raw: &[Text],
) -> Result<Vec<Sourced>, Box<Fault>> {
    raw.iter()
        .map(|raw| {
            check_inside(here, key, raw)?;
            check_pattern(here, key, raw)?;
            Ok(Sourced {
                value: raw.get_ref().clone(),
                origin: here.origin(raw),
            })
        })
        .collect()
}

fn check_inside(here: &Here<'_>, key: &str, raw: &Text) -> Result<(), Box<Fault>> {
    let path = raw.get_ref().trim_start();
    let reason = if path.is_empty() {
        "is empty"
    } else if path.starts_with('/') {
        "is absolute"
    } else if path.starts_with('~') {
        "begins in a home folder"
    } else if path.split('/').any(|component| component == "..") {
        "leads upwards"
    } else {
        return Ok(());
    };
    let problem = format!("`{}` in `{key}` {reason}", shown(raw.get_ref()));
    Err(here
        .fault(key, raw, problem)
        .with_hint("write it relative to the repository's root, such as `src/**`"))
}

fn check_pattern(here: &Here<'_>, key: &str, raw: &Text) -> Result<(), Box<Fault>> {
    let pattern = raw.get_ref();
    if pattern.starts_with('!') {
        let problem = format!("`{}` in `{key}` begins with `!`", shown(pattern));
        return Err(here
            .fault(key, raw, problem)
            .with_hint("patterns cannot be turned round: put the path into `[scope] deny`"));
    }
    let problem = if pattern.len() > PATTERN_BYTES_MAX {
        format!("a pattern in `{key}` is longer than {PATTERN_BYTES_MAX} bytes")
    } else if pattern.contains(['{', '}', '\\']) {
        format!("`{}` in `{key}` has a brace or backslash", shown(pattern))
    } else if !has_closed_brackets(pattern) {
        format!("`{}` in `{key}` has a `[` without `]`", shown(pattern))
    } else {
        return Ok(());
    };
    Err(here
        .fault(key, raw, problem)
        .with_hint("a pattern knows `*`, `**`, `?` and `[...]`; write `{a,b}` as two patterns"))
}

/// The longest pattern. Unit: bytes.
const PATTERN_BYTES_MAX: usize = 1024;

fn has_closed_brackets(pattern: &str) -> bool {
    let mut rest = pattern;
    while let Some(open) = rest.find('[') {
        let inside = &rest[open + 1..];
        let inside = inside.strip_prefix(['!', '^']).unwrap_or(inside);
        // A `]` in first place stands for itself.
        let inside = inside.strip_prefix(']').unwrap_or(inside);
        match inside.find(']') {
            Some(close) => rest = &inside[close + 1..],
            None => return false,
        }
    }
    true
}

/// Reads the words of a command: at least one, the program not empty.
pub(crate) fn argv(
    here: &Here<'_>,
    key: &str,
    raw: &Spanned<Vec<Text>>,
) -> Result<Vec<String>, Box<Fault>> {
    if raw
        .get_ref()
        .first()
        .is_none_or(|program| program.get_ref().trim().is_empty())
    {
        return Err(here
            .fault(key, raw, format!("`{key}` names no program"))
            .with_hint("write program and arguments as a list: `[\"cargo\", \"test\"]`"));
    }
    Ok(plain(raw.get_ref()))
}

/// Returns strings without their places.
pub(crate) fn plain(raw: &[Text]) -> Vec<String> {
    raw.iter().map(|text| text.get_ref().clone()).collect()
}

/// Whose file lists hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lister {
    /// The repository's: hosts of the public internet alone.
    Repository,
    /// The person's own: addresses that are not public as well.
    Person,
}

/// Reads hosts: exactly `host:port`, a name with a dot for port 443, or the name of a package registry.
///
/// A host is returned in canonical form, a registry under its name.
pub(crate) fn hosts(
    here: &Here<'_>,
    key: &str,
    raw: &[Text],
    lister: Lister,
) -> Result<Vec<Sourced>, Box<Fault>> {
    raw.iter()
        .map(|raw| {
            let text = raw.get_ref();
            match listed_hosts(text, "", lister == Lister::Person) {
                Ok(hosts) => Ok(Sourced {
                    value: match (registry_hosts(text), hosts.first()) {
                        (None, Some(host)) => host.to_string(),
                        _ => text.clone(),
                    },
                    origin: here.origin(raw),
                }),
                Err(error) => Err(host_fault(here, key, raw, error)),
            }
        })
        .collect()
}

fn host_fault(here: &Here<'_>, key: &str, raw: &Text, error: ListedError) -> Box<Fault> {
    let text = raw.get_ref();
    let problem = format!("`{}` in `{key}` {error}", shown(text));
    let registries = || REGISTRY_NAMES.iter().copied();
    let hint = match error {
        ListedError::Private => {
            "your own file alone can open an address of this machine or its networks".to_owned()
        }
        ListedError::Host(HostError::PortMissing) if nearest(text, registries()).is_some() => {
            let meant = nearest(text, registries()).unwrap_or_default();
            format!("did you mean `{meant}`?")
        }
        ListedError::Host(_) => format!(
            "write `host:port`, or one of {}",
            list_names(registries(), ", ")
        ),
    };
    here.fault(key, raw, problem).with_hint(hint)
}
