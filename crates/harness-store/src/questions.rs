//! Questions that agents have put to a person, and the answers that came from outside of a run.
//!
//! One small state file each, below `questions/`. A run keeps a question before it logs it, and
//! reads the answer back; whoever answers writes it here. Which features wait, and what an answer
//! means for them, is the caller's business. The lock is held for one change, never while a
//! person thinks.

use std::path::PathBuf;

use harness_core::{ByteCount, CallId, FeatureId, QuestionId, RunId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    FileError, Store,
    file::{Locked, create_folder, failed},
    state::{self, StateError},
};

/// The longest answer that is kept.
pub const ANSWER_BYTES_MAX: ByteCount = ByteCount::kib(16);
/// What is kept of a question; the log has all of it.
pub const QUESTION_BYTES_MAX: ByteCount = ByteCount::kib(8);
/// The most questions of one repository; then no more is kept, and runs go on without.
pub const QUESTIONS_MAX: u32 = 10_000;

/// A question that an agent has asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedQuestion {
    /// The run.
    pub run: RunId,
    /// The session.
    pub session: SessionId,
    /// The call that asks.
    pub call: CallId,
    /// The feature in work.
    pub feature: FeatureId,
    /// The work tree the run works in.
    pub root: String,
    /// What is asked.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// The answer.
    pub text: String,
    /// Who gave it, as the system names them.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How a question stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum QuestionState {
    /// Nobody has answered it.
    Open,
    /// It was answered from outside of the run.
    Answered(KeptAnswer),
    /// Nothing waits for an answer any more: it was given where the run was shown, or cut short.
    Closed,
}

/// A question with its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptQuestion {
    /// What it is named by.
    pub id: QuestionId,
    /// What was asked.
    pub asked: AskedQuestion,
    /// How it stands.
    pub state: QuestionState,
}

/// Why a question could not be kept, read or answered.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// A file could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The folder could not be read or locked.
    #[error(transparent)]
    File(#[from] FileError),
    /// There are as many as may be.
    #[error("cannot keep another question: there are {QUESTIONS_MAX}")]
    TooMany,
    /// There is no such question.
    #[error("there is no question `{id}`")]
    Unknown {
        /// The id.
        id: QuestionId,
    },
    /// It has an answer already.
    #[error("question `{id}` was answered by {} at {}", .answer.by, .answer.at)]
    Answered {
        /// The id.
        id: QuestionId,
        /// The answer.
        answer: Box<KeptAnswer>,
    },
    /// Nothing waits for it.
    #[error("question `{id}` is closed: nothing waits for an answer")]
    Closed {
        /// The id.
        id: QuestionId,
    },
}

impl Store {
    /// Keeps a question and returns its name; the same call of a session keeps its own.
    ///
    /// What is over [`QUESTION_BYTES_MAX`] of the text is cut off.
    ///
    /// # Errors
    /// When the folder cannot be read, locked or written, or holds [`QUESTIONS_MAX`].
    pub fn keep_question(&self, mut asked: AskedQuestion) -> Result<QuestionId, QuestionError> {
        let _lock = self.lock_questions()?;
        let is_same = |kept: &KeptQuestion| {
            kept.asked.session == asked.session && kept.asked.call == asked.call
        };
        // A question that is asked once more is one of the newest.
        let numbers = self.question_numbers()?;
        for number in numbers.iter().rev().take(100) {
            if let Ok(Some(kept)) = self.question(QuestionId::new(*number))
                && is_same(&kept)
            {
                return Ok(kept.id);
            }
        }
        let number = numbers.last().copied().unwrap_or_default() + 1;
        if number > QUESTIONS_MAX {
            return Err(QuestionError::TooMany);
        }
        let end = asked
            .text
            .floor_char_boundary(QUESTION_BYTES_MAX.as_usize());
        asked.text.truncate(end);
        let id = QuestionId::new(number);
        let kept = KeptQuestion {
            id,
            asked,
            state: QuestionState::Open,
        };
        state::write_json(self.question_path(id), &kept)?;
        Ok(id)
    }

    /// Reads a question; `None` when there is none of this name.
    ///
    /// # Errors
    /// As [`state::read_json`].
    pub fn question(&self, id: QuestionId) -> Result<Option<KeptQuestion>, QuestionError> {
        Ok(state::read_json(self.question_path(id))?)
    }

