//! What an agent says when it calls a hook: bounded, and nothing of it is believed.

use std::{
    io::{self, IsTerminal as _, Read as _},
    path::PathBuf,
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::cli::Common;

/// The longest input that is read. Unit: bytes.
const INPUT_MAX: u64 = 4 * 1024 * 1024;
/// How long the agent may take to write it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What of it is looked at.
#[derive(Debug)]
pub(super) struct Input {
    /// The agent's session, to count by; any text.
    pub(super) session: String,
    /// Where the agent works.
    folder: Option<PathBuf>,
}

impl Input {
    /// Reads it from standard input.
    pub(super) fn read() -> Result<Self, String> {
        if io::stdin().is_terminal() {
            return Err("standard input is a terminal".to_owned());
        }
        let (sender, receiver) = mpsc::channel();
        // Reading blocks for as long as somebody holds the other end.
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = io::stdin()
                .lock()
                .take(INPUT_MAX + 1)
                .read_to_end(&mut bytes);
            let _ = sender.send(read.map(|_| bytes));
        });
        let read = receiver.recv_timeout(PATIENCE);
        let read = read.map_err(|_| "nobody ends it".to_owned())?;
        Self::parse(&read.map_err(|error| error.to_string())?)
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() as u64 > INPUT_MAX {
            return Err("it is larger than 4 MiB".to_owned());
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if !value.is_object() {
            return Err("it is no JSON object".to_owned());
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        Ok(Self {
            session: text("session_id").unwrap_or_default().to_owned(),
            folder: text("cwd").map(PathBuf::from),
        })
    }

    /// Says where to look: what a flag names, else where the agent works, else here.
    pub(super) fn placed(&self, common: &Common) -> Common {
        let known = self.folder.as_ref().filter(|folder| folder.is_dir());
        Common {
            directory: common.directory.clone().or_else(|| known.cloned()),
            // The input is no person's, and the output is the agent's.
            no_input: true,
            json: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_refused_and_missing_fields_are_not_missed() {
        for bytes in [&b""[..], b"{", b"[]", b"\"x\"", b"\xff", b"null"] {
            assert!(Input::parse(bytes).is_err());
        }
        let input = Input::parse(br#"{"session_id": 7, "cwd": null, "other": []}"#).unwrap();
        assert_eq!((input.session.as_str(), input.folder), ("", None));
        let long = vec![b' '; usize::try_from(INPUT_MAX).unwrap() + 1];
        assert!(Input::parse(&long).unwrap_err().contains("larger"));
    }
}
