//! What a day has cost: one file a day, shared by all runs of a person.
//!
//! `<folder>/2026-01-31.jsonl`, days by UTC, one line per answer:
//! `{"v":1,"time":"...","session":"S-0001","micro_usd":1234}`. Lines are appended
//! under the kernel's lock on the file and never changed; a reader takes what is
//! new since it looked last, so that it can look before every request. Whether a
//! sum is too much is not decided here. The runner calls it.
//!
//! The day is the clock's: one that is set back goes on with the sum of the day it shows.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use harness_core::{ByteCount, Money, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    FileError,
    file::{Locked, create_folder, failed, open_to_read, read_some},
};

/// The longest file of one day: some hundred thousand answers.
pub const SPEND_BYTES_MAX: ByteCount = ByteCount::mib(64);

/// How many days are kept.
const DAYS_MAX: usize = 90;

/// What has been spent, read and written by all runs.
#[derive(Clone, Debug)]
pub struct SpendLog {
    folder: PathBuf,
    day: String,
    read: u64,
    spent: Money,
}

/// A line. Its version is 1; lines of others are left out.
#[derive(Serialize, Deserialize)]
struct Line {
    v: u64,
    time: Timestamp,
    session: SessionId,
    micro_usd: u64,
}

impl SpendLog {
    /// Names the folder; nothing is opened or created.
    pub const fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            day: String::new(),
            read: 0,
            spent: Money(0),
        }
    }

    /// Adds what an answer has cost.
    ///
    /// The line is there for every other process at once, and after this one was
    /// killed; it is not forced to the disk, so a loss of power may cost the last ones.
    ///
    /// # Errors
    /// When the file cannot be locked within two seconds or written, or is full.
    pub fn add(
        &mut self,
        session: SessionId,
        cost: Money,
        now: Timestamp,
    ) -> Result<(), FileError> {
        let path = self.path(now);
        create_folder(&self.folder)?;
        let is_new = !path.exists();
        let file = Locked::wait(&path)?;
        append(&file, session, cost, now).map_err(failed("write", &path))?;
        if is_new {
            self.forget_old_days();
        }
        Ok(())
    }

    /// Returns what the day of `now` has cost so far, whoever spent it.
    ///
    /// A line that is cut short or is none counts nothing.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn today(&mut self, now: Timestamp) -> Result<Money, FileError> {
        let path = self.path(now);
        let day = day(now);
        if day != self.day {
            (self.day, self.read, self.spent) = (day, 0, Money(0));
        }
        let Some(mut file) = open_to_read(&path)? else {
            (self.read, self.spent) = (0, Money(0));
            return Ok(self.spent);
        };
        let length = file.metadata().map_err(failed("read", &path))?.len();
        if length < self.read {
            (self.read, self.spent) = (0, Money(0));
        }
        if length > self.read {
            file.seek(SeekFrom::Start(self.read))
                .map_err(failed("read", &path))?;
            self.take(&read_some(&file, &path, SPEND_BYTES_MAX.0)?);
        }
        Ok(self.spent)
    }

    /// Adds whole lines up; what stands behind the last one is being written.
    fn take(&mut self, bytes: &[u8]) {
        let whole = bytes.iter().rposition(|&byte| byte == b'\n');
        let whole = whole.map_or(0, |last| last + 1);
        for line in bytes[..whole].split(|&byte| byte == b'\n') {
            if let Ok(line) = serde_json::from_slice::<Line>(line)
                && line.v == 1
            {
                self.spent = Money(self.spent.0.saturating_add(line.micro_usd));
            }
        }
        self.read += whole as u64;
    }

    fn path(&self, now: Timestamp) -> PathBuf {
        self.folder.join(format!("{}.jsonl", day(now)))
    }

    /// Removes the files of days long gone; one that cannot be removed stays.
    fn forget_old_days(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut days: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_day(path))
            .collect();
        days.sort();
        for old in days.iter().rev().skip(DAYS_MAX) {
            let _ = fs::remove_file(old);
        }
    }
}

fn append(file: &File, session: SessionId, cost: Money, now: Timestamp) -> std::io::Result<()> {
    let line = Line {
        v: 1,
        time: now,
        session,
        micro_usd: cost.0,
    };
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    let length = file.metadata()?.len();
    if length + text.len() as u64 > SPEND_BYTES_MAX.0 {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    // What a crash left of a line must not swallow this one.
    let mut last = *b"\n";
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last != *b"\n" {
        text.insert(0, b'\n');
    }
    harness_failpoint::write("spend.append", file, &text)
}

fn day(now: Timestamp) -> String {
    now.to_string().chars().take(10).collect()
}

fn is_day(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".jsonl").is_some_and(|day| {
        day.len() == 10
            && day
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_769_860_800_000);
    const DAY: u64 = 24 * 3_600_000;

    fn session() -> SessionId {
        SessionId::new(1)
    }

    fn later(days: u64) -> Timestamp {
        Timestamp::from_millis(NOW.as_millis() + days * DAY)
    }

    #[test]
    fn what_all_spend_on_a_day_adds_up() {
        let folder = tempfile::tempdir().unwrap();
        let log = SpendLog::new(folder.path().join("spend"));
        let mut reader = log.clone();
        assert_eq!(reader.today(NOW).unwrap(), Money(0));
        assert!(!folder.path().join("spend").exists());
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let mut log = log.clone();
                thread::spawn(move || {
                    for _ in 0..100 {
                        log.add(session(), Money(3), NOW).unwrap();
                    }
                })
            })
            .collect();
        let mut before = Money(0);
        while writers.iter().any(|writer| !writer.is_finished()) {
            let now = reader.today(NOW).unwrap();
            assert!(now >= before);
            before = now;
        }
        writers.into_iter().for_each(|it| it.join().unwrap());
        assert_eq!(reader.today(NOW).unwrap(), Money(1200));
        assert_eq!(reader.today(NOW).unwrap(), Money(1200));
        assert_eq!(reader.today(later(1)).unwrap(), Money(0));
        assert_eq!(reader.today(NOW).unwrap(), Money(1200));
    }

    #[test]
    fn a_line_that_a_crash_cut_swallows_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SpendLog::new(folder.path().to_owned());
        log.add(session(), Money(5), NOW).unwrap();
        let path = log.path(NOW);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"v\":1,\"micro");
        fs::write(&path, &text).unwrap();
        assert_eq!(log.today(NOW).unwrap(), Money(5));
        log.add(session(), Money(7), NOW).unwrap();
        assert_eq!(log.today(NOW).unwrap(), Money(12));
        assert_eq!(
            SpendLog::new(folder.path().to_owned()).today(NOW).unwrap(),
            Money(12)
        );
        // A file that was taken away or begun anew is read from its beginning.
        fs::write(&path, "").unwrap();
        assert_eq!(log.today(NOW).unwrap(), Money(0));
        fs::remove_file(&path).unwrap();
        assert_eq!(log.today(NOW).unwrap(), Money(0));
    }

    #[test]
    fn days_long_gone_are_forgotten_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SpendLog::new(folder.path().to_owned());
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        for days in 0..DAYS_MAX as u64 + 3 {
            log.add(session(), Money(1), later(days)).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), DAYS_MAX + 1);
        assert!(!log.path(NOW).exists());
        assert!(folder.path().join("notes.txt").exists());
    }
}
