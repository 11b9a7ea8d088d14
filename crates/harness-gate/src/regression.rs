//! Which passed features a change may break, what tells, and which commit broke one.
//!
//! Pure: features, paths and histories come in. The runner asks when a candidate
//! is fixed, `verify --rerun` and `run` when a gate turns out red later.

use std::time::Duration;

use harness_core::{Feature, FeatureId, Gate, Regression, RepoPath};

use crate::{
    evidence::gates_of,
    proof::{named_files, own_gates},
};

/// The most gates that are run beside a feature's own; the features first in the list are looked at.
pub const REGRESSION_GATES_MAX: usize = 64;

/// A feature that is passing, and what its evidence says it changed.
#[derive(Clone, Copy, Debug)]
pub struct Passed<'a> {
    /// The feature.
    pub feature: &'a Feature,
    /// The paths it changed.
    pub changed: &'a [RepoPath],
}

/// Chooses the gates that show whether a change breaks what has passed before.
///
/// A passed feature is touched when the change has a path that the feature
/// changed, that its own commands name, or that its own scope `covers`; a feature
/// without a scope of its own is touched by the paths alone, or every change
/// would touch it. Of its gates those are chosen that are not among `own`, the
/// gates of the feature in work; one that several features share is named after
/// all of them. At most [`REGRESSION_GATES_MAX`].
pub fn regressions(
    own: &[Gate],
    all: &[Gate],
    passed: &[Passed<'_>],
    changes: &[RepoPath],
    covers: &dyn Fn(&Feature, &RepoPath) -> bool,
    timeout: Duration,
) -> Vec<Regression> {
    let mut chosen: Vec<Regression> = Vec::new();
    for passed in passed
        .iter()
        .filter(|passed| is_touched(passed, changes, covers))
    {
        let feature = passed.feature;
        let gates = gates_of(feature, all).into_iter().cloned();
        for gate in gates.chain(own_gates(feature, timeout)) {
            if own.iter().any(|own| is_same(own, &gate)) {
                continue;
            }
            match chosen.iter_mut().find(|known| is_same(&known.gate, &gate)) {
                Some(known) => known.features.push(feature.id.clone()),
                None => chosen.push(Regression {
                    features: vec![feature.id.clone()],
                    gate,
                }),
            }
        }
    }
    chosen.truncate(REGRESSION_GATES_MAX);
    for regression in &mut chosen {
        regression.features.dedup();
        regression.gate.name = name(&regression.gate.name, &regression.features);
    }
    chosen
}

/// Returns which commits of a history may have broken a feature: those that changed a path it is about.
///
/// `history` are the paths of each commit, newest first, down to the feature's proof.
pub fn suspects<'a, C>(
    history: &'a [(C, Vec<RepoPath>)],
    concerns: &dyn Fn(&RepoPath) -> bool,
) -> Vec<&'a C> {
    let touching = history
        .iter()
        .filter(|(_, changed)| changed.iter().any(concerns));
    touching.map(|(commit, _)| commit).collect()
}

fn is_touched(
    passed: &Passed<'_>,
    changes: &[RepoPath],
    covers: &dyn Fn(&Feature, &RepoPath) -> bool,
) -> bool {
    let feature = passed.feature;
    let named = named_files(&[], feature);
    let has_scope = !feature.scope.write.is_empty();
    changes.iter().any(|path| {
        passed.changed.contains(path)
            || named.contains(path)
            || (has_scope && covers(feature, path))
    })
}

/// Whether two gates are one command at one place, judged alike; names make no difference.
fn is_same(one: &Gate, other: &Gate) -> bool {
    let nameless = |gate: &Gate| Gate {
        name: String::new(),
        ..gate.clone()
    };
    nameless(one) == nameless(other)
}

