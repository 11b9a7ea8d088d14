//! `harness models`: what can be used, what it costs, and what answers on this machine.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use harness_testkit::{Home, Run, Server};
use serde_json::Value;

use super::{assert_ok, json};
use crate::support::{Desk, PROGRAM, endless, session};

/// A server that answers each path as a function says; `None` is silence for a minute.
struct Routed {
    host: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Routed {
    fn start(answer: fn(&str, &str) -> Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || serve(&stream, answer, &seen));
            }
        });
        Self { host, asked }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}

fn serve(stream: &TcpStream, answer: fn(&str, &str) -> Option<String>, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if header.trim().is_empty() {
                break;
            }
            assert!(!header.to_ascii_lowercase().contains("authorization"));
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let path = first.split_whitespace().nth(1).unwrap().to_owned();
        seen.lock().unwrap().push(path.clone());
        let Some(body) = answer(&path, &String::from_utf8_lossy(&body)) else {
            return thread::sleep(Duration::from_secs(60));
        };
        let status = if body.is_empty() {
            "404 Not Found"
        } else {
            "200 OK"
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut writer = stream;
        if writer
            .write_all(format!("{head}{body}").as_bytes())
            .is_err()
        {
            return;
        }
    }
}

fn ollama(path: &str, body: &str) -> Option<String> {
    Some(match (path, body.contains("qwen3:8b")) {
        ("/api/tags", _) => r#"{"models":[{"name":"qwen3:8b"},{"name":"embed:1b"}]}"#.to_owned(),
        ("/api/show", true) => {
            r#"{"model_info":{"qwen3.context_length":40960},"capabilities":["completion","tools","vision"]}"#
                .to_owned()
        }
        ("/api/show", false) => r#"{"capabilities":["embedding"]}"#.to_owned(),
        _ => String::new(),
    })
}

fn llama_cpp(path: &str, _: &str) -> Option<String> {
    Some(match path {
        "/v1/models" => r#"{"data":[{"id":"tiny.gguf"}]}"#.to_owned(),
        "/props" => r#"{"default_generation_settings":{"n_ctx":4096}}"#.to_owned(),
        _ => String::new(),
    })
}

fn vllm(path: &str, _: &str) -> Option<String> {
    let list = r#"{"data":[{"id":"org/large","max_model_len":65536}]}"#;
    let is_list = path == "/v1/models";
    Some(if is_list { list } else { "" }.to_owned())
}

/// A model of the person's that says where a server on this machine is.
fn own(word: &str, host: &str) -> String {
    format!(
        "[model.my-{word}]\napi = \"chat\"\nid = \"mine\"\nserver = \"{word}\"\nbase_url = \"http://{host}/v1\"\n"
    )
}

fn models(home: &Home, arguments: &[&str], ollama: &str) -> Run {
    let arguments = [&["models"], arguments].concat();
    home.run_with(Path::new("/"), &arguments, "OLLAMA_HOST", ollama)
}

fn named<'a>(lines: &'a [Value], name: &str) -> &'a Value {
    let found = lines.iter().find(|line| line["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {lines:#?}"))
}

