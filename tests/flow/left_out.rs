//! What no checkpoint can hold is said once, and nothing waits for it.

use std::fs;

use crate::support::{Desk, session, shell, write};

#[test]
fn a_file_too_large_for_a_checkpoint_is_named_once() {
    let desk = Desk::new();
    let large = fs::File::create(desk.project.root().join("src/disk.img")).unwrap();
    large.set_len(2 * 1024 * 1024 * 1024).unwrap();
    let turns = [
        write("src/one", "1\n"),
        shell("truncate --size 100M src/other.img"),
        write("src/two", "2\n"),
        "{ tool = \"ask\", text = \"What next?\" }".to_owned(),
    ];
    let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
    let script = desk.script(&session("", &turns));
    let story = desk.story(&["run", "Make things", "--dirty", "base", "--agent", &script]);
    let told: Vec<String> = story
        .all("problem")
        .iter()
        .filter_map(|line| line["message"].as_str())
        .filter(|message| message.contains("no checkpoint holds"))
        .map(str::to_owned)
        .collect();
    assert_eq!(told.len(), 2, "{story}");
    assert!(
        told[0].contains("`src/disk.img` (larger than 64 MiB)"),
        "{told:?}"
    );
    assert!(told[1].contains("`src/other.img`"), "{told:?}");
    let saved = story.all("checkpoint_created");
    assert!(saved.len() >= 2, "{story}");
    assert_eq!(
        fs::metadata(desk.project.root().join("src/disk.img"))
            .unwrap()
            .len(),
        2 << 30
    );
}
