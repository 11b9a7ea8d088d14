//! Files: never outside, never through a link, never over somebody else's change.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt, symlink},
    },
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use harness_core::{Action, ByteCount, RepoPath};
use harness_guard::{HostAct, Permit};
use harness_host::disk::{
    Cut, DiskError, EntryKind, Expected, Found, Hit, Listing, Root, SearchLimits,
};

use crate::world::{World, manifest, path};

const MAX: ByteCount = ByteCount::kib(256);

fn open(world: &World) -> Root {
    Root::open(&world.root()).unwrap()
}

fn to_write(world: &World, file: impl AsRef<[u8]>) -> Permit {
    world.permit(Action::Write {
        path: path(file),
        content: String::new(),
    })
}

fn to_read(world: &World, file: impl AsRef<[u8]>) -> Permit {
    world.permit(Action::Read {
        path: path(file),
        lines: None,
    })
}

fn list(world: &World, folder: &str, max: usize) -> Result<Listing, DiskError> {
    let permit = world.permit(Action::List {
        path: path(folder),
        depth: 1,
    });
    let is_hidden = |path: &RepoPath| path.file_name() == Some(b".env");
    open(world).list(&permit, &is_hidden, max)
}

fn search(world: &World, query: &str, limits: SearchLimits) -> Result<Found, DiskError> {
    let permit = world.permit(Action::Search {
        query: query.to_owned(),
        path: path(""),
        glob: None,
        context: 0,
    });
    let is_hidden = |path: &RepoPath| path.file_name() == Some(b".env");
    open(world).search(&permit, &is_hidden, limits)
}

#[test]
fn a_file_is_read_whole_or_not_at_all() {
    let world = World::new();
    let root = open(&world);
    let read = root.read_file(&to_read(&world, "src/a.txt"), MAX).unwrap();
    assert_eq!(read.bytes, b"one\ntwo\n");
    let error = root
        .read_file(&to_read(&world, "src/a.txt"), ByteCount(7))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`src/a.txt` has 8 bytes, more than the 7 bytes that are read"
    );
    assert!(
        root.read_file(&to_read(&world, "src/a.txt"), ByteCount(8))
            .is_ok()
    );
}

#[test]
fn what_is_no_file_is_named_as_what_it_is() {
    let world = World::new();
    let fifo = world.at("repo/src/fifo");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let socket = std::os::unix::net::UnixListener::bind(world.at("repo/src/socket")).unwrap();
    let root = open(&world);
    let read = |file: &str| root.read_file(&to_read(&world, file), MAX).unwrap_err();
    let write = |file: &str| {
        root.write_file(&to_write(&world, file), b"x", Expected::Any)
            .unwrap_err()
    };
    fs::create_dir(world.at("repo/src/deep")).unwrap();
    for error in [read("src/missing"), read("src/missing/deeper")] {
        assert!(matches!(error, DiskError::NotFound { .. }), "{error}");
    }
    for error in [read("src/deep"), write("src/deep")] {
        assert!(matches!(error, DiskError::IsFolder { .. }), "{error}");
    }
    for error in [read("src/fifo"), write("src/fifo"), read("src/socket")] {
        assert!(matches!(error, DiskError::NotRegular { .. }), "{error}");
    }
    for error in [read("src/a.txt/x"), write("src/a.txt/x")] {
        assert!(matches!(error, DiskError::NotFolder { .. }), "{error}");
    }
    drop(socket);
}

#[test]
fn a_permit_is_good_for_its_own_kind_of_access_only() {
    let world = World::new();
    let root = open(&world);
    let refused = root.write_file(&to_read(&world, "src/a.txt"), b"x", Expected::Any);
    assert!(matches!(refused, Err(DiskError::NotPermitted { .. })));
    let refused = root.read_file(
        &world.permit(Action::List {
            path: path("src"),
            depth: 1,
        }),
        MAX,
    );
    assert!(matches!(refused, Err(DiskError::NotPermitted { .. })));
}

