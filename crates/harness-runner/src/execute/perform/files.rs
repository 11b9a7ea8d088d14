//! What the file tools do beside reading and writing whole files, and how their results are told.
//!
//! Called by the performer alone; the disk's errors become answers that say what would help.

use harness_core::{Action, ByteCount, LineRange, Outcome, RepoPath};
use harness_guard::Permit;
use harness_host::disk::{
    Cut, DiskError, EntryKind, Expected, Found, Listing, Root, SearchLimits, Stamp, literal,
};
use harness_tool::LineSelector;

use super::{FILE_MAX, Performer, TEXT_MAX, chain, lock};

/// The largest file of which lines can be read; anything larger is for a command.
const SCANNED_MAX: ByteCount = ByteCount::mib(256);

impl Performer {
    /// Reads a file or lines of it, in parts where it is too large to be in memory.
    pub(super) fn content(
        &self,
        root: &Root,
        permit: &Permit,
        lines: Option<LineRange>,
    ) -> Result<(Outcome, Stamp), DiskError> {
        let path = permit.action().path();
        let kept = self.outputs.root_of(path);
        let root = kept.as_deref().unwrap_or(root);
        let file = match root.read_file(permit, FILE_MAX) {
            Err(DiskError::TooLarge { .. }) => {
                let mut selector = LineSelector::new(lines, TEXT_MAX);
                let push = &mut |part: &_| selector.push(part);
                let stamp = root.scan_file(permit, SCANNED_MAX, push)?;
                return Ok((selector.finish(), stamp));
            }
            read => read?,
        };
        let image = harness_tool::image_of(path, &file.bytes);
        let shown = || harness_tool::select_lines(&file.bytes, lines, TEXT_MAX);
        Ok((image.unwrap_or_else(shown), file.stamp))
    }

    /// Moves a file, if it is what the agent last saw of it.
    pub(super) fn move_file(
        &self,
        permit: &Permit,
        path: &RepoPath,
        to: &RepoPath,
    ) -> Result<Outcome, DiskError> {
        self.begin_watch(path)?;
        let seen = self.last_seen(path);
        let expected = seen.map_or(Expected::Any, Expected::Unchanged);
        self.root.move_file(permit, expected)?;
        self.wrote(path);
        self.wrote(to);
        let mut known = lock(&self.seen);
        known.remove(path);
        // It is the same file under another name.
        known.extend(seen.map(|stamp| (to.clone(), stamp)));
        Ok(Outcome::Moved)
    }

    /// Deletes a file that is what the agent last saw of it, a link itself, or an empty folder.
    pub(super) fn delete(&self, permit: &Permit, path: &RepoPath) -> Result<Outcome, DiskError> {
        self.begin_watch(path)?;
        let (expected, removed) = match self.root.read_file(permit, FILE_MAX) {
            Ok(file) => {
                let (_, removed) = harness_tool::write_counts(Some(&file.bytes), b"");
                let stamp = self.last_seen(path).unwrap_or(file.stamp);
                (Expected::Unchanged(stamp), removed)
            }
            Err(error @ (DiskError::NotFound { .. } | DiskError::NotPermitted { .. })) => {
                return Err(error);
            }
            // What it is decides how it is deleted.
            Err(_) => {
                let seen = self.last_seen(path);
                (seen.map_or(Expected::Any, Expected::Unchanged), 0)
            }
        };
        self.root.delete(permit, expected)?;
        self.wrote(path);
        lock(&self.seen).remove(path);
        Ok(Outcome::Deleted { removed })
    }

    /// Sees that the work tree is watched before the harness changes something in it.
    pub(super) fn begin_watch(&self, path: &RepoPath) -> Result<(), DiskError> {
        let watched = self.with_watch(|_, _| Ok(Vec::new()));
        watched.map(|_| ()).map_err(|message| DiskError::Io {
            attempt: "keep what stands beside",
            path: path.to_string(),
            source: std::io::Error::other(message),
        })
    }
}

