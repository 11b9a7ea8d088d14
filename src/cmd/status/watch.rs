//! `harness status --watch`: a second face on a run, from outside of its process.
//!
//! Follows the log of the newest session of this work tree, or of one that was made for a run from
//! here, and takes no lock, so that any number can watch; a session that comes later is followed as
//! soon as it is there. A look that finds nothing new reads no more than the size of a file. On a
//! terminal the last lines are drawn anew in place, without the alternate screen and without a mode
//! that would have to be put back.

use std::{
    io::{IsTerminal as _, stdout},
    thread,
    time::Duration,
};

use harness_core::SessionId;
use harness_store::{Follower, Store};

use super::glance::Glance;
use crate::{
    cli::Common,
    cmd::runs,
    compose::Site,
    failure::{Failure, chain},
    output::{Output, write},
};

/// How often the log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How many looks pass before the folder of sessions is listed again.
const LIST_AFTER: u32 = 5;

/// What is on the terminal, to be drawn over.
struct Shown {
    in_place: bool,
    lines: Vec<String>,
    columns: usize,
}

pub(super) fn watch(common: &Common, site: &Site) -> Result<u8, Failure> {
    let mut output = Output::new(common);
    let in_place = !common.json && stdout().is_terminal();
    let mut shown = Shown {
        in_place,
        lines: Vec::new(),
        columns: columns(),
    };
    let mut followed: Option<Followed> = None;
    let mut looks = 0;
    loop {
        if looks % LIST_AFTER == 0 {
            let store = site.existing_store()?;
            let newest = store
                .as_ref()
                .map(|store| newest(site, store))
                .transpose()?;
            if let (Some(store), Some(Some(newest))) = (store, newest)
                && followed
                    .as_ref()
                    .is_none_or(|followed| followed.session != newest)
            {
                followed = Some(Followed::new(&store, newest));
                shown.settle();
            }
        }
        looks += 1;
        if let Some(followed) = &mut followed {
            if followed.look()? {
                shown.show(followed, &mut output)?;
            }
        } else if looks == 1 {
            let text = "note: no run yet; watching";
            output.entry("watching", text, serde_json::json!({}))?;
        }
        if is_closed() {
            return Ok(0);
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// A session that is followed.
struct Followed {
    session: SessionId,
    follower: Follower,
    glance: Glance,
    is_lost: bool,
}

impl Followed {
    fn new(store: &Store, session: SessionId) -> Self {
        Self {
            session,
            follower: Follower::new(store, session),
            glance: Glance::default(),
            is_lost: false,
        }
    }

    /// Looks once; returns whether there is something new to show.
    fn look(&mut self) -> Result<bool, Failure> {
        let glance = &mut self.glance;
        let looked = self
            .follower
            .look(|record| glance.take(&record.event, record.time))
            .map_err(|error| {
                Failure::failed(chain(&error)).hint(format!("harness log verify {}", self.session))
            })?;
        if looked.records > 0 {
            self.is_lost = false;
            return Ok(true);
        }
        let is_open =
            self.glance.last.is_some() && self.glance.end.is_none() && !self.glance.is_over;
        if is_open && !self.is_lost && self.follower.is_written() == Some(false) {
            self.is_lost = true;
            self.glance.lost();
            return Ok(true);
        }
        Ok(false)
    }
}

impl Shown {
    /// Leaves what stands there for good: another session comes below.
    fn settle(&mut self) {
        self.lines.clear();
    }

    fn show(&mut self, followed: &Followed, output: &mut Output) -> Result<(), Failure> {
        if output.is_json() {
            return output.entry("watched", "", followed.glance.body());
        }
        let lines = followed.glance.lines();
        if self.in_place {
            let up = match self.lines.len() {
                0 => String::new(),
                count => format!("\x1b[{count}A\x1b[0J"),
            };
            let text: String = lines
                .iter()
                .map(|line| {
                    let line: String = line.chars().take(self.columns).collect();
                    format!("{}\n", harness_report::clean(&line))
                })
                .collect();
            write(&format!("{up}{text}"))?;
        } else {
            let is_new = |line: &&String| !self.lines.contains(line);
            for line in lines.iter().filter(is_new) {
                output.text(line)?;
            }
        }
        self.lines = lines;
        Ok(())
    }
}

/// Returns the newest session of this work tree, or of one that was made for a run from here.
fn newest(site: &Site, store: &Store) -> Result<Option<SessionId>, Failure> {
    runs::latest_session_of_all(site, store)
}

/// Returns how many columns a line may take, so that none is wrapped.
fn columns() -> usize {
    harness_tui::size().map_or(79, |(columns, _)| usize::from(columns.max(20)) - 1)
}

/// Whether whoever read the lines is gone: nobody watches any more.
fn is_closed() -> bool {
    !crate::output::is_read()
}
