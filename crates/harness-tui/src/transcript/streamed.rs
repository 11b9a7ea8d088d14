//! The rows of an answer while it streams in: what stands for good is laid out once.

use harness_report::Who;

use super::entry::{LEAD, lead, led};
use crate::{
    markdown::{self, Line},
    text::Row,
};

/// How far an answer is laid out for good, and what is not.
#[derive(Clone, Debug, Default)]
pub(super) struct Streamed {
    /// What may still change; code that was begun before is opened again in it.
    open: String,
    /// The rows that stand.
    rows: usize,
    /// Whether what comes next is a block of its own.
    is_apart: bool,
    /// Whether something came since it was laid out.
    is_changed: bool,
}

impl Streamed {
    /// Begins with everything there is, for another width.
    pub(super) fn begin(&mut self, text: &str, rows: &mut Vec<Row>) {
        rows.clear();
        *self = Self {
            open: text.to_owned(),
            is_changed: true,
            ..Self::default()
        };
    }

    /// Takes in what came.
    pub(super) fn append(&mut self, more: &str) {
        self.open.push_str(more);
        self.is_changed = true;
    }

    /// Lays out what came, and nothing that stands.
    pub(super) fn lay_out(&mut self, columns: usize, rows: &mut Vec<Row>) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        rows.truncate(self.rows);
        while let Some(settled) = markdown::settled(&self.open) {
            let (begin, rest) = self.open.split_at(settled.bytes);
            self.is_apart = add(begin, self.is_apart, columns, rows);
            self.is_apart &= settled.fence.is_none();
            self.open = match settled.fence {
                Some(fence) => format!("{fence}\n{rest}"),
                None => rest.to_owned(),
            };
            self.rows = rows.len();
        }
        add(&self.open, self.is_apart, columns, rows);
        if rows.is_empty() {
            rows.extend(led(lead(Who::Agent), &Line::default(), columns));
        }
    }
}

/// Adds the rows of a text; says whether there are any, so that the next block stands apart.
fn add(text: &str, is_apart: bool, columns: usize, rows: &mut Vec<Row>) -> bool {
    let lines = markdown::lines(text);
    if lines.is_empty() {
        return is_apart;
    }
    let gap = is_apart.then(Line::default);
    for line in gap.into_iter().chain(lines) {
        let lead = match rows.is_empty() {
            true => lead(Who::Agent),
            false => Row::default().padded(LEAD),
        };
        rows.extend(led(lead, &line, columns));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKS: [&str; 14] = [
        "The **writer** drops quotes, so I look at `escape` and mend it there.",
        "# A heading",
        "- one\n- two\n  - inner\n\n- loose",
        "1. first\n2. second\n\n   more of it",
        "```rust\nfn escape() {\n\n    let a = \"\";\n}\n```",
        "~~~\n```\nplain\n~~~",
        "> a quote\nthat goes on",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "    indented code\n\n    and more",
        "<div>\n\ntext\n\n</div>",
        "[x]: http://example.org\n\nsee [x]",
        "a line\n===\nand text",
        "```\nnever closed\n\nlines\n",
        "漢字 e\u{301} שלום",
    ];

    /// Every text in every order that a small generator comes to, cut into pieces: the rows are those
    /// of the text as a whole.
    #[test]
    fn what_streams_in_looks_as_it_does_when_it_is_whole() {
        let mut number = 7_u64;
        let mut next = |bound: usize| {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(number >> 33).unwrap_or(0) % bound
        };
        for _ in 0..60 {
            let mut text = String::new();
            for _ in 0..14 {
                text.push_str(BLOCKS[next(BLOCKS.len())]);
                text.push_str(["\n\n", "\n", "\n\n\n"][next(3)]);
                if next(3) == 0 {
                    text.push_str(&"Some words more. ".repeat(next(60)));
                    text.push_str("\n\n");
                }
            }
            let (mut streamed, mut rows) = (Streamed::default(), Vec::new());
            streamed.begin("", &mut rows);
            let chars: Vec<char> = text.chars().collect();
            let mut at = 0;
            let mut said = String::new();
            while at < chars.len() {
                let end = (at + 1 + next(90)).min(chars.len());
                let piece: String = chars[at..end].iter().collect();
                said.push_str(&piece);
                streamed.append(&piece);
                streamed.lay_out(60, &mut rows);
                at = end;
                if next(4) == 0 {
                    let mut whole = Vec::new();
                    add(&said, false, 60, &mut whole);
                    let text = |rows: &[Row]| -> Vec<String> {
                        rows.iter()
                            .map(|row| row.to_text().trim_end().to_owned())
                            .collect()
                    };
                    assert_eq!(text(&rows), text(&whole), "{said}");
                }
            }
        }
    }
}