    /// Reads all questions, oldest first, with what is wrong with those that cannot be read.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn questions(&self) -> Result<(Vec<KeptQuestion>, Vec<QuestionError>), QuestionError> {
        let (mut questions, mut problems) = (Vec::new(), Vec::new());
        for number in self.question_numbers()? {
            match self.question(QuestionId::new(number)) {
                Ok(kept) => questions.extend(kept),
                Err(problem) => problems.push(problem),
            }
        }
        Ok((questions, problems))
    }

    /// Keeps the answer to an open question, durably.
    ///
    /// # Errors
    /// When there is no such question, it is answered or closed, or the file cannot be written.
    pub fn answer_question(&self, id: QuestionId, answer: KeptAnswer) -> Result<(), QuestionError> {
        let _lock = self.lock_questions()?;
        let Some(mut kept) = self.question(id)? else {
            return Err(QuestionError::Unknown { id });
        };
        match kept.state {
            QuestionState::Open => {}
            QuestionState::Answered(answer) => {
                return Err(QuestionError::Answered {
                    id,
                    answer: Box::new(answer),
                });
            }
            QuestionState::Closed => return Err(QuestionError::Closed { id }),
        }
        kept.state = QuestionState::Answered(answer);
        Ok(state::write_json(self.question_path(id), &kept)?)
    }

    /// Closes an open question: nothing waits for its answer. One that is answered stays so.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn close_question(&self, id: QuestionId) -> Result<(), QuestionError> {
        let _lock = self.lock_questions()?;
        match self.question(id)? {
            Some(kept) if kept.state == QuestionState::Open => {
                let kept = KeptQuestion {
                    state: QuestionState::Closed,
                    ..kept
                };
                Ok(state::write_json(self.question_path(id), &kept)?)
            }
            _ => Ok(()),
        }
    }

    /// Returns the questions whose file was broken and put aside, and that have no other since.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn lost_questions(&self) -> Result<Vec<QuestionId>, QuestionError> {
        let folder = self.questions_folder();
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("list", &folder))?,
        };
        let mut lost = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed("list", &folder))?.file_name();
            let name = name.to_string_lossy();
            let id = name.split_once(".json.broken-").map(|(id, _)| id);
            let id = id.and_then(|id| id.parse::<QuestionId>().ok());
            lost.extend(id.filter(|id| !self.question_path(*id).exists()));
        }
        lost.sort_unstable();
        lost.dedup();
        Ok(lost)
    }

    /// Keeps a question under its own name, if no file has that name; says whether it did.
    ///
    /// # Errors
    /// When the folder cannot be locked or written.
    pub fn restore_question(&self, kept: &KeptQuestion) -> Result<bool, QuestionError> {
        let _lock = self.lock_questions()?;
        let path = self.question_path(kept.id);
        if path.exists() {
            return Ok(false);
        }
        state::write_json(path, kept)?;
        Ok(true)
    }

    fn lock_questions(&self) -> Result<Locked, QuestionError> {
        let folder = self.questions_folder();
        create_folder(&folder)?;
        Ok(Locked::wait(&folder.join(".lock"))?)
    }

    fn question_numbers(&self) -> Result<Vec<u32>, QuestionError> {
        let folder = self.questions_folder();
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("list", &folder))?,
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed("list", &folder))?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json"));
            let id = id.and_then(|id| id.parse::<QuestionId>().ok());
            numbers.extend(id.map(QuestionId::number));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn question_path(&self, id: QuestionId) -> PathBuf {
        self.questions_folder().join(format!("{id}.json"))
    }

    fn questions_folder(&self) -> PathBuf {
        self.folder().join("questions")
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use harness_core::TurnNumber;

    use super::*;

    fn asked(call: u32) -> AskedQuestion {
        AskedQuestion {
            run: RunId::new(1),
            session: SessionId::new(1),
            call: CallId {
                turn: TurnNumber(call),
                index: 0,
            },
            feature: FeatureId::task(1),
            root: "/home/me/demo".to_owned(),
            text: "commas?\u{1b}[31m".to_owned(),
            at: Timestamp::from_millis(1),
        }
    }

    fn answer(text: &str) -> KeptAnswer {
        KeptAnswer {
            text: text.to_owned(),
            by: "ana".to_owned(),
            at: Timestamp::from_millis(2),
        }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        (folder, store)
    }

    #[test]
    fn a_question_is_answered_once_and_the_same_call_keeps_its_name() {
        let (_folder, store) = store();
        let id = store.keep_question(asked(1)).unwrap();
        assert_eq!(store.keep_question(asked(1)).unwrap(), id);
        assert_eq!(store.keep_question(asked(2)).unwrap(), QuestionId::new(2));
        store.answer_question(id, answer("commas")).unwrap();
        let twice = store.answer_question(id, answer("tabs")).unwrap_err();
        assert!(twice.to_string().contains("answered by ana"), "{twice}");
        store.close_question(id).unwrap();
        let kept = store.question(id).unwrap().unwrap();
        assert_eq!(kept.state, QuestionState::Answered(answer("commas")));
        let second = QuestionId::new(2);
        store.close_question(second).unwrap();
        let closed = store.answer_question(second, answer("x")).unwrap_err();
        assert!(matches!(closed, QuestionError::Closed { .. }));
        let unknown = store.answer_question(QuestionId::new(9), answer("x"));
        assert!(matches!(unknown, Err(QuestionError::Unknown { .. })));
    }

    #[test]
    fn two_who_answer_at_once_do_not_both_win() {
        let (_folder, store) = store();
        let id = store.keep_question(asked(1)).unwrap();
        let won: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| store.answer_question(id, answer("x")).is_ok()))
                .collect();
            let won = threads.into_iter().map(|thread| thread.join().unwrap());
            won.filter(|won| *won).count()
        });
        assert_eq!(won, 1);
    }

    #[test]
    fn a_broken_file_is_told_of_and_the_others_are_read() {
        let (_folder, store) = store();
        let long = AskedQuestion {
            text: "é".repeat(9_000),
            ..asked(1)
        };
        let first = store.keep_question(long).unwrap();
        store.keep_question(asked(2)).unwrap();
        assert!(store.question(first).unwrap().unwrap().asked.text.len() <= 8 * 1024);
        std::fs::write(store.question_path(first), "{").unwrap();
        let (questions, problems) = store.questions().unwrap();
        assert_eq!((questions.len(), problems.len()), (1, 1));
        assert_eq!(store.lost_questions().unwrap(), [first]);
        let again = KeptQuestion {
            id: first,
            asked: asked(1),
            state: QuestionState::Open,
        };
        assert!(store.restore_question(&again).unwrap());
        assert!(!store.restore_question(&again).unwrap());
        assert!(store.lost_questions().unwrap().is_empty());
        assert_eq!(store.question(first).unwrap(), Some(again));
    }
}
