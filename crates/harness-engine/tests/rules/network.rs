//! What processes reach is a fact that nothing follows from.

use harness_core::{ByteCount, Event, NetworkUse};

use super::script::Script;

#[test]
fn a_connection_changes_nothing_whenever_it_ends() {
    let used = |allowed| {
        Event::NetworkUsed(NetworkUse {
            host: "static.crates.io".to_owned(),
            port: 443,
            allowed,
            reason: String::new(),
            sent: ByteCount(517),
            received: ByteCount(90_112),
            ms: 250,
        })
    };
    let mut run = Script::task(Vec::new());
    assert_eq!(run.on(&used(true)), "");
    run.saves_changed_work(2);
    assert_eq!(run.on(&used(false)), "");
    assert_eq!(run.says("Done."), "nudged; request 3");
    assert_eq!(run.on(&used(true)), "");
}
