//! The first process of a cage, attempts to break out of one, and nothing else, for the tests of this crate.

use std::process::ExitCode;

use harness_host::process::{serve_attempt, serve_cage};

fn main() -> ExitCode {
    serve_cage(std::env::args_os())
        .or_else(|| serve_attempt(std::env::args_os()))
        .unwrap_or(ExitCode::FAILURE)
}
