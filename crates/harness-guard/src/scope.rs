//! Which paths may be read and written while one feature is worked on.
//!
//! Precedence: host-owned, then hidden, denied, protected, and only then the
//! write scope. A feature narrows: a path is writable when the repository's
//! patterns *and* the feature's own cover it. Two things widen, and only a person
//! gives them: `may_change` opens exactly the paths it names, and what was approved
//! while the run went on is open beside the scope; both stand below hidden and
//! denied. Nothing here looks at a disk.

mod owner;
mod reach;
mod standing;

use harness_core::{Feature, FeatureId, Policy, RepoPath, ScopeRules, Sourced, Verdict};

use crate::{
    pattern::{Effect, PatternSet, ScopeError},
    shown::{shown, unreadable},
};

pub(crate) use self::{owner::Owner, standing::Standing};

/// The rules about paths for one feature, compiled.
#[derive(Clone, Debug)]
pub struct Scope {
    feature: FeatureId,
    write: PatternSet,
    /// The feature's narrowing; does not narrow when it has no pattern.
    feature_write: PatternSet,
    deny: PatternSet,
    hide: PatternSet,
    protect: PatternSet,
    /// Paths that may be changed although they are protected or outside the scope.
    may_change: Vec<(RepoPath, Sourced)>,
    /// What a person gave beside the scope.
    granted: PatternSet,
    build: PatternSet,
    host_owned: PatternSet,
    /// Host-owned files given as paths, in the order of the policy.
    owned_files: Vec<RepoPath>,
    /// File names of the map beside the built-in ones.
    map_names: Vec<String>,
}

impl Scope {
    /// Compiles the repository's rules and what the feature makes of them.
    ///
    /// An empty `may_change` entry, which would be the root, lifts nothing.
    ///
    /// # Errors
    /// When a pattern leaves the repository, does not follow the grammar or
    /// stands in a list too long; the error names it and its origin.
    pub fn compile(rules: &ScopeRules, feature: &Feature) -> Result<Self, ScopeError> {
        let origin = format!("feature `{}`", feature.id);
        let own = |patterns: &[String]| -> Vec<Sourced> {
            let sourced = |value: &String| Sourced {
                value: value.clone(),
                origin: origin.clone(),
            };
            patterns.iter().map(sourced).collect()
        };
        let deny = [rules.deny.as_slice(), &own(&feature.scope.deny)].concat();
        Ok(Self {
            feature: feature.id.clone(),
            write: PatternSet::compile(&rules.write, Effect::Grant)?,
            feature_write: PatternSet::compile(&own(&feature.scope.write), Effect::Grant)?,
            deny: PatternSet::compile(&deny, Effect::Restrict)?,
            hide: PatternSet::compile(&rules.hide, Effect::Restrict)?,
            protect: PatternSet::compile(&rules.protect, Effect::Restrict)?,
            may_change: lifted(&feature.may_change, &origin),
            granted: PatternSet::compile(&[], Effect::Grant)?,
            build: PatternSet::compile(&rules.build, Effect::Grant)?,
            host_owned: PatternSet::compile(&rules.host_owned, Effect::Restrict)?,
            owned_files: Vec::new(),
            map_names: Vec::new(),
        })
    }

    /// Compiles a run's rules, with the files the policy names as host-owned.
    pub(crate) fn of_policy(policy: &Policy, feature: &Feature) -> Result<Self, ScopeError> {
        let mut scope = Self::compile(&policy.scope, feature)?;
        scope.amend(policy, feature)?;
        let files = [&policy.feature_file, &policy.progress_file];
        scope.owned_files = files
            .into_iter()
            .filter(|file| !file.is_root())
            .cloned()
            .collect();
        // A map given with a folder is owned by its name, like every map.
        let map = policy.map_file.rsplit('/').next().unwrap_or_default();
        scope
            .map_names
            .extend((!map.is_empty()).then(|| map.to_owned()));
        Ok(scope)
    }

