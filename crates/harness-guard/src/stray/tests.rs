use harness_core::{Feature, FeatureId, Limits, Policy, ScopeRules, Sourced, TokenCount};

use super::*;
use crate::{default_hidden, default_protected};

fn list(patterns: &[&str]) -> Vec<Sourced> {
    let sourced = |pattern: &&str| Sourced {
        value: (*pattern).to_owned(),
        origin: "harness.toml:3".to_owned(),
    };
    patterns.iter().map(sourced).collect()
}

fn path(text: impl AsRef<[u8]>) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn guard(write: &[&str]) -> Guard {
    let policy = Policy {
        scope: ScopeRules {
            write: list(write),
            deny: list(&["src/gen/**"]),
            hide: default_hidden(),
            protect: default_protected(),
            build: list(&["target"]),
            host_owned: Vec::new(),
        },
        gates: Vec::new(),
        commands: Vec::new(),
        network_closed: String::new(),
        formats: Vec::new(),
        amendments: Vec::new(),
        review: harness_core::ReviewBy::None,
        limits: Limits::default(),
        isolate: true,
        feature_file: path("feature_list.json"),
        progress_file: path("progress.md"),
        map_file: "AGENTS.md".to_owned(),
        context_budget: TokenCount(16_000),
        network: Vec::new(),
    };
    Guard::new(&policy, &Feature::titled(FeatureId::task(1), "task")).unwrap()
}

fn a(kind: FileKind) -> Attributes {
    Attributes {
        kind,
        mode: 0o644,
        uid: 1,
        gid: 1,
        size: 5,
        modified: (100, 0),
        changed: (100, 0),
        device: 1,
        inode: 7,
        links: 1,
        target: None,
    }
}

fn file() -> Attributes {
    a(FileKind::File)
}

fn difference(at: &str, old: Option<Attributes>, new: Option<Attributes>) -> Difference {
    Difference {
        path: path(at),
        old,
        new,
        names: Vec::new(),
        former_names: Vec::new(),
    }
}

/// Judges and gives back one letter: fine, person's, or the remedy.
fn judged(guard: &Guard, level: Level, difference: &Difference, content: Content) -> char {
    match guard.judge_difference(level, difference, content) {
        Judgement::Fine => 'f',
        Judgement::Persons => 'p',
        Judgement::Stray(stray) => match stray.remedy {
            Remedy::PutBack => 'B',
            Remedy::SetRights => 'R',
            Remedy::Remove => 'X',
            Remedy::ClearBits => 'C',
            Remedy::BreakLink => 'L',
        },
    }
}

/// Holds judgements at `none`, `external`, `landlock` and `namespaces` against four letters.
fn check(guard: &Guard, difference: &Difference, content: Content, expected: &str) {
    let levels = [
        Level::None,
        Level::External,
        Level::Landlock,
        Level::Namespaces,
    ];
    let found: String = levels
        .map(|level| judged(guard, level, difference, content))
        .iter()
        .collect();
    assert_eq!(found, expected, "{difference:?}");
}

#[test]
fn ordinary_things_in_the_scope_are_fine() {
    let guard = guard(&["src/**"]);
    for kind in [FileKind::File, FileKind::Folder, FileKind::Link] {
        check(
            &guard,
            &difference("src/a", None, Some(a(kind))),
            Content::Changed,
            "ffff",
        );
        check(
            &guard,
            &difference("src/a", Some(a(kind)), None),
            Content::Changed,
            "ffff",
        );
    }
    let executable = Attributes {
        mode: 0o755,
        ..file()
    };
    check(
        &guard,
        &difference("src/a", Some(file()), Some(executable)),
        Content::Same,
        "ffff",
    );
    check(
        &guard,
        &difference("src/\u{1b}a", None, Some(file())),
        Content::Changed,
        "ffff",
    );
}

#[test]
fn pipes_sockets_and_devices_are_removed_and_old_ones_stay() {
    let guard = guard(&["src/**"]);
    for kind in [FileKind::Fifo, FileKind::Socket, FileKind::Device] {
        check(
            &guard,
            &difference("src/a", None, Some(a(kind))),
            Content::Changed,
            "XXXX",
        );
        check(
            &guard,
            &difference("src/a", Some(file()), Some(a(kind))),
            Content::Changed,
            "XXXX",
        );
        check(
            &guard,
            &difference("src/a", Some(a(kind)), Some(a(kind))),
            Content::Same,
            "ffff",
        );
    }
}

