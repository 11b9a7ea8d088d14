//! What changed in a text, line by line: hunks, counts and the unified form.
//!
//! Pure: it takes two texts and returns data. It reads no file and knows no
//! repository; who shows the result decides about colour and escapes.

mod hunk;
mod unified;

pub use hunk::{Hunk, Line, LineKind, counts, hunks};
pub use unified::{UNIFIED_BYTES_MAX, unified};
