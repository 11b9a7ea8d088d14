//! What the agent is told when its session is taken up, or begins with another one's work.

use harness_core::{Difference, DifferenceKind, Forked};

use super::listed;

/// The most names of files that stand in a sentence.
const NAMES_MAX: usize = 20;
/// The most of a command that stands in a line for people. Unit: characters.
const COMMAND_MAX: usize = 80;

/// Words for what differs, where the agent has to know it.
pub(crate) fn differs(difference: &Difference) -> Option<String> {
    if difference.kind != DifferenceKind::Files || difference.paths.is_empty() {
        return None;
    }
    let names: Vec<String> = difference.paths.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let more = match difference.more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "Files changed since your last turn in ways you did not see: {}{more}. Read them again before you edit, and \
         keep what is new in them.",
        listed(&names, NAMES_MAX)
    ))
}

/// Words for a session that begins with the conversation and the files of another.
pub(crate) fn forked(forked: &Forked) -> String {
    format!(
        "The person goes another way from here: the files are as checkpoint {} of {} has them, and nothing that was \
         done after it is in them. Look before you edit.",
        forked.checkpoint, forked.session
    )
}

/// Shortens a command to one line.
pub(crate) fn shortened(command: &str) -> String {
    let line = command.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = line.chars().take(COMMAND_MAX).collect();
    let cut = if shown.len() < line.len() {
        " [...]"
    } else {
        ""
    };
    format!("{shown}{cut}")
}

#[cfg(test)]
mod tests {
    use harness_core::RepoPath;

    use super::*;

    #[test]
    fn changed_files_are_named_and_nothing_else_is_told() {
        let path = |number: usize| RepoPath::parse(format!("src/{number}")).unwrap();
        let files = Difference::new(DifferenceKind::Files, "", "");
        assert_eq!(differs(&files), None);
        let told = differs(&files.about((0..30).map(path).collect())).unwrap();
        assert!(told.contains("src/19 and 10 more"), "{told}");
        let model = Difference::new(DifferenceKind::Model, "a", "b").about(vec![path(1)]);
        assert_eq!(differs(&model), None);
        assert_eq!(shortened("a\n  b"), "a b");
        assert!(shortened(&"x".repeat(900)).len() < 100);
    }
}
