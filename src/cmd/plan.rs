//! `harness plan`: from a goal to features in the list, with a person's word in between.
//!
//! An agent looks at the repository, asks and proposes; nothing is written before a person takes
//! the proposal. `kept` is for proposals that nobody looked at while the agent was there.

mod check;
mod goal;
mod kept;

use harness_config::Resolved;
use harness_core::{
    EndReason, Event, Feature, FeatureId, FeatureScope, Goal, Policy, RunId, RunState,
};
use harness_engine::Engine;
use harness_runner::{Finished, Launch};
use harness_store::{SpendLog, Store};

use super::{
    init,
    run::{self as work_run, Ready, make_ready},
};
use crate::{
    cli::{Common, Plan, RunOptions},
    compose::{CONFIG_FILE, Site},
    failure::Failure,
    job::{Done, Job},
    proposals::Keeper,
    rules::RuleFile,
    screen,
    session::{self},
    surface::{Decision, LineSurface, Surface},
    trust,
};

pub(super) fn run(common: &Common, flags: &Plan) -> Result<u8, Failure> {
    let named = |id: &String| Some(id.clone()).filter(|id| !id.is_empty());
    if let Some(id) = &flags.show {
        return kept::show(common, named(id));
    }
    if let Some(id) = &flags.accept {
        return kept::accept(common, flags, named(id));
    }
    if let Some(id) = &flags.edit {
        return kept::edit(common, named(id));
    }
    if let Some(id) = &flags.reject {
        return kept::reject(common, named(id));
    }
    let flags = Plan {
        goal: Some(goal::read(flags)?),
        prompt_file: None,
        ..flags.clone()
    };
    if screen::is_wanted(common, flags.options.plain)? {
        return screen::open(common, Some(Job::Plan(Box::new(flags))));
    }
    let done = work(common, &flags, &LineSurface::new(common))?;
    if let Some(finished) = &done.finished {
        say_what_next(finished, common);
    }
    Ok(done.code)
}

/// Plans on a surface, from what has to be trusted to the end.
pub(crate) fn work(common: &Common, flags: &Plan, surface: &dyn Surface) -> Result<Done, Failure> {
    let text = goal::checked(flags.goal.as_deref().unwrap_or_default())?;
    offer_configuration(common, surface)?;
    // Nothing is made in a repository that is not trusted.
    let before = prepare(common, &flags.options, surface)?.site;
    let store = before.store()?;
    let _lock = session::lock(&before, &store)?;
    let Prepared {
        site,
        resolved,
        features,
    } = prepare(common, &flags.options, surface)?;
    let head = site.head()?;
    let mut resolved = resolved;
    let Ready {
        run,
        models,
        workplace,
        recorded,
    } = make_ready(&site, &mut resolved, &store, &flags.options, surface)?;
    let goal = goal_of(run, &text, &resolved.policy);
    let mut state = RunState {
        fallback: models.standby,
        roles: models.roles,
        attended: surface.is_attended(),
        steered: surface.is_steered(),
        prompts: crate::prompts::read(&site.folders)?,
        ..RunState::new(
            run,
            harness_host::clock::now(),
            Goal::Plan {
                feature: goal.id.clone(),
            },
            planning(&resolved.policy),
            features,
            models.first,
            head.commit,
        )
    };
    state.features.push(goal);
    let launch = Launch {
        engine: Engine::new(state, harness_host::clock::now()),
        resumed: None,
        said: Vec::new(),
        models: models.clients,
        rules: Box::new(RuleFile::new(&site.folders, &site.home())),
        proposals: Some(Keeper::boxed(&site, &store, resolved.policy.clone())),
        approve: Vec::new(),
        spend: SpendLog::new(site.folders.spend()),
    };
    let ended = session::drive(workplace, launch, &[], surface);
    recorded.tell(surface);
    let (code, finished) = ended?;
    tell_outcome(&site, &resolved, &store, &finished, common, surface);
    Ok(Done::ended(code, finished))
}

