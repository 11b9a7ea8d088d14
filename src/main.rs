//! The binary: reads the command line, calls one command, sets the exit code.

mod ask;
mod cli;
mod cmd;
mod compose;
mod detect;
mod faces;
mod failure;
mod files;
mod folders;
mod job;
mod network;
mod output;
mod screen;
mod session;
mod setup;
mod surface;
mod trust;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{cli::Cli, failure::Failure};

fn main() -> ExitCode {
    if let Some(code) = harness_host::process::serve_cage(std::env::args_os()) {
        return code;
    }
    let cli = Cli::parse();
    match cmd::run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(Failure::code(&failure))
        }
    }
}
