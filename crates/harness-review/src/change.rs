//! A change: which files differ, what each side is, and the pieces of it that are decided.
//!
//! Nothing is compared before it is asked for: a change of many files opens at once, and a caller
//! may compare ahead in the background, as everything here can be sent and shared.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use harness_core::{ChangeKind, RepoPath};

use crate::{
    Hunk, HunkId, Line, hunks,
    identity::{Block, Namer, content_id, runs},
    text::{lines_of, saturate},
};

/// The largest text that is compared. Unit: bytes.
pub const TEXT_BYTES_MAX: usize = 1_000_000;
/// The most files of a change; what is more is counted.
pub const FILES_MAX: usize = 10_000;
/// Unchanged lines around each change.
pub(crate) const CONTEXT_LINES: usize = 3;
/// How far above a hunk its heading is looked for. Unit: lines.
const HEADING_LINES: usize = 2_000;
/// The most files that are looked at for renames.
const RENAMES_MAX: usize = 1_000;

/// The files that differ between two states, sorted by path.
#[derive(Debug, Default)]
pub struct Change {
    files: Vec<FileChange>,
    left_out: usize,
}

impl Change {
    /// Makes a change of its files: sorted, each path once, without those that do not differ.
    ///
    /// At most [`FILES_MAX`]; the rest is counted.
    pub fn new(mut files: Vec<FileChange>) -> Self {
        files.retain(|file| file.was.is_some() || file.old != file.new);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        let left_out = files.len().saturating_sub(FILES_MAX);
        files.truncate(FILES_MAX);
        Self { files, left_out }
    }

    /// Makes a change in which a file that is gone and a new one with the same content are one
    /// that was renamed. Empty files are not taken for each other.
    pub fn with_renames(files: Vec<FileChange>) -> Self {
        let mut gone: BTreeMap<String, Vec<RepoPath>> = BTreeMap::new();
        let whole = |side: &Side| side.has_content().then(|| side.digest());
        let of_kind = |kind| files.iter().filter(move |file| file.kind() == kind);
        for file in of_kind(ChangeKind::Deleted).take(RENAMES_MAX) {
            if let Some(digest) = whole(&file.old) {
                gone.entry(digest).or_default().push(file.path.clone());
            }
        }
        let mut renamed: BTreeMap<RepoPath, RepoPath> = BTreeMap::new();
        for file in of_kind(ChangeKind::Added).take(RENAMES_MAX) {
            let from = whole(&file.new).and_then(|digest| gone.get_mut(&digest)?.pop());
            if let Some(from) = from {
                renamed.insert(file.path.clone(), from);
            }
        }
        let sources: BTreeMap<RepoPath, Side> = files
            .iter()
            .filter(|file| renamed.values().any(|from| *from == file.path))
            .map(|file| (file.path.clone(), file.old.clone()))
            .collect();
        let kept = files
            .into_iter()
            .filter(|file| !sources.contains_key(&file.path));
        Self::new(
            kept.map(|file| match renamed.get(&file.path) {
                Some(from) => {
                    let old = sources.get(from).cloned().unwrap_or(Side::Absent);
                    FileChange::renamed(from.clone(), file.path, old, file.new)
                }
                None => file,
            })
            .collect(),
        )
    }

    /// Returns the files, sorted by path.
    pub fn files(&self) -> &[FileChange] {
        &self.files
    }

    /// Returns how many files differ and are not among them.
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    /// Returns a file and its place by its path.
    pub fn file(&self, path: &RepoPath) -> Option<(usize, &FileChange)> {
        let at = self.files.binary_search_by(|file| file.path.cmp(path));
        at.ok().map(|at| (at, &self.files[at]))
    }

