//! Models that are not there, not paid for, or not reachable.

use std::{net::TcpListener, path::Path};

use harness_testkit::{Reply, Server};

use super::{GOOD_SCRIPT, assert_calm, assert_refused};
use crate::support::{Desk, WIRES};

/// A key that must never be seen again.
const CANARY: &str = "sk-canary-8f3b1c77d2a94e60b5";

#[test]
fn a_model_that_nobody_knows_is_refused_with_those_that_are_known() {
    let desk = Desk::new();
    let run = desk.harness(&["run", "--model", "gpt-99"]);
    assert_refused(
        &run,
        2,
        &[
            "cannot use model `gpt-99` (flag)",
            "hint: known are",
            "[model.NAME]",
        ],
    );
    let run = desk.harness(&["run"]);
    assert_refused(
        &run,
        2,
        &["cannot choose a model", "hint: ", "--model NAME"],
    );
}

#[test]
fn a_key_that_is_not_set_is_asked_for_by_name() {
    let desk = Desk::new();
    desk.home.configure("[model.mine]\napi = \"chat\"\nid = \"m\"\nbase_url = \"http://127.0.0.1:9/v1\"\nkey_env = \"MY_OWN_KEY\"\n");
    let run = desk.harness(&["run", "--model", "mine"]);
    assert_refused(
        &run,
        2,
        &[
            "model `mine`",
            "`MY_OWN_KEY`",
            "not set",
            "hint: export MY_OWN_KEY=",
        ],
    );
    let run = desk.home.run_with(
        &desk.project.root(),
        &["run", "--model", "mine"],
        "MY_OWN_KEY",
        " ",
    );
    assert_refused(&run, 2, &["`MY_OWN_KEY`", "not set"]);
}

#[test]
fn a_key_command_that_fails_is_named() {
    let desk = Desk::new();
    for (command, word) in [
        ("[\"false\"]", "gave no key"),
        ("[\"no-such-program\"]", "cannot run"),
    ] {
        desk.home.configure(&format!(
            "[model.mine]\napi = \"chat\"\nid = \"m\"\nbase_url = \"http://127.0.0.1:9/v1\"\nkey_command = {command}\n"
        ));
        let run = desk.harness(&["run", "--model", "mine"]);
        assert_refused(&run, 2, &["model `mine`", "key command", word]);
    }
}

#[test]
fn a_limit_in_dollars_needs_a_price() {
    let desk = Desk::new();
    // A server on this machine costs nothing, so this one is elsewhere; it is never asked.
    desk.home.configure(
        "[model.mine]\napi = \"chat\"\nid = \"m\"\nbase_url = \"http://models.example/v1\"\n",
    );
    let run = desk.harness(&["run", "--model", "mine", "--max-usd", "2"]);
    assert_refused(
        &run,
        2,
        &[
            "model `mine`",
            "price is unknown",
            "hint: ",
            "price = {",
            "[model.mine]",
        ],
    );
}

