//! The order in which a change is looked at: the tree of its files, how each stands, and what comes
//! next.

use std::collections::{BTreeMap, BTreeSet};

use harness_core::{Finding, FindingKind, RepoPath};

use crate::{
    AnchorSide, Book, Change, CommentState, Decision, FileChange, HunkState, states, text::count,
};

/// How every file of a change stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// One for each file of the change, in its order.
    pub files: Vec<FileStanding>,
    /// All of it in numbers.
    pub progress: Progress,
}

/// How a file stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileStanding {
    /// One for each piece of the file, in its order.
    pub hunks: Vec<HunkState>,
    /// How many comments about it are not resolved.
    pub comments: usize,
}

impl FileStanding {
    /// Returns how many of its pieces are decided.
    pub fn decided(&self) -> usize {
        let decided = self.hunks.iter().filter(|hunk| hunk.state.is_decided());
        decided.count()
    }

    /// Whether all of it is decided.
    pub fn is_done(&self) -> bool {
        self.decided() == self.hunks.len()
    }
}

/// How far a review has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Pieces that are decided.
    pub decided: usize,
    /// All pieces.
    pub hunks: usize,
    /// Files that are done.
    pub files_done: usize,
    /// All files.
    pub files: usize,
    /// Comments that are not resolved.
    pub comments: usize,
    /// Comments that were not sent.
    pub drafts: usize,
    /// Open `must-fix`.
    pub must_fix: usize,
    /// Rejections that wait for the end of the turn.
    pub pending: usize,
}

impl Progress {
    /// Returns it in words: `4 of 9 hunks, 2 comments`.
    pub fn worded(&self) -> String {
        let hunks = format!("{} of {}", self.decided, count(self.hunks, "hunk"));
        format!("{hunks}, {}", count(self.comments, "comment"))
    }

    /// Whether everything is decided and nothing holds the work up.
    pub const fn is_done(&self) -> bool {
        self.decided == self.hunks && self.must_fix == 0
    }
}

/// Says how every file of a change stands. Compares every file.
pub fn standing(change: &Change, book: &Book) -> Standing {
    let mut decisions: BTreeMap<&RepoPath, Vec<&Decision>> = BTreeMap::new();
    for decision in &book.decisions {
        decisions.entry(&decision.path).or_default().push(decision);
    }
    let mut comments: BTreeMap<&RepoPath, usize> = BTreeMap::new();
    let open = || book.comments.iter().filter(|comment| comment.is_open());
    for path in open().filter_map(|comment| comment.place.path()) {
        *comments.entry(path).or_default() += 1;
    }
    let files: Vec<FileStanding> = change
        .files()
        .iter()
        .map(|file| {
            let decisions = decisions.get(&file.path).map_or(&[][..], Vec::as_slice);
            FileStanding {
                hunks: states(file.pieces(), decisions),
                comments: comments.get(&file.path).copied().unwrap_or_default(),
            }
        })
        .collect();
    let progress = Progress {
        decided: files.iter().map(FileStanding::decided).sum(),
        hunks: files.iter().map(|file| file.hunks.len()).sum(),
        files_done: files.iter().filter(|file| file.is_done()).count(),
        files: files.len(),
        comments: open().count(),
        drafts: open()
            .filter(|comment| comment.state == CommentState::Draft)
            .count(),
        must_fix: book.open_must_fix().len(),
        pending: book.pending().count(),
    };
    Standing { files, progress }
}

/// How files are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sorting {
    /// By path, folders first.
    #[default]
    Path,
    /// Files with findings first, and folders that hold some.
    FindingsFirst,
}

/// What is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hidden {
    /// Everything is shown.
    #[default]
    Nothing,
    /// Files of which everything is decided are not.
    Done,
}

/// The files of a change as a tree, and their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    rows: Vec<Row>,
    /// Every file in the order of the tree, also those that are not shown.
    files: Vec<usize>,
    hidden: BTreeSet<usize>,
}

