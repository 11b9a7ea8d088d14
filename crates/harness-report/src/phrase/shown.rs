//! What is said about what a tool showed the agent.

use harness_core::Image;

use super::{ARGUMENT_CHARS, count};
use crate::clean::clean_line;

pub(super) fn text(lines: u64, cut: bool) -> String {
    let cut = if cut { ", cut" } else { "" };
    format!(", {}{cut}", count(lines, "line"))
}

/// Says which files alone were searched.
pub(super) fn files(glob: Option<&str>) -> String {
    glob.map_or_else(String::new, |glob| {
        format!(", files {}", clean_line(glob, ARGUMENT_CHARS))
    })
}

/// Says that an edit is of several places, of which `more` come after the first.
pub(super) fn places(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(", {} places", more + 1),
    }
}

pub(super) fn deleted(removed: u32) -> String {
    match removed {
        0 => String::new(),
        removed => format!(", {} removed", count(u64::from(removed), "line")),
    }
}

pub(super) fn image(image: &Image) -> String {
    format!(", image, {}", image.summary())
}
