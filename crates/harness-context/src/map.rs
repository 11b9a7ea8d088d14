//! Which map files apply to a folder.

use harness_core::RepoPath;

/// Returns where the maps of a folder may be: root first, one pair per folder on the way.
///
/// `map_file` is the map's name, such as `AGENTS.md`. Of each pair the first
/// that exists applies: the folder's override (`AGENTS.override.md`), then its
/// map. A name that is no path inside the repository gives nothing.
pub fn map_candidates(map_file: &str, folder: &RepoPath) -> Vec<[RepoPath; 2]> {
    let mut folders: Vec<RepoPath> = Vec::new();
    let mut next = Some(folder.clone());
    while let Some(folder) = next {
        next = folder.parent();
        folders.push(folder);
    }
    let pair = |folder: &RepoPath| {
        let own = inside(folder, &override_name(map_file))?;
        Some([own, inside(folder, map_file)?])
    };
    folders.iter().rev().filter_map(pair).collect()
}

fn inside(folder: &RepoPath, name: &str) -> Option<RepoPath> {
    let path = folder.join(name).ok()?;
    (path != *folder && path.starts_with(folder)).then_some(path)
}

/// Whether a file of this name is a folder's map or its override; `map_file` is a plain name or a path.
pub fn is_map_name(map_file: &str, path: &RepoPath) -> bool {
    let text = path.to_text();
    [map_file.to_owned(), override_name(map_file)]
        .iter()
        .any(|name| {
            let before = text.strip_suffix(name.as_str());
            before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        })
}

/// Returns the name of what takes the place of a map, such as `AGENTS.override.md`.
pub fn override_name(map_file: &str) -> String {
    match map_file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !extension.contains('/') => {
            format!("{stem}.override.{extension}")
        }
        _ => format!("{map_file}.override"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(map_file: &str, folder: &str, expected: &[[&str; 2]]) {
        let folder = RepoPath::parse(folder).unwrap();
        let found: Vec<[String; 2]> = map_candidates(map_file, &folder)
            .iter()
            .map(|pair| [pair[0].to_text(), pair[1].to_text()])
            .collect();
        assert_eq!(found, expected, "{map_file} {folder}");
    }

    #[test]
    fn every_folder_on_the_way_may_have_a_map_and_an_override() {
        check("AGENTS.md", "", &[["AGENTS.override.md", "AGENTS.md"]]);
        check(
            "AGENTS.md",
            "src/export",
            &[
                ["AGENTS.override.md", "AGENTS.md"],
                ["src/AGENTS.override.md", "src/AGENTS.md"],
                ["src/export/AGENTS.override.md", "src/export/AGENTS.md"],
            ],
        );
        check("docs/MAP", "", &[["docs/MAP.override", "docs/MAP"]]);
    }

    #[test]
    fn a_name_that_is_no_path_gives_nothing() {
        for name in ["", ".", "..", "/etc/x", "../x", "a\0"] {
            check(name, "src", &[]);
        }
    }
}