#[test]
fn a_link_is_reported_and_not_followed() {
    let world = World::new();
    let outside = world.outside();
    symlink(outside.join("secret"), world.at("repo/src/out")).unwrap();
    symlink(&outside, world.at("repo/src/dir")).unwrap();
    symlink("../docs", world.at("repo/src/near")).unwrap();
    symlink("a.txt", world.at("repo/src/same")).unwrap();
    symlink("../../outside/secret", world.at("repo/src/up")).unwrap();
    symlink(
        world.root().join("docs/a.md"),
        world.at("repo/src/absolute"),
    )
    .unwrap();
    let before = manifest(&outside);
    let root = open(&world);
    for (file, link, resolved) in [
        ("src/out", "src/out", None),
        ("src/dir/new.txt", "src/dir", None),
        ("src/dir/deeper/new.txt", "src/dir", None),
        ("src/up", "src/up", None),
        ("src/near/a.md", "src/near", Some("docs/a.md")),
        ("src/same", "src/same", Some("src/a.txt")),
        ("src/absolute", "src/absolute", Some("docs/a.md")),
    ] {
        let read = root.read_file(&to_read(&world, file), MAX).unwrap_err();
        let written = root
            .write_file(&to_write(&world, file), b"x", Expected::Any)
            .unwrap_err();
        for error in [read, written] {
            let DiskError::IsLink {
                link: found,
                target,
                resolved: reached,
            } = &error
            else {
                panic!("{file}: {error:?}");
            };
            assert_eq!(found, &path(link), "{file}");
            assert_eq!(reached, &resolved.map(path), "{file}");
            assert_eq!(
                fs::read_link(world.root().join(link))
                    .unwrap()
                    .as_os_str()
                    .as_bytes(),
                target
            );
        }
    }
    assert_eq!(manifest(&outside), before);
}

#[test]
fn a_folder_swapped_for_a_link_leads_nowhere() {
    let world = World::new();
    fs::create_dir(world.at("repo/src/d")).unwrap();
    symlink(world.outside(), world.at("repo/src/way")).unwrap();
    let before = manifest(&world.outside());
    let root = open(&world);
    let permit = to_write(&world, "src/d/f");
    let is_over = AtomicBool::new(false);
    let (d, way) = (world.at("repo/src/d"), world.at("repo/src/way"));
    let (mut written, mut refused) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                exchange(&d, &way);
            }
        });
        for number in 0..2_000 {
            let bytes = format!("{number}");
            match root.write_file(&permit, bytes.as_bytes(), Expected::Any) {
                Ok(_) => written += 1,
                Err(_) => refused += 1,
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(manifest(&world.outside()), before);
    assert!(written > 0 && refused > 0, "{written} {refused}");
}

fn exchange(one: &Path, other: &Path) {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}

#[test]
fn folders_on_the_way_are_made() {
    let world = World::new();
    let root = open(&world);
    let permit = to_write(&world, "src/new/deep/f.txt");
    root.write_file(&permit, b"text", Expected::Absent).unwrap();
    assert_eq!(
        fs::read(world.at("repo/src/new/deep/f.txt")).unwrap(),
        b"text"
    );
    let made = HostAct::WriteHostFile;
    root.host_create_folder(made, &path("out/deep")).unwrap();
    root.host_create_folder(made, &path("out/deep")).unwrap();
    assert!(world.at("repo/out/deep").is_dir());
}

#[test]
fn a_write_that_finds_something_else_is_refused() {
    let world = World::new();
    let root = open(&world);
    let file = world.at("repo/src/a.txt");
    let permit = to_write(&world, "src/a.txt");
    let write = |bytes: &[u8], expected| root.write_file(&permit, bytes, expected);
    let read = || root.read_file(&permit, MAX).unwrap();
    let is_stale = |result| matches!(result, Err(DiskError::Stale { .. }));

    let first = read().stamp;
    assert!(is_stale(write(b"x", Expected::Absent)));
    let second = write(b"second", Expected::Unchanged(first)).unwrap();
    assert_eq!(second, read().stamp);
    assert!(is_stale(write(b"x", Expected::Unchanged(first))));

    // Same size and same time: the content tells.
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "sEcond").unwrap();
    fs::File::options()
        .append(true)
        .open(&file)
        .unwrap()
        .set_modified(time)
        .unwrap();
    assert!(is_stale(write(b"x", Expected::Unchanged(second))));

    fs::remove_file(&file).unwrap();
    assert!(is_stale(write(b"x", Expected::Unchanged(second))));
    write(b"new", Expected::Absent).unwrap();
    write(b"newer", Expected::Any).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"newer");
    let names: Vec<_> = fs::read_dir(world.at("repo/src"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(names.len(), 1, "nothing temporary is left: {names:?}");
}

#[test]
fn a_second_name_keeps_the_old_bytes() {
    let world = World::new();
    let other = world.outside().join("partner");
    fs::hard_link(world.at("repo/src/a.txt"), &other).unwrap();
    open(&world)
        .write_file(&to_write(&world, "src/a.txt"), b"new", Expected::Any)
        .unwrap();
    assert_eq!(fs::read(&other).unwrap(), b"one\ntwo\n");
    assert_eq!(fs::metadata(world.at("repo/src/a.txt")).unwrap().nlink(), 1);
}

#[test]
fn a_replaced_file_keeps_its_rights() {
    let world = World::new();
    let root = open(&world);
    for (before, after) in [(0o755, 0o755), (0o600, 0o600), (0o4755, 0o755)] {
        let file = world.at("repo/src/a.txt");
        fs::set_permissions(&file, fs::Permissions::from_mode(before)).unwrap();
        root.write_file(&to_write(&world, "src/a.txt"), b"x", Expected::Any)
            .unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, after, "{before:o}");
    }
}

