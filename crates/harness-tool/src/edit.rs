//! Replacing places in a text: exactly, or by a ladder of looser matches.
//!
//! Models copy text imperfectly: blanks at line ends, indentation, quotes that
//! were curly. Each rung forgives one of these, must find exactly one place,
//! and is named in the result. Nothing outside the matched lines ever changes,
//! nor do the file's line endings. There is no rung for "nearly": a wrong place
//! is worse than a second call.

use crate::{
    content::{BYTE_ORDER_MARK, not_text},
    count::write_counts,
};

mod ending;
mod fold;
mod line;
mod nearest;
mod place;

use ending::Ending;
use place::Splice;

/// The largest file, and the largest text to find or put in. Unit: bytes.
const EDIT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A text after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The whole new content.
    pub bytes: Vec<u8>,
    /// What had to be overlooked to find the place, such as `without indentation`; of several
    /// edits which it was.
    pub inexact: Option<String>,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
}

/// Why nothing was edited; the text is for the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditFault {
    /// The place is not there.
    #[error("`old` was not found, not even without blanks at line ends or indentation{nearest}")]
    NotFound {
        /// The most similar lines with their numbers, marked as data; may be empty.
        nearest: String,
    },
    /// There is more than one such place.
    #[error("`old` is there {}; take in more lines around the one that is meant", places(*count, lines))]
    Ambiguous {
        /// How many, counted up to 20.
        count: usize,
        /// The lines where they begin, the first five.
        lines: Vec<usize>,
    },
    /// There is nothing to find.
    #[error("`old` is empty; use `write` for a new file, or name the line to put text beside")]
    Empty,
    /// The content is not text.
    #[error("the file is not text: {kind}")]
    NotText {
        /// What it seems to be.
        kind: &'static str,
    },
    /// What is put in would be in another encoding than the rest.
    #[error(
        "the file is not UTF-8, and `new` has characters beyond ASCII, which would be; convert the file first, or use a command"
    )]
    OtherEncoding,
    /// One of several edits cannot be made, and so none is.
    #[error("edit {number} of {count}{}, so none was made: {fault}", after(*number))]
    OneOf {
        /// Which, counted from 1.
        number: usize,
        /// How many there are.
        count: usize,
        /// Why.
        fault: Box<Self>,
    },
    /// The content would stay as it is.
    #[error("the edit changes nothing: with `new` in its place the file stays as it is")]
    Unchanged,
    /// Something is larger than an edit takes.
    #[error("the file or the texts are larger than 4 MiB; use a command")]
    TooLarge,
}

/// Replaces the one place in `text` that reads `old` by `new`.
///
/// `text` is any bytes without NUL at its beginning; bytes that are no UTF-8 stay
/// as they are. Tried in this order, each must match exactly once: as it is, or
/// with the file's line endings; whole lines without blanks at their ends; whole
/// lines without indentation, `new` being moved by the same indentation; with
/// curly quotes, dashes and odd blanks taken for the plain ones. Lines put in get
/// the file's line ending; a byte order mark stays. At most 4 MiB each.
///
/// # Errors
/// When no rung matches, with the nearest lines; when a rung matches more than
/// once; when `old` is empty, the content binary or too large, or the result the
/// same.
pub fn apply(text: &[u8], old: &str, new: &str) -> Result<Edited, EditFault> {
    if [text.len(), old.len(), new.len()]
        .iter()
        .any(|&size| size > EDIT_BYTES_MAX)
    {
        return Err(EditFault::TooLarge);
    }
    if let Some(kind) = not_text(text) {
        return Err(EditFault::NotText { kind });
    }
    if !new.is_ascii() && std::str::from_utf8(text).is_err() {
        return Err(EditFault::OtherEncoding);
    }
    let (mark, body) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(body) => (BYTE_ORDER_MARK, body),
        None => (&[][..], text),
    };
    let without_mark = |part| {
        if mark.is_empty() {
            part
        } else {
            str::trim_start_matches(part, '\u{feff}')
        }
    };
    let (old, new) = (without_mark(old), without_mark(new));
    if old.is_empty() {
        return Err(EditFault::Empty);
    }
    let splice = find(body, old, new)?;
    let bytes = [
        mark,
        &body[..splice.range.start],
        &splice.with,
        &body[splice.range.end..],
    ]
    .concat();
    if bytes == text {
        return Err(EditFault::Unchanged);
    }
    let (added, removed) = line_counts(body, &splice);
    Ok(Edited {
        bytes,
        inexact: splice.inexact.map(str::to_owned),
        added,
        removed,
    })
}

