//! A list of checkboxes in a Markdown file: `- [ ] F-012: Export as CSV`.
//!
//! The file belongs to people: only the box, or the lines of the entry that is
//! amended, are touched. Which lines are entries is said by a Markdown parser,
//! so a box in a code block or a comment is none. The heading above an entry is
//! its category, the lines below its first one its description, and the list
//! items below it its steps, whether they have boxes or not.

use std::ops::Range;

use harness_core::{Feature, FeatureId, FeatureStatus};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{ListError, json::newline, shape::numbered};

/// One entry and where its parts stand in the text.
pub(super) struct Entry {
    /// From its bullet to the end of its last line.
    pub(super) item: Range<usize>,
    /// The character inside the box.
    mark: usize,
    /// What stands before the title: the id with its marks, where there is one.
    prefix: Range<usize>,
    id: Option<FeatureId>,
    title: Range<usize>,
    lists: Vec<Range<usize>>,
    steps: Vec<Range<usize>>,
    category: String,
}

/// Reads the features of a text, each with its place.
pub(super) fn read(text: &str) -> Result<Vec<(Feature, Range<usize>)>, ListError> {
    let entries = entries(text)?;
    let entries = entries.into_iter().enumerate();
    entries
        .map(|(place, entry)| Ok((entry.to_feature(text, place)?, entry.item)))
        .collect()
}

/// Whether a text can only be meant as Markdown.
pub(super) fn is_likely(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start);
    lines.any(|line| {
        let bullet = without_bullet(line).filter(|rest| !rest.is_empty());
        bullet.is_some() || line.starts_with("# ") || line.starts_with("## ")
    })
}

/// Sets the box of the entry at `place`; returns whether the text has changed.
pub(super) fn write_status(text: &mut String, item: &Range<usize>, status: FeatureStatus) -> bool {
    let Some(at) = text[item.clone()].find('[').map(|at| item.start + at + 1) else {
        return false;
    };
    let passes = status == FeatureStatus::Passing;
    let is_ticked = matches!(text.as_bytes().get(at), Some(b'x' | b'X'));
    if passes != is_ticked {
        text.replace_range(at..=at, if passes { "x" } else { " " });
    }
    passes != is_ticked
}

/// Returns the text with one more entry, under the heading of its category.
pub(super) fn add(text: &str, feature: &Feature) -> Result<String, ListError> {
    let entries = entries(text)?;
    let same = |entry: &&Entry| feature.category.is_empty() || entry.category == feature.category;
    let newline = newline(text);
    let last = entries.iter().rev().find(same);
    let bullet = last
        .or(entries.last())
        .map_or_else(|| "- ".to_owned(), |last| last.next_bullet(text));
    let indent = last.map_or("", |last| line_indent(text, last.item.start));
    let (before, after) = wrapping(text, &entries, &feature.id);
    let first = format!(
        "{indent}{bullet}[ ] {before}{}{after}{}",
        feature.id,
        one_line(&feature.title)
    );
    let body = body(feature, &" ".repeat(indent.len() + bullet.len()), newline);
    let block = format!("{first}{newline}{body}");
    let (at, lead) = match last {
        Some(last) => (last.item.end, String::new()),
        None => match heading_end(text, &feature.category) {
            Some(at) => (at, newline.to_owned()),
            None if feature.category.is_empty() => (text.len(), gap(text, newline)),
            None => (
                text.len(),
                format!(
                    "{}## {}{newline}{newline}",
                    gap(text, newline),
                    one_line(&feature.category)
                ),
            ),
        },
    };
    let (head, tail) = text.split_at(at);
    let end = if head.is_empty() || head.ends_with('\n') {
        ""
    } else {
        newline
    };
    Ok(format!("{head}{end}{lead}{block}{tail}"))
}

