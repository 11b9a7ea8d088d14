//! A program that is compiled and run by the Java that is there.

use super::{answer, assert_green, has, tests_run};
use crate::support::{Desk, FINISH, shell};

const CONFIG: &str = r#"
[scope]
write = ["src/**"]
build = ["build"]

[[gate]]
name = "test"
run = ["sh", "tests/run.sh"]
timeout = "3m"
report = "tap"
"#;

const MAIN: &str = r#"
public class Main {
    public static void main(String[] arguments) throws Exception {
        System.out.println("1..1");
        try (var server = new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress());
             var client = new java.net.Socket(server.getInetAddress(), server.getLocalPort())) {
            System.out.println("ok 1 - " + (client.isConnected() ? "connected" : "not"));
        }
    }
}
"#;

const TESTS: &str =
    "cd \"$(dirname \"$0\")/..\" && javac -d build src/Main.java && exec java -cp build Main\n";

#[test]
fn java_compiles_and_runs() {
    if !has("javac", &["-version"]) || !has("java", &["-version"]) {
        return;
    }
    let desk = Desk::of(
        &[
            ("harness.toml", CONFIG),
            ("src/Main.java", MAIN),
            ("tests/run.sh", TESTS),
        ],
        "/build\n",
    );
    let build = shell("sh tests/run.sh > src/told");
    let (story, _server) = desk.work(&[&answer(), &build, FINISH], &[]);
    if story.first("session_started")["level"] != "namespaces" {
        return crate::support::say("skipped: Java's sockets need level `namespaces`");
    }
    assert_green(&story);
    assert_eq!(tests_run(story.first("check_ended")), Some(1), "{story}");
    let told = desk.project.git(&["show", "harness/R-0001:src/told"]);
    assert!(told.contains("ok 1 - connected"), "{told}");
}