    /// Adds what a person gave for the feature since the run began.
    fn amend(&mut self, policy: &Policy, feature: &Feature) -> Result<(), ScopeError> {
        let given = policy.amendments.iter();
        let given: Vec<_> = given.filter(|more| more.feature == feature.id).collect();
        let origin = approved_for(&feature.id);
        let sourced = |value: &String| Sourced {
            value: value.clone(),
            origin: origin.clone(),
        };
        let write: Vec<Sourced> = given
            .iter()
            .flat_map(|more| &more.write)
            .map(sourced)
            .collect();
        self.granted = PatternSet::compile(&write, Effect::Grant)?;
        for more in given {
            self.may_change.extend(lifted(&more.may_change, &origin));
        }
        Ok(())
    }

    /// Says whether a file tool may open, list or search `path`.
    ///
    /// Git's own files are left to commands; all else may be read unless hidden.
    /// What is hidden below a folder is the host's to leave out.
    pub fn read(&self, path: &RepoPath) -> Verdict {
        self.visit("read", path)
            .unwrap_or_else(|| Verdict::allow(format!("read `{}`: not hidden", shown(path)), None))
    }

    /// Says whether a file tool may write `path`.
    ///
    /// A denial names the path, the rule or the scope that was missed and the way on.
    pub fn write(&self, path: &RepoPath) -> Verdict {
        self.change("write", path)
    }

    /// Says whether a file tool may change `path`, worded for `verb`.
    pub(crate) fn change(&self, verb: &str, path: &RepoPath) -> Verdict {
        let standing = self.standing(path);
        if let Standing::Writable(pattern) = &standing {
            return Verdict::allow(
                format!("{verb} `{}`: in the write scope", shown(path)),
                Some(standing::rule(pattern)),
            );
        }
        self.refuse(verb, path, &standing)
    }

    /// Whether `path` is hidden: not to be read, listed, searched or shown.
    pub fn is_hidden(&self, path: &RepoPath) -> bool {
        self.hide.covers(path)
    }

    /// Whether `path` is in no snapshot of the work tree: hidden, or a build output.
    pub fn is_never_kept(&self, path: &RepoPath) -> bool {
        self.is_hidden(path) || self.is_build_output(path)
    }

    /// Whether a file tool may write `path`.
    pub fn is_writable(&self, path: &RepoPath) -> bool {
        matches!(self.standing(path), Standing::Writable(_))
    }

    /// Whether `path` is declared build output: writable, not kept, and nobody else's.
    pub fn is_build_output(&self, path: &RepoPath) -> bool {
        // Asked of every path of a walk: the short list first.
        self.build.covers(path)
            && !matches!(
                self.standing(path),
                Standing::Owned(_) | Standing::Hidden(_) | Standing::Denied(_)
            )
    }

    /// Whether nothing at `path` or below it may be written: such an entry is closed as a whole
    /// where it lies in a writable folder. Build outputs are never closed.
    pub fn is_closed(&self, path: &RepoPath, is_folder: bool) -> bool {
        let is_build = || {
            self.build
                .fixed()
                .any(|build| path.starts_with(build) || (is_folder && build.starts_with(path)))
        };
        let may_hold = |patterns: &PatternSet| {
            let mut fixed = patterns.fixed();
            fixed.any(|fixed| path.starts_with(fixed) || fixed.starts_with(path))
        };
        match self.standing(path) {
            Standing::Root | Standing::Writable(_) | Standing::Unreadable(_) => false,
            Standing::Owned(_) | Standing::Hidden(_) => true,
            Standing::Denied(_) => !is_build(),
            Standing::Protected(_) => !(is_folder && self.is_partly_lifted(path)),
            Standing::OutsideRepository | Standing::OutsideFeature => {
                let in_scope = may_hold(&self.write)
                    && (self.feature_write.is_empty() || may_hold(&self.feature_write));
                let is_given = || may_hold(&self.granted) || self.is_partly_lifted(path);
                let is_open = is_folder && (in_scope || is_given());
                !is_open && !is_build()
            }
        }
    }

