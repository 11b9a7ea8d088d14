//! What helps when the system itself says no: a full disk, one that is read-only or fails, a lock of git's.
//!
//! Goes by the system's own words, for they are all that libgit2 passes on. Whoever knows better
//! gives a hint of their own.

/// The system's words, and what helps.
const REMEDIES: [(&str, &str); 7] = [
    (
        "the index is locked",
        "another git program is at work here, or was killed: when none is, remove `.git/index.lock` and do it again",
    ),
    (
        "failed to lock file",
        "another git program is at work here, or was killed: when none is, remove that `.lock` file and do it again",
    ),
    (
        "no storage space",
        "make room on that disk and do it again; a run that stopped goes on with `harness resume --last`",
    ),
    (
        "No space left on device",
        "make room on that disk and do it again; a run that stopped goes on with `harness resume --last`",
    ),
    (
        "Disk quota exceeded",
        "make room within your quota and do it again; a run that stopped goes on with `harness resume --last`",
    ),
    (
        "Read-only file system",
        "it can only be read there: make it writable, or work in a copy elsewhere",
    ),
    (
        "Input/output error",
        "the disk failed: look at the system's messages, then `harness log verify` and `harness resume --last`",
    ),
];

/// Returns what helps against what a message ends in; nothing where that cannot be told.
pub(crate) fn remedy(message: &str) -> Option<&'static str> {
    let mut known = REMEDIES.iter();
    known
        .find(|(words, _)| message.contains(words))
        .map(|(_, help)| *help)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_the_system_says_is_known_by_its_words() {
        for errno in [28, 30, 5, 122] {
            let message = format!("cannot write `x`: {}", io::Error::from_raw_os_error(errno));
            assert!(remedy(&message).is_some(), "{message}");
        }
        assert_eq!(remedy("cannot read `x`: Permission denied"), None);
    }
}