#[test]
fn odd_names_are_read_written_listed_and_searched() {
    let world = World::new();
    let root = open(&world);
    let long = [b'x'; 255];
    let names: [&[u8]; 6] = [
        b"new\nline",
        b"-rf",
        b"\x1b[31mred",
        b"\xff\xfe bytes",
        "\u{202e}mirrored".as_bytes(),
        &long,
    ];
    for name in names {
        let file = path("src").join(name).unwrap();
        let act = HostAct::WriteHostFile;
        root.host_write_file(act, &file, b"needle\n", Expected::Absent)
            .unwrap();
        assert_eq!(root.host_read_file(&file, MAX).unwrap().bytes, b"needle\n");
        assert!(world.at("repo/src").join(OsStr::from_bytes(name)).exists());
    }
    let listed = list(&world, "src", 100).unwrap().entries;
    assert_eq!(listed.len(), names.len() + 1);
    let found = search(&world, "^needle$", SearchLimits::default()).unwrap();
    assert_eq!(found.hits.len(), names.len());
    for name in names {
        let file = path("src").join(name).unwrap();
        assert!(listed.iter().any(|entry| entry.path == file));
        assert!(found.hits.iter().any(|hit| hit.path == file));
    }
}

#[test]
fn a_listing_leaves_out_what_is_ignored_hidden_or_gits() {
    let world = World::new();
    for (file, text) in [
        ("repo/.gitignore", "target/\n*.log\n"),
        ("repo/.env", "KEY=canary\n"),
        ("repo/x.log", ""),
        ("repo/b.txt", ""),
    ] {
        fs::write(world.at(file), text).unwrap();
    }
    symlink("docs", world.at("repo/link")).unwrap();
    let listing = list(&world, "", 100).unwrap();
    let names: Vec<(String, EntryKind)> = listing
        .entries
        .iter()
        .map(|entry| (entry.path.to_text(), entry.kind))
        .collect();
    let expected = [
        (".gitignore", EntryKind::File),
        ("Cargo.lock", EntryKind::File),
        ("b.txt", EntryKind::File),
        ("docs", EntryKind::Folder),
        ("link", EntryKind::Link),
        ("src", EntryKind::Folder),
    ];
    assert_eq!(names, expected.map(|(name, kind)| (name.to_owned(), kind)));
    assert!(!listing.cut);
    // Ignored or hidden: `.env`, `target` and `x.log`.
    assert_eq!(listing.left_out, 3);
    let sizes: Vec<u64> = listing.entries.iter().map(|entry| entry.size.0).collect();
    assert_eq!(sizes[0], "target/\n*.log\n".len() as u64);
    assert_eq!(sizes[3..], [0, 0, 0]);
    let cut = list(&world, "", 2).unwrap();
    assert_eq!((cut.entries.len(), cut.cut), (2, true));
    assert!(matches!(
        list(&world, "b.txt", 9),
        Err(DiskError::NotFolder { .. })
    ));
    assert!(matches!(
        list(&world, "link", 9),
        Err(DiskError::IsLink { .. })
    ));
    assert!(matches!(
        list(&world, "no", 9),
        Err(DiskError::NotFound { .. })
    ));
}

