//! Commands: how they end, what is kept of their output, what they are given.

use std::{
    ffi::OsString,
    time::{Duration, Instant},
};

use harness_core::{ByteCount, Level, Stop};
use harness_host::{
    Cancelled, cancel_pair,
    process::{RunLimits, SpawnError, run},
};

use crate::world::{
    World, alive, block_on, is_success, levels, quick, shell_argv, start, unique_sleep, within,
};

#[test]
fn codes_and_signals_are_exact() {
    let world = World::new();
    for level in levels() {
        for (command, stop) in [
            ("true", Stop::Exited(0)),
            ("exit 7", Stop::Exited(7)),
            ("exit 137", Stop::Exited(137)),
            ("exit 255", Stop::Exited(255)),
            ("kill -9 $$", Stop::Signalled(9)),
            ("kill -15 $$", Stop::Signalled(15)),
            ("kill -USR1 $$", Stop::Signalled(10)),
            ("kill -SEGV $$", Stop::Signalled(11)),
        ] {
            assert_eq!(world.shell(level, command).stop, stop, "{level} {command}");
        }
    }
}

#[test]
fn both_streams_come_in_the_order_they_were_written() {
    let world = World::new();
    let exited = world.shell(Level::None, "echo a; echo b >&2; echo c; echo d >&2; cat");
    assert_eq!(exited.output.to_text(), "a\nb\nc\nd\n");
    assert!(!exited.has_survivors);
}

#[test]
fn output_is_seen_while_it_comes() {
    let world = World::new();
    let plan = world.plan(Level::None, "");
    let argv = shell_argv("printf one; sleep 0.2; printf two");
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let on_output = |chunk: &[u8]| seen.push(chunk.to_vec());
    block_on(run(&plan, &argv, &quick(), on_output, Cancelled::never())).unwrap();
    assert_eq!(seen, [b"one".to_vec(), b"two".to_vec()]);
}

#[test]
fn a_missing_program_is_named() {
    let world = World::new();
    for level in levels() {
        let error = start(&world.plan(level, ""), &["no-such-program-here"]).unwrap_err();
        assert!(
            matches!(&error, SpawnError::Program { program, .. } if program == "no-such-program-here"),
            "{level} {error:?}"
        );
    }
    assert!(matches!(
        start(&world.plan(Level::None, ""), &[]),
        Err(SpawnError::Empty)
    ));
}

#[test]
fn the_command_runs_in_its_folder_and_not_through_a_link() {
    let world = World::new();
    std::os::unix::fs::symlink(world.outside(), world.at("repo/way")).unwrap();
    let exited = start(&world.plan(Level::None, "src"), &["pwd"]).unwrap();
    assert_eq!(
        exited.output.head.trim_end(),
        world
            .at("repo/src")
            .canonicalize()
            .unwrap()
            .to_str()
            .unwrap()
    );
    for gone in ["way", "missing", "src/a.txt"] {
        let refused = start(&world.plan(Level::None, gone), &["pwd"]);
        assert!(matches!(refused, Err(SpawnError::Cwd { .. })), "{gone}");
    }
}

#[test]
fn endless_output_is_bounded_and_ended() {
    let world = World::new();
    let word = format!("word{}", unique_sleep());
    for level in levels() {
        let exited = world.shell_within(level, &format!("yes {word}"), &quick());
        assert_eq!(exited.stop, Stop::Flooded, "{level}");
        assert!(exited.output.bytes > ByteCount::mib(4).0);
        let kept = exited.output.head.len() + exited.output.tail.len();
        assert!(kept <= ByteCount::kib(64).as_usize());
        assert!(exited.output.tail.contains(&word));
        assert_eq!(alive(&word), 0);
    }
}

#[test]
fn a_gate_may_keep_its_whole_output() {
    let world = World::new();
    let limits = quick().keep_whole(ByteCount::mib(16));
    let exited = world.shell_within(Level::None, "seq 300000", &limits);
    assert_eq!(exited.output.head.len() as u64, exited.output.bytes);
    assert!(exited.output.head.ends_with("300000\n"));
}

#[test]
fn a_command_that_ignores_the_request_to_end_is_killed() {
    let world = World::new();
    for level in levels() {
        let sleep = unique_sleep();
        let limits = RunLimits {
            total: Duration::from_millis(300),
            ..quick()
        };
        let command = format!("trap '' TERM INT HUP; echo deaf; sleep {sleep}; sleep {sleep}");
        let since = Instant::now();
        let exited = world.shell_within(level, &command, &limits);
        assert_eq!(exited.stop, Stop::TimedOut, "{level}");
        assert_eq!(exited.output.head, "deaf\n");
        assert!(since.elapsed() < Duration::from_secs(3));
        assert_eq!(alive(&sleep), 0);
    }
}

