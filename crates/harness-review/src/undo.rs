//! Taking back what a person rejected of one file: its lines, or the file as a whole.
//!
//! Says what is to be done; who calls it does it, in this order, as a checkpoint of its own.

use harness_core::RepoPath;
use serde::{Deserialize, Serialize};

use crate::{
    Clash, FileChange, Outcome, Patch, Piece, PieceContent, Side, WholeChange, Why,
    decision::Chosen, reverse, text::head,
};

/// The most of a file that a clash shows. Unit: bytes.
const SHOWN_BYTES_MAX: usize = 4 * 1024;

/// What a rejection keeps, so that it can be taken back later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kept {
    /// Lines.
    Lines(Patch),
    /// Something about the file as a whole.
    Whole(WholePatch),
}

/// What takes something about a file as a whole back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholePatch {
    /// What is to be done.
    pub undo: WholeUndo,
    /// What the old side goes by.
    pub old: String,
    /// What the new side goes by: only exactly that is taken back.
    pub new: String,
}

/// How something about a file as a whole is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WholeUndo {
    /// A new file goes.
    Delete,
    /// What was there comes back.
    Restore,
    /// Whether it may be run is as it was.
    Executable(bool),
    /// It goes back to where it was.
    Move(RepoPath),
}

/// One thing that is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write a text, mode unchanged; a file that is not there becomes an ordinary one.
    Write {
        /// Where.
        path: RepoPath,
        /// What.
        text: String,
    },
    /// Delete a file.
    Delete {
        /// Which.
        path: RepoPath,
    },
    /// Put the old side of the change back as it was, mode, link and all.
    Restore {
        /// Where.
        path: RepoPath,
    },
    /// Say whether a file may be run.
    SetExecutable {
        /// Which.
        path: RepoPath,
        /// Whether it may.
        executable: bool,
    },
    /// Move a file back.
    Move {
        /// Where it is.
        from: RepoPath,
        /// Where it was.
        to: RepoPath,
    },
}

/// What is to be done for one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The steps, in order; none where nothing could or had to be taken back.
    pub steps: Vec<Step>,
    /// What became of each part, in the order in which they were given.
    pub outcomes: Vec<Outcome>,
}

impl Kept {
    /// Returns about how much room it takes. Unit: bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Lines(patch) => patch.bytes(),
            Self::Whole(_) => 200,
        }
    }

    /// Makes what takes chosen lines of a piece back, or the whole of it.
    ///
    /// `None` where none of its changed lines is chosen. All lines of a file that is new or gone are
    /// the file: it is deleted, or restored, and not emptied or written.
    pub fn of(file: &FileChange, piece: &Piece, chosen: &Chosen) -> Option<Self> {
        let whole = |undo| {
            Some(Self::Whole(WholePatch {
                undo,
                old: file.old.digest(),
                new: file.new.digest(),
            }))
        };
        match &piece.content {
            PieceContent::Whole(WholeChange::Added) => whole(WholeUndo::Delete),
            PieceContent::Whole(WholeChange::Deleted | WholeChange::Replaced) => {
                whole(WholeUndo::Restore)
            }
            PieceContent::Whole(WholeChange::Mode) => {
                whole(WholeUndo::Executable(file.old.mode() == Some("100755")))
            }
            PieceContent::Whole(WholeChange::Renamed) => whole(WholeUndo::Move(file.was.clone()?)),
            PieceContent::Lines(hunk) => {
                let all = (0..hunk.lines.len())
                    .all(|at| hunk.lines[at].kind == crate::LineKind::Context || chosen.has(at));
                match (&file.old, &file.new) {
                    (Side::Absent, _) if all => whole(WholeUndo::Delete),
                    (_, Side::Absent) if all => whole(WholeUndo::Restore),
                    _ => {
                        let new = file.new.text().unwrap_or_default();
                        Patch::of(new, hunk, chosen).map(Self::Lines)
                    }
                }
            }
        }
    }
}

