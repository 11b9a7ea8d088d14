//! Landing: picks, overlaps, and the work of the person beside it.

use std::fs;

use harness_core::CommitId;

use super::fixture::{Fixture, NOW};
use crate::{LandError, LandStyle, Landed, Own, Put};

fn land(fixture: &Fixture, commits: &[CommitId]) -> Result<Landed, LandError> {
    fixture.repo.land(
        "harness/R-0001",
        commits,
        LandStyle::EachCommit,
        Own::NONE,
        NOW,
    )
}

/// What `git` says about uncommitted work.
fn uncommitted(fixture: &Fixture) -> String {
    fixture.git(&["status", "--porcelain"])
}

/// Two features on top of each other, as a run leaves them: committed aside, files in place.
fn two_features(fixture: &Fixture) -> [CommitId; 2] {
    fixture.write("src/main.rs", "fn main() { one() }\n");
    let one = fixture.feature(&fixture.head(), "one\n\nHarness-Feature: F-1\n");
    fixture.write("src/two.rs", "two\n");
    fixture.remove("run.sh");
    let two = fixture.feature(&one, "two\n\nHarness-Feature: F-2\n");
    [one, two]
}

#[test]
fn on_an_unmoved_head_the_commits_are_taken_as_they_are() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let features = two_features(&fixture);
    let landed = land(&fixture, &features).unwrap();
    assert_eq!(landed.head, features[1]);
    assert_eq!(landed.commits, 2);
    assert_eq!(landed.branch.as_deref(), Some("main"));
    assert!(landed.touched.is_empty(), "the files were there already");
    assert_eq!(uncommitted(&fixture), "");
    let log = fixture.git(&["reflog", "-1", "--format=%gs", "main"]);
    assert_eq!(log.trim(), "harness land: harness/R-0001");
    let head_log = fixture.git(&["reflog", "-1", "--format=%gs", "HEAD"]);
    assert_eq!(head_log, log);
    let again = land(&fixture, &features).unwrap();
    assert_eq!((again.commits, again.head), (0, features[1].clone()));
}

#[test]
fn on_a_moved_head_the_commits_are_picked() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let features = two_features(&fixture);
    fixture.write("docs.md", "by the person\n");
    fixture.git(&["add", "docs.md"]);
    fixture.git(&["commit", "-q", "-m", "person", "docs.md"]);
    let landed = land(&fixture, &features).unwrap();
    assert_ne!(landed.head, features[1]);
    assert_eq!(uncommitted(&fixture), "");
    let log = fixture.git(&[
        "log",
        "--format=%s %(trailers:key=Harness-Feature,valueonly,separator=)",
        "-4",
    ]);
    assert_eq!(log, "two F-2\none F-1\nperson \nstart \n");
    fixture.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn a_file_both_changed_is_merged_and_written() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let deep =
        |first: &str, last: &str| format!("// {first}\n// two\n// three\n// four\n// {last}\n");
    fixture.write("src/lib/deep.rs", deep("agent", "five"));
    let feature = fixture.feature(&fixture.head(), "feature");
    // The person commits another end of the same file, then has the run's version back on the disk.
    fixture.write("src/lib/deep.rs", deep("one", "person"));
    fixture.git(&["commit", "-q", "-a", "-m", "person"]);
    fixture.write("src/lib/deep.rs", deep("agent", "five"));
    let landed = land(&fixture, &[feature]).unwrap();
    assert_eq!(landed.touched.len(), 1);
    assert_eq!(
        fixture.read("src/lib/deep.rs"),
        deep("agent", "person").as_bytes()
    );
    assert_eq!(uncommitted(&fixture), "");
}

#[test]
fn a_conflict_lands_nothing() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("src/main.rs", "fn main() { agent() }\n");
    let feature = fixture.feature(&fixture.head(), "feature");
    fixture.write("src/main.rs", "fn main() { person() }\n");
    fixture.git(&["commit", "-q", "-a", "-m", "person"]);
    let before = fixture.standing();
    let error = land(&fixture, std::slice::from_ref(&feature)).unwrap_err();
    let LandError::Conflict { commit, files } = error else {
        panic!("{error}");
    };
    assert_eq!(commit, feature);
    assert_eq!(files[0].path.to_text(), "src/main.rs");
    let wanted = format!(
        "<<<<<<< HEAD\nfn main() {{ person() }}\n=======\nfn main() {{ agent() }}\n>>>>>>> {}",
        feature.short()
    );
    assert_eq!(files[0].text, wanted);
    assert_eq!(fixture.standing(), before);
    assert_eq!(fixture.read("src/main.rs"), b"fn main() { person() }\n");
}

