//! A review as it lies open: the change, and the book that belongs to it.
//!
//! The book is read anew for every change of it, so that what another face wrote in the meantime
//! stays.

use harness_core::Timestamp;
use harness_review::{Book, BookError, Change, Standing, standing};
use harness_store::{FoundBook, NotRead, ReviewError, ReviewKey, Store};

use super::{
    Asked, Source,
    remarks::{self, Remark},
};
use crate::{
    compose::Site,
    failure::{Failure, chain},
    output::say,
};

/// A change and the place of its book.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) site: &'a Site,
    pub(crate) source: Source,
    pub(crate) change: Change,
    /// What agent and reviewers said of it.
    remarks: Vec<Remark>,
}

impl<'a> Desk<'a> {
    /// Opens what is asked for; nothing is written.
    pub(crate) fn open(site: &'a Site, asked: &Asked) -> Result<Self, Failure> {
        let store = site.existing_store()?;
        let source = Source::find(site, store.as_ref(), asked)?;
        let change = source.change(site)?;
        Ok(Self {
            remarks: remarks::read(site, &source, &change),
            site,
            source,
            change,
        })
    }

    /// Reads the book, with its comments where their lines are now.
    pub(crate) fn book(&self) -> Result<Book, Failure> {
        let store = self.site.existing_store()?;
        let kept = store
            .map(|store| read(&store, &self.source.key))
            .transpose()?;
        let mut book = kept.flatten().unwrap_or_else(|| self.empty());
        book.base = self.source.base.clone();
        remarks::into_book(&self.remarks, &mut book);
        book.follow(&self.change);
        Ok(book)
    }

    /// Changes the book; what `change` returns is handed on once it is on the disk.
    pub(crate) fn update<T>(
        &self,
        change: impl FnOnce(&mut Book, &Change, Timestamp) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let now = harness_host::clock::now();
        update(
            &self.site.store()?,
            &self.source.key,
            || self.empty(),
            |book| {
                if book.base != self.source.base {
                    book.choose_base(self.source.base.clone(), now);
                }
                remarks::into_book(&self.remarks, book);
                book.follow(&self.change);
                change(book, &self.change, now)
            },
        )
    }

    /// Says how everything stands.
    pub(crate) fn standing(&self, book: &Book) -> Standing {
        standing(&self.change, book)
    }

    fn empty(&self) -> Book {
        Book::new(self.source.base.clone(), harness_host::clock::now())
    }
}

/// Reads a book; one that is broken is put aside, and that is said.
pub(crate) fn read(store: &Store, key: &ReviewKey) -> Result<Option<Book>, Failure> {
    let found = store.review(key, parse).map_err(|error| failed(&error))?;
    say_aside(&found);
    Ok(found.book)
}

/// Changes a book under its lock.
pub(crate) fn update<T>(
    store: &Store,
    key: &ReviewKey,
    empty: impl FnOnce() -> Book,
    change: impl FnOnce(&mut Book) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let changed = store.change_review(key, parse, |found| {
        say_aside(&found);
        let mut book = found.book.unwrap_or_else(empty);
        let made = change(&mut book)?;
        let text = book.to_json().map_err(|error| refused(&error))?;
        Ok::<_, Failure>((Some(text), made))
    });
    changed.map_err(|error| failed(&error))?
}

/// Reads a book's text for the store.
pub(crate) fn parse(text: &str) -> Result<Book, NotRead> {
    Book::from_json(text).map_err(|error| match error {
        BookError::Malformed(_) => NotRead::Broken(error.to_string()),
        error => NotRead::Refused(error.to_string()),
    })
}

fn say_aside(found: &FoundBook<Book>) {
    if let Some((path, why)) = &found.aside {
        say(&format!(
            "note: the review was broken and begins anew; the file is kept as `{}`: {why}",
            path.display()
        ));
    }
}

/// Says what a book does not take.
pub(crate) fn refused(error: &BookError) -> Failure {
    Failure::usage(error).maybe_hint(error.hint().map(str::to_owned))
}

fn failed(error: &ReviewError) -> Failure {
    Failure::failed(chain(error))
}
