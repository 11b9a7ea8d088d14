//! What processes get to see, what leaves by the network, and what is kept of secrets.

use std::{
    fs,
    io::Read as _,
    net::{TcpListener, UdpSocket},
    os::unix::net::UnixListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use harness_testkit::{Reply, Server};

use super::arena::{Arena, has, is_caged};
use crate::support::{FINISH, Story, TESTS, news, say, session, shell, write};

const CANARY: &str = "canary-7f3a9c";
const SECRETS: [&str; 5] = [
    "API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "MODEL_KEY",
    "SSH_AUTH_SOCK",
];

/// Returns the files below a folder that hold the text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_with(&path, text));
            continue;
        }
        let mut bytes = Vec::new();
        let _ = fs::File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes));
        if bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn no_secret_of_the_environment_reaches_the_agent_or_a_gate() {
    if !is_caged() {
        return;
    }
    // The gate tells everything it sees, and is red, so that all of it is sent.
    let tests = format!("{TESTS}\n").replace(
        "echo 1..2",
        "env; cat /proc/self/environ /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; echo; echo 1..2",
    );
    let arena = Arena::new();
    arena.desk.project.write("tests/run.sh", &tests);
    arena.desk.project.commit_all("a gate that tells");
    assert_eq!(arena.desk.harness(&["trust", "--yes"]).code, 0);
    let looks = [
        "env; set; export",
        "tr '\\0' '\\n' < /proc/self/environ",
        "for file in /proc/[0-9]*/environ; do tr '\\0' '\\n' < $file; done 2>/dev/null",
        "tr '\\0' '\\n' < /proc/$PPID/environ",
    ];
    let looks: Vec<String> = looks.map(shell).into();
    let wrong = write("src/answer", "41\n");
    let right = write("src/answer", "42\n");
    let turns: Vec<&str> = looks
        .iter()
        .map(String::as_str)
        .chain([wrong.as_str(), FINISH, &right, FINISH])
        .collect();
    let server = Server::scripted(&session("F-1", &turns));
    arena.desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nbase_url = \"{}\"\nid = \"m\"\nkey_env = \"MODEL_KEY\"\n",
        server.url()
    ));
    let mut command = arena
        .desk
        .home
        .command(&arena.root(), &["run", "--json", "--no-input"]);
    command.envs(SECRETS.map(|name| (name, format!("{CANARY}-{name}"))));
    let story = Story::of(command.output().unwrap().into());
    story.assert_ended("all_passing", 0);

    let requests = server.received();
    // The key went where it belongs, and the looks did look.
    assert!(
        requests[0]
            .headers
            .iter()
            .any(|(_, value)| value.contains("canary-7f3a9c-MODEL_KEY"))
    );
    assert!(
        news(&requests[1]).contains("PATH="),
        "{}",
        news(&requests[1])
    );
    assert!(
        news(&requests[6]).contains("Not done"),
        "{}",
        news(&requests[6])
    );
    for request in &requests {
        assert!(
            !request.body.to_string().contains(CANARY),
            "{}",
            request.body
        );
    }
    assert!(
        !story.run.stdout.contains(CANARY) && !story.run.stderr.contains(CANARY),
        "{story}"
    );
    assert_eq!(
        files_with(arena.desk.project.outside(), CANARY),
        Vec::<String>::new()
    );
    assert_eq!(
        files_with(arena.desk.home.path(), CANARY),
        Vec::<String>::new()
    );
}