/// A port on which nothing listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn what_is_built_in_written_down_and_answering_is_listed() {
    let (ollama, llama_cpp, vllm) = (
        Routed::start(ollama),
        Routed::start(llama_cpp),
        Routed::start(vllm),
    );
    let home = Home::new(PROGRAM);
    home.configure(&format!(
        "{}{}[model.far]\napi = \"chat\"\nid = \"gpt-5-2025-08-07\"\nkey_env = \"FAR_KEY\"\n[model.odd]\napi = \"chat\"\nid = \"odd\"\nbase_url = \"https://model.invalid/v1\"\nkey_command = [\"touch\", \"/tmp/never\"]\n",
        own("llamacpp", &llama_cpp.host),
        own("vllm", &vllm.host)
    ));
    let arguments = ["models", "--json"];
    let mut command = home.command(Path::new("/"), &arguments);
    command
        .env("OLLAMA_HOST", &ollama.host)
        .env("FAR_KEY", "sk-never-shown");
    let run = Run::from(command.output().unwrap());
    assert_ok(&run);
    assert!(!run.stdout.contains("sk-never-shown"), "{}", run.stdout);
    let lines = json(&run);

    let found = named(&lines, "ollama/qwen3:8b");
    assert_eq!(
        (&found["api"], &found["id"]),
        (&"ollama".into(), &"qwen3:8b".into())
    );
    assert_eq!(found["host"], ollama.host.as_str());
    assert_eq!(
        (&found["context"], &found["context_max"]),
        (&32_000.into(), &40_960.into())
    );
    assert_eq!(
        (&found["tools"], &found["found"]),
        (&true.into(), &true.into())
    );
    assert_eq!(found["price"]["output"], 0.0);
    assert!(!run.stdout.contains("embed:1b"), "{}", run.stdout);
    assert_eq!(named(&lines, "llamacpp/tiny.gguf")["context"], 4096);
    assert_eq!(named(&lines, "vllm/org/large")["context"], 65_536);

    let far = named(&lines, "far");
    assert_eq!(
        (&far["key_variable"], &far["key_set"]),
        (&"FAR_KEY".into(), &true.into())
    );
    assert_eq!(far["price"]["input"], 1.25);
    assert!(
        far["price_origin"]
            .as_str()
            .unwrap()
            .starts_with("price table, 20")
    );
    let odd = named(&lines, "odd");
    assert_eq!(
        (&odd["price"], &odd["key_command"]),
        (&Value::Null, &true.into())
    );
    let sonnet = named(&lines, "claude-sonnet");
    assert_eq!(
        (&sonnet["key_set"], &sonnet["found"]),
        (&false.into(), &false.into())
    );

    assert_eq!(ollama.asked(), ["/api/show", "/api/show", "/api/tags"]);
    assert_eq!(llama_cpp.asked(), ["/props", "/v1/models"]);

    let text = models(&home, &[], &ollama.host).stdout;
    let line = |name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("ollama/qwen3:8b").contains("32k tokens of 40k tokens"),
        "{text}"
    );
    assert!(line("ollama/qwen3:8b").ends_with("tools, images"), "{text}");
    assert!(line("ollama/qwen3:8b").contains("free"), "{text}");
    assert!(line("odd").contains("price unknown"), "{text}");
    assert!(
        line("claude-sonnet").contains("$2.00 in, $10.00 out"),
        "{text}"
    );
    assert!(
        line("claude-sonnet").contains("ANTHROPIC_API_KEY not set"),
        "{text}"
    );
}

#[test]
fn a_server_that_stalls_lies_or_floods_hides_no_other() {
    fn stalling(path: &str, body: &str) -> Option<String> {
        // The list comes, and then nothing about any model.
        (path == "/api/tags").then(|| ollama(path, body)).flatten()
    }
    fn flooding(_: &str, _: &str) -> Option<String> {
        Some("[".repeat(4 << 20))
    }
    fn lying(_: &str, _: &str) -> Option<String> {
        Some("{\"data\": [{\"id\": \"a\\u001b]0;x\"}, {\"id\": 7}, {\"id\": \"good\", \"max_model_len\": \"big\"}]}".to_owned())
    }
    let (ollama, flooding, lying) = (
        Routed::start(stalling),
        Routed::start(flooding),
        Routed::start(lying),
    );
    let home = Home::new(PROGRAM);
    home.configure(&format!(
        "{}{}",
        own("llamacpp", &flooding.host),
        own("vllm", &lying.host)
    ));
    let run = models(&home, &["--json"], &ollama.host);
    assert_ok(&run);
    let lines = json(&run);
    assert_eq!(named(&lines, "vllm/good")["context"], 32_000);
    let unsaid = named(&lines, "ollama/qwen3:8b");
    assert_eq!(
        (&unsaid["context"], &unsaid["tools"]),
        (&32_000.into(), &Value::Null)
    );
    assert!(
        !lines
            .iter()
            .any(|line| line["name"].as_str().unwrap().starts_with("llamacpp/"))
    );
    assert!(!run.stdout.contains("]0;x"), "{}", run.stdout);
}

