//! `harness log follow`: prints a session while another process works on it.

use std::{collections::VecDeque, thread};

use harness_core::{RunId, SessionId};
use harness_report::{JsonLines, Lines};
use harness_store::{Record, Store};

use super::super::runs;
use crate::{
    cli::{Common, Follow},
    compose::Site,
    failure::{Failure, STOPPED},
    follow::{Followed, LOOK_EVERY, Stand},
    output::{self, say},
};

pub(super) fn run(
    site: &Site,
    store: &Store,
    common: &Common,
    flags: &Follow,
) -> Result<u8, Failure> {
    let (session, whole_run) = choose(site, store, flags)?;
    let mut teller = Teller::new(common, flags);
    let mut followed = Followed::new(store, session);
    let mut told_of_wait = false;
    loop {
        let mut problem = Ok(());
        let stand = followed.look(|record| {
            told_of_wait = false;
            if problem.is_ok() {
                problem = teller.tell(record);
            }
        })?;
        problem?;
        // What was there at the first look is the past; all else is news.
        teller.catch_up()?;
        match stand {
            // Nobody waits for news that nobody reads, however long nothing happens.
            Stand::Open if !output::is_read() => return Ok(0),
            Stand::Open => thread::sleep(LOOK_EVERY),
            Stand::WentOn(next) if whole_run => followed = Followed::new(store, next),
            Stand::CutShort if flags.wait => {
                if !std::mem::replace(&mut told_of_wait, true) {
                    say(&format!(
                        "note: no process has {} any more; waiting for `harness resume {}`",
                        followed.session(),
                        followed.session()
                    ));
                }
                if !output::is_read() {
                    return Ok(0);
                }
                thread::sleep(LOOK_EVERY);
            }
            over => return Ok(end(common, followed.session(), over)),
        }
        if teller.is_unread() {
            return Ok(0);
        }
    }
}

/// Finds what to follow, and whether later sessions of its run belong to it.
fn choose(site: &Site, store: &Store, flags: &Follow) -> Result<(SessionId, bool), Failure> {
    let Some(name) = flags.session.as_deref() else {
        return Ok((runs::session(site, store, None)?, flags.run));
    };
    let Ok(run) = name.parse::<RunId>() else {
        return Ok((runs::any_session(store, name)?, flags.run));
    };
    let first = runs::sessions_of(store, run)?.first().copied();
    let none = || {
        Failure::usage(format!("there is no run `{run}` in this repository")).hint("harness status")
    };
    Ok((first.ok_or_else(none)?, true))
}

/// Says how it stands with the session and returns the exit code.
fn end(common: &Common, session: SessionId, stand: Stand) -> u8 {
    let (code, text) = match stand {
        Stand::Open => return 0,
        Stand::Over(reason) => return reason.exit_code(),
        Stand::WentOn(next) => (
            0,
            format!(
                "note: the run went on in {next}\nhint: `harness log follow {next}`, or `--run` to follow the whole run"
            ),
        ),
        Stand::CutShort => (
            STOPPED,
            format!(
                "note: {session} was cut short: no process has it any more\nhint: `harness resume {session}` goes on; `--wait` waits for that"
            ),
        ),
        Stand::Gone => (0, format!("note: the log of {session} was removed")),
    };
    if !common.json || code != 0 {
        say(&text);
    }
    code
}

/// Prints records as the faces of a run do, from where it is wanted.
struct Teller {
    lines: Lines,
    json: Option<JsonLines>,
    from: u64,
    /// The last entries of the past that are wanted, while that is read; then `None`.
    tail: Option<(usize, VecDeque<String>)>,
    is_unread: bool,
}

impl Teller {
    fn new(common: &Common, flags: &Follow) -> Self {
        Self {
            lines: Lines::default(),
            json: common.json.then(JsonLines::default),
            from: flags.from.unwrap_or(1),
            tail: flags.tail.map(|count| (count as usize, VecDeque::new())),
            is_unread: false,
        }
    }

    fn tell(&mut self, record: &Record) -> Result<(), Failure> {
        let text = match &mut self.json {
            Some(json) => json.write(&record.event, record.time),
            None => {
                self.lines.at(record.time);
                self.lines.write(&record.event)
            }
        };
        if record.seq < self.from || text.is_empty() {
            return Ok(());
        }
        // Only the first session can begin in its middle.
        self.from = 1;
        match &mut self.tail {
            Some((count, kept)) => {
                kept.push_back(text);
                if kept.len() > *count {
                    kept.pop_front();
                }
                Ok(())
            }
            None => self.print(&text),
        }
    }

    fn catch_up(&mut self) -> Result<(), Failure> {
        for text in self.tail.take().into_iter().flat_map(|(_, kept)| kept) {
            self.print(&text)?;
        }
        Ok(())
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.is_unread |= !output::write_while_read(text)?;
        Ok(())
    }

    /// Whether whoever read the lines is gone.
    const fn is_unread(&self) -> bool {
        self.is_unread
    }
}