#[test]
fn ignore_files_above_the_repository_are_none_of_its() {
    let world = World::new();
    // A home that is kept in git, where everything is ignored but what is named.
    fs::write(world.at(".gitignore"), "*\n").unwrap();
    fs::write(world.at("repo/.gitignore"), "/docs\n").unwrap();
    let names = |folder: &str| -> Vec<String> {
        let listing = list(&world, folder, 100).unwrap();
        let entries = listing.entries.iter();
        entries.map(|entry| entry.path.to_text()).collect()
    };
    let all = names("");
    assert!(all.contains(&"src".to_owned()), "{all:?}");
    assert!(!all.contains(&"docs".to_owned()), "{all:?}");
    // Below the root too, where the repository's own ignore file stands above.
    fs::write(world.at("repo/src/made.log"), "").unwrap();
    fs::write(world.at("repo/.gitignore"), "*.log\n").unwrap();
    let below = names("src");
    assert!(!below.is_empty(), "{below:?}");
    assert!(!below.contains(&"src/made.log".to_owned()), "{below:?}");
}

#[test]
fn a_search_finds_lines_by_path_and_number() {
    let world = World::new();
    fs::write(world.at("repo/.gitignore"), "target/\n").unwrap();
    fs::write(world.at("repo/target/x"), "two\n").unwrap();
    fs::write(world.at("repo/.env"), "two\n").unwrap();
    fs::write(world.at("repo/.git/x"), "two\n").unwrap();
    fs::write(world.at("repo/src/binary"), b"two\n\0two\n").unwrap();
    fs::write(world.at("repo/src/b.txt"), "zero\r\n two â\r\n").unwrap();
    symlink(world.outside().join("secret"), world.at("repo/src/link")).unwrap();
    let found = search(&world, "tw[o]|canary", SearchLimits::default()).unwrap();
    let hit = |file: &str, line, text: &str| Hit {
        path: path(file),
        line,
        text: text.to_owned(),
        is_match: true,
    };
    assert_eq!(
        found.hits,
        [hit("src/a.txt", 2, "two"), hit("src/b.txt", 2, " two â")]
    );
    assert_eq!(found.cut, None);
}

