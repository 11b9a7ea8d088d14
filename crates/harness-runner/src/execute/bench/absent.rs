//! Where a program is that a gate did not find: what a person needs to know to mend it.

use harness_core::Stop;
use harness_guard::CagePlan;
use harness_host::{
    machine::{masked_program, missing_program},
    process::{Exited, SpawnError},
};

/// What a shell exits with when it did not find a program.
const NOT_FOUND: i32 = 127;

/// Names the program that could not be started, where the machine has it all the same.
pub(super) fn of_error(error: &SpawnError, plan: &CagePlan) -> Option<String> {
    match error {
        SpawnError::Program { program, .. } => masked_program(plan.readable(), program),
        _ => None,
    }
}

/// Names the program that a shell did not find, where the machine has it all the same.
pub(super) fn of_end(exited: &Exited, plan: &CagePlan) -> Option<String> {
    if exited.stop != Stop::Exited(NOT_FOUND) {
        return None;
    }
    let output = exited.output.to_text();
    masked_program(plan.readable(), missing_program(&output)?)
}
