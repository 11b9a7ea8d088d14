//! What only a file tree, a network and processes of its own can hold.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
};

use harness_core::{Action, Level, Stop};
use harness_guard::{CagePlan, Machine};
use harness_host::{
    Cancelled,
    machine::{Place, Role, machine},
    process::{Builder, Cage, Exited, NetworkReport, RunLimits, SpawnError},
};

use crate::world::{
    World, alive, block_on, cages, has, is_success, path, shell_argv, unique_sleep,
};

fn has_namespaces() -> bool {
    cages().contains(&Level::Namespaces)
}

/// Makes the plan of a command, with closed and hidden paths as they would be found on the disk.
fn plan(world: &World, closed: &[&str], hidden: &[&str]) -> CagePlan {
    let permit = world.permit(Action::Run {
        command: String::new(),
        cwd: path(""),
        background: false,
    });
    let place = Place {
        root: &world.root(),
        git_dir: &world.at("repo/.git"),
        level: Level::Namespaces,
        cache: &world.at("cache"),
        role: Role::Agent,
        environment: &[],
    };
    let whole = |paths: &[&str]| -> Vec<PathBuf> {
        let paths = paths.iter();
        paths.map(|path| world.root().join(path)).collect()
    };
    let bare = machine(&place).unwrap();
    let machine = Machine {
        pinned: whole(closed),
        masked: [bare.masked.clone(), whole(hidden)].concat(),
        ..bare
    };
    CagePlan::for_permit(&permit, &machine).unwrap()
}

fn run_in(cage: &Cage, plan: &CagePlan, command: &str) -> Exited {
    let limits = RunLimits::of(plan.limits());
    let argv = shell_argv(command);
    block_on(cage.run(plan, &argv, &limits, |_| {}, Cancelled::never())).unwrap()
}

fn open(plan: &CagePlan) -> Cage {
    block_on(Cage::open(plan, NetworkReport::to_nobody())).unwrap()
}

/// A repository with a protected and a hidden file inside its writable folder.
fn world() -> World {
    let world = World::new();
    fs::create_dir(world.at("repo/src/deep")).unwrap();
    fs::write(world.at("repo/src/deep/kept"), "kept\n").unwrap();
    fs::write(world.at("repo/src/deep/.env"), "KEY=canary\n").unwrap();
    world
}

#[test]
fn a_closed_file_stays_whatever_is_done_to_the_folders_it_lies_in() {
    let whole = "test \"$(cat src/deep/kept)\" = kept";
    for attack in [
        "echo x > src/deep/kept",
        "rm src/deep/kept",
        "mv src/deep/kept src/deep/other",
        "echo x > src/new && mv src/new src/deep/kept",
        "mv src/deep src/moved && mkdir src/deep && echo x > src/deep/kept",
        "rm -rf src/deep",
        "chmod 777 src/deep/kept",
        "ln -sf a.txt src/deep/kept",
    ] {
        let bare = world();
        let before = fs::metadata(bare.at("repo/src/deep/kept")).unwrap().ino();
        let is_whole = |world: &World| {
            let kept = world.at("repo/src/deep/kept");
            fs::read_to_string(&kept).is_ok_and(|text| text == "kept\n")
                && fs::metadata(&kept).unwrap().mode() & 0o777 != 0o777
                && !fs::symlink_metadata(&kept).unwrap().is_symlink()
        };
        assert!(before > 0);
        bare.shell(Level::None, attack);
        assert!(!is_whole(&bare), "no attack: {attack}");
        if has_namespaces() {
            let world = world();
            let plan = plan(&world, &["src/deep/kept"], &["src/deep/.env"]);
            let cage = open(&plan);
            let exited = run_in(&cage, &plan, attack);
            assert!(is_whole(&world), "{attack}: {}", exited.output.to_text());
            assert!(is_success(&run_in(&cage, &plan, whole)), "{attack}");
        }
    }
}

