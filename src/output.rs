//! Standard output: data, as lines or as JSON. A closed pipe is a normal end.

use std::io::{self, Write as _};

use harness_report::{clean, escape_json};
use serde_json::{Map, Value};

use crate::{cli::Common, failure::Failure};

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
    let _ = io::stderr().write_all(format!("{}\n", clean(text)).as_bytes());
}