#[test]
fn a_server_that_refuses_connections_ends_the_run_after_some_patience() {
    let desk = Desk::new();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    desk.home.configure(&format!(
        "[agent]\nmodel = \"gone\"\n[limits]\npatience = \"1s\"\n\
         [model.gone]\napi = \"chat\"\nid = \"m\"\nbase_url = \"http://127.0.0.1:{port}/v1\"\n"
    ));
    let before = desk.person_side();
    let run = desk.harness(&["run"]);
    assert_eq!(run.code, 6, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("retry 1 in"), "{}", run.stdout);
    assert!(
        run.stdout.contains("run ended: provider_failed"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("Connection refused"), "{}", run.stdout);
    assert!(
        run.stderr.contains("hint: `harness resume --last`"),
        "{}",
        run.stderr
    );
    assert_calm(&run);
    assert_eq!(desk.person_side(), before);
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
}

#[test]
fn a_key_that_is_turned_down_is_never_shown_or_kept() {
    for api in WIRES {
        let desk = Desk::new();
        let server = Server::bare();
        // Some servers send the whole key back.
        let body = format!(
            "{{\"error\": {{\"type\": \"authentication_error\", \"message\": \"wrong key: {CANARY}\"}}}}"
        );
        let reply = Reply::Status {
            status: 401,
            headers: Vec::new(),
            body,
        };
        server.reply_with(vec![reply; 3]);
        let base = server.base_url(api);
        desk.home.configure(&format!(
            "[agent]\nmodel = \"mine\"\n[model.mine]\napi = \"{api}\"\nid = \"m\"\nbase_url = \"{base}\"\nkey_env = \"MY_OWN_KEY\"\n"
        ));
        let run = desk
            .home
            .run_with(&desk.project.root(), &["run"], "MY_OWN_KEY", CANARY);
        assert_eq!(run.code, 6, "{}\n{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("401"), "{}", run.stdout);
        assert_calm(&run);
        assert_eq!(
            server.received().len(),
            1,
            "a wrong key does not get better by asking again"
        );
        let sent = server.received().remove(0);
        assert!(
            sent.headers.iter().any(|(_, value)| value.contains(CANARY)),
            "the key was sent"
        );

        assert!(!run.stdout.contains(CANARY), "{}", run.stdout);
        assert!(!run.stderr.contains(CANARY), "{}", run.stderr);
        let json = desk.home.run_with(
            &desk.project.root(),
            &["log", "show", "--json"],
            "MY_OWN_KEY",
            CANARY,
        );
        assert!(!json.stdout.contains(CANARY), "{}", json.stdout);
        let mut files = 0;
        for folder in [desk.home.path(), desk.project.outside()] {
            each_file(folder, &mut |path, bytes| {
                files += 1;
                let found = bytes
                    .windows(CANARY.len())
                    .any(|part| part == CANARY.as_bytes());
                assert!(!found, "the key is in {}", path.display());
            });
        }
        assert!(files > 20, "only {files} files were looked at");
        assert!(
            desk.project
                .root()
                .join(".git/harness/sessions/S-0001/log.jsonl")
                .is_file()
        );
    }
}

#[test]
fn a_script_that_is_missing_or_none_is_named() {
    let desk = Desk::new();
    let run = desk.harness(&["run", "--model", "script:/no/such/script.toml"]);
    assert_refused(&run, 2, &["cannot read the script", "/no/such/script.toml"]);
    let model = desk.script("[[sesion]]\n");
    let run = desk.harness(&["run", "--model", &model]);
    assert_refused(
        &run,
        2,
        &["cannot read the script", "sesion", "hint: the script is"],
    );
}

#[test]
fn an_answer_that_is_none_is_asked_for_again() {
    let desk = Desk::new();
    let server = Server::scripted(GOOD_SCRIPT);
    let garbage = Reply::Recorded {
        body: b"data: {\"choices\": 7}\n\n<html>\xff\x1b[2J</html>\n\n".to_vec(),
        chunk: 5,
    };
    server.reply_with([garbage]);
    desk.use_server(&server, "chat");
    let run = desk.harness(&["run"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("retry 1 in"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
    assert_calm(&run);
}

#[test]
fn a_server_that_stays_ill_is_given_up() {
    let desk = Desk::new();
    let server = Server::bare();
    let ill = Reply::Status {
        status: 503,
        headers: vec![("retry-after", "0".to_owned())],
        body: "<html>at lunch</html>".to_owned(),
    };
    server.reply_with(vec![ill; 40]);
    desk.use_server(&server, "anthropic");
    let run = desk.harness(&["run"]);
    assert_eq!(run.code, 6, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("503"), "{}", run.stdout);
    assert!(
        server.received().len() < 20,
        "{} requests",
        server.received().len()
    );
    assert_calm(&run);
}

/// Reads every file below a folder; links are not followed.
fn each_file(folder: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder)
        .expect("a folder can be listed")
        .flatten()
    {
        let kind = entry.file_type().expect("an entry has a kind");
        if kind.is_dir() {
            each_file(&entry.path(), look);
        } else if kind.is_file() {
            look(
                &entry.path(),
                &std::fs::read(entry.path()).expect("a file can be read"),
            );
        }
    }
}
