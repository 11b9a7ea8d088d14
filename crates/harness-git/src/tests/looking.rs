//! What a look at the work tree finds, and that it leaves nothing behind.

use crate::{FileKind, Looked, WorkContent};

use super::fixture::Fixture;

fn objects(fixture: &Fixture) -> String {
    fixture.git(&["count-objects", "-v"])
}

#[test]
fn a_look_finds_what_a_snapshot_finds_and_stores_nothing() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("src/main.rs", "fn main() { run() }\n");
    fixture.write("src/new.rs", "x\n");
    fixture.write("ignored.log", "x\n");
    std::fs::remove_file(fixture.root().join("link")).unwrap();
    std::fs::remove_file(fixture.root().join("README.md")).unwrap();
    let before = objects(&fixture);
    let head = fixture.repo.head().unwrap();
    let found = fixture.repo.look(&head.tree, Looked::Stored, 100).unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|change| {
            (
                change.path.to_text(),
                change.old.is_some(),
                change.new.is_some(),
            )
        })
        .collect();
    let expected = [
        ("README.md", true, false),
        ("link", true, false),
        ("src/main.rs", true, true),
        ("src/new.rs", false, true),
    ];
    assert_eq!(
        told,
        expected.map(|(path, old, new)| (path.to_owned(), old, new))
    );
    assert_eq!(objects(&fixture), before);
}

#[test]
fn line_endings_alone_are_a_change_of_a_checkpoint_and_none_of_a_commit() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write(".gitattributes", "* text=auto\n");
    fixture.git(&["add", "-A"]);
    fixture.git(&["commit", "-q", "-m", "text"]);
    fixture.write("src/main.rs", "fn main() {}\r\n");
    let tree = fixture.repo.head().unwrap().tree;
    assert!(
        fixture
            .repo
            .look(&tree, Looked::Stored, 100)
            .unwrap()
            .is_empty()
    );
    assert_eq!(fixture.repo.look(&tree, Looked::Raw, 100).unwrap().len(), 1);
}

#[test]
fn of_a_large_file_the_size_is_told() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("big.txt", "0123456789");
    let tree = fixture.repo.head().unwrap().tree;
    let found = fixture.repo.look(&tree, Looked::Stored, 5).unwrap();
    let content = &found[0].new.as_ref().unwrap().content;
    assert!(
        matches!(content, WorkContent::TooLarge { bytes: 10, .. }),
        "{content:?}"
    );
}

#[test]
fn a_tree_takes_states_with_their_modes() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let tree = fixture.repo.head().unwrap().tree;
    let states = [
        (path("run.sh"), Some((FileKind::File, b"echo\n".to_vec()))),
        (path("README.md"), None),
    ];
    let made = fixture
        .repo
        .with_states(&tree, states.iter().map(|(path, state)| (path, state)))
        .unwrap();
    let changes = fixture.repo.file_changes(&tree, &made).unwrap();
    assert_eq!(changes.len(), 2);
    let script = fixture
        .repo
        .file_state(&made, &path("run.sh"))
        .unwrap()
        .unwrap();
    assert_eq!(script.kind, FileKind::File);
    assert_eq!(fixture.repo.size_of(&script).unwrap(), 5);
    let now = fixture
        .repo
        .work_file(&path("run.sh"), 100)
        .unwrap()
        .unwrap();
    assert_eq!(now.kind, FileKind::Executable);
    assert_eq!(fixture.repo.work_file(&path("none"), 100).unwrap(), None);
}

fn path(text: &str) -> harness_core::RepoPath {
    harness_core::RepoPath::parse(text).unwrap()
}
