//! Checks maps and documents against the repository they describe.
//!
//! What is wrong is named with its file and line. Only what an agent is led by is looked
//! into: the maps that are loaded, and the documents that can be reached from them; a
//! Markdown file that nobody points to may say what it likes. Paths in backticks count in
//! maps alone, and only where the folder they begin with exists: prose is full of names of
//! things that are made later. Called by `harness docs check`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use harness_core::{RepoPath, TokenCount};

use crate::{
    index::{Mention, Place, is_document, mentions},
    map::{is_map_name, override_name},
};

mod anchors;
mod nearest;

use nearest::nearest;

/// The most mentions of one file that are looked at.
const MENTIONS_MAX: usize = 2_000;
/// How often the nearest path is looked for: it is a comparison with every path there is.
const NEAREST_MAX: usize = 50;
/// The most findings that are returned.
const FINDINGS_MAX: usize = 500;

/// Everything that maps and documents can speak about.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// The name of a folder's map, such as `AGENTS.md`.
    pub map_file: String,
    /// What the first message may take.
    pub budget: TokenCount,
    /// What a nested map may take.
    pub nested_budget: TokenCount,
    /// What stands in the repository.
    pub entries: BTreeMap<RepoPath, Entry>,
}

/// One entry of the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Whether an agent may read it.
    pub is_hidden: bool,
    /// Whether it is ignored, and so not there in a fresh clone.
    pub is_ignored: bool,
    /// What it takes in a window, estimated.
    pub tokens: TokenCount,
    /// The text, of maps and Markdown files that were read.
    pub text: Option<String>,
    /// Whether it was measured and read as far as that is wanted.
    pub is_read: bool,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file, or a link to one inside.
    #[default]
    File,
    /// A folder, or a link to one inside.
    Folder,
    /// A link that leads out of the repository, or nowhere.
    LeadsOut,
}

/// The rules that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// A link to what does not exist, or what an agent may not read.
    DeadLink,
    /// A link to a heading that does not exist.
    DeadAnchor,
    /// A document beside others that nothing points to.
    Orphan,
    /// A map or document that is too large to be loaded.
    OverBudget,
    /// A path in a map that does not exist.
    StalePath,
    /// A map that is never loaded.
    UnreachableMap,
}

impl Rule {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeadLink => "dead-link",
            Self::DeadAnchor => "dead-anchor",
            Self::Orphan => "orphan",
            Self::OverBudget => "over-budget",
            Self::StalePath => "stale-path",
            Self::UnreachableMap => "unreachable-map",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocsFinding {
    /// The file.
    pub path: RepoPath,
    /// Its line, counted from 1; absent where it is about the whole file.
    pub line: Option<usize>,
    /// What is broken.
    pub rule: Rule,
    /// What is wrong, with the way to mend it.
    pub message: String,
}

/// What a check has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocsCheck {
    /// What is wrong, by file and line; at most 500.
    pub findings: Vec<DocsFinding>,
    /// How many more findings there are.
    pub more: usize,
    /// The maps that are loaded.
    pub maps: usize,
    /// The documents that can be reached from them.
    pub documents: usize,
}

/// What a library lacks to be checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Maps and documents that were not read yet.
    pub unread: BTreeSet<RepoPath>,
    /// Paths that are mentioned and not known: they may be ignored, or not exist.
    pub unknown: BTreeSet<RepoPath>,
}

/// Returns what has to be read and looked up before the next step; nothing when all is there.
///
/// Asked again after each step: what was read mentions more.
pub fn wanted(library: &Library) -> Wanted {
    let mut wanted = Wanted::default();
    let is_unread = |entry: &Entry| {
        let is_loaded = entry.kind == EntryKind::File && !entry.is_hidden && !entry.is_ignored;
        is_loaded && !entry.is_read
    };
    for (path, entry) in &library.entries {
        if is_map_name(&library.map_file, path) && is_unread(entry) {
            wanted.unread.insert(path.clone());
        }
        let Some(text) = &entry.text else {
            continue;
        };
        for mention in mentions(path, text, MENTIONS_MAX) {
            for place in places(&mention) {
                match library.entries.get(&place) {
                    None if !place.is_root() => {
                        wanted.unknown.insert(place);
                    }
                    Some(entry) if is_document(&place) && is_unread(entry) => {
                        wanted.unread.insert(place);
                    }
                    _ => {}
                }
            }
        }
    }
    wanted
}

/// Returns where a mention may lead: a path in backticks is meant from the file's folder or from the root.
fn places(mention: &Mention) -> Vec<RepoPath> {
    let written = match &mention.place {
        Place::Inside(path) => Some(path.clone()),
        Place::Outside => None,
    };
    let from_root = mention
        .quoted
        .then(|| RepoPath::parse(mention.written.trim_start_matches('/')).ok());
    written.into_iter().chain(from_root.flatten()).collect()
}