    /// Returns the hunk that a person means by the first digits of its id, with the place of its
    /// file and its own place there; `None` where none or several are meant. Compares every file.
    pub fn find(&self, text: &str) -> Option<(usize, usize)> {
        let all = self.files.iter().enumerate().flat_map(|(file, change)| {
            let pieces = change.pieces().iter().enumerate();
            pieces.map(move |(at, piece)| (file, at, piece))
        });
        let mut meant = all.filter(|(_, _, piece)| piece.id.is_meant_by(text));
        let (file, piece, _) = meant.next()?;
        meant.next().is_none().then_some((file, piece))
    }

    /// Returns how many lines were added and removed in all. Compares every file.
    pub fn counts(&self) -> (u32, u32) {
        self.files.iter().fold((0, 0), |(added, removed), file| {
            let (more_added, more_removed) = file.counts();
            (
                u32::saturating_add(added, more_added),
                u32::saturating_add(removed, more_removed),
            )
        })
    }
}

/// A file that differs.
#[derive(Debug)]
pub struct FileChange {
    /// Where it is now, or was, if it is gone.
    pub path: RepoPath,
    /// Where it was before, if it was renamed.
    pub was: Option<RepoPath>,
    /// What was there.
    pub old: Side,
    /// What is there now.
    pub new: Side,
    pieces: OnceLock<Vec<Piece>>,
}

impl FileChange {
    /// Makes a change at one path.
    pub const fn new(path: RepoPath, old: Side, new: Side) -> Self {
        Self {
            path,
            was: None,
            old,
            new,
            pieces: OnceLock::new(),
        }
    }

    /// Makes the change of a file that stood at `was` before.
    pub const fn renamed(was: RepoPath, path: RepoPath, old: Side, new: Side) -> Self {
        Self {
            path,
            was: Some(was),
            old,
            new,
            pieces: OnceLock::new(),
        }
    }

    /// Returns whether it is new, gone, or another.
    pub const fn kind(&self) -> ChangeKind {
        match (&self.old, &self.new) {
            (Side::Absent, _) => ChangeKind::Added,
            (_, Side::Absent) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        }
    }

    /// Returns the modes before and after as git writes them, where both are there and differ.
    pub fn mode_change(&self) -> Option<(&'static str, &'static str)> {
        let (old, new) = (self.old.mode()?, self.new.mode()?);
        (old != new).then_some((old, new))
    }

    /// Returns the parts that are decided one by one, in order: what has no lines first, then hunks.
    ///
    /// Compared at the first call and kept.
    pub fn pieces(&self) -> &[Piece] {
        self.pieces.get_or_init(|| pieces(self))
    }

    /// Whether it has been compared, so that [`FileChange::pieces`] costs nothing.
    pub fn is_compared(&self) -> bool {
        self.pieces.get().is_some()
    }

    /// Returns how many lines were added and removed.
    pub fn counts(&self) -> (u32, u32) {
        let lines = self.pieces().iter().filter_map(Piece::hunk);
        lines
            .flat_map(Hunk::changed)
            .fold((0, 0), |(added, removed), line| match line.kind {
                crate::LineKind::Added => (added + 1, removed),
                _ => (added, removed + 1),
            })
    }

    /// Returns the line that a hunk stands below: the last one before its first change that begins
    /// with a letter at its very start, as `git diff` shows it behind the numbers.
    pub fn heading(&self, hunk: &Hunk) -> Option<&str> {
        let new = self.new.text();
        let (text, start) = match new {
            Some(new) => (new, hunk.new_start),
            None => (self.old.text()?, hunk.old_start),
        };
        let before = runs(hunk).first()?.start;
        let end = (start.max(1) as usize - 1).saturating_add(before);
        let lines = lines_of(text);
        let above = lines[..end.min(lines.len())].iter().rev();
        above
            .take(HEADING_LINES)
            .find(|line| line.starts_with(|char: char| char.is_alphabetic() || char == '_'))
            .map(|line| line.trim_end())
    }

