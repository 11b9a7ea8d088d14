//! `harness gate detect`: what would be proposed as gates, held against `harness.toml`.
//!
//! Reads files and runs nothing; what it prints is for a person to copy.

use harness_config::render_gate;
use harness_core::Gate;
use serde_json::json;

use super::body;
use crate::{
    cli::{Common, RunOptions},
    compose::Site,
    detect,
    failure::Failure,
    output::{Output, say},
};

/// How a proposed gate stands to the configuration.
enum Standing {
    /// No gate of this name is configured.
    New,
    /// The one of this name is the same.
    Same,
    /// The one of this name has these lines instead.
    Differs(Vec<String>),
}

pub(super) fn run(site: &Site, common: &Common) -> Result<u8, Failure> {
    let found = detect::detect(site);
    let configured = site.resolve(&RunOptions::default())?.policy.gates;
    let mut output = Output::new(common);
    for gate in &found.gates {
        let standing = standing(gate, &configured);
        let toml = render_gate(gate);
        let text = format!("{}{}", comment(gate, &standing), toml.trim_end());
        let mut body = body(gate);
        body["toml"] = json!(toml);
        body["standing"] = json!(match &standing {
            Standing::New => "new",
            Standing::Same => "same",
            Standing::Differs(_) => "differs",
        });
        if let Standing::Differs(lines) = &standing {
            body["configured"] = json!(lines);
        }
        output.entry("gate_detected", &format!("{text}\n"), body)?;
    }
    let is_found = |gate: &&Gate| found.gates.iter().any(|found| found.name == gate.name);
    for gate in configured.iter().filter(|gate| !is_found(gate)) {
        let mut body = body(gate);
        body["standing"] = json!("only_configured");
        let text = format!("# `{}` stands in harness.toml alone", gate.name);
        output.entry("gate_detected", &text, body)?;
    }
    if found.gates.is_empty() {
        output.text("# no gate was found")?;
    }
    if !output.is_json() {
        found
            .notes
            .iter()
            .for_each(|note| say(&format!("note: {note}")));
    }
    Ok(0)
}

fn standing(gate: &Gate, configured: &[Gate]) -> Standing {
    let Some(other) = configured.iter().find(|other| other.name == gate.name) else {
        return Standing::New;
    };
    if other == gate {
        return Standing::Same;
    }
    let (here, there) = (render_gate(gate), render_gate(other));
    let differs = |line: &&str| !here.lines().any(|other| other == *line);
    let mut lines: Vec<String> = there.lines().filter(differs).map(str::to_owned).collect();
    let key = |line: &str| line.split(" = ").next().map(str::to_owned);
    let keys: Vec<Option<String>> = there.lines().map(key).collect();
    let missing = here.lines().filter(|line| !keys.contains(&key(line)));
    lines.extend(missing.filter_map(|line| Some(format!("{} is not set", key(line)?))));
    Standing::Differs(lines)
}

fn comment(gate: &Gate, standing: &Standing) -> String {
    match standing {
        Standing::New => format!("# `{}` is not in harness.toml\n", gate.name),
        Standing::Same => format!("# `{}` is in harness.toml as it is here\n", gate.name),
        Standing::Differs(lines) => {
            let lines: String = lines.iter().map(|line| format!("#   {line}\n")).collect();
            format!(
                "# `{}` is in harness.toml with other values:\n{lines}",
                gate.name
            )
        }
    }
}
