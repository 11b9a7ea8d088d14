//! Recordings that are none: an error that names the file and the key or line, and exit code 2.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{folder, kept, meta, replay_at};
use crate::support::Desk;

/// Copies the recording that is kept with the program.
fn copy(desk: &Desk, name: &str) -> PathBuf {
    let place = folder(desk, name);
    fs::create_dir(&place).unwrap();
    for entry in fs::read_dir(kept("answer")).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, place.join(from.file_name().unwrap())).unwrap();
    }
    place
}

fn refused(desk: &Desk, place: &Path, told: &[&str]) {
    let agent = format!("replay:{}", place.display());
    let run = desk.harness(&["run", "--no-input", "--agent", &agent]);
    assert_eq!(run.code, 2, "{told:?}: {} {}", run.stdout, run.stderr);
    for word in told {
        assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
    }
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
}

#[test]
fn meta_that_is_garbage_is_refused_with_its_line_or_key() {
    let desk = Desk::new();
    let place = copy(&desk, "recording");
    let good = meta(&place);
    let with = |key: &str, value: Value| {
        let mut meta = good.clone();
        meta["interactions"][1][key] = value;
        meta.to_string()
    };
    let many = json!({ "interactions": vec![good["interactions"][0].clone(); 1001] });
    for (text, told) in [
        (String::new(), "line 1"),
        ("{".to_owned(), "line 1"),
        ("{\n\"interactions\": [\n{\"n\": }]}".to_owned(), "line 3"),
        ("[]".to_owned(), "meta.json"),
        ("{}".to_owned(), "interactions"),
        ("\u{0}\u{1}".to_owned(), "line 1"),
        (with("api", json!("telnet")), "interactions[1].api"),
        (with("api", json!(7)), "line 1"),
        (with("status", json!(70_000)), "line 1"),
        (with("status", json!(-1)), "line 1"),
        (with("status", json!(7)), "interactions[1].status"),
        (with("status", Value::Null), "interactions[1]"),
        (with("ended", json!("somehow")), "somehow"),
        (
            with("response", json!("../recording/01.response.sse")),
            "interactions[1].response",
        ),
        (
            with("response", json!("/etc/passwd")),
            "interactions[1].response",
        ),
        (with("response", json!("")), "interactions[1].response"),
        (with("response", json!("..")), "interactions[1].response"),
        (
            with("response", json!("a\u{0}b")),
            "interactions[1].response",
        ),
        (
            with("response", json!("none.sse")),
            "interactions[1].response",
        ),
        (with("chunks", json!("../x")), "interactions[1].chunks"),
        (many.to_string(), "1001 entries"),
        ("[".repeat(100_000), "line 1"),
    ] {
        fs::write(place.join("meta.json"), text).unwrap();
        refused(&desk, &place, &["meta.json", told]);
    }
    // Keys that nobody knows are let be.
    fs::write(place.join("meta.json"), with("colour", json!({"red": 1}))).unwrap();
    replay_at(&desk, &place, &["run"]).assert_ended("all_passing", 0);
}

#[test]
fn files_that_are_not_what_they_should_be_are_refused_by_name() {
    let desk = Desk::new();
    let place = copy(&desk, "recording");
    let body = place.join("01.response.sse");
    let bytes = fs::read(&body).unwrap();
    let outside = desk.project.outside().join("other");
    fs::write(&outside, &bytes).unwrap();

    refused(
        &desk,
        &desk.project.outside().join("none"),
        &["no such folder"],
    );
    refused(&desk, &outside, &["no such folder"]);
    refused(&desk, Path::new(""), &["no such folder"]);
    refused(&desk, &kept(""), &["no `meta.json`"]);

    fs::remove_file(&body).unwrap();
    refused(
        &desk,
        &place,
        &["meta.json", "01.response.sse", "no such file"],
    );
    symlink(&outside, &body).unwrap();
    refused(&desk, &place, &["01.response.sse", "symbolic link"]);
    fs::remove_file(&body).unwrap();
    fs::create_dir(&body).unwrap();
    refused(&desk, &place, &["01.response.sse", "not a regular file"]);
    fs::remove_dir(&body).unwrap();
    // A hole costs no space and has a size all the same.
    fs::File::create(&body).unwrap().set_len(65 << 20).unwrap();
    refused(&desk, &place, &["01.response.sse", "larger than"]);
    fs::write(&body, &bytes).unwrap();

    let chunks = place.join("01.chunks.tsv");
    fs::write(&chunks, "1\t2\n1 2\n").unwrap();
    refused(&desk, &place, &["01.chunks.tsv", "line 2"]);
    fs::write(&chunks, [0xff, 0, b'\n']).unwrap();
    refused(&desk, &place, &["01.chunks.tsv", "line 1"]);
    // What a kill leaves: half a line, and lengths that do not fit the body.
    fs::write(&chunks, "1\t2\n5\t99999999999\n7\t1").unwrap();
    replay_at(&desk, &place, &["run"]).assert_ended("all_passing", 0);
}

#[test]
fn a_body_that_is_garbage_is_a_failed_request_and_no_panic() {
    let bodies: [&[u8]; 5] = [
        b"",
        b"\0\xff\xfe",
        b"data: {\n\n",
        b"data: [1]\n\n",
        b"{\"a\":1}",
    ];
    for body in bodies {
        let desk = Desk::new();
        let place = copy(&desk, "recording");
        fs::write(place.join("01.response.sse"), body).unwrap();
        let story = replay_at(&desk, &place, &["run"]);
        // The exchange after it answers the request that was sent again.
        assert!(!story.all("model_failed").is_empty(), "{story}");
        assert!([0, 3, 4, 5, 6].contains(&story.run.code), "{story}");
        assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    }
}
