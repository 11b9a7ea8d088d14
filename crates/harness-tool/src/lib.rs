//! What a model may ask for and what it is told: tool calls in, result texts out.
//!
//! Three things, all pure: [`parse`] turns a call into an [`Intent`], [`render()`]
//! turns an outcome into words for the model, and [`edit`] and [`select_lines`]
//! do to bytes in memory what the file tools promise. Nothing here judges
//! whether a call is allowed, opens a file or starts a process; the engine
//! parses and renders, the executor edits and selects.

mod arguments;
mod content;
mod count;
pub mod edit;
mod excerpt;
mod fault;
mod image;
mod intent;
mod job;
mod name;
mod plain;
mod plan;
mod propose;
mod render;
mod reply;
mod select;
mod shape;
mod stub;
mod took;

pub use count::write_counts;
pub use fault::ToolFault;
pub use image::image_of;
pub use intent::{Intent, parse};
pub use job::{JobLine, Printed, job_text, jobs_text};
pub use name::quote;
pub use plain::plain;
pub use propose::{Draft, planning_specs, read_drafts};
pub use render::{ToolText, render};
pub use reply::reply_spec;
pub use select::{LineSelector, select_lines};
pub use shape::{is_looking, looking_specs, specs};
pub use stub::{Droppable, droppable, stub};
pub use took::{with_time, without_time};
