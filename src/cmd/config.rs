//! `harness config`: what holds and who said so, and the commented default files.

use serde_json::json;

use crate::{
    cli::{Common, ConfigCommand, RunOptions},
    compose::Site,
    failure::Failure,
    output::{self, Output},
};

pub(super) fn run(common: &Common, command: &ConfigCommand) -> Result<u8, Failure> {
    match command {
        ConfigCommand::Show { origin } => show(common, *origin),
        ConfigCommand::Default { user } => {
            let text = if *user {
                harness_config::DEFAULT_USER_FILE
            } else {
                harness_config::DEFAULT_REPOSITORY_FILE
            };
            output::write(text)?;
            Ok(0)
        }
    }
}

fn show(common: &Common, origin: bool) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let mut output = Output::new(common);
    for setting in resolved.origins.iter().chain(site.face_settings()) {
        let from = if origin {
            format!("  # {}", setting.origin)
        } else {
            String::new()
        };
        let text = format!("{} = {}{from}", setting.key, setting.value);
        output.entry(
            "setting",
            &text,
            json!({ "key": setting.key, "value": setting.value, "origin": setting.origin }),
        )?;
    }
    Ok(0)
}
