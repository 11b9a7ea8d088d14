//! Measures the walk after each command: `cargo bench --bench manifest`.
//!
//! Prints figures and asserts nothing: machines differ. The folder has as many entries as a
//! middling repository with its ignored files.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use harness_host::disk::Root;

const FOLDERS: usize = 400;
const FILES: usize = 49;
const ROUNDS: usize = 15;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(folder.path());
    let root = Root::open(folder.path()).expect("a folder that was just made");
    let walk = || {
        root.manifest(&|_| false)
            .expect("a folder that can be read")
    };
    let first = walk();
    let mut walks: Vec<Duration> = Vec::new();
    let mut comparisons: Vec<Duration> = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let again = walk();
        walks.push(begun.elapsed());
        let begun = Instant::now();
        assert!(again.differences_from(&first).is_empty());
        comparisons.push(begun.elapsed());
    }
    println!("{} entries", first.len());
    println!("walk: {}", range(&mut walks));
    println!("comparison: {}", range(&mut comparisons));
}

fn fill(root: &Path) {
    for folder in 0..FOLDERS {
        let folder = root.join(format!("area-{}/part-{folder}", folder % 20));
        fs::create_dir_all(&folder).expect("a folder");
        for file in 0..FILES {
            fs::write(folder.join(format!("file-{file}.txt")), "text\n").expect("a file");
        }
    }
}

fn range(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let (least, middle) = (times[0], times[times.len() / 2]);
    format!("at best {least:.1?}, median {middle:.1?}")
}
