//! Configuration: the text of two files, flags and environment in, resolved values out.
//!
//! Reads `harness.toml` (the repository's, which can only narrow) and the
//! person's own file (models, keys by name, limits), first as they are written
//! and then as the program uses them; each value knows its origin. Opens no
//! file, asks no environment, hashes nothing. The binary calls it before
//! anything else is built.

mod agent;
mod choice;
mod document;
mod error;
mod format;
mod gate;
mod keys;
mod limits;
mod loopback;
mod model;
mod network;
mod overrides;
mod prices;
mod raw;
mod render;
mod repository;
mod resolve;
mod role;
mod rule;
mod setting;
mod trust;
mod ui;
mod user;
mod value;
mod walk;

#[cfg(test)]
mod tests;

pub use agent::{Agent, AgentKind};
pub use document::{ConfigFile, FILE_BYTES_MAX};
pub use error::{ConfigError, Fault};
pub use gate::Setup;
pub use loopback::{LOOPBACK_CONTEXT, LoopbackServer};
pub use model::{Api, KeySource, Model, SERVERS, ollama_address};
pub use overrides::Overrides;
pub use render::{Detected, render_gate, render_repository};
pub use repository::{RepositoryConfig, parse_repository};
pub use resolve::{Resolved, SandboxWish, resolve};
pub use role::{EffortWish, RoleWish};
pub use rule::render_rule;
pub use setting::Setting;
pub use trust::{TrustLine, trust_subject};
pub use ui::{Notify, Ui};
pub use user::{Faces, SavedRules, UserConfig, parse_saved_rules, parse_user};
pub use value::Written;

/// Every key of `harness.toml` with what it means and its default: the reference.
pub const DEFAULT_REPOSITORY_FILE: &str = include_str!("default.toml");

/// Every key of the user file with what it means and its default: the reference.
pub const DEFAULT_USER_FILE: &str = include_str!("default_user.toml");
