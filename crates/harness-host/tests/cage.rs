//! The locks of each level, each beside the proof that the attack works without it.

use std::{
    fs,
    io::Read,
    net::TcpListener,
    os::unix::{fs::MetadataExt, net::UnixListener},
    time::Duration,
};

use harness_core::{Level, Stop};

use crate::world::{World, cages, has, is_success, manifest, start};

/// Runs an attack without and with the lock and looks whether it worked.
fn check(command: &str, has_worked: impl Fn(&World) -> bool) {
    check_in(World::new, command, has_worked);
}

fn check_in(make: impl Fn() -> World, command: &str, has_worked: impl Fn(&World) -> bool) {
    let world = make();
    world.shell(Level::None, command);
    assert!(has_worked(&world), "no attack: {command}");
    for level in cages() {
        let world = make();
        let exited = world.shell(level, command);
        assert!(
            !has_worked(&world),
            "{command}: {}",
            exited.output.to_text()
        );
    }
}

#[test]
fn nothing_outside_the_repository_is_written_however_it_is_spelled() {
    for attack in [
        "echo x > ../outside/new",
        "sh -c 'echo x > ../outside/new'",
        "sh <<'EOF'\necho x > ../outside/new\nEOF",
        "eval \"$(echo ZWNobyB4ID4gLi4vb3V0c2lkZS9uZXc= | base64 -d)\"",
        "env -i sh -c 'echo x > ../outside/new'",
        "echo ../outside/new | xargs touch",
        "find . -maxdepth 0 -exec touch ../outside/new ';'",
        "awk 'BEGIN { print 1 > \"../outside/new\" }'",
        "sed -n 'w ../outside/new' src/a.txt",
        "tee ../outside/new < src/a.txt",
        "dd if=src/a.txt of=../outside/new status=none",
        "cp src/a.txt ../outside/new",
        "mv src/a.txt ../outside/new",
        "ln src/a.txt ../outside/new",
        "ln -s x ../outside/new",
        "mkdir ../outside/new",
        "mkfifo ../outside/new",
        "install src/a.txt ../outside/new",
        "perl -e 'open F, \">\", \"../outside/new\"'",
        "tar -cf - -C src a.txt | tar -xf - -C ../outside --transform s/a.txt/new/",
        "echo x > /proc/self/cwd/../outside/new",
        "echo x > /proc/self/root$PWD/../outside/new",
        "ln -s ../../outside src/way; echo x > src/way/new",
    ] {
        check(attack, |world| {
            fs::symlink_metadata(world.outside().join("new")).is_ok()
        });
    }
}

#[test]
fn files_outside_are_neither_changed_nor_removed() {
    for attack in [
        "rm ../outside/secret",
        "rm -rf ../outside",
        ": > ../outside/secret",
        "truncate -s 0 ../outside/secret",
        "echo x >> ../outside/secret",
        "mv ../outside/secret src/",
        "mv ../outside src/",
    ] {
        check(attack, |world| {
            fs::read_to_string(world.outside().join("secret"))
                .ok()
                .as_deref()
                != Some("canary\n")
        });
    }
}

#[test]
fn git_is_read_and_never_written() {
    for attack in [
        "echo x > .git/hooks/pre-commit",
        "echo x >> .git/config",
        "rm .git/config",
        "mv .git src/git",
        "mkdir .git/refs",
    ] {
        let whole = || World::writable(&["**"]);
        for make in [World::new, whole] {
            check_in(make, attack, |world| {
                !world.at("repo/.git").exists()
                    || manifest(&world.at("repo/.git"))
                        != manifest(&World::new().at("repo/.git"))
                            .into_iter()
                            .map(|(path, entry)| {
                                let at = path
                                    .components()
                                    .position(|part| part.as_os_str() == ".git");
                                let inside: std::path::PathBuf =
                                    path.components().skip(at.unwrap()).collect();
                                (world.at("repo").join(inside), entry)
                            })
                            .collect::<Vec<_>>()
            });
        }
    }
    for level in cages() {
        let exited = World::new().shell(level, "cat .git/config");
        assert_eq!(exited.output.head, "[core]\n");
    }
}

