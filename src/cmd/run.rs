//! `harness run`: all features, one feature, or a task.

use harness_config::Resolved;
use harness_core::{
    DirtyMode, EndReason, Feature, FeatureId, FeatureStatus, Gate, Goal, Money, RepoPath, RunState,
    Sourced, Usage,
};
use harness_engine::Engine;
use harness_guard::Scope;
use harness_runner::Launch;

use crate::{
    ask,
    cli::{Common, Dirty, Run},
    compose::{CONFIG_FILE, Site},
    detect, faces,
    failure::{Failure, chain},
    output::{Output, say},
    session,
    trust::{self, Subject},
};

pub(super) fn run(common: &Common, flags: &Run) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let head = site.head()?;
    let mut resolved = site.resolve(&flags.options)?;
    let list = site.features(&resolved.policy.feature_file)?;
    let features = list
        .as_ref()
        .map(|list| list.features().to_vec())
        .unwrap_or_default();
    let subject = if site.repository.is_none() {
        propose(&site, &mut resolved, common)?
    } else {
        Subject::of(&site, &features)?
    };
    trust::require(&site, &subject, common)?;
    let store = site.store()?;
    let run = store
        .new_run()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let (goal, mut features) = choose_goal(
        &site,
        &resolved,
        features,
        flags.goal.as_deref(),
        run.number(),
    )?;
    if let Goal::One { feature } = &goal {
        let named = features.iter_mut().find(|entry| entry.id == *feature);
        if let Some(named) = named {
            if named.status == FeatureStatus::Passing {
                let body = serde_json::json!({ "reason": EndReason::FeaturePassed.as_str(), "exit_code": 0 });
                Output::new(common).entry(
                    "run_ended",
                    &format!("feature: {feature} is passing already"),
                    body,
                )?;
                return Ok(0);
            }
            // Who names a feature wants it worked on, whatever it waits for.
            named.status = FeatureStatus::Pending;
        }
    }
    let _lock = session::lock(&site, &store)?;
    let dirty = check_dirty(&site, &resolved, &features, flags.dirty, common)?;
    let model = session::choose_model(flags.options.model.as_deref(), &resolved)?;
    let workplace = site.workplace(&resolved, store)?;
    let state = RunState {
        run,
        started_at: harness_host::clock::now(),
        goal,
        policy: resolved.policy,
        features,
        model: model.profile,
        attended: ask::is_attended(common),
        dirty,
        base: head.commit.clone(),
        tip: head.commit,
        work_start: None,
        given_up: Vec::new(),
        attempts: 0,
        usage: Usage::default(),
        spent: Money(0),
    };
    let engine = Engine::new(state, harness_host::clock::now());
    let launch = Launch {
        engine,
        resumed: None,
        model: model.client,
    };
    let (code, finished) = session::drive(workplace, launch, vec![faces::choose(common)], common)?;
    super::runs::say_what_next(&finished, common);
    Ok(code)
}

/// Detects scope and gates where there is no configuration; only a person can accept them.
fn propose(site: &Site, resolved: &mut Resolved, common: &Common) -> Result<Subject, Failure> {
    if !ask::is_attended(common) {
        let message = format!(
            "there is no `{CONFIG_FILE}` in `{}`",
            site.repo.root().display()
        );
        return Err(Failure::needs_human(message).hint("harness init --yes"));
    }
    let found = detect::detect(site);
    say(&format!(
        "There is no `{CONFIG_FILE}`; this is what was detected, for this run only."
    ));
    let sourced = |pattern: &String| Sourced {
        value: pattern.clone(),
        origin: "detected".to_owned(),
    };
    resolved.policy.scope.write = found.write.iter().map(sourced).collect();
    resolved.policy.scope.build = found.build.iter().map(sourced).collect();
    resolved.policy.gates = found.gates;
    Subject::of_detected(site, resolved)
}