/// A line of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How many folders it stands in, folders on one line counted once.
    pub depth: u16,
    /// What it is called there; bytes that are no UTF-8 replaced.
    pub name: String,
    /// What it is.
    pub kind: RowKind,
}

/// What a line of the tree is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// A folder, or several that hold nothing but the next one.
    Folder {
        /// The innermost of them.
        path: RepoPath,
    },
    /// A file.
    File {
        /// Its place in the change.
        at: usize,
    },
}

/// A piece of a file of a change, by places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The file's place in the change.
    pub file: usize,
    /// The piece's place in the file.
    pub piece: usize,
}

#[derive(Default)]
struct Folder {
    folders: BTreeMap<Vec<u8>, Folder>,
    files: Vec<(Vec<u8>, usize)>,
    has_findings: bool,
}

impl Order {
    /// Orders the files of a change; `found` are the paths that something was found in.
    pub fn new(
        change: &Change,
        standing: &Standing,
        found: &BTreeSet<RepoPath>,
        (sorting, hidden): (Sorting, Hidden),
    ) -> Self {
        let is_done = |at: &usize| standing.files.get(*at).is_some_and(FileStanding::is_done);
        let hidden = match hidden {
            Hidden::Nothing => BTreeSet::new(),
            Hidden::Done => (0..change.files().len()).filter(is_done).collect(),
        };
        let found = match sorting {
            Sorting::Path => &BTreeSet::new(),
            Sorting::FindingsFirst => found,
        };
        let tree = |shown: &dyn Fn(&usize) -> bool| {
            let mut root = Folder::default();
            let files = change.files().iter().enumerate();
            for (at, file) in files.filter(|(at, _)| shown(at)) {
                root.insert(file, at, found);
            }
            root
        };
        let mut order = Self::default();
        let is_found = |at: usize| found.contains(&change.files()[at].path);
        tree(&|_| true).rows(&RepoPath::root(), 0, &is_found, &mut order.rows);
        order.files = order.shown().collect();
        if !hidden.is_empty() {
            order.rows.clear();
            let shown = tree(&|at| !hidden.contains(at));
            shown.rows(&RepoPath::root(), 0, &is_found, &mut order.rows);
        }
        order.hidden = hidden;
        order
    }

    /// Returns the lines of the tree.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Returns how many files are not shown.
    pub fn hidden(&self) -> usize {
        self.hidden.len()
    }

    fn shown(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().filter_map(|row| match row.kind {
            RowKind::File { at } => Some(at),
            RowKind::Folder { .. } => None,
        })
    }

    /// Iterates over the files that are shown after one, or over all where none is given.
    fn after(&self, file: Option<usize>) -> impl Iterator<Item = usize> {
        let start = file.and_then(|file| self.files.iter().position(|at| *at == file));
        let rest = &self.files[start.map_or(0, |at| at + 1)..];
        rest.iter().copied().filter(|at| !self.hidden.contains(at))
    }

    fn before(&self, file: Option<usize>) -> impl Iterator<Item = usize> {
        let start = file.and_then(|file| self.files.iter().position(|at| *at == file));
        let rest = &self.files[..start.unwrap_or(self.files.len())];
        rest.iter()
            .rev()
            .copied()
            .filter(|at| !self.hidden.contains(at))
    }

    /// Returns the first piece of the next file; of the first one from nowhere.
    pub fn next_file(&self, from: Option<Spot>) -> Option<Spot> {
        let file = self.after(from.map(|spot| spot.file)).next()?;
        Some(Spot { file, piece: 0 })
    }

    /// Returns the first piece of the file before; of the last one from nowhere.
    pub fn previous_file(&self, from: Option<Spot>) -> Option<Spot> {
        let file = self.before(from.map(|spot| spot.file)).next()?;
        Some(Spot { file, piece: 0 })
    }

