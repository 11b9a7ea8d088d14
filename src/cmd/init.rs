//! `harness init`: writes what a repository needs, shows it, commits nothing.

mod trial;

use std::{fs, path::Path};

use harness_config::Detected;
use harness_core::{ByteCount, RepoPath};
use harness_gate::list;
use harness_guard::HostAct;
use harness_host::disk::Expected;
use serde_json::json;

use crate::{
    ask,
    cli::{Common, Init, RunOptions},
    compose::{CONFIG_FILE, LIST_FILE, STORIES_FILE, Site},
    detect,
    failure::Failure,
    files,
    output::{Output, say},
};

const ATTRIBUTES: &str = ".gitattributes";
/// The largest file of attributes that is added to.
const ATTRIBUTES_MAX: ByteCount = ByteCount::mib(1);

/// A file that init would write, or lines that it would add to one.
struct Proposal {
    path: &'static str,
    text: String,
    /// What the file holds already, which stays.
    kept: Option<Vec<u8>>,
}

impl Proposal {
    const fn new_file(path: &'static str, text: String) -> Self {
        let kept = None;
        Self { path, text, kept }
    }
}

pub(super) fn run(common: &Common, flags: &Init) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let root = site.repo.root().to_owned();
    let proposals = propose(&site, &root)?;
    let mut output = Output::new(common);
    if proposals.is_empty() {
        output.entry(
            "initialised",
            "note: everything is there already, nothing written",
            json!({ "files": [] }),
        )?;
        return if flags.attempt {
            trial::run(common, flags, false)
        } else {
            Ok(0)
        };
    }
    for proposal in &proposals {
        output.text(&format!("note: {}", shown_one(proposal)))?;
    }
    if !flags.yes {
        let wanted = ask::is_attended(common) && ask::confirm("Write these files?");
        if !wanted {
            return Err(Failure::needs_human("nothing was written").hint("harness init --yes"));
        }
    }
    for proposal in &proposals {
        write(&site, &root, proposal)?;
    }
    let names: Vec<&str> = proposals.iter().map(|proposal| proposal.path).collect();
    let text = format!("note: written {}, nothing committed", names.join(", "));
    output.entry("initialised", &text, json!({ "files": names }))?;
    if !output.is_json() {
        if proposals
            .iter()
            .any(|proposal| proposal.path == CONFIG_FILE)
        {
            let found = detect::detect(&site);
            found
                .notes
                .iter()
                .for_each(|note| say(&format!("note: {note}")));
        }
        say(
            "hint: look at harness.toml, commit the files, then `harness trust` and `harness feature add \"TITLE\"`",
        );
    }
    trial::run(common, flags, names.contains(&CONFIG_FILE))
}

/// Shows what would be written, as a person reads it before they are asked.
pub(crate) fn shown(site: &Site) -> Result<String, Failure> {
    let proposals = propose(site, site.repo.root())?;
    let shown = proposals.iter().map(shown_one);
    Ok(shown.collect::<Vec<_>>().join("\n"))
}

/// Writes what is missing, and returns the names of the files.
pub(crate) fn write_all(site: &Site) -> Result<Vec<&'static str>, Failure> {
    let root = site.repo.root();
    let proposals = propose(site, root)?;
    for proposal in &proposals {
        write(site, root, proposal)?;
    }
    Ok(proposals.iter().map(|proposal| proposal.path).collect())
}

fn shown_one(proposal: &Proposal) -> String {
    let Proposal { path, text, kept } = proposal;
    let added: String = text.lines().map(|line| format!("  +{line}\n")).collect();
    let what = if kept.is_some() {
        "at the end of"
    } else {
        "new file"
    };
    format!("{what} {path}\n{}", added.trim_end())
}

fn propose(site: &Site, root: &Path) -> Result<Vec<Proposal>, Failure> {
    let mut proposals = Vec::new();
    let missing = |path: &str| fs::symlink_metadata(root.join(path)).is_err();
    let found = detect::detect(site);
    let has_stories = missing(LIST_FILE) && site.has_stories();
    if missing(CONFIG_FILE) {
        let detected = Detected {
            write: found.write.clone(),
            build: found.build.clone(),
            gates: found.gates.clone(),
            feature_file: has_stories.then(|| STORIES_FILE.to_owned()),
        };
        let text = harness_config::render_repository(&detected);
        proposals.push(Proposal::new_file(CONFIG_FILE, text));
    }
    let resolved = site.resolve(&RunOptions::default())?;
    let list_file = &resolved.policy.feature_file;
    if missing(LIST_FILE) && list_file.to_text() == LIST_FILE {
        let text = list::EMPTY_LIST.to_owned();
        proposals.push(Proposal::new_file(LIST_FILE, text));
    }
    if missing("AGENTS.md") {
        let text = map(&site.repo.name(), &found.languages, root);
        proposals.push(Proposal::new_file("AGENTS.md", text));
    }
    let progress = resolved.policy.progress_file.to_text();
    proposals.extend(merging(site, &progress)?);
    Ok(proposals)
}

