//! Writing a recording while the run goes on.
//!
//! The body of an answer is appended as it comes, so a killed program leaves what
//! had come. `meta.json` is replaced by a rename and names only files that are
//! there. Nothing is forced to the disk: a loss of power may cost the end.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use super::{
    EXCHANGE_BYTES_MAX, EXCHANGES_MAX, ExchangeEnd, ExchangeEntry, INDEX_BYTES_MAX, META, Meta,
    RECORDING_BYTES_MAX, RecordedModel, RecordingError, reader,
};
use crate::file::failed;

/// How many pieces of one answer are timed; the others come with the last of these.
const PIECES_MAX: u32 = 500_000;

/// A recording that grows.
#[derive(Debug)]
pub struct RecordingWriter {
    folder: PathBuf,
    meta: Meta,
    /// The sum of all bodies.
    bytes: u64,
    /// What is still coming, by number.
    open: BTreeMap<u64, Open>,
}

/// The files of an answer that comes.
#[derive(Debug)]
struct Open {
    /// Where it stands in `meta.interactions`.
    at: usize,
    files: Option<(File, File)>,
    /// How many pieces came.
    pieces: u32,
}

impl RecordingWriter {
    /// Begins a recording in a folder that is empty or not there yet.
    ///
    /// # Errors
    /// When the folder holds anything, or cannot be written.
    pub fn create(folder: &Path, models: Vec<RecordedModel>) -> Result<Self, RecordingError> {
        make_folder(folder)?;
        if folder.join(META).exists() {
            let folder = folder.to_owned();
            return Err(RecordingError::Taken { folder });
        }
        let mut entries = fs::read_dir(folder).map_err(failed("read folder", folder))?;
        if entries.next().is_some() {
            let folder = folder.to_owned();
            return Err(RecordingError::NotEmpty { folder });
        }
        // Whatever mode an empty folder of the person's had: what is said to a model is nobody else's business.
        fs::set_permissions(folder, Permissions::from_mode(0o700))
            .map_err(failed("protect folder", folder))?;
        let meta = Meta {
            recorder: Some(concat!("harness ", env!("CARGO_PKG_VERSION")).to_owned()),
            models,
            ..Meta::default()
        };
        let mut writer = Self::new(folder, meta);
        writer.save()?;
        Ok(writer)
    }

    /// Goes on with a recording, or begins one where the folder holds none.
    ///
    /// # Errors
    /// When another program made the recording, it is broken, or cannot be written.
    pub fn reopen(folder: &Path, models: Vec<RecordedModel>) -> Result<Self, RecordingError> {
        if !folder.join(META).exists() {
            return Self::create(folder, models);
        }
        let mut meta = reader::meta(folder)?;
        if meta.recorder.is_none() {
            let folder = folder.to_owned();
            return Err(RecordingError::Foreign { folder });
        }
        let new = models
            .into_iter()
            .filter(|model| !meta.models.iter().any(|known| known.name == model.name));
        let new: Vec<RecordedModel> = new.collect();
        meta.models.extend(new);
        meta.stopped = None;
        let mut writer = Self::new(folder, meta);
        writer.save()?;
        Ok(writer)
    }

    fn new(folder: &Path, meta: Meta) -> Self {
        let sizes = meta.interactions.iter().map(|entry| entry.bytes);
        let bytes = sizes.fold(0, u64::saturating_add);
        Self {
            folder: folder.to_owned(),
            meta,
            bytes,
            open: BTreeMap::new(),
        }
    }

    /// Returns where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns how many exchanges it has.
    pub fn len(&self) -> usize {
        self.meta.interactions.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes a request that goes out and returns its number.
    ///
    /// # Errors
    /// When a bound is reached or a file cannot be written.
    pub fn begin(&mut self, mut entry: ExchangeEntry, body: &[u8]) -> Result<u64, RecordingError> {
        if self.len() >= EXCHANGES_MAX {
            return Err(full(format!("{EXCHANGES_MAX} exchanges")));
        }
        self.make_room(body.len(), 0)?;
        let numbers = self.meta.interactions.iter().map(|entry| entry.n);
        let number = numbers.max().map_or(0, |last| last.saturating_add(1));
        let name = format!("{number:02}.request.json");
        let mut file = self.file(&name)?;
        file.write_all(body)
            .map_err(failed("write", &self.folder.join(&name)))?;
        entry.n = number;
        entry.request = Some(name);
        entry.ended = ExchangeEnd::Open;
        let at = self.len();
        self.meta.interactions.push(entry);
        let open = Open {
            at,
            files: None,
            pieces: 0,
        };
        self.open.insert(number, open);
        self.save()?;
        Ok(number)
    }

    /// Writes how the answer begins; `kind` is how the file of its body ends, such as `sse`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn answered(
        &mut self,
        number: u64,
        status: u16,
        headers: Map<String, Value>,
        kind: &str,
    ) -> Result<(), RecordingError> {
        let response = format!("{number:02}.response.{kind}");
        let chunks = format!("{number:02}.chunks.tsv");
        let files = (self.file(&response)?, self.file(&chunks)?);
        let Some(open) = self.open.get_mut(&number) else {
            return Ok(());
        };
        open.files = Some(files);
        let entry = &mut self.meta.interactions[open.at];
        entry.status = Some(status);
        entry.headers = headers;
        entry.response = Some(response);
        entry.chunks = Some(chunks);
        self.save()
    }

