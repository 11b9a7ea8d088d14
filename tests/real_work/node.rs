//! A package that is installed by a setup step, and tests that serve HTTP on localhost.

use harness_testkit::Server;

use super::{
    assert_green, ends, enforces, has,
    registry::{ADDRESS, Registry},
    tests_run, try_and_finish,
};
use crate::support::{Desk, news, session};

const CONFIG: &str = r#"
[scope]
write = ["src/**"]

[gates]
link = ["node_modules"]

[[setup]]
run = ["npm", "ci", "--no-audit", "--no-fund", "--no-update-notifier"]
when = ["package-lock.json"]

[[gate]]
name = "test"
run = ["node", "--test", "--test-reporter=tap", "tests/all.test.js"]
timeout = "2m"
report = "tap"
min_tests = 2
"#;

const TESTS: &str = r#"
const test = require("node:test");
const assert = require("node:assert");
const http = require("node:http");
const tiny = require("tiny");

test("the package is there", () => assert.strictEqual(tiny(), 42));

test("a server on localhost answers", async () => {
  const server = http.createServer((request, response) => response.end("hello"));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const body = await new Promise((done, fail) => {
    http.get({ port: server.address().port, host: "127.0.0.1" }, (response) => {
      let text = "";
      response.on("data", (piece) => (text += piece));
      response.on("end", () => done(text));
    }).on("error", fail);
  });
  server.close();
  assert.strictEqual(body, "hello");
});
"#;

/// Looks for a way out beside the host that is open.
const WAY_OUT: &str = r#"node -e '
const net = require("net");
const socket = net.connect({ host: "127.0.0.2", port: PORT, timeout: 3000 });
socket.on("connect", () => { console.log("REACHED"); process.exit(0); });
socket.on("timeout", () => { console.log("closed"); process.exit(0); });
socket.on("error", (error) => { console.log("closed", error.code); process.exit(0); });
'; node -e 'console.log("has", require("tiny")())'"#;

fn lock(registry: &Registry) -> String {
    format!(
        r#"{{ "name": "demo", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {{
  "": {{ "name": "demo", "version": "1.0.0", "dependencies": {{ "tiny": "1.0.0" }} }},
  "node_modules/tiny": {{ "version": "1.0.0", "resolved": "http://{ADDRESS}:{}/tiny/-/tiny-1.0.0.tgz", "integrity": "{}" }} }} }}
"#,
        registry.port, registry.integrity
    )
}

#[test]
fn npm_installs_in_a_step_and_tests_serve_on_localhost_without_network() {
    if !has("node", &["--version"]) || !has("npm", &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    let desk = Desk::of(
        &[
            ("harness.toml", CONFIG),
            (
                "package.json",
                "{ \"name\": \"demo\", \"version\": \"1.0.0\", \"dependencies\": { \"tiny\": \"1.0.0\" } }\n",
            ),
            ("package-lock.json", &lock(&registry)),
            (
                ".npmrc",
                &format!("registry=http://{ADDRESS}:{}/\n", registry.port),
            ),
            ("src/answer", "0\n"),
            ("tests/all.test.js", TESTS),
        ],
        "/node_modules\n",
    );
    if !enforces("namespaces") {
        return;
    }
    let turns = try_and_finish(&WAY_OUT.replace("PORT", &registry.port.to_string()));
    let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
    let server = Server::scripted(&session("F-1", &turns));
    let open = format!("[sandbox]\nnetwork = [\"{ADDRESS}:{}\"]\n", registry.port);
    desk.use_model(&server, &open);

    let story = desk.story(&["run", "--sandbox", "namespaces"]);
    assert_green(&story);
    assert_eq!(ends(&story, "work_tree"), ["done"], "{story}");
    assert_eq!(tests_run(story.first("check_ended")), Some(2), "{story}");
    assert!(registry.requests() > 0);
    let told = news(&server.received()[2]);
    assert!(told.contains("closed") && told.contains("has 42"), "{told}");
    assert!(!told.contains("REACHED"), "{told}");
    assert_eq!(
        desk.project.git(&["status", "--porcelain", "node_modules"]),
        ""
    );
}