#[test]
fn a_command_that_ends_when_asked_is_not_killed() {
    let world = World::new();
    let limits = RunLimits {
        total: Duration::from_millis(200),
        grace: Duration::from_secs(5),
        ..quick()
    };
    let command = "trap 'echo tidied; exit 0' TERM; while :; do sleep 0.05; done 2> /dev/null";
    let exited = world.shell_within(Level::None, command, &limits);
    assert_eq!(exited.stop, Stop::TimedOut);
    // The shell may also say that its own child ended.
    assert!(
        exited.output.head.ends_with("tidied\n"),
        "{}",
        exited.output.head
    );
}

#[test]
fn silence_ends_a_command_and_output_puts_it_off() {
    let world = World::new();
    let limits = RunLimits {
        silence: Duration::from_millis(400),
        ..quick()
    };
    let talking = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.15; done";
    assert!(is_success(&world.shell_within(
        Level::None,
        talking,
        &limits
    )));
    let silent = format!("echo on; sleep {}", unique_sleep());
    let exited = world.shell_within(Level::None, &silent, &limits);
    assert_eq!(exited.stop, Stop::Silent);
    let total = RunLimits {
        total: Duration::from_millis(500),
        ..limits
    };
    let endless = "while :; do echo on; sleep 0.1; done";
    let exited = world.shell_within(Level::None, endless, &total);
    assert_eq!(exited.stop, Stop::TimedOut);
}

#[test]
fn a_stopped_process_is_ended_too() {
    let world = World::new();
    let limits = RunLimits {
        total: Duration::from_millis(300),
        ..quick()
    };
    let exited = world.shell_within(Level::None, "kill -STOP $$; echo woken", &limits);
    assert_eq!(exited.stop, Stop::TimedOut);
}

#[test]
fn cancelling_ends_the_command() {
    let world = World::new();
    let plan = world.plan(Level::None, "");
    let sleep = unique_sleep();
    let argv = shell_argv(&format!("echo on; sleep {sleep}"));
    let (canceller, cancelled) = cancel_pair();
    let on_output = |_: &[u8]| canceller.cancel();
    let exited = block_on(run(&plan, &argv, &quick(), on_output, cancelled)).unwrap();
    assert_eq!(exited.stop, Stop::Cancelled);
    assert_eq!(alive(&sleep), 0);
}

#[test]
fn dropping_the_future_kills_the_command() {
    let world = World::new();
    let plan = world.plan(Level::None, "");
    let sleep = unique_sleep();
    let argv = shell_argv(&format!("trap '' TERM; sleep {sleep} & sleep {sleep}"));
    block_on(async {
        let limits = quick();
        let command = run(&plan, &argv, &limits, |_| {}, Cancelled::never());
        assert!(
            tokio::time::timeout(Duration::from_millis(300), command)
                .await
                .is_err()
        );
    });
    assert!(within(Duration::from_secs(2), || alive(&sleep) == 0));
}

#[test]
fn many_commands_run_at_the_same_time() {
    let world = World::new();
    let plan = world.plan(*levels().last().unwrap(), "");
    block_on(async {
        let limits = quick();
        let argvs: Vec<Vec<OsString>> = (0..12)
            .map(|number| shell_argv(&format!("sleep 0.1; exit {number}")))
            .collect();
        let commands = argvs
            .iter()
            .map(|argv| run(&plan, argv, &limits, |_| {}, Cancelled::never()));
        let ended = futures_util::future::join_all(commands).await;
        for (number, exited) in (0..).zip(ended) {
            assert_eq!(exited.unwrap().stop, Stop::Exited(number));
        }
    });
}

#[test]
fn the_environment_is_the_plans_and_nothing_else() {
    let world = World::new();
    for level in levels() {
        let plan = world.plan(level, "");
        let exited = start(&plan, &["env"]).unwrap();
        let mut names: Vec<&str> = exited
            .output
            .head
            .lines()
            .filter_map(|line| line.split_once('=').map(|(name, _)| name))
            .collect();
        names.sort_unstable();
        let mut planned: Vec<&str> = plan
            .environment()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        planned.sort_unstable();
        assert_eq!(names, planned, "{level}");
    }
}

#[test]
fn each_command_has_a_fresh_folder_for_temporary_files() {
    let world = World::new();
    for level in levels() {
        let command = r#"test -e "$TMPDIR/x" && echo left; echo x > "$TMPDIR/x" && echo "$TMPDIR""#;
        let first = world.shell(level, command).output.head;
        let second = world.shell(level, command).output.head;
        for told in [first, second] {
            assert_eq!(told.lines().count(), 1, "{level} {told}");
            let file = std::path::Path::new(told.trim_end()).join("x");
            assert!(!file.exists(), "{level} {}", file.display());
        }
    }
}