    /// Returns the next piece, over the ends of files.
    pub fn next_hunk(&self, change: &Change, from: Option<Spot>) -> Option<Spot> {
        let pieces = |file: usize| change.files()[file].pieces().len();
        let here = from.filter(|spot| spot.piece + 1 < pieces(spot.file));
        let next = here.map(|spot| Spot {
            piece: spot.piece + 1,
            ..spot
        });
        next.or_else(|| {
            let mut files = self.after(from.map(|spot| spot.file));
            let file = files.find(|file| pieces(*file) > 0)?;
            Some(Spot { file, piece: 0 })
        })
    }

    /// Returns the piece before, over the beginnings of files.
    pub fn previous_hunk(&self, change: &Change, from: Option<Spot>) -> Option<Spot> {
        let pieces = |file: usize| change.files()[file].pieces().len();
        let here = from.filter(|spot| spot.piece > 0);
        let before = here.map(|spot| Spot {
            piece: spot.piece - 1,
            ..spot
        });
        before.or_else(|| {
            let mut files = self.before(from.map(|spot| spot.file));
            let file = files.find(|file| pieces(*file) > 0)?;
            Some(Spot {
                file,
                piece: pieces(file) - 1,
            })
        })
    }

    /// Returns the next piece that is not decided, from the beginning again after the end.
    pub fn next_open(
        &self,
        change: &Change,
        standing: &Standing,
        from: Option<Spot>,
    ) -> Option<Spot> {
        let is_open = |spot: &Spot| {
            let file = standing.files.get(spot.file);
            file.and_then(|file| file.hunks.get(spot.piece))
                .is_some_and(|hunk| !hunk.state.is_decided())
        };
        let after = std::iter::successors(self.next_hunk(change, from), |spot| {
            self.next_hunk(change, Some(*spot))
        });
        let again = std::iter::successors(self.next_hunk(change, None), |spot| {
            self.next_hunk(change, Some(*spot))
        });
        after.chain(again).find(is_open)
    }
}

impl Folder {
    fn insert(&mut self, file: &FileChange, at: usize, found: &BTreeSet<RepoPath>) {
        let has_findings = found.contains(&file.path);
        let mut folder = self;
        folder.has_findings |= has_findings;
        let mut components = file.path.components();
        let name = components.next_back().unwrap_or_default().to_vec();
        for component in components {
            folder = folder.folders.entry(component.to_vec()).or_default();
            folder.has_findings |= has_findings;
        }
        folder.files.push((name, at));
    }

    fn rows(
        &self,
        path: &RepoPath,
        depth: u16,
        is_found: &dyn Fn(usize) -> bool,
        rows: &mut Vec<Row>,
    ) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut folders: Vec<(&Vec<u8>, &Self)> = self.folders.iter().collect();
        folders.sort_by_key(|(_, folder)| !folder.has_findings);
        for (name, mut folder) in folders {
            let mut label = text(name);
            let mut inner = path.join(name).unwrap_or_default();
            while let (true, Some((name, only))) = (
                folder.files.is_empty() && folder.folders.len() == 1,
                folder.folders.first_key_value(),
            ) {
                label = format!("{label}/{}", text(name));
                inner = inner.join(name).unwrap_or_default();
                folder = only;
            }
            rows.push(Row {
                depth,
                name: label,
                kind: RowKind::Folder {
                    path: inner.clone(),
                },
            });
            folder.rows(&inner, depth.saturating_add(1), is_found, rows);
        }
        let mut files: Vec<&(Vec<u8>, usize)> = self.files.iter().collect();
        files.sort_by_key(|(_, at)| !is_found(*at));
        rows.extend(files.into_iter().map(|(name, at)| Row {
            depth,
            name: text(name),
            kind: RowKind::File { at: *at },
        }));
    }
}

