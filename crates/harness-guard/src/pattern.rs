//! Patterns of paths: their grammar, their errors, and sets of them that match bytes.
//!
//! Grammar: `*` and `?` inside a component, `**` as a whole component across
//! components, `[...]` for one ASCII character of a component. Braces and
//! backslashes are refused rather than read in one of their many meanings; a
//! special character stands for itself in brackets, as `[*]`.
//!
//! A set either grants or restricts, and doubt goes against the agent in both:
//! a grant covers what lies below a path only where its last component is plain,
//! so that `src/*` stays inside `src`; a restriction covers the folder, whatever
//! lies below each path it matches, and every spelling in ASCII case.

mod built;

use std::{borrow::Cow, fmt, sync::Arc};

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};
use harness_core::{RepoPath, Sourced};

/// The longest pattern accepted.
const PATTERN_BYTES_MAX: usize = 1024;
/// The most patterns one list may have.
const PATTERNS_MAX: usize = 1000;

/// Why a scope cannot be compiled; each names the pattern and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// It is absolute, begins with `~` or has a component `..`.
    #[error("cannot use pattern `{pattern}` ({origin}): the pattern leaves the repository")]
    Leaves {
        /// The pattern as written.
        pattern: String,
        /// Where it stands.
        origin: String,
    },
    /// It begins with `!`: what is forbidden has lists of its own.
    #[error("cannot use pattern `{pattern}` ({origin}): a pattern cannot begin with `!`")]
    Negated {
        /// The pattern as written.
        pattern: String,
        /// Where it stands.
        origin: String,
    },
    /// It has no text.
    #[error("cannot use pattern `` ({origin}): it is empty")]
    Empty {
        /// Where it stands.
        origin: String,
    },
    /// It is longer than 1,024 bytes.
    #[error("cannot use pattern `{pattern}` ({origin}): it is longer than 1024 bytes")]
    TooLong {
        /// Its beginning.
        pattern: String,
        /// Where it stands.
        origin: String,
    },
    /// It uses a character that the grammar does not have in that place.
    #[error(
        "cannot use pattern `{pattern}` ({origin}): {found:?} is not in the grammar `*`, `**`, `?`, `[...]`"
    )]
    Unsupported {
        /// The pattern as written.
        pattern: String,
        /// Where it stands.
        origin: String,
        /// The character.
        found: char,
    },
    /// It does not follow the grammar.
    #[error("cannot read pattern `{pattern}` ({origin})")]
    Malformed {
        /// The pattern as written.
        pattern: String,
        /// Where it stands.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
    /// Its list has more than 1,000 patterns.
    #[error("cannot use pattern `{pattern}` ({origin}): its list has more than 1000 patterns")]
    TooMany {
        /// The first pattern over the limit.
        pattern: String,
        /// Where it stands.
        origin: String,
    },
    /// Its list is too large to be compiled.
    #[error("cannot compile the list that ends with pattern `{pattern}` ({origin})")]
    TooLarge {
        /// The last pattern of the list.
        pattern: String,
        /// Where it stands.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
}

/// What a match means, and so which way doubt goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A match opens a path: exact case, and below it only where the pattern names a folder.
    Grant,
    /// A match closes a path: any ASCII case, the folder itself, and everything below.
    Restrict,
}

/// A list of patterns, compiled.
#[derive(Clone)]
pub(crate) struct PatternSet {
    globs: Arc<GlobSet>,
    /// For each glob the pattern it was made from; some patterns need two.
    owners: Arc<[usize]>,
    patterns: Arc<[Pattern]>,
    /// Whether globs are in lower case and paths are folded to it.
    folds_case: bool,
}

#[derive(Clone, Debug)]
struct Pattern {
    written: Sourced,
    fixed: RepoPath,
    is_plain: bool,
}

impl PatternSet {
    /// Compiles a list; an empty one matches nothing.
    pub(crate) fn compile(list: &[Sourced], effect: Effect) -> Result<Self, ScopeError> {
        built::or_build(list, effect, || Self::build(list, effect))
    }