/// Returns a folder's entries as lines: a folder ends with `/`, a link with `@`, a file has its size.
pub(super) fn listed(listing: &Listing) -> Outcome {
    let lines = listing.entries.iter().map(|entry| {
        let name = harness_tool::quote(&entry.path);
        match entry.kind {
            EntryKind::Folder => format!("{name}/\n"),
            EntryKind::Link => format!("{name}@\n"),
            EntryKind::File => format!("{name} ({})\n", entry.size),
            EntryKind::Other => format!("{name} (not a regular file)\n"),
        }
    });
    let note = match listing.left_out {
        0 => String::new(),
        1 => "1 ignored or hidden is left out".to_owned(),
        count => format!("{count} ignored or hidden are left out"),
    };
    Outcome::Text {
        text: lines.collect(),
        lines: listing.entries.len() as u64,
        cut: listing.cut,
        note,
    }
}

/// Returns what was found as lines, `path:line: text` where it matches and `path-line- text` beside it.
pub(super) fn found(action: &Action, found: &Found) -> Outcome {
    let lines = found.hits.iter().map(|hit| {
        let mark = if hit.is_match { ':' } else { '-' };
        let path = harness_tool::quote(&hit.path);
        format!("{path}{mark}{}{mark} {}\n", hit.line, hit.text)
    });
    Outcome::Text {
        text: lines.collect(),
        lines: found.hits.len() as u64,
        cut: found.cut.is_some(),
        note: search_note(action, found),
    }
}

/// Says what the search did not look into, and where it ended early.
fn search_note(action: &Action, found: &Found) -> String {
    let limits = SearchLimits::default();
    let ended = found.cut.map(|cut| match cut {
        Cut::Hits => format!("ended after {} that match", limits.hits),
        Cut::Files => format!("ended after {} files", limits.files),
        Cut::Time => format!("ended after {} seconds", limits.time.as_secs()),
    });
    let nothing = match (found.files, action) {
        (
            0,
            Action::Search {
                glob: Some(glob), ..
            },
        ) => Some(format!("no file there is one of `{glob}`")),
        (files, _) if found.hits.is_empty() => Some(format!("{files} files looked into")),
        _ => None,
    };
    let bar = match action {
        Action::Search { query, .. } if found.hits.is_empty() && query.contains(r"\|") => {
            Some(r"`\|` is the sign itself here, alternatives are `a|b`".to_owned())
        }
        _ => None,
    };
    let skipped = match found.skipped {
        0 => None,
        count => Some(format!("{count} too large or unreadable left out")),
    };
    let notes = ended.into_iter().chain(nothing).chain(bar).chain(skipped);
    let notes: Vec<String> = notes.collect();
    notes.join("; ")
}

/// Words why a file action was not done, with what would help.
pub(super) fn refusal(action: &Action, error: &DiskError) -> String {
    let said = chain(error);
    let way_on = match (error, action) {
        (DiskError::Stale { .. }, _) => "read it again",
        (DiskError::IsFolder { .. }, Action::Read { .. }) => "use `list`",
        (DiskError::IsFolder { .. }, Action::Move { .. }) => {
            "move its files one by one, or the folder with `mv` in a command"
        }
        (DiskError::NotFolder { .. }, Action::List { .. }) => "use `read`",
        (DiskError::NotEmpty { .. }, _) => {
            "delete what is in it first, ignored and hidden files too"
        }
        (DiskError::Exists { .. }, _) => {
            "nothing is moved over it; `to` is the whole new path of the file"
        }
        (DiskError::IsLink { .. }, Action::Move { .. } | Action::Delete { .. }) => {
            "no link is moved, and none is followed on the way"
        }
        (DiskError::TooLarge { .. }, Action::Read { .. }) => {
            "look at a part of it with a command, such as `sed -n '1,200p'`"
        }
        (DiskError::TooLarge { .. }, _) => "change it with a command",
        (DiskError::Query { query, .. }, _) => {
            return format!(
                "{said}\nto find it as it stands, search for `{}`",
                literal(query)
            );
        }
        _ => return said,
    };
    format!("{said}; {way_on}")
}
