//! Reads what maps and documents can speak about: names first, then the texts that matter.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use harness_config::{ConfigFile, Overrides};
use harness_context::{
    docs::{Entry, EntryKind, Library, wanted},
    is_map_name,
};
use harness_core::{ByteCount, Policy, RepoPath, TokenCount};
use harness_guard::Guard;
use harness_host::disk::{self, Root, SurveyBounds};
use harness_runner::NESTED_MAX;

use crate::{
    cli::{Common, RunOptions},
    compose::{CONFIG_FILE, Site, any_feature, config_failure, config_path, read_user},
    failure::{Failure, chain},
    files,
    folders::Folders,
};

/// What is looked at.
const LOOKED_AT: SurveyBounds = SurveyBounds {
    entries_max: 200_000,
    below_one_max: 200_000,
};
/// The largest file whose links are looked at.
const FILE_MAX: ByteCount = ByteCount::mib(1);
/// The most files whose links are looked at.
const FILES_MAX: usize = 5_000;
/// The most paths that are looked up beside what was found, in one step.
const UNKNOWN_MAX: usize = 20_000;
/// Steps from a map to the last document.
const STEPS_MAX: usize = 64;

/// What was read.
pub(super) struct Gathered {
    pub(super) library: Library,
    /// What was not looked at; absent when all was.
    pub(super) note: Option<String>,
}

/// The folder that is checked, and its rules.
struct Ground {
    root: Root,
    policy: Policy,
    /// Files of HEAD that are maps; none where git cannot be seen.
    tracked_maps: Vec<RepoPath>,
}

/// Reads the repository as far as maps and documents speak of it.
pub(super) fn gather(common: &Common) -> Result<Gathered, Failure> {
    let ground = ground(common)?;
    let guard = Guard::new(&ground.policy, &any_feature());
    let guard = guard.map_err(|error| Failure::usage(chain(&error)))?;
    let is_hidden = |path: &RepoPath| !guard.scope().read(path).is_allowed();
    let survey = ground.root.host_survey(|_| false, LOOKED_AT);
    let mut library = Library {
        map_file: ground.policy.map_file.clone(),
        budget: ground.policy.context_budget,
        nested_budget: TokenCount(NESTED_MAX.0 / 4),
        entries: BTreeMap::new(),
    };
    for found in survey.entries {
        let entry = Entry {
            kind: kind_of(ground.root.path(), &found),
            is_hidden: is_hidden(&found.path),
            ..Entry::default()
        };
        library.entries.insert(found.path, entry);
    }
    for path in ground.tracked_maps {
        library.entries.entry(path).or_insert(Entry {
            is_ignored: true,
            ..Entry::default()
        });
    }
    let mut note = survey.cut.then(|| {
        format!(
            "only the first {} entries were looked at",
            LOOKED_AT.entries_max
        )
    });
    let (mut files, mut looked_up) = (0, BTreeSet::new());
    for _ in 0..STEPS_MAX {
        let wanted = wanted(&library);
        let unknown = wanted.unknown.difference(&looked_up);
        let unknown: Vec<RepoPath> = unknown.take(UNKNOWN_MAX).cloned().collect();
        if wanted.unread.is_empty() && unknown.is_empty() {
            break;
        }
        for path in wanted.unread {
            files += 1;
            if files > FILES_MAX {
                note = Some(format!("only {FILES_MAX} documents were looked into"));
            }
            let found = (files <= FILES_MAX).then(|| read(&ground.root, &path));
            if let Some(entry) = library.entries.get_mut(&path) {
                entry.is_read = true;
                (entry.tokens, entry.text) = found.flatten().unwrap_or_default();
            }
        }
        for path in unknown {
            if is_there_or_ignored(&ground.root, &guard, &path) {
                let entry = Entry {
                    is_hidden: is_hidden(&path),
                    is_ignored: true,
                    ..Entry::default()
                };
                library.entries.insert(path.clone(), entry);
            }
            looked_up.insert(path);
        }
    }
    Ok(Gathered { library, note })
}

