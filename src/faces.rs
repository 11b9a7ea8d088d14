//! Faces without a screen: plain lines and JSON lines on standard output.

use std::{
    cell::RefCell,
    io::{self, Write as _},
    rc::Rc,
};

use harness_core::{Event, Timestamp};
use harness_report::{JsonLine, JsonLines, Lines};
use harness_runner::Face;

/// Plain lines.
#[derive(Debug, Default)]
pub(crate) struct LineFace {
    lines: Lines,
}

impl Face for LineFace {
    fn event(&mut self, event: &Event, time: Timestamp) -> bool {
        self.lines.at(time);
        put(&self.lines.write(event))
    }
}

/// One JSON object per line. Clones count their lines together.
#[derive(Clone, Debug, Default)]
pub(crate) struct JsonFace {
    lines: Rc<RefCell<JsonLines>>,
}

impl JsonFace {
    /// Writes a line that comes from no event.
    pub(crate) fn put(&self, line: &JsonLine) -> bool {
        let time = harness_host::clock::now();
        put(&self.lines.borrow_mut().format(line, time))
    }
}

impl Face for JsonFace {
    fn event(&mut self, event: &Event, time: Timestamp) -> bool {
        put(&self.lines.borrow_mut().write(event, time))
    }
}

/// Writes at once, so that a reader of the pipe sees each line; `false` when there is none.
///
/// What is printed is kept by terminals and by CI as a log is, so it has no more secrets than the log.
fn put(text: &str) -> bool {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(harness_guard::redact(text).as_bytes())
        .and_then(|()| stdout.flush())
        .is_ok()
}