/// Returns the keeper of a run that is resumed; `None` where it does not plan.
pub(super) fn keeper_of(
    site: &Site,
    store: &Store,
    run: &RunState,
) -> Option<Box<dyn harness_runner::ProposalKeeper>> {
    let Goal::Plan { feature } = &run.goal else {
        return None;
    };
    let goal = run.features.iter().find(|entry| entry.id == *feature)?;
    let mut policy = run.policy.clone();
    let own = goal.scope.write.iter();
    policy.scope.write = own.map(harness_core::Sourced::built_in).collect();
    Some(Keeper::boxed(site, store, policy))
}

/// Says what stands in the list now and what comes next; silent where nothing was taken.
pub(super) fn tell_outcome(
    site: &Site,
    resolved: &Resolved,
    store: &Store,
    finished: &Finished,
    common: &Common,
    surface: &dyn Surface,
) {
    let (EndReason::Answered, Some(session), false) =
        (finished.reason, finished.session, common.json)
    else {
        return;
    };
    let log = harness_store::read(store.log_path(session));
    let events: Vec<Event> = log.map_or_else(
        |_| Vec::new(),
        |log| log.records.into_iter().map(|record| record.event).collect(),
    );
    for line in check::told(&events, &resolved.policy) {
        surface.say(&format!("note: {line}"));
    }
    surface.say(&next(site, &resolved.policy));
}

/// Says what a person does once features are in the list.
pub(super) fn next(site: &Site, policy: &Policy) -> String {
    let files = format!("{} {}", policy.feature_file, policy.progress_file);
    if site.repository.is_none() {
        return format!(
            "hint: `harness init --yes` writes {CONFIG_FILE}; look at it, commit it with {files}, then `harness trust` and `harness run`"
        );
    }
    format!("hint: `git add {files} && git commit -m \"Plan\"`, then `harness run`")
}

fn say_what_next(finished: &Finished, common: &Common) {
    match finished.reason {
        // The end of the run has said it.
        EndReason::NeedsHuman => {}
        _ => super::runs::say_what_next(finished, common),
    }
}

/// What a planning run reads before it begins.
struct Prepared {
    site: Site,
    resolved: Resolved,
    features: Vec<Feature>,
}

fn prepare(
    common: &Common,
    options: &RunOptions,
    surface: &dyn Surface,
) -> Result<Prepared, Failure> {
    let site = Site::open(common)?;
    site.head()?;
    let mut resolved = site.resolve(options)?;
    let features = if site.repository.is_some() {
        trust::trusted_features(&site, &resolved, surface)?
    } else {
        let subject = work_run::propose(&site, &mut resolved, surface)?;
        trust::require(&site, &subject, surface)?;
        site.features(&resolved.policy.feature_file)?
    };
    Ok(Prepared {
        site,
        resolved,
        features,
    })
}

/// Offers to write what `harness init` would, so that what is planned can be worked on.
fn offer_configuration(common: &Common, surface: &dyn Surface) -> Result<(), Failure> {
    let site = Site::open(common)?;
    site.head()?;
    if site.repository.is_some() || !surface.is_attended() {
        return Ok(());
    }
    let shown = init::shown(&site)?;
    let decision = Decision {
        title: "There is no harness.toml. Write what was detected, as `harness init` does?",
        body: &shown,
    };
    if surface.confirm(decision) {
        let names = init::write_all(&site)?;
        surface.say(&format!(
            "note: written {}, nothing committed",
            names.join(", ")
        ));
    }
    Ok(())
}

/// Makes the goal an entry of the run's features, with what features may write as its own scope.
fn goal_of(run: RunId, text: &str, policy: &Policy) -> Feature {
    let title = text.lines().next().unwrap_or_default().to_owned();
    let rules = policy.scope.write.iter();
    Feature {
        description: text.to_owned(),
        scope: FeatureScope {
            write: rules.map(|rule| rule.value.clone()).collect(),
            deny: Vec::new(),
        },
        ..Feature::titled(FeatureId::plan(run.number()), title)
    }
}

/// Returns the rules of a planning run: nothing of the repository may be written.
fn planning(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    policy.scope.write.clear();
    policy
}
