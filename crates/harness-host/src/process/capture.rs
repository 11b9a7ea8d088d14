//! The output of a process in bounded memory: its beginning, its end, and a count.

use std::collections::VecDeque;

use harness_core::{ByteCount, Captured};

/// Collects output.
#[derive(Clone, Debug)]
pub struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    head_max: usize,
    tail_max: usize,
    bytes: u64,
}

impl Capture {
    /// Keeps so much of the beginning and so much of the end.
    pub fn new(head: ByteCount, tail: ByteCount) -> Self {
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            head_max: head.as_usize(),
            tail_max: tail.as_usize(),
            bytes: 0,
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        let room = self.head_max.saturating_sub(self.head.len());
        let (head, rest) = chunk.split_at(room.min(chunk.len()));
        self.head.extend_from_slice(head);
        let rest = &rest[rest.len().saturating_sub(self.tail_max)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.tail_max);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    /// Returns how many bytes came in all.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Words what was kept. Where nothing was left out, all of it is in the head.
    pub fn into_captured(mut self) -> Captured {
        let tail = self.tail.make_contiguous();
        let kept = (self.head.len() + tail.len()) as u64;
        if kept == self.bytes {
            self.head.extend_from_slice(tail);
            return Captured {
                head: lossy(self.head),
                tail: String::new(),
                bytes: self.bytes,
            };
        }
        Captured {
            // A character that the cut went through is no character of the output.
            head: lossy(whole_start(&self.head).to_vec()),
            tail: lossy(whole_end(tail).to_vec()),
            bytes: self.bytes,
        }
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Cuts an unfinished character off the end.
fn whole_start(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(&bytes[bytes.len().saturating_sub(4)..]) {
        Err(error) if error.error_len().is_none() => {
            let unfinished = bytes.len().min(4) - error.valid_up_to();
            &bytes[..bytes.len() - unfinished]
        }
        _ => bytes,
    }
}

/// Cuts the rest of a character off the beginning.
fn whole_end(bytes: &[u8]) -> &[u8] {
    let rest = bytes
        .iter()
        .take(3)
        .take_while(|&&byte| byte & 0b1100_0000 == 0b1000_0000)
        .count();
    &bytes[rest..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(chunks: &[&[u8]], head: u64, tail: u64) -> Captured {
        let mut capture = Capture::new(ByteCount(head), ByteCount(tail));
        for chunk in chunks {
            capture.push(chunk);
        }
        capture.into_captured()
    }

    #[test]
    fn all_of_a_short_output_is_in_the_head() {
        let captured = capture(&[b"one ", b"two ", b"three"], 4, 9);
        assert_eq!(captured.head, "one two three");
        assert_eq!((captured.tail.as_str(), captured.bytes), ("", 13));
    }

    #[test]
    fn the_middle_of_a_long_output_is_counted() {
        for size in [1, 3, 7, 100] {
            let text: Vec<u8> = (b'a'..=b'z').collect();
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            let captured = capture(&chunks, 5, 4);
            assert_eq!(captured.head, "abcde", "{size}");
            assert_eq!(captured.tail, "wxyz", "{size}");
            assert_eq!(captured.omitted(), 17, "{size}");
        }
    }

    #[test]
    fn a_cut_goes_between_characters() {
        let captured = capture(&["aä€x-ööö".as_bytes()], 5, 3);
        assert_eq!(captured.head, "aä");
        assert_eq!(captured.tail, "ö");
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let captured = capture(&[b"a\xffb\xc3"], 100, 0);
        assert_eq!(captured.head, "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn nothing_is_kept_where_nothing_may_be() {
        assert_eq!(capture(&[b"abc"], 0, 0).bytes, 3);
    }
}