#[test]
fn metadata_outside_of_the_scope_stays() {
    for attack in [
        "chmod 777 docs/a.md",
        "chmod 777 ../outside/secret",
        "touch -d @1 docs/a.md",
        "touch -d @1 .git/config",
        "chmod 777 .git/hooks",
    ] {
        let facts = |world: &World| {
            [
                "repo/docs/a.md",
                "outside/secret",
                "repo/.git/config",
                "repo/.git/hooks",
            ]
            .map(|path| {
                let found = fs::metadata(world.at(path)).unwrap();
                (found.mode(), found.mtime() == 1)
            })
        };
        let bare = World::new();
        let before = facts(&bare);
        bare.shell(Level::None, attack);
        assert_ne!(facts(&bare), before, "no attack: {attack}");
        if has_namespaces() {
            let world = World::new();
            let before = facts(&world);
            world.shell(Level::Namespaces, attack);
            assert_eq!(facts(&world), before, "{attack}");
        }
    }
}

#[test]
fn a_hidden_file_is_empty_and_what_nobody_listed_is_not_there() {
    if !has_namespaces() {
        return;
    }
    let world = world();
    let plan = plan(&world, &[], &["src/deep/.env"]);
    let cage = open(&plan);
    let attack = format!(
        "cat src/deep/.env; ls {outside}; stat {outside}/secret; ls -A /root /home /run /var/lib; \
         cat /etc/shadow",
        outside = world.outside().display()
    );
    let told = run_in(&cage, &plan, &attack).output.to_text();
    for secret in ["canary", "daemon:", "secret\n"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    assert!(told.contains("No such file"), "{told}");
    // Replaced by another file of its name, it is not.
    assert!(!is_success(&run_in(
        &cage,
        &plan,
        "rm src/deep/.env || mv src/a.txt src/deep/.env"
    )));
}

#[test]
fn a_file_that_the_person_replaces_opens_nothing() {
    if !has_namespaces() {
        return;
    }
    let world = world();
    let plan = plan(&world, &["src/deep/kept"], &["src/deep/.env"]);
    let cage = open(&plan);
    assert!(cage.fits(&plan));
    // As editors, git and this program save a file.
    for (name, text) in [("kept", "new\n"), (".env", "KEY=canary2\n")] {
        let temporary = world.at("repo/src/deep/saving");
        fs::write(&temporary, text).unwrap();
        fs::rename(&temporary, world.at("repo/src/deep").join(name)).unwrap();
    }
    let attack = "echo x > src/deep/kept; cat src/deep/.env";
    assert!(!cage.fits(&plan), "the cage does not notice");
    let cage = open(&plan);
    let told = run_in(&cage, &plan, attack).output.to_text();
    assert!(!told.contains("canary"), "{told}");
    assert_eq!(fs::read(world.at("repo/src/deep/kept")).unwrap(), b"new\n");
}

#[test]
fn local_servers_are_reached_and_nobody_elses() {
    if !has_namespaces() || !has("python3") {
        return;
    }
    let world = World::new();
    let outside = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    outside.set_nonblocking(true).unwrap();
    let port = outside.local_addr().unwrap().port();
    let command = format!(
        "python3 - <<'END'
import socket, threading, os
def talk(family, address):
    server = socket.socket(family); server.bind(address); server.listen()
    def answer():
        peer, _ = server.accept(); peer.sendall(b'hi'); peer.close()
    threading.Thread(target=answer).start()
    client = socket.socket(family); client.connect(server.getsockname())
    assert client.recv(2) == b'hi'
talk(socket.AF_INET, ('127.0.0.1', 0))
talk(socket.AF_UNIX, os.path.join(os.environ['TMPDIR'], 's'))
talk(socket.AF_UNIX, '\\0abstract')
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for family in (40, 29, 17):
    try:
        socket.socket(family, socket.SOCK_RAW); print('family', family)
    except OSError: pass
try:
    socket.create_connection(('127.0.0.1', {port}), 1); print('reached')
except OSError: print('end')
END"
    );
    let exited = world.shell(Level::Namespaces, &command);
    assert_eq!(exited.output.to_text(), "end\n");
    assert!(outside.accept().is_err());
}

#[test]
fn commands_of_one_cage_share_temporary_files_and_nothing_else() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let plan = plan(&world, &[], &[]);
    let cage = open(&plan);
    run_in(
        &cage,
        &plan,
        "echo kept > /tmp/note; sleep 60 & echo $! > /tmp/pid",
    );
    let told = run_in(&cage, &plan, "cat /tmp/note; ls /proc | grep -c '^[0-9]'")
        .output
        .to_text();
    let (note, count) = told.split_once('\n').unwrap();
    assert_eq!(note, "kept");
    // The first process, the shell, and the two that count.
    assert!(count.trim().parse::<u32>().unwrap() <= 4, "{told}");
    assert!(!std::path::Path::new("/tmp/note").exists());
    let other = open(&plan);
    assert!(!is_success(&run_in(&other, &plan, "cat /tmp/note")));
}

