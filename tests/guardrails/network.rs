//! Which hosts are open: who can open them, who is asked, and what a level must be able to hold.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use harness_testkit::Server;
use serde_json::{Value, json};

use super::arena::{has, is_caged};
use crate::support::{CONFIG, Desk, FEATURES, TESTS, levels, news, say, session, shell};

/// A model that works on and on.
const BUSY: &str = r#"
[[session]]
[[session.turn]]
calls = [{ tool = "read", path = "src/answer" }]
[[session.turn]]
calls = [{ tool = "list", path = "." }]
"#;

fn with_network(entries: &str) -> String {
    format!("{CONFIG}\n[sandbox]\nnetwork = [{entries}]\n")
}

fn desk(entries: &str) -> Desk {
    Desk::with_files(&[
        ("harness.toml", with_network(entries).as_str()),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

fn first_line(text: &str) -> Value {
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

#[test]
fn a_host_that_a_repository_asks_for_is_part_of_what_is_trusted() {
    let desk = desk(r#""crates.io", "mirror.test:8443""#);
    let shown = desk.harness(&["trust", "--show"]);
    for line in [
        "  network: crates.io (index.crates.io static.crates.io crates.io)\n",
        "  network: mirror.test:8443\n",
        "You trust exactly this.\n",
        "  static.crates.io:443 (harness.toml:12, crates.io)\n",
    ] {
        assert!(
            shown.stdout.contains(line),
            "no `{line}` in {}",
            shown.stdout
        );
    }
    for entries in [
        r#""crates.io", "mirror.test:8444""#,
        r#""crates.io""#,
        r#""crates.io", "mirror.test:8443", "evil.test""#,
    ] {
        desk.project.write("harness.toml", &with_network(entries));
        let run = desk.harness(&["gate", "run"]);
        assert_eq!(run.code, 5, "{entries}: {}", run.stderr);
        let words = ["has changed since you trusted it", "harness trust --yes"];
        assert!(
            words.iter().all(|word| run.stderr.contains(word)),
            "{}",
            run.stderr
        );
    }
    let shown = desk.harness(&["trust", "--show"]).stdout;
    assert!(
        shown.contains("  network: crates.io (") && shown.contains("  + network: evil.test:443\n"),
        "{shown}"
    );
    let line = first_line(&desk.harness(&["trust", "--show", "--json"]).stdout);
    assert_eq!(line["trusted"], false);
    assert_eq!(line["added"], json!(["network: evil.test:443"]));
    assert_eq!(line["removed"], json!([]));
}

#[test]
fn no_repository_lists_more_than_exact_hosts() {
    let desk = desk("");
    for entry in [
        "*",
        "*.test:443",
        "https://a.test",
        "user@a.test:443",
        "a.test.:443",
        "a.test:0",
        "127.0.0.1:80",
        "10.0.0.1:80",
        "[::1]:80",
        "169.254.169.254:80",
        "0x7f000001:80",
        "0177.0.0.1:80",
        "cargo",
    ] {
        desk.project
            .write("harness.toml", &with_network(&format!("\"{entry}\"")));
        for command in [&["gate", "run"][..], &["run"], &["trust", "--yes"]] {
            let run = desk.harness(command);
            assert_eq!(run.code, 2, "{entry}: {}", run.stderr);
            for word in ["`harness.toml`, line 12", "`network`", "^", "hint: "] {
                assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
            }
        }
    }
}

#[test]
fn hosts_are_explained_with_whoever_opened_them() {
    let desk = desk(r#""npm""#);
    desk.home
        .configure("[sandbox]\nnetwork = [\"127.0.0.1:5432\", \"own.test\"]\n");
    let origins = |text: &str| {
        for line in [
            "    127.0.0.1:5432 (",
            "    own.test:443 (",
            "config.toml:2)",
            "    registry.npmjs.org:443 (harness.toml:12, npm)",
        ] {
            assert!(text.contains(line), "no `{line}` in {text}");
        }
    };
    origins(
        &desk
            .harness(&["scope", "explain", "src", "--sandbox"])
            .stdout,
    );
    origins(
        &desk
            .harness(&["trust", "--show"])
            .stdout
            .replace("\n  ", "\n    "),
    );
    let run = desk.harness(&["scope", "explain", "src", "--sandbox", "--json"]);
    let plan: Value = serde_json::from_str(run.stdout.lines().nth(1).unwrap()).unwrap();
    let open = [
        "127.0.0.1:5432",
        "own.test:443",
        "registry.npmjs.org:443",
        "registry.yarnpkg.com:443",
    ];
    assert_eq!(plan["network"], json!(open));
    assert_eq!(plan["hosts"][2]["origin"], "harness.toml:12, npm");

    let arguments = ["scope", "explain", "src", "--sandbox", "--json"];
    let root = desk.project.root();
    let run = desk
        .home
        .run_with(&root, &arguments, "HARNESS_OFFLINE", "1");
    let plan: Value = serde_json::from_str(run.stdout.lines().nth(1).unwrap()).unwrap();
    assert_eq!(plan["network"], json!([]));
}

#[test]
fn a_level_that_cannot_hold_processes_to_hosts_is_refused() {
    if !is_caged() {
        return;
    }
    let desk = desk(r#""crates.io", "mirror.test:8443""#);
    let model = desk.script(BUSY);
    let arguments = [
        "run",
        "--no-input",
        "--sandbox",
        "landlock",
        "--model",
        &model,
    ];
    let run = desk.harness(&arguments);
    assert_eq!(run.code, 7, "{}", run.stderr);
    for word in [
        "`mirror.test:8443`",
        "level `landlock`",
        "HARNESS_OFFLINE=1",
    ] {
        assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
    }
    assert_eq!(desk.project.read("src/answer"), "0\n");
    // Less is always possible, and more never.
    let root = desk.project.root();
    assert_eq!(
        desk.home
            .run_with(&root, &arguments, "HARNESS_OFFLINE", "0")
            .code,
        7
    );
    let narrowed = desk
        .home
        .run_with(&root, &["gate", "run"], "HARNESS_OFFLINE", "1");
    assert_eq!(narrowed.code, 0, "{}", narrowed.stderr);
    desk.home.configure("[sandbox]\noffline = true\n");
    assert_eq!(desk.harness(&["gate", "run"]).code, 0);
}

#[test]
fn a_run_does_not_go_on_with_hosts_that_were_closed() {
    let desk = desk(r#""mirror.test:8443""#);
    let model = desk.script(BUSY);
    let run = [
        "run",
        "--no-input",
        "--sandbox",
        "none",
        "--max-turns",
        "1",
        "--model",
        &model,
    ];
    let began = desk.harness(&run);
    assert_eq!(began.code, 3, "{}{}", began.stdout, began.stderr);
    let root = desk.project.root();
    let resume = [
        "resume",
        "--last",
        "--no-input",
        "--sandbox",
        "none",
        "--model",
        &model,
    ];
    let refused = desk.home.run_with(&root, &resume, "HARNESS_OFFLINE", "1");
    assert_eq!(refused.code, 7, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .contains("hosts that are not open any more: `mirror.test:8443`"),
        "{}",
        refused.stderr
    );
    assert_ne!(desk.harness(&resume).code, 7);
}

/// Answers every connection with one line and counts them.
fn answering() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for peer in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            answer(peer);
        }
    });
    (port, count)
}

fn answer(mut peer: TcpStream) {
    let mut head = [0; 1024];
    let _ = peer.read(&mut head);
    let _ = peer
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nlet in ok");
}

#[test]
fn a_host_that_is_open_is_reached_and_its_neighbours_are_not() {
    if !levels().contains(&"namespaces") || !has("curl") {
        say("skipped: this needs the level `namespaces` and `curl`");
        return;
    }
    let (open, reached) = answering();
    let (closed, other) = answering();
    let desk = desk("");
    // What names are said here goes to the proxy, whatever the client would do for this machine.
    let curl = |rest: &str| shell(&format!("curl -sS -m 5 --noproxy '' {rest}"));
    let attacks = [
        format!("http://127.0.0.1:{closed}/"),
        format!("http://localhost:{open}/"),
        format!("-p http://127.0.0.1:{closed}/"),
        format!("-H 'Host: 127.0.0.1:{closed}' http://127.0.0.1:{open}/"),
        format!("--proxy '' http://127.0.0.1:{open}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ];
    let turns: Vec<String> = [curl(&format!("http://127.0.0.1:{open}/"))]
        .into_iter()
        .chain(attacks.iter().map(|attack| curl(attack)))
        .chain([shell("env | grep -ci '^https_proxy='")])
        .chain(["{ tool = \"ask\", text = \"What next?\" }".to_owned()])
        .collect();
    let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
    let server = Server::scripted(&session("look around", &turns));
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nbase_url = \"{}\"\nid = \"m\"\n\
         [sandbox]\nnetwork = [\"127.0.0.1:{open}\"]\n",
        server.url()
    ));
    let story = desk.story(&["run", "look around"]);
    story.assert_ended("needs_human", 5);
    let told: Vec<String> = server.received()[1..].iter().map(news).collect();
    assert!(told[0].contains("let in ok"), "{}", told[0]);
    for (attack, told) in attacks.iter().zip(&told[1..]) {
        assert!(!told.contains("let in ok"), "{attack}: {told}");
    }
    assert_eq!(reached.load(Ordering::SeqCst), 1);
    assert_eq!(other.load(Ordering::SeqCst), 0);
    let used = story.all("network_used");
    let allowed: Vec<&Value> = used
        .iter()
        .filter(|line| line["allowed"] == true)
        .copied()
        .collect();
    assert_eq!(allowed.len(), 1, "{story}");
    assert_eq!(allowed[0]["port"], open);
    assert!(used.len() >= 4, "{story}");
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
}
