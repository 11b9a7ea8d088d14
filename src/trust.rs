//! Trust by content: a person accepts once exactly what a repository would execute.

mod scripts;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
};

use harness_config::{Resolved, TrustLine};
use harness_core::{Feature, RepoPath};
use harness_guard::Scope;
use harness_store::state::{self, StateError};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    compose::{Site, any_feature},
    failure::{Failure, chain},
    surface::{Decision, Surface},
};

/// What a repository would have executed, as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subject {
    pub(crate) lines: Vec<String>,
    digest: String,
}

/// Everything a person has accepted, by repository.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Accepted {
    repositories: BTreeMap<String, Known>,
}

/// What a person has accepted of one repository.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    /// Its work tree.
    root: PathBuf,
    subject: Subject,
}

/// What the store says about a subject.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    Yes,
    /// Nothing of this repository was ever accepted.
    Never,
    /// Something else was accepted: lines that are new, and lines that are gone.
    Changed {
        added: Vec<String>,
        removed: Vec<String>,
    },
}

impl Subject {
    /// Gathers what the repository's configuration and features would have executed.
    pub(crate) fn of(
        site: &Site,
        resolved: &Resolved,
        features: &[Feature],
    ) -> Result<Self, Failure> {
        let config = site.repository.as_ref();
        let lines = config.map(harness_config::trust_subject).into_iter();
        let mut lines: Vec<String> = lines
            .flatten()
            .map(|TrustLine { what, text }| format!("{what}: {text}"))
            .collect();
        let gates = config.into_iter().flat_map(|config| &config.gates);
        for gate in gates {
            lines.extend(scripts::lines(&site.root, &gate.cwd, &gate.run)?);
        }
        let formats = config.into_iter().flat_map(|config| &config.formats);
        for format in formats {
            let run = &format.value.run;
            lines.extend(scripts::lines(&site.root, &RepoPath::root(), run)?);
        }
        let setup = config.into_iter().flat_map(|config| &config.setup);
        for setup in setup {
            lines.extend(scripts::lines(&site.root, &RepoPath::root(), &setup.run)?);
        }
        for feature in features {
            lines.extend(verify_lines(site, resolved, feature)?);
        }
        Ok(Self::new(lines))
    }

    /// Makes the subject of a configuration that was detected and stands in no file.
    pub(crate) fn of_detected(site: &Site, resolved: &Resolved) -> Result<Self, Failure> {
        let policy = &resolved.policy;
        let mut lines: Vec<String> = policy
            .gates
            .iter()
            .map(|gate| format!("gate `{}`: {:?}", gate.name, gate.run))
            .collect();
        let write: Vec<String> = policy
            .scope
            .write
            .iter()
            .map(|rule| word(rule.value.as_bytes()))
            .collect();
        lines.push(format!("write: {}", write.join(" ")));
        for gate in &policy.gates {
            lines.extend(scripts::lines(&site.root, &gate.cwd, &gate.run)?);
        }
        Ok(Self::new(lines))
    }

    /// Neither the order of the lines nor a line given twice changes the digest.
    fn new(lines: Vec<String>) -> Self {
        let mut seen = BTreeSet::new();
        let lines: Vec<String> = lines
            .into_iter()
            .filter(|line| seen.insert(line.clone()))
            .collect();
        let mut hasher = Sha256::new();
        for line in &seen {
            hasher.update(line.as_bytes());
            hasher.update([0]);
        }
        Self {
            digest: hex(&hasher.finalize()),
            lines,
        }
    }
}

/// Returns the lines of a feature's own commands, with the scripts they name.
///
/// A script that the agent may write is left out: features are about changing
/// it, and every landing would ask again. It runs in the same cage as the agent.
fn verify_lines(
    site: &Site,
    resolved: &Resolved,
    feature: &Feature,
) -> Result<Vec<String>, Failure> {
    if feature.verify.is_empty() {
        return Ok(Vec::new());
    }
    let scope = Scope::compile(&resolved.policy.scope, &any_feature())
        .map_err(|error| Failure::usage(chain(&error)))?;
    let is_fixed =
        |word: &&String| RepoPath::parse(word.as_str()).is_ok_and(|path| !scope.is_writable(&path));
    let commands: Vec<String> = feature
        .verify
        .iter()
        .map(|argv| format!("{argv:?}"))
        .collect();
    let mut lines = vec![format!("verify of {}: {}", feature.id, commands.join(" "))];
    let fixed: Vec<String> = feature
        .verify
        .iter()
        .flatten()
        .filter(is_fixed)
        .cloned()
        .collect();
    lines.extend(scripts::lines(&site.root, &RepoPath::root(), &fixed)?);
    Ok(lines)
}

/// Reads the features, and sees that what they and the configuration would execute is trusted.
pub(crate) fn trusted_features(
    site: &Site,
    resolved: &Resolved,
    surface: &dyn Surface,
) -> Result<Vec<Feature>, Failure> {
    let features = site.features(&resolved.policy.feature_file)?;
    require(site, &Subject::of(site, resolved, &features)?, surface)?;
    Ok(features)
}