    /// Returns up to `most` more lines of the new text, or of the old one where there is no new
    /// one, before and after a hunk: what a wider look at it shows.
    ///
    /// `lines` are those of [`Self::surroundings`], made once for all hunks of a file.
    pub fn around<'a>(
        &self,
        lines: &[&'a str],
        hunk: &Hunk,
        most: usize,
    ) -> (Vec<&'a str>, Vec<&'a str>) {
        let (old_count, new_count) = hunk.extent();
        let (start, count) = match self.new.text() {
            Some(_) => (hunk.new_start, new_count),
            None => (hunk.old_start, old_count),
        };
        let first = (start as usize)
            .saturating_sub(usize::from(count > 0))
            .min(lines.len());
        let end = (first + count as usize).min(lines.len());
        let before = first.saturating_sub(most);
        (
            lines[before..first].to_vec(),
            lines[end..end.saturating_add(most).min(lines.len())].to_vec(),
        )
    }

    /// Returns the lines of the text that hunks are seen in.
    pub fn surroundings(&self) -> Vec<&str> {
        let text = self.new.text().or_else(|| self.old.text());
        lines_of(text.unwrap_or_default())
    }
}

/// One side of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// There is nothing.
    Absent,
    /// A file.
    File {
        /// Whether it may be run.
        executable: bool,
        /// What is in it.
        content: Content,
    },
    /// A symbolic link.
    Link {
        /// Where it leads, as it is written there.
        target: Vec<u8>,
    },
    /// A commit of another repository.
    Gitlink {
        /// Its id.
        commit: String,
    },
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// UTF-8 without NUL, at most [`TEXT_BYTES_MAX`].
    Text(Arc<str>),
    /// Anything else.
    Binary {
        /// How large it is.
        bytes: u64,
        /// What it goes by: its blob, or its SHA-256.
        id: String,
    },
    /// Something that is not looked at.
    TooLarge {
        /// How large it is.
        bytes: u64,
        /// What it goes by: its blob, or its SHA-256.
        id: String,
    },
}

impl Content {
    /// Tells text from what is none.
    pub fn of(bytes: &[u8]) -> Self {
        let large = bytes.len() > TEXT_BYTES_MAX;
        let text = std::str::from_utf8(bytes).ok().filter(|_| !large);
        match text.filter(|text| !text.contains('\0')) {
            Some(text) => Self::Text(text.into()),
            None => {
                let (bytes, id) = (bytes.len() as u64, crate::sha256_hex(bytes));
                if large {
                    Self::TooLarge { bytes, id }
                } else {
                    Self::Binary { bytes, id }
                }
            }
        }
    }
}

impl Side {
    /// Makes the side of a file that was read.
    pub fn of_file(bytes: &[u8], executable: bool) -> Self {
        Self::File {
            executable,
            content: Content::of(bytes),
        }
    }

    /// Makes the side of a text that is not executable.
    pub fn of_text(text: impl Into<Arc<str>>) -> Self {
        Self::File {
            executable: false,
            content: Content::Text(text.into()),
        }
    }

    /// Returns the text; `None` where there is none.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::File {
                content: Content::Text(text),
                ..
            } => Some(text),
            _ => None,
        }
    }

    /// Returns the mode as git writes it; `None` where there is nothing.
    pub const fn mode(&self) -> Option<&'static str> {
        match self {
            Self::Absent => None,
            Self::File {
                executable: true, ..
            } => Some("100755"),
            Self::File { .. } => Some("100644"),
            Self::Link { .. } => Some("120000"),
            Self::Gitlink { .. } => Some("160000"),
        }
    }

    /// Returns what exactly this side goes by, mode included.
    pub fn digest(&self) -> String {
        let mode = self.mode().unwrap_or_default().as_bytes();
        content_id(32, [mode, &self.content_digest().into_bytes()])
    }

    /// Returns what its content goes by, mode left out.
    pub(crate) fn content_digest(&self) -> String {
        let parts: [&[u8]; 2] = match self {
            Self::Absent => [b"absent", b""],
            Self::Link { target } => [b"link", target],
            Self::Gitlink { commit } => [b"gitlink", commit.as_bytes()],
            Self::File { content, .. } => match content {
                Content::Text(text) => [b"text", text.as_bytes()],
                Content::Binary { id, .. } | Content::TooLarge { id, .. } => {
                    [b"file", id.as_bytes()]
                }
            },
        };
        content_id(32, parts)
    }

    fn has_content(&self) -> bool {
        !matches!(self, Self::Absent) && self.text() != Some("")
    }

    const fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}

