//! Who works, in the first line of a session.

use harness_core::ModelProfile;

use crate::clean::clean;

/// Names the model, how hard it is asked to think, and that its price is unknown where it is.
pub(super) fn of(model: &ModelProfile) -> String {
    let mut agent = match model.recorded {
        true => "recorded".to_owned(),
        false => clean(&model.name).into_owned(),
    };
    if let Some(effort) = model.effort {
        agent.push_str(&format!(", effort {effort}"));
    }
    if model.price.is_none() {
        agent.push_str(", price unknown");
    }
    agent
}
