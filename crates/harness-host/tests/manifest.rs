//! The manifest on a real disk: what it sees, what it costs nothing to see again, and undoing.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
        net::UnixListener,
    },
    process::Command,
};

use harness_core::RepoPath;
use harness_guard::{Attributes, Difference, FileKind, HostAct};
use harness_host::{
    disk::Root,
    manifest::{Former, Manifest, PutBackError},
};

use crate::world::{World, path};

const ACT: HostAct = HostAct::SetAside;

fn open(world: &World) -> Root {
    Root::open(&world.root()).unwrap()
}

fn walk(root: &Root) -> Manifest {
    root.manifest(&|path| path.starts_with(&self::path("target")))
        .unwrap()
}

/// Returns the paths that differ, with a letter for how.
fn differing(before: &Manifest, after: &Manifest) -> Vec<String> {
    let letter = |difference: &Difference| match (&difference.old, &difference.new) {
        (None, _) => '+',
        (_, None) => '-',
        _ => '~',
    };
    after
        .differences_from(before)
        .iter()
        .map(|difference| format!("{}{}", letter(difference), difference.path))
        .collect()
}

/// Does something to a repository and holds the differences against what they should be.
fn check(change: impl FnOnce(&World), expected: &[&str]) {
    let world = World::new();
    let root = open(&world);
    let before = walk(&root);
    assert_eq!(differing(&before, &walk(&root)), [""; 0]);
    change(&world);
    assert_eq!(differing(&before, &walk(&root)), expected);
}

#[test]
fn every_kind_of_change_is_seen() {
    check(
        |world| fs::write(world.root().join("src/b"), "").unwrap(),
        &["+src/b"],
    );
    check(
        |world| fs::write(world.root().join("docs/a.md"), "x").unwrap(),
        &["~docs/a.md"],
    );
    check(
        |world| fs::remove_file(world.root().join("docs/a.md")).unwrap(),
        &["-docs/a.md"],
    );
    check(
        |world| symlink("x", world.root().join("src/link")).unwrap(),
        &["+src/link"],
    );
    check(
        |world| drop(UnixListener::bind(world.root().join("src/s")).unwrap()),
        &["+src/s"],
    );
    check(
        |world| {
            let file = world.root().join("docs/a.md");
            fs::hard_link(file, world.root().join("src/twin")).unwrap();
        },
        &["~docs/a.md", "+src/twin"],
    );
    check(
        |world| {
            let mode = fs::Permissions::from_mode(0o600);
            fs::set_permissions(world.root().join(".git/config"), mode).unwrap();
        },
        &["~.git/config"],
    );
    check(
        |world| fs::rename(world.root().join("docs"), world.root().join("more")).unwrap(),
        &["-docs", "-docs/a.md", "+more", "+more/a.md"],
    );
    // The same size, and the time put back: the change itself has a time that nobody sets.
    check(
        |world| {
            let file = world.root().join("docs/a.md");
            let time = fs::metadata(&file).unwrap().modified().unwrap();
            fs::write(&file, "READ ME\n").unwrap();
            fs::File::options()
                .write(true)
                .open(&file)
                .unwrap()
                .set_modified(time)
                .unwrap();
        },
        &["~docs/a.md"],
    );
    // A folder's time alone counts where no name came or went.
    check(
        |world| {
            let folder = fs::File::open(world.root().join("docs")).unwrap();
            folder.set_modified(std::time::UNIX_EPOCH).unwrap();
        },
        &["~docs"],
    );
}

#[test]
fn what_git_and_the_harness_store_is_left_out_and_what_steers_git_is_not() {
    check(
        |world| {
            let git = world.root().join(".git");
            for made in [
                "objects/ab",
                "harness/kept",
                "refs/harness/S-0001",
                "refs/heads/harness",
                "logs/refs/heads/harness",
                "modules/sub/objects/cd",
                "lfs/objects/ef",
            ] {
                fs::create_dir_all(git.join(made)).unwrap();
                fs::write(git.join(made).join("x"), "").unwrap();
            }
            fs::write(world.root().join("target/out"), "").unwrap();
            fs::create_dir_all(git.join("hooks/objects")).unwrap();
            fs::write(git.join("modules/sub/config"), "").unwrap();
        },
        &[
            "+.git/hooks/objects",
            "+.git/lfs",
            "+.git/logs",
            "+.git/logs/refs",
            "+.git/logs/refs/heads",
            "+.git/modules",
            "+.git/modules/sub",
            "+.git/modules/sub/config",
            "+.git/refs",
            "+.git/refs/heads",
        ],
    );
}

