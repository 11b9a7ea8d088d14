//! Files of one repository, opened beneath its root and never through a link.
//!
//! One folder handle is opened when the run starts; every later access walks
//! from it with `openat2`, so that neither `..`, nor a link, nor a folder
//! swapped for a link between check and use can lead outside. A link in the way
//! is reported with its target and is never followed: the target is judged as a
//! path of its own.
//!
//! There are two doors. What an agent asked for needs a [`Permit`], which names
//! the path. What the harness changes itself names its [`HostAct`]; what it reads
//! itself changes nothing and names none. Nothing here decides whether an access
//! is wanted, and no call is cached.
//!
//! Calls block; the runner moves them off its event loop.
//!
//! [`Permit`]: harness_guard::Permit
//! [`HostAct`]: harness_guard::HostAct

mod delete;
mod error;
mod find;
mod head;
mod left_over;
mod list;
mod open;
mod read;
mod relocate;
mod report;
mod root;
mod search;
mod survey;
mod write;

pub use error::DiskError;
pub use head::FileHead;
pub use list::{Entry, EntryKind, Listing};
pub(crate) use open::{FOLDER, LOOK, look_at, open_beneath, open_folder};
pub use read::{FileText, Stamp};
pub use root::Root;
pub use search::{Cut, Found, Hit, SearchLimits, literal};
pub use survey::{Survey, SurveyBounds, Surveyed};
pub use write::Expected;
