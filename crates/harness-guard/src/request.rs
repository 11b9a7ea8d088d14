//! What an agent asks for beside what it has: refused at once, there already, or for a person to give.

use harness_core::{AllowedHost, Amendment, RepoPath, Sourced, Verdict};

use crate::{
    Guard,
    defaults::is_gate_affecting,
    network::{Hosts, listed_hosts},
    pattern::{Effect, PatternSet},
    scope::{Standing, approved_for},
    shown::shown_text,
};

/// The most paths, and the most hosts, of one request: nobody reads more.
const ENTRIES_MAX: usize = 16;
/// How much of a reason is kept. Unit: characters.
const REASON_MAX: usize = 1_000;
/// How much of an entry that is refused is repeated. Unit: characters.
const SHOWN_MAX: usize = 80;

/// What an agent wants beside what it has.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Paths or patterns to write.
    pub paths: &'a [String],
    /// Hosts to reach: `host:port`, a name for port 443, or the name of a registry.
    pub hosts: &'a [String],
    /// Why.
    pub reason: &'a str,
}

impl Guard {
    /// Says what a person would have to give for what an agent wants.
    ///
    /// Protected paths, and paths that decide how gates run, become exceptions;
    /// other paths and patterns come beside the write scope, where they open
    /// nothing that is owned by the harness, hidden, denied or protected.
    ///
    /// # Errors
    /// A denial when a part of it is nobody's to give while the run goes on, and
    /// an allowance when all of it is open already.
    pub fn amendment(&self, wanted: Wanted<'_>) -> Result<Amendment, Verdict> {
        for (what, count) in [("paths", wanted.paths.len()), ("hosts", wanted.hosts.len())] {
            if count > ENTRIES_MAX {
                return Err(Verdict::deny(format!(
                    "request: {count} {what} at once are more than {ENTRIES_MAX}"
                )));
            }
        }
        let mut amendment = Amendment {
            feature: self.scope().feature().clone(),
            write: Vec::new(),
            may_change: Vec::new(),
            hosts: Vec::new(),
            reason: wanted.reason.trim().chars().take(REASON_MAX).collect(),
        };
        for text in wanted.paths {
            self.add_path(text, &mut amendment)?;
        }
        for text in wanted.hosts {
            self.add_host(text, &mut amendment)?;
        }
        let is_empty = amendment.write.is_empty()
            && amendment.may_change.is_empty()
            && amendment.hosts.is_empty();
        if is_empty {
            return Err(Verdict::allow("all of it is open already", None));
        }
        Ok(amendment)
    }

    fn add_path(&self, text: &str, amendment: &mut Amendment) -> Result<(), Verdict> {
        let shown = shown_text(text, SHOWN_MAX);
        let list = [Sourced {
            value: text.to_owned(),
            origin: "request".to_owned(),
        }];
        let set = PatternSet::compile(&list, Effect::Grant)
            .map_err(|error| Verdict::deny(format!("request: {error}")))?;
        let plain = set.plain().next().cloned();
        let is_plain = plain.is_some();
        let path = plain
            .or_else(|| set.fixed().next().cloned())
            .unwrap_or_else(RepoPath::root);
        match self.scope().standing(&path) {
            standing @ (Standing::Owned(_)
            | Standing::Hidden(_)
            | Standing::Denied(_)
            | Standing::Unreadable(_)) => Err(self.scope().refuse("request", &path, &standing)),
            Standing::Root if !text.contains(['*', '?', '[']) => Err(Verdict::deny(
                "request: it is the whole repository; name what you need below it",
            )),
            Standing::Protected(_) if !is_plain => Err(Verdict::deny(format!(
                "request `{shown}`: it is protected; name the paths you need without wildcards"
            ))),
            Standing::Writable(_) if is_plain && !self.decides_gates(&path) => Ok(()),
            _ if self.scope().has_given(text.trim()) => Ok(()),
            Standing::Protected(_) => {
                push(&mut amendment.may_change, path);
                Ok(())
            }
            _ if is_plain && self.decides_gates(&path) => {
                push(&mut amendment.may_change, path);
                Ok(())
            }
            _ => {
                push(&mut amendment.write, text.trim().to_owned());
                Ok(())
            }
        }
    }

    /// Whether a change of the path would be found, whatever the scope says.
    fn decides_gates(&self, path: &RepoPath) -> bool {
        is_gate_affecting(path) && !self.scope().is_lifted(path)
    }

    fn add_host(&self, text: &str, amendment: &mut Amendment) -> Result<(), Verdict> {
        let shown = shown_text(text, SHOWN_MAX);
        let origin = approved_for(self.scope().feature());
        let hosts = listed_hosts(text.trim(), &origin, false)
            .map_err(|error| Verdict::deny(format!("request `{shown}`: it {error}")))?;
        let is_open = |host: &AllowedHost| {
            let mut known = self.bounds().network.iter();
            known.any(|known| known.host == host.host && known.port == host.port)
        };
        for host in hosts.into_iter().filter(|host| !is_open(host)) {
            // A host that the proxy would not know opens nothing.
            if Hosts::new(std::slice::from_ref(&host)).is_empty() {
                return Err(Verdict::deny(format!("request `{shown}`: it is no host")));
            }
            if !self.network_closed.is_empty() {
                return Err(Verdict::deny(format!(
                    "request `{shown}`: no host can be opened: {}",
                    self.network_closed
                )));
            }
            push(&mut amendment.hosts, host);
        }
        Ok(())
    }
}

fn push<T: PartialEq>(list: &mut Vec<T>, entry: T) {
    if !list.contains(&entry) {
        list.push(entry);
    }
}

#[cfg(test)]
mod tests;
