//! One module per command; each returns the exit code or how it failed.

mod abort;
mod checkpoint;
mod config;
mod demo;
mod feature;
mod gate;
mod init;
mod land;
mod log;
mod resume;
mod run;
mod runs;
mod scope;
mod status;
mod trust;
mod verify;

use crate::{
    cli::{Cli, Command},
    failure::Failure,
};

/// Runs the command that was asked for.
pub(crate) fn run(cli: &Cli) -> Result<u8, Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::Demo(demo) => demo::run(common, demo),
        Command::Init(init) => init::run(common, init),
        Command::Trust(trust) => trust::run(common, trust),
        Command::Run(run) => run::run(common, run),
        Command::Resume(resume) => resume::run(common, resume),
        Command::Status => status::run(common),
        Command::Feature(feature) => feature::run(common, feature),
        Command::Gate(gate) => gate::run(common, gate),
        Command::Verify(verify) => verify::run(common, verify),
        Command::Checkpoint(checkpoint) => checkpoint::run(common, checkpoint),
        Command::Land(land) => land::run(common, land),
        Command::Abort(abort) => abort::run(common, abort),
        Command::Log(log) => log::run(common, log),
        Command::Scope(scope) => scope::run(common, scope),
        Command::Config(config) => config::run(common, config),
    }
}
