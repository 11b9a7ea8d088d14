//! The first process of a cage and nothing else, for the tests of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness_host::process::serve_cage(std::env::args_os()).unwrap_or(ExitCode::FAILURE)
}