#[test]
fn a_search_stops_at_its_bounds() {
    let world = World::new();
    fs::write(world.at("repo/src/many"), "needle\n".repeat(500)).unwrap();
    fs::write(
        world.at("repo/src/wide"),
        format!("wide {}", "ä".repeat(1000)),
    )
    .unwrap();
    fs::write(world.at("repo/src/huge"), vec![b'h'; 9 << 20]).unwrap();
    let limits = SearchLimits::default();
    let found = search(&world, "needle", limits).unwrap();
    assert_eq!((found.hits.len(), found.cut), (200, Some(Cut::Hits)));
    let wide = search(&world, "wide", limits).unwrap();
    assert!(wide.hits[0].text.len() <= 400 + '…'.len_utf8());
    assert!(wide.hits[0].text.ends_with("ä…"));
    let huge = search(&world, "hhh", limits).unwrap();
    assert_eq!((huge.hits.len(), huge.skipped), (0, 1));
    let few = SearchLimits { files: 1, ..limits };
    assert_eq!(search(&world, "needle", few).unwrap().cut, Some(Cut::Files));
    let brief = SearchLimits {
        time: Duration::ZERO,
        ..limits
    };
    let found = search(&world, "needle", brief).unwrap();
    assert_eq!((found.hits.len(), found.cut), (0, Some(Cut::Time)));
}

#[test]
fn a_search_of_many_files_is_in_order_and_takes_only_those_that_are_meant() {
    let world = World::new();
    for number in 0..1500 {
        let ending = if number % 3 == 0 { "rs" } else { "txt" };
        let file = world.at(&format!("repo/src/f{number:04}.{ending}"));
        fs::write(file, format!("a\nneedle {number}\nb\nc\n")).unwrap();
    }
    let wide = SearchLimits {
        hits: 10_000,
        ..SearchLimits::default()
    };
    let found = search(&world, "needle", wide).unwrap();
    assert_eq!(found.hits.len(), 1500);
    assert!(found.hits.iter().map(|hit| &hit.path).is_sorted());
    let permit = world.permit(Action::Search {
        query: "needle".to_owned(),
        path: path("src"),
        glob: Some("*.rs".to_owned()),
        context: 1,
    });
    let found = open(&world).search(&permit, &|_| false, wide).unwrap();
    assert_eq!(found.files, 500);
    assert_eq!(found.hits.len(), 1500);
    let first: Vec<(u64, &str, bool)> = found.hits[..3]
        .iter()
        .map(|hit| (hit.line, hit.text.as_str(), hit.is_match))
        .collect();
    assert_eq!(
        first,
        [(1, "a", false), (2, "needle 0", true), (3, "b", false)]
    );
    let few = SearchLimits { hits: 2, ..wide };
    let found = open(&world).search(&permit, &|_| false, few).unwrap();
    assert_eq!(found.cut, Some(Cut::Hits));
    let matches = found.hits.iter().filter(|hit| hit.is_match).count();
    assert_eq!(matches, 2);
}

fn move_file(world: &World, from: &str, to: &str, expected: Expected) -> Result<(), DiskError> {
    let permit = world.permit(Action::Move {
        path: path(from),
        to: path(to),
    });
    open(world).move_file(&permit, expected)
}

fn delete(world: &World, file: &str, expected: Expected) -> Result<(), DiskError> {
    let permit = world.permit(Action::Delete { path: path(file) });
    open(world).delete(&permit, expected)
}

#[test]
fn a_file_is_moved_and_never_over_anything() {
    let world = World::new();
    let at = |file: &str| world.root().join(file);
    move_file(&world, "src/a.txt", "src/new/deep/b.txt", Expected::Any).unwrap();
    assert!(!at("src/a.txt").exists());
    assert_eq!(
        fs::read_to_string(at("src/new/deep/b.txt")).unwrap(),
        "one\ntwo\n"
    );
    fs::write(at("src/c.txt"), "c").unwrap();
    fs::create_dir(at("src/folder")).unwrap();
    symlink("nowhere", at("src/dangling")).unwrap();
    for there in [
        "src/new/deep/b.txt",
        "src/folder",
        "src/dangling",
        "src/c.txt",
    ] {
        let error = move_file(&world, "src/c.txt", there, Expected::Any).unwrap_err();
        assert!(
            matches!(error, DiskError::Exists { .. }),
            "{there}: {error}"
        );
    }
    let error = move_file(&world, "src/c.txt", "src/c.txt/x", Expected::Any).unwrap_err();
    assert!(matches!(error, DiskError::NotFolder { .. }), "{error}");
    let error = move_file(&world, "src/folder", "src/other", Expected::Any).unwrap_err();
    assert!(matches!(error, DiskError::IsFolder { .. }), "{error}");
    let error = move_file(&world, "src/none", "src/made/x", Expected::Any).unwrap_err();
    assert!(matches!(error, DiskError::NotFound { .. }), "{error}");
    assert!(!at("src/made").exists());
    move_file(&world, "src/c.txt", "src/C.txt", Expected::Any).unwrap();
    assert_eq!(fs::read_to_string(at("src/C.txt")).unwrap(), "c");
}