/// Whether a path that was not found among what is kept is ignored, built, or stands there all the same.
fn is_there_or_ignored(root: &Root, guard: &Guard, path: &RepoPath) -> bool {
    guard.scope().is_build_output(path)
        || fs::symlink_metadata(root.path().join(path.as_path())).is_ok()
        || root.host_is_ignored(path)
}

/// Reads a document: what it takes, and its text where its links count.
fn read(root: &Root, path: &RepoPath) -> Option<(TokenCount, Option<String>)> {
    let mut place = path.clone();
    // A link to a file of the repository is that file.
    if let Ok(real) = root.path().join(path.as_path()).canonicalize()
        && let Ok(inside) = real.strip_prefix(root.path())
        && let Ok(inside) = RepoPath::parse(inside.as_os_str().as_encoded_bytes())
    {
        place = inside;
    }
    let head = root.host_read_head(&place, FILE_MAX).ok()?;
    let tokens = TokenCount(head.size.0.div_ceil(4));
    let name = path.to_text();
    let is_markdown = [".md", ".markdown"]
        .iter()
        .any(|ending| name.ends_with(ending));
    let text = String::from_utf8_lossy(&head.bytes).into_owned();
    Some((tokens, is_markdown.then_some(text)))
}

/// Says what an entry is; of a link what it leads to.
fn kind_of(root: &Path, found: &disk::Surveyed) -> EntryKind {
    match found.kind {
        disk::EntryKind::File => EntryKind::File,
        disk::EntryKind::Folder => EntryKind::Folder,
        disk::EntryKind::Link => {
            let real = root.join(found.path.as_path()).canonicalize();
            match real.ok().filter(|real| real.starts_with(root)) {
                Some(real) if real.is_dir() => EntryKind::Folder,
                Some(_) => EntryKind::File,
                None => EntryKind::LeadsOut,
            }
        }
        disk::EntryKind::Other => EntryKind::LeadsOut,
    }
}

/// Opens the repository; where git cannot be seen, the folder with the configuration.
fn ground(common: &Common) -> Result<Ground, Failure> {
    match Site::open(common) {
        Ok(site) => {
            let policy = site.resolve(&RunOptions::default())?.policy;
            let head = site.repo.head().ok();
            let files = head.and_then(|head| site.repo.files(&head.tree).ok());
            let tracked = files.unwrap_or_default().into_iter().map(|file| file.path);
            let tracked_maps = tracked.filter(|path| is_map_name(&policy.map_file, path));
            Ok(Ground {
                tracked_maps: tracked_maps.collect(),
                policy,
                root: site.root,
            })
        }
        Err(failure) => folder(common)?.ok_or(failure),
    }
}

fn folder(common: &Common) -> Result<Option<Ground>, Failure> {
    let here = std::env::current_dir();
    let here = common
        .directory
        .clone()
        .or(here.ok())
        .unwrap_or_else(|| PathBuf::from("."));
    if !here.join(CONFIG_FILE).is_file() {
        return Ok(None);
    }
    let root = Root::open(&here).map_err(|error| Failure::failed(chain(&error)))?;
    let Some(file) = files::read_beneath(&root, &config_path(), harness_config::FILE_BYTES_MAX)?
    else {
        return Ok(None);
    };
    let parsed =
        ConfigFile::from_bytes(CONFIG_FILE, &file.bytes).and_then(harness_config::parse_repository);
    let repository = parsed.map_err(|error| config_failure(&error))?;
    let user = read_user(&Folders::find()?)?;
    let none = Overrides::default();
    let resolved = harness_config::resolve(Some(&repository), &user, &none, &none);
    let policy = resolved.map_err(|error| config_failure(&error))?.policy;
    Ok(Some(Ground {
        root,
        policy,
        tracked_maps: Vec::new(),
    }))
}
