//! The person's own prompts: files in their configuration folder, read when a run begins.
//!
//! Only the person's: a repository can bring none. What was read goes into the run's state, so
//! that a session which is resumed or replayed is told the same bytes.

use std::{collections::BTreeMap, fs, path::PathBuf};

use harness_context::prompts::{PROMPT_BYTES_MAX, PROMPTS, PromptError, own_prompt};
use harness_core::ByteCount;

use crate::{
    failure::{Failure, chain},
    files,
    folders::Folders,
};

/// The most files of the folder that are looked at.
const FILES_MAX: usize = 100;

/// Reads the person's own prompts, by name; none where there is no folder.
///
/// Files that end in `.md` count; each must be named as a prompt is.
pub(crate) fn read(folders: &Folders) -> Result<BTreeMap<String, String>, Failure> {
    let folder = folders.prompts();
    let Ok(entries) = fs::read_dir(&folder) else {
        return Ok(BTreeMap::new());
    };
    let paths = entries.take(FILES_MAX).flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    paths.sort();
    let mut prompts = BTreeMap::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        // With room for blanks around the text.
        let max = ByteCount(2 * PROMPT_BYTES_MAX as u64);
        let Some(bytes) = files::read_own(&path, max)? else {
            continue;
        };
        let cannot = |why: &str| {
            Failure::usage(format!("cannot use the prompt `{}`: {why}", path.display()))
        };
        let text = String::from_utf8(bytes).map_err(|_| cannot("it is no UTF-8"))?;
        let (prompt, text) =
            own_prompt(&name, &text).map_err(|error| cannot(&chain(&error)).hint(hint(&error)))?;
        prompts.insert(prompt.as_str().to_owned(), text);
    }
    Ok(prompts)
}

fn hint(error: &PromptError) -> String {
    match error {
        PromptError::Unknown { .. } => {
            let names = PROMPTS.map(|prompt| format!("{}.md", prompt.as_str()));
            format!("the prompts are {}", names.join(", "))
        }
        _ => "`harness context --prompt` shows the built-in text once the file is gone".to_owned(),
    }
}
