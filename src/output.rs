//! Standard output: data, as lines or as JSON. A closed pipe is a normal end.

use std::{
    cell::RefCell,
    io::{self, Write as _},
};

use harness_report::{clean, escape_json};
use serde_json::{Map, Value};

use crate::{cli::Common, failure::Failure};

/// The most that is kept of what a command says while the screen is open. Unit: bytes.
const HEARD_BYTES_MAX: usize = 4 * 1024 * 1024;

thread_local! {
    /// What is said on this thread while the screen is open: nothing else may write to its terminal.
    static HEARD: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Carries a command out on this thread and returns what it would have written, instead of writing it.
pub(crate) fn heard<T>(work: impl FnOnce() -> T) -> (T, String) {
    HEARD.with(|heard| heard.replace(Some(String::new())));
    let done = work();
    let text = HEARD.with(RefCell::take);
    (done, text.unwrap_or_default())
}

/// Keeps a text where somebody hears; `false` where it has to be written.
fn is_heard(text: &str) -> bool {
    HEARD.with(|heard| match heard.borrow_mut().as_mut() {
        Some(heard) => {
            if heard.len() + text.len() <= HEARD_BYTES_MAX {
                heard.push_str(text);
            }
            true
        }
        None => false,
    })
}

/// Where a command's data goes.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    seq: u64,
}

impl Output {
    pub(crate) const fn new(common: &Common) -> Self {
        Self {
            json: common.json,
            seq: 0,
        }
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Writes one entry: `text` for people, or `body` as one JSON object of type `kind`.
    pub(crate) fn entry(&mut self, kind: &str, text: &str, body: Value) -> Result<(), Failure> {
        if self.json {
            return self.object(kind, body);
        }
        self.text(text)
    }

    /// Writes text for people, cleaned, with a newline; nothing in JSON mode.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        write(&format!("{}\n", clean(text)))
    }

    fn object(&mut self, kind: &str, body: Value) -> Result<(), Failure> {
        let mut object = Map::new();
        object.insert("v".to_owned(), 1.into());
        object.insert("seq".to_owned(), self.seq.into());
        object.insert(
            "time".to_owned(),
            harness_host::clock::now().to_string().into(),
        );
        object.insert("session".to_owned(), Value::Null);
        object.insert("type".to_owned(), kind.into());
        if let Value::Object(body) = body {
            object.extend(body);
        }
        self.seq += 1;
        write(&format!(
            "{}\n",
            escape_json(&Value::Object(object).to_string())
        ))
    }
}

/// Writes to standard output; whoever closed it wants no more.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    write_while_read(text).map(drop)
}

/// Whether somebody may still read standard output; asks without writing.
pub(crate) fn is_read() -> bool {
    harness_host::reader::is_there(io::stdout())
}

/// Writes to standard output at once; `false` when nobody reads it any more.
pub(crate) fn write_while_read(text: &str) -> Result<bool, Failure> {
    if is_heard(text) {
        return Ok(true);
    }
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::failed(format!(
            "cannot write to standard output: {error}"
        ))),
    }
}

/// Writes talk to standard error.
pub(crate) fn say(text: &str) {
    let line = format!("{}\n", clean(text));
    if is_heard(&line) {
        return;
    }
    let _ = io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_is_not_written_and_nothing_is_heard_afterwards() {
        let ((), text) = heard(|| {
            say("one");
            write("two\n").unwrap();
        });
        assert_eq!(text, "one\ntwo\n");
        assert!(!is_heard("three"));
        let elsewhere = std::thread::spawn(|| is_heard("four"));
        assert!(!elsewhere.join().unwrap());
    }
}
