//! What a session's first window is made of, gathered from the repository.
//!
//! The maps, the documents they point to, the end of the progress log, recent commits, the top
//! of the tree, languages and tools. A run gathers it when a session opens, and `harness context`
//! when somebody wants to see it: the same code. Reads beneath the root's handle and decides
//! nothing; what is too large for the window is found when it is assembled.

use std::collections::BTreeSet;

use harness_context::{
    about,
    snapshot::{self, Found},
};
use harness_core::{ByteCount, Document, RepoPath, RunState, Source, SourceKind, TokenCount};
use harness_gate::progress;
use harness_git::Repo;
use harness_guard::Guard;
use harness_host::disk::{DiskError, EntryKind, Root, SurveyBounds};

use crate::{
    execute::chain,
    maps::{self, MapFound},
    programs::{Known, Located},
};

/// The largest progress log that is read.
const PROGRESS_MAX: ByteCount = ByteCount::mib(16);
/// How much of the progress log is given: its patterns and its newest entries. Unit: bytes.
const PROGRESS_TAIL: usize = 4 * 1024;
const COMMITS: usize = 8;
/// What is looked at for tree and languages.
const LOOKED_AT: SurveyBounds = SurveyBounds {
    entries_max: 4_000,
    below_one_max: 1_000,
};
/// How much of a document is read for the line about it.
const DOCUMENT_HEAD: ByteCount = ByteCount::kib(4);
/// Links that are followed to a document, each judged anew.
const LINKS_MAX: usize = 8;

/// What is gathered from.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The work tree.
    pub root: &'a Root,
    /// Its repository.
    pub repo: &'a Repo,
    /// The run that a session is for.
    pub run: &'a RunState,
    /// What its feature may see.
    pub guard: &'a Guard,
    /// What an earlier session left for the feature.
    pub note: Option<&'a str>,
    /// What programs have said of their versions.
    pub known: &'a Known,
}

/// What was gathered.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// Texts for the window, in order.
    pub sources: Vec<Source>,
    /// What the maps point to.
    pub documents: Vec<Document>,
    /// Programs whose version is not known yet.
    pub unasked: Vec<Located>,
}

/// Gathers what a session starts from. Blocks.
///
/// # Errors
/// When a map of the root or the progress log is there and cannot be read; the text names it.
pub fn gather(around: Around<'_>) -> Result<Gathered, String> {
    let Around {
        root, run, guard, ..
    } = around;
    let mut sources = Vec::new();
    let mut add = |kind, path, text| sources.push(Source { kind, path, text });
    match maps::of_folder(
        root,
        guard,
        &run.policy.map_file,
        &RepoPath::root(),
        maps::ROOT_MAX,
    ) {
        Some(MapFound::Text { path, text }) => add(SourceKind::Map, Some(path), text),
        Some(MapFound::Problem { path, problem }) => {
            return Err(format!("cannot read the map `{path}`: {problem}"));
        }
        None => {}
    }
    let progress_file = &run.policy.progress_file;
    let progress = read(root, progress_file, PROGRESS_MAX)?;
    let progress = progress.map(|text| progress::window(&text, PROGRESS_TAIL));
    if let Some(text) = &progress {
        add(
            SourceKind::Progress,
            Some(progress_file.clone()),
            text.clone(),
        );
    }
    // The progress log may have it already, and a task may have no log.
    let is_told = |note: &&str| progress.iter().any(|text| text.contains(note.trim()));
    if let Some(note) = around.note.filter(|note| !is_told(note)) {
        add(SourceKind::HandOver, None, note.to_owned());
    }
    let commits = around.repo.recent_commits(COMMITS).join("\n");
    add(SourceKind::Commits, None, commits);
    let found = look(root, guard);
    add(SourceKind::Tree, None, snapshot::tree(&found));
    let gates = run.policy.gates.iter();
    let gates: Vec<&str> = gates
        .filter_map(|gate| Some(gate.run.first()?.as_str()))
        .collect();
    let (tools, unasked) = around.known.of(&snapshot::programs(&found, &gates), &found);
    let tools: Vec<(&str, Option<String>)> = tools
        .iter()
        .map(|(name, version)| (*name, version.clone()))
        .collect();
    let branch = around.repo.head().ok().and_then(|head| head.branch);
    let environment = snapshot::environment(branch.as_deref(), &found, &tools);
    add(SourceKind::Environment, None, environment);
    Ok(Gathered {
        documents: documents(root, guard, &sources),
        sources,
        unasked,
    })
}

