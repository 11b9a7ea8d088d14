//! Whether somebody reads what is written to a pipe or a terminal, asked without writing.
//!
//! Whoever waits for news asks: a write would tell as well, and there may be none for hours.

use std::os::fd::AsFd;

use rustix::{
    event::{PollFd, PollFlags, poll},
    time::Timespec,
};

/// Whether there may still be a reader behind `file`; files on disk always have one.
pub fn is_there(file: impl AsFd) -> bool {
    let mut asked = [PollFd::new(&file, PollFlags::empty())];
    let at_once = Timespec::default();
    let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    // What cannot be asked is told by the next write.
    poll(&mut asked, Some(&at_once)).is_err() || !asked[0].revents().intersects(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_whose_reader_went_has_none() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        assert!(is_there(&write));
        drop(read);
        assert!(!is_there(&write));
        assert!(is_there(tempfile::tempfile().unwrap()));
    }
}