/// A part of a file's change that is decided by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it goes by.
    pub id: HunkId,
    /// What it is.
    pub content: PieceContent,
    pub(crate) blocks: Vec<Block>,
}

impl Piece {
    /// Returns the line of the new text where its first change is, for an editor; `None` where it
    /// has no lines.
    pub fn first_line(&self) -> Option<u32> {
        let hunk = self.hunk()?;
        let before = runs(hunk).first()?.start;
        Some(hunk.new_start.max(1).saturating_add(saturate(before)))
    }

    /// Returns its lines, if it has any.
    pub const fn hunk(&self) -> Option<&Hunk> {
        match &self.content {
            PieceContent::Lines(hunk) => Some(hunk),
            PieceContent::Whole(_) => None,
        }
    }
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceContent {
    /// Something about the file as a whole.
    Whole(WholeChange),
    /// Lines that differ.
    Lines(Hunk),
}

/// What differs of a file beside its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WholeChange {
    /// It is new and has no lines to show.
    Added,
    /// It is gone and had no lines to show.
    Deleted,
    /// It has another name.
    Renamed,
    /// It may be run now, or may not any more.
    Mode,
    /// It is something else now, without lines that could be compared.
    Replaced,
}

impl WholeChange {
    /// Returns it in a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Deleted => "deleted",
            Self::Renamed => "renamed",
            Self::Mode => "mode",
            Self::Replaced => "replaced",
        }
    }
}

fn pieces(file: &FileChange) -> Vec<Piece> {
    let mut namer = Namer::default();
    let mut found: Vec<Piece> = wholes(file)
        .into_iter()
        .map(|whole| whole_piece(&mut namer, file, whole))
        .collect();
    for hunk in text_hunks(file) {
        let lines: Vec<String> = hunk.changed().map(Line::written).collect();
        found.push(Piece {
            id: namer.piece(&file.path, lines.iter().map(String::as_str)),
            blocks: namer.blocks(&hunk),
            content: PieceContent::Lines(hunk),
        });
    }
    found
}

/// Returns what differs of the file beside its lines.
fn wholes(file: &FileChange) -> Vec<WholeChange> {
    let mut found = Vec::new();
    if file.was.is_some() {
        found.push(WholeChange::Renamed);
    }
    let compared = texts(file).is_some();
    let same = file.old.content_digest() == file.new.content_digest();
    // What is replaced as a whole comes back with its mode.
    let are_files = file.old.is_file() && file.new.is_file();
    if are_files && file.mode_change().is_some() && (compared || same) {
        found.push(WholeChange::Mode);
    }
    let without_lines = |side: &Side| !compared || side.text() == Some("");
    match file.kind() {
        ChangeKind::Added if without_lines(&file.new) => found.push(WholeChange::Added),
        ChangeKind::Deleted if without_lines(&file.old) => found.push(WholeChange::Deleted),
        ChangeKind::Modified if !compared && !same => found.push(WholeChange::Replaced),
        _ => {}
    }
    found
}