#[test]
fn only_the_scope_and_build_outputs_are_written_in_the_repository() {
    check("echo x > docs/a.md", |world| {
        fs::read(world.at("repo/docs/a.md")).unwrap() == b"x\n"
    });
    check("echo x > new", |world| world.at("repo/new").exists());
    for level in cages() {
        let world = World::new();
        let command = "echo x > src/new && mkdir -p src/deep/er && mv src/new src/deep/er/ \
            && rm src/a.txt && echo x > target/out && echo x > \"$HOME/x\" && echo x > \"$TMPDIR/x\" \
            && echo x > /dev/null && cat < /dev/null";
        let exited = world.shell(level, command);
        assert!(is_success(&exited), "{}", exited.output.to_text());
        assert!(world.at("repo/src/deep/er/new").exists());
    }
}

#[test]
fn a_writable_root_keeps_its_protected_files() {
    let whole = || World::writable(&["**"]);
    check_in(whole, "echo x > Cargo.lock", |world| {
        fs::read(world.at("repo/Cargo.lock")).unwrap() == b"x\n"
    });
    for level in cages() {
        let world = whole();
        let exited = world.shell(level, "echo x > docs/a.md && echo x > src/b");
        assert!(is_success(&exited), "{}", exited.output.to_text());
    }
}

#[test]
fn a_writable_folder_that_became_a_link_opens_nothing() {
    let make = || {
        let world = World::new();
        fs::remove_dir(world.at("repo/target")).unwrap();
        std::os::unix::fs::symlink(world.outside(), world.at("repo/target")).unwrap();
        world
    };
    check_in(make, "echo x > target/new", |world| {
        world.outside().join("new").exists()
    });
}

#[test]
fn what_is_not_listed_cannot_be_read() {
    for attack in [
        "cat ../outside/secret > src/stolen",
        "ls ../outside > src/stolen && grep secret src/stolen",
        "cp ../outside/secret src/stolen",
    ] {
        check(attack, |world| {
            fs::read(world.at("repo/src/stolen")).is_ok_and(|bytes| !bytes.is_empty())
        });
    }
}

#[test]
fn masked_files_and_the_harnesss_own_folder_are_out_of_sight() {
    let make = || {
        let world = World::new();
        fs::write(world.at("repo/.env"), "KEY=canary\n").unwrap();
        fs::create_dir(world.at("repo/.git/harness")).unwrap();
        fs::write(world.at("repo/.git/harness/log"), "canary\n").unwrap();
        world
    };
    for (attack, is_masked) in [("cat .env", true), ("cat .git/harness/log", false)] {
        let world = make();
        assert!(
            world
                .shell(Level::None, attack)
                .output
                .head
                .contains("canary")
        );
        for level in cages() {
            let masked = if is_masked {
                vec![world.at("repo/.env")]
            } else {
                Vec::new()
            };
            let plan = world.plan_with(level, "", &masked);
            let exited = start(&plan, &["sh", "-c", attack]).unwrap();
            assert!(!exited.output.to_text().contains("canary"), "{attack}");
            let others = start(&plan, &["cat", "docs/a.md", "Cargo.lock", ".git/config"]).unwrap();
            assert!(is_success(&others), "{}", others.output.to_text());
        }
    }
}

#[test]
fn secrets_of_the_program_are_not_within_reach() {
    // The test program plays the harness; what stands in its environment must not be found.
    let attack =
        "cat /proc/[0-9]*/environ 2> /dev/null | tr '\\0' '\\n' | grep -c ^CARGO_MANIFEST_DIR=";
    let world = World::new();
    let found = |level| world.shell(level, attack).output.head.trim() != "0";
    // Without capabilities a command of root may not look at root's other processes anyway.
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        assert!(found(Level::None));
    }
    for level in cages() {
        assert!(!found(level));
    }
}

#[test]
fn the_program_cannot_be_signalled() {
    for level in cages() {
        let command = format!("kill -0 {}", std::process::id());
        assert!(is_success(&World::new().shell(Level::None, &command)));
        assert!(!is_success(&World::new().shell(level, &command)));
    }
}

