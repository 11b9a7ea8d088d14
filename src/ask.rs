//! Questions on a terminal, in plain lines. Never asked without one.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use harness_report::clean;

use crate::cli::Common;

/// Whether a person can be asked.
pub(crate) fn is_attended(common: &Common) -> bool {
    !common.no_input && !common.json && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that is answered with yes or no; no answer is no.
pub(crate) fn confirm(question: &str) -> bool {
    let answer = line(&format!("{question} [y/N] "));
    matches!(answer.as_deref().map(str::trim), Some("y" | "Y" | "yes"))
}

/// Reads one line from the terminal; `None` at the end of input.
pub(crate) fn line(prompt: &str) -> Option<String> {
    let mut stderr = io::stderr();
    let _ = stderr.write_all(clean(prompt).as_bytes());
    let _ = stderr.flush();
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(answer.trim_end_matches('\n').to_owned()),
    }
}
