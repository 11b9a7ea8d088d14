//! Damage to a log: every kind of it is found, and named with its line.

use std::{fs, path::PathBuf};

use harness_testkit::Run;

use super::{assert_ok, busy_desk, busy_run};
use crate::support::Desk;

/// Lines of a file, each with its line end.
type Lines = Vec<Vec<u8>>;

fn lines(text: &str) -> Lines {
    text.split_inclusive('\n')
        .map(|line| line.as_bytes().to_vec())
        .collect()
}

struct Bench {
    desk: Desk,
    file: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let desk = busy_desk();
        busy_run(&desk);
        let file = desk.project.outside().join("copy.jsonl");
        Self { desk, file }
    }

    fn verify(&self, lines: &[Vec<u8>]) -> Run {
        fs::write(&self.file, lines.concat()).unwrap();
        let file = self.file.display().to_string();
        self.desk.harness(&["log", "verify", &file])
    }

    fn assert_found(&self, lines: &[Vec<u8>], line: usize, what: &str) {
        let found = self.verify(lines);
        let named = format!(": line {line}: ");
        assert_eq!(found.code, 4, "{what}: {}", found.stdout);
        assert!(found.stdout.contains(&named), "{what}: {}", found.stdout);
        assert!(
            found.stderr.contains("hint: export the session anew"),
            "{what}: {}",
            found.stderr
        );
    }

    /// Damages every line in every way that a whole line can be; `promised` says whether a head tells the number.
    fn assert_all_found(&self, whole: &Lines, promised: bool) {
        assert_ok(&self.verify(whole));
        let first = usize::from(promised);
        for at in 0..whole.len() {
            let line = at + 1;
            for place in [1, whole[at].len() / 2, whole[at].len() - 4] {
                let mut flipped = whole.clone();
                flipped[at][place] ^= 1;
                self.assert_found(&flipped, line, &format!("byte {place} of {line} flipped"));
            }
            let mut doubled = whole.clone();
            doubled.insert(at, whole[at].clone());
            self.assert_found(&doubled, line + 1, &format!("{line} doubled"));
            if at < first {
                continue;
            }
            let mut without = whole.clone();
            without.remove(at);
            // Without a head nobody knows that there was more.
            if promised || at + 1 < whole.len() {
                self.assert_found(&without, line, &format!("{line} removed"));
            }
            if at + 1 < whole.len() {
                let mut swapped = whole.clone();
                swapped.swap(at, at + 1);
                self.assert_found(&swapped, line, &format!("{line} swapped with the next"));
            }
        }
    }
}

#[test]
fn damage_to_an_exported_log_is_named_with_its_line() {
    let bench = Bench::new();
    let exported = lines(&bench.desk.harness(&["log", "export"]).stdout);
    bench.assert_all_found(&exported, true);
    let last = exported.len();
    for length in [
        1,
        exported[last - 1].len() / 2,
        exported[last - 1].len() - 1,
    ] {
        let mut cut = exported.clone();
        cut[last - 1].truncate(length);
        bench.assert_found(&cut, last, &format!("cut after {length} of the last line"));
    }
    bench.assert_found(
        &exported[..last / 2],
        last / 2 + 1,
        "the second half is gone",
    );
}

#[test]
fn damage_to_a_plain_copy_of_a_log_is_named_with_its_line() {
    let bench = Bench::new();
    let log = ".git/harness/sessions/S-0001/log.jsonl";
    let copied = lines(&bench.desk.project.read(log));
    bench.assert_all_found(&copied, false);
    // What a crash leaves is no damage, and is said.
    let mut cut = copied;
    cut.last_mut().unwrap().pop();
    let found = bench.verify(&cut);
    assert_ok(&found);
    assert!(
        found.stdout.contains("of a record that was cut short"),
        "{}",
        found.stdout
    );
}

#[test]
fn damage_to_the_log_of_a_session_leaves_every_command_a_way_on() {
    let bench = Bench::new();
    let path = bench
        .desk
        .project
        .root()
        .join(".git/harness/sessions/S-0001/log.jsonl");
    let mut log = lines(&fs::read_to_string(&path).unwrap());
    log[4][20] ^= 1;
    fs::write(&path, log.concat()).unwrap();
    let found = bench.desk.harness(&["log", "verify"]);
    assert_eq!(found.code, 4);
    assert!(
        found
            .stdout
            .starts_with("note: S-0001 does not hold after record 4: line 5: "),
        "{}",
        found.stdout
    );
    assert!(found.stderr.contains("`harness checkpoint list S-0001`"));
    assert_ok(&bench.desk.harness(&["checkpoint", "list", "S-0001"]));
    for (command, code) in [
        (&["log", "export"][..], 4),
        (&["replay", "--check"], 4),
        (&["log", "follow"], 4),
        (&["resume", "--last"], 1),
    ] {
        let run = bench.desk.harness(command);
        assert_eq!(run.code, code, "{command:?}: {}{}", run.stdout, run.stderr);
        assert!(
            run.stderr.contains("harness log verify S-0001"),
            "{command:?}: {}",
            run.stderr
        );
    }
}