    fn build(list: &[Sourced], effect: Effect) -> Result<Self, ScopeError> {
        if let Some(surplus) = list.get(PATTERNS_MAX) {
            let (pattern, origin) = named(surplus);
            return Err(ScopeError::TooMany { pattern, origin });
        }
        let folds_case = effect == Effect::Restrict;
        let mut builder = GlobSetBuilder::new();
        let mut owners = Vec::new();
        let mut patterns = Vec::with_capacity(list.len());
        for written in list {
            let components = components(written)?;
            for glob in globs(&components, effect) {
                // A pattern in one case is matched by hashing; one that folds case itself takes a
                // regular expression, and those of a default scope take milliseconds to compile.
                let folded = folds_case && !glob.contains('[');
                let glob = if folded {
                    glob.to_ascii_lowercase()
                } else {
                    glob
                };
                let built = GlobBuilder::new(&glob)
                    .literal_separator(true)
                    .case_insensitive(folds_case && !folded)
                    .build();
                builder.add(built.map_err(|source| {
                    let (pattern, origin) = named(written);
                    ScopeError::Malformed {
                        pattern,
                        origin,
                        source,
                    }
                })?);
                owners.push(patterns.len());
            }
            let plain = components.iter().take_while(|name| is_plain(name)).count();
            patterns.push(Pattern {
                written: written.clone(),
                fixed: RepoPath::parse(components[..plain].join("/"))
                    .expect("components hold no `..`, no NUL and at most PATTERN_BYTES_MAX bytes"),
                is_plain: plain == components.len(),
            });
        }
        let globs = builder.build().map_err(|source| {
            let (pattern, origin) = list.last().map(named).unwrap_or_default();
            ScopeError::TooLarge {
                pattern,
                origin,
                source,
            }
        })?;
        Ok(Self {
            globs: Arc::new(globs),
            owners: owners.into(),
            patterns: patterns.into(),
            folds_case,
        })
    }

    /// Returns the first pattern that covers `path`; the root is covered by none.
    pub(crate) fn find(&self, path: &RepoPath) -> Option<&Sourced> {
        if path.is_root() {
            return None;
        }
        let path = self.folded(path);
        let matches = self.globs.matches_candidate(&Candidate::from_bytes(&*path));
        let first = matches.into_iter().map(|glob| self.owners[glob]).min()?;
        Some(&self.patterns[first].written)
    }

    /// Whether a pattern covers `path`.
    pub(crate) fn covers(&self, path: &RepoPath) -> bool {
        !path.is_root()
            && self
                .globs
                .is_match_candidate(&Candidate::from_bytes(&*self.folded(path)))
    }

    /// Returns the path in the case its patterns are in.
    fn folded<'a>(&self, path: &'a RepoPath) -> Cow<'a, [u8]> {
        if self.folds_case {
            Cow::Owned(path.as_bytes().to_ascii_lowercase())
        } else {
            Cow::Borrowed(path.as_bytes())
        }
    }

    /// Whether there is no pattern.
    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Iterates over the patterns as they were written.
    pub(crate) fn written(&self) -> impl ExactSizeIterator<Item = &Sourced> {
        self.patterns.iter().map(|pattern| &pattern.written)
    }

    /// Iterates over the components before the first wildcard of each pattern.
    pub(crate) fn fixed(&self) -> impl Iterator<Item = &RepoPath> {
        self.patterns.iter().map(|pattern| &pattern.fixed)
    }

    /// Whether a pattern with a wildcard begins in `folder`, which is a folder therefore.
    pub(crate) fn begins_in(&self, folder: &RepoPath) -> bool {
        let mut open = self.patterns.iter().filter(|pattern| !pattern.is_plain);
        open.any(|pattern| pattern.fixed == *folder)
    }

    /// Iterates over the patterns without any wildcard, as paths.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &RepoPath> {
        self.patterns
            .iter()
            .filter(|pattern| pattern.is_plain)
            .map(|pattern| &pattern.fixed)
    }
}

/// The patterns alone: a compiled set runs to pages.
impl fmt::Debug for PatternSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.written()).finish()
    }
}

fn named(pattern: &Sourced) -> (String, String) {
    let shown = pattern.value.chars().take(PATTERN_BYTES_MAX).collect();
    (shown, pattern.origin.clone())
}