/// Returns where a finding comes in a list: weakened tests first, then what else weakens a gate.
pub const fn finding_rank(kind: FindingKind) -> u8 {
    match kind {
        FindingKind::TestsRemoved | FindingKind::TestsSkipped | FindingKind::AssertionsWeakened => {
            0
        }
        FindingKind::TestsRenamed
        | FindingKind::SnapshotChanged
        | FindingKind::ThresholdLowered => 1,
        FindingKind::LintSilenced | FindingKind::GateAffecting | FindingKind::GateChangedFiles => 2,
        _ => 3,
    }
}

/// Returns the piece of a file that a finding is about: the hunk that holds its line or is nearest
/// to it; `None` where the file has no pieces.
pub fn piece_of(file: &FileChange, finding: &Finding) -> Option<usize> {
    let Some(line) = finding.line else {
        return (!file.pieces().is_empty()).then_some(0);
    };
    let side = match finding.kind {
        FindingKind::TestsRemoved => AnchorSide::Old,
        _ => AnchorSide::New,
    };
    let distance = |hunk: &crate::Hunk| hunk.distance(side, line);
    let pieces = file.pieces().iter().enumerate();
    pieces
        .min_by_key(|(_, piece)| piece.hunk().map_or(u32::MAX, distance))
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use harness_core::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::{Base, Choice, Chosen, Side};

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn change(paths: &[&str]) -> Change {
        let lines: String = (0..30).map(|line| format!("{line}\n")).collect();
        let new = lines
            .replace("5\n", "five\n")
            .replacen("\n20\n", "\ntwenty\n", 1);
        let files = paths.iter().map(|text| {
            FileChange::new(
                path(text),
                Side::of_text(lines.as_str()),
                Side::of_text(new.as_str()),
            )
        });
        Change::new(files.collect())
    }

    fn book() -> Book {
        Book::new(Base::LastCheckpoint, Timestamp::default())
    }

    fn accept(book: &mut Book, change: &Change, file: usize) {
        let file = &change.files()[file];
        for piece in 0..file.pieces().len() {
            let now = Timestamp::from_millis(1);
            book.decide(file, piece, &Chosen::All, (Choice::Accepted, ""), now)
                .unwrap();
        }
    }

    fn drawn(order: &Order) -> Vec<String> {
        let rows = order.rows().iter();
        rows.map(|row| format!("{}{}", "  ".repeat(row.depth.into()), row.name))
            .collect()
    }

    const PATHS: [&str; 5] = [
        "README.md",
        "src/a/b/c.rs",
        "src/a/b/d.rs",
        "src/main.rs",
        "x/y/z.rs",
    ];

    #[test]
    fn folders_with_one_child_stand_on_one_line() {
        let change = change(&PATHS);
        let standing = standing(&change, &book());
        let found = BTreeSet::new();
        let order = Order::new(&change, &standing, &found, (Sorting::Path, Hidden::Nothing));
        assert_eq!(
            drawn(&order),
            [
                "src",
                "  a/b",
                "    c.rs",
                "    d.rs",
                "  main.rs",
                "x/y",
                "  z.rs",
                "README.md"
            ]
        );
        let found = [path("x/y/z.rs"), path("src/a/b/d.rs")].into();
        let order = Order::new(
            &change,
            &standing,
            &found,
            (Sorting::FindingsFirst, Hidden::Nothing),
        );
        assert_eq!(drawn(&order)[..4], ["src", "  a/b", "    d.rs", "    c.rs"]);
    }

    #[test]
    fn one_goes_over_all_hunks_in_the_order_of_the_tree() {
        let change = change(&PATHS);
        let standing = standing(&change, &book());
        let order = Order::new(
            &change,
            &standing,
            &BTreeSet::new(),
            (Sorting::Path, Hidden::Nothing),
        );
        let step = |spot: Option<Spot>| order.next_hunk(&change, spot);
        let forwards: Vec<Spot> =
            std::iter::successors(step(None), |spot| step(Some(*spot))).collect();
        assert_eq!(forwards.len(), standing.progress.hunks);
        assert_eq!(forwards.last().unwrap().file, 0);
        let step = |spot: Option<Spot>| order.previous_hunk(&change, spot);
        let mut backwards: Vec<Spot> =
            std::iter::successors(step(None), |spot| step(Some(*spot))).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        assert_eq!(order.next_file(Some(forwards[0])).unwrap().file, 2);
        assert_eq!(order.previous_file(Some(forwards[0])), None);
    }

    #[test]
    fn what_is_done_is_hidden_and_passed_over() {
        let change = change(&PATHS);
        let mut book = book();
        accept(&mut book, &change, 1);
        let now = standing(&change, &book);
        assert!(now.files[1].is_done());
        assert_eq!(now.progress.files_done, 1);
        let hunks = now.progress.hunks;
        assert_eq!(
            now.progress.worded(),
            format!("{} of {hunks} hunks, 0 comments", now.files[1].hunks.len())
        );
        let order = Order::new(
            &change,
            &now,
            &BTreeSet::new(),
            (Sorting::Path, Hidden::Done),
        );
        assert_eq!(drawn(&order)[..3], ["src", "  a/b", "    d.rs"]);
        assert_eq!(order.hidden(), 1);
        // From a file that was hidden just now one goes on to its neighbour.
        let here = Spot { file: 1, piece: 0 };
        assert_eq!(order.next_file(Some(here)).unwrap().file, 2);
        let last = Spot { file: 0, piece: 9 };
        assert_eq!(order.next_open(&change, &now, Some(last)).unwrap().file, 2);
        for file in [0, 2, 3, 4] {
            accept(&mut book, &change, file);
        }
        let now = standing(&change, &book);
        assert_eq!(order.next_open(&change, &now, None), None);
        assert!(now.progress.is_done());
    }

    #[test]
    fn a_finding_is_shown_beside_its_hunk() {
        let change = change(&["a"]);
        let file = &change.files()[0];
        let finding = |line| Finding {
            line,
            ..Finding::of_path(FindingKind::TestsSkipped, path("a"), String::new())
        };
        let pieces = file.pieces().len();
        assert_eq!(piece_of(file, &finding(Some(21))), Some(pieces - 1));
        assert_eq!(piece_of(file, &finding(Some(1))), Some(0));
        assert_eq!(piece_of(file, &finding(None)), Some(0));
        assert!(finding_rank(FindingKind::TestsRemoved) < finding_rank(FindingKind::SecretAdded));
    }

    proptest! {
        #[test]
        fn every_file_stands_once_in_the_tree_and_every_piece_comes_once(
            names in proptest::collection::btree_set("[ab](/[ab]){0,3}/[fg]", 1..12),
            done in proptest::collection::btree_set(0_usize..12, 0..6),
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let change = change(&names);
            let mut book = book();
            for file in done.iter().filter(|file| **file < names.len()) {
                accept(&mut book, &change, *file);
            }
            let now = standing(&change, &book);
            for hidden in [Hidden::Nothing, Hidden::Done] {
                let order = Order::new(&change, &now, &BTreeSet::new(), (Sorting::Path, hidden));
                let mut shown: Vec<usize> = order.shown().collect();
                shown.sort_unstable();
                let is_shown = |at: &usize| hidden == Hidden::Nothing || !now.files[*at].is_done();
                let expected: Vec<usize> = (0..names.len()).filter(is_shown).collect();
                prop_assert_eq!(&shown, &expected);
                let step = |spot: Option<Spot>| order.next_hunk(&change, spot);
                let spots: Vec<Spot> = std::iter::successors(step(None), |spot| step(Some(*spot))).collect();
                let pieces: usize = expected.iter().map(|at| change.files()[*at].pieces().len()).sum();
                prop_assert_eq!(spots.len(), pieces);
                for pair in spots.windows(2) {
                    prop_assert_eq!(order.previous_hunk(&change, Some(pair[1])), Some(pair[0]));
                }
            }
        }
    }
}
