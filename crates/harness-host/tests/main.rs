//! The host against real files, real processes and real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on should say where, and one that is skipped why"
)]

mod attempts;
mod cage;
mod checkout;
mod disk;
mod http;
mod leaks;
mod manifest;
mod process;
mod proxy;
mod still;
mod tree;
mod unprivileged;
mod watch;
mod world;