    /// Notes that `came` bytes came after `ms` milliseconds, and appends what is to be kept by now.
    ///
    /// # Errors
    /// When a bound is reached or a file cannot be written.
    pub fn append(
        &mut self,
        number: u64,
        ms: u64,
        came: usize,
        kept: &[u8],
    ) -> Result<(), RecordingError> {
        let Some(at) = self.open.get(&number).map(|open| open.at) else {
            return Ok(());
        };
        let before = self.meta.interactions[at].bytes;
        self.make_room(kept.len(), before)?;
        let entry = &mut self.meta.interactions[at];
        entry.bytes = before.saturating_add(kept.len() as u64);
        let names = (entry.response.clone(), entry.chunks.clone());
        let Some(open) = self.open.get_mut(&number) else {
            return Ok(());
        };
        open.pieces = open.pieces.saturating_add(u32::from(came > 0));
        let is_timed = came > 0 && open.pieces <= PIECES_MAX;
        let (Some((body, chunks)), (Some(body_name), Some(chunks_name))) = (&mut open.files, names)
        else {
            return Ok(());
        };
        body.write_all(kept)
            .map_err(failed("write", &self.folder.join(body_name)))?;
        if is_timed {
            chunks
                .write_all(format!("{ms}\t{came}\n").as_bytes())
                .map_err(failed("write", &self.folder.join(chunks_name)))?;
        }
        Ok(())
    }

    /// Writes how an exchange ended.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end(
        &mut self,
        number: u64,
        ms: u64,
        ended: ExchangeEnd,
        error: Option<String>,
    ) -> Result<(), RecordingError> {
        let Some(open) = self.open.remove(&number) else {
            return Ok(());
        };
        let entry = &mut self.meta.interactions[open.at];
        entry.ms = ms;
        entry.ended = ended;
        entry.error = error;
        self.save()
    }

    /// Writes why nothing more is recorded, where that can be written at all.
    ///
    /// The last exchange is left out where `meta.json` has no room for it.
    pub fn stop(&mut self, why: &str) {
        self.meta.stopped = Some(why.to_owned());
        while matches!(self.save(), Err(RecordingError::Full { .. })) {
            if self.meta.interactions.pop().is_none() {
                return;
            }
        }
    }

    /// Counts bytes of an exchange that has `before` already.
    fn make_room(&mut self, bytes: usize, before: u64) -> Result<(), RecordingError> {
        let bytes = bytes as u64;
        if before.saturating_add(bytes) > EXCHANGE_BYTES_MAX.0 {
            return Err(full(format!("{EXCHANGE_BYTES_MAX} of one body")));
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > RECORDING_BYTES_MAX.0 {
            return Err(full(RECORDING_BYTES_MAX.to_string()));
        }
        Ok(())
    }

    /// Opens a file anew: one of this name is what a killed program left and no entry names.
    fn file(&self, name: &str) -> Result<File, RecordingError> {
        let path = self.folder.join(name);
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(&path);
        Ok(opened.map_err(failed("create", &path))?)
    }

    fn save(&mut self) -> Result<(), RecordingError> {
        let path = self.folder.join(META);
        let mut text = serde_json::to_vec_pretty(&self.meta)
            .expect("an entry holds only text, numbers and maps with text keys");
        text.push(b'\n');
        if text.len() > INDEX_BYTES_MAX.as_usize() {
            return Err(full(format!("{INDEX_BYTES_MAX} of `{META}`")));
        }
        let written = NamedTempFile::new_in(&self.folder).and_then(|mut file| {
            file.write_all(&text)?;
            file.persist(&path).map_err(|error| error.error)
        });
        Ok(written.map(drop).map_err(failed("write", &path))?)
    }
}

fn make_folder(folder: &Path) -> Result<(), RecordingError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    match made {
        // A file is in the way; the system's own word for it says less.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let folder = folder.to_owned();
            Err(RecordingError::NotEmpty { folder })
        }
        made => Ok(made.map_err(failed("create folder", folder))?),
    }
}

