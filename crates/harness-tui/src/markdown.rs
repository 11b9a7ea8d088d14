//! What an agent writes, block by block: headings, paragraphs, lists, code, quotes, tables.
//!
//! Only blocks and the simplest marks inside them; links show their target, so
//! that no text can hide where it leads. The input is cleaned text.

mod settled;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::text::{Role, Row, untabbed};
pub(crate) use settled::settled;

/// Deeper lists and quotes are not indented any further.
const DEPTH_MAX: usize = 6;

/// Turns Markdown into lines that are not wrapped yet, each with the indent of its further rows.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let mut page = Page::default();
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES) {
        page.take(event);
    }
    page.end_line();
    while page
        .lines
        .last()
        .is_some_and(|line| line.row.pieces.is_empty())
    {
        page.lines.pop();
    }
    page.lines
}

/// One line of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) row: Row,
    /// Columns that the rows below the first are moved to the right when the line is wrapped.
    pub(crate) hanging: usize,
}

impl Line {
    pub(crate) const fn hanging(row: Row, hanging: usize) -> Self {
        Self { row, hanging }
    }
}

#[derive(Default)]
struct Page {
    lines: Vec<Line>,
    row: Row,
    hanging: usize,
    /// The next number of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    quotes: usize,
    roles: Vec<Role>,
    is_code_block: bool,
    link: Option<String>,
    /// The text of the open link, to tell whether it differs from its target.
    link_text: String,
    cell: usize,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.is_code_block => self.code(&text),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => self.push(Role::Code, &text),
            Event::Html(text) | Event::InlineHtml(text) => self.html(&text),
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.break_line(),
            Event::Rule => self.rule(),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
            Event::FootnoteReference(text) => self.text(&format!("[{text}]")),
            Event::TaskListMarker(done) => self.text(if done { "[x] " } else { "[ ] " }),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.begin_block(),
            Tag::Heading { level, .. } => self.heading(level),
            Tag::BlockQuote(_) => {
                self.begin_block();
                self.quotes += 1;
            }
            Tag::CodeBlock(_) => {
                self.begin_block();
                self.is_code_block = true;
            }
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.begin_block();
                } else {
                    self.end_line();
                }
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.roles.push(Role::Stressed),
            Tag::Strong => self.roles.push(Role::Strong),
            Tag::Strikethrough => self.roles.push(Role::Quiet),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.link = Some(dest_url.to_string());
                self.link_text.clear();
            }
            Tag::Table(_) => self.begin_block(),
            Tag::TableHead => self.roles.push(Role::Strong),
            Tag::TableCell => {
                if self.cell > 0 {
                    self.push(Role::Quiet, " │ ");
                }
                self.cell += 1;
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.end_line(),
            TagEnd::Heading(_) | TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => {
                self.roles.pop();
                if matches!(tag, TagEnd::Heading(_)) {
                    self.end_line();
                }
            }
            TagEnd::BlockQuote(_) => {
                self.end_line();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock => {
                self.is_code_block = false;
                self.end_line();
            }
            TagEnd::List(_) => {
                self.end_line();
                self.lists.pop();
            }
            TagEnd::Item => self.end_line(),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            TagEnd::TableHead => {
                self.roles.pop();
                self.end_row();
            }
            TagEnd::TableRow => self.end_row(),
            _ => {}
        }
    }

    fn role(&self) -> Role {
        self.roles.last().copied().unwrap_or_default()
    }

    fn push(&mut self, role: Role, text: &str) {
        if self.row.pieces.is_empty() {
            self.indent();
        }
        self.row.push(role, untabbed(text));
    }

    fn text(&mut self, text: &str) {
        if self.link.is_some() {
            self.link_text.push_str(text);
        }
        let mut parts = text.split('\n');
        self.push(self.role(), parts.next().unwrap_or_default());
        for part in parts {
            self.break_line();
            self.push(self.role(), part);
        }
    }

    fn html(&mut self, text: &str) {
        // What looks like a tag is often meant as text, so it is shown as it is written.
        for part in text.split_inclusive('\n') {
            self.push(Role::Quiet, part.trim_end_matches('\n'));
            if part.ends_with('\n') {
                self.break_line();
            }
        }
    }

    fn code(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            self.push(Role::Code, line.trim_end_matches('\n'));
            self.hanging = self.row.width().min(4);
            self.flush();
        }
    }

    fn heading(&mut self, level: HeadingLevel) {
        self.begin_block();
        self.roles.push(Role::Title);
        self.push(Role::Quiet, &format!("{} ", "#".repeat(level as usize)));
    }

    fn item(&mut self) {
        self.end_line();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        };
        let depth = self.lists.len().clamp(1, DEPTH_MAX) - 1;
        self.row.push(Role::Quiet, self.quote_marks());
        self.row.push(Role::Plain, "  ".repeat(depth));
        self.row.push(Role::Plain, mark);
        self.hanging = self.row.width();
    }

    /// Begins a line inside a quote or below an item.
    fn indent(&mut self) {
        let quotes = self.quote_marks();
        self.row.push(Role::Quiet, quotes);
        if !self.lists.is_empty() {
            let depth = self.lists.len().min(DEPTH_MAX);
            self.row.push(Role::Plain, "  ".repeat(depth));
        }
        self.hanging = self.row.width();
    }

    fn quote_marks(&self) -> String {
        "│ ".repeat(self.quotes.min(DEPTH_MAX))
    }

    fn rule(&mut self) {
        self.begin_block();
        self.push(Role::Quiet, "───");
        self.end_line();
    }

    fn end_link(&mut self) {
        if let Some(target) = self.link.take()
            && target != self.link_text
            && !target.is_empty()
        {
            self.push(Role::Quiet, &format!(" ({target})"));
        }
    }

    fn end_row(&mut self) {
        self.cell = 0;
        self.end_line();
    }

    /// Ends what is written and leaves an empty line, unless a list item has just begun.
    fn begin_block(&mut self) {
        let is_item = !self.lists.is_empty() && !self.row.pieces.is_empty();
        if is_item {
            return;
        }
        self.end_line();
        let is_tight = !self.lists.is_empty();
        let has_gap = self
            .lines
            .last()
            .is_none_or(|line| line.row.pieces.is_empty());
        if !has_gap && !is_tight {
            self.lines.push(Line::default());
        }
    }

    fn break_line(&mut self) {
        self.flush();
    }

    fn end_line(&mut self) {
        if !self.row.pieces.is_empty() {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let row = std::mem::take(&mut self.row);
        let hanging = std::mem::take(&mut self.hanging);
        self.lines.push(Line { row, hanging });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let lines = lines(text);
        let texts: Vec<String> = lines.iter().map(|line| line.row.to_text()).collect();
        texts.join("\n")
    }

    #[test]
    fn blocks_are_apart_and_lists_are_tight() {
        let text = "# Plan\nFirst *read*,\nthen **write**.\n\n- one\n- two\n  - inner\n\n1. a\n2. b\n\nDone.";
        insta::assert_snapshot!(shown(text), @r"
        # Plan

        First read, then write.

        - one
        - two
          - inner

        1. a
        2. b

        Done.
        ");
    }

    #[test]
    fn code_keeps_its_lines_and_blanks() {
        let text = "Run `cargo test`:\n\n```sh\ncargo test\n\n\tls\n```\nafter";
        insta::assert_snapshot!(shown(text), @r"
        Run cargo test:

        cargo test

            ls

        after
        ");
    }

    #[test]
    fn a_link_shows_where_it_leads() {
        assert_eq!(
            shown("[here](https://a.example/x)"),
            "here (https://a.example/x)"
        );
        assert_eq!(shown("<https://a.example>"), "https://a.example");
    }

    #[test]
    fn tags_and_unfinished_marks_stay_readable() {
        assert_eq!(shown("a <b>c</b> **half"), "a <b>c</b> **half");
        assert_eq!(shown("```\nstill open"), "still open");
        assert_eq!(shown(""), "");
        assert_eq!(shown("Vec<String> and a_b_c"), "Vec<String> and a_b_c");
    }

    #[test]
    fn quotes_and_tables_are_lines() {
        insta::assert_snapshot!(shown("> said\n> twice\n\n| a | b |\n|---|---|\n| 1 | 2 |"), @r"
        │ said twice

        a │ b
        1 │ 2
        ");
    }
}
