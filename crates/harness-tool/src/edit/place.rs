//! Finding the one place, and the first rung: the text as it is.

use std::ops::Range;

use memchr::memmem::Finder;

use super::{EditFault, ending::Ending};

/// How many places are looked for before it is only said that there are many.
pub(super) const PLACES_MAX: usize = 20;

/// How many lines of an ambiguous match are named.
const NAMED_LINES_MAX: usize = 5;

/// Bytes to take out and bytes to put in.
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) with: Vec<u8>,
    pub(super) inexact: Option<&'static str>,
}

/// Finds `old` as it is, or with the file's line endings.
pub(super) fn exact(
    body: &[u8],
    old: &str,
    new: &str,
    ending: Ending,
) -> Result<Option<Splice>, EditFault> {
    let own = ending.given_to(old);
    let mut places: Vec<Range<usize>> = starts(body, own.as_bytes())
        .into_iter()
        .map(|start| start..start + own.len())
        .collect();
    // In a file of mixed endings the text as given may stand elsewhere too; inside
    // a place that was found already it is the same place.
    if own != old {
        for start in starts(body, old.as_bytes()) {
            let place = start..start + old.len();
            if !places
                .iter()
                .any(|known| known.start <= place.start && place.end <= known.end)
            {
                places.push(place);
            }
        }
    }
    places.sort_by_key(|place| place.start);
    let found: Vec<usize> = places.iter().map(|place| place.start).collect();
    let Some(start) = only(&found, body)? else {
        return Ok(None);
    };
    let end = places[0].end;
    Ok(Some(Splice {
        range: start..end,
        with: ending.given_to(new).into_owned().into_bytes(),
        inexact: None,
    }))
}

/// Returns where `needle` begins, overlapping places included, at most [`PLACES_MAX`].
///
/// An empty needle is nowhere. The cost is that many scans at worst.
pub(super) fn starts(haystack: &[u8], needle: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    if needle.is_empty() {
        return starts;
    }
    let finder = Finder::new(needle);
    let mut from = 0;
    while let Some(offset) = finder.find(&haystack[from..]) {
        starts.push(from + offset);
        from += offset + 1;
        if starts.len() >= PLACES_MAX {
            break;
        }
    }
    starts
}

/// Returns the only one of some offsets into `text`; several are a fault that names their lines.
pub(super) fn only(starts: &[usize], text: &[u8]) -> Result<Option<usize>, EditFault> {
    match starts {
        [] => Ok(None),
        [start] => Ok(Some(*start)),
        several => Err(EditFault::Ambiguous {
            count: several.len(),
            lines: several
                .iter()
                .take(NAMED_LINES_MAX)
                .map(|&start| line_of(text, start))
                .collect(),
        }),
    }
}

/// Returns the line, counted from 1, in which an offset lies.
pub(super) fn line_of(text: &[u8], offset: usize) -> usize {
    memchr::memchr_iter(b'\n', &text[..offset]).count() + 1
}
