//! Setup steps as JSON lines.

use harness_core::Event;

use super::JsonLine;

pub(super) fn line(event: &Event) -> Option<JsonLine> {
    match event {
        Event::SetupStarted {
            run,
            place,
            network,
        } => Some(JsonLine::SetupStarted {
            run: run.clone(),
            place: place.as_str().to_owned(),
            network: network.clone(),
        }),
        Event::SetupEnded {
            run,
            place,
            end,
            message,
            ms,
        } => Some(JsonLine::SetupEnded {
            run: run.clone(),
            place: place.as_str().to_owned(),
            status: end.as_str().to_owned(),
            message: message.clone(),
            ms: *ms,
        }),
        _ => None,
    }
}