#[test]
fn names_of_any_bytes_are_recorded_as_they_are() {
    let world = World::new();
    let root = open(&world);
    let before = walk(&root);
    let names: [&[u8]; 4] = [b"new\nline", b"\xff\xfe", b"-rf", b"\x1b[31m"];
    for name in names {
        fs::write(world.root().join("src").join(OsStr::from_bytes(name)), "x").unwrap();
    }
    let after = walk(&root);
    let mut found: Vec<RepoPath> = after
        .differences_from(&before)
        .into_iter()
        .map(|difference| difference.path)
        .collect();
    let mut expected: Vec<RepoPath> = names
        .iter()
        .map(|name| path([b"src/".as_slice(), name].concat()))
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    for odd in found {
        let into = world.root().join(".git/harness/q");
        root.take_away(ACT, &odd, &into).unwrap();
        assert_eq!(fs::read(into.join(odd.as_path())).unwrap(), b"x");
        assert_eq!(root.look(&odd).unwrap(), None);
    }
}

#[test]
fn all_names_of_a_shared_file_are_given() {
    let world = World::new();
    let root = open(&world);
    let before = walk(&root);
    fs::hard_link(world.root().join("docs/a.md"), world.root().join("src/one")).unwrap();
    fs::hard_link(world.root().join("docs/a.md"), world.root().join("src/two")).unwrap();
    let differences = walk(&root).differences_from(&before);
    assert_eq!(differences.len(), 3);
    for difference in differences {
        let names = [path("docs/a.md"), path("src/one"), path("src/two")];
        assert_eq!(difference.names, names);
    }
}

#[test]
fn what_lies_below_a_folder_is_not_what_begins_like_it() {
    let world = World::new();
    for name in ["docs.md", "docs/b", "docs-old"] {
        fs::write(world.root().join(name), "").unwrap();
    }
    let manifest = walk(&open(&world));
    let below: Vec<String> = manifest
        .below(&path("docs"))
        .map(|(path, _)| path.to_text())
        .collect();
    assert_eq!(below, ["docs", "docs/a.md", "docs/b"]);
}

#[test]
fn what_cannot_be_read_any_more_does_not_count_as_gone() {
    let world = World::new();
    let root = open(&world);
    let before = walk(&root);
    let closed = |mode| {
        let folder = world.root().join("docs");
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    };
    closed(0o000);
    let after = walk(&root);
    closed(0o755);
    // Root reads everything; for it there is nothing closed.
    if after.closed().is_empty() {
        assert!(after.at(&path("docs/a.md")).is_some());
    } else {
        assert_eq!(after.closed(), [path("docs")]);
    }
    assert_eq!(differing(&before, &after), ["~docs"]);
}

#[test]
fn a_link_is_not_followed_by_the_walk_nor_by_undoing() {
    let world = World::new();
    let root = open(&world);
    symlink(world.outside(), world.root().join("src/out")).unwrap();
    let manifest = walk(&root);
    let link = manifest.at(&path("src/out")).unwrap();
    assert_eq!(link.kind, FileKind::Link);
    assert!(manifest.at(&path("src/out/secret")).is_none());
    assert_eq!(root.look(&path("src/out/secret")).unwrap(), None);
    let inside = path("src/out/secret");
    let into = world.root().join(".git/harness/q");
    assert!(root.take_away(ACT, &inside, &into).is_err());
    assert!(root.remove_stray(ACT, &inside).is_err());
    assert!(root.set_rights(ACT, &inside, link).is_err());
    let secret = world.outside().join("secret");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "canary\n");
    // Removing what holds a link removes the link.
    root.remove_stray(ACT, &path("src")).unwrap();
    assert!(secret.exists());
}

#[test]
fn what_was_there_comes_back_with_rights_and_times() {
    let world = World::new();
    let root = open(&world);
    let file = world.root().join("docs/a.md");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../src/a.txt", world.root().join("docs/link")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(world.root().join("docs/pipe"))
            .status()
            .unwrap()
            .success()
    );
    let before = walk(&root);
    let bytes = fs::read(&file).unwrap();
    let into = world.root().join(".git/harness/q");
    root.take_away(ACT, &path("docs"), &into).unwrap();
    assert_eq!(fs::read(into.join("docs/a.md")).unwrap(), bytes);
    for at in ["docs", "docs/a.md", "docs/link", "docs/pipe"] {
        let attributes = before.at(&path(at)).unwrap();
        let former = Former {
            attributes,
            bytes: if at == "docs/a.md" { &bytes } else { &[] },
        };
        root.put_back(ACT, &path(at), former).unwrap();
    }
    root.set_rights(ACT, &path("docs"), before.at(&path("docs")).unwrap())
        .unwrap();
    let same = |attributes: &Attributes| {
        let Attributes {
            kind,
            mode,
            uid,
            gid,
            size,
            modified,
            target,
            ..
        } = attributes.clone();
        (kind, mode, uid, gid, size, modified, target)
    };
    let after = walk(&root);
    assert_eq!(
        differing(&before, &after)
            .iter()
            .filter(|at| at.contains(".git"))
            .count(),
        0
    );
    for (at, attributes) in before.iter().filter(|(at, _)| **at != path(".git")) {
        assert_eq!(after.at(at).map(same), Some(same(attributes)), "{at}");
    }
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn nothing_in_quarantine_is_overwritten_and_nothing_in_the_way_is_either() {
    let world = World::new();
    let root = open(&world);
    let into = world.root().join(".git/harness/q");
    root.take_away(ACT, &path("docs/a.md"), &into).unwrap();
    fs::write(world.root().join("docs/a.md"), "second\n").unwrap();
    assert!(root.take_away(ACT, &path("docs/a.md"), &into).is_err());
    assert_eq!(
        fs::read_to_string(into.join("docs/a.md")).unwrap(),
        "read me\n"
    );
    assert_eq!(
        fs::read_to_string(world.root().join("docs/a.md")).unwrap(),
        "second\n"
    );
    let socket = Attributes {
        kind: FileKind::Socket,
        ..root.look(&path("docs/a.md")).unwrap().unwrap()
    };
    let former = Former {
        attributes: &socket,
        bytes: &[],
    };
    let error = root.put_back(ACT, &path("docs/s"), former).unwrap_err();
    assert!(
        matches!(error, PutBackError::Unmakeable(FileKind::Socket)),
        "{error}"
    );
}

