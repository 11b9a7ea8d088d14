//! `harness run`: all features, one feature, or a task.

pub(super) mod wish;

use harness_config::Resolved;
use harness_core::{DirtyMode, EndReason, Feature, Gate, RunId, RunState, Sourced};
use harness_engine::Engine;
use harness_guard::Scope;
use harness_runner::{Launch, Workplace};
use harness_store::{SpendLog, Store};
use serde_json::json;

use self::wish::Wish;
use crate::{
    cli::{Common, Dirty, Run, RunBranch, RunOptions},
    compose::{CONFIG_FILE, Site, any_feature, config_path},
    detect,
    failure::{Failure, chain},
    intent,
    job::{Done, Job},
    network, prompts, questions,
    rules::RuleFile,
    screen,
    session::{
        self, ReadyModels,
        recording::{self, Found, Recording},
    },
    surface::{Decision, LineSurface, Surface},
    trust::{self, Subject, Trusted},
};

pub(super) fn run(common: &Common, flags: &Run) -> Result<u8, Failure> {
    if screen::is_wanted(common, flags.options.plain)? {
        return screen::open(common, Some(Job::Run(flags.clone())));
    }
    let done = work(common, flags, &LineSurface::new(common))?;
    if let Some(finished) = &done.finished {
        super::runs::say_what_next(finished, common);
    }
    Ok(done.code)
}

/// Runs on a surface, from what has to be trusted to the end.
pub(crate) fn work(common: &Common, flags: &Run, surface: &dyn Surface) -> Result<Done, Failure> {
    // Nothing is made in a repository that is not trusted.
    let before = prepare(common, flags, surface)?.site;
    if flags.worktree {
        return super::worktree::run(common, flags, surface);
    }
    let store = before.store()?;
    let _lock = session::lock(&before, &store)?;
    // Whoever held the lock until now may have changed what was read before.
    let Prepared {
        site,
        resolved,
        features,
    } = prepare(common, flags, surface)?;
    if let Some(line) = intent::adopt(&site, &features)? {
        surface.say(&line);
    }
    let mut features = features;
    let mut kept = questions::take_up(&site, &store, &mut features, surface)?;
    let goal = flags.goal.as_deref();
    let (wish, features) = wish::choose(&site, &resolved, features, goal, surface)?;
    questions::take_asides(&site, &store, &features, &mut kept)?;
    match &wish {
        Wish::Done(feature) => {
            let text = format!("feature: {feature} is passing already");
            return say_done(EndReason::FeaturePassed, &text, surface);
        }
        Wish::AllDone => {
            return say_done(
                EndReason::AllPassing,
                "feature: none is left to work on",
                surface,
            );
        }
        _ => {}
    }
    let prompts = prompts::read(&site.folders)?;
    let head = site.head()?;
    let dirty = check_dirty(&site, &resolved, flags.dirty, surface)?;
    let mut resolved = resolved;
    let Ready {
        run,
        models,
        workplace,
        recorded,
    } = make_ready(&site, &mut resolved, &store, &flags.options, surface)?;
    let (goal, features) = wish.to_goal(features, run);
    let state = RunState {
        fallback: models.standby,
        roles: models.roles,
        attended: surface.is_attended(),
        steered: surface.is_steered(),
        dirty,
        prompts,
        kept,
        lands: (flags.branch == RunBranch::Current).then(|| head.commit.clone()),
        ..RunState::new(
            run,
            harness_host::clock::now(),
            goal,
            resolved.policy,
            features,
            models.first,
            head.commit,
        )
    };
    let engine = Engine::new(state, harness_host::clock::now());
    let launch = Launch {
        engine,
        resumed: None,
        said: Vec::new(),
        models: models.clients,
        rules: Box::new(RuleFile::new(&site.folders, &site.home())),
        proposals: None,
        approve: flags.options.approve.clone(),
        spend: SpendLog::new(site.folders.spend()),
    };
    let ended = session::drive(workplace, launch, &[], surface);
    recorded.tell(surface);
    let (code, finished) = ended?;
    if let (EndReason::Blocked, Some(session)) = (finished.reason, finished.session) {
        let resolved = site.resolve(&flags.options)?;
        super::broken::mark_after(&site, &resolved, &store, session, surface)?;
    }
    Ok(Done::ended(code, finished))
}

