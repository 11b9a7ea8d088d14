//! What a seed decides before its run begins.

use std::time::Duration;

use fastrand::Rng;
use harness_core::{
    Baseline, CommandRule, Feature, FeatureId, Goal, ModelProfile, Money, Price, Reader, ReviewBy,
    RuleDecision, RunState, TokenCount, When,
};

use crate::facts;

/// How far a simulation may go wrong; smaller ones are tried to shorten a failure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Steps with faults; after them everything works.
    pub(crate) faulty_steps: u32,
    /// Faults in all.
    pub(crate) faults: u32,
}

impl Bounds {
    pub(crate) const FULL: Self = Self {
        faulty_steps: 150,
        faults: 40,
    };
}

/// One world and what it is asked for.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) run: RunState,
    /// Whether the gates are red on the base.
    pub(crate) is_base_red: bool,
    /// How many of ten trees make a gate green.
    pub(crate) green_of_ten: u64,
    /// How many of ten trees have findings.
    pub(crate) findings_of_ten: u64,
}

impl Plan {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let mut policy = facts::policy(gates(rng));
        policy.commands = vec![CommandRule {
            prefix: vec!["curl".to_owned()],
            decision: if rng.bool() {
                RuleDecision::Deny
            } else {
                RuleDecision::Ask
            },
            reason: "no network".to_owned(),
            exact: false,
            origin: String::new(),
        }];
        policy.isolate = chance(rng, 3, 4);
        policy.review = *rng
            .choice(&[
                ReviewBy::None,
                ReviewBy::None,
                ReviewBy::None,
                ReviewBy::Agent,
                ReviewBy::Agent,
                ReviewBy::Person,
            ])
            .unwrap_or(&ReviewBy::None);
        policy.limits.turns = rng.u32(3..25);
        policy.limits.attempts = rng.u32(1..4);
        policy.limits.usd = chance(rng, 3, 10).then(|| Money(rng.u64(1..200) * 1000));
        policy.limits.session_usd = chance(rng, 1, 10).then(|| Money(rng.u64(1..150) * 1000));
        policy.limits.feature_usd = chance(rng, 1, 10).then(|| Money(rng.u64(1..150) * 1000));
        if chance(rng, 1, 10) {
            policy.limits.time = Duration::from_secs(rng.u64(5..60));
        }
        let (goal, features) = wanted(rng);
        if matches!(goal, Goal::Plan { .. }) {
            policy.scope.write.clear();
        }
        let mut run = facts::run_state(goal, features, policy);
        run.attended = rng.bool();
        run.steered = chance(rng, 1, 3);
        run.model.price = rng.bool().then_some(Price {
            input: Money(3_000_000),
            output: Money(15_000_000),
            ..Price::default()
        });
        if rng.bool() {
            run.model.context = TokenCount(rng.u64(2_300..8_000));
        }
        let spares = rng.u32(0..3);
        run.fallback = (0..spares)
            .map(|number| ModelProfile {
                name: format!("spare-{number}"),
                // Some share the first one's trouble.
                provider: if rng.bool() { "scripted" } else { "elsewhere" }.to_owned(),
                ..run.model.clone()
            })
            .collect();
        Self {
            run,
            is_base_red: chance(rng, 1, 12),
            green_of_ten: *rng.choice(&[2, 6, 8, 10]).unwrap_or(&8),
            findings_of_ten: *rng.choice(&[0, 0, 1, 3]).unwrap_or(&0),
        }
    }
}

/// Whether the lot falls on `part` of `whole`.
pub(crate) fn chance(rng: &mut Rng, part: u32, whole: u32) -> bool {
    rng.u32(0..whole) < part
}

fn gates(rng: &mut Rng) -> Vec<harness_core::Gate> {
    let names = ["lint", "test", "docs"];
    let count = if chance(rng, 1, 12) {
        0
    } else {
        rng.usize(1..4)
    };
    let gate = |name: &&str| {
        let mut gate = facts::gate(name);
        if rng.bool() {
            gate.baseline = Baseline::NoWorse;
        }
        if rng.bool() {
            gate.reader = Reader::Tap;
        }
        gate.when = *rng
            .choice(&[When::Finish, When::Finish, When::Turn, When::Edit])
            .unwrap_or(&When::Finish);
        if chance(rng, 1, 3) {
            gate.paths = vec!["src/a.rs".to_owned()];
        }
        // Some share a build, some share with nobody, and some with everything.
        let command = rng.choice(&["make", "cargo test", "cargo clippy", "pytest", "ruff check"]);
        let words = command.unwrap_or(&"make").split(' ');
        gate.run = words.map(ToOwned::to_owned).collect();
        gate
    };
    names.iter().take(count).map(gate).collect()
}

fn wanted(rng: &mut Rng) -> (Goal, Vec<Feature>) {
    let id = |number: usize| FeatureId::new(format!("F-{number:03}")).unwrap();
    if chance(rng, 1, 8) {
        let plan = FeatureId::plan(1);
        let mut feature = Feature::titled(plan.clone(), "a goal");
        feature.scope.write = vec!["src/**".to_owned()];
        let listed = Feature::titled(id(1), "feature 1");
        return (Goal::Plan { feature: plan }, vec![listed, feature]);
    }
    if chance(rng, 1, 4) {
        let task = FeatureId::task(1);
        let goal = Goal::Task {
            feature: task.clone(),
        };
        return (goal, vec![Feature::titled(task, "fix the bug")]);
    }
    let count = rng.usize(1..4);
    let mut features: Vec<Feature> = (1..=count)
        .map(|number| Feature::titled(id(number), format!("feature {number}")))
        .collect();
    for (index, feature) in features.iter_mut().enumerate() {
        feature.priority = rng.i64(0..3);
        if index > 0 && chance(rng, 1, 3) {
            feature.depends_on = vec![id(index)];
        }
        if chance(rng, 1, 4) {
            feature.verify = vec![vec!["true".to_owned()]];
        }
        if chance(rng, 1, 5) {
            feature.gates = vec!["lint".to_owned()];
        }
        if chance(rng, 1, 30) {
            feature.gates = vec!["ghost".to_owned()];
        }
        if chance(rng, 1, 6) {
            feature.budget.attempts = Some(rng.u32(1..3));
        }
        if chance(rng, 1, 8) {
            feature.budget.usd = Some(Money(rng.u64(1..100) * 1000));
        }
    }
    let goal = if chance(rng, 1, 4) {
        Goal::One { feature: id(count) }
    } else {
        Goal::All
    };
    (goal, features)
}