#[test]
fn uncommitted_work_in_the_same_file_is_an_overlap() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let features = two_features(&fixture);
    fixture.write("src/main.rs", "edited by the person afterwards\n");
    let before = fixture.standing();
    let error = land(&fixture, &features).unwrap_err();
    let LandError::Overlap { work_tree, staged } = error else {
        panic!("{error}");
    };
    assert_eq!(work_tree[0].to_text(), "src/main.rs");
    assert!(staged.is_empty());
    assert_eq!(fixture.standing(), before);
    assert_eq!(
        fixture.read("src/main.rs"),
        b"edited by the person afterwards\n"
    );
}

#[test]
fn staged_work_in_the_same_file_is_an_overlap() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let features = two_features(&fixture);
    let run = fixture.read("src/main.rs");
    fixture.write("src/main.rs", "staged by the person\n");
    fixture.git(&["add", "src/main.rs"]);
    fixture.write("src/main.rs", run);
    let before = fixture.standing();
    let error = land(&fixture, &features).unwrap_err();
    assert!(matches!(error, LandError::Overlap { staged, .. } if staged.len() == 1));
    assert_eq!(fixture.standing(), before);
}

#[test]
fn staged_and_unstaged_work_elsewhere_stays() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("README.md", "staged\n");
    fixture.write("staged-new", "x\n");
    fixture.git(&["add", "README.md", "staged-new"]);
    fixture.write("README.md", "staged\nand unstaged\n");
    fixture.write("untracked", "x\n");
    let (staged, unstaged) = (fixture.git(&["diff", "--cached"]), fixture.git(&["diff"]));
    // The features hold nothing of it.
    let head = fixture.repo.head().unwrap();
    let files = [(
        super::fixture::path_of(b"src/main.rs"),
        Some(b"agent\n".to_vec()),
    )];
    let tree = fixture.repo.with_files(&head.tree, &files).unwrap();
    let feature = fixture
        .repo
        .commit_to_branch("harness/R-0001", None, &tree, &[head.commit], "f", NOW)
        .unwrap();
    fixture.write("src/main.rs", "agent\n");
    land(&fixture, &[feature]).unwrap();
    assert_eq!(fixture.git(&["diff", "--cached"]), staged);
    assert_eq!(fixture.git(&["diff"]), unstaged);
    assert_eq!(
        uncommitted(&fixture),
        "MM README.md\nA  staged-new\n?? untracked\n"
    );
}

#[test]
fn the_commit_of_the_persons_own_work_is_never_taken() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("README.md", "the person's edit\n");
    let wip = fixture.feature(&fixture.head(), "wip before R-0001");
    fixture.write("src/two.rs", "two\n");
    let feature = fixture.feature(&wip, "two");
    let landed = land(&fixture, &[feature]).unwrap();
    assert_eq!(landed.commits, 1);
    assert_eq!(fixture.git(&["log", "--format=%s"]), "two\nstart\n");
    assert_eq!(uncommitted(&fixture), " M README.md\n");
}

#[test]
fn a_file_with_the_persons_own_hunk_is_an_overlap() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let deep =
        |first: &str, last: &str| format!("// {first}\n// two\n// three\n// four\n// {last}\n");
    fixture.write("src/lib/deep.rs", deep("person", "five"));
    let wip = fixture.feature(&fixture.head(), "wip before R-0001");
    fixture.write("src/lib/deep.rs", deep("person", "agent"));
    let feature = fixture.feature(&wip, "feature");
    let before = fixture.standing();
    let error = land(&fixture, &[feature]).unwrap_err();
    assert!(
        matches!(&error, LandError::Overlap { work_tree, .. } if work_tree.len() == 1),
        "{error}"
    );
    assert_eq!(fixture.standing(), before);
    assert_eq!(
        fixture.read("src/lib/deep.rs"),
        deep("person", "agent").as_bytes()
    );
}

#[test]
fn squash_makes_one_commit_in_the_persons_name() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let features = two_features(&fixture);
    let style = LandStyle::Squash {
        message: "all of it",
    };
    let landed = fixture
        .repo
        .land("harness/R-0001", &features, style, Own::NONE, NOW)
        .unwrap();
    assert_eq!(landed.commits, 1);
    assert_eq!(
        fixture.git(&["log", "--format=%s by %an"]),
        "all of it by Ada\nstart by Ada\n"
    );
    assert_eq!(uncommitted(&fixture), "");
}

#[test]
fn a_detached_head_moves_itself() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.git(&["checkout", "-q", "--detach"]);
    let main = fixture.git(&["rev-parse", "main"]);
    let features = two_features(&fixture);
    let landed = land(&fixture, &features).unwrap();
    assert_eq!(landed.branch, None);
    assert_eq!(fixture.head(), features[1]);
    assert_eq!(fixture.git(&["rev-parse", "main"]), main);
    assert_eq!(uncommitted(&fixture), "");
}