fn whole_piece(namer: &mut Namer, file: &FileChange, whole: WholeChange) -> Piece {
    let word = whole.as_str();
    let was = file.was.as_ref().map(RepoPath::to_text).unwrap_or_default();
    let (old, new) = match whole {
        WholeChange::Renamed => (was, file.path.to_text()),
        WholeChange::Mode => {
            let (old, new) = file.mode_change().unwrap_or_default();
            (old.to_owned(), new.to_owned())
        }
        _ => (file.old.digest(), file.new.digest()),
    };
    let (old, new) = (format!("{word} {old}"), format!("{word} {new}"));
    Piece {
        id: namer.piece(&file.path, [old.as_str(), new.as_str()].into_iter()),
        content: PieceContent::Whole(whole),
        blocks: vec![namer.whole(&new, &old)],
    }
}

/// Returns both texts, nothing being empty; `None` where one side is no text.
fn texts(file: &FileChange) -> Option<(&str, &str)> {
    let text = |side: &'_ Side| match side {
        Side::Absent => true,
        side => side.text().is_some(),
    };
    let both = text(&file.old) && text(&file.new);
    both.then(|| {
        (
            file.old.text().unwrap_or_default(),
            file.new.text().unwrap_or_default(),
        )
    })
}

fn text_hunks(file: &FileChange) -> Vec<Hunk> {
    let Some((old, new)) = texts(file) else {
        return Vec::new();
    };
    hunks(old, new, CONTEXT_LINES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn file(old: Side, new: Side) -> FileChange {
        FileChange::new(path("a"), old, new)
    }

    /// What the pieces of a file are, in words.
    fn check(file: &FileChange, expected: &[&str]) {
        let found: Vec<String> = file
            .pieces()
            .iter()
            .map(|piece| match &piece.content {
                PieceContent::Whole(whole) => whole.as_str().to_owned(),
                PieceContent::Lines(hunk) => {
                    let (old, new) = hunk.extent();
                    format!("-{old}+{new}")
                }
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_way_to_differ_has_its_pieces() {
        let text = || Side::of_text("x\ny\n");
        let run = |text: &str| Side::of_file(text.as_bytes(), true);
        let link = |target: &str| Side::Link {
            target: target.as_bytes().to_vec(),
        };
        let commit = |commit: &str| Side::Gitlink {
            commit: commit.to_owned(),
        };
        let binary = |byte: u8| Side::of_file(&[0, byte], false);
        check(&file(Side::Absent, text()), &["-0+2"]);
        check(&file(text(), Side::Absent), &["-2+0"]);
        check(&file(Side::Absent, Side::of_text("")), &["added"]);
        check(&file(Side::of_text(""), Side::Absent), &["deleted"]);
        check(&file(text(), run("x\ny\n")), &["mode"]);
        check(&file(text(), run("x\nz\n")), &["mode", "-2+2"]);
        check(&file(binary(1), binary(2)), &["replaced"]);
        check(&file(run("x\n"), binary(2)), &["replaced"]);
        check(&file(binary(1), Side::of_file(&[0, 1], true)), &["mode"]);
        check(&file(Side::Absent, binary(2)), &["added"]);
        check(&file(text(), binary(2)), &["replaced"]);
        check(&file(link("a"), link("b")), &["replaced"]);
        check(&file(text(), link("b")), &["replaced"]);
        check(&file(commit("1"), commit("2")), &["replaced"]);
        check(&file(commit("1"), Side::Absent), &["deleted"]);
        let renamed = FileChange::renamed(path("b"), path("a"), text(), Side::of_text("x\nw\n"));
        check(&renamed, &["renamed", "-2+2"]);
    }

    #[test]
    fn what_is_text_is_told_from_what_is_none() {
        assert!(matches!(Content::of(b"a\r\n"), Content::Text(_)));
        assert!(matches!(
            Content::of(b"a\0"),
            Content::Binary { bytes: 2, .. }
        ));
        assert!(matches!(Content::of(&[0xff]), Content::Binary { .. }));
        let large = vec![b'a'; TEXT_BYTES_MAX + 1];
        assert!(matches!(Content::of(&large), Content::TooLarge { .. }));
    }

    #[test]
    fn files_are_sorted_once_each_and_only_where_they_differ() {
        let text = |text: &str| Side::of_text(text);
        let change = Change::new(vec![
            FileChange::new(path("b"), text("1\n"), text("2\n")),
            FileChange::new(path("a"), Side::Absent, text("1\n")),
            FileChange::new(path("a"), Side::Absent, text("1\n")),
            FileChange::new(path("c"), text("1\n"), text("1\n")),
        ]);
        let paths: Vec<_> = change
            .files()
            .iter()
            .map(|file| file.path.to_text())
            .collect();
        assert_eq!(paths, ["a", "b"]);
        assert_eq!(change.counts(), (2, 1));
        assert_eq!(change.file(&path("b")).unwrap().0, 1);
        let id = change.files()[1].pieces()[0].id.clone();
        assert_eq!(change.find(id.as_str()), Some((1, 0)));
        assert_eq!(change.find("zzzz"), None);
    }

    #[test]
    fn a_file_that_only_moved_is_renamed() {
        let change = Change::with_renames(vec![
            FileChange::new(path("old.rs"), Side::of_text("x\n"), Side::Absent),
            FileChange::new(path("new.rs"), Side::Absent, Side::of_text("x\n")),
            FileChange::new(path("empty"), Side::Absent, Side::of_text("")),
            FileChange::new(path("was"), Side::of_text(""), Side::Absent),
        ]);
        let names: Vec<_> = change
            .files()
            .iter()
            .map(|file| {
                (
                    file.path.to_text(),
                    file.was.as_ref().map(RepoPath::to_text),
                )
            })
            .collect();
        assert_eq!(
            names,
            [
                ("empty".to_owned(), None),
                ("new.rs".to_owned(), Some("old.rs".to_owned())),
                ("was".to_owned(), None)
            ]
        );
    }

    #[test]
    fn more_of_a_text_is_shown_around_a_hunk() {
        let old: String = (1..=20).map(|line| format!("{line}\n")).collect();
        let change = file(
            Side::of_text(old.as_str()),
            Side::of_text(old.replace("10\n", "x\n")),
        );
        assert_eq!(change.pieces()[0].first_line(), Some(10));
        let hunk = change.pieces()[0].hunk().unwrap();
        let lines = change.surroundings();
        let (before, after) = change.around(&lines, hunk, 2);
        assert_eq!((before, after), (vec!["5\n", "6\n"], vec!["14\n", "15\n"]));
        assert!(change.around(&lines, hunk, 90).0.len() == 6);
    }

    #[test]
    fn a_hunk_stands_below_a_heading() {
        let old = "fn one() {\n    a\n}\n\nfn two() {\n    b\n    c\n    d\n    e\n}\n";
        let change = file(
            Side::of_text(old),
            Side::of_text(old.replace("    e\n", "    f\n")),
        );
        let hunk = change.pieces()[0].hunk().unwrap();
        assert_eq!(change.heading(hunk), Some("fn two() {"));
        let gone = file(Side::of_text("fn one() {\n"), Side::Absent);
        assert_eq!(gone.heading(gone.pieces()[0].hunk().unwrap()), None);
    }

    #[test]
    fn a_change_can_be_compared_by_another_thread() {
        fn check<T: Send + Sync>() {}
        check::<Change>();
    }

    proptest! {
        #[test]
        fn pieces_have_names_of_their_own_and_counts_fit(old in "([a-c]\n){0,40}", new in "([a-c]\n){0,40}") {
            let change = file(Side::of_text(old.as_str()), Side::of_text(new.as_str()));
            let names: std::collections::BTreeSet<&HunkId> = change.pieces().iter().map(|piece| &piece.id).collect();
            prop_assert_eq!(names.len(), change.pieces().len());
            prop_assert_eq!(change.counts(), crate::counts(&old, &new));
            let same = file(Side::of_text(old.as_str()), Side::of_text(new.as_str()));
            prop_assert_eq!(change.pieces(), same.pieces());
        }
    }
}
