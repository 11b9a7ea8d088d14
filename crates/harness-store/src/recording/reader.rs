//! Reading a recording, whoever made it. Nothing in it is trusted: names, links, sizes.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, io::Errno};

use super::{
    EXCHANGE_BYTES_MAX, EXCHANGES_MAX, ExchangeEntry, INDEX_BYTES_MAX, META, Meta,
    RECORDING_BYTES_MAX, RecordedModel, RecordingError,
};
use crate::file::failed;

/// A recording that was looked through. Bodies are read when they are wanted.
#[derive(Clone, Debug)]
pub struct Recording {
    folder: PathBuf,
    meta: Meta,
}

/// One exchange as it is replayed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// What is known of it.
    pub entry: ExchangeEntry,
    /// The pieces of the body in their order, each with when it came. Unit: milliseconds.
    pub pieces: Vec<(u64, Vec<u8>)>,
}

impl Recording {
    /// Opens a recording: every file it names must be there, a plain one, and within the bounds.
    ///
    /// # Errors
    /// When something is missing or is not what it should be, with the file and the key or line.
    pub fn open(folder: &Path) -> Result<Self, RecordingError> {
        let recording = Self {
            folder: folder.to_owned(),
            meta: meta(folder)?,
        };
        recording.check()?;
        Ok(recording)
    }

    /// Returns where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the models that were asked, the first one first; none where others recorded.
    pub fn models(&self) -> &[RecordedModel] {
        &self.meta.models
    }

    /// Returns why it ends before the run did.
    pub fn stopped(&self) -> Option<&str> {
        self.meta.stopped.as_deref()
    }

    /// Returns all entries, in the order of the requests.
    pub fn entries(&self) -> &[ExchangeEntry] {
        &self.meta.interactions
    }

    /// Reads one exchange; `None` behind the last.
    ///
    /// # Errors
    /// When a file was changed since the recording was opened, and is broken now.
    pub fn exchange(&self, index: usize) -> Result<Option<Replayed>, RecordingError> {
        let Some(entry) = self.meta.interactions.get(index) else {
            return Ok(None);
        };
        let body = match &entry.response {
            Some(name) => self.read(name, EXCHANGE_BYTES_MAX.0)?,
            None => Vec::new(),
        };
        let body = match &entry.response {
            Some(name) if name.ends_with(".data.jsonl") => framed(&entry.api, &body),
            _ => body,
        };
        let times = match &entry.chunks {
            Some(name) => times(
                &self.folder.join(name),
                &self.read(name, INDEX_BYTES_MAX.0)?,
            )?,
            None => Vec::new(),
        };
        let pieces = cut(&body, &times);
        let entry = entry.clone();
        Ok(Some(Replayed { entry, pieces }))
    }

    fn check(&self) -> Result<(), RecordingError> {
        let entries = &self.meta.interactions;
        if entries.len() > EXCHANGES_MAX {
            let problem = format!(
                "`interactions` has {} entries, at most {EXCHANGES_MAX}",
                entries.len()
            );
            return Err(self.broken_meta(problem));
        }
        let mut sum: u64 = 0;
        let mut bodies = HashSet::new();
        for (index, entry) in entries.iter().enumerate() {
            if let Some(status) = entry.status.filter(|code| !(100..=999).contains(code)) {
                let problem = format!("`interactions[{index}].status` is {status}");
                return Err(self.broken_meta(problem));
            }
            if entry.status.is_some() != entry.response.is_some() {
                let problem = format!(
                    "`interactions[{index}]` has one of `status` and `response` without the other"
                );
                return Err(self.broken_meta(problem));
            }
            for (key, name, max) in [
                ("response", &entry.response, EXCHANGE_BYTES_MAX),
                ("chunks", &entry.chunks, INDEX_BYTES_MAX),
            ] {
                let Some(name) = name else { continue };
                let key = format!("interactions[{index}].{key}");
                let (_, size) = self.open_named(&key, name, max.0)?;
                // One file under many entries costs its size once.
                if bodies.insert(name) {
                    sum = sum.saturating_add(size);
                }
            }
            if let Some(name) = &entry.chunks {
                let bytes = self.read(name, INDEX_BYTES_MAX.0)?;
                times(&self.folder.join(name), &bytes)?;
            }
        }
        if sum > RECORDING_BYTES_MAX.0 {
            let problem = format!("its files have more than {RECORDING_BYTES_MAX}");
            return Err(self.broken_meta(problem));
        }
        Ok(())
    }

