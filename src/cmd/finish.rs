//! `harness feature finish`: proves and commits what a person did in the work tree.
//!
//! It is a run without an agent: the same candidate, findings, gates and commit,
//! with the person's uncommitted changes in the feature's scope as the work. What
//! they changed beside the scope is named and left where it is.

use harness_config::Resolved;
use harness_core::{EndReason, Feature, FeatureStatus, ModelProfile, ReviewBy, Roles, RunId};
use harness_engine::Engine;
use harness_provider::Script;
use harness_runner::{Launch, ModelClient, Models, Pace};
use harness_store::SpendLog;

use super::{
    place::{Place, Places},
    work::Work,
};
use crate::{
    cli::{Common, FeatureFinish, Land, RunOptions},
    compose::Site,
    failure::Failure,
    intent,
    job::Done,
    network,
    output::{Output, say},
    review,
    rules::RuleFile,
    session,
    surface::{LineSurface, Surface},
    trust,
};

pub(super) fn run(common: &Common, flags: &FeatureFinish) -> Result<u8, Failure> {
    let surface = LineSurface::new(common);
    let (done, run) = prove(common, flags, &surface)?;
    let Some(finished) = &done.finished else {
        return Ok(done.code);
    };
    match finished.reason {
        EndReason::FeaturePassed if flags.land => {
            return land(common, &surface, run);
        }
        EndReason::FeaturePassed => {
            say("hint: `harness land` brings it to your branch");
        }
        EndReason::GatesRed => say(&format!(
            "hint: mend it and say `harness feature finish {id}` again; a finding is accepted with `--approve ID`",
            id = flags.id
        )),
        _ => say("hint: `harness log show` tells what happened"),
    }
    Ok(done.code)
}

/// Proves on a surface what a person did; where it is green, it waits for `harness land`.
pub(crate) fn work(
    common: &Common,
    flags: &FeatureFinish,
    surface: &dyn Surface,
) -> Result<Done, Failure> {
    let (done, _) = prove(common, flags, surface)?;
    let reason = done.finished.as_ref().map(|finished| finished.reason);
    if reason == Some(EndReason::FeaturePassed) {
        surface.say("`harness land`, or land in the palette, brings it to your branch");
    }
    // There is no agent that could go on.
    Ok(Done::without_run(done.code))
}

/// Brings what was proven to the person's branch.
fn land(common: &Common, surface: &LineSurface, run: RunId) -> Result<u8, Failure> {
    let flags = Land {
        run: Some(run.to_string()),
        squash: false,
    };
    let (text, line) = super::land::bring(&Site::open(common)?, &flags)?;
    match surface.json() {
        Some(json) => {
            json.put(&line);
        }
        None => Output::new(common).text(&text)?,
    }
    Ok(0)
}

/// Judges and commits the work on a surface; the lock of the work tree is free again afterwards.
fn prove(
    common: &Common,
    flags: &FeatureFinish,
    surface: &dyn Surface,
) -> Result<(Done, RunId), Failure> {
    let options = RunOptions {
        sandbox: flags.sandbox,
        ..RunOptions::default()
    };
    // Nothing is made in a repository that is not trusted.
    let site = Site::open(common)?;
    trust::trusted_features(&site, &site.resolve(&options)?, surface)?;
    let store = site.store()?;
    let _lock = session::lock(&site, &store)?;
    // Whoever held the lock until now may have changed what was read before.
    let site = Site::open(common)?;
    let resolved = site.resolve(&options)?;
    let list = &resolved.policy.feature_file;
    intent::require(&site, list, &site.features(list)?)?;
    let features = trust::trusted_features(&site, &resolved, surface)?;
    if let Some(line) = intent::adopt(&site, &features)? {
        surface.say(&line);
    }
    let mut features = features;
    for claim in site.reopen_claims(&mut features, &resolved) {
        surface.say(&claim);
    }
    let (feature, features) = choose(&resolved, features, flags)?;
    refuse_unlanded(&site, &resolved, &features)?;
    review::held::refuse(&site, &store)?;
    let work = Work::find(&site, &resolved, &feature)?;
    if let Some(text) = work.left_out_text(&feature.id) {
        surface.say(&text);
    }
    if work.changes.is_empty() && feature.verify.is_empty() {
        let message = format!(
            "nothing is changed where `{}` may write, so green gates would prove nothing",
            feature.id
        );
        return Err(Failure::red(message).hint(
            "`harness scope explain PATH --feature ID` says where that is; what is there already, a person accepts with `harness feature accept`",
        ));
    }
    let workplace = site.workplace(&resolved, store.clone())?;
    let mut resolved = resolved;
    network::close_unenforced(workplace.level, &mut resolved.policy);
    // The last thing that may fail: a number that is given out stays used.
    let run = super::runs::claim(&site, &store)?;
    let now = harness_host::clock::now();
    let judges = judges(&site, &resolved, surface)?;
    let mut state = work.to_run(run, resolved.policy, features, feature.id, &flags.summary);
    if let Some(profiles) = judges.profiles {
        (state.model, state.roles) = (profiles.0, profiles.1);
        state.fallback = profiles.2;
    }
    state.prompts = crate::prompts::read(&site.folders)?;
    // Who is there is asked about what was found.
    state.attended = surface.is_attended();
    let launch = Launch {
        engine: Engine::new(state, now),
        resumed: None,
        said: Vec::new(),
        models: judges.clients,
        rules: Box::new(RuleFile::new(&site.folders, site.repo.root())),
        proposals: None,
        approve: flags.approve.clone(),
        spend: SpendLog::new(site.folders.spend()),
    };
    let (code, finished) = session::drive(workplace, launch, &[], surface)?;
    Ok((Done::ended(code, finished), run))
}

