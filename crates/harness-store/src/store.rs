//! The folder that everything is kept in, and the numbers given out in it.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    str::FromStr,
};

use harness_core::{ByteCount, RunId, SessionId};

use crate::{
    Defect, FileError, LogWriter, RECORD_BYTES_MAX,
    file::{claim_file, claim_folder, create_folder, failed},
};

/// How many numbers are tried when others take them at the same time.
const CLAIM_TRIES: u32 = 1000;

/// A log or the store's folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// No number could be claimed.
    #[error("cannot claim another number in `{}`", .folder.display())]
    Exhausted {
        /// The folder of the claims.
        folder: PathBuf,
    },
    /// The log is locked.
    #[error("cannot write `{}`: another process writes it", .path.display())]
    InUse {
        /// The log.
        path: PathBuf,
    },
    /// An event could not be turned into JSON.
    #[error("cannot encode an event for `{}`", .path.display())]
    Encode {
        /// The log.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// An event is too long for a record.
    #[error("cannot append {bytes} to `{}`: a record has at most {RECORD_BYTES_MAX}", .path.display())]
    RecordTooLong {
        /// The log.
        path: PathBuf,
        /// How long the record would be.
        bytes: ByteCount,
    },
    /// The log holds all it may.
    #[error("cannot append to `{}`: the log is full", .path.display())]
    Full {
        /// The log.
        path: PathBuf,
    },
    /// An earlier failure left the end of the log unknown.
    #[error("cannot append to `{}`: an earlier write or sync failed", .path.display())]
    Halted {
        /// The log.
        path: PathBuf,
    },
    /// A line of a log is broken, or of a later version.
    #[error("cannot read `{}`: line {line} {defect}", .path.display())]
    Unreadable {
        /// The log.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        defect: Defect,
    },
}

/// The folder of one repository's sessions, runs and locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the store at `folder`, and creates it where there is none.
    ///
    /// A folder that others may enter is narrowed to its owner.
    ///
    /// # Errors
    /// When it cannot be created or narrowed.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        create_folder(&folder)?;
        narrow(&folder).map_err(failed("narrow the mode of", &folder))?;
        Ok(Self { folder })
    }

    /// Opens the store at `folder` and changes nothing; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn open_existing(folder: impl Into<PathBuf>) -> Result<Option<Self>, StoreError> {
        let folder = folder.into();
        match fs::metadata(&folder) {
            Ok(metadata) if metadata.is_dir() => Ok(Some(Self { folder })),
            Ok(_) => {
                Err(failed("open folder", &folder)(io::ErrorKind::NotADirectory.into()).into())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open folder", &folder)(error).into()),
        }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lists the sessions that have a log, oldest first.
    ///
    /// # Errors
    /// When the folder of the sessions cannot be read.
    pub fn sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        let mut sessions: Vec<SessionId> = named(&self.sessions_folder())?;
        sessions.retain(|&session| self.log_path(session).is_file());
        Ok(sessions)
    }

    /// Returns the newest session that has a log.
    ///
    /// # Errors
    /// As [`Store::sessions`].
    pub fn latest_session(&self) -> Result<Option<SessionId>, StoreError> {
        Ok(self.sessions()?.pop())
    }

    /// Claims the next session number and opens its empty log.
    ///
    /// Of many processes that ask at once, each gets a number of its own.
    ///
    /// # Errors
    /// When the folder cannot be written or no number is left.
    pub fn new_session(&self) -> Result<(SessionId, LogWriter), StoreError> {
        self.new_session_after(None)
    }

    /// As [`Store::new_session`], with a number above one that is in use elsewhere: what a session
    /// left in the repository stays when this folder is removed.
    ///
    /// # Errors
    /// As [`Store::new_session`].
    pub fn new_session_after(
        &self,
        used: Option<SessionId>,
    ) -> Result<(SessionId, LogWriter), StoreError> {
        let folder = self.sessions_folder();
        create_folder(&folder)?;
        let last = named::<SessionId>(&folder)?.pop().max(used);
        let last = last.map_or(0, SessionId::number);
        let number = claim_after(last, &folder, |number| {
            claim_folder(&self.session_folder(SessionId::new(number)))
        })?;
        let session = SessionId::new(number);
        create_folder(&self.session_folder(session).join("output"))?;
        harness_failpoint::moment("session.claimed");
        let log = LogWriter::create(self.log_path(session), session)?;
        Ok((session, log))
    }

    /// Claims the next run number.
    ///
    /// # Errors
    /// As [`Store::new_session`].
    pub fn new_run(&self) -> Result<RunId, StoreError> {
        self.new_run_after(None)
    }

    /// As [`Store::new_run`], with a number above one that is in use elsewhere.
    ///
    /// # Errors
    /// As [`Store::new_session`].
    pub fn new_run_after(&self, used: Option<RunId>) -> Result<RunId, StoreError> {
        let folder = self.folder.join("runs");
        create_folder(&folder)?;
        let claimed = named::<RunId>(&folder)?.pop().map_or(0, RunId::number);
        let indexed = self
            .runs()?
            .entries
            .into_iter()
            .map(|entry| entry.run.number());
        let used = used.map_or(0, RunId::number);
        let last = indexed.max().unwrap_or(0).max(claimed).max(used);
        let number = claim_after(last, &folder, |number| {
            Ok(claim_file(&folder.join(RunId::new(number).to_string()))?.is_some())
        })?;
        Ok(RunId::new(number))
    }

    /// Returns where a session's log is, whether or not it exists.
    pub fn log_path(&self, session: SessionId) -> PathBuf {
        self.session_folder(session).join("log.jsonl")
    }

    /// Returns where the `number`th output that is too long for a record belongs.
    pub fn output_path(&self, session: SessionId, number: u32) -> PathBuf {
        let name = format!("output/{number}.txt");
        self.session_folder(session).join(name)
    }

    fn sessions_folder(&self) -> PathBuf {
        self.folder.join("sessions")
    }

    /// Returns the folder of a session.
    pub(crate) fn session_folder(&self, session: SessionId) -> PathBuf {
        self.sessions_folder().join(session.to_string())
    }
}

/// Lists the entries of a folder whose names are ids, in order; none when there is no folder.
fn named<I: FromStr + Ord>(folder: &Path) -> Result<Vec<I>, FileError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed("list", folder))?,
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed("list", folder))?.file_name();
        ids.extend(name.to_str().and_then(|name| name.parse::<I>().ok()));
    }
    ids.sort_unstable();
    Ok(ids)
}

fn claim_after(
    last: u32,
    folder: &Path,
    claim: impl Fn(u32) -> Result<bool, FileError>,
) -> Result<u32, StoreError> {
    for step in 1..=CLAIM_TRIES {
        let Some(number) = last.checked_add(step) else {
            break;
        };
        if claim(number)? {
            return Ok(number);
        }
    }
    Err(StoreError::Exhausted {
        folder: folder.to_owned(),
    })
}

fn narrow(folder: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(folder)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o700);
        fs::set_permissions(folder, permissions)?;
    }
    Ok(())
}