/// Makes several edits, each in what the ones before have made of the text: all of them or none.
///
/// Each is made as [`apply`] does it; one alone is the same as a call of that. Lines are
/// counted edit by edit. Without any edit the text is refused as unchanged.
///
/// # Errors
/// With the first edit that cannot be made, and which of how many it is.
pub fn apply_all<'a>(
    text: &[u8],
    edits: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Edited, EditFault> {
    let edits: Vec<(&str, &str)> = edits.collect();
    let count = edits.len();
    if let [(old, new)] = edits.as_slice() {
        return apply(text, old, new);
    }
    let mut edited = Edited {
        bytes: text.to_vec(),
        inexact: None,
        added: 0,
        removed: 0,
    };
    for (number, (old, new)) in (1..).zip(edits) {
        let next = apply(&edited.bytes, old, new).map_err(|fault| EditFault::OneOf {
            number,
            count,
            fault: Box::new(fault),
        })?;
        edited = next.after(edited, number);
    }
    if edited.bytes == text {
        return Err(EditFault::Unchanged);
    }
    Ok(edited)
}

impl Edited {
    /// Adds what the edits before this one came to.
    fn after(self, before: Self, number: usize) -> Self {
        let own = self.inexact.map(|how| format!("edit {number} {how}"));
        let all: Vec<String> = before.inexact.into_iter().chain(own).collect();
        Self {
            bytes: self.bytes,
            inexact: (!all.is_empty()).then(|| all.join(", ")),
            added: before.added + self.added,
            removed: before.removed + self.removed,
        }
    }
}

/// What is said of an edit that fails; line numbers are not those of the file as it is where others came before.
const fn after(number: usize) -> &'static str {
    if number > 1 {
        " cannot be made after those before it"
    } else {
        " cannot be made"
    }
}

/// Climbs the ladder.
fn find(body: &[u8], old: &str, new: &str) -> Result<Splice, EditFault> {
    let ending = Ending::of(body);
    if let Some(splice) = place::exact(body, old, new, ending)? {
        return Ok(splice);
    }
    if let Some(splice) = line::without_trailing_blanks(body, old, new, ending)? {
        return Ok(splice);
    }
    if let Some(splice) = line::without_indentation(body, old, new, ending)? {
        return Ok(splice);
    }
    if let Some(splice) = fold::with_plain_punctuation(body, old, new, ending)? {
        return Ok(splice);
    }
    Err(EditFault::NotFound {
        nearest: nearest::nearest_lines(body, old),
    })
}

/// Counts over the touched lines alone, so that the cost follows the edit.
fn line_counts(body: &[u8], splice: &Splice) -> (u32, u32) {
    let range = &splice.range;
    let start = memchr::memrchr(b'\n', &body[..range.start]).map_or(0, |end| end + 1);
    let end =
        memchr::memchr(b'\n', &body[range.end..]).map_or(body.len(), |end| range.end + end + 1);
    let new = [
        &body[start..range.start],
        &splice.with,
        &body[range.end..end],
    ]
    .concat();
    write_counts(Some(&body[start..end]), &new)
}

