//! The program dies, or the disk is full, while a long text is kept beside the log.

use std::fs;

use harness_testkit::Run;

use crate::support::{Desk, FINISH, session, write};

#[test]
fn a_text_that_was_being_kept_is_whole_or_not_there_and_the_run_goes_on() {
    let long = "42\n".repeat(20_000);
    for (wish, died) in [
        ("blob.write:1:abort", true),
        ("blob.write:1:torn:4000", true),
        ("blob.write:2:torn:4000", true),
        ("blob.rename:1:abort", true),
        ("blob.renamed:1:abort", true),
        ("blob.write:1:short:4000", false),
        ("blob.rename:1:error:EIO", false),
    ] {
        let desk = Desk::new();
        let script = session("F-1", &[&write("src/answer", &long), FINISH]);
        let model = desk.script(&script);
        let mut command = desk
            .home
            .command(&desk.project.root(), &["run", "--agent", &model]);
        let run = Run::from(command.env("HARNESS_FAILPOINT", wish).output().unwrap());
        assert_eq!(
            run.code,
            if died { 137 } else { 1 },
            "{wish}: {}",
            run.stderr
        );
        let verified = desk.harness(&["log", "verify"]);
        assert_eq!(verified.code, 0, "{wish}: {}", verified.stdout);
        let resumed = desk.harness(&["resume", "--last", "--agent", &model]);
        assert_eq!(
            resumed.code, 0,
            "{wish}: {}{}",
            resumed.stdout, resumed.stderr
        );
        for command in [&["log", "verify"][..], &["replay", "--check"]] {
            let run = desk.harness(command);
            assert_eq!(run.code, 0, "{wish}: {}{}", run.stdout, run.stderr);
        }
        let blobs = desk
            .project
            .root()
            .join(".git/harness/sessions/S-0001/blobs");
        for entry in fs::read_dir(blobs).unwrap() {
            let name = entry.unwrap().file_name();
            assert_eq!(name.len(), 64, "{wish}: {name:?} is left");
        }
    }
}