#[test]
fn lent_rights_are_taken_back_and_old_ones_stay() {
    let guard = guard(&["src/**"]);
    for mode in [0o4755, 0o2755, 0o6755] {
        let lends = Attributes { mode, ..file() };
        check(
            &guard,
            &difference("src/a", None, Some(lends.clone())),
            Content::Changed,
            "CCCC",
        );
        check(
            &guard,
            &difference("src/a", Some(file()), Some(lends.clone())),
            Content::Same,
            "CCCC",
        );
        check(
            &guard,
            &difference("src/a", Some(lends.clone()), Some(lends)),
            Content::Same,
            "ffff",
        );
    }
    let sticky = Attributes {
        mode: 0o1755,
        ..file()
    };
    check(
        &guard,
        &difference("src/a", None, Some(sticky)),
        Content::Changed,
        "ffff",
    );
}

#[test]
fn a_file_with_a_name_outside_the_scope_is_parted_from_it() {
    let guard = guard(&["src/**"]);
    let twice = Attributes { links: 2, ..file() };
    let linked = |names: &[&str]| Difference {
        names: names.iter().map(path).collect(),
        ..difference("src/a", None, Some(twice.clone()))
    };
    check(
        &guard,
        &linked(&["src/a", "src/b"]),
        Content::Changed,
        "ffff",
    );
    check(&guard, &linked(&["src/a"]), Content::Changed, "LLLL");
    check(
        &guard,
        &linked(&["docs/a", "src/a"]),
        Content::Changed,
        "LLLL",
    );
    let before = Difference {
        old: Some(twice.clone()),
        ..linked(&["src/a"])
    };
    check(&guard, &before, Content::Changed, "ffff");
}

#[test]
fn what_the_scope_does_not_open_comes_back_where_a_command_could_change_it() {
    let guard = guard(&["src/**"]);
    let longer = Attributes { size: 6, ..file() };
    for closed in [
        "src/gen/a",
        "src/.env",
        "src/AGENTS.md",
        "src/agents.MD",
        "src/sub/.git/config",
        "src/.GIT",
    ] {
        check(
            &guard,
            &difference(closed, None, Some(file())),
            Content::Changed,
            "BBBB",
        );
        check(
            &guard,
            &difference(closed, Some(file()), None),
            Content::Changed,
            "BBBB",
        );
        check(
            &guard,
            &difference(closed, Some(file()), Some(longer.clone())),
            Content::Changed,
            "BBBB",
        );
        check(
            &guard,
            &difference(closed, Some(file()), Some(a(FileKind::Link))),
            Content::Changed,
            "BBBB",
        );
    }
    check(
        &guard,
        &difference("docs/a", Some(file()), Some(longer.clone())),
        Content::Changed,
        "BBpp",
    );
    check(
        &guard,
        &difference("docs/a", None, Some(longer)),
        Content::Changed,
        "BBpp",
    );
    check(
        &guard,
        &difference("docs/a", Some(file()), None),
        Content::Changed,
        "BBpp",
    );
}

#[test]
fn rights_alone_are_set_back_where_a_command_could_set_them() {
    let guard = guard(&["src/**"]);
    for new in [
        Attributes {
            mode: 0o777,
            ..file()
        },
        Attributes { uid: 2, ..file() },
        Attributes {
            modified: (1, 0),
            ..file()
        },
    ] {
        check(
            &guard,
            &difference("docs/a", Some(file()), Some(new.clone())),
            Content::Same,
            "RRRp",
        );
        check(
            &guard,
            &difference(".git/hooks/a", Some(file()), Some(new.clone())),
            Content::Same,
            "RRRp",
        );
        check(
            &guard,
            &difference("src/.env", Some(file()), Some(new)),
            Content::Same,
            "RRRR",
        );
    }
    let looked_at = Attributes {
        changed: (200, 0),
        ..file()
    };
    check(
        &guard,
        &difference("docs/a", Some(file()), Some(looked_at)),
        Content::Same,
        "fffp",
    );
    let replaced = Attributes {
        inode: 8,
        mode: 0o600,
        ..file()
    };
    check(
        &guard,
        &difference("docs/a", Some(file()), Some(replaced)),
        Content::Same,
        "RRpp",
    );
}