#[test]
fn no_connection_leaves() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for attack in [
        format!("bash -c 'echo x > /dev/tcp/127.0.0.1/{port}'"),
        format!("curl -s -m 2 http://127.0.0.1:{port}/"),
        format!("perl -MIO::Socket::INET -e 'IO::Socket::INET->new(\"127.0.0.1:{port}\") or die'"),
    ] {
        let has_come = |_: &World| {
            std::thread::sleep(Duration::from_millis(50));
            let mut count = 0;
            while listener.accept().is_ok() {
                count += 1;
            }
            count > 0
        };
        check(&attack, has_come);
    }
}

#[test]
fn a_refused_connection_fails_at_once() {
    for level in cages() {
        let command = "bash -c 'echo x > /dev/udp/127.0.0.1/53'; \
            perl -MSocket -e 'socket(S, AF_INET6, SOCK_DGRAM, 0) and print \"open\"; \
            socket(S, 16, SOCK_RAW, 0) and print \"open\"; \
            socket(S, AF_UNIX, SOCK_DGRAM, 0) and print \"open\"; \
            socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) and print \"paired\"; print \"end\"'";
        let exited = World::new().shell(level, command);
        assert!(
            exited.output.to_text().ends_with("pairedend"),
            "{}",
            exited.output.to_text()
        );
        assert!(exited.took < Duration::from_secs(2));
    }
}

#[test]
fn no_daemon_is_reached_on_a_local_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    let attack = format!(
        "perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(\"{}\") or die; print $s \"x\"'",
        socket.display()
    );
    check(&attack, |_| {
        let mut byte = [0];
        listener
            .accept()
            .is_ok_and(|(mut peer, _)| peer.read(&mut byte).is_ok())
    });
}

#[test]
fn the_kernels_machinery_is_refused() {
    for level in cages() {
        for command in [
            "unshare -U true",
            "unshare -m true",
            "mount -t tmpfs none src",
            "perl -e 'exit(syscall(101, 0, 0, 0, 0) >= 0 ? 0 : 1)'",
            "perl -e 'exit(syscall(425, 1, 0) >= 0 ? 0 : 1)'",
        ] {
            let exited = World::new().shell(level, command);
            assert!(!is_success(&exited), "{command}");
        }
        let threads = World::new().shell(
            level,
            "python3 -c 'import threading; t = threading.Thread(target=print, args=(\"ran\",)); t.start(); t.join()' \
             || perl -e 'print \"ran\\n\"'",
        );
        assert!(threads.output.to_text().contains("ran"));
    }
}

#[test]
fn no_capability_and_no_way_to_one_is_left() {
    let world = World::new();
    let status = "grep -E '^(CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status";
    let text = world.shell(Level::None, status).output.head;
    for line in text.lines().filter(|line| line.starts_with("Cap")) {
        assert!(line.ends_with("0000000000000000"), "{line}");
    }
    assert!(text.contains("NoNewPrivs:\t1"));
    assert!(text.contains("Seccomp:\t0"));
    for level in cages() {
        let text = world.shell(level, status).output.head;
        assert!(text.contains("Seccomp:\t2"));
    }
}

#[test]
fn limits_are_set_and_no_file_is_inherited() {
    let world = World::new();
    // Marked to be inherited, as a library might leave one open.
    let exited = world.shell(
        Level::None,
        "ulimit -c; ulimit -n; ulimit -f; ulimit -d; cat /proc/self/oom_score_adj; ls /proc/self/fd | wc -l",
    );
    // Sizes in blocks of 512 bytes and in KiB; `ls` itself opens a fourth file.
    assert_eq!(
        exited.output.head.split_whitespace().collect::<Vec<_>>(),
        ["0", "4096", "4194304", "4194304", "1000", "4"]
    );
    assert_eq!(exited.stop, Stop::Exited(0));
}

#[test]
fn real_tools_work_in_the_cage() {
    for level in cages() {
        let world = World::new();
        let is_rust_here = has("cargo");
        for command in [
            "git --version && ls -la && find . -name a.txt | xargs cat && date && id -u",
            "cargo --version && rustc --version",
            "printf 'fn main() { println!(\"built\"); }' > src/m.rs && rustc -o target/m src/m.rs && target/m",
        ] {
            if command.contains("rustc") && !is_rust_here {
                continue;
            }
            let exited = world.shell(level, command);
            assert!(
                is_success(&exited),
                "{command}: {}",
                exited.output.to_text()
            );
        }
    }
}