#[test]
fn files_that_were_undone_meanwhile_are_written() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let features = two_features(&fixture);
    fixture.git(&["checkout", "-q", "--", "."]);
    fixture.remove("src/two.rs");
    let landed = land(&fixture, &features).unwrap();
    let touched: Vec<_> = landed.touched.iter().map(|path| path.to_text()).collect();
    assert_eq!(touched, ["run.sh", "src/main.rs", "src/two.rs"]);
    assert_eq!(uncommitted(&fixture), "");
}

#[test]
fn landing_again_finishes_what_a_crash_left() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let features = two_features(&fixture);
    // As after the files and the index, before the reference.
    fixture.git(&["add", "-A"]);
    land(&fixture, &features).unwrap();
    assert_eq!(fixture.head(), features[1]);
    assert_eq!(uncommitted(&fixture), "");
}

#[test]
fn nothing_lands_while_git_is_at_work() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let features = two_features(&fixture);
    let merge = fixture.root().join(".git/MERGE_HEAD");
    fs::write(&merge, format!("{}\n", fixture.head())).unwrap();
    let error = land(&fixture, &features).unwrap_err();
    assert!(
        matches!(error, LandError::Busy { what: "a merge" }),
        "{error}"
    );
    fs::remove_file(merge).unwrap();

    let lock = fixture.root().join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    let before = fixture.standing();
    assert!(land(&fixture, &features).is_err());
    assert_eq!(fixture.standing(), before);
    fs::remove_file(lock).unwrap();
    land(&fixture, &features).unwrap();
}

#[test]
fn crlf_in_the_work_tree_is_no_change_of_the_person() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write(".gitattributes", "*.txt text eol=crlf\n");
    fixture.write("a.txt", "one\r\n");
    fixture.git(&["add", "-A"]);
    fixture.git(&["commit", "-q", "-m", "crlf"]);
    let head = fixture.repo.head().unwrap();
    let start = fixture.snapshot().tree;
    fixture.write("a.txt", "one\r\ntwo\r\n");
    let end = fixture.snapshot().tree;
    let tree = fixture
        .repo
        .apply_changes(&head.tree, &start, &end, &|_| true)
        .unwrap();
    let feature = fixture
        .repo
        .commit_to_branch("harness/R-0001", None, &tree, &[head.commit], "f", NOW)
        .unwrap();
    fixture.git(&["checkout", "-q", "--", "a.txt"]);
    land(&fixture, &[feature]).unwrap();
    assert_eq!(fixture.read("a.txt"), b"one\r\ntwo\r\n");
    assert_eq!(uncommitted(&fixture), "");
}

#[test]
fn a_file_that_is_kept_stays_as_an_uncommitted_change() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("src/main.rs", "fn main() { agent() }\n");
    let feature = fixture.feature(&fixture.head(), "feature");
    let person = b"fn main() { person() }\n";
    fixture.write("src/main.rs", person);
    let path = harness_core::RepoPath::parse("src/main.rs").unwrap();
    let land_with = |keep: &[u8]| {
        fixture.repo.land(
            "harness/R-0001",
            std::slice::from_ref(&feature),
            LandStyle::EachCommit,
            Own {
                keep: &[(path.clone(), keep.to_vec())],
                ..Own::NONE
            },
            NOW,
        )
    };
    assert!(matches!(
        land_with(b"something else"),
        Err(LandError::Overlap { .. })
    ));
    let landed = land_with(person).unwrap();
    assert!(landed.touched.is_empty());
    assert_eq!(fixture.read("src/main.rs"), person);
    assert_eq!(uncommitted(&fixture), " M src/main.rs\n");
}

#[test]
fn a_file_that_is_gone_on_one_side_is_told_in_words() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("src/main.rs", "fn main() { agent() }\n");
    let feature = fixture.feature(&fixture.head(), "feature");
    fixture.git(&["rm", "-q", "-f", "src/main.rs"]);
    fixture.git(&["commit", "-q", "-m", "person"]);
    let error = land(&fixture, &[feature]).unwrap_err();
    let LandError::Conflict { files, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(files[0].text, "deleted on HEAD, changed by the run");
}