/// Returns the text with title, description and steps of one entry as they are in `new`.
pub(super) fn amend(
    text: &str,
    place: usize,
    old: &Feature,
    new: &Feature,
) -> Result<String, ListError> {
    let entries = entries(text)?;
    let entry = &entries[place];
    let mut changed = text.to_owned();
    if old.description != new.description || old.steps != new.steps {
        let first_end = line_end(text, entry.title.end).min(entry.item.end);
        let newline = newline(text);
        let indent = line_indent(text, entry.item.start).len() + entry.bullet(text).len();
        let body = body(new, &" ".repeat(indent), newline);
        let end = if first_end == 0 || text[..first_end].ends_with('\n') {
            ""
        } else {
            newline
        };
        let body = if body.is_empty() {
            body
        } else {
            format!("{end}{body}")
        };
        changed.replace_range(first_end..entry.item.end, &body);
    }
    if old.title != new.title {
        changed.replace_range(entry.title.clone(), &one_line(&new.title));
    }
    Ok(changed)
}

impl Entry {
    fn to_feature(&self, text: &str, place: usize) -> Result<Feature, ListError> {
        let id = self
            .id
            .clone()
            .unwrap_or_else(|| numbered(place as u64 + 1, 3));
        let title = text[self.title.clone()].to_owned();
        if title.is_empty() {
            return Err(ListError::Field {
                feature: id.to_string(),
                field: "title".to_owned(),
                problem: format!("the box in line {} has no text", line_of(text, self.mark)),
            });
        }
        let is_ticked = matches!(text.as_bytes().get(self.mark), Some(b'x' | b'X'));
        let steps = self.steps.iter();
        Ok(Feature {
            category: self.category.clone(),
            description: self.description(text),
            steps: steps
                .map(|step| words_of_step(&text[step.clone()]))
                .collect(),
            status: if is_ticked {
                FeatureStatus::Passing
            } else {
                FeatureStatus::Pending
            },
            ..Feature::titled(id, title)
        })
    }

    /// Returns the lines below the first one that belong to no list.
    fn description(&self, text: &str) -> String {
        let mut at = line_end(text, self.title.end).min(self.item.end);
        let mut lines = String::new();
        for list in &self.lists {
            lines.push_str(&text[at..list.start.max(at)]);
            at = list.end.max(at);
        }
        lines.push_str(&text[at..self.item.end.max(at)]);
        plain_lines(&lines)
    }

    fn bullet<'a>(&self, text: &'a str) -> &'a str {
        &text[self.item.start..self.mark - 1]
    }

    /// Returns the bullet of the entry behind this one: numbers go on.
    fn next_bullet(&self, text: &str) -> String {
        let bullet = self.bullet(text);
        let digits = bullet.len()
            - bullet
                .trim_start_matches(|char: char| char.is_ascii_digit())
                .len();
        match bullet[..digits].parse::<u64>() {
            Ok(number) => format!("{}{}", number.saturating_add(1), &bullet[digits..]),
            Err(_) => bullet.to_owned(),
        }
    }
}

/// Finds the entries of a text.
fn entries(text: &str) -> Result<Vec<Entry>, ListError> {
    let mut finder = Finder {
        text,
        ..Finder::default()
    };
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TASKLISTS).into_offset_iter() {
        finder.take(&event, range)?;
    }
    Ok(finder.entries)
}

/// What is known while a text is walked through.
#[derive(Default)]
struct Finder<'a> {
    text: &'a str,
    entries: Vec<Entry>,
    category: String,
    quotes: usize,
    /// The items around the place, outermost first.
    items: Vec<Range<usize>>,
    /// How many items are around the entry that is open.
    open: Option<usize>,
    /// How many lists below the open entry are around the place.
    lists: usize,
}

