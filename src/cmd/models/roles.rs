//! Which model serves which role, and how hard it is asked to think.

use harness_config::{EffortWish, Resolved};
use harness_core::Role;
use serde_json::json;

use crate::{
    compose::config_failure,
    failure::Failure,
    output::Output,
    session::{self, roles},
};

/// Tells who serves each role; to people only where the configuration says anything about it.
pub(super) fn tell(resolved: &Resolved, output: &mut Output) -> Result<(), Failure> {
    let main = match resolved.start_model(&|name| session::is_set(name)) {
        Ok(main) => main,
        Err(error) => {
            let told = config_failure(&error).to_told();
            let hint = told.hint.unwrap_or_default();
            return output.text(&format!("note: {}; {hint}", told.message));
        }
    };
    let is_said = Role::ALL.iter().any(|role| {
        let wish = resolved.role(*role);
        wish.model.is_some() || wish.effort != EffortWish::Unsaid
    });
    for role in Role::ALL {
        let served = roles::served(role, &main.name, resolved);
        let (model, effort) = match &served {
            Ok(served) => (served.model.name.as_str(), served.effort),
            Err(_) => (main.name.as_str(), None),
        };
        let problem = match &served {
            Ok(served) => session::untold(&served.model, effort).map(|untold| untold.to_string()),
            Err(why) => Some(why.clone()),
        };
        let mut text = format!("role {role}: {model}");
        if let Some(effort) = effort {
            text.push_str(&format!(", effort {effort}"));
        }
        if let Some(problem) = &problem {
            text.push_str(&format!(" ({problem})"));
        }
        let body =
            json!({ "name": role.as_str(), "model": model, "effort": effort, "problem": problem });
        if is_said || output.is_json() {
            output.entry("role", &text, body)?;
        }
    }
    Ok(())
}
