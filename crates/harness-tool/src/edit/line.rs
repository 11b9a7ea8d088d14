//! The rungs that compare whole lines: blanks at line ends, then indentation.
//!
//! Both sides are brought to a plain form, one line feed around every line, and
//! the one is searched in the other. So the cost is a scan, whatever repeats.

use std::ops::Range;

use super::{
    EditFault,
    ending::{Ending, lines, without_ending},
    place::{Splice, line_of, only, starts},
};

/// How many different indentations a text to find may have.
const INDENTS_MAX: usize = 100;

/// Matches lines whatever blanks they end with.
pub(super) fn without_trailing_blanks(
    body: &[u8],
    old: &str,
    new: &str,
    ending: Ending,
) -> Result<Option<Splice>, EditFault> {
    let Some(range) = find_lines(body, old, <[u8]>::trim_ascii_end)? else {
        return Ok(None);
    };
    let lines = lines(new.as_bytes()).map(|line| without_ending(line).to_vec());
    Ok(Some(Splice {
        with: joined(lines, ending, &body[range.clone()]),
        range,
        inexact: Some("without trailing blanks"),
    }))
}

/// Matches lines whatever their indentation, and moves the new lines by the difference.
pub(super) fn without_indentation(
    body: &[u8],
    old: &str,
    new: &str,
    ending: Ending,
) -> Result<Option<Splice>, EditFault> {
    let Some(range) = find_lines(body, old, <[u8]>::trim_ascii)? else {
        return Ok(None);
    };
    let Some(indents) = Indents::learn(old.as_bytes(), &body[range.clone()]) else {
        return Ok(None);
    };
    let lines = lines(new.as_bytes()).map(|line| indents.moved(without_ending(line)));
    Ok(Some(Splice {
        with: joined(lines, ending, &body[range.clone()]),
        range,
        inexact: Some("without indentation"),
    }))
}

/// Returns the bytes of the only lines that equal those of `old` once `plain` has trimmed both.
fn find_lines(
    body: &[u8],
    old: &str,
    plain: fn(&[u8]) -> &[u8],
) -> Result<Option<Range<usize>>, EditFault> {
    let needle = plain_lines(old.as_bytes(), plain);
    // Blank lines alone would match any gap.
    if needle.iter().all(|&byte| byte == b'\n') {
        return Ok(None);
    }
    let haystack = plain_lines(body, plain);
    // The haystack begins with a line feed of its own: the line a place begins
    // in is the one after as many line feeds, so offsets shift by one.
    let found: Vec<usize> = starts(&haystack, &needle);
    let Some(start) = only(&found, &haystack)? else {
        return Ok(None);
    };
    let first = line_of(&haystack, start) - 1;
    let count = lines(old.as_bytes()).count();
    let lengths: Vec<usize> = lines(body).take(first + count).map(<[u8]>::len).collect();
    let start: usize = lengths[..first].iter().sum();
    let length: usize = lengths[first..].iter().sum();
    Ok(Some(start..start + length))
}

/// Returns every line trimmed, with a line feed before the first and after each.
fn plain_lines(text: &[u8], plain: fn(&[u8]) -> &[u8]) -> Vec<u8> {
    let mut plain_text = Vec::with_capacity(text.len() + 2);
    plain_text.push(b'\n');
    for line in lines(text) {
        plain_text.extend_from_slice(plain(without_ending(line)));
        plain_text.push(b'\n');
    }
    plain_text
}

/// Joins lines with the file's ending; the last one ends as the replaced text did.
fn joined(lines: impl Iterator<Item = Vec<u8>>, ending: Ending, replaced: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        text.extend_from_slice(&line);
        text.extend_from_slice(ending.as_str().as_bytes());
    }
    if !replaced.ends_with(b"\n") && !text.is_empty() {
        text.truncate(text.len() - ending.as_str().len());
    }
    text
}

/// Which indentation of the text to find stands for which in the file.
struct Indents<'a> {
    /// Pairs of (as given, as in the file), each given one once.
    pairs: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Indents<'a> {
    /// Compares equal lines; `None` when one indentation stands for two, so that
    /// what it means for a new line cannot be known, or when what is deeper than
    /// another line is not so in the file: then it is another place.
    fn learn(old: &'a [u8], file: &'a [u8]) -> Option<Self> {
        let mut pairs: Vec<(&[u8], &[u8])> = Vec::new();
        let mut without = 0;
        for (old, file) in lines(old).zip(lines(file)) {
            if old.trim_ascii().is_empty() {
                continue;
            }
            let (from, to) = (indent(old), indent(file));
            without += usize::from(from.is_empty());
            match pairs.iter().find(|(known, _)| *known == from) {
                Some((_, known)) if *known != to => return None,
                Some(_) => {}
                None if pairs.len() >= INDENTS_MAX => return None,
                None => pairs.push((from, to)),
            }
        }
        // A first line is often copied from its first letter on.
        let is_cut = without == 1 && pairs.first().is_some_and(|(from, _)| from.is_empty());
        is_nested_alike(&pairs[usize::from(is_cut)..]).then_some(Self { pairs })
    }

    /// Returns the line with the indentation the file would give it.
    fn moved(&self, line: &[u8]) -> Vec<u8> {
        if line.trim_ascii().is_empty() {
            return Vec::new();
        }
        let own = indent(line);
        let rest = &line[own.len()..];
        [self.target(own).as_slice(), rest].concat()
    }

    fn target(&self, own: &[u8]) -> Vec<u8> {
        let deepest = self
            .pairs
            .iter()
            .filter(|(from, _)| own.starts_with(from))
            .max_by_key(|(from, _)| from.len());
        if let Some((from, to)) = deepest {
            return [*to, &own[from.len()..]].concat();
        }
        // Less indented than everything that was matched: move by the difference
        // of the least indented pair.
        match self.pairs.iter().min_by_key(|(from, _)| from.len()) {
            Some((from, to)) if to.len() >= from.len() => {
                let extra = to.strip_suffix(*from).unwrap_or_default();
                [extra, own].concat()
            }
            Some((from, to)) => {
                let surplus = from.len() - to.len();
                own[surplus.min(own.len())..].to_vec()
            }
            None => own.to_vec(),
        }
    }
}

/// Whether lines that are deeper than others as given are deeper in the file too.
///
/// In a file that mixes tabs and blanks either measure of its indentation will do.
fn is_nested_alike(pairs: &[(&[u8], &[u8])]) -> bool {
    pairs.iter().all(|(from, to)| {
        let is_deeper = |other: &[u8]| other.len() > from.len() && other.starts_with(from);
        pairs.iter().all(|(other, there)| {
            !is_deeper(other) || there.len() > to.len() || columns(there) > columns(to)
        })
    })
}

/// Counts the columns of an indentation, a tab as four.
fn columns(indent: &[u8]) -> usize {
    let of = |byte: &u8| if *byte == b'\t' { 4 } else { 1 };
    indent.iter().map(of).sum()
}

fn indent(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    &line[..end.unwrap_or(line.len())]
}