/// Says how to take back what was rejected of the file at `path`, as it is now.
///
/// Lines are written before the file is moved back.
pub fn undo(path: &RepoPath, current: &Side, parts: &[&Kept]) -> Undone {
    let lines: Vec<&Patch> = parts
        .iter()
        .filter_map(|part| match part {
            Kept::Lines(patch) => Some(patch),
            Kept::Whole(_) => None,
        })
        .collect();
    let text = match current {
        Side::Absent => Some(""),
        side => side.text(),
    };
    let mut steps = Vec::new();
    let reversed = reverse(text.unwrap_or_default(), &lines);
    if text.is_some_and(|text| reversed.text != text) {
        steps.push(Step::Write {
            path: path.clone(),
            text: reversed.text,
        });
    }
    let mut of_lines = reversed.outcomes.into_iter();
    let outcomes = parts
        .iter()
        .map(|part| match part {
            Kept::Lines(_) => of_lines.next().unwrap_or(Outcome::Already),
            Kept::Whole(patch) => match whole(path, current, patch) {
                Ok(Some(step)) => {
                    steps.push(step);
                    Outcome::Applied { line: 1 }
                }
                Ok(None) => Outcome::Already,
                Err(clash) => Outcome::Clash(clash),
            },
        })
        .collect();
    // What is written must be written where it stands.
    steps.sort_by_key(|step| matches!(step, Step::Move { .. }));
    Undone { steps, outcomes }
}

fn whole(path: &RepoPath, current: &Side, patch: &WholePatch) -> Result<Option<Step>, Clash> {
    let path = path.clone();
    let digest = current.digest();
    let is_there = !matches!(current, Side::Absent);
    match &patch.undo {
        WholeUndo::Executable(executable) => match current {
            Side::File {
                executable: now, ..
            } => Ok((now != executable).then_some(Step::SetExecutable {
                path,
                executable: *executable,
            })),
            _ => Err(clash(current)),
        },
        WholeUndo::Move(was) if is_there => Ok(Some(Step::Move {
            from: path,
            to: was.clone(),
        })),
        WholeUndo::Move(_) => Err(clash(current)),
        _ if digest == patch.old => Ok(None),
        _ if digest != patch.new => Err(clash(current)),
        WholeUndo::Delete => Ok(Some(Step::Delete { path })),
        WholeUndo::Restore => Ok(Some(Step::Restore { path })),
    }
}

