//! Configuration that is missing or cannot be meant.

use super::{GOOD_SCRIPT, assert_refused};
use crate::support::{CONFIG, Desk};

#[test]
fn without_configuration_nobody_is_asked_and_nothing_runs() {
    let desk = Desk::new();
    desk.project.git(&["rm", "--quiet", "harness.toml"]);
    desk.project.commit_all("no rules");
    let model = desk.script(GOOD_SCRIPT);
    let run = desk.harness(&["run", "--no-input", "--model", &model]);
    assert_refused(
        &run,
        5,
        &["there is no `harness.toml`", "hint: harness init"],
    );
    assert_eq!(desk.project.read("src/answer"), "0\n");
    let trusted = desk.harness(&["trust", "--yes"]);
    assert_refused(&trusted, 2, &["nothing to trust", "hint: harness init"]);
}

#[test]
fn a_mistake_in_the_repositorys_file_is_shown_at_its_place() {
    let cases: [(&str, &[&str]); 9] = [
        ("[scope\nwrite = []\n", &["line 1", "harness.toml:1:7", "^"]),
        (
            "[gaet]\nname = \"test\"\n",
            &[
                "line 1",
                "unknown key `gaet`",
                "did you mean `gate`?",
                "^^^^",
            ],
        ),
        (
            "[[gate]]\nname = \"test\"\nrun = [\"true\"]\ntiemout = 5\n",
            &[
                "gate `test`",
                "line 4",
                "unknown key `tiemout`",
                "did you mean `timeout`?",
                "^^^^^^^",
            ],
        ),
        ("[scope]\nwrite = \"src\"\n", &["line 2", "write"]),
        (
            "[scope]\nwrite = [\"../outside/**\"]\n",
            &["line 2", "../outside/**"],
        ),
        ("[scope]\nwrite = [\"/etc/**\"]\n", &["line 2", "/etc/**"]),
        ("[limits]\nusd = \"five\"\n", &["line 2", "usd"]),
        ("[model.mine]\napi = \"chat\"\n", &["line 1", "model"]),
        ("[scope]\nwrite = [\"src/[\"]\n", &["line 2", "src/["]),
    ];
    let desk = Desk::new();
    for (text, words) in cases {
        desk.project.write("harness.toml", text);
        for command in [
            &["run"][..],
            &["status"],
            &["trust", "--yes"],
            &["gate", "list"],
        ] {
            let run = desk.harness(command);
            assert_refused(&run, 2, &[&["`harness.toml`"], words].concat());
        }
    }
    desk.project.write("harness.toml", CONFIG);
    assert_eq!(
        desk.harness(&["status"]).code,
        0,
        "the file mended, all is as before"
    );
}

#[test]
fn a_mistake_in_the_persons_file_is_shown_at_its_place() {
    let desk = Desk::new();
    for (text, words) in [
        (
            "[limits]\nuds = 3.0\n",
            ["line 2", "did you mean `usd`?", "config.toml"],
        ),
        (
            "[model.a]\napi = \"smtp\"\nid = \"x\"\n",
            ["line 2", "smtp", "config.toml"],
        ),
        (
            "[limits]\npatience = \"soon\"\n",
            ["line 2", "soon", "config.toml"],
        ),
    ] {
        desk.home.configure(text);
        assert_refused(&desk.harness(&["run"]), 2, &words);
    }
}

#[test]
fn bytes_that_are_no_text_are_no_configuration() {
    let desk = Desk::new();
    std::fs::write(
        desk.project.root().join("harness.toml"),
        b"[scope]\nwrite = [\"\xff\xfe\"]\n",
    )
    .unwrap();
    assert_refused(&desk.harness(&["status"]), 2, &["`harness.toml`", "UTF-8"]);
    std::fs::write(
        desk.project.root().join("harness.toml"),
        vec![b'#'; 8 << 20],
    )
    .unwrap();
    assert_refused(
        &desk.harness(&["status"]),
        2,
        &["`harness.toml`", "larger than"],
    );
}

#[test]
fn an_environment_variable_that_makes_no_sense_is_named() {
    let desk = Desk::new();
    let run = desk.home.run_with(
        &desk.project.root(),
        &["status"],
        "HARNESS_MAX_TURNS",
        "many",
    );
    assert_refused(&run, 2, &["HARNESS_MAX_TURNS", "many"]);
}

#[test]
fn escape_codes_in_a_file_are_shown_and_not_sent() {
    let desk = Desk::new();
    desk.project.write(
        "harness.toml",
        "[\"\\u001b]52;c;aGk=\\u0007\"]\nx = 1 # \u{202e}\u{9b}6n\n",
    );
    let run = desk.harness(&["status"]);
    assert_refused(&run, 2, &["`harness.toml`"]);
    let acting = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
    assert!(!run.stderr.contains(acting), "{:?}", run.stderr);
}
