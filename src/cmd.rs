//! One module per command; each returns the exit code or how it failed.

mod abort;
mod answer;
mod broken;
pub(crate) mod checkpoint;
mod config;
mod context;
pub(crate) mod demo;
mod difference;
mod docs;
mod doctor;
pub(crate) mod feature;
pub(crate) mod finish;
pub(crate) mod gate;
mod hook;
pub(crate) mod init;
pub(crate) mod land;
mod log;
pub(crate) mod lost;
pub(crate) mod models;
pub(crate) mod moved;
mod place;
pub(crate) mod plan;
pub(crate) mod reach;
pub(crate) mod replay;
pub(crate) mod resume;
pub(crate) mod review;
pub(crate) mod rewind;
pub(crate) mod run;
pub(crate) mod runs;
mod scope;
pub(crate) mod session;
mod status;
mod trust;
mod verify;
pub(crate) mod work;
mod worktree;

use crate::{
    cli::{Cli, Command},
    failure::Failure,
    screen,
};

/// Runs the command that was asked for.
pub(crate) fn run(cli: &Cli) -> Result<u8, Failure> {
    let common = &cli.common;
    let Some(command) = &cli.command else {
        return screen::look_around(common);
    };
    match command {
        Command::Demo(demo) => demo::run(common, demo),
        Command::Init(init) => init::run(common, init),
        Command::Trust(trust) => trust::run(common, trust),
        Command::Run(run) => run::run(common, run),
        Command::Plan(plan) => plan::run(common, plan),
        Command::Resume(resume) => resume::run(common, resume),
        Command::Doctor(doctor) => doctor::run(common, doctor),
        Command::Rewind(rewind) => rewind::run(common, rewind),
        Command::Answer(answer) => answer::run(common, answer),
        Command::Review(review) => review::run(common, review),
        Command::Status(status) => status::run(common, status),
        Command::Models => models::run(common),
        Command::Feature(feature) => feature::run(common, feature),
        Command::Gate(gate) => gate::run(common, gate),
        Command::Hook(hook) => hook::run(common, hook),
        Command::Verify(verify) => verify::run(common, verify),
        Command::Checkpoint(checkpoint) => checkpoint::run(common, checkpoint),
        Command::Land(land) => land::run(common, land),
        Command::Abort(abort) => abort::run(common, abort),
        Command::Session(session) => session::run(common, session),
        Command::Log(log) => log::run(common, log),
        Command::Replay(flags) => replay::run(common, flags),
        Command::Scope(scope) => scope::run(common, scope),
        Command::Context(flags) => context::run(common, flags),
        Command::Docs(docs) => docs::run(common, docs),
        Command::Config(config) => config::run(common, config),
    }
}
