//! Words what went wrong with a step, with the end of its output and the way on.

use std::path::PathBuf;

use harness_core::{RepoPath, Stop};
use harness_host::{machine, process::Exited};

/// How much of the output's end is told. Unit: bytes.
const TAIL_BYTES: usize = 2 * 1024;

/// What programs say when they may not write where they want to.
const NOT_WRITABLE: [&str; 4] = [
    "Read-only file system",
    "EROFS",
    "Permission denied",
    "EACCES",
];

/// What programs say when there is no network.
const NO_NETWORK: [&str; 10] = [
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ENETUNREACH",
    "Could not resolve",
    "Couldn't resolve",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "NewConnectionError",
    "attempting to make an HTTP request, but --offline",
];

/// What a step ran with.
#[derive(Debug)]
pub(super) struct Circumstances<'a> {
    pub(super) folders: &'a [RepoPath],
    pub(super) readable: &'a [PathBuf],
    pub(super) has_network: bool,
    pub(super) offline: Option<&'a str>,
}

/// Words the end of a step that did not end well.
pub(super) fn of(exited: &Exited, circumstances: &Circumstances<'_>) -> String {
    let output = exited.output.to_text();
    let why = match &exited.stop {
        Stop::Exited(code) => format!("exit code {code}"),
        stop => format!("{stop:?}").to_lowercase(),
    };
    let tail = tail(output.trim_end());
    let text = if tail.is_empty() {
        why
    } else {
        format!("{why}\n{tail}")
    };
    with_hint(text, hint(exited, &output, circumstances))
}

/// Adds the way on, where one is known.
pub(super) fn with_hint(text: String, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{text}\n{hint}"),
        None => text,
    }
}

fn hint(exited: &Exited, output: &str, circumstances: &Circumstances<'_>) -> Option<String> {
    let says = |words: &[&str]| words.iter().any(|word| output.contains(word));
    if exited.stop == Stop::Exited(127)
        && let Some(name) = machine::missing_program(output)
        && let Some(masked) = machine::masked_program(circumstances.readable, name)
    {
        return Some(masked);
    }
    if let Some(origin) = circumstances.offline {
        return Some(format!(
            "the network is off for setup steps too (`offline`, {origin}): a step that downloads needs it once"
        ));
    }
    if says(&NOT_WRITABLE) {
        let folders: Vec<String> = circumstances
            .folders
            .iter()
            .map(|folder| format!("`{folder}`"))
            .collect();
        let folders = match folders.as_slice() {
            [] => "none is listed".to_owned(),
            folders => folders.join(", "),
        };
        return Some(format!(
            "a setup step may write its home and the folders of `[scope] build` and `[gates] link` ({folders}): list the folder it needs in one of them"
        ));
    }
    (!circumstances.has_network && says(&NO_NETWORK)).then(|| {
        "the step has no network: list the hosts it needs in its `network`, such as `network = [\"npm\"]`".to_owned()
    })
}

/// Returns the end of a text, from the beginning of a line on.
fn tail(text: &str) -> &str {
    if text.len() <= TAIL_BYTES {
        return text;
    }
    let rest = &text[text.ceil_char_boundary(text.len() - TAIL_BYTES)..];
    rest.split_once('\n').map_or(rest, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use harness_core::Captured;

    use super::*;

    fn said(code: i32, output: &str, has_network: bool, offline: Option<&str>) -> String {
        let exited = Exited {
            stop: Stop::Exited(code),
            output: Captured {
                head: output.to_owned(),
                tail: String::new(),
                bytes: output.len() as u64,
            },
            took: Duration::ZERO,
            has_survivors: false,
        };
        let folders = [RepoPath::parse("target").unwrap()];
        let circumstances = Circumstances {
            folders: &folders,
            readable: &[],
            has_network,
            offline,
        };
        of(&exited, &circumstances)
    }

    #[test]
    fn a_failed_step_is_told_with_its_output_and_the_way_on() {
        for (output, has_network, offline, wanted) in [
            ("npm error EROFS: mkdir", true, None, "(`target`)"),
            ("getaddrinfo ENOTFOUND", false, None, "network = [\"npm\"]"),
            (
                "getaddrinfo ENOTFOUND",
                true,
                Some("config.toml:3"),
                "config.toml:3",
            ),
            (
                "getaddrinfo ENOTFOUND",
                true,
                None,
                "exit code 1\ngetaddrinfo ENOTFOUND",
            ),
        ] {
            let said = said(1, output, has_network, offline);
            assert!(
                said.starts_with(&format!("exit code 1\n{output}")),
                "{said}"
            );
            assert!(said.contains(wanted), "{said}");
        }
    }

    #[test]
    fn of_a_long_output_the_last_lines_are_told() {
        let output = (0..10_000)
            .map(|n| format!("line {n}\n"))
            .collect::<String>();
        let said = said(1, &output, true, None);
        assert!(said.len() < TAIL_BYTES + 100 && said.ends_with("line 9999"));
        assert!(said.lines().skip(1).all(|line| line.starts_with("line ")));
    }
}
