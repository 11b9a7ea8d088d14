//! Framing of a stream of JSON lines: bytes in, one line out.
//!
//! The counterpart of `sse` for a server that writes one object per line. Nothing
//! is decoded here: a character may be split over two reads, a line never is.

use crate::sse::{EVENT_BYTES_MAX, EventTooLarge};

/// Cuts a byte stream into lines, wherever the reads fall.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Framer {
    line: Vec<u8>,
}

impl Framer {
    /// Takes the next bytes and adds the lines they complete to `lines`, blank ones left out.
    ///
    /// # Errors
    /// When a line grows beyond the bound of an event; the lines before it are in `lines`.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        lines: &mut Vec<Vec<u8>>,
    ) -> Result<(), EventTooLarge> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(&bytes[..end])?;
            let line = std::mem::take(&mut self.line);
            lines.extend(Some(line).filter(|line| !line.trim_ascii().is_empty()));
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes)
    }

    /// Ends the stream: returns a line that no line ending closed.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        Some(self.line).filter(|line| !line.trim_ascii().is_empty())
    }

    fn extend(&mut self, piece: &[u8]) -> Result<(), EventTooLarge> {
        if self.line.len() + piece.len() > EVENT_BYTES_MAX {
            return Err(EventTooLarge);
        }
        self.line.extend_from_slice(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(reads: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::default();
        let mut lines = Vec::new();
        for read in reads {
            framer.push(read, &mut lines).unwrap();
        }
        lines.extend(framer.finish());
        let text = |line: &Vec<u8>| String::from_utf8_lossy(line).trim().to_owned();
        lines.iter().map(text).collect()
    }

    #[test]
    fn every_line_is_one_payload_whatever_ends_it() {
        for (text, expected) in [
            ("a\nb\n", &["a", "b"][..]),
            ("a\r\nb", &["a", "b"]),
            ("\n\r\n  \na\n\n", &["a"]),
            ("", &[]),
        ] {
            assert_eq!(frame(&[text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_beyond_the_bound_is_refused_and_the_ones_before_it_are_kept() {
        let mut framer = Framer::default();
        let mut lines = Vec::new();
        framer.push(b"a\n", &mut lines).unwrap();
        framer
            .push(&vec![b'x'; EVENT_BYTES_MAX], &mut lines)
            .unwrap();
        assert_eq!(framer.push(b"x", &mut lines), Err(EventTooLarge));
        assert_eq!(lines, [b"a"]);
    }

    proptest! {
        #[test]
        fn splits_never_matter(text in "[a\n\r {}]{0,40}", split in any::<prop::sample::Index>()) {
            let bytes = text.as_bytes();
            let (head, tail) = bytes.split_at(split.index(bytes.len() + 1));
            prop_assert_eq!(frame(&[head, tail]), frame(&[bytes]));
        }
    }
}
