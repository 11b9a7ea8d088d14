//! `harness session list --all`: the sessions of every repository that is known.

use harness_store::Store;
use serde_json::Value;

use super::{Told, cells};
use crate::{
    failure::{Failure, chain},
    folders::Folders,
    output::{Output, say},
    repositories, table,
};

/// Lists them, repository by repository; what is gone is said and left out.
pub(super) fn list(archived: bool, output: &mut Output) -> Result<u8, Failure> {
    let known = repositories::all(&Folders::find()?);
    if known.is_empty() {
        output.text("note: no session was opened yet; `harness run` begins one")?;
    }
    for known in known {
        let folder = known.common_dir.join("harness");
        let store = match Store::open_existing(&folder) {
            Ok(Some(store)) => store,
            Ok(None) => {
                say(&format!("note: `{}` is gone", known.root.display()));
                continue;
            }
            Err(error) => {
                say(&format!("warning: {}", chain(&error)));
                continue;
            }
        };
        if let Err(error) = list_one(&store, &known, archived, output)? {
            say(&format!("warning: {}", chain(&error)));
        }
    }
    Ok(0)
}

fn list_one(
    store: &Store,
    known: &repositories::Known,
    archived: bool,
    output: &mut Output,
) -> Result<Result<(), harness_store::StoreError>, Failure> {
    let (sessions, runs) = match (store.sessions(), store.runs()) {
        (Ok(sessions), Ok(runs)) => (sessions, runs),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
    };
    let told = sessions
        .iter()
        .rev()
        .map(|session| Told::read(store, &runs, *session));
    let told: Vec<Told> = told
        .filter(|told| archived || !told.marks.archived)
        .collect();
    if told.is_empty() {
        return Ok(Ok(()));
    }
    let root = known.root.display().to_string();
    output.text(&format!("{root}:"))?;
    let rows: Vec<Vec<String>> = told.iter().map(|told| cells(told, &root)).collect();
    for (text, told) in table::fitted(&rows).iter().zip(&told) {
        let mut body = told.body();
        if let Value::Object(body) = &mut body {
            body.insert("repository".to_owned(), root.clone().into());
        }
        output.entry("session", &format!("  {text}"), body)?;
    }
    Ok(Ok(()))
}
