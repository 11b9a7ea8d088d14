//! The models that go on when the first one's provider fails: `[agent] fallback`.

use std::collections::BTreeMap;

use harness_config::Resolved;
use harness_core::ModelProfile;
use harness_runner::ModelClient;

use super::ready;
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
            Some(model) => ready(model, resolved).map_err(|failure| failure.to_told().message),
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
