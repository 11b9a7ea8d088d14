//! `harness init`: writes what a repository needs, shows it, commits nothing.

use std::{fs, path::Path};

use harness_config::Detected;
use harness_gate::list;
use serde_json::json;

use crate::{
    ask,
    cli::{Common, Init},
    compose::{CONFIG_FILE, Site},
    detect,
    failure::Failure,
    output::{Output, say},
};

/// A file that init would write.
struct Proposal {
    path: &'static str,
    text: String,
}

pub(super) fn run(common: &Common, flags: &Init) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let root = site.repo.root().to_owned();
    let proposals = propose(&site, &root);
    let mut output = Output::new(common);
    if proposals.is_empty() {
        output.entry(
            "initialised",
            "note: everything is there already, nothing written",
            json!({ "files": [] }),
        )?;
        return Ok(0);
    }
    for Proposal { path, text } in &proposals {
        let added: String = text.lines().map(|line| format!("  +{line}\n")).collect();
        output.text(&format!("note: new file {path}\n{}", added.trim_end()))?;
    }
    if !flags.yes {
        let wanted = ask::is_attended(common) && ask::confirm("Write these files?");
        if !wanted {
            return Err(Failure::needs_human("nothing was written").hint("harness init --yes"));
        }
    }
    for Proposal { path, text } in &proposals {
        write_new(&root, path, text)?;
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
    Ok(0)
}

fn propose(site: &Site, root: &Path) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    let missing = |path: &str| fs::symlink_metadata(root.join(path)).is_err();
    let found = detect::detect(site);
    if missing(CONFIG_FILE) {
        let detected = Detected {
            write: found.write.clone(),
            build: found.build.clone(),
            gates: found.gates.clone(),
        };
        proposals.push(Proposal {
            path: CONFIG_FILE,
            text: harness_config::render_repository(&detected),
        });
    }
    let any_list = ["feature_list.json", "prd.json"]
        .iter()
        .any(|path| !missing(path));
    if !any_list {
        proposals.push(Proposal {
            path: "feature_list.json",
            text: list::EMPTY_LIST.to_owned(),
        });
    }
    if missing("AGENTS.md") {
        proposals.push(Proposal {
            path: "AGENTS.md",
            text: map(&site.repo.name(), &found.languages, root),
        });
    }
    proposals
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
    if root.join("README.md").is_file() {
        text.push_str("- [What it is](README.md)\n");
    }
    text.push_str("\nKeep this map short: link to deeper documents, the agent reads them when it needs them.\n");
    text
}

/// Writes a file that must not exist yet.
fn write_new(root: &Path, path: &str, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let failed = |error: std::io::Error| Failure::failed(format!("cannot write `{path}`: {error}"));
    let mut file = fs::File::create_new(root.join(path)).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
