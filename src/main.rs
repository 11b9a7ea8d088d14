//! The binary: reads the command line, calls one command, sets the exit code.

mod approve;
mod asides;
mod ask;
mod asking;
mod cli;
mod cmd;
mod compare;
mod compose;
mod detect;
mod faces;
mod failure;
mod files;
mod folders;
mod follow;
mod intent;
mod isolation;
mod job;
mod loopback;
mod named;
mod network;
mod output;
mod prompts;
mod proof;
mod proposals;
mod questions;
mod repositories;
mod review;
mod rules;
mod screen;
mod session;
mod setup;
mod surface;
mod table;
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
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    match cmd::run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(Failure::code(&failure))
        }
    }
}

/// Says what is wrong with a command line, or gives the help that was asked for.
fn refused(error: &clap::Error) -> ExitCode {
    // A closed pipe is not worth another error.
    let _ = error.print();
    // For the agents that call hooks, the code of usage would mean to block.
    let is_hook = std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == "hook");
    match error.exit_code() {
        0 => ExitCode::SUCCESS,
        _ if is_hook => ExitCode::from(1),
        code => ExitCode::from(u8::try_from(code).unwrap_or(1)),
    }
}