fn name(gate: &str, features: &[FeatureId]) -> String {
    const NAMED_MAX: usize = 3;
    let named: Vec<&str> = features
        .iter()
        .take(NAMED_MAX)
        .map(FeatureId::as_str)
        .collect();
    let more = features.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{gate} of {}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn gate(name: &str) -> Gate {
        let mut feature = Feature::titled(FeatureId::new("F").unwrap(), "x");
        feature.verify = vec![vec!["make".to_owned(), name.to_owned()]];
        let mut gate = own_gates(&feature, Duration::from_secs(1)).remove(0);
        name.clone_into(&mut gate.name);
        gate
    }

    fn feature(id: &str, scope: &[&str], gates: &[&str], verify: &[&str]) -> Feature {
        let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let mut feature = Feature::titled(FeatureId::new(id).unwrap(), "x");
        feature.scope.write = text(scope);
        feature.gates = text(gates);
        feature.verify = verify
            .iter()
            .map(|line| line.split(' ').map(str::to_owned).collect())
            .collect();
        feature
    }

    /// Says which gates are chosen for a feature with the gate `test`, when these paths change.
    fn chosen(passed: &[(&Feature, &[RepoPath])], changes: &[&str]) -> Vec<String> {
        let all = [gate("test"), gate("lint"), gate("slow")];
        let passed: Vec<Passed<'_>> = passed
            .iter()
            .map(|(feature, changed)| Passed { feature, changed })
            .collect();
        let changes: Vec<RepoPath> = changes.iter().map(|text| path(text)).collect();
        let covers = |feature: &Feature, path: &RepoPath| {
            let folder = |pattern: &String| pattern.trim_end_matches("/**").to_owned();
            let mut folders = feature.scope.write.iter().map(folder);
            folders.any(|folder| path.to_text().starts_with(&folder))
        };
        let timeout = Duration::from_secs(1);
        let found = regressions(&all[..1], &all, &passed, &changes, &covers, timeout);
        found.into_iter().map(|found| found.gate.name).collect()
    }

    #[test]
    fn a_feature_is_touched_by_what_it_changed_named_or_owns() {
        let csv = feature("F-1", &["src/csv/**"], &["test"], &["sh check/csv.sh"]);
        let changed = [path("docs/csv.md")];
        let passed: [(&Feature, &[RepoPath]); 1] = [(&csv, &changed)];
        let expected = ["verify-1 of F-1"];
        for touching in ["src/csv/read.rs", "docs/csv.md", "check/csv.sh"] {
            assert_eq!(chosen(&passed, &[touching]), expected, "{touching}");
        }
        for other in ["src/json.rs", "docs/json.md", "check/json.sh"] {
            assert!(chosen(&passed, &[other]).is_empty(), "{other}");
        }
        assert!(chosen(&passed, &[]).is_empty());
    }

    #[test]
    fn without_a_scope_of_its_own_a_feature_is_touched_by_its_paths_alone() {
        let wide = feature("F-1", &[], &["lint"], &[]);
        let changed = [path("src/a")];
        assert!(chosen(&[(&wide, &changed)], &["src/b"]).is_empty());
        assert_eq!(
            chosen(&[(&wide, &changed)], &["src/b", "src/a"]),
            ["lint of F-1"]
        );
    }

    #[test]
    fn gates_of_the_feature_in_work_are_not_run_twice_and_shared_ones_once() {
        let changed = [path("src/a")];
        let one = feature("F-1", &[], &["test", "lint"], &["make own"]);
        let two = feature("F-2", &[], &[], &["make own", "make two"]);
        let passed: [(&Feature, &[RepoPath]); 2] = [(&one, &changed), (&two, &changed)];
        assert_eq!(
            chosen(&passed, &["src/a"]),
            [
                "lint of F-1, F-2",
                "verify-1 of F-1, F-2",
                "slow of F-2",
                "verify-2 of F-2"
            ]
        );
    }

    #[test]
    fn so_many_gates_and_no_more() {
        let changed = [path("src/a")];
        let features: Vec<Feature> = (0..200)
            .map(|number| {
                let verify = format!("make part-{number}");
                feature(&format!("F-{number}"), &[], &["test"], &[&verify])
            })
            .collect();
        let passed: Vec<(&Feature, &[RepoPath])> = features
            .iter()
            .map(|feature| (feature, changed.as_slice()))
            .collect();
        assert_eq!(chosen(&passed, &["src/a"]).len(), REGRESSION_GATES_MAX);
    }

    #[test]
    fn commits_that_changed_what_a_feature_is_about_are_suspects() {
        let history = [
            (3, vec![path("docs/a")]),
            (2, vec![path("src/a"), path("src/b")]),
            (1, vec![path("src/b")]),
        ];
        let about = |text: &'static str| move |changed: &RepoPath| *changed == path(text);
        assert_eq!(suspects(&history, &about("src/a")), [&2]);
        assert_eq!(suspects(&history, &about("src/b")), [&2, &1]);
        assert!(suspects(&history, &about("src/c")).is_empty());
    }
}