#[test]
fn a_branch_that_moved_back_or_was_rewritten_takes_the_commits_as_they_fit() {
    for arguments in [
        &["reset", "-q", "--soft", "HEAD~1"][..],
        &["commit", "-q", "--amend", "-m", "another message"],
    ] {
        let Some(fixture) = Fixture::new() else {
            return;
        };
        fixture.write("notes", "of the person\n");
        fixture.git(&["add", "-A"]);
        fixture.git(&["commit", "-q", "-m", "second"]);
        fixture.write("src/new.rs", "// new\n");
        let feature = fixture.feature(&fixture.head(), "feature");
        fixture.git(arguments);
        let before = uncommitted(&fixture);
        let landed = land(&fixture, &[feature]).unwrap();
        assert_eq!(landed.commits, 1);
        assert_eq!(fixture.git(&["show", "HEAD:src/new.rs"]), "// new\n");
        assert_eq!(
            uncommitted(&fixture),
            before.replace("?? src/new.rs\n", ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_branch_without_a_commit_and_the_runs_own_branch_are_refused() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("src/new.rs", "// new\n");
    let feature = fixture.feature(&fixture.head(), "feature");
    fixture.git(&["symbolic-ref", "HEAD", "refs/heads/fresh"]);
    let error = land(&fixture, std::slice::from_ref(&feature)).unwrap_err();
    assert!(
        matches!(&error, LandError::Git(crate::GitError::NoCommits { .. })),
        "{error}"
    );
    fixture.git(&["symbolic-ref", "HEAD", "refs/heads/harness/R-0001"]);
    let error = land(&fixture, &[feature]).unwrap_err();
    assert!(matches!(error, LandError::OnRunBranch { .. }), "{error}");
}

#[test]
fn a_branch_that_another_work_tree_has_checked_out_is_refused() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let other = tempfile::TempDir::new().unwrap();
    let linked = other.path().join("linked");
    let linked = linked.to_str().unwrap();
    fixture.git(&["worktree", "add", "-q", "--force", linked, "main"]);
    fixture.write("src/new.rs", "// new\n");
    let feature = fixture.feature(&fixture.head(), "feature");
    let before = fixture.standing();
    let error = land(&fixture, std::slice::from_ref(&feature)).unwrap_err();
    assert!(
        matches!(error, LandError::CheckedOutTwice { .. }),
        "{error}"
    );
    assert_eq!(fixture.standing(), before);
    // Gone is gone, though git has not noticed yet.
    fs::remove_dir_all(linked).unwrap();
    assert_eq!(land(&fixture, &[feature]).unwrap().commits, 1);
}

#[test]
fn the_index_goes_back_when_head_moved_at_the_last_moment() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("src/main.rs", "fn main() { agent() }\n");
    fixture.write("src/new.rs", "// new\n");
    fixture.remove("run.sh");
    let feature = fixture.feature(&fixture.head(), "feature");
    fixture.write("staged", "by the person\n");
    fixture.git(&["add", "staged"]);
    let before = fixture.standing();
    let repo = &fixture.repo;
    let (head, tree) = (repo.head().unwrap(), repo.tree_of(&feature).unwrap());
    let run = repo
        .run_files("harness/R-0001", &head, std::slice::from_ref(&feature))
        .unwrap();
    let carried = repo.carry_files(&head, &tree, run.as_ref(), &[]).unwrap();
    assert_ne!(fixture.standing(), before);
    repo.put_index_back(&carried).unwrap();
    assert_eq!(fixture.standing(), before);
    // Killed between index and reference: landing again finishes.
    repo.carry_files(&head, &tree, run.as_ref(), &[]).unwrap();
    assert_eq!(land(&fixture, &[feature]).unwrap().commits, 1);
    assert_eq!(uncommitted(&fixture), "A  staged\n");
}

#[test]
fn a_file_of_its_owner_is_put_together_in_its_words() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("src/main.rs", "agent\n");
    let feature = fixture.feature(&fixture.head(), "feature");
    fixture.write("src/main.rs", "person\n");
    fixture.git(&["commit", "-q", "-a", "-m", "person"]);
    let land = |put: Put| {
        let put = |path: &harness_core::RepoPath, sides: crate::Sides<'_>| {
            assert_eq!(path.to_text(), "src/main.rs");
            assert_eq!(sides.head, Some(&b"person\n"[..]));
            assert_eq!(sides.run, Some(&b"agent\n"[..]));
            assert!(sides.base.is_some());
            put.clone()
        };
        let own = Own {
            keep: &[],
            put: &put,
        };
        let commits = std::slice::from_ref(&feature);
        fixture
            .repo
            .land("harness/R-0001", commits, LandStyle::EachCommit, own, NOW)
    };
    let LandError::Conflict { files, .. } =
        land(Put::Clash("both said so".to_owned())).unwrap_err()
    else {
        panic!("a conflict");
    };
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].text, "both said so");
    land(Put::Together(b"person and agent\n".to_vec())).unwrap();
    assert_eq!(fixture.read("src/main.rs"), b"person and agent\n");
    assert_eq!(uncommitted(&fixture), "");
    fixture.git(&["fsck", "--strict", "--no-dangling"]);
}