/// Checks maps and documents.
pub fn check(library: &Library) -> DocsCheck {
    let mut check = Checking {
        library,
        findings: BTreeSet::new(),
        reached: BTreeSet::new(),
        folders: BTreeSet::new(),
        looked_for: 0,
    };
    let maps = check.maps();
    check.follow(&maps);
    check.orphans();
    let documents = check.reached.len();
    let all = check.findings.len();
    let findings: Vec<DocsFinding> = check.findings.into_iter().take(FINDINGS_MAX).collect();
    DocsCheck {
        more: all - findings.len(),
        findings,
        maps: maps.len(),
        documents,
    }
}

struct Checking<'a> {
    library: &'a Library,
    findings: BTreeSet<DocsFinding>,
    /// Documents that maps lead to, by however many steps.
    reached: BTreeSet<RepoPath>,
    /// Folders that maps point into.
    folders: BTreeSet<RepoPath>,
    /// How often the nearest path was looked for.
    looked_for: usize,
}

impl Checking<'_> {
    fn find(&mut self, rule: Rule, path: &RepoPath, line: Option<usize>, message: String) {
        self.findings.insert(DocsFinding {
            path: path.clone(),
            line,
            rule,
            message,
        });
    }

    /// Returns the maps that are loaded; those that never are become findings.
    fn maps(&mut self) -> Vec<RepoPath> {
        let library = self.library;
        let name = &library.map_file;
        let over = override_name(name);
        let mut maps = Vec::new();
        for (path, entry) in &library.entries {
            if entry.kind == EntryKind::Folder {
                continue;
            }
            let text = path.to_text();
            let is_misspelt = !is_map_name(name, path)
                && path
                    .file_name()
                    .is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()));
            if is_misspelt && !entry.is_ignored {
                let message = format!("is never loaded: a map is called `{name}`");
                self.find(Rule::UnreachableMap, path, None, message);
            }
            if !is_map_name(name, path) {
                continue;
            }
            // What is hidden by an override of the person's own alone is theirs.
            let beside = text.strip_suffix(name.as_str());
            let beside = beside.and_then(|folder| RepoPath::parse(format!("{folder}{over}")).ok());
            let hiding = beside.filter(|beside| {
                let found = library.entries.get(beside);
                found.is_some_and(|found| !found.is_ignored && !found.is_hidden)
            });
            let why = match (entry.kind, hiding) {
                (EntryKind::LeadsOut, _) => {
                    Some("is a link that leads out of the repository, or nowhere".to_owned())
                }
                _ if entry.is_hidden => Some("is hidden by `[scope] hide`".to_owned()),
                _ if entry.is_ignored && text.ends_with(over.as_str()) => None,
                _ if entry.is_ignored => Some("is in an ignored folder, or ignored".to_owned()),
                (_, Some(hiding)) => Some(format!("has `{hiding}` beside it, which is loaded")),
                _ => None,
            };
            if let Some(why) = why {
                let message = format!("is never loaded: it {why}");
                self.find(Rule::UnreachableMap, path, None, message);
                continue;
            }
            self.size_of_map(path, entry);
            maps.push(path.clone());
        }
        maps
    }

    fn size_of_map(&mut self, path: &RepoPath, entry: &Entry) {
        let is_root = !path
            .to_text()
            .trim_end_matches(&self.library.map_file)
            .contains('/');
        let (most, what) = if is_root {
            (self.library.budget, "the context budget")
        } else {
            (self.library.nested_budget, "what a nested map may take")
        };
        if entry.tokens > most {
            let message = format!(
                "takes {}, over {what} of {most}: move detail into documents that it links to",
                entry.tokens
            );
            self.find(Rule::OverBudget, path, None, message);
        }
    }

    /// Looks at what maps mention, and at what is mentioned there, and so on.
    fn follow(&mut self, maps: &[RepoPath]) {
        let known: BTreeSet<&RepoPath> = maps.iter().collect();
        let mut due: VecDeque<RepoPath> = maps.iter().cloned().collect();
        while let Some(path) = due.pop_front() {
            let is_map = known.contains(&path);
            let entry = self.library.entries.get(&path);
            let Some(text) = entry.and_then(|entry| entry.text.as_deref()) else {
                continue;
            };
            for mention in mentions(&path, text, MENTIONS_MAX) {
                let Some(target) = self.mention(&path, is_map, &mention) else {
                    continue;
                };
                if is_map && is_document(&target) && !known.contains(&target) {
                    let folder = target.parent().filter(|folder| !folder.is_root());
                    self.folders.extend(folder);
                }
                let is_new = is_document(&target) && !known.contains(&target);
                if is_new && self.reached.insert(target.clone()) {
                    self.size_of_document(&target);
                    due.push_back(target);
                }
            }
        }
    }

    /// Looks at one mention; returns what it leads to where that is there.
    fn mention(&mut self, path: &RepoPath, is_map: bool, mention: &Mention) -> Option<RepoPath> {
        let line = Some(mention.line);
        let Place::Inside(target) = &mention.place else {
            // Where a site shows the repository, such links lead to its pages.
            if is_map && !mention.quoted {
                let message = format!("`{}` leads out of the repository", mention.written);
                self.find(Rule::DeadLink, path, line, message);
            }
            return None;
        };
        if mention.quoted {
            return self.quoted(path, is_map, mention);
        }
        let library = self.library;
        let written = &mention.written;
        let problem = match library.entries.get(target) {
            _ if target.is_root() => return None,
            None => {
                format!("`{written}` does not exist{}", self.nearest_to(target))
            }
            Some(entry) if entry.kind == EntryKind::LeadsOut => {
                format!("`{written}` is a link that leads out of the repository, or nowhere")
            }
            Some(entry) if entry.is_hidden => {
                format!("`{written}` is hidden: no agent can read it")
            }
            Some(entry) if entry.is_ignored => {
                format!("`{written}` is ignored: it is not there in a fresh clone")
            }
            Some(entry) => {
                if let (Some(anchor), Some(text)) = (&mention.anchor, &entry.text)
                    && !anchors::has(text, anchor)
                {
                    let message = format!("`{target}` has no heading for `#{anchor}`");
                    self.find(Rule::DeadAnchor, path, line, message);
                }
                return Some(target.clone());
            }
        };
        self.find(Rule::DeadLink, path, line, problem);
        None
    }

    /// Looks at a path in backticks: from the file's folder, else from the root.
    fn quoted(&mut self, path: &RepoPath, is_map: bool, mention: &Mention) -> Option<RepoPath> {
        let places = places(mention);
        let library = self.library;
        let entries = &library.entries;
        if let Some(found) = places.iter().find(|place| entries.contains_key(place)) {
            return Some(found.clone());
        }
        // Text such as `and/or` begins with no folder that is there.
        let is_meant = |place: &&RepoPath| {
            let written = RepoPath::parse(mention.written.trim_matches('/')).unwrap_or_default();
            let depth = written.components().count();
            let above = std::iter::successors(Some((*place).clone()), RepoPath::parent);
            let first = above.take(depth).last().filter(|_| depth > 1);
            first.is_some_and(|first| {
                entries.get(&first).is_some_and(|entry| {
                    entry.kind == EntryKind::Folder && !entry.is_ignored && !entry.is_hidden
                })
            })
        };
        if is_map && let Some(place) = places.iter().find(is_meant) {
            let near = self.nearest_to(place);
            let message = format!("`{}` does not exist{near}", mention.written);
            self.find(Rule::StalePath, path, Some(mention.line), message);
        }
        None
    }

    /// Words the existing path that was most likely meant.
    fn nearest_to(&mut self, wanted: &RepoPath) -> String {
        self.looked_for += 1;
        if self.looked_for > NEAREST_MAX {
            return String::new();
        }
        let near = nearest(wanted, self.library.entries.keys());
        let near = near.map(|near| format!("; the nearest is `{near}`"));
        near.unwrap_or_default()
    }

    fn size_of_document(&mut self, path: &RepoPath) {
        let (library, budget) = (self.library, self.library.budget);
        if let Some(entry) = library.entries.get(path)
            && entry.tokens > budget
        {
            let message = format!(
                "takes {}, over the context budget of {budget}: split it",
                entry.tokens
            );
            self.find(Rule::OverBudget, path, None, message);
        }
    }

    /// Finds documents below the folders that maps point into and that nothing leads to.
    fn orphans(&mut self) {
        let library = self.library;
        for (path, entry) in &library.entries {
            let is_beside = || self.folders.iter().any(|folder| path.starts_with(folder));
            let is_orphan = entry.kind == EntryKind::File
                && !entry.is_ignored
                && !entry.is_hidden
                && is_document(path)
                && !path.to_text().ends_with(".txt")
                && !is_map_name(&library.map_file, path)
                && !self.reached.contains(path)
                && is_beside();
            if is_orphan {
                let message = "no map and no document that a map leads to points to it".to_owned();
                self.find(Rule::Orphan, path, None, message);
            }
        }
    }
}

#[cfg(test)]
mod tests;