fn clash(current: &Side) -> Clash {
    let found = match (current, current.text()) {
        (_, Some(text)) => head(text, SHOWN_BYTES_MAX).to_owned(),
        (Side::Absent, _) => "[there is no such file]".to_owned(),
        _ => "[something that is no text]".to_owned(),
    };
    Clash {
        why: Why::Gone,
        line: 1,
        wanted: "[the file as it was when it was rejected]".to_owned(),
        instead: "[the file as it was before the change]".to_owned(),
        found,
        places: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    /// Rejects every piece of a file and says what is to be done to `current`.
    fn rejected(file: &FileChange, current: &Side) -> Undone {
        let kept: Vec<Kept> = file
            .pieces()
            .iter()
            .filter_map(|piece| Kept::of(file, piece, &Chosen::All))
            .collect();
        undo(&file.path, current, &kept.iter().collect::<Vec<_>>())
    }

    fn check(file: &FileChange, expected: &[Step]) {
        let undone = rejected(file, &file.new);
        assert_eq!(undone.steps, expected);
        assert!(
            undone
                .outcomes
                .iter()
                .all(|outcome| matches!(outcome, Outcome::Applied { .. }))
        );
    }

    #[test]
    fn every_way_to_differ_has_its_way_back() {
        let a = || path("a");
        let file = |old, new| FileChange::new(path("a"), old, new);
        let text = || Side::of_text("x\ny\n");
        let link = |target: &[u8]| Side::Link {
            target: target.to_vec(),
        };
        let delete = [Step::Delete { path: a() }];
        let restore = [Step::Restore { path: a() }];
        check(&file(Side::Absent, text()), &delete);
        check(&file(Side::Absent, Side::of_text("")), &delete);
        check(&file(Side::Absent, link(b"b")), &delete);
        check(&file(text(), Side::Absent), &restore);
        check(&file(Side::of_text(""), Side::Absent), &restore);
        check(&file(link(b"c"), link(b"b")), &restore);
        check(&file(text(), Side::of_file(&[0], false)), &restore);
        let write = Step::Write {
            path: a(),
            text: "x\ny\n".to_owned(),
        };
        let plain = Step::SetExecutable {
            path: a(),
            executable: false,
        };
        check(
            &file(text(), Side::of_file(b"x\n", true)),
            &[write.clone(), plain],
        );
        let renamed = FileChange::renamed(path("b"), a(), text(), Side::of_text("x\n"));
        check(
            &renamed,
            &[
                write,
                Step::Move {
                    from: a(),
                    to: path("b"),
                },
            ],
        );
    }

    #[test]
    fn only_exactly_what_was_rejected_is_deleted() {
        let file = FileChange::new(path("a"), Side::Absent, Side::of_text("x\n"));
        let undone = rejected(&file, &Side::of_text("x\nmore\n"));
        assert_eq!(undone.steps, []);
        assert_eq!(undone.outcomes[0].clash().unwrap().found, "x\nmore\n");
        assert_eq!(rejected(&file, &Side::Absent).outcomes, [Outcome::Already]);
        let gone = FileChange::new(path("a"), Side::of_text("x\n"), Side::Absent);
        assert_eq!(
            rejected(&gone, &Side::of_text("x\n")).outcomes,
            [Outcome::Already]
        );
        assert!(
            rejected(&gone, &Side::of_text("y\n")).outcomes[0]
                .clash()
                .is_some()
        );
    }

    #[test]
    fn a_part_of_a_file_that_is_gone_comes_back() {
        let file = FileChange::new(path("a"), Side::of_text("x\ny\n"), Side::Absent);
        let chosen = Chosen::Lines([1].into());
        let kept = Kept::of(&file, &file.pieces()[0], &chosen).unwrap();
        let undone = undo(&file.path, &Side::Absent, &[&kept]);
        let write = Step::Write {
            path: path("a"),
            text: "y\n".to_owned(),
        };
        assert_eq!(undone.steps, [write]);
    }

    /// Does what is said to be done to the new side of a file.
    fn done(file: &FileChange, steps: &[Step]) -> (RepoPath, Side) {
        let (mut at, mut side) = (file.path.clone(), file.new.clone());
        for step in steps {
            match step {
                Step::Write { text, .. } => {
                    let is_executable = side.mode() == Some("100755");
                    side = Side::of_file(text.as_bytes(), is_executable);
                }
                Step::Delete { .. } => side = Side::Absent,
                Step::Restore { .. } => side = file.old.clone(),
                Step::SetExecutable { executable, .. } => {
                    let Side::File { content, .. } = side else {
                        panic!("only a file may be run");
                    };
                    side = Side::File {
                        executable: *executable,
                        content,
                    };
                }
                Step::Move { to, .. } => at = to.clone(),
            }
        }
        (at, side)
    }

    fn side() -> impl Strategy<Value = Side> {
        prop_oneof![
            1 => Just(Side::Absent),
            6 => ("([a-c]\r?\n){0,12}[a-c]?", any::<bool>())
                .prop_map(|(text, executable)| Side::of_file(text.as_bytes(), executable)),
            1 => any::<u8>().prop_map(|byte| Side::of_file(&[0, byte], false)),
            1 => "[ab]".prop_map(|target| Side::Link { target: target.into_bytes() }),
            1 => "[ab]".prop_map(|commit| Side::Gitlink { commit }),
        ]
    }

    proptest! {
        #[test]
        fn rejecting_everything_gives_what_was_there(old in side(), new in side(), is_renamed in any::<bool>()) {
            let is_text = old.text().is_some() && new.text().is_some();
            let (file, was) = if is_renamed && is_text {
                (FileChange::renamed(path("b"), path("a"), old, new), path("b"))
            } else {
                (FileChange::new(path("a"), old, new), path("a"))
            };
            let undone = rejected(&file, &file.new);
            prop_assert!(undone.outcomes.iter().all(|outcome| outcome.clash().is_none()));
            let (at, side) = done(&file, &undone.steps);
            prop_assert_eq!((at, &side), (was, &file.old));
            // Done twice, it is done once; several hunks move each other.
            if file.was.is_none() && file.pieces().len() == 1 {
                prop_assert_eq!(rejected(&file, &side).steps, []);
            }
        }
    }
}
