//! Anchors of a Markdown file: its headings as sites that show Markdown name them, and what is named by hand.

use std::collections::HashMap;

use crate::about::plain;

/// The most lines of a file that are read for headings.
const LINES_MAX: usize = 50_000;

/// Whether a file has an anchor; upper and lower case are the same.
pub(super) fn has(text: &str, anchor: &str) -> bool {
    let wanted = anchor.to_lowercase();
    // The place of a line, which sites offer for every file.
    let is_line = wanted.strip_prefix('l').is_some_and(|line| {
        !line.is_empty()
            && line
                .chars()
                .all(|char| char.is_ascii_digit() || "-lc".contains(char))
    });
    if is_line || wanted == "top" {
        return true;
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut before = "";
    let mut fence: Option<&str> = None;
    for line in text.lines().take(LINES_MAX) {
        let line = line.trim_end();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            _ => {}
        }
        if fence.is_some() || mark.is_some() {
            before = "";
            continue;
        }
        if is_named_by_hand(line, &wanted) {
            return true;
        }
        let heading = heading(line).or_else(|| is_underline(line).then_some(before));
        if let Some(heading) = heading.filter(|heading| !heading.is_empty()) {
            let slug = slug(heading);
            let count = seen.entry(slug.clone()).or_default();
            let own = if *count == 0 {
                slug
            } else {
                format!("{slug}-{count}")
            };
            *count += 1;
            if own == wanted {
                return true;
            }
        }
        before = line.trim();
    }
    false
}

fn heading(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    ((1..=6).contains(&level) && rest.starts_with([' ', '\t']))
        .then(|| rest.trim().trim_end_matches('#').trim_end())
}

fn is_underline(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty()
        && (line.chars().all(|char| char == '=') || line.chars().all(|char| char == '-'))
}

/// Whether a line names the anchor: `<a name="x">`, `id="x"`, or `{#x}` behind a heading.
fn is_named_by_hand(line: &str, wanted: &str) -> bool {
    if !line.contains(['<', '{']) {
        return false;
    }
    let line = line.to_lowercase();
    let forms = [
        format!("id=\"{wanted}\""),
        format!("name=\"{wanted}\""),
        format!("id='{wanted}'"),
        format!("name='{wanted}'"),
        format!("{{#{wanted}}}"),
    ];
    forms.iter().any(|form| line.contains(form.as_str()))
}

/// Returns the name of a heading: lower case, blanks as dashes, punctuation gone.
fn slug(heading: &str) -> String {
    let heading = heading.replace('`', "");
    let text = if heading.contains("](") {
        plain(&heading)
    } else {
        heading
    };
    text.to_lowercase()
        .chars()
        .filter_map(|char| match char {
            ' ' => Some('-'),
            '-' | '_' => Some(char),
            char if char.is_alphanumeric() => Some(char),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found_as_sites_name_them() {
        let text = "# The map: a *first* look!\n\nA heading\n---\n## `fn a_b()` & more\n## Same\n## Same\n\
            ```\n# no heading\n```\n<a name=\"By-Hand\"></a>\n### [Link](a.md) it {#own}\n## \u{dc}ber uns\n";
        for anchor in [
            "the-map-a-first-look",
            "a-heading",
            "fn-a_b--more",
            "same",
            "same-1",
            "by-hand",
            "own",
            "\u{fc}ber-uns",
            "L12",
            "l1-l9",
            "The-Map-A-First-Look",
        ] {
            assert!(has(text, anchor), "{anchor}");
        }
        for anchor in ["no-heading", "same-2", "x", "lx"] {
            assert!(!has(text, anchor), "{anchor}");
        }
    }
}
