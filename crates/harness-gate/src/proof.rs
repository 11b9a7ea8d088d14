//! Which gates a proof of a feature takes: those it names, and its own commands.
//!
//! One place for the agent's finish, a person's, `verify --rerun` and the stop
//! hook, so that all of them mean the same by "the feature's gates".

use std::time::Duration;

use harness_core::{Feature, Gate, RepoPath};

/// Returns a feature's own commands as gates: `verify-1` and so on, each at most `timeout` long.
pub fn own_gates(feature: &Feature, timeout: Duration) -> Vec<Gate> {
    let gate = |(argv, number): (&Vec<String>, usize)| Gate {
        timeout,
        ..Gate::named(own_gate_name(number), argv.clone())
    };
    feature.verify.iter().zip(1..).map(gate).collect()
}

/// Returns the name of a feature's own gate; `number` counts from 1.
pub(crate) fn own_gate_name(number: usize) -> String {
    format!("verify-{number}")
}

/// Returns the files of the repository that commands name: scripts, and what they are given.
///
/// They decide how a gate comes out, wherever they lie. Whether one exists is not looked at.
pub fn named_files(gates: &[Gate], feature: &Feature) -> Vec<RepoPath> {
    let of_gates = gates
        .iter()
        .flat_map(|gate| gate.run.iter().filter_map(|word| gate.cwd.join(word).ok()));
    let own = feature.verify.iter().flatten();
    let own = own.filter_map(|word| RepoPath::parse(word.as_str()).ok());
    let mut named: Vec<RepoPath> = of_gates.chain(own).filter(|path| !path.is_root()).collect();
    named.sort();
    named.dedup();
    named
}

#[cfg(test)]
mod tests {
    use harness_core::FeatureId;

    use super::*;

    #[test]
    fn own_commands_are_gates_without_counts_in_their_order() {
        let mut feature = Feature::titled(FeatureId::new("F-1").unwrap(), "x");
        feature.verify = vec![
            vec!["sh".to_owned(), "a.sh".to_owned()],
            vec!["make".to_owned()],
        ];
        let gates = own_gates(&feature, Duration::from_secs(7));
        let names: Vec<&str> = gates.iter().map(|gate| gate.name.as_str()).collect();
        assert_eq!(names, ["verify-1", "verify-2"]);
        assert_eq!(gates[1].run, ["make"]);
        assert_eq!(gates[0].timeout, Duration::from_secs(7));
    }

    #[test]
    fn words_of_commands_that_are_paths_are_named_files() {
        let mut feature = Feature::titled(FeatureId::new("F-1").unwrap(), "x");
        feature.verify = vec![vec!["sh".to_owned(), "check/own.sh".to_owned()]];
        let mut gate = own_gates(&feature, Duration::ZERO).remove(0);
        gate.run = ["sh", "run.sh", "../../out", "/etc/x"]
            .map(str::to_owned)
            .to_vec();
        gate.cwd = RepoPath::parse("tests").unwrap();
        let named: Vec<String> = named_files(&[gate], &feature)
            .iter()
            .map(RepoPath::to_text)
            .collect();
        assert!(named.contains(&"tests/run.sh".to_owned()), "{named:?}");
        assert!(named.contains(&"check/own.sh".to_owned()), "{named:?}");
        assert!(named.iter().all(|path| !path.contains("..")), "{named:?}");
    }
}