#[test]
fn a_move_follows_no_link_at_either_end() {
    let world = World::new();
    let at = |file: &str| world.root().join(file);
    fs::write(world.outside().join("theirs"), "theirs").unwrap();
    symlink(world.outside().join("theirs"), at("src/link")).unwrap();
    symlink(world.outside(), at("src/out")).unwrap();
    for (from, to) in [
        ("src/link", "src/mine"),
        ("src/out/theirs", "src/mine"),
        ("src/a.txt", "src/out/mine"),
        ("src/a.txt", "src/out/new/mine"),
    ] {
        let error = move_file(&world, from, to, Expected::Any).unwrap_err();
        assert!(matches!(error, DiskError::IsLink { .. }), "{from}: {error}");
    }
    assert_eq!(
        fs::read_to_string(world.outside().join("theirs")).unwrap(),
        "theirs"
    );
    assert!(!world.outside().join("mine").exists());
    assert!(!world.outside().join("new").exists());
    assert!(at("src/a.txt").exists() && !at("src/mine").exists());
}

#[test]
fn what_is_deleted_is_one_name_and_no_more() {
    let world = World::new();
    let at = |file: &str| world.root().join(file);
    fs::write(world.outside().join("theirs"), "theirs").unwrap();
    symlink(world.outside().join("theirs"), at("src/link")).unwrap();
    symlink(world.outside(), at("src/out")).unwrap();
    fs::create_dir_all(at("src/folder/inner")).unwrap();
    let error = delete(&world, "src/out/theirs", Expected::Any).unwrap_err();
    assert!(matches!(error, DiskError::IsLink { .. }), "{error}");
    let error = delete(&world, "src/folder", Expected::Any).unwrap_err();
    assert!(matches!(error, DiskError::NotEmpty { .. }), "{error}");
    for gone in [
        "src/link",
        "src/out",
        "src/folder/inner",
        "src/folder",
        "src/a.txt",
    ] {
        delete(&world, gone, Expected::Any).unwrap();
        assert!(fs::symlink_metadata(at(gone)).is_err(), "{gone}");
        let error = delete(&world, gone, Expected::Any).unwrap_err();
        assert!(matches!(error, DiskError::NotFound { .. }), "{error}");
    }
    assert!(world.outside().join("theirs").exists());
}

#[test]
fn what_changed_since_it_was_read_is_neither_moved_nor_deleted() {
    let world = World::new();
    let root = open(&world);
    let read = root.read_file(&to_read(&world, "src/a.txt"), MAX).unwrap();
    fs::write(world.root().join("src/a.txt"), "one\nTWO\n").unwrap();
    let expected = Expected::Unchanged(read.stamp);
    let moved = move_file(&world, "src/a.txt", "src/b.txt", expected);
    assert!(matches!(moved, Err(DiskError::Stale { .. })));
    let deleted = delete(&world, "src/a.txt", expected);
    assert!(matches!(deleted, Err(DiskError::Stale { .. })));
    assert!(world.root().join("src/a.txt").exists());
}