/// Looks at the names in the repository: what is ignored, hidden or built is left out.
fn look(root: &Root, guard: &Guard) -> Found {
    let scope = guard.scope().clone();
    let is_left_out = move |path: &RepoPath| scope.is_hidden(path) || scope.is_build_output(path);
    let survey = root.host_survey(is_left_out, LOOKED_AT);
    let entries = survey.entries.into_iter();
    Found {
        entries: entries
            .map(|entry| (entry.path, entry.kind == EntryKind::Folder))
            .collect(),
        cut: survey.cut,
    }
}

/// Looks at the documents that maps point to. What is not there is said; a path in backticks that
/// is not there may be the name of something that is made later, and is left out.
fn documents(root: &Root, guard: &Guard, sources: &[Source]) -> Vec<Document> {
    let links = harness_context::documents(sources).into_iter();
    links
        .filter_map(|link| {
            let (tokens, about) = match head_of(root, guard, &link.target) {
                Ok((head, size)) => {
                    let says = is_text(&link.target).then(|| about(&head, &link.title));
                    (
                        Some(TokenCount(size.0.div_ceil(4))),
                        says.unwrap_or_default(),
                    )
                }
                Err(_) if link.quoted => return None,
                Err(why) => (None, why),
            };
            Some(Document {
                path: link.target,
                title: link.title,
                tokens,
                about,
            })
        })
        .collect()
}

/// Whether the first words of a file say what it is about: code begins otherwise.
fn is_text(path: &RepoPath) -> bool {
    let endings = [".md", ".markdown", ".txt", ".rst", ".adoc"];
    let text = path.to_text();
    endings.iter().any(|ending| text.ends_with(ending))
}

/// Reads how a document begins, and its size; else says why it cannot be loaded.
fn head_of(root: &Root, guard: &Guard, path: &RepoPath) -> Result<(String, ByteCount), String> {
    let mut path = path.clone();
    for _ in 0..LINKS_MAX {
        if !guard.scope().read(&path).is_allowed() {
            return Err("not readable".to_owned());
        }
        match root.host_read_head(&path, DOCUMENT_HEAD) {
            Ok(head) => {
                let text = String::from_utf8_lossy(&head.bytes).into_owned();
                return Ok((text, head.size));
            }
            Err(DiskError::IsLink {
                resolved: Some(target),
                ..
            }) => path = target,
            Err(DiskError::IsLink { resolved: None, .. }) => {
                return Err("a link out of the repository".to_owned());
            }
            Err(DiskError::NotFound { .. } | DiskError::NotFolder { .. }) => {
                return Err("missing".to_owned());
            }
            Err(DiskError::IsFolder { .. }) => return Err("a folder".to_owned()),
            Err(_) => return Err("not readable".to_owned()),
        }
    }
    Err("a chain of links".to_owned())
}

fn read(root: &Root, path: &RepoPath, max: ByteCount) -> Result<Option<String>, String> {
    match root.host_read_file(path, max) {
        Ok(file) => Ok(Some(String::from_utf8_lossy(&file.bytes).into_owned())),
        Err(DiskError::NotFound { .. }) => Ok(None),
        Err(error) => Err(chain(&error)),
    }
}

/// A map below the root that is loaded when its folder is touched, or that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NestedMap {
    /// The file.
    pub path: RepoPath,
    /// What it takes; or why it cannot be loaded.
    pub tokens: Result<TokenCount, String>,
}

/// Finds the maps below the root that an agent may come upon; `true` when there may be more. Blocks.
pub fn nested_maps(root: &Root, guard: &Guard, map_file: &str) -> (Vec<NestedMap>, bool) {
    let scope = guard.scope().clone();
    let bounds = SurveyBounds {
        entries_max: 50_000,
        below_one_max: 50_000,
    };
    let survey = root.host_survey(move |path| scope.is_hidden(path), bounds);
    let is_map = |path: &RepoPath| harness_context::is_map_name(map_file, path);
    let names = survey.entries.iter().map(|entry| &entry.path);
    let folders: BTreeSet<RepoPath> = names
        .filter(|path| is_map(path))
        .filter_map(RepoPath::parent)
        .filter(|folder| !folder.is_root())
        .collect();
    let found = folders.iter().filter_map(|folder| {
        let found = maps::of_folder(root, guard, map_file, folder, maps::NESTED_MAX)?;
        Some(match found {
            MapFound::Text { path, text } => NestedMap {
                path,
                tokens: Ok(TokenCount::estimate(&text)),
            },
            MapFound::Problem { path, problem } => NestedMap {
                path,
                tokens: Err(problem),
            },
        })
    });
    (found.collect(), survey.cut)
}
