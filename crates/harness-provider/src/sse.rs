//! Framing of server-sent events: bytes in, one payload per event out.
//!
//! Only `data` lines matter; the kind of an event stands in its JSON, so event
//! names, ids, retry times and comments are skipped. Nothing is decoded here:
//! a character may be split over two reads, an event never is.

/// Bound of one event, its line endings left out.
///
/// The largest real events carry a search result or a whole file: tens of KiB.
pub(crate) const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bound of what is kept of a body that may be no stream of events.
const UNFRAMED_BYTES_MAX: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// An event is larger than [`EVENT_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventTooLarge;

/// Cuts a byte stream into events, wherever the reads fall.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Framer {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    after_return: bool,
    past_first_line: bool,
    /// All lines, as long as none of them is data and there is room.
    unframed: Option<Vec<u8>>,
}

impl Default for Framer {
    fn default() -> Self {
        Self {
            line: Vec::new(),
            data: None,
            after_return: false,
            past_first_line: false,
            unframed: Some(Vec::new()),
        }
    }
}

impl Framer {
    /// Takes the next bytes and adds the payloads of the events they complete to `events`.
    ///
    /// # Errors
    /// When an event grows beyond the bound; the events before it are in `events`.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        events: &mut Vec<Vec<u8>>,
    ) -> Result<(), EventTooLarge> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes
                .iter()
                .position(|byte| matches!(byte, b'\r' | b'\n'))
                .unwrap_or(bytes.len());
            self.extend_line(&bytes[..end])?;
            let Some(&ending) = bytes.get(end) else {
                break;
            };
            self.after_return = ending == b'\r';
            self.end_line(events);
            bytes = &bytes[end + 1..];
        }
        Ok(())
    }

    /// Returns the body so far where no line of it is data: it may be something else than events.
    pub(crate) fn unframed(&self) -> Option<Vec<u8>> {
        let before = self.unframed.as_ref()?;
        Some([before.as_slice(), &self.line].concat())
    }

    /// Ends the stream: returns the payload of an event that no blank line closed.
    ///
    /// Servers leave the last line ending out; whether the payload is whole is
    /// for the caller to see, since a cut stream ends the same way.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        if !self.line.is_empty() {
            self.end_line(&mut Vec::new());
        }
        self.data
    }

    fn extend_line(&mut self, piece: &[u8]) -> Result<(), EventTooLarge> {
        let before = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
        if before + piece.len() > EVENT_BYTES_MAX {
            return Err(EventTooLarge);
        }
        self.line.extend_from_slice(piece);
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<Vec<u8>>) {
        let mut line = self.line.as_slice();
        if !std::mem::replace(&mut self.past_first_line, true) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            events.extend(self.data.take());
        } else if let Some(value) = data_value(line) {
            self.unframed = None;
            match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                none => *none = Some(value.to_vec()),
            }
        } else if let Some(unframed) = &mut self.unframed {
            unframed.extend_from_slice(line);
            unframed.push(b'\n');
            if unframed.len() > UNFRAMED_BYTES_MAX {
                self.unframed = None;
            }
        }
        self.line.clear();
    }
}

/// Returns the value of a `data` line, none for any other line.
fn data_value(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"data")?;
    if rest.is_empty() {
        return Some(rest);
    }
    let value = rest.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(reads: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::default();
        let mut events = Vec::new();
        for read in reads {
            framer.push(read, &mut events).unwrap();
        }
        events.extend(framer.finish());
        events
            .iter()
            .map(|event| String::from_utf8_lossy(event).into_owned())
            .collect()
    }

    #[test]
    fn every_legal_way_to_write_an_event_gives_the_same_payload() {
        for (text, expected) in [
            ("data: a\n\ndata: b\n\n", &["a", "b"][..]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            ("data: a\r\ndata: b\r\n\r\n", &["a\nb"]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("data:a\n\n", &["a"]),
            ("data:  a\n\n", &[" a"]),
            (": ping\n\nevent: x\nid: 1\nretry: 5\ndata: a\n\n", &["a"]),
            ("data: a\n: in between\ndata: b\n\n", &["a\nb"]),
            ("data\n\n", &[""]),
            ("data: a\n\ndata: b", &["a", "b"]),
            ("data: a\n\ndata: b\n", &["a", "b"]),
            (" data: indented is another field\n\n", &[]),
            ("database: no\n\nevent: alone\n\n", &[]),
            ("\n\n\n", &[]),
            ("", &[]),
        ] {
            assert_eq!(frame(&[text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn an_event_beyond_the_bound_is_refused_however_it_is_written() {
        let line = [b"data: ".as_slice(), &vec![b'x'; EVENT_BYTES_MAX / 2]].concat();
        let comment = vec![b':'; EVENT_BYTES_MAX + 1];
        let many = [line.as_slice(), b"\n", &line, b"\n", &line].concat();
        for bytes in [comment, many] {
            let mut framer = Framer::default();
            let refused = bytes
                .chunks(64 * 1024)
                .any(|chunk| framer.push(chunk, &mut Vec::new()).is_err());
            assert!(refused);
            assert!(framer.line.len() <= EVENT_BYTES_MAX);
        }
    }

    fn event() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[^\r\n]{0,12}", 1..4)
    }

    proptest! {
        #[test]
        fn any_line_endings_and_any_cuts_give_the_same_events(
            events in prop::collection::vec((event(), 0..3_usize, any::<bool>()), 0..6),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let mut bytes = Vec::new();
            for (lines, ending, comment) in &events {
                let ending = ["\n", "\r\n", "\r"][*ending];
                if *comment {
                    bytes.extend(format!(": comment{ending}").bytes());
                }
                for line in lines {
                    bytes.extend(format!("data: {line}{ending}").bytes());
                }
                bytes.extend(ending.bytes());
            }
            let expected: Vec<String> = events.iter().map(|(lines, ..)| lines.join("\n")).collect();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let reads: Vec<&[u8]> = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(frame(&reads), frame(&single));
            prop_assert_eq!(frame(&reads), expected);
        }

        #[test]
        fn garbage_never_panics_and_cuts_never_matter(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            cut in any::<prop::sample::Index>(),
        ) {
            let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
            prop_assert_eq!(frame(&[head, tail]), frame(&[&bytes]));
        }
    }
}