#[test]
fn the_kernels_settings_and_the_first_process_are_out_of_reach() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    for attack in [
        "echo x > /proc/sys/kernel/core_pattern",
        "echo x > /proc/sys/kernel/hostname",
        "echo 1 > /proc/sysrq-trigger",
        "kill -9 1 && sleep 0.1 && kill -0 1",
        "cat /proc/1/environ",
        "umount /proc",
        "mount -t tmpfs none /tmp",
        "mkdir /new",
        "echo x > /usr/new",
        "unshare -r true",
        "hostname other",
        "ls -A /proc/1/root/",
    ] {
        let exited = world.shell(Level::Namespaces, attack);
        assert!(
            !is_success(&exited),
            "{attack}: {}",
            exited.output.to_text()
        );
    }
}

#[test]
fn memory_of_all_processes_together_is_bounded() {
    if !has_namespaces() || !has("python3") {
        return;
    }
    let world = World::new().with_memory(64 << 20);
    let command = "for i in 1 2 3 4 5 6; do \
        python3 -c 'import time; a = bytearray(40 << 20); time.sleep(20)' & done; wait";
    let exited = world.shell(Level::Namespaces, command);
    assert_eq!(exited.stop, Stop::TooLarge, "{exited:?}");
}

#[test]
fn a_cage_that_cannot_be_built_is_an_error_that_names_the_step() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let plan = plan(&world, &[], &[]);
    fs::remove_dir_all(world.root()).unwrap();
    let Err(error) = block_on(Cage::open(&plan, NetworkReport::to_nobody())) else {
        panic!("a cage without a repository");
    };
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("repo: No such file"), "{source}");
    assert!(
        fs::metadata(world.at("cache"))
            .unwrap()
            .permissions()
            .mode()
            > 0
    );
}

#[test]
fn bubblewrap_builds_the_same_cage() {
    if !has_namespaces() || !has("bwrap") {
        return;
    }
    let world = world();
    std::os::unix::fs::symlink(world.outside(), world.at("repo/src/way")).unwrap();
    let plan = plan(&world, &["src/deep/kept"], &["src/deep/.env"]);
    let report = NetworkReport::to_nobody();
    let cage = block_on(Cage::open_by(Builder::Bwrap, &plan, report)).unwrap();
    let word = unique_sleep();
    for attack in [
        "echo x > docs/a.md",
        "echo x > ../outside/new",
        "echo x > src/deep/kept",
        "mv src/deep src/moved",
        "grep canary src/deep/.env",
        "cat src/way/secret",
        "chmod 777 docs/a.md",
        "echo x > .git/config",
        "echo x > /new",
        "echo x > /proc/sys/kernel/core_pattern",
        "unshare -r true",
        "cat /proc/1/environ",
        "ls ../outside",
    ] {
        let exited = run_in(&cage, &plan, attack);
        assert!(
            !is_success(&exited),
            "{attack}: {}",
            exited.output.to_text()
        );
    }
    let command = format!(
        "set -e; echo x > src/new; echo x > /tmp/note; echo x > \"$HOME/x\"; cat docs/a.md; \
         setsid sleep {word} & exit 0"
    );
    assert!(is_success(&run_in(&cage, &plan, &command)));
    assert_eq!(alive(&word), 0);
    assert!(world.at("repo/src/new").exists());
    let told = run_in(
        &cage,
        &plan,
        "cat /tmp/note; grep NoNewPrivs /proc/self/status; exit 7",
    );
    assert_eq!(told.stop, Stop::Exited(7));
    assert_eq!(told.output.to_text(), "x\nNoNewPrivs:\t1\n");
    let missing = block_on(cage.run(
        &plan,
        &["no-such-program".into()],
        &RunLimits::of(plan.limits()),
        |_| {},
        Cancelled::never(),
    ));
    assert!(
        matches!(missing, Err(SpawnError::Program { .. })),
        "{missing:?}"
    );
}
