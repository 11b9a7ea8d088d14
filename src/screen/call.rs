//! What goes past the screen: a program that calls the person, and a text that is too long to copy.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness_tui::{Answer, Failed};

use crate::folders::Folders;

/// How long a program that calls may take.
const CALL_MAX: Duration = Duration::from_secs(10);
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the person's program with the words as its last argument. That it fails changes nothing.
pub(super) fn run(command: &[String], words: &str) {
    let Some((program, arguments)) = command.split_first() else {
        return;
    };
    let child = Command::new(program)
        .args(arguments)
        .arg(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return };
    let until = Instant::now() + CALL_MAX;
    while Instant::now() < until {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(LOOK);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Keeps a text that was to be copied; the one before it goes.
pub(super) fn keep(text: &str) -> Answer {
    let failed = |what: String| Failed {
        message: format!("cannot keep the text that was to be copied: {what}"),
        hint: None,
    };
    let kept = || {
        let file = Folders::find()
            .map_err(|failure| failed(failure.to_text().trim_end().to_owned()))?
            .copied();
        let folder = file.parent().unwrap_or(&file);
        let written = fs::create_dir_all(folder)
            .and_then(|()| tempfile::NamedTempFile::new_in(folder))
            .and_then(|mut temporary| {
                temporary.write_all(text.as_bytes())?;
                temporary.persist(&file).map_err(|error| error.error)
            });
        written
            .map(|_| file.display().to_string())
            .map_err(|error| failed(format!("`{}`: {error}", file.display())))
    };
    Answer::Kept(kept())
}