impl Finder<'_> {
    fn take(&mut self, event: &Event<'_>, range: Range<usize>) -> Result<(), ListError> {
        match event {
            Event::Start(Tag::Heading { .. }) if self.items.is_empty() => {
                self.category = heading_text(&self.text[range]);
            }
            Event::Start(Tag::BlockQuote(_)) => self.quotes += 1,
            Event::End(TagEnd::BlockQuote(_)) => self.quotes -= 1,
            Event::Start(Tag::List(_)) if self.open.is_some() => self.begin_list(range),
            Event::End(TagEnd::List(_)) if self.open.is_some() => self.lists -= 1,
            Event::Start(Tag::Item) => self.begin_item(range),
            Event::End(TagEnd::Item) => self.end_item(),
            Event::TaskListMarker(_) => self.begin_entry(&range)?,
            _ => {}
        }
        Ok(())
    }

    fn begin_list(&mut self, range: Range<usize>) {
        self.lists += 1;
        if let (1, Some(entry)) = (self.lists, self.entries.last_mut()) {
            entry.lists.push(range);
        }
    }

    fn begin_item(&mut self, range: Range<usize>) {
        if let (Some(_), 1, Some(entry)) = (self.open, self.lists, self.entries.last_mut()) {
            entry.steps.push(range.clone());
        }
        self.items.push(range);
    }

    fn end_item(&mut self) {
        if self.open == Some(self.items.len()) {
            self.open = None;
            self.lists = 0;
        }
        self.items.pop();
    }

    fn begin_entry(&mut self, mark: &Range<usize>) -> Result<(), ListError> {
        let (None, 0, Some(item)) = (self.open, self.quotes, self.items.last()) else {
            return Ok(());
        };
        let text = self.text;
        if text[item.start..mark.start].contains('\n') {
            return Ok(());
        }
        let end = item.start + text[item.clone()].trim_end().len();
        let line = text[mark.end..end.max(mark.end)]
            .lines()
            .next()
            .unwrap_or_default();
        let start = mark.end + (line.len() - line.trim_start().len());
        let title = start..mark.end + line.trim_end().len();
        let title = title.start..title.end.max(title.start);
        let (id, prefix) = prefix(&text[title.clone()], &|| line_of(text, mark.start))?;
        self.open = Some(self.items.len());
        self.entries.push(Entry {
            item: item.start..line_end(text, end),
            mark: mark.start + 1,
            prefix: title.start..title.start + prefix,
            id,
            title: title.start + prefix..title.end,
            lists: Vec::new(),
            steps: Vec::new(),
            category: self.category.clone(),
        });
        Ok(())
    }
}

/// Finds the id a title begins with, and how long it is with all that belongs to it.
///
/// `F-012: `, `**F-012** `, `**F-012:** ` and `` `F-012` `` are ids, and `T012 ` is one, as
/// some planners write it; any other word is part of the title.
fn prefix(title: &str, line: &dyn Fn() -> usize) -> Result<(Option<FeatureId>, usize), ListError> {
    let marks = ["**", "__", "`"];
    let mark = marks
        .into_iter()
        .find(|mark| title.starts_with(mark))
        .unwrap_or_default();
    let inner = &title[mark.len()..];
    let legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
    let word = &inner[..inner.find(|char| !legal(char)).unwrap_or(inner.len())];
    let mut rest = &inner[word.len()..];
    let mut has_colon = false;
    let mut eat_colon = |rest: &mut &str| {
        if let (false, Some(after)) = (has_colon, rest.strip_prefix(':')) {
            *rest = after;
            has_colon = true;
        }
    };
    eat_colon(&mut rest);
    let Some(mut rest) = rest.strip_prefix(mark) else {
        return Ok((None, 0));
    };
    eat_colon(&mut rest);
    let is_marked = !mark.is_empty() || has_colon;
    let ends_here = rest.starts_with([' ', '\t']);
    if !ends_here || !(is_marked && is_like_an_id(word) || is_planners_id(word)) {
        return Ok((None, 0));
    }
    let id = FeatureId::new(word).map_err(|error| ListError::Field {
        feature: format!("line {}", line()),
        field: "id".to_owned(),
        problem: error.to_string(),
    })?;
    Ok((Some(id), title.len() - rest.trim_start().len()))
}

