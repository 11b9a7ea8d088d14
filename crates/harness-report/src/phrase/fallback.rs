//! What is said when another model goes on.

use harness_core::ModelProfile;

use super::{Line, Who};
use crate::clean::{clean, clean_line};

/// Says which model is given up, why, and which one goes on.
pub(super) fn changed(from: &str, model: &ModelProfile, reason: &str) -> Line {
    let price = match model.price {
        Some(_) => "",
        None => ", price unknown,",
    };
    let text = format!(
        "model {} is given up ({}); {}{price} goes on",
        clean(from),
        clean_line(reason, 300),
        clean(&model.name),
    );
    Line::new(Who::Note, text)
}
