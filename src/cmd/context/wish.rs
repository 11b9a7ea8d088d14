//! The session that would begin now, as its first record would have it.

use std::collections::BTreeMap;

use harness_core::{
    Feature, FeatureStatus, Goal, Level, RunId, RunState, SessionId, SessionOpened,
};
use harness_gate::list::next_feature;
use harness_guard::Guard;
use harness_host::machine::{Place, Role, machine};
use harness_runner::{
    Known,
    context::{Around, NestedMap, gather as gather_from, nested_maps},
};

use crate::{
    cli::{Common, RunOptions},
    cmd::{
        run::{take_detected, wish},
        work::nobody,
    },
    compose::Site,
    failure::{Failure, chain},
    output::say,
    prompts,
    surface::LineSurface,
};

/// What a session would start from.
pub(super) struct Start {
    pub(super) opened: SessionOpened,
    pub(super) feature: Feature,
    /// The maps that are loaded when their folder is touched.
    pub(super) nested: Vec<NestedMap>,
}

/// Gathers what a session for a feature or a task would start from; the next feature where none is named.
pub(super) fn gather(site: &Site, goal: Option<&str>, common: &Common) -> Result<Start, Failure> {
    let mut resolved = site.resolve(&RunOptions::default())?;
    if site.repository.is_none() {
        take_detected(site, &mut resolved);
        say("note: there is no `harness.toml`; scope and gates are those that were detected");
    }
    let features = site.features(&resolved.policy.feature_file)?;
    let goal = goal.or_else(|| {
        let nothing = features.is_empty().then_some("What you will ask for");
        nothing.inspect(|_| say("note: there is no feature; this is the window of a task"))
    });
    let surface = LineSurface::new(common);
    let (wish, features) = wish::choose(site, &resolved, features, goal, &surface)?;
    let run = RunId::new(1);
    let (goal, mut features) = wish.to_goal(features, run);
    let feature = chosen(&goal, &mut features)?;
    let head = site.head()?;
    let run = RunState {
        prompts: prompts::read(&site.folders)?,
        ..RunState::new(
            run,
            harness_host::clock::now(),
            goal,
            resolved.policy,
            features,
            nobody(),
            head.commit.clone(),
        )
    };
    let guard = Guard::new(&run.policy, &feature).map_err(|error| Failure::usage(chain(&error)))?;
    let gathered = gather_from(Around {
        root: &site.root,
        repo: &site.repo,
        run: &run,
        guard: &guard,
        note: None,
        known: &known(site)?,
    });
    let gathered = gathered.map_err(Failure::usage)?;
    let (nested, is_cut) = nested_maps(&site.root, &guard, &run.policy.map_file);
    if is_cut {
        say("note: the repository is large; not all of it was looked at for maps");
    }
    let opened = SessionOpened {
        session: SessionId::new(1),
        feature: feature.id.clone(),
        repository: site.repo.name(),
        root: site.repo.root().display().to_string(),
        branch: format!("harness/{}", run.run),
        level: Level::None,
        start_tree: head.tree,
        start_checkpoint: run.base.clone(),
        sources: gathered.sources,
        documents: Some(gathered.documents),
        run,
    };
    Ok(Start {
        opened,
        feature,
        nested,
    })
}

/// Finds the feature that a session would take up; one that is named is shown whatever it waits for.
fn chosen(goal: &Goal, features: &mut [Feature]) -> Result<Feature, Failure> {
    if let Goal::One { feature } | Goal::Task { feature } = goal {
        let named = features.iter_mut().find(|entry| entry.id == *feature);
        if let Some(named) = named {
            named.status = FeatureStatus::Pending;
            return Ok(named.clone());
        }
    }
    let broken = features
        .iter()
        .find(|feature| feature.status == FeatureStatus::Failing);
    let next = broken.or_else(|| next_feature(features, goal, &[]));
    next.cloned().ok_or_else(|| {
        Failure::usage("no feature is left to work on")
            .hint("name one, or give the text of a task: `harness context \"TEXT\"`")
    })
}

/// Reads what is known of programs; nothing is asked.
fn known(site: &Site) -> Result<Known, Failure> {
    let cache = site.folders.cache_of(site.repo.root());
    let place = Place {
        root: site.repo.root(),
        git_dir: site.repo.common_dir(),
        level: Level::None,
        cache: &cache,
        role: Role::Agent,
        environment: &[],
    };
    let machine = machine(&place).map_err(|error| Failure::failed(chain(&error)))?;
    let file = site.folders.programs();
    let caches = file.parent().unwrap_or(&cache);
    Ok(Known::read(&file, &machine, caches))
}

/// Whether a prompt is the person's own.
pub(super) fn is_own(prompts: &BTreeMap<String, String>, name: &str) -> bool {
    prompts.contains_key(name)
}
