//! Who serves which role and how hard it is asked to think: `[role.NAME]`, and `effort` anywhere.
//!
//! Names and words only: whether a server can be told an effort is known to who asks it.

use std::collections::BTreeMap;

use harness_core::{Effort, Role};

use crate::{
    RepositoryConfig, Resolved, UserConfig, agent,
    document::Document,
    error::Fault,
    model::Model,
    raw::{RawRole, RawRoles, Text},
    setting::{BUILT_IN, Literal, Settings, quoted},
    value::{self, Here, Written},
};

/// The word that leaves the effort to the provider, whatever else is said.
const PROVIDERS_DEFAULT: &str = "default";

/// Roles beside the main one, which `[agent]` is about.
const NAMED: [Role; 2] = [Role::Cheap, Role::Reviewer];

/// What is said about how hard a model is to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EffortWish {
    /// Nothing: what the model's own table says holds.
    #[default]
    Unsaid,
    /// That it is left to the provider.
    ProvidersDefault,
    /// This much.
    Asked(Effort),
}

/// What is said about a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleWish {
    /// The name of the model; the main one where nobody names any.
    pub model: Option<String>,
    /// How hard it is to think.
    pub effort: EffortWish,
}

/// What a file says about one role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RoleChoice {
    model: Option<Written<String>>,
    effort: Option<Written<EffortWish>>,
}

/// What a file says about all roles beside the main one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RoleChoices(BTreeMap<Role, RoleChoice>);

impl EffortWish {
    /// Returns what is asked for, of a model whose own table says `own`.
    pub fn over(self, own: Option<Effort>) -> Option<Effort> {
        match self {
            Self::Unsaid => own,
            Self::ProvidersDefault => None,
            Self::Asked(effort) => Some(effort),
        }
    }
}

impl Resolved {
    /// Returns what is said about a role; the main one's model is chosen by [`Resolved::start_model`].
    pub fn role(&self, role: Role) -> RoleWish {
        self.roles.get(&role).cloned().unwrap_or_default()
    }

    /// Returns how hard a model is asked to think in a role; the role's word goes before the model's own.
    ///
    /// A role that names no model is served by the main one, with what is asked of that.
    pub fn effort_for(&self, role: Role, model: &Model) -> Option<Effort> {
        let wish = self.role(role);
        let main = self.role(Role::Main).effort;
        match (wish.effort, wish.model) {
            (EffortWish::Unsaid, None) => main.over(model.effort),
            (effort, _) => effort.over(model.effort),
        }
    }
}

impl Resolved {
    /// Returns who says how hard a model is to think in a role, such as `config.toml:7`.
    pub fn effort_origin(&self, role: Role, model: &Model) -> Option<&str> {
        let of_role = match role {
            Role::Main => "agent.effort".to_owned(),
            role => format!("role.{role}.effort"),
        };
        let of_model = format!("model.{}.effort", model.name);
        // The main model's word is nothing to a role that names another one.
        let of_main = self.role(role).model.is_none().then_some("agent.effort");
        let keys = [Some(of_role.as_str()), of_main, Some(of_model.as_str())];
        let origin = |key: &str| {
            let mut settings = self.origins.iter();
            let found =
                settings.find(|setting| setting.key == key && setting.origin != BUILT_IN)?;
            Some(found.origin.as_str())
        };
        keys.into_iter().flatten().find_map(origin)
    }
}

impl RoleChoices {
    pub(crate) fn overlaid(mut self, over: Self) -> Self {
        for (role, over) in over.0 {
            let under = self.0.entry(role).or_default();
            *under = std::mem::take(under).overlaid(over);
        }
        self
    }

    /// Returns the names of all models that are named.
    pub(crate) fn models(&self) -> impl Iterator<Item = &String> {
        let named = self.0.values().filter_map(|choice| choice.model.as_ref());
        named.map(|model| &model.value)
    }
}

impl RoleChoice {
    fn overlaid(self, over: Self) -> Self {
        Self {
            model: over.model.or(self.model),
            effort: over.effort.or(self.effort),
        }
    }
}

/// Reads the tables of `[role]`.
pub(crate) fn choices<'d>(
    here: impl Fn(Role) -> Here<'d>,
    raw: &RawRoles,
) -> Result<RoleChoices, Box<Fault>> {
    let mut choices = BTreeMap::new();
    for (role, raw) in raw.named() {
        let here = here(role);
        let choice = RoleChoice {
            model: here.written("model", raw.model.as_ref(), agent::model_name)?,
            effort: here.written("effort", raw.effort.as_ref(), wish)?,
        };
        if choice != RoleChoice::default() {
            choices.insert(role, choice);
        }
    }
    Ok(RoleChoices(choices))
}

/// Reads the tables of `[role]` at the top of a file.
pub(crate) fn of_file(document: &Document<'_>, raw: &RawRoles) -> Result<RoleChoices, Box<Fault>> {
    let here = |role: Role| Here::new(document, place(&[], role));
    choices(here, raw)
}

/// Returns the place of a role's table below others.
pub(crate) fn place(above: &[&str], role: Role) -> crate::document::Place {
    let tables = above.iter().copied().chain(["role", role.as_str()]);
    crate::document::Place::nested(tables)
}

impl RawRoles {
    /// Returns what is written, role by role.
    pub(crate) fn named(&self) -> [(Role, &RawRole); 2] {
        [(Role::Cheap, &self.cheap), (Role::Reviewer, &self.reviewer)]
    }
}

/// Reads how hard a model is to think in a role.
pub(crate) fn wish(here: &Here<'_>, key: &str, raw: &Text) -> Result<EffortWish, Box<Fault>> {
    let asked = Effort::ALL.map(|effort| (effort.as_str(), EffortWish::Asked(effort)));
    let mut words = vec![(PROVIDERS_DEFAULT, EffortWish::ProvidersDefault)];
    words.extend(asked);
    value::word(here, key, raw, &words)
}

/// Reads how hard a model is asked to think where no role says.
pub(crate) fn effort(here: &Here<'_>, key: &str, raw: &Text) -> Result<Effort, Box<Fault>> {
    let words = Effort::ALL.map(|effort| (effort.as_str(), effort));
    value::word(here, key, raw, &words)
}

/// Returns what both files say together; key by key the person's goes first.
pub(crate) fn chosen(repository: &RepositoryConfig, user: &UserConfig) -> RoleChoices {
    let below = repository.roles.clone();
    below.overlaid(user.roles().clone())
}

/// Notes what holds for every role, and returns it; `main` is what is said of the main one.
pub(crate) fn resolve(
    main: Option<Written<EffortWish>>,
    choices: RoleChoices,
    settings: &mut Settings,
) -> BTreeMap<Role, RoleWish> {
    let mut choices = choices.0;
    let main = RoleWish {
        model: None,
        effort: settings
            .keep_optional("agent.effort", main)
            .unwrap_or_default(),
    };
    let mut wishes = BTreeMap::from([(Role::Main, main)]);
    for role in NAMED {
        let choice = choices.remove(&role).unwrap_or_default();
        let wish = RoleWish {
            model: settings.keep_optional(&format!("role.{role}.model"), choice.model),
            effort: settings
                .keep_optional(&format!("role.{role}.effort"), choice.effort)
                .unwrap_or_default(),
        };
        wishes.insert(role, wish);
    }
    wishes
}

impl Literal for EffortWish {
    fn literal(&self) -> String {
        match self {
            Self::Unsaid => "none".to_owned(),
            Self::ProvidersDefault => quoted(PROVIDERS_DEFAULT),
            Self::Asked(effort) => quoted(effort.as_str()),
        }
    }
}