const fn full(what: String) -> RecordingError {
    RecordingError::Full { what }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn entry() -> ExchangeEntry {
        ExchangeEntry {
            api: "openai-chat".to_owned(),
            ..ExchangeEntry::default()
        }
    }

    fn place() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a/recording");
        (folder, place)
    }

    fn is_full<T>(result: &Result<T, RecordingError>) -> bool {
        matches!(result, Err(RecordingError::Full { .. }))
    }

    #[test]
    fn a_bound_is_said_and_nothing_is_written_beyond_it() {
        let (_folder, place) = place();
        let mut writer = RecordingWriter::create(&place, Vec::new()).unwrap();
        let too_much = vec![0; EXCHANGE_BYTES_MAX.as_usize() + 1];
        assert!(is_full(&writer.begin(entry(), &too_much)));

        let number = writer.begin(entry(), b"{}").unwrap();
        writer.answered(number, 200, Map::new(), "sse").unwrap();
        writer.append(number, 1, 2, b"ab").unwrap();
        assert!(is_full(&writer.append(number, 1, 1, &too_much[1..])));
        writer.bytes = RECORDING_BYTES_MAX.0;
        assert!(is_full(&writer.append(number, 1, 1, b"c")));
        writer.bytes = 0;
        while writer.len() < EXCHANGES_MAX {
            writer.meta.interactions.push(entry());
        }
        assert!(is_full(&writer.begin(entry(), b"{}")));
        writer.stop("full");
        assert_eq!(fs::read(place.join("00.response.sse")).unwrap(), b"ab");
        let recording = super::super::Recording::open(&place).unwrap();
        assert_eq!(recording.stopped(), Some("full"));
        assert_eq!(recording.entries()[0].ended, ExchangeEnd::Open);
    }

    #[test]
    fn an_index_that_would_be_too_large_to_read_is_not_written() {
        let (_folder, place) = place();
        let mut writer = RecordingWriter::create(&place, Vec::new()).unwrap();
        writer.begin(entry(), b"{}").unwrap();
        let number = writer.begin(entry(), b"{}").unwrap();
        let long = Value::from("x".repeat(INDEX_BYTES_MAX.as_usize()));
        let headers = Map::from_iter([("x-long".to_owned(), long)]);
        assert!(is_full(&writer.answered(number, 200, headers, "sse")));
        writer.stop("full");
        let recording = super::super::Recording::open(&place).unwrap();
        assert_eq!(recording.stopped(), Some("full"));
        assert_eq!(recording.entries().len(), 1);
    }

    #[test]
    fn a_recording_is_gone_on_with_behind_what_a_killed_program_left() {
        let (_folder, place) = place();
        let mut writer = RecordingWriter::create(&place, Vec::new()).unwrap();
        let number = writer.begin(entry(), b"{}").unwrap();
        writer.answered(number, 200, Map::new(), "sse").unwrap();
        drop(writer);
        // Written before its entry, which never was.
        fs::write(place.join("01.request.json"), "a long request").unwrap();
        let mut writer = RecordingWriter::reopen(&place, Vec::new()).unwrap();
        assert_eq!(writer.begin(entry(), b"[]").unwrap(), 1);
        assert_eq!(fs::read(place.join("01.request.json")).unwrap(), b"[]");
        assert!(matches!(
            RecordingWriter::create(&place, Vec::new()),
            Err(RecordingError::Taken { .. })
        ));
    }

    #[test]
    fn pieces_come_back_as_they_came_also_where_the_body_is_another() {
        for (kept, pieces) in [
            (&b"abcde"[..], vec![(3, &b"ab"[..]), (9, b"cde")]),
            (b"abc", vec![(3, b"ab"), (9, b"c")]),
            (b"abcdefg", vec![(3, b"ab"), (9, b"cde"), (9, b"fg")]),
            (b"", Vec::new()),
        ] {
            let (_folder, place) = place();
            let mut writer = RecordingWriter::create(&place, Vec::new()).unwrap();
            let number = writer.begin(entry(), b"{}").unwrap();
            writer.answered(number, 200, Map::new(), "sse").unwrap();
            writer.append(number, 3, 2, kept).unwrap();
            writer.append(number, 9, 3, b"").unwrap();
            writer.end(number, 10, ExchangeEnd::Complete, None).unwrap();
            let recording = super::super::Recording::open(&place).unwrap();
            let replayed = recording.exchange(0).unwrap().unwrap();
            let pieces: Vec<_> = pieces
                .iter()
                .map(|(ms, piece)| (*ms, piece.to_vec()))
                .collect();
            assert_eq!(replayed.pieces, pieces);
            assert!(recording.exchange(1).unwrap().is_none());
        }
    }
}
