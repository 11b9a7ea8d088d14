//! The books of reviews: what persons decided and said about a change, one file each.
//!
//! Several faces write at the same time, so a book is read, changed and replaced under a lock that is
//! held for that alone. What a book means is the caller's: it gives the functions that read and write
//! one. A file that is no book is put aside and named; one of a later form is left alone.

use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use harness_core::{ByteCount, RunId};
use sha2::{Digest as _, Sha256};

use crate::{
    FileError, Store,
    file::{Locked, create_folder, failed, open_to_read, read_some, set_aside, sync_folder},
    state::replace,
};

/// The largest book that is read or written.
pub const BOOK_BYTES_MAX: ByteCount = ByteCount::mib(16);
/// The most patches that are kept beside one book.
pub const PATCHES_MAX: u32 = 10_000;

/// Digits of the name of a range.
const RANGE_DIGITS: usize = 12;

/// What a book is kept under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReviewKey(String);

impl ReviewKey {
    /// Returns the key for the change of a run.
    pub fn of_run(run: RunId) -> Self {
        Self(run.to_string())
    }

    /// Returns the key for a range of commits, by how it was typed.
    pub fn of_range(text: &str) -> Self {
        let hash = Sha256::digest(text.as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("range-{}", &hex[..RANGE_DIGITS]))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReviewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a file is no book that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRead {
    /// It is no book: it is put aside.
    Broken(String),
    /// It is one that must not be touched, such as one of a later version.
    Refused(String),
}

/// A book as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundBook<B> {
    /// The book; `None` where there is none.
    pub book: Option<B>,
    /// Where a file is now that was no book, and what was wrong with it.
    pub aside: Option<(PathBuf, String)>,
}

/// Why a book could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The book must not be touched.
    #[error("cannot use the review in `{}`: {why}", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is larger than a book may be; nothing was touched.
    #[error("cannot keep the review in `{}`: a book has at most {BOOK_BYTES_MAX}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// There are as many patches as may be.
    #[error("cannot keep another patch in `{}`: there are {PATCHES_MAX}", .path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

/// Tells two states of a book's file apart without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookStamp {
    inode: u64,
    bytes: u64,
    mtime: (i64, i64),
}

impl Store {
    /// Reads a book.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, or must not be touched.
    pub fn review<B>(
        &self,
        key: &ReviewKey,
        read: impl FnOnce(&str) -> Result<B, NotRead>,
    ) -> Result<FoundBook<B>, ReviewError> {
        let path = self.review_path(key);
        let Some(file) = open_to_read(&path)? else {
            return Ok(FoundBook {
                book: None,
                aside: None,
            });
        };
        let bytes = read_some(&file, &path, BOOK_BYTES_MAX.0 + 1)?;
        if bytes.len() as u64 > BOOK_BYTES_MAX.0 {
            return Err(ReviewError::TooLarge { path });
        }
        let text = String::from_utf8(bytes);
        let book = match text {
            Ok(text) => read(&text),
            Err(_) => Err(NotRead::Broken("it is no UTF-8".to_owned())),
        };
        match book {
            Ok(book) => Ok(FoundBook {
                book: Some(book),
                aside: None,
            }),
            Err(NotRead::Refused(why)) => Err(ReviewError::Refused { path, why }),
            Err(NotRead::Broken(why)) => Ok(FoundBook {
                book: None,
                aside: Some((set_aside(&path, "broken")?, why)),
            }),
        }
    }

    /// Reads a book, has it changed, and replaces it durably, all under one lock.
    ///
    /// What `change` returns beside the book's text is handed on; with no text nothing is written.
    ///
    /// # Errors
    /// As [`Store::review`], when the book is too large or cannot be written: then it is as it was;
    /// the outer error is that of `change`.
    pub fn change_review<B, T, E>(
        &self,
        key: &ReviewKey,
        read: impl FnOnce(&str) -> Result<B, NotRead>,
        change: impl FnOnce(FoundBook<B>) -> Result<(Option<String>, T), E>,
    ) -> Result<Result<T, E>, ReviewError> {
        let folder = self.reviews_folder();
        create_folder(&folder)?;
        let _lock = Locked::wait(&folder.join(".lock"))?;
        let found = self.review(key, read)?;
        let (text, made) = match change(found) {
            Ok(changed) => changed,
            Err(error) => return Ok(Err(error)),
        };
        if let Some(text) = text {
            let path = self.review_path(key);
            if text.len() as u64 > BOOK_BYTES_MAX.0 {
                return Err(ReviewError::TooLarge { path });
            }
            replace(&path, &folder, text.as_bytes()).map_err(failed("write", &path))?;
            sync_folder(&folder)?;
        }
        Ok(Ok(made))
    }

    /// Returns what tells this state of a book's file from another; `None` where there is none.
    pub fn review_stamp(&self, key: &ReviewKey) -> Option<BookStamp> {
        let found = fs::symlink_metadata(self.review_path(key)).ok()?;
        Some(BookStamp {
            inode: found.ino(),
            bytes: found.len(),
            mtime: (found.mtime(), found.mtime_nsec()),
        })
    }

