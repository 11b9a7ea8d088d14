//! Reads `[[format]]`: what the repository would have executed after an edit.

use harness_core::Format;

use crate::{
    document::{Document, Place},
    error::Fault,
    raw::RawFormat,
    setting::{Literal as _, Settings},
    value::{self, Here, Written},
};

/// Reads every formatter, in order.
pub(crate) fn formats(
    document: &Document<'_>,
    raw: &[RawFormat],
) -> Result<Vec<Written<Format>>, Box<Fault>> {
    let formats = raw.iter().enumerate();
    formats
        .map(|(index, raw)| {
            let place = Place::named(format!("format {}", index + 1), ["format"]);
            format(&Here::new(document, place), raw)
        })
        .collect()
}

fn format(here: &Here<'_>, raw: &RawFormat) -> Result<Written<Format>, Box<Fault>> {
    if raw.paths.get_ref().is_empty() {
        return Err(here
            .fault("paths", &raw.paths, "`paths` names no files")
            .with_hint("say what it can format, such as `paths = [\"**/*.rs\"]`"));
    }
    let paths = value::patterns(here, "paths", raw.paths.get_ref())?;
    Ok(Written {
        value: Format {
            run: value::argv(here, "run", &raw.run)?,
            paths: paths.into_iter().map(|path| path.value).collect(),
            timeout: match &raw.timeout {
                Some(timeout) => value::duration(here, "timeout", timeout)?,
                None => Format::TIMEOUT,
            },
        },
        origin: here.origin(&raw.run),
    })
}

/// Notes every formatter with whose word it is.
pub(crate) fn note(formats: &[Written<Format>], settings: &mut Settings) {
    for Written { value, origin } in formats {
        let text = format!(
            "{{ run = {}, paths = {}, timeout = {} }}",
            value.run.literal(),
            value.paths.literal(),
            value.timeout.literal()
        );
        settings.note("format", text, origin);
    }
}