/// Proposes that two branches which both add to the progress log merge without a conflict.
fn merging(site: &Site, progress: &str) -> Result<Option<Proposal>, Failure> {
    let path = RepoPath::parse(ATTRIBUTES).expect("a plain name is inside");
    let file = files::read_beneath(&site.root, &path, ATTRIBUTES_MAX)?;
    let kept = file.map(|file| file.bytes);
    let text = String::from_utf8_lossy(kept.as_deref().unwrap_or_default());
    let is_said = text.lines().any(|line| {
        let mut words = line.split_whitespace();
        let is_about = words
            .next()
            .is_some_and(|pattern| pattern.trim_start_matches('/') == progress);
        is_about && words.any(|word| word.trim_start_matches('-').starts_with("merge"))
    });
    Ok((!is_said).then(|| Proposal {
        path: ATTRIBUTES,
        text: format!("{progress} merge=union\n"),
        kept,
    }))
}

/// What says what a project is, first the one that is preferred.
const READMES: [&str; 3] = ["README.md", "README.rst", "README"];

/// How many packages a map names by itself.
const PACKAGES_MAX: usize = 8;

/// Returns the folders of the root that are Python packages, but for those a map names anyway.
fn packages(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("__init__.py").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !["src", "lib", "tests", "test", "docs"].contains(&name.as_str()))
        .collect();
    names.sort();
    names.truncate(PACKAGES_MAX);
    names
}

/// Makes a short map of what can be seen; a person makes it good.
fn map(name: &str, languages: &[&str], root: &Path) -> String {
    let mut text = format!("# {name}\n\n");
    if !languages.is_empty() {
        text.push_str(&format!("Written in {}.\n\n", languages.join(" and ")));
    }
    for (folder, what) in [
        ("src", "the program"),
        ("lib", "the library"),
        ("tests", "its tests"),
        ("test", "its tests"),
        ("docs", "documents"),
    ] {
        if root.join(folder).is_dir() {
            text.push_str(&format!("- `{folder}/`: {what}\n"));
        }
    }
    for folder in packages(root) {
        text.push_str(&format!("- `{folder}/`: a package of the program\n"));
    }
    if let Some(readme) = READMES.iter().find(|name| root.join(name).is_file()) {
        text.push_str(&format!("- [What it is]({readme})\n"));
    }
    text.push_str("\nKeep this map short: link to deeper documents, the agent reads them when it needs them.\n");
    text
}

/// Writes a file that must not exist yet, or adds to one that has not changed since it was shown.
fn write(site: &Site, root: &Path, proposal: &Proposal) -> Result<(), Failure> {
    use std::io::Write as _;
    let Proposal { path, text, kept } = proposal;
    let Some(kept) = kept else {
        let failed =
            |error: std::io::Error| Failure::failed(format!("cannot write `{path}`: {error}"));
        let mut file = fs::File::create_new(root.join(path)).map_err(failed)?;
        return file.write_all(text.as_bytes()).map_err(failed);
    };
    let path = RepoPath::parse(*path).expect("a plain name is inside");
    let now = files::read_beneath(&site.root, &path, ATTRIBUTES_MAX)?;
    let Some(now) = now.filter(|now| now.bytes == *kept) else {
        return Err(Failure::failed(format!(
            "cannot add to `{path}`: it was changed meanwhile"
        )));
    };
    let newline = if kept.windows(2).any(|pair| pair == b"\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let mut bytes = kept.clone();
    if bytes.last().is_some_and(|last| *last != b'\n') {
        bytes.extend_from_slice(newline.as_bytes());
    }
    bytes.extend_from_slice(text.replace('\n', newline).as_bytes());
    let expected = Expected::Unchanged(now.stamp);
    let written = site
        .root
        .host_write_file(HostAct::WriteHostFile, &path, &bytes, expected);
    written
        .map(|_| ())
        .map_err(|error| files::disk_failure("write", &path, &error))
}