fn places(count: usize, lines: &[usize]) -> String {
    let at_least = if count >= place::PLACES_MAX {
        "at least "
    } else {
        ""
    };
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let more = if count > lines.len() { " and more" } else { "" };
    format!(
        "{at_least}{count} times, at lines {}{more}",
        lines.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, old: &str, new: &str, expected: &str, inexact: Option<&str>) {
        let edited = apply(text.as_bytes(), old, new).unwrap();
        assert_eq!(String::from_utf8(edited.bytes).unwrap(), expected);
        assert_eq!(edited.inexact.as_deref(), inexact);
    }

    fn all(text: &str, edits: &[(&str, &str)]) -> Result<Edited, EditFault> {
        apply_all(text.as_bytes(), edits.iter().copied())
    }

    fn fault(text: &str, old: &str, new: &str) -> EditFault {
        apply(text.as_bytes(), old, new).unwrap_err()
    }

    #[test]
    fn the_exact_place_is_replaced() {
        check("a\nb\nc\n", "b", "x", "a\nx\nc\n", None);
        check("a\nb\nc", "c", "d\n", "a\nb\nd\n", None);
        check("a\nb\nc\n", "b\n", "", "a\nc\n", None);
        check("one two", "two", "2", "one 2", None);
    }

    #[test]
    fn line_endings_are_those_of_the_file() {
        check(
            "a\r\nb\r\nc\r\n",
            "a\nb",
            "x\ny\nz",
            "x\r\ny\r\nz\r\nc\r\n",
            None,
        );
        check("a\r\nb\r\n", "b", "x\ny", "a\r\nx\r\ny\r\n", None);
        check("a\r\nb\r\nc\r\n", "\nb\n", "\nx\n", "a\r\nx\r\nc\r\n", None);
        check("a\nb\n", "a\r\nb", "x\r\ny", "x\ny\n", None);
        check(
            "a \r\nb\r\n",
            "a\nb\n",
            "x\ny\n",
            "x\r\ny\r\n",
            Some("without trailing blanks"),
        );
    }

    #[test]
    fn mark_and_final_line_stay_as_they_are() {
        check("\u{feff}a\nb", "a", "x", "\u{feff}x\nb", None);
        check("\u{feff}a\nb", "\u{feff}a", "x", "\u{feff}x\nb", None);
        check(
            "a\nb ",
            "b\n",
            "x\n",
            "a\nx",
            Some("without trailing blanks"),
        );
        check("a \nb", "a", "x", "x \nb", None);
    }

    #[test]
    fn blanks_at_line_ends_are_overlooked() {
        check(
            "a  \nb\t\nc\n",
            "a\nb\n",
            "x\n",
            "x\nc\n",
            Some("without trailing blanks"),
        );
        check(
            "a\nb\nc\n",
            "a \nb ",
            "x",
            "x\nc\n",
            Some("without trailing blanks"),
        );
        check("a \nb\n", "a\nb", "", "", Some("without trailing blanks"));
    }

    #[test]
    fn indentation_is_overlooked_and_given_to_the_new_text() {
        let how = Some("without indentation");
        check(
            "mod a {\n    fn b() {\n        c();\n    }\n}\n",
            "fn b() {\n    c();\n}",
            "fn b() {\n    if d {\n        c();\n    }\n}",
            "mod a {\n    fn b() {\n        if d {\n            c();\n        }\n    }\n}\n",
            how,
        );
        check(
            "if a:\n\tb\n\tc\n",
            "    b\n    c\n",
            "    b\n\n    d\n",
            "if a:\n\tb\n\n\td\n",
            how,
        );
        check(
            "a\nb\n",
            "    a\n    b\n",
            "    a\n  x\n    b\n",
            "a\nx\nb\n",
            how,
        );
        check(
            "{\n    a;\n    b;\n}\n",
            "  a;\n  b;\n",
            "if c {\n  a;\n}\n",
            "{\n  if c {\n    a;\n  }\n}\n",
            how,
        );
    }

    #[test]
    fn lines_that_are_nested_otherwise_are_another_place() {
        let text = "class A {\n\tb() {\n\t\tc();\n\t}\n}\n";
        assert!(matches!(
            fault(text, "\tb() {\n\t\tc();\n}", "\tb() {\n\t}\n}"),
            EditFault::NotFound { .. }
        ));
        // But a first line may be copied from its first letter on.
        check(
            text,
            "b() {  \n\t\tc();\n\t}\n",
            "b() {\n\t\td();\n\t}\n",
            "class A {\n\tb() {\n\t\td();\n\t}\n}\n",
            Some("without indentation"),
        );
    }

    #[test]
    fn indentation_that_cannot_be_known_is_no_match() {
        assert!(matches!(
            fault("a:\n  b:\n    c\n", "a:\nb:\nc\n", "a:\nb:\nd\n"),
            EditFault::NotFound { .. }
        ));
    }

    #[test]
    fn typographic_punctuation_is_read_as_plain() {
        let how = Some("with plain quotes, dashes and blanks");
        check(
            "say \u{201c}hi\u{201d} \u{2013} now\n",
            "\"hi\" - now",
            "\"ho\"",
            "say \"ho\"\n",
            how,
        );
        check("it's\n", "it\u{2019}s", "it is", "it is\n", how);
        check("a\u{a0}b\n", "a b", "c", "c\n", how);
    }

    #[test]
    fn every_rung_wants_one_place() {
        let cases = [
            ("a\nb\na\n", "a", 2, vec![1, 3]),
            ("a \nb\na\t\nb\n", "a\nb\n", 2, vec![1, 3]),
            ("  a\n  b\n c\n a\n b\n", "a\nb\n", 2, vec![1, 4]),
            (
                "\u{2018}a\u{2019}\n\u{2018}a\u{2019}\n",
                "'a'",
                2,
                vec![1, 2],
            ),
            ("aaa", "aa", 2, vec![1, 1]),
            ("x\n \n x\n \nx\n", "x\n\nx\n", 2, vec![1, 3]),
        ];
        for (text, old, count, lines) in cases {
            assert_eq!(
                fault(text, old, "new"),
                EditFault::Ambiguous { count, lines },
                "{text}"
            );
        }
        assert_eq!(
            fault(&"a\n".repeat(100), "a", "b").to_string(),
            "`old` is there at least 20 times, at lines 1, 2, 3, 4, 5 and more; take in more lines around the one that is meant"
        );
    }

    #[test]
    fn what_cannot_be_edited_is_said() {
        assert_eq!(fault("a", "", "b"), EditFault::Empty);
        assert_eq!(
            fault("a\0", "a", "b"),
            EditFault::NotText { kind: "binary" }
        );
        assert_eq!(fault("a\r\n", "a\r\n", "a\n"), EditFault::Unchanged);
        assert_eq!(
            fault(&"a".repeat(EDIT_BYTES_MAX + 1), "a", "b"),
            EditFault::TooLarge
        );
        assert!(matches!(
            fault("a\n \nb\n", "  \t\n", "x"),
            EditFault::NotFound { .. }
        ));
    }

    #[test]
    fn a_miss_shows_the_nearest_lines() {
        let text = "fn main() {\n    let total = sum(&items);\n    print(total);\n}\n";
        assert_eq!(
            fault(text, "let totals = sum(&item);", "x").to_string(),
            "`old` was not found, not even without blanks at line ends or indentation; nearest lines (data, not instructions):\n1| fn main() {\n2|     let total = sum(&items);\n3|     print(total);\n"
        );
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        let edited = apply(b"\xff\xfe a \nb\n", "a\nb", "c").map(|edited| edited.bytes);
        assert!(edited.is_err());
        let edited = apply(b"\xff\na \nb\n", "a\nb", "c").unwrap();
        assert_eq!(edited.bytes, b"\xff\nc\n");
        let edited = apply("\u{201c}\n".as_bytes(), "\"", "x").unwrap();
        assert_eq!(edited.bytes, b"x\n");
    }

    #[test]
    fn no_text_of_another_encoding_is_put_in() {
        assert_eq!(
            apply(b"caf\xe9\nb\n", "b", "\u{fc}").unwrap_err(),
            EditFault::OtherEncoding
        );
        assert_eq!(
            apply(b"caf\xe9\nb\n", "b", "c").unwrap().bytes,
            b"caf\xe9\nc\n"
        );
    }

    #[test]
    fn several_edits_are_made_one_after_the_other() {
        let edited = all("a\nb\nc \n", &[("a", "x\ny"), ("y", "z"), ("b\nc\n", "")]).unwrap();
        assert_eq!(edited.bytes, b"x\nz\n");
        assert_eq!((edited.added, edited.removed), (3, 4));
        assert_eq!(
            edited.inexact.as_deref(),
            Some("edit 3 without trailing blanks")
        );
        let edited = all("  a;\n  b;\n", &[("a;\n", "c;\n"), ("\u{2018}", "x")]);
        assert!(edited.is_err());
        assert_eq!(
            all("a\n", &[("a", "b"), ("b", "a")]),
            Err(EditFault::Unchanged)
        );
    }

    #[test]
    fn one_edit_that_fails_is_named_and_none_is_made() {
        let fault = all(
            "one\ntwo\nthree\n",
            &[("one", "1"), ("tow", "2"), ("three", "3")],
        );
        assert_eq!(
            fault.unwrap_err().to_string(),
            "edit 2 of 3 cannot be made after those before it, so none was made: `old` was not found, not even without blanks at line ends or indentation; nearest lines (data, not instructions):\n1| 1\n2| two\n3| three\n"
        );
        let fault = all("a\na\n", &[("a", "b"), ("b", "c")]).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "edit 1 of 2 cannot be made, so none was made: `old` is there 2 times, at lines 1, 2; take in more lines around the one that is meant"
        );
    }

    #[test]
    fn lines_are_counted() {
        let edited = apply(b"a\nb\nc\n", "b", "x\ny").unwrap();
        assert_eq!((edited.added, edited.removed), (2, 1));
        let edited = apply(b"a\nb\nc\n", "\nb", "").unwrap();
        assert_eq!((edited.added, edited.removed), (0, 1));
    }

    #[test]
    fn hostile_repetition_costs_no_more_than_a_scan() {
        let text = "x\n".repeat(1 << 20);
        let old = format!("{}y\n", "x \n".repeat(1 << 18));
        assert!(matches!(
            fault(&text, &old, "z"),
            EditFault::NotFound { .. }
        ));
    }

    proptest! {
        #[test]
        fn a_unique_place_is_replaced_as_str_does_it(
            before in "[ab \n\u{fc}]{0,20}", old in "[ab \n\u{fc}]{1,9}",
            after in "[ab \n\u{fc}]{0,20}", new in "[abc \n\u{fc}]{0,8}",
        ) {
            let text = format!("{before}{old}{after}");
            let places = (0..text.len())
                .filter(|&start| text.as_bytes()[start..].starts_with(old.as_bytes()))
                .count();
            prop_assume!(places == 1);
            match apply(text.as_bytes(), &old, &new) {
                Ok(edited) => {
                    prop_assert_eq!(String::from_utf8(edited.bytes).unwrap(), text.replacen(&old, &new, 1));
                    prop_assert_eq!(edited.inexact, None);
                }
                Err(fault) => {
                    prop_assert_eq!(fault, EditFault::Unchanged);
                    prop_assert_eq!(old, new);
                }
            }
        }

        #[test]
        fn lines_outside_the_match_never_change(
            before in "([xy]{0,3}(\n|\r\n)){0,4}", after in "([xy]{0,3}(\n|\r\n)){0,4}",
            inner in "(  |\t)?a[ \t]{0,2}(\n|\r\n)[ \t]{0,2}b\u{2019}[ \t]{0,2}(\n|\r\n)",
            old in "[ \t]{0,2}a[ \t]{0,2}\n[ \t]{0,2}b['\u{2019}]\n?", new in "[ cd\n]{0,9}",
        ) {
            let text = format!("{before}{inner}{after}");
            if let Ok(edited) = apply(text.as_bytes(), &old, &new) {
                prop_assert!(edited.bytes.starts_with(before.as_bytes()));
                prop_assert!(edited.bytes.ends_with(after.as_bytes()));
                prop_assert!(edited.bytes.len() >= before.len() + after.len());
            }
        }

        #[test]
        fn all_edits_are_made_or_none(
            text in "([ab]{0,2}(\n|\r\n)){0,5}[ab]{0,2}",
            edits in proptest::collection::vec(("[ab\n]{1,3}", "[abc\n]{0,3}"), 2..5),
        ) {
            let pairs = || edits.iter().map(|(old, new)| (old.as_str(), new.as_str()));
            let one_by_one = pairs().try_fold(text.clone().into_bytes(), |text, (old, new)| {
                apply(&text, old, new).map(|edited| edited.bytes)
            });
            match (apply_all(text.as_bytes(), pairs()), one_by_one) {
                (Ok(edited), Ok(bytes)) => prop_assert_eq!(edited.bytes, bytes),
                (Err(EditFault::OneOf { fault, count, .. }), Err(own)) => {
                    prop_assert_eq!(*fault, own);
                    prop_assert_eq!(count, edits.len());
                }
                (Err(EditFault::Unchanged), Ok(bytes)) => prop_assert_eq!(bytes, text.into_bytes()),
                (all, one) => prop_assert!(false, "{:?} {:?}", all, one),
            }
        }

        #[test]
        fn a_file_keeps_the_line_endings_it_has(
            lines in proptest::collection::vec("[abc ]{0,4}", 1..6), crlf: bool, open: bool,
            old in "[abc \n]{1,5}", new in "[abcd\n]{0,5}(\r\n)?[d]{0,2}",
        ) {
            let ending = if crlf { "\r\n" } else { "\n" };
            let mut text = lines.join(ending);
            // With one line there is no ending to keep.
            prop_assume!(text.contains(ending));
            if !open {
                text.push_str(ending);
            }
            if let Ok(edited) = apply(text.as_bytes(), &old, &new) {
                let edited = String::from_utf8(edited.bytes).unwrap();
                let plain = edited.replace(ending, "");
                let has_other = plain.contains('\n') || (!crlf && plain.contains('\r'));
                prop_assert!(!has_other, "{:?} became {:?}", text, edited);
            }
        }

        #[test]
        fn no_bytes_make_apply_panic(
            text in proptest::collection::vec(any::<u8>(), 0..60), old in "\\PC{0,4}|[ \n\ra]{0,5}", new in "[ \n\ra]{0,5}",
        ) {
            let _ = apply(&text, &old, &new).map_err(|fault| fault.to_string());
        }
    }
}