/// Says whether exactly this was accepted.
pub(crate) fn check(site: &Site, subject: &Subject) -> Result<Trusted, Failure> {
    let accepted = load(site)?;
    let known = accepted.repositories.get(&key(site));
    Ok(match known.map(|known| &known.subject) {
        None => Trusted::Never,
        Some(known) if known.digest == subject.digest => Trusted::Yes,
        Some(known) => Trusted::Changed {
            added: subject
                .lines
                .iter()
                .filter(|line| !known.lines.contains(line))
                .cloned()
                .collect(),
            removed: known
                .lines
                .iter()
                .filter(|line| !subject.lines.contains(line))
                .cloned()
                .collect(),
        },
    })
}

/// Remembers that a person accepted this.
pub(crate) fn accept(site: &Site, subject: &Subject) -> Result<(), Failure> {
    let mut accepted = load(site)?;
    let known = Known {
        root: site.home(),
        subject: subject.clone(),
    };
    accepted.repositories.insert(key(site), known);
    save(site, accepted)
}

/// Forgets what was accepted; says whether there was anything.
pub(crate) fn revoke(site: &Site) -> Result<bool, Failure> {
    let mut accepted = load(site)?;
    let was_there = accepted.repositories.remove(&key(site)).is_some();
    save(site, accepted)?;
    Ok(was_there)
}

/// Sees that what would be executed is trusted: asks on a terminal, else says how to trust it.
pub(crate) fn require(
    site: &Site,
    subject: &Subject,
    surface: &dyn Surface,
) -> Result<(), Failure> {
    let trusted = check(site, subject)?;
    if trusted == Trusted::Yes || subject.lines.is_empty() {
        return Ok(());
    }
    let decision = Decision {
        title: "Trust exactly this?",
        body: &describe(subject, &trusted),
    };
    if surface.confirm(decision) {
        return accept(site, subject);
    }
    let what = match trusted {
        Trusted::Changed { .. } => {
            "what this repository would execute has changed since you trusted it"
        }
        _ => "this repository is not trusted yet",
    };
    Err(Failure::needs_human(what).hint("look at it above, then `harness trust --yes`"))
}

/// Returns everything that would be accepted, and how it differs from what was.
pub(crate) fn describe_in_full(subject: &Subject, trusted: &Trusted) -> String {
    let mut text = describe(subject, &Trusted::Never);
    if subject.lines.is_empty() {
        text.push_str("  nothing\n");
    }
    text.push_str(match trusted {
        Trusted::Yes => "You trust exactly this.\n",
        Trusted::Never => "You have not trusted this yet.\n",
        Trusted::Changed { .. } => "",
    });
    if let Trusted::Changed { .. } = trusted {
        text.push_str(&describe(subject, trusted));
    }
    text
}

/// Returns the text of the question.
pub(crate) fn describe(subject: &Subject, trusted: &Trusted) -> String {
    let mut text = String::new();
    if let Trusted::Changed { added, removed } = trusted {
        text.push_str("Changed since you trusted this repository:\n");
        let removed = removed.iter().map(|line| format!("  - {line}\n"));
        let added = added.iter().map(|line| format!("  + {line}\n"));
        text.extend(removed.chain(added));
        return text;
    }
    text.push_str("This repository would execute and open:\n");
    for line in &subject.lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {line}");
    }
    text
}

fn load(site: &Site) -> Result<Accepted, Failure> {
    let path = site.folders.trust();
    let accepted = state::read_json(&path).map_err(|error| {
        let hint = match error {
            StateError::Newer { .. } | StateError::TooLong { .. } => format!(
                "use that version, or move `{}` away: what it holds counts as not trusted then",
                path.display()
            ),
            _ => "what it held counts as not trusted: look again with `harness trust`".to_owned(),
        };
        Failure::failed(chain(&error)).hint(hint)
    })?;
    Ok(accepted.unwrap_or_default())
}

/// Keeps what was accepted, but for repositories that are gone: another may come to stand there.
fn save(site: &Site, mut accepted: Accepted) -> Result<(), Failure> {
    accepted.repositories.retain(|_, known| known.root.is_dir());
    let path = site.folders.trust();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::failed(format!("cannot create `{}`: {error}", folder.display()))
        })?;
    }
    state::write_json(&path, &accepted).map_err(|error| Failure::failed(chain(&error)))
}

/// Returns a foreign name so that it stays on its line and shows what it is made of.
fn word(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text)
            if text
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || "-_./:=@%+,*[]?".contains(char)) =>
        {
            text.to_owned()
        }
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("b\"{}\"", bytes.escape_ascii()),
    }
}

/// A repository is its work tree and its common git directory, by their real paths; a work tree that
/// was made for a run counts as the one it was made from.
fn key(site: &Site) -> String {
    format!(
        "{} {}",
        site.home().display(),
        site.repo.common_dir().display()
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
