//! Who serves the roles beside the main one.

use harness_core::{Role, Roles};
use schemars::JsonSchema;
use serde::Serialize;

/// A model that serves a role of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonRole {
    /// The role: `cheap` or `reviewer`.
    pub role: String,
    /// The model's name.
    pub model: String,
    /// How hard it is asked to think; null where that is left to the provider.
    pub effort: Option<String>,
}

pub(super) fn of(roles: &Roles) -> Vec<JsonRole> {
    let named = Role::ALL
        .into_iter()
        .filter_map(|role| Some((role, roles.named(role)?)));
    named
        .map(|(role, model)| JsonRole {
            role: role.to_string(),
            model: model.name.clone(),
            effort: model.effort.map(|effort| effort.to_string()),
        })
        .collect()
}