/// Says what the run is for: all features, the named one, or a task.
fn choose_goal(
    site: &Site,
    resolved: &Resolved,
    mut features: Vec<Feature>,
    goal: Option<&str>,
    run: u32,
) -> Result<(Goal, Vec<Feature>), Failure> {
    for feature in &mut features {
        if site.is_claimed(feature, resolved)? {
            say(&format!(
                "{} says it passes and has no proof: it counts as not passing",
                feature.id
            ));
            feature.status = FeatureStatus::Pending;
        }
    }
    let Some(goal) = goal else {
        if features.is_empty() {
            let message = format!(
                "there are no features in `{}`",
                resolved.policy.feature_file
            );
            return Err(Failure::usage(message)
                .hint("add one with `harness feature add \"TITLE\"`, or give a task: `harness run \"TEXT\"`"));
        }
        return Ok((Goal::All, features));
    };
    if let Some(feature) = features.iter().find(|feature| feature.id.as_str() == goal) {
        return Ok((
            Goal::One {
                feature: feature.id.clone(),
            },
            features,
        ));
    }
    if is_like_an_id(goal) {
        let known: Vec<&str> = features.iter().map(|feature| feature.id.as_str()).collect();
        return Err(Failure::usage(format!(
            "there is no feature `{goal}` in `{}`",
            resolved.policy.feature_file
        ))
        .hint(match known.as_slice() {
            [] => "the list is empty: `harness feature add \"TITLE\"`".to_owned(),
            known => format!("the features are: {}", known.join(", ")),
        }));
    }
    let id = FeatureId::task(run);
    let title = goal.lines().next().unwrap_or_default().to_owned();
    let mut task = Feature::titled(id.clone(), title);
    goal.clone_into(&mut task.description);
    features.push(task);
    Ok((Goal::Task { feature: id }, features))
}

/// Whether a word can only be meant as a feature's id: no spaces, letters, a dash, digits.
fn is_like_an_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(letters, digits)| {
        (1..=4).contains(&letters.len())
            && letters.bytes().all(|byte| byte.is_ascii_uppercase())
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Sees whether the person's uncommitted work would get mixed up with the agent's.
fn check_dirty(
    site: &Site,
    resolved: &Resolved,
    features: &[Feature],
    wish: Option<Dirty>,
    common: &Common,
) -> Result<DirtyMode, Failure> {
    let anything = Feature::titled(FeatureId::task(1), "");
    let scope = Scope::compile(
        &resolved.policy.scope,
        features.first().unwrap_or(&anything),
    );
    let scope = scope.map_err(|error| Failure::usage(chain(&error)))?;
    let config = RepoPath::parse(CONFIG_FILE).expect("a plain name is inside");
    let changes = site.repo.dirty(&|path| scope.is_writable(path), &|path| {
        scope.is_host_owned(path) || *path == config
    });
    let changes = changes.map_err(|error| Failure::failed(chain(&error)))?;
    if changes.is_empty() {
        return Ok(DirtyMode::Refuse);
    }
    let shown: Vec<String> = changes
        .iter()
        .take(10)
        .map(|change| format!("  {}", change.path))
        .collect();
    let more = changes.len().saturating_sub(shown.len());
    let rest = if more > 0 {
        format!("\n  and {more} more")
    } else {
        String::new()
    };
    let list = format!("{}{rest}", shown.join("\n"));
    match wish {
        Some(Dirty::Base) => Ok(DirtyMode::Base),
        None if ask::is_attended(common) => {
            say(&format!("These files have uncommitted changes:\n{list}"));
            if ask::confirm("Take them as the base of the run (a commit on the run's branch only)?") {
                Ok(DirtyMode::Base)
            } else {
                Err(Failure::needs_human("the work tree has uncommitted changes"))
            }
        }
        _ => Err(Failure::needs_human(format!("the work tree has uncommitted changes where the agent works:\n{list}"))
            .hint("commit or stash them, land or abort an earlier run, or take them as the base with `--dirty base`")),
    }
}

/// Names the gates of a policy, for messages.
pub(super) fn names(gates: &[Gate]) -> String {
    gates
        .iter()
        .map(|gate| gate.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}