    /// Opens a file that `meta.json` names under a key.
    fn open_named(&self, key: &str, name: &str, max: u64) -> Result<(File, u64), RecordingError> {
        if !is_plain(name) {
            let problem = format!("`{key}` is no plain file name: {name:?}");
            return Err(self.broken_meta(problem));
        }
        open(&self.folder.join(name), max).map_err(|error| match error {
            RecordingError::File(file) if file.source.kind() == io::ErrorKind::NotFound => {
                self.broken_meta(format!("`{key}` names `{name}`, and there is no such file"))
            }
            error => error,
        })
    }

    fn read(&self, name: &str, max: u64) -> Result<Vec<u8>, RecordingError> {
        let path = self.folder.join(name);
        read(&path, open(&path, max)?.0, max)
    }

    fn broken_meta(&self, problem: String) -> RecordingError {
        let path = self.folder.join(META);
        RecordingError::Broken { path, problem }
    }
}

/// Reads `meta.json`.
pub(super) fn meta(folder: &Path) -> Result<Meta, RecordingError> {
    let path = folder.join(META);
    let opened = open(&path, INDEX_BYTES_MAX.0).map_err(|error| match error {
        RecordingError::File(file)
            if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory]
                .contains(&file.source.kind()) =>
        {
            let what = if folder.is_dir() {
                "it has no `meta.json`"
            } else {
                "there is no such folder"
            };
            let folder = folder.to_owned();
            RecordingError::Missing { folder, what }
        }
        error => error,
    });
    let bytes = read(&path, opened?.0, INDEX_BYTES_MAX.0)?;
    serde_json::from_slice(&bytes).map_err(|source| RecordingError::Syntax { path, source })
}

/// Whether a name is one of a file right here.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0'])
}

/// Opens a regular file of at most `max` bytes, and no link.
fn open(path: &Path, max: u64) -> Result<(File, u64), RecordingError> {
    let broken = |problem: &str| RecordingError::Broken {
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    // Not blocking: opening a pipe would wait for whoever writes it.
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path);
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(broken("it is a symbolic link"));
        }
        opened => opened.map_err(failed("open", path))?,
    };
    let stat = file.metadata().map_err(failed("read", path))?;
    if !stat.is_file() {
        return Err(broken("it is not a regular file"));
    }
    if stat.len() > max {
        let max = harness_core::ByteCount(max);
        return Err(broken(&format!("it is larger than {max}")));
    }
    Ok((file, stat.len()))
}

fn read(path: &Path, file: File, max: u64) -> Result<Vec<u8>, RecordingError> {
    let mut bytes = Vec::new();
    file.take(max)
        .read_to_end(&mut bytes)
        .map_err(failed("read", path))?;
    Ok(bytes)
}

/// Reads lines of milliseconds and bytes; what a kill left of a last line counts nothing.
fn times(path: &Path, bytes: &[u8]) -> Result<Vec<(u64, usize)>, RecordingError> {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let read = |(line, number): (&str, usize)| {
        let parts = line.split_once('\t');
        let numbers = parts.and_then(|(ms, len)| Some((ms.parse().ok()?, len.parse().ok()?)));
        numbers.ok_or_else(|| RecordingError::Broken {
            path: path.to_owned(),
            problem: format!("line {number} is not `MILLISECONDS<tab>BYTES`"),
        })
    };
    whole.lines().zip(1..).map(read).collect()
}

/// Cuts a body where its pieces ended; what is left over comes with the last.
///
/// The body has other bytes than came where a secret was taken out or a kill cost
/// its end, so the lengths are a proposal.
fn cut(body: &[u8], times: &[(u64, usize)]) -> Vec<(u64, Vec<u8>)> {
    let mut pieces = Vec::new();
    let mut rest = body;
    for (ms, length) in times {
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        if !piece.is_empty() {
            pieces.push((*ms, piece.to_vec()));
        }
        rest = after;
    }
    let last = times.last().map_or(0, |(ms, _)| *ms);
    if !rest.is_empty() {
        pieces.push((last, rest.to_vec()));
    }
    pieces
}

/// Writes payloads, one a line, as the stream they came in.
fn framed(api: &str, payloads: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for payload in payloads.split(|byte| *byte == b'\n') {
        if !payload.trim_ascii().is_empty() {
            stream.extend_from_slice(b"data: ");
            stream.extend_from_slice(payload);
            stream.extend_from_slice(b"\n\n");
        }
    }
    if api == "openai-chat" {
        stream.extend_from_slice(b"data: [DONE]\n\n");
    }
    stream
}