/// Finds the feature, and makes sure that it can be proven at all.
fn choose(
    resolved: &Resolved,
    mut features: Vec<Feature>,
    flags: &FeatureFinish,
) -> Result<(Feature, Vec<Feature>), Failure> {
    let list = &resolved.policy.feature_file;
    let wanted = |feature: &&mut Feature| feature.id.as_str() == flags.id;
    let found = features.iter_mut().find(wanted).ok_or_else(|| {
        Failure::usage(format!("there is no feature `{}` in `{list}`", flags.id))
            .hint("harness feature list")
    })?;
    if found.status == FeatureStatus::Cancelled {
        return Err(Failure::usage(format!(
            "feature `{}` is cancelled",
            found.id
        )));
    }
    if resolved.policy.gates.is_empty() && found.verify.is_empty() {
        let message = "there are no gates, so nothing can be proven";
        return Err(Failure::needs_human(message).hint(
            "harness init, or add a [[gate]] to harness.toml; without proof: `harness feature accept`",
        ));
    }
    // Who finishes a feature wants it judged, whatever it waits for; a broken one is mended.
    if found.status != FeatureStatus::Failing {
        found.status = FeatureStatus::Pending;
    }
    let feature = found.clone();
    Ok((feature, features))
}

/// What another run has proven stands in the work tree too and would be taken for this feature's.
fn refuse_unlanded(site: &Site, resolved: &Resolved, features: &[Feature]) -> Result<(), Failure> {
    let mut places = Places::new(site, &resolved.policy);
    for feature in features {
        if let Place::Branch { name, .. } = places.of(feature)? {
            let message = format!(
                "`{}` is proven on {name} and has not landed: its changes would be taken for yours",
                feature.id
            );
            return Err(Failure::needs_human(message)
                .hint("`harness land` brings it to your branch, `harness abort` gives it up"));
        }
    }
    Ok(())
}

/// Who is asked about work that a person did.
struct Judges {
    clients: Models,
    /// The main model, the other roles and those that stand by; absent where nobody can be asked.
    profiles: Option<(ModelProfile, Roles, Vec<ModelProfile>)>,
}

/// Makes the reviewer ready where a model has to review; without one the change waits for a person.
fn judges(site: &Site, resolved: &Resolved, surface: &dyn Surface) -> Result<Judges, Failure> {
    if resolved.policy.review != ReviewBy::Agent {
        return Ok(Judges {
            clients: Models::only(silent()?),
            profiles: None,
        });
    }
    let chosen = session::choose_model(None, resolved).and_then(|model| {
        session::day::refuse_spent(&site.folders, &resolved.policy.limits, &model.profile)?;
        Ok(model)
    });
    Ok(match chosen {
        Ok(model) => {
            let ready = model.with_others(resolved, surface);
            Judges {
                profiles: Some((ready.first, ready.roles, ready.standby)),
                clients: ready.clients,
            }
        }
        Err(failure) => Judges {
            clients: Models::only(ModelClient::Absent {
                why: failure.to_told().message,
            }),
            profiles: None,
        },
    })
}

/// A model that has nothing to say; it is never asked.
fn silent() -> Result<ModelClient, Failure> {
    let script = Script::parse("").map_err(|error| Failure::failed(error.to_string()))?;
    Ok(ModelClient::Script {
        script,
        pace: Pace::Fast,
    })
}
