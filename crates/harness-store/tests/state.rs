//! State files: whole, durable, and never lost when they are broken.

use std::{fs, os::unix::fs::PermissionsExt};

use harness_store::state::{STATE_BYTES_MAX, StateError, read_json, write_json};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Trust {
    roots: Vec<String>,
}

fn trust(root: &str) -> Trust {
    Trust {
        roots: vec![root.to_owned()],
    }
}

#[test]
fn what_is_written_is_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("harness/trust.json");
    assert_eq!(read_json::<Trust>(&path).unwrap(), None);
    for root in ["/one", "/two"] {
        write_json(&path, &trust(root)).unwrap();
        assert_eq!(read_json(&path).unwrap(), Some(trust(root)));
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "{\n  \"v\": 1,\n  \"value\": {\n    \"roots\": [\n      \"/two\"\n    ]\n  }\n}\n"
    );
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    assert_eq!(entries.count(), 1, "nothing temporary is left");
}

#[test]
fn a_broken_file_is_kept_and_reported_once() {
    let whole = "{\"v\":1,\"value\":{\"roots\":[]}}";
    let cases = [
        "",
        "\0\0\0\0",
        &whole[..whole.len() - 1],
        &format!("{whole}x"),
        "{\"v\":1,\"value\":{\"roots\":{}}}",
        "{\"roots\":[]}",
        "[1]",
        "null",
    ];
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("trust.json");
    for (broken, number) in cases.into_iter().zip(1..) {
        fs::write(&path, broken).unwrap();
        let error = read_json::<Trust>(&path).unwrap_err();
        let kept = folder.path().join(format!("trust.json.broken-{number}"));
        assert_eq!(
            error.to_string(),
            format!(
                "cannot read `{}`: it is broken, and is kept as `{}`",
                path.display(),
                kept.display()
            )
        );
        assert_eq!(fs::read_to_string(kept).unwrap(), broken);
        assert_eq!(read_json::<Trust>(&path).unwrap(), None);
    }
}

#[test]
fn a_broken_file_is_kept_when_it_is_written_over() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("trust.json");
    fs::write(&path, "broken").unwrap();
    write_json(&path, &trust("/one")).unwrap();
    assert_eq!(read_json(&path).unwrap(), Some(trust("/one")));
    let kept = fs::read_to_string(folder.path().join("trust.json.broken-1")).unwrap();
    assert_eq!(kept, "broken");
}

#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("trust.json");
    let newer = "{\"v\":2,\"values\":[]}";
    fs::write(&path, newer).unwrap();
    let errors = [
        read_json::<Trust>(&path).unwrap_err(),
        write_json(&path, &trust("/one")).unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(error, StateError::Newer { version: 2, .. }),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), newer);
    }
}

#[test]
fn a_file_that_is_too_long_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("trust.json");
    let file = fs::File::create(&path).unwrap();
    file.set_len(STATE_BYTES_MAX.0 + 1).unwrap();
    let error = read_json::<Trust>(&path).unwrap_err();
    assert!(matches!(error, StateError::TooLong { .. }), "{error}");
    assert!(path.exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_is_kept_and_no_panic(garbage in proptest::collection::vec(any::<u8>(), 0..100)) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state");
        fs::write(&path, &garbage).unwrap();
        prop_assert!(read_json::<Trust>(&path).is_err());
        prop_assert_eq!(fs::read(folder.path().join("state.broken-1")).unwrap(), garbage);
    }
}
