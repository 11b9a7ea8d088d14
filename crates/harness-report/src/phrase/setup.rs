//! Setup steps in words.

use harness_core::{Event, SetupEnd};

use super::{ARGUMENT_CHARS, Line, Who, one, seconds};
use crate::clean::{clean, clean_line};

pub(super) fn lines(event: &Event) -> Vec<Line> {
    match event {
        Event::SetupStarted {
            run,
            place,
            network,
        } => {
            let reach = if network.is_empty() {
                String::new()
            } else {
                format!(
                    ", network {}",
                    clean_line(&network.join(" "), ARGUMENT_CHARS)
                )
            };
            one(
                Who::Harness,
                format!("setup `{}` for {place}{reach}", command(run)),
            )
        }
        Event::SetupEnded {
            run,
            place,
            end,
            message,
            ms,
        } => match end {
            SetupEnd::Done => one(
                Who::Harness,
                format!("setup `{}` done in {}", command(run), seconds(*ms)),
            ),
            SetupEnd::Failed => vec![
                Line::new(
                    Who::Harness,
                    format!("setup `{}` FAILED for {place}", command(run)),
                )
                .with([clean(message).into_owned()]),
            ],
            SetupEnd::Cancelled => one(Who::Harness, format!("setup `{}` cut short", command(run))),
        },
        _ => Vec::new(),
    }
}

fn command(run: &[String]) -> String {
    clean_line(&run.join(" "), ARGUMENT_CHARS)
}