/// Whether a word is letters and digits around a dash, dot or underscore, with a digit at its end.
fn is_like_an_id(word: &str) -> bool {
    word.starts_with(|char: char| char.is_ascii_alphabetic())
        && word.ends_with(|char: char| char.is_ascii_digit())
        && (word.contains(['-', '_', '.']) || is_planners_id(word))
}

/// Whether a word is one capital letter and at least two digits.
fn is_planners_id(word: &str) -> bool {
    let digits = word.strip_prefix(|char: char| char.is_ascii_uppercase());
    digits
        .is_some_and(|digits| digits.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns what stands before and behind ids of this kind in the file.
fn wrapping(text: &str, entries: &[Entry], id: &FeatureId) -> (String, String) {
    let is_planners = is_planners_id(id.as_str());
    let same = |entry: &&Entry| {
        let other = entry.id.as_ref();
        other.is_some_and(|other| is_planners_id(other.as_str()) == is_planners)
    };
    let named = entries.iter().rev().find(same);
    let named = named.and_then(|entry| Some((entry, entry.id.as_ref()?)));
    let wrapped = named.and_then(|(entry, id)| text[entry.prefix.clone()].split_once(id.as_str()));
    let (before, after) = wrapped.unwrap_or(("", ": "));
    (before.to_owned(), after.to_owned())
}

fn body(feature: &Feature, indent: &str, newline: &str) -> String {
    let mut body = String::new();
    for line in feature.description.lines() {
        let line = format!("{indent}{line}");
        body.push_str(line.trim_end());
        body.push_str(newline);
    }
    for step in &feature.steps {
        let mut lines = step.lines();
        let first = lines.next().unwrap_or_default();
        body.push_str(&format!("{indent}- {first}{newline}"));
        for line in lines {
            body.push_str(&format!("{indent}  {line}{newline}"));
        }
    }
    body
}

fn words_of_step(item: &str) -> String {
    let item = item.trim();
    let item = without_bullet(item).unwrap_or(item);
    let boxed = ["[ ] ", "[x] ", "[X] "].into_iter();
    let words = boxed.filter_map(|mark| item.strip_prefix(mark)).next();
    plain_lines(words.unwrap_or(item))
}

/// Returns a line without its bullet or number.
fn without_bullet(line: &str) -> Option<&str> {
    let rest = match line.strip_prefix(['-', '*', '+']) {
        Some(rest) => rest,
        None => {
            let rest = line.trim_start_matches(|char: char| char.is_ascii_digit());
            let rest = (rest.len() < line.len()).then_some(rest)?;
            rest.strip_prefix(['.', ')'])?
        }
    };
    rest.starts_with([' ', '\t']).then(|| rest.trim_start())
}

/// Returns lines without their indents, and without empty ones at both ends.
fn plain_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

fn heading_text(heading: &str) -> String {
    let line = heading.lines().next().unwrap_or_default();
    line.trim().trim_matches('#').trim().to_owned()
}

/// Returns where the lines below a heading begin.
fn heading_end(text: &str, category: &str) -> Option<usize> {
    if category.is_empty() {
        return None;
    }
    let parsed = Parser::new(text).into_offset_iter();
    let mut headings =
        parsed.filter(|(event, _)| matches!(event, Event::Start(Tag::Heading { .. })));
    let (_, range) = headings.find(|(_, range)| heading_text(&text[range.clone()]) == category)?;
    let end = range.start + text[range].trim_end().len();
    Some(line_end(text, end))
}

/// Returns what has to stand between the end of a text and a new block.
fn gap(text: &str, newline: &str) -> String {
    let is_apart = text.trim().is_empty() || text.ends_with("\n\n") || text.ends_with("\n\r\n");
    if is_apart {
        String::new()
    } else {
        newline.to_owned()
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns where the line of `at` ends, its newline included.
fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline + 1)
}

fn line_indent(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
