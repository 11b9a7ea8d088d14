//! Trust by content: a person accepts once exactly what a repository would execute.

use std::{collections::BTreeMap, fmt::Write as _};

use harness_config::{Resolved, TrustLine};
use harness_core::{Feature, RepoPath};
use harness_store::state;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    ask,
    cli::Common,
    compose::Site,
    failure::{Failure, chain},
    output::say,
};

/// The largest script file whose content is part of what is trusted. Unit: bytes.
const SCRIPT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What a repository would have executed, as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subject {
    pub(crate) lines: Vec<String>,
    digest: String,
}

/// Everything a person has accepted, by repository.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Accepted {
    repositories: BTreeMap<String, Subject>,
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
    pub(crate) fn of(site: &Site, features: &[Feature]) -> Result<Self, Failure> {
        let config = site
            .repository
            .as_ref()
            .map(harness_config::trust_subject)
            .unwrap_or_default();
        let mut lines: Vec<String> = config
            .iter()
            .map(|TrustLine { what, text }| format!("{what}: {text}"))
            .collect();
        for feature in features.iter().filter(|feature| !feature.verify.is_empty()) {
            let commands = feature.verify.iter().map(|argv| format!("{argv:?}"));
            lines.push(format!(
                "verify of {}: {}",
                feature.id,
                commands.collect::<Vec<_>>().join(" ")
            ));
        }
        let gates = site.repository.iter().flat_map(|config| &config.gates);
        let setup = site.repository.iter().flat_map(|config| &config.setup);
        let named = gates
            .map(|gate| &gate.run)
            .chain(setup.map(|setup| &setup.run));
        lines.extend(scripts(site, named)?);
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
        let write: Vec<&str> = policy
            .scope
            .write
            .iter()
            .map(|rule| rule.value.as_str())
            .collect();
        lines.push(format!("write: {}", write.join(" ")));
        lines.extend(scripts(site, policy.gates.iter().map(|gate| &gate.run))?);
        Ok(Self::new(lines))
    }

    fn new(lines: Vec<String>) -> Self {
        let mut hasher = Sha256::new();
        for line in &lines {
            hasher.update(line.as_bytes());
            hasher.update([0]);
        }
        Self {
            digest: hex(&hasher.finalize()),
            lines,
        }
    }
}

/// Names the content of files of the repository that stand in an argv.
fn scripts<'a>(
    site: &Site,
    argvs: impl Iterator<Item = &'a Vec<String>>,
) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for word in argvs.flatten() {
        let Ok(path) = RepoPath::parse(word) else {
            continue;
        };
        let file = site.repo.root().join(path.as_path());
        if path.is_root() || !file.is_file() {
            continue;
        }
        let size = file.metadata().map(|stat| stat.len()).unwrap_or(u64::MAX);
        if size > SCRIPT_BYTES_MAX {
            return Err(Failure::usage(format!(
                "cannot trust `{path}`: it is larger than 16 MiB"
            )));
        }
        let bytes = std::fs::read(&file)
            .map_err(|error| Failure::failed(format!("cannot read `{path}`: {error}")))?;
        let line = format!("content of {path}: sha256 {}", hex(&Sha256::digest(&bytes)));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Says whether exactly this was accepted.
pub(crate) fn check(site: &Site, subject: &Subject) -> Result<Trusted, Failure> {
    let accepted = load(site)?;
    Ok(match accepted.repositories.get(&key(site)) {
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
    accepted.repositories.insert(key(site), subject.clone());
    save(site, &accepted)
}

/// Forgets what was accepted; says whether there was anything.
pub(crate) fn revoke(site: &Site) -> Result<bool, Failure> {
    let mut accepted = load(site)?;
    let was_there = accepted.repositories.remove(&key(site)).is_some();
    save(site, &accepted)?;
    Ok(was_there)
}

/// Sees that what would be executed is trusted: asks on a terminal, else says how to trust it.
pub(crate) fn require(site: &Site, subject: &Subject, common: &Common) -> Result<(), Failure> {
    let trusted = check(site, subject)?;
    if trusted == Trusted::Yes || subject.lines.is_empty() {
        return Ok(());
    }
    say(&describe(subject, &trusted));
    if ask::is_attended(common) && ask::confirm("Trust exactly this?") {
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
        Failure::failed(chain(&error))
            .hint("what it held counts as not trusted: look again with `harness trust`")
    })?;
    Ok(accepted.unwrap_or_default())
}

fn save(site: &Site, accepted: &Accepted) -> Result<(), Failure> {
    let path = site.folders.trust();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::failed(format!("cannot create `{}`: {error}", folder.display()))
        })?;
    }
    state::write_json(&path, accepted).map_err(|error| Failure::failed(chain(&error)))
}

/// A repository is its work tree and its common git directory, by their real paths.
fn key(site: &Site) -> String {
    format!(
        "{} {}",
        site.repo.root().display(),
        site.repo.common_dir().display()
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
