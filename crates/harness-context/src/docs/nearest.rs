//! The existing path that was most likely meant.

use harness_core::RepoPath;

/// How alike two paths must be to be taken for one another, from 0 to 1.
const ALIKE_MIN: f64 = 0.8;
/// The most paths that are compared letter by letter.
const COMPARED_MAX: usize = 20_000;
/// The longest path that is compared. Unit: bytes.
const PATH_BYTES_MAX: usize = 512;

/// Returns the path of the same name elsewhere where there is one alone, else the most alike.
pub(super) fn nearest<'a>(
    wanted: &RepoPath,
    known: impl Iterator<Item = &'a RepoPath> + Clone,
) -> Option<&'a RepoPath> {
    let name = wanted.file_name()?;
    let mut same = known.clone().filter(|path| path.file_name() == Some(name));
    if let (Some(one), None) = (same.next(), same.next()) {
        return Some(one);
    }
    let text = wanted.to_text();
    if text.len() > PATH_BYTES_MAX {
        return None;
    }
    let alike =
        |path: &&'a RepoPath| strsim::normalized_damerau_levenshtein(&text, &path.to_text());
    let near = |path: &&RepoPath| path.as_bytes().len().abs_diff(text.len()) * 5 <= text.len();
    known
        .filter(near)
        .take(COMPARED_MAX)
        .map(|path| (alike(&path), path))
        .filter(|(alike, _)| *alike >= ALIKE_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, path)| path)
}
