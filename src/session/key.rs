//! The key of a model: from the environment, or from a command of the person's.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use harness_config::{KeySource, Model};
use tokio::{
    io::{AsyncReadExt as _, copy, sink},
    process::Command,
    time::timeout,
};

use crate::failure::Failure;

/// How much of what a key command prints is looked at. Unit: bytes.
const KEY_BYTES_MAX: u64 = 16 * 1024;
/// How long a key command may take.
const KEY_TIME_MAX: Duration = Duration::from_secs(10);

/// Finds the key of a model; its value goes to the request's header and nowhere else.
pub(super) fn find(model: &Model, source: &KeySource) -> Result<String, Failure> {
    match source {
        KeySource::Env(name) => from_environment(model, name),
        KeySource::Command(argv) => from_command(model, argv, KEY_TIME_MAX),
    }
}

fn from_environment(model: &Model, name: &str) -> Result<String, Failure> {
    match std::env::var(name) {
        Ok(key) if !key.trim().is_empty() => Ok(key.trim().to_owned()),
        _ => Err(Failure::usage(format!(
            "model `{}` needs its key in `{name}`, which is not set",
            model.name
        ))
        .hint(format!(
            "export {name}=..., or choose another model with --model"
        ))),
    }
}

/// Runs the person's command; nothing that it prints is told, shown or logged.
fn from_command(model: &Model, argv: &[String], limit: Duration) -> Result<String, Failure> {
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| Failure::usage("`key_command` is empty"))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let runtime = super::runtime()?;
    let done = runtime.block_on(async { timeout(limit, output(command)).await });
    runtime.shutdown_timeout(super::SHUTDOWN);
    let what = format!("the key command `{program}` of model `{}`", model.name);
    let (status, text) = match done {
        Err(_) => {
            let limit = humantime::format_duration(limit);
            return Err(Failure::usage(format!("{what} took longer than {limit}"))
                .hint("run it by hand once, so that it need not ask for a passphrase"));
        }
        Ok(Err(error)) => return Err(Failure::usage(format!("cannot run {what}: {error}"))),
        Ok(Ok(output)) => output,
    };
    let text = String::from_utf8_lossy(&text);
    let key = text.lines().next().unwrap_or_default().trim();
    if !status.success() || key.is_empty() {
        return Err(Failure::usage(format!("{what} gave no key ({status})"))
            .hint("run it by hand and look at what it prints"));
    }
    Ok(key.to_owned())
}

/// Runs a command to its end; what it prints beyond the bound is read and dropped.
async fn output(mut command: Command) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let mut child = command.spawn()?;
    let mut text = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        (&mut stdout)
            .take(KEY_BYTES_MAX)
            .read_to_end(&mut text)
            .await?;
        copy(&mut stdout, &mut sink()).await?;
    }
    Ok((child.wait().await?, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_hangs_is_given_up() {
        let user = "[model.x]\napi = \"chat\"\nid = \"x\"\nkey_command = [\"sleep\", \"60\"]\n";
        let file = harness_config::ConfigFile::from_bytes("config.toml", user.as_bytes()).unwrap();
        let user = harness_config::parse_user(file).unwrap();
        let model = &user.models["x"];
        let argv = ["sleep", "60"].map(str::to_owned);
        let failure = from_command(model, &argv, Duration::from_millis(50)).unwrap_err();
        let text = failure.to_text();
        assert!(
            text.contains("the key command `sleep` of model `x` took longer than 50ms"),
            "{text}"
        );
    }
}
