//! The outside world of the harness but for git, log and terminal: files, processes, HTTP, clock.
//!
//! Each module does one kind of thing and decides nothing. What an agent asked
//! for comes as a [`Permit`](harness_guard::Permit) or as a
//! [`CagePlan`](harness_guard::CagePlan) made from one; there is no other way to
//! a process, and no other way to change a file than that or a named act of the
//! harness itself. The runner and the commands of the binary call it.

mod cancel;
pub mod clock;
pub mod disk;
pub mod http;
pub mod machine;
pub mod manifest;
pub mod process;
pub mod proxy;
pub mod reader;
pub mod watch;

pub use cancel::{Cancelled, Canceller, cancel_pair};
