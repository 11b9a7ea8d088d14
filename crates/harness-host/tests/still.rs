//! What is held still writes nothing until it is let go, however it tries.

use std::{fs, sync::Mutex, thread, time::Duration};

use harness_core::{ByteCount, Level};
use harness_host::{
    cancel_pair,
    process::{Anchor, Cage, NetworkReport, RunLimits, Still},
};

use crate::world::{World, block_on, cages, quick, shell_argv};

/// Writers that go on by themselves, by threads of processes that left their session, and by ones that are forked anew.
const WRITER: &str = "w() { while :; do echo x >> src/$1; done; }; w a & setsid sh -c 'trap \"\" TERM; while :; do echo x >> src/b; done' & \
     while :; do sh -c 'echo x >> src/c'; done";

fn sizes(world: &World) -> Vec<u64> {
    let size = |name: &str| fs::metadata(world.at(name)).map_or(0, |found| found.len());
    ["repo/src/a", "repo/src/b", "repo/src/c"]
        .map(size)
        .to_vec()
}

/// Waits for what writers do; one that never does it must not hang the test.
async fn wait_until(is_so: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("nothing was written");
}

#[test]
fn what_is_held_still_writes_nothing_and_goes_on_afterwards() {
    for level in cages().into_iter().chain([Level::None]) {
        let world = World::new();
        let plan = world.plan(level, "");
        let limits = RunLimits {
            flood: ByteCount::mib(1),
            total: Duration::from_secs(60),
            silence: Duration::from_secs(60),
            ..quick()
        };
        let (canceller, cancelled) = cancel_pair();
        let anchor: Mutex<Option<Anchor>> = Mutex::new(None);
        block_on(async {
            let cage = Cage::open(&plan, NetworkReport::to_nobody()).await.unwrap();
            let argv = shell_argv(WRITER);
            let run = cage.run_anchored(
                &plan,
                &argv,
                &limits,
                |_| {},
                cancelled,
                |started| {
                    *anchor.lock().unwrap() = Some(started);
                },
            );
            let look = async {
                // A command may write before this process hears that it has started.
                let has_started = || anchor.lock().unwrap().is_some();
                wait_until(|| has_started() && !sizes(&world).contains(&0)).await;
                let anchors = [anchor.lock().unwrap().unwrap()];
                for _ in 0..5 {
                    let still = Still::hold(&anchors).unwrap();
                    let before = sizes(&world);
                    thread::sleep(Duration::from_millis(60));
                    assert_eq!(before, sizes(&world), "{level}");
                    drop(still);
                    wait_until(|| sizes(&world) != before).await;
                }
                canceller.cancel();
            };
            let (exited, ()) = tokio::join!(run, look);
            assert!(!exited.unwrap().has_survivors);
            // Nothing hangs on it any more.
            let anchors = [anchor.lock().unwrap().unwrap()];
            assert!(Still::hold(&anchors).is_ok());
        });
    }
}
