//! Named points where a test lets the program die or the system say no.
//!
//! Only a build with debug assertions has them: in any other each call is empty, and no variable
//! is read. Decides nothing and knows nothing of what happens around a point. Called by the
//! crates that write: store, git, host, runner.
//!
//! `HARNESS_FAILPOINT` holds wishes, separated by commas, each of the form `POINT:PASS:ACTION`:
//!
//! ```text
//! log.append:17:abort          the process dies as by SIGKILL, the 17th time it comes by
//! ref.move:*:error:EIO         it fails so, each time
//! log.append:3:torn:9          9 bytes are written, then the process dies
//! log.append:3:short:9         9 bytes are written, then the disk is full
//! log.sync:*:sleep:40          it takes 40 milliseconds longer
//! *:120:abort                  the 120th time that any point is passed
//! ```
//!
//! `HARNESS_FAILPOINT_TRACE` names a file that gets the name of every point that is passed.

use std::io::{self, Write};

#[cfg(debug_assertions)]
mod armed;

/// Passes a point before something that can fail.
///
/// # Errors
/// When a test wants it to fail here.
#[cfg(debug_assertions)]
pub fn pass(point: &'static str) -> io::Result<()> {
    match armed::next(point) {
        Some(armed::Action::Fail(error)) => Err(error),
        Some(armed::Action::Cut { .. }) => armed::die(),
        None => Ok(()),
    }
}

/// Passes a point before something that can fail.
///
/// # Errors
/// Never, in this build.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn pass(_point: &'static str) -> io::Result<()> {
    Ok(())
}

/// Passes a point where nothing can fail, but the process can die.
pub fn moment(point: &'static str) {
    // An error that is wished for where there can be none says nothing.
    let _ = pass(point);
}

/// Writes all bytes, unless a test wants only some of them written here.
///
/// # Errors
/// As the file answers, or as a test wants.
#[cfg(debug_assertions)]
pub fn write(point: &'static str, mut file: impl Write, bytes: &[u8]) -> io::Result<()> {
    match armed::next(point) {
        Some(armed::Action::Fail(error)) => Err(error),
        Some(armed::Action::Cut { after, dies }) => {
            file.write_all(&bytes[..after.min(bytes.len())])?;
            if dies {
                armed::die();
            }
            Err(armed::full())
        }
        None => file.write_all(bytes),
    }
}

/// Writes all bytes.
///
/// # Errors
/// As the file answers.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn write(_point: &'static str, mut file: impl Write, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}