#[test]
fn folders_on_the_way_to_the_scope_are_fine() {
    let guard = guard(&["a/b/**", "**/x.rs"]);
    let folder = || Some(a(FileKind::Folder));
    check(
        &guard,
        &difference("a", None, folder()),
        Content::Changed,
        "ffff",
    );
    check(
        &guard,
        &difference("z", None, folder()),
        Content::Changed,
        "ffff",
    );
    let narrow = self::guard(&["a/b/**"]);
    check(
        &narrow,
        &difference("a", None, folder()),
        Content::Changed,
        "ffpp",
    );
    check(
        &narrow,
        &difference("z", None, folder()),
        Content::Changed,
        "BBpp",
    );
    check(
        &narrow,
        &difference("a", Some(file()), folder()),
        Content::Changed,
        "BBpp",
    );
}

#[test]
fn the_times_of_a_folder_in_reach_are_nobodys_and_its_rights_are() {
    let guard = guard(&["src/**"]);
    let folder = a(FileKind::Folder);
    let later = Attributes {
        modified: (200, 0),
        ..folder.clone()
    };
    let open = Attributes {
        mode: 0o777,
        ..folder.clone()
    };
    let changed = |at, new: &Attributes| difference(at, Some(folder.clone()), Some(new.clone()));
    check(&guard, &changed("src", &later), Content::Same, "ffff");
    check(&guard, &changed("src", &open), Content::Same, "RRRR");
    check(&guard, &changed("docs", &later), Content::Same, "RRRp");
}

#[test]
fn a_scope_of_everything_still_leaves_the_rules_and_git_to_their_owners() {
    let guard = guard(&["**"]);
    let other = || Some(Attributes { inode: 8, ..file() });
    for closed in [
        ".git/config",
        ".git/index",
        "harness.toml",
        "feature_list.json",
        "AGENTS.md",
    ] {
        check(
            &guard,
            &difference(closed, Some(file()), Some(file())),
            Content::Changed,
            "BBpp",
        );
    }
    // A mount on a file is gone when the file is replaced; one on a folder holds what is in it.
    check(
        &guard,
        &difference("AGENTS.md", Some(file()), other()),
        Content::Changed,
        "BBpB",
    );
    check(
        &guard,
        &difference(".git/index", Some(file()), other()),
        Content::Changed,
        "BBpp",
    );
    check(
        &guard,
        &difference("src/AGENTS.md", Some(file()), other()),
        Content::Changed,
        "BBBB",
    );
    // A pattern names no entry that could be left out beforehand.
    check(
        &guard,
        &difference("Cargo.lock", Some(file()), other()),
        Content::Changed,
        "BBBB",
    );
}

#[test]
fn git_traffic_is_not_worth_a_word_and_what_steers_git_is() {
    let guard = guard(&["**"]);
    for (at, traffic) in [
        (".git/index", true),
        (".git/HEAD", true),
        (".git/refs/heads/main", true),
        (".git/config", false),
        (".git/hooks/pre-commit", false),
        ("src/.git/index", false),
        ("src/index", false),
    ] {
        assert_eq!(guard.is_git_traffic(&path(at)), traffic, "{at}");
    }
}

#[test]
fn a_reason_names_the_rule() {
    let guard = guard(&["src/**"]);
    let new = difference("docs/a", None, Some(file()));
    let Judgement::Stray(stray) = guard.judge_difference(Level::None, &new, Content::Changed)
    else {
        panic!("no stray");
    };
    assert_eq!(stray.why, "not in the write scope; allowed: `src/**`");
}

#[test]
fn a_file_with_a_name_in_the_scope_is_written_through_that_name() {
    let guard = guard(&["src/**"]);
    let shared = Attributes { links: 2, ..file() };
    let mut changed = difference("docs/a", Some(shared.clone()), Some(shared.clone()));
    check(&guard, &changed, Content::Changed, "BBpp");
    changed.names = vec![path("docs/a"), path("docs/b")];
    check(&guard, &changed, Content::Changed, "BBpp");
    changed.names.push(path("src/a"));
    check(&guard, &changed, Content::Changed, "BBBB");
    let mut alone = difference("docs/a", Some(shared), Some(file()));
    alone.former_names = vec![path("docs/a"), path("src/a")];
    check(&guard, &alone, Content::Changed, "BBBB");
    check(&guard, &alone, Content::Same, "ffff");
}
