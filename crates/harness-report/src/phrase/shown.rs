//! What is said about what a tool showed the agent.

use harness_core::Image;

use super::count;

pub(super) fn text(lines: u64, cut: bool) -> String {
    let cut = if cut { ", cut" } else { "" };
    format!(", {}{cut}", count(lines, "line"))
}

pub(super) fn image(image: &Image) -> String {
    format!(", image, {}", image.summary())
}
