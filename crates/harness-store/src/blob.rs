//! Long texts of events, kept beside the log under the digest of their content.
//!
//! A record that has some lists their digests in `blobs`; where the text stood, its event says
//! `blob:<digest>`. So the chain holds them too, the same image twice is one file, and a version
//! that does not know them folds the event all the same. Secrets are taken out before a digest is made.

use std::{
    collections::HashMap,
    fs, io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use harness_core::ByteCount;
use serde_json::Value;

use crate::{
    Defect, FileError, Hash,
    export::parse_blob,
    file::{create_folder, failed, open_to_read, read_some, sync_folder},
    redaction::each_string,
};

/// The shortest text that is kept beside the log.
pub const BLOB_BYTES_MIN: ByteCount = ByteCount::kib(32);

/// The longest text that is kept beside the log.
pub const BLOB_BYTES_MAX: ByteCount = ByteCount::mib(24);

/// The most that the texts of one event take.
pub(crate) const EVENT_BYTES_MAX: ByteCount = ByteCount::mib(64);

const PREFIX: &str = "blob:";
/// How the name of a text begins that is not all there.
const UNFINISHED: &str = ".unfinished-";

/// Texts that were taken out of an event.
pub(crate) type Taken = Vec<(Hash, String)>;

/// Takes the long texts out of an event's JSON; `None` when it has none.
pub(crate) fn take_out(json: &str) -> Option<(String, Taken)> {
    if json.len() < BLOB_BYTES_MIN.as_usize() {
        return None;
    }
    let mut event: Value = serde_json::from_str(json).expect("an event was written by serde_json");
    let mut taken = Vec::new();
    each_string(&mut event, &mut |text| {
        let is_long = (BLOB_BYTES_MIN.as_usize()..=BLOB_BYTES_MAX.as_usize()).contains(&text.len());
        if is_long {
            let hash = Hash::of(&[text.as_bytes()]);
            let text = std::mem::replace(text, format!("{PREFIX}{hash}"));
            taken.push((hash, text));
        }
    });
    (!taken.is_empty()).then(|| (event.to_string(), taken))
}

/// Puts the texts back that a record lists.
pub(crate) fn put_back(event: &mut Value, listed: &[Hash], blobs: &Blobs) -> Result<(), Defect> {
    let (mut texts, mut bytes) = (HashMap::new(), 0);
    for hash in listed {
        let name = format!("{PREFIX}{hash}");
        if texts.contains_key(&name) {
            continue;
        }
        let text = blobs.text(*hash)?;
        bytes += text.len();
        if bytes > EVENT_BYTES_MAX.as_usize() {
            return Err(Defect::TooMany);
        }
        texts.insert(name, text);
    }
    each_string(event, &mut |text| {
        if let Some(whole) = texts.get(text.as_str()) {
            text.clone_from(whole);
        }
    });
    Ok(())
}

/// Where the texts of a log are.
#[derive(Clone, Debug)]
pub(crate) enum Blobs {
    /// In a folder beside it.
    Folder(PathBuf),
    /// In an exported file, before the records that name them: where the line of each begins, and its bytes.
    Given {
        path: PathBuf,
        lines: HashMap<Hash, (u64, usize)>,
    },
}

impl Blobs {
    /// Returns where the texts of a log are that is a file of its own.
    pub(crate) fn beside(log: &Path) -> Self {
        Self::Folder(log.with_file_name("blobs"))
    }

    /// Returns a text, as it was when it was kept.
    pub(crate) fn text(&self, hash: Hash) -> Result<String, Defect> {
        let folder = match self {
            Self::Folder(folder) => folder,
            Self::Given { path, lines } => {
                let place = lines.get(&hash).ok_or(Defect::BlobMissing { hash })?;
                return given(path, *place, hash);
            }
        };
        let path = folder.join(hash.to_string());
        let file = open_to_read(&path).ok().flatten();
        let file = file.ok_or(Defect::BlobMissing { hash })?;
        let bytes = read_some(&file, &path, BLOB_BYTES_MAX.0 + 1);
        let text = String::from_utf8(bytes.map_err(|_| Defect::BlobMissing { hash })?);
        let text = text.map_err(|_| Defect::BlobChanged { hash })?;
        if Hash::of(&[text.as_bytes()]) == hash {
            Ok(text)
        } else {
            Err(Defect::BlobChanged { hash })
        }
    }
}

/// Reads a text of an exported file again: none of them is held in memory.
fn given(path: &Path, (start, bytes): (u64, usize), hash: Hash) -> Result<String, Defect> {
    let mut line = vec![0; bytes];
    let file = open_to_read(path).ok().flatten();
    file.and_then(|file| file.read_exact_at(&mut line, start).ok())
        .ok_or(Defect::BlobMissing { hash })?;
    match parse_blob(&line)? {
        Some((found, text)) if found == hash => Ok(text),
        _ => Err(Defect::BlobChanged { hash }),
    }
}

/// Keeps texts beside a log, durably: the record that names them comes after.
pub(crate) fn keep(log: &Path, taken: &Taken) -> Result<(), FileError> {
    let folder = log.with_file_name("blobs");
    if !folder.is_dir() {
        create_folder(&folder)?;
        folder.parent().map_or(Ok(()), sync_folder)?;
    }
    let mut is_new = false;
    for (hash, text) in taken {
        let path = folder.join(hash.to_string());
        let there = path.metadata().map(|meta| meta.len());
        if there.is_ok_and(|length| length == text.len() as u64) {
            continue;
        }
        write(&folder, &path, text.as_bytes()).map_err(failed("write", &path))?;
        is_new = true;
    }
    if is_new { sync_folder(&folder) } else { Ok(()) }
}

/// Writes one text under another name first: a name is there only with all of its text.
fn write(folder: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)?;
    harness_failpoint::write("blob.write", &mut file, text)?;
    file.as_file().sync_data()?;
    harness_failpoint::pass("blob.rename")?;
    file.persist(path).map_err(|error| error.error)?;
    harness_failpoint::moment("blob.renamed");
    Ok(())
}

/// Removes what a process that died was about to keep; what cannot be removed is in nobody's way.
pub(crate) fn sweep(log: &Path) {
    let entries = fs::read_dir(log.with_file_name("blobs"));
    for entry in entries.into_iter().flatten().flatten() {
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(UNFINISHED.as_bytes())
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}
