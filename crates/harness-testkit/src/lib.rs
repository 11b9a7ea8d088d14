//! What tests need of the world: a model server on loopback, throw-away repositories, a clean home.
//!
//! Fakes stand only for the model. Repositories are real, made by `git`; the
//! program under test is the real binary in an empty home.

mod home;
mod project;
mod secure;
mod server;
mod wire;

pub use home::{Home, Run, interrupt};
pub use project::Project;
pub use secure::{Http2, SecureServer};
pub use server::{Ending, Received, Reply, Server, Shape};