/// What a run begins with beside its goal.
pub(super) struct Ready {
    pub(super) run: RunId,
    pub(super) models: ReadyModels,
    pub(super) workplace: Workplace,
    pub(super) recorded: Recording,
}

/// Chooses the models, proves the level, begins a recording where one is wanted, and numbers the run.
///
/// What the level cannot enforce is closed in the policy.
pub(super) fn make_ready(
    site: &Site,
    resolved: &mut Resolved,
    store: &Store,
    options: &RunOptions,
    surface: &dyn Surface,
) -> Result<Ready, Failure> {
    let wish = recording::wish(options, resolved)?;
    let model = session::choose_model(wish, resolved)?.at_pace(options.pace.into());
    session::day::refuse_spent(&site.folders, &resolved.policy.limits, &model.profile)?;
    let mut models = model.with_others(resolved, surface);
    let workplace = site.workplace(resolved, store.clone())?;
    network::close_unenforced(workplace.level, &mut resolved.policy);
    let recorded = Recording::begin(
        options,
        site,
        (&models.first, &models.standby),
        &mut models.clients,
        Found::Refused,
    )?;
    // The last thing that may fail: a number that is given out stays used.
    let run = super::runs::claim(site, store)?;
    Ok(Ready {
        run,
        models,
        workplace,
        recorded,
    })
}

/// What a run reads before it begins: all of it trusted.
struct Prepared {
    site: Site,
    resolved: Resolved,
    features: Vec<Feature>,
}

fn prepare(common: &Common, flags: &Run, surface: &dyn Surface) -> Result<Prepared, Failure> {
    let site = Site::open(common)?;
    site.head()?;
    let mut resolved = site.resolve(&flags.options)?;
    let list = &resolved.policy.feature_file;
    intent::require(&site, list, &site.features(list)?)?;
    let features = if site.repository.is_some() {
        trust::trusted_features(&site, &resolved, surface)?
    } else {
        let subject = propose(&site, &mut resolved, surface)?;
        trust::require(&site, &subject, surface)?;
        site.features(&resolved.policy.feature_file)?
    };
    Ok(Prepared {
        site,
        resolved,
        features,
    })
}

/// Detects scope and gates where there is no configuration; only a person can accept them.
pub(super) fn propose(
    site: &Site,
    resolved: &mut Resolved,
    surface: &dyn Surface,
) -> Result<Subject, Failure> {
    if !surface.is_attended() {
        let message = format!(
            "there is no `{CONFIG_FILE}` in `{}`",
            site.repo.root().display()
        );
        return Err(Failure::needs_human(message).hint("harness init --yes"));
    }
    take_detected(site, resolved);
    let subject = Subject::of_detected(site, resolved)?;
    if trust::check(site, &subject)? != Trusted::Yes {
        surface.say(&format!(
            "There is no `{CONFIG_FILE}`; this is what was detected, for this run only."
        ));
    }
    Ok(subject)
}

/// Takes the scope and the gates that a look at the repository proposes.
pub(super) fn take_detected(site: &Site, resolved: &mut Resolved) {
    let found = detect::detect(site);
    let sourced = |pattern: &String| Sourced {
        value: pattern.clone(),
        origin: "detected".to_owned(),
    };
    resolved.policy.scope.write = found.write.iter().map(sourced).collect();
    resolved.policy.scope.build = found.build.iter().map(sourced).collect();
    resolved.policy.gates = found.gates;
}

fn say_done(reason: EndReason, text: &str, surface: &dyn Surface) -> Result<Done, Failure> {
    let body = json!({ "reason": reason.as_str(), "exit_code": reason.exit_code() });
    surface.entry("run_ended", text, body)?;
    Ok(Done::without_run(reason.exit_code()))
}

/// Sees whether the person's uncommitted work would get mixed up with the agent's.
fn check_dirty(
    site: &Site,
    resolved: &Resolved,
    wish: Option<Dirty>,
    surface: &dyn Surface,
) -> Result<DirtyMode, Failure> {
    let scope = Scope::compile(&resolved.policy.scope, &any_feature());
    let scope = scope.map_err(|error| Failure::usage(chain(&error)))?;
    let config = config_path();
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
        None if surface.is_attended() => {
            let decision = Decision {
                title: "Take them as the base of the run (a commit on the run's branch only)?",
                body: &format!("These files have uncommitted changes:\n{list}"),
            };
            if surface.confirm(decision) {
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
