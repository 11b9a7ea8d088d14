//! The models that go on when the first one's provider fails: `[agent] fallback`.

use std::collections::BTreeMap;

use harness_config::{Model, Resolved};
use harness_core::{Effort, ModelProfile, Role};
use harness_runner::ModelClient;

use super::{ready, untold};
use crate::surface::Surface;

/// Makes the rest of the chain ready, in order: what comes after `first`, where that is in it.
///
/// A model that cannot be asked here is left out and said: a run with one model
/// is better than none. A recording goes on with nothing else.
pub(crate) fn choose(
    first: &ModelProfile,
    resolved: &Resolved,
    surface: &dyn Surface,
) -> (Vec<ModelProfile>, BTreeMap<String, ModelClient>) {
    let (mut profiles, mut clients) = (Vec::new(), BTreeMap::new());
    if first.recorded {
        return (profiles, clients);
    }
    let chain = &resolved.fallback;
    let after = chain.iter().position(|name| *name == first.name);
    for name in &chain[after.map_or(0, |place| place + 1)..] {
        if *name == first.name || clients.contains_key(name) {
            continue;
        }
        let chosen = match resolved.models.get(name) {
            Some(model) => {
                let effort = told(model, resolved, surface);
                ready(model, Role::Main, effort, resolved)
                    .map_err(|failure| failure.to_told().message)
            }
            None => Err("no model has this name".to_owned()),
        };
        match chosen {
            Ok(chosen) => {
                profiles.push(chosen.profile);
                clients.insert(name.clone(), chosen.client);
            }
            Err(why) => surface.say(&format!("fallback model `{name}` is left out: {why}")),
        }
    }
    (profiles, clients)
}

/// Returns how hard a model is asked to think when it takes over; what it cannot be told is said and
/// left out: a chain is for bad times.
fn told(model: &Model, resolved: &Resolved, surface: &dyn Surface) -> Option<Effort> {
    let effort = resolved.effort_for(Role::Main, model)?;
    let Some(untold) = untold(model, Some(effort)) else {
        return Some(effort);
    };
    surface.say(&format!(
        "fallback model `{}` is asked without effort `{effort}`: {untold}",
        model.name
    ));
    None
}
