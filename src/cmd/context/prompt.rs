//! `harness context --prompt`: the exact texts that would be sent.

use harness_context::prompts::{PROMPTS, PromptName, prompt};
use harness_core::{Message, SessionOpened, UserPart};
use serde_json::json;

use super::wish::is_own;
use crate::{compose::Site, failure::Failure, output::Output};

/// Shows the instructions, the tools, the first message, and what helpers are told.
pub(super) fn show(
    site: &Site,
    opened: &SessionOpened,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = harness_engine::first_prompt(opened).map_err(|error| {
        Failure::usage(error).hint("`harness context` shows what each part takes")
    })?;
    let own = &opened.run.prompts;
    let origin = |name: PromptName| {
        if is_own(own, name.as_str()) {
            let file = site.folders.prompts().join(format!("{}.md", name.as_str()));
            file.display().to_string()
        } else {
            "built in".to_owned()
        }
    };
    let parts = [PromptName::Opening, PromptName::Work]
        .map(|name| format!("{}: {}", name.as_str(), origin(name)));
    let parts = format!("{}; rules: built in, always", parts.join("; "));
    part("instructions", &parts, &request.system, output)?;
    for tool in &*request.tools {
        let text = format!("{}\n{}", tool.description, tool.schema);
        part(&format!("tool {}", tool.name), "built in", &text, output)?;
    }
    for message in &request.messages {
        let Message::User(said) = &**message else {
            continue;
        };
        for (at, said) in said.iter().enumerate() {
            if let UserPart::Text { text } = said {
                let name = format!("first message, part {}", at + 1);
                part(&name, "of this repository", text, output)?;
            }
        }
    }
    let helpers = PROMPTS.into_iter().filter(|name| !name.fixed().is_empty());
    for name in helpers {
        part(name.as_str(), &origin(name), &prompt(name, own), output)?;
    }
    Ok(())
}

fn part(name: &str, origin: &str, text: &str, output: &mut Output) -> Result<(), Failure> {
    let shown = format!("=== {name} ({origin})\n{}\n", text.trim_end());
    let body = json!({ "name": name, "origin": origin, "text": text });
    output.entry("context_prompt", &shown, body)
}

/// Names those prompts of the agent that are the person's own.
pub(super) fn origins(opened: &SessionOpened) -> String {
    let own = [PromptName::Opening, PromptName::Work].into_iter();
    let own: Vec<&str> = own
        .map(PromptName::as_str)
        .filter(|name| is_own(&opened.run.prompts, name))
        .collect();
    if own.is_empty() {
        return "built in".to_owned();
    }
    format!("built in, with your own {}", own.join(" and "))
}