/// Counts what arrives at sockets of the test.
fn listeners(folder: &Path) -> (u16, u16, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let unix = UnixListener::bind(folder.join("socket")).unwrap();
    let ports = (
        tcp.local_addr().unwrap().port(),
        udp.local_addr().unwrap().port(),
    );
    let counter = || {
        let count = Arc::clone(&count);
        move || {
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    let arrived = counter();
    thread::spawn(move || tcp.incoming().for_each(|_| arrived()));
    let arrived = counter();
    thread::spawn(move || unix.incoming().for_each(|_| arrived()));
    let arrived = counter();
    thread::spawn(move || {
        while udp.recv(&mut [0; 16]).is_ok() {
            arrived();
        }
    });
    (ports.0, ports.1, count)
}

#[test]
fn nothing_is_sent_anywhere() {
    if !is_caged() {
        return;
    }
    let arena = Arena::new();
    let sockets = socket_folder(&arena);
    let (tcp, udp, count) = listeners(&sockets);
    let unix = sockets.join("socket").display().to_string();
    let mut attempts = Vec::new();
    if has("bash") {
        attempts.push(format!("bash -c 'echo hi > /dev/tcp/127.0.0.1/{tcp}'"));
        attempts.push(format!("bash -c 'echo hi > /dev/udp/127.0.0.1/{udp}'"));
    }
    if has("perl") {
        attempts.push(format!(
            "perl -MIO::Socket::INET -e 'IO::Socket::INET->new(\"127.0.0.1:{tcp}\") or die'"
        ));
        attempts.push(format!(
            "perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => \"{unix}\") or die'"
        ));
    }
    if has("python3") {
        attempts.push(format!(
            "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {tcp}), 2)'"
        ));
        attempts.push(format!("python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b\"x\", (\"127.0.0.1\", {udp}))'"));
        attempts.push(format!(
            "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect(\"{unix}\")'"
        ));
    }
    if has("curl") {
        attempts.push(format!("curl -s -m 2 http://127.0.0.1:{tcp}/"));
    }
    if attempts.is_empty() {
        say("skipped: no program that could connect is here");
        return;
    }
    for attempt in &attempts {
        let before = count.load(Ordering::SeqCst);
        // `curl` never gets an answer, and is an attack all the same.
        arena.unguarded(attempt);
        let until = Instant::now() + Duration::from_secs(2);
        while count.load(Ordering::SeqCst) == before && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(
            count.load(Ordering::SeqCst) > before,
            "`{attempt}` is no attack"
        );
    }
    let before = count.load(Ordering::SeqCst);
    let turns: Vec<String> = attempts.iter().map(|attempt| shell(attempt)).collect();
    let begun = Instant::now();
    let outcome = arena.attack(&turns);
    for (attempt, request) in attempts.iter().zip(&outcome.server.received()[1..]) {
        // A datagram goes out into the cage's own network, where nobody is: it cannot fail.
        assert!(
            attempt.contains("/dev/udp")
                || attempt.contains("SOCK_DGRAM")
                || !news(request).contains("exit 0"),
            "{attempt}: {}",
            news(request)
        );
    }
    assert!(begun.elapsed() < Duration::from_secs(2 + attempts.len() as u64));
    thread::sleep(Duration::from_millis(100));
    assert_eq!(count.load(Ordering::SeqCst), before, "something arrived");
}

/// A folder the cage has no reason to know, with a short name: socket paths are bounded.
fn socket_folder(arena: &Arena) -> std::path::PathBuf {
    let folder = arena.outside().join("s");
    fs::create_dir(&folder).unwrap();
    folder
}

#[test]
fn a_secret_in_what_a_model_says_or_does_is_in_nothing_that_is_kept() {
    if !is_caged() {
        return;
    }
    let token = format!("ghp_{}", "a1B2c3D4".repeat(5).split_at(36).0);
    let key = format!("sk-ant-api03-{}", "Zx9-_yQ7".repeat(12));
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nq83vEjRWeJCrze8SNFZ4kKvN\n-----END PRIVATE KEY-----";
    let arena = Arena::new();
    let says = shell(&format!("echo {token}; printf '%s\\n' '{pem}'"));
    let note = format!("{{ tool = \"note\", text = \"use {key} next time\" }}");
    let right = write("src/answer", "42\n");
    let finish = format!("{{ tool = \"finish\", text = \"Done with {token}.\" }}");
    let server = Server::scripted(&session("F-1", &[&says, &note, &right, &finish]));
    let echo = format!(
        r#"{{"type":"error","error":{{"type":"overloaded_error","message":"bad key {key}"}}}}"#
    );
    server.reply_with([Reply::Status {
        status: 529,
        headers: Vec::new(),
        body: echo,
    }]);
    arena.desk.use_server(&server, "anthropic");
    let story = arena.desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    assert!(
        news(&server.received()[2]).contains("exit 0"),
        "{}",
        news(&server.received()[2])
    );
    let progress = arena
        .desk
        .project
        .git(&["show", "harness/R-0001:progress.md"]);
    let message = arena
        .desk
        .project
        .git(&["log", "-1", "--format=%B", "harness/R-0001"]);
    let shown = arena.desk.harness(&["log", "show"]).stdout;
    for secret in [token.as_str(), &key, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"] {
        let kept = files_with(&arena.root().join(".git/harness"), secret);
        assert_eq!(kept, Vec::<String>::new(), "{secret}");
        for (place, text) in [
            ("progress", &progress),
            ("message", &message),
            ("log", &shown),
            ("output", &story.run.stdout),
        ] {
            assert!(!text.contains(secret), "{secret} is in {place}: {text}");
        }
    }
    assert_eq!(arena.desk.harness(&["log", "verify"]).code, 0);
    // What looks like one is all that is taken out.
    assert!(message.contains("Done with"), "{message}");
}