    /// Whether `path`, where write patterns begin, is a folder by their own words.
    ///
    /// A pattern without wildcard may name a file as well.
    pub fn is_folder(&self, path: &RepoPath) -> bool {
        self.write.begins_in(path) || self.feature_write.begins_in(path)
    }

    /// Whether only the harness or a person ever changes `path`.
    pub fn is_host_owned(&self, path: &RepoPath) -> bool {
        self.owner(path).is_some()
    }

    /// Returns the denial of being at `path` at all, worded for `verb`; `None` when nothing is against it.
    pub(crate) fn visit(&self, verb: &str, path: &RepoPath) -> Option<Verdict> {
        let closed = match self.owner(path) {
            Some(git @ Owner::Git) => Some(Standing::Owned(git)),
            _ => self.hide.find(path).map(Standing::Hidden),
        };
        closed.map(|standing| self.refuse(verb, path, &standing))
    }

    /// Returns the first thing that is said about `path`, in the order of precedence.
    pub(crate) fn standing(&self, path: &RepoPath) -> Standing<'_> {
        if path.is_root() {
            return Standing::Root;
        }
        if let Some(owner) = self.owner(path) {
            return Standing::Owned(owner);
        }
        if let Some(pattern) = self.hide.find(path) {
            return Standing::Hidden(pattern);
        }
        if let Some(pattern) = self.deny.find(path) {
            return Standing::Denied(pattern);
        }
        if !self.is_lifted(path)
            && let Some(pattern) = self.protect.find(path)
        {
            return Standing::Protected(pattern);
        }
        match self.in_write(path) {
            Standing::Writable(pattern) => {
                unreadable(path).map_or(Standing::Writable(pattern), Standing::Unreadable)
            }
            missed => missed,
        }
    }

    /// Whether the feature's `may_change` names `path` or a folder above it.
    pub(crate) fn is_lifted(&self, path: &RepoPath) -> bool {
        self.lifting(path).is_some()
    }

    fn lifting(&self, path: &RepoPath) -> Option<&Sourced> {
        let mut named = self.may_change.iter();
        let (_, sourced) = named.find(|(named, _)| path.starts_with(named))?;
        Some(sourced)
    }

    /// A path that `may_change` names is open, and so is what a person gave, whatever the scope misses.
    fn in_write(&self, path: &RepoPath) -> Standing<'_> {
        if let Some(given) = self.lifting(path).or_else(|| self.granted.find(path)) {
            return Standing::Writable(given);
        }
        let Some(pattern) = self.write.find(path) else {
            return Standing::OutsideRepository;
        };
        if self.feature_write.is_empty() {
            return Standing::Writable(pattern);
        }
        self.feature_write
            .find(path)
            .map_or(Standing::OutsideFeature, Standing::Writable)
    }

    /// Whether a person gave exactly this pattern.
    pub(crate) fn has_given(&self, pattern: &str) -> bool {
        let mut given = self.granted.written();
        given.any(|known| known.value == pattern)
    }

    /// Returns the feature it is for.
    pub(crate) const fn feature(&self) -> &FeatureId {
        &self.feature
    }

    pub(crate) fn refuse(&self, verb: &str, path: &RepoPath, standing: &Standing<'_>) -> Verdict {
        let reason = format!(
            "{verb} `{}`: {}; {}",
            shown(path),
            standing.why(self),
            standing.way_on()
        );
        Verdict {
            rule: standing.rule(),
            ..Verdict::deny(reason)
        }
    }
}

/// Returns where something stands that a person gave for a feature.
pub(crate) fn approved_for(feature: &FeatureId) -> String {
    format!("approved for `{feature}`")
}

/// The root lifts nothing.
fn lifted(paths: &[RepoPath], origin: &str) -> Vec<(RepoPath, Sourced)> {
    let named = paths.iter().filter(|path| !path.is_root());
    let sourced = |path: &RepoPath| Sourced {
        value: path.to_text(),
        origin: origin.to_owned(),
    };
    named.map(|path| (path.clone(), sourced(path))).collect()
}

#[cfg(test)]
mod tests;