    /// Keeps what was taken back of a change, so that it can be applied again; returns where.
    ///
    /// # Errors
    /// When the folder cannot be written, or holds [`PATCHES_MAX`].
    pub fn keep_turned_down(&self, key: &ReviewKey, patch: &str) -> Result<PathBuf, ReviewError> {
        let folder = self.reviews_folder().join(key.as_str());
        create_folder(&folder)?;
        let _lock = Locked::wait(&self.reviews_folder().join(".lock"))?;
        let free = (1..=PATCHES_MAX)
            .map(|number| folder.join(format!("turned-down-{number}.patch")))
            .find(|path| !exists(path));
        let path = free.ok_or_else(|| ReviewError::TooMany {
            path: folder.clone(),
        })?;
        replace(&path, &folder, patch.as_bytes()).map_err(failed("write", &path))?;
        sync_folder(&folder)?;
        Ok(path)
    }

    /// Removes a book, with what was kept beside it; one that is not there is gone already.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn forget_review(&self, key: &ReviewKey) -> Result<(), ReviewError> {
        let folder = self.reviews_folder();
        if !exists(&folder) {
            return Ok(());
        }
        let _lock = Locked::wait(&folder.join(".lock"))?;
        let (path, kept) = (self.review_path(key), folder.join(key.as_str()));
        let gone = |removed: io::Result<()>| match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        gone(fs::remove_file(&path)).map_err(failed("remove", &path))?;
        gone(fs::remove_dir_all(&kept)).map_err(failed("remove", &kept))?;
        Ok(())
    }

    fn review_path(&self, key: &ReviewKey) -> PathBuf {
        self.reviews_folder().join(format!("{key}.json"))
    }

    fn reviews_folder(&self) -> PathBuf {
        self.folder().join("reviews")
    }
}

fn exists(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        (folder, store)
    }

    fn key() -> ReviewKey {
        ReviewKey::of_run(RunId::new(1))
    }

    /// A book of numbers, each on its line.
    fn read(text: &str) -> Result<Vec<u32>, NotRead> {
        if text.starts_with("later") {
            return Err(NotRead::Refused("a later version wrote it".to_owned()));
        }
        let numbers = text.lines().map(str::parse);
        numbers
            .collect::<Result<_, _>>()
            .map_err(|error: std::num::ParseIntError| NotRead::Broken(error.to_string()))
    }

    fn add(store: &Store, number: u32) -> Result<(), ReviewError> {
        let made = store.change_review(&key(), read, |found| {
            let mut book = found.book.unwrap_or_default();
            book.push(number);
            let text = book.iter().map(|number| format!("{number}\n")).collect();
            Ok::<_, std::convert::Infallible>((Some(text), ()))
        });
        made.map(|done| done.unwrap_or_else(|never| match never {}))
    }

    #[test]
    fn many_who_write_at_once_lose_nothing() {
        let (_folder, store) = store();
        thread::scope(|scope| {
            for number in 0..8 {
                let store = &store;
                scope.spawn(move || add(store, number).unwrap());
            }
        });
        let mut book = store.review(&key(), read).unwrap().book.unwrap();
        book.sort_unstable();
        assert_eq!(book, (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_book_is_put_aside_and_named() {
        let (_folder, store) = store();
        add(&store, 1).unwrap();
        let before = store.review_stamp(&key());
        fs::write(store.review_path(&key()), [0xff]).unwrap();
        assert_ne!(store.review_stamp(&key()), before);
        let found = store.review(&key(), read).unwrap();
        let (aside, _) = found.aside.unwrap();
        assert_eq!(fs::read(aside).unwrap(), [0xff]);
        assert_eq!(store.review(&key(), read).unwrap().book, None);
        assert_eq!(store.review_stamp(&key()), None);
    }

    #[test]
    fn what_must_not_be_touched_stays() {
        let (_folder, store) = store();
        add(&store, 1).unwrap();
        fs::write(store.review_path(&key()), "later").unwrap();
        let refused = add(&store, 2).unwrap_err();
        assert!(refused.to_string().contains("later version"), "{refused}");
        let large = "1\n".repeat(BOOK_BYTES_MAX.as_usize());
        fs::write(store.review_path(&key()), large).unwrap();
        assert!(matches!(add(&store, 2), Err(ReviewError::TooLarge { .. })));
    }

    #[test]
    fn what_does_not_change_is_not_written() {
        let (_folder, store) = store();
        let done = store.change_review(&key(), read, |_| Err::<(Option<String>, ()), _>("no"));
        assert_eq!(done.unwrap(), Err("no"));
        assert_eq!(store.review_stamp(&key()), None);
    }

    #[test]
    fn patches_are_numbered_and_ranges_have_names() {
        let (_folder, store) = store();
        let range = ReviewKey::of_range("main..");
        assert_eq!(range.as_str().len(), "range-".len() + 12);
        assert_ne!(range, ReviewKey::of_range("main..HEAD"));
        let first = store.keep_turned_down(&range, "a").unwrap();
        let second = store.keep_turned_down(&range, "b").unwrap();
        assert!(first.ends_with("turned-down-1.patch") && second.ends_with("turned-down-2.patch"));
        assert_eq!(fs::read(second).unwrap(), b"b");
    }
}
