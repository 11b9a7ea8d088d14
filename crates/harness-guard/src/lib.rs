//! The judge: what an agent may do, decided before it happens and as data only.
//!
//! [`Guard`] compiles the rules of a run and one feature, judges each
//! [`Action`](harness_core::Action) and makes the [`Permit`] without which no edge acts.
//! [`Scope`] answers for paths, [`CagePlan`] says what a process is confined to,
//! [`redact()`] takes secrets out of text that is kept.
//!
//! This crate opens nothing and enforces nothing: a link is met when the host
//! opens the path, a process is held by the cage, and what slipped through is
//! found in the difference afterwards. Rules about command lines are manners,
//! not a boundary. The engine judges with it, the host acts on its permits and
//! plans, the configuration takes its defaults from here.

mod approval;
mod cage;
mod command;
mod concern;
mod covering;
mod defaults;
mod guard;
mod host_act;
pub mod network;
mod pattern;
mod permit;
mod redact;
mod request;
mod scope;
mod setup;
mod shown;
mod stray;

pub use approval::{Approval, Awaited, OtherCall};
pub use cage::{
    CagePlan, Machine, Mount, MountKind, MountPlan, clean_environment, places_checkouts,
};
pub use command::rule_fits;
pub use concern::Concern;
pub use covering::Covering;
pub use defaults::{default_hidden, default_protected, gate_affecting, is_gate_affecting};
pub use guard::{Explanation, Guard};
pub use host_act::HostAct;
pub use pattern::ScopeError;
pub use permit::{Bounds, Permit};
pub use redact::{redact, seems_secret};
pub use request::Wanted;
pub use scope::Scope;
pub use setup::SetupStep;
pub use stray::{Attributes, Content, Difference, FileKind, Judgement, Remedy, Stray};