/// Splits a pattern into checked components; the root, written `.`, becomes `**`.
fn components(written: &Sourced) -> Result<Vec<String>, ScopeError> {
    let text = written.value.as_str();
    let (pattern, origin) = named(written);
    if text.is_empty() {
        return Err(ScopeError::Empty { origin });
    }
    if text.len() > PATTERN_BYTES_MAX {
        return Err(ScopeError::TooLong { pattern, origin });
    }
    if text.starts_with('!') {
        return Err(ScopeError::Negated { pattern, origin });
    }
    let leaves = text.starts_with(['/', '~']) || text.split('/').any(|name| name == "..");
    if leaves {
        return Err(ScopeError::Leaves { pattern, origin });
    }
    let mut components = text
        .split('/')
        .filter(|name| !matches!(*name, "" | "."))
        .map(component)
        .collect::<Result<Vec<_>, char>>()
        .map_err(|found| ScopeError::Unsupported {
            pattern,
            origin,
            found,
        })?;
    if components.is_empty() {
        components.push("**".to_owned());
    }
    Ok(components)
}

/// Checks one component and rewrites its negated classes, which would match `/` too.
///
/// Fails with the character that may not stand where it does: a bracket that opens
/// a class which does not close in the component is one. A class that runs
/// backwards is passed on, the glob parser refuses it.
fn component(name: &str) -> Result<String, char> {
    let mut checked = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(char) = rest.chars().next() {
        if let Some(length) = class_length(rest) {
            checked.push_str(&class(&rest[1..length - 1])?);
            rest = &rest[length..];
            continue;
        }
        if matches!(char, '[' | '{' | '}' | '\\' | '\0') {
            return Err(char);
        }
        checked.push(char);
        rest = &rest[char.len_utf8()..];
    }
    Ok(checked)
}

/// Returns how long the class is that `text` begins with, brackets included.
fn class_length(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('[')?;
    let members = inner.strip_prefix(['!', '^']).unwrap_or(inner);
    // A closing bracket in first place is a member.
    let (close, _) = members
        .char_indices()
        .skip(1)
        .find(|(_, char)| *char == ']')?;
    Some(text.len() - members.len() + close + 1)
}

fn class(inner: &str) -> Result<String, char> {
    // The matcher works on bytes: a wider character would count as several members.
    if let Some(wide) = inner.chars().find(|char| !char.is_ascii() || *char == '\0') {
        return Err(wide);
    }
    let negated = inner.strip_prefix(['!', '^']);
    let ranges = ranges(negated.unwrap_or(inner).as_bytes());
    let has = |byte: u8| {
        ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&byte))
    };
    let is_backwards = ranges.iter().any(|(first, last)| first > last);
    match negated {
        None if has(b'/') => Err('/'),
        Some(_) if !is_backwards => Ok(negated_class(|byte| byte == b'/' || has(byte))),
        None | Some(_) => Ok(format!("[{inner}]")),
    }
}

/// Reads the members of a class exactly as the glob parser does, so that none is missed.
fn ranges(members: &[u8]) -> Vec<(u8, u8)> {
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    let mut in_range = false;
    for &byte in members {
        match ranges.last_mut() {
            Some(range) if in_range => {
                range.1 = byte;
                in_range = false;
            }
            Some(_) if byte == b'-' => in_range = true,
            _ => ranges.push((byte, byte)),
        }
    }
    if in_range {
        ranges.push((b'-', b'-'));
    }
    ranges
}

/// Spells out a negated class; `]` and `-` stand where they mean themselves.
fn negated_class(has: impl Fn(u8) -> bool) -> String {
    let mut class = String::from("[!");
    class.extend(has(b']').then_some(']'));
    let inner = (1..128_u8).filter(|&byte| !matches!(byte, b']' | b'-') && has(byte));
    class.extend(inner.map(char::from));
    class.extend(has(b'-').then_some('-'));
    class.push(']');
    class
}

fn is_plain(component: &str) -> bool {
    !component.contains(['*', '?', '['])
}

/// Returns the globs that together mean the pattern.
fn globs(components: &[String], effect: Effect) -> Vec<String> {
    let whole = components.join("/");
    let open = components
        .iter()
        .rposition(|name| name != "**")
        .map_or(0, |last| last + 1);
    let ends_open = open < components.len();
    let names_folder = components.last().is_some_and(|name| is_plain(name));
    match effect {
        Effect::Grant if names_folder => vec![format!("{whole}/**"), whole],
        Effect::Restrict if !ends_open => vec![format!("{whole}/**"), whole],
        Effect::Restrict if open > 0 => vec![components[..open].join("/"), whole],
        Effect::Grant | Effect::Restrict => vec![whole],
    }
}

#[cfg(test)]
mod tests;