#[test]
fn nothing_beyond_this_machine_is_asked() {
    let far = Routed::start(ollama);
    let port = far.host.split_once(':').unwrap().1;
    let home = Home::new(PROGRAM);
    // An address that leads here and is not one of this machine's own.
    for host in [
        format!("0x7f000001.invalid:{port}"),
        format!("192.0.2.1:{port}"),
    ] {
        let run = models(&home, &["--json"], &host);
        assert_ok(&run);
        assert!(!run.stdout.contains("\"ollama/"), "{}", run.stdout);
    }
    assert!(far.asked().is_empty());
    let none = models(&home, &[], &nowhere());
    assert_ok(&none);
    let told = "note: cannot choose a model: none is configured and no key was found; set ";
    assert!(none.stdout.contains(told), "{}", none.stdout);
}

#[test]
fn a_found_model_is_used_by_its_name_and_again_after_a_resume() {
    let desk = Desk::new();
    let server = Server::scripted(&endless("F-1", &["I look around."]));
    desk.home
        .configure(&own("vllm", server.url().trim_start_matches("http://")));
    let arguments = [
        "run",
        "--model",
        "vllm/org/large",
        "--max-turns",
        "1",
        "--json",
    ];
    desk.harness(&arguments);
    let before = asked_models(&server);
    assert!(
        !before.is_empty() && before.iter().all(|id| id == "org/large"),
        "{before:?}"
    );
    desk.harness(&["resume", "--last", "--max-turns", "2", "--json"]);
    let after = asked_models(&server);
    assert!(after.len() > before.len(), "{after:?}");
    assert!(after.iter().all(|id| id == "org/large"), "{after:?}");
}

/// The model of each request that is no question about the server itself.
fn asked_models(server: &Server) -> Vec<String> {
    let received = server.received();
    let posted = received.iter().filter_map(|it| it.body["model"].as_str());
    posted.map(str::to_owned).collect()
}

#[test]
fn a_limit_in_usd_names_the_model_without_a_price_and_the_key_to_add() {
    let desk = Desk::new();
    let server = Server::scripted(&session("fix it", &["There is nothing to fix."]));
    let model = |id: &str| {
        format!(
            "[agent]\nmodel = \"far\"\n[model.far]\napi = \"chat\"\nid = \"{id}\"\nbase_url = \"https://model.invalid/v1\"\n"
        )
    };
    for limit in ["usd", "day_usd"] {
        desk.home
            .configure(&format!("{}[limits]\n{limit} = 3\n", model("odd")));
        let refused = desk.harness(&["run", "--no-input"]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        for words in ["`far`", "its price is unknown", "price = {", "[model.far]"] {
            assert!(refused.stderr.contains(words), "{}", refused.stderr);
        }
    }
    desk.home.configure(&model("claude-haiku-4-5-20251001"));
    let shown = desk.harness(&["config", "show", "--origin"]).stdout;
    assert!(
        shown.contains("model.far.price = { input = 1.0, output = 5.0, cache_read = 0.1, cache_write = 1.25 }  # price table, 20"),
        "{shown}"
    );
    assert!(server.received().is_empty());
}

/// Says where a model with a key command answers.
fn with_key_command(desk: &Desk, server: &Server, argv: &[&str]) {
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"chat\"\nid = \"m\"\nbase_url = \"{}\"\nkey_command = {argv:?}\n",
        server.base_url("chat")
    ));
}

