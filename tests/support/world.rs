//! What is looked at beside the program: the processes of the machine, and who watches the tests.

use std::fs;

/// Counts the processes that carry a word in their arguments.
pub(crate) fn alive(word: &str) -> usize {
    let line = |entry: fs::DirEntry| fs::read(entry.path().join("cmdline")).unwrap_or_default();
    let carries = |line: &Vec<u8>| {
        line.windows(word.len())
            .any(|window| window == word.as_bytes())
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.map(line).filter(carries).count()
}

/// Says something that must be seen, such as what could not be tried here.
#[expect(clippy::print_stderr, reason = "a test that is not run must be seen")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
