//! Who serves the roles beside the main one: `[role.cheap]` and `[role.reviewer]`.

use std::collections::BTreeMap;

use harness_config::{EffortWish, Model, Resolved, RoleWish};
use harness_core::{Effort, ModelProfile, Role, Roles};
use harness_runner::ModelClient;

use super::{ChosenModel, ready, with_real_window};
use crate::surface::Surface;

/// Roles that may have a model of their own.
pub(crate) const OWN: [Role; 2] = [Role::Cheap, Role::Reviewer];

/// Who serves a role by what the configuration says.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) model: Model,
    pub(crate) effort: Option<Effort>,
}

/// Returns the model that the configuration gives a role; `main` is the name of the main one.
///
/// # Errors
/// Why there is none, as the end of a sentence.
pub(crate) fn served(role: Role, main: &str, resolved: &Resolved) -> Result<Served, String> {
    let wish = resolved.role(role);
    let name = wish.model.as_deref().unwrap_or(main);
    let found = resolved.find_model(name).cloned();
    let model = found.or_else(|| resolved.loopback_model(name));
    let model = model.ok_or_else(|| format!("no model has the name `{name}`"))?;
    Ok(Served {
        effort: resolved.effort_for(role, &model),
        model,
    })
}

/// Makes ready who serves a role otherwise than the main model does.
///
/// One that cannot be asked here is left out and said, and the main model takes its
/// place. A recording serves every role.
pub(crate) fn choose(
    main: &ModelProfile,
    resolved: &Resolved,
    surface: &dyn Surface,
) -> (Roles, BTreeMap<Role, ModelClient>) {
    let (mut roles, mut clients) = (Roles::default(), BTreeMap::new());
    if main.recorded {
        return (roles, clients);
    }
    for role in OWN
        .into_iter()
        .filter(|role| is_said(&resolved.role(*role)))
    {
        match made(role, main, resolved) {
            Ok(None) => {}
            Ok(Some(chosen)) => {
                roles.set(role, chosen.profile);
                clients.insert(role, chosen.client);
            }
            Err(why) => {
                let main = &main.name;
                surface.say(&format!("role `{role}` is left to `{main}`: {why}"));
            }
        }
    }
    (roles, clients)
}

/// Makes ready who serves a role; nothing where the main model does it just so.
fn made(
    role: Role,
    main: &ModelProfile,
    resolved: &Resolved,
) -> Result<Option<ChosenModel>, String> {
    let Served { model, effort } = served(role, &main.name, resolved)?;
    if model.name == main.name && effort == main.effort {
        return Ok(None);
    }
    let made = ready(&with_real_window(model), role, effort, resolved);
    made.map(Some).map_err(|failure| failure.to_told().message)
}

fn is_said(wish: &RoleWish) -> bool {
    wish.model.is_some() || wish.effort != EffortWish::Unsaid
}
