//! The last rung: typographic punctuation taken for the plain kind.

use std::borrow::Cow;

use super::{
    EditFault,
    ending::Ending,
    place::{Splice, only, starts},
};

/// Finds `old` where quotes, dashes and blanks may be typographic on either side.
pub(super) fn with_plain_punctuation(
    body: &[u8],
    old: &str,
    new: &str,
    ending: Ending,
) -> Result<Option<Splice>, EditFault> {
    let own = ending.given_to(old);
    let needle = Folded::of(own.as_bytes());
    let haystack = Folded::of(body);
    if needle.shifts.is_empty() && haystack.shifts.is_empty() {
        return Ok(None);
    }
    let needle: &[u8] = &needle.text;
    if needle.trim_ascii().is_empty() {
        return Ok(None);
    }
    let Some(start) = only(&starts(&haystack.text, needle), &haystack.text)? else {
        return Ok(None);
    };
    Ok(Some(Splice {
        range: haystack.original(start)..haystack.original(start + needle.len()),
        with: ending.given_to(new).into_owned().into_bytes(),
        inexact: Some("with plain quotes, dashes and blanks"),
    }))
}

/// A text with plain punctuation, and the way back to the offsets of the original.
struct Folded<'a> {
    text: Cow<'a, [u8]>,
    /// Offsets behind each folded character: (here, in the original), ascending.
    shifts: Vec<(usize, usize)>,
}

impl<'a> Folded<'a> {
    fn of(text: &'a [u8]) -> Self {
        let mut folded = Self {
            text: Cow::Borrowed(text),
            shifts: Vec::new(),
        };
        if text.is_ascii() {
            return folded;
        }
        let mut plain_text = Vec::with_capacity(text.len());
        let mut offset = 0;
        for chunk in text.utf8_chunks() {
            for char in chunk.valid().chars() {
                offset += char.len_utf8();
                match plain(char) {
                    Some(byte) => {
                        plain_text.push(byte);
                        folded.shifts.push((plain_text.len(), offset));
                    }
                    None => {
                        plain_text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                }
            }
            offset += chunk.invalid().len();
            plain_text.extend_from_slice(chunk.invalid());
        }
        folded.text = Cow::Owned(plain_text);
        folded
    }

    fn original(&self, offset: usize) -> usize {
        let before = self.shifts.partition_point(|(here, _)| *here <= offset);
        match before.checked_sub(1).map(|index| self.shifts[index]) {
            Some((here, original)) => original + (offset - here),
            None => offset,
        }
    }
}

fn plain(char: char) -> Option<u8> {
    match char {
        '\u{2018}'..='\u{201b}' | '\u{2032}' => Some(b'\''),
        '\u{201c}'..='\u{201f}' | '\u{2033}' => Some(b'"'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some(b'-'),
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(b' '),
        _ => None,
    }
}