#[test]
fn a_large_file_is_read_in_parts_and_known_again() {
    let world = World::new();
    let root = open(&world);
    let bytes = b"0123456789\n".repeat(100_000);
    fs::write(world.root().join("src/large"), &bytes).unwrap();
    let permit = to_read(&world, "src/large");
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let stamp = root
        .scan_file(&permit, ByteCount::mib(2), &mut |part| {
            parts.push(part.to_vec());
        })
        .unwrap();
    assert!(parts.len() > 2);
    assert_eq!(parts.concat(), bytes);
    let whole = root.read_file(&permit, ByteCount::mib(2)).unwrap();
    assert_eq!(whole.stamp, stamp);
    let error = root.scan_file(&permit, ByteCount::mib(1), &mut |_| {});
    assert!(matches!(error, Err(DiskError::TooLarge { .. })));
}

#[test]
fn a_query_that_is_no_expression_is_refused() {
    let world = World::new();
    for query in ["(", "a{1000}{1000}{1000}", "[z-a]"] {
        let refused = search(&world, query, SearchLimits::default());
        assert!(matches!(refused, Err(DiskError::Query { .. })), "{query}");
    }
}

#[test]
fn what_a_scope_hides_is_found_to_be_masked() {
    let world = World::new();
    for file in [
        "repo/.env",
        "repo/src/.env",
        "repo/target/.env",
        "repo/.git/.env",
    ] {
        fs::write(world.at(file), "").unwrap();
    }
    fs::write(world.at("repo/.gitignore"), ".env\n").unwrap();
    symlink(world.outside(), world.at("repo/way")).unwrap();
    let is_hidden = |path: &RepoPath| path.file_name() == Some(b".env");
    let found = open(&world).host_find(&|path, _| is_hidden(path), 100);
    let found: Vec<String> = found.iter().map(RepoPath::to_text).collect();
    assert_eq!(found, [".env", "src/.env", "target/.env"]);
    assert_eq!(
        open(&world).host_find(&|path, _| is_hidden(path), 2).len(),
        2
    );
}

#[test]
fn what_a_killed_writer_left_is_removed_and_nothing_else() {
    let world = World::new();
    let names = [
        (".~harness-12-0", true),
        ("src/deep/.harness-new-7-31", true),
        ("ignored/.harness-new-7-1", true),
        ("src/.~harness-13-0", false),
        ("src/.harness-new-1-7", false),
        ("src/.~harness-12", false),
        ("src/.~harness-12-0-1", false),
        ("src/.~harness-me-0", false),
        ("src/x.~harness-12-0", false),
        (".git/.~harness-12-0", false),
    ];
    fs::write(world.root().join(".gitignore"), "ignored\n").unwrap();
    for (name, _) in names {
        let file = world.root().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "half").unwrap();
    }
    let removed = open(&world).remove_left_overs_of(HostAct::Checkpoint, &[7, 12]);
    assert_eq!(removed.unwrap().len(), 3);
    for (name, is_left_over) in names {
        let is_there = world.root().join(name).exists();
        assert_eq!(is_there, !is_left_over, "{name}");
    }
}

#[test]
fn beside_a_file_only_its_own_folder_is_looked_into() {
    let world = World::new();
    let names = [
        (".~harness-12-0", true),
        (".harness/evidence/.~harness-12-1", true),
        ("src/.~harness-12-2", false),
        (".harness/.~harness-12-3", false),
    ];
    fs::write(world.root().join(".gitignore"), ".~*\n").unwrap();
    for (name, _) in names {
        let file = world.root().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "half").unwrap();
    }
    let files = [
        path("progress.md"),
        path(".harness/evidence/F-1.json"),
        path("gone/list.json"),
    ];
    let removed = open(&world).remove_left_overs_beside(HostAct::WriteHostFile, &files);
    assert_eq!(removed.unwrap().len(), 2);
    for (name, is_left_over) in names {
        let is_there = world.root().join(name).exists();
        assert_eq!(is_there, !is_left_over, "{name}");
    }
}
