//! The binary: reads the command line, calls one command, sets the exit code.

mod approve;
mod ask;
mod cli;
mod cmd;
mod compare;
mod compose;
mod detect;
mod faces;
mod failure;
mod files;
mod folders;
mod intent;
mod isolation;
mod job;
mod network;
mod output;
mod proof;
mod rules;
mod screen;
mod session;
mod setup;
mod surface;
mod trust;

use std::process::ExitCode;

use clap::Parser as _;
use harness_host::process::{serve_attempt, serve_cage};

use crate::{cli::Cli, failure::Failure};

fn main() -> ExitCode {
    if let Some(code) = serve_cage(std::env::args_os()) {
        return code;
    }
    if let Some(code) = serve_attempt(std::env::args_os()) {
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
