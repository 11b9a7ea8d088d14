//! No key reaches a recording, whatever a server does with it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use harness_testkit::{Reply, Server, Shape};

use super::{column, folder, work};
use crate::support::{Desk, WIRES};

/// The shape of no known issuer, so that its value alone gives it away.
const KEY: &str = "q7/Zt\"w+0123456789-key";

/// A secret of a known shape, which the program was never told.
const TOKEN: &str = "ghp_aB3dE5fG7hJ9kL1mN2oP4qR6sT8uV0wX2yZ4";

/// Puts the key before the stream: plain, quoted, and in an address.
fn echoing(body: Vec<u8>) -> Vec<u8> {
    let quoted = serde_json::to_string(KEY).unwrap();
    let said = format!(": {KEY} {quoted} q7%2FZt%22w%2B0123456789-key {TOKEN}\n\n");
    [said.into_bytes(), body].concat()
}

#[test]
fn a_server_that_echoes_the_key_gets_it_into_no_file() {
    for api in WIRES {
        let desk = Desk::new();
        let server = Server::scripted(&work());
        let refused = |status| Reply::Status {
            status,
            headers: vec![
                ("x-echo", KEY.to_owned()),
                ("set-cookie", format!("key={KEY}")),
                ("retry-after-ms", "1".to_owned()),
            ],
            body: format!(
                "{{\"error\":{{\"message\":{}}}}}",
                serde_json::to_string(KEY).unwrap()
            ),
        };
        // Lines that begin with a colon are comments of a stream of events, and no JSON.
        let stream = Reply::Shaped(Shape {
            headers: vec![("x-echo", KEY.to_owned()), ("x-other", TOKEN.to_owned())],
            alter: echoing,
            step: 5,
            ..Shape::default()
        });
        server.reply_with([refused(503), refused(429), stream]);
        let base = server.base_url(api);
        desk.home.configure(&format!(
            "[agent]\nmodel = \"test\"\n[model.test]\napi = \"{api}\"\nbase_url = \"{base}\"\nid = \"m\"\nkey_env = \"MODEL_KEY\"\n"
        ));
        let recording = folder(&desk, "recording");
        let arguments = [
            "run",
            "--no-input",
            "--record",
            &recording.display().to_string(),
        ];
        let run = desk
            .home
            .run_with(&desk.project.root(), &arguments, "MODEL_KEY", KEY);
        let sent = &server.received()[0].headers;
        assert!(
            sent.iter().any(|(_, value)| value.contains(KEY)),
            "{api}: the key is sent"
        );
        let ended = column(&recording, "ended");
        assert!(ended.len() >= 3, "{api}: {ended:?} {}", run.stderr);
        let first = fs::read_to_string(recording.join("00.response.json")).unwrap();
        assert!(first.contains("[redacted:key]"), "{api}: {first}");

        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&recording), 0o700);
        for entry in fs::read_dir(&recording).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            for secret in [KEY, "0123456789-key", TOKEN] {
                assert!(!text.contains(secret), "{api} {}: {text}", path.display());
            }
        }
    }
}
