//! `harness log export`: a session in one file, for programs or for reading.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use harness_store::{Store, StoreError};

use super::super::runs;
use super::{Target, transcript, unreadable};
use crate::{
    cli::{Common, Export, ExportFormat},
    compose::Site,
    failure::{Failure, chain},
    output::say,
};

pub(in crate::cmd) fn run(
    site: &Site,
    store: &Store,
    common: &Common,
    flags: &Export,
) -> Result<u8, Failure> {
    let session = match flags.session.as_deref() {
        Some(name) => runs::any_session(store, name)?,
        None => runs::session(site, store, None)?,
    };
    let target = Target::session(store, session);
    // Read before a file is made: nothing is left behind of a session that cannot be exported.
    harness_store::verify(&target.path)
        .map_err(|error| unreadable(&target, &error))
        .and_then(|found| match found.problem {
            None => Ok(()),
            Some(problem) => Err(unreadable(
                &target,
                &StoreError::Unreadable {
                    path: target.path.clone(),
                    line: problem.line,
                    defect: problem.what,
                },
            )),
        })?;
    let Some(path) = &flags.output else {
        let mut stdout = BufWriter::new(io::stdout().lock());
        return match write(store, &target, flags.format, session, &mut stdout)? {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(
                format!("cannot write to standard output: {error}"),
            )),
            _ => Ok(0),
        };
    };
    let path = common
        .directory
        .as_deref()
        .map_or_else(|| path.clone(), |folder| folder.join(path));
    let mut file = BufWriter::new(create(&path)?);
    let written = write(store, &target, flags.format, session, &mut file)?;
    written
        .and_then(|()| file.get_ref().sync_all())
        .map_err(|error| {
            let _ = std::fs::remove_file(&path);
            Failure::failed(format!("cannot write `{}`: {error}", path.display()))
        })?;
    let check = match flags.format {
        ExportFormat::Jsonl => format!("; `harness log verify {}` checks it", path.display()),
        ExportFormat::Md => String::new(),
    };
    say(&format!(
        "note: {session} is in `{}`{check}",
        path.display()
    ));
    Ok(0)
}

fn write(
    store: &Store,
    target: &Target,
    format: ExportFormat,
    session: harness_core::SessionId,
    to: &mut impl Write,
) -> Result<io::Result<()>, Failure> {
    match format {
        ExportFormat::Jsonl => {
            let written = store.export(session, to);
            let written = written.map_err(|error| unreadable(target, &error))?;
            Ok(written.map(drop))
        }
        ExportFormat::Md => transcript::write(target, to),
    }
}

/// Makes a file for the person alone; one that is there is somebody's.
fn create(path: &Path) -> Result<File, Failure> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    made.map_err(|error| {
        let failure = Failure::usage(format!(
            "cannot make `{}`: {}",
            path.display(),
            chain(&error)
        ));
        match error.kind() {
            io::ErrorKind::AlreadyExists => failure.hint("name another file, or remove it first"),
            _ => failure,
        }
    })
}