#[test]
fn a_shared_file_becomes_a_copy_of_its_own() {
    let world = World::new();
    let root = open(&world);
    let (one, two) = (
        world.root().join("docs/a.md"),
        world.root().join("src/twin"),
    );
    fs::hard_link(&one, &two).unwrap();
    let attributes = root.look(&path("src/twin")).unwrap().unwrap();
    root.break_link(ACT, &path("src/twin"), &attributes)
        .unwrap();
    assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
    assert_eq!(fs::metadata(&one).unwrap().nlink(), 1);
    fs::write(&two, "x").unwrap();
    assert_eq!(fs::read_to_string(&one).unwrap(), "read me\n");
}

#[test]
fn a_part_is_walked_compared_and_taken_in_alone() {
    let world = World::new();
    let root = open(&world);
    let mut known = walk(&root);
    let src = [path("src")];
    fs::write(world.root().join("src/new"), "x").unwrap();
    fs::remove_file(world.root().join("src/a.txt")).unwrap();
    fs::write(world.root().join("docs/other"), "x").unwrap();
    let now = root.manifest_of(&src, &|_| false).unwrap();
    assert_eq!(
        differing(&known.part(&src), &now),
        ["-src/a.txt", "+src/new"]
    );
    known.set_part(&src, now);
    let rest: Vec<String> = differing(&known, &walk(&root));
    assert_eq!(rest, ["+docs/other"]);
    // Of what is not there nothing is known, and nothing fails.
    let none = root.manifest_of(&[path("gone")], &|_| false).unwrap();
    assert!(none.is_empty());
}

#[test]
fn that_no_name_came_or_went_is_only_said_where_it_is_certain() {
    let world = World::new();
    let root = open(&world);
    let in_src = |folder: &RepoPath| folder.starts_with(&path("src"));
    // So young that a change could hide in the same tick.
    assert!(!root.has_same_names(&walk(&root), &in_src));
    std::thread::sleep(std::time::Duration::from_millis(3_100));
    let known = walk(&root);
    if !root.has_same_names(&known, &in_src) {
        eprintln!("skipped: this file system's times are not trusted");
        return;
    }
    fs::write(world.root().join("src/new"), "x").unwrap();
    fs::write(world.root().join("docs/a.md"), "same name\n").unwrap();
    assert!(root.has_same_names(&known, &in_src));
    assert!(!root.has_same_names(&known, &|_| false));
    fs::write(world.root().join("docs/.env"), "x").unwrap();
    assert!(!root.has_same_names(&known, &in_src));
    // A time that was set back does not help.
    let docs = fs::File::open(world.root().join("docs")).unwrap();
    docs.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    assert!(!root.has_same_names(&known, &in_src));
    assert!(root.has_same_names(&walk(&root), &|folder| in_src(folder)
        || folder.starts_with(&path("docs"))));
}

#[test]
fn a_large_repository_is_walked_by_several_and_nothing_is_missed() {
    let world = World::new();
    let root = open(&world);
    let large = world.root().join("large");
    for folder in (0..60).flat_map(|area| [format!("{area}/0"), format!("{area}/1")]) {
        fs::create_dir_all(large.join(&folder)).unwrap();
        for file in 0..50 {
            fs::write(large.join(&folder).join(file.to_string()), "x").unwrap();
        }
    }
    let before = walk(&root);
    let below = before.below(&path("large")).count();
    assert_eq!(below, 1 + 60 + 120 + 6_000);
    assert_eq!(differing(&before, &walk(&root)), [""; 0]);
    fs::write(large.join("7/1/new"), "").unwrap();
    fs::remove_file(large.join("31/0/9")).unwrap();
    fs::set_permissions(large.join("59/1/49"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(
        differing(&before, &walk(&root)),
        ["-large/31/0/9", "~large/59/1/49", "+large/7/1/new"]
    );
}