#[test]
fn a_key_command_gives_its_first_line_to_the_server_and_to_nobody_else() {
    let desk = Desk::new();
    let calls =
        "{ tool = \"shell\", command = \"env; cat /proc/self/environ /proc/$PPID/environ; true\" }";
    let server = Server::scripted(&session("look", &[calls, "Nothing to see."]));
    // Its words reach no shell: what stands there would take two.
    with_key_command(
        &desk,
        &server,
        &["printf", "  %s-%s \nsecond line\n", "kc$HOME", "0451"],
    );
    let run = desk.harness(&["run", "look", "--json"]);
    assert_ok(&run);
    let received = server.received();
    let key = "kc$HOME-0451";
    for request in &received {
        let header = request
            .headers
            .iter()
            .find(|(name, _)| name == "authorization");
        assert_eq!(header.unwrap().1, format!("Bearer {key}"));
        assert!(!request.body.to_string().contains(key));
    }
    assert!(!run.stdout.contains(key) && !run.stderr.contains(key));
    let found = std::process::Command::new("grep")
        .args(["-rlF", key])
        .args([
            desk.project.root(),
            desk.home.path().join(".local"),
            desk.home.path().join(".cache"),
        ])
        .output()
        .unwrap();
    assert!(
        found.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&found.stdout)
    );
}

#[test]
fn a_key_command_that_fails_is_named_and_what_it_printed_is_not() {
    let desk = Desk::new();
    let server = Server::scripted(&session("look", &["Nothing to see."]));
    for argv in [
        &[
            "sh",
            "-c",
            "echo half-a-secret; echo half-a-secret >&2; exit 3",
        ][..],
        &["true"],
        &["/nowhere/to/be/found"],
    ] {
        with_key_command(&desk, &server, argv);
        let run = desk.harness(&["run", "look", "--no-input"]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        let program = format!("the key command `{}` of model `test`", argv[0]);
        assert!(run.stderr.contains(&program), "{}", run.stderr);
        let all = run.stdout + &run.stderr;
        assert!(!all.contains("half-a-secret"), "{all}");
    }
    assert!(server.received().is_empty());
}

#[test]
fn a_repository_names_no_key_command() {
    let desk = Desk::new();
    let marker = desk.project.outside().join("ran");
    let config = format!(
        "{}\n[model.test]\napi = \"chat\"\nid = \"m\"\nkey_command = [\"touch\", \"{}\"]\n",
        crate::support::CONFIG,
        marker.display()
    );
    desk.project.write("harness.toml", &config);
    for arguments in [&["models"][..], &["run", "--model", "test", "--no-input"]] {
        let run = desk.harness(arguments);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains("model"), "{}", run.stderr);
    }
    assert!(!marker.exists());
}

#[test]
fn roles_are_listed_with_who_serves_them_and_how_hard_they_think() {
    let home = Home::new(PROGRAM);
    let nowhere = nowhere();
    home.configure(
        "[agent]\nmodel = \"local\"\n[role.reviewer]\nmodel = \"r\"\neffort = \"high\"\n\
         [model.r]\napi = \"responses\"\nid = \"gpt-5\"\nbase_url = \"http://127.0.0.1:9/v1\"\neffort = \"low\"\n",
    );
    let lines = json(&models(&home, &["--json"], &nowhere));
    let roles: Vec<[&str; 3]> = lines
        .iter()
        .filter(|line| line["type"] == "role")
        .map(|line| ["name", "model", "effort"].map(|key| line[key].as_str().unwrap_or("-")))
        .collect();
    assert_eq!(
        roles,
        [
            ["main", "local", "-"],
            ["cheap", "local", "-"],
            ["reviewer", "r", "high"]
        ]
    );
    assert_eq!(named(&lines, "r")["effort"], "low");
    let text = models(&home, &[], &nowhere).stdout;
    assert!(text.contains("\nrole reviewer: r, effort high\n"), "{text}");
    // Where nothing is said about roles, nothing is said about them.
    home.configure("[agent]\nmodel = \"local\"\n");
    let text = models(&home, &[], &nowhere).stdout;
    assert!(!text.contains("role "), "{text}");
}

#[test]
fn a_password_in_the_address_of_ollama_is_not_told() {
    let home = Home::new(PROGRAM);
    home.configure("[model.near]\napi = \"ollama\"\nid = \"x\"\n");
    let host = nowhere();
    for arguments in [&[][..], &["--json"]] {
        let run = models(&home, arguments, &format!("http://me:hunter2@{host}"));
        assert_ok(&run);
        assert!(run.stdout.contains(&host), "{}", run.stdout);
        for told in [&run.stdout, &run.stderr] {
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
