//! What changed, and what a person has said about it: hunks, words, decisions, comments, reverse
//! patches, the book that is kept, and what is written out of it.
//!
//! Pure: it takes texts and returns data. It reads no file, no clock and no repository; who shows
//! the result decides about colour and escapes, and who calls it carries out what is to be undone.

mod anchor;
pub mod book;
mod change;
mod comment;
mod decision;
pub mod export;
mod hunk;
mod identity;
mod message;
mod middle;
mod order;
mod reverse;
mod text;
mod undo;
mod unified;
mod words;

pub use anchor::{ANCHOR_BYTES_MAX, ANCHOR_LINES_MAX, Anchor, AnchorSide, Located, relocate};
pub use book::{Base, Book, BookError, Draft, Moved};
pub use change::{
    Change, Content, FILES_MAX, FileChange, Piece, PieceContent, Side, TEXT_BYTES_MAX, WholeChange,
};
pub use comment::{Answer, Author, Comment, CommentKind, CommentState, Place};
pub use decision::{Choice, Chosen, DecidedBlock, Decision, DecisionState, HunkState, states};
pub use hunk::{Hunk, Line, LineKind, counts, hunks};
pub use identity::{HunkId, content_id, sha256_hex};
pub use message::{CalledAnswer, Heard, MESSAGE_BYTES_MAX, called, drafts, heard, turned_down};
pub use order::{
    FileStanding, Hidden, Order, Progress, Row, RowKind, Sorting, Spot, Standing, finding_rank,
    piece_of, standing,
};
pub use reverse::{Clash, Outcome, Patch, Reversed, Why, reverse};
pub use undo::{Kept, Step, Undone, WholePatch, WholeUndo, undo};
pub use unified::{UNIFIED_BYTES_MAX, unified};
pub use words::{MarkedHunk, Pairing, mark};
