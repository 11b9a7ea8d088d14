//! What comes from outside is shown and never obeyed: no clipboard is written, and nothing is asked
//! of the terminal that it would answer by typing.

use harness_testkit::{Reply, Server};

use crate::support::{CONFIG, Desk, FEATURES, TESTS, Terminal};

const SIZE: (u16, u16) = (100, 30);
/// What ends a frame.
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// Writes the clipboard, asks the terminal in every way that it answers, and says yes.
const ATTACK: &str = "\u{1b}]52;c;aGFybmVzcw==\u{7}\u{1b}]52;c;?\u{1b}\\\u{1b}[6n\u{1b}[c\u{1b}P$qm\u{1b}\\\u{1b}]11;?\u{7}\u{5}\u{9b}6n\u{9d}52;c;eA==\u{9c}y\n";

/// Writes a text for TOML, where no control character stands for itself.
fn quoted(text: &str) -> String {
    let char = |char: char| match char {
        '"' | '\\' => format!("\\{char}"),
        char if char.is_control() => format!("\\u{:04X}", u32::from(char)),
        char => char.to_string(),
    };
    format!("\"{}\"", text.chars().map(char).collect::<String>())
}

fn script(turns: &[String]) -> String {
    let turns = turns
        .iter()
        .map(|turn| format!("[[session.turn]]\n{turn}\n"));
    std::iter::once("[[session]]\n".to_owned())
        .chain(turns)
        .collect()
}

fn call(tool: &str, arguments: &[(&str, &str)]) -> String {
    let arguments = arguments
        .iter()
        .map(|(name, value)| format!(", {name} = {}", quoted(value)));
    let arguments: String = arguments.collect();
    format!("calls = [{{ tool = \"{tool}\"{arguments} }}]")
}

/// Returns what was written after the first frame: what was asked before it, the program asked itself.
fn after_the_first_frame(terminal: &Terminal) -> Vec<u8> {
    let bytes = terminal.bytes();
    let first = bytes
        .windows(FRAME_END.len())
        .position(|part| part == FRAME_END)
        .expect("a frame");
    bytes[first..].to_vec()
}

/// Holds everything against what a terminal would obey or answer.
fn assert_harmless(terminal: &Terminal, source: &str) {
    let bytes = after_the_first_frame(terminal);
    for (what, attack) in [
        ("a command (OSC)", &b"\x1b]"[..]),
        ("a device string (DCS)", b"\x1bP"),
        ("a question for the cursor", b"\x1b[6n"),
        ("a question for the class", b"\x1b[c"),
        ("an enquiry", b"\x05"),
        ("an OSC of one character", "\u{9d}".as_bytes()),
        ("a CSI of one character", "\u{9b}".as_bytes()),
    ] {
        let is_there = bytes.windows(attack.len()).any(|part| part == attack);
        assert!(!is_there, "{source} reached the terminal with {what}");
    }
}

fn desk() -> Desk {
    let config = format!(
        "{CONFIG}\n[[rule]]\ncommand = [\"touch\"]\ndecision = \"ask\"\nreason = \"a person does that\"\n"
    );
    Desk::with_files(&[
        ("harness.toml", &config),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

#[test]
fn words_output_changes_and_names_neither_copy_nor_ask_nor_approve() {
    let desk = desk();
    let print = format!("printf '%s' '{}'; sleep 1", ATTACK.replace('\'', ""));
    let approve = format!("touch src/approved # {ATTACK}");
    let turns = [
        format!(
            "text = {}\n{}",
            quoted(ATTACK),
            call("shell", &[("command", &print)])
        ),
        call("write", &[("path", "src/new"), ("content", ATTACK)]),
        call(
            "write",
            &[
                ("path", &format!("src/{}", ATTACK.trim_end())),
                ("content", "x\n"),
            ],
        ),
        call("shell", &[("command", &approve)]),
        "text = \"No more.\"".to_owned(),
    ];
    let script = desk.script(&script(&turns));
    let arguments = ["run", "F-1", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("shell runs");
    terminal.wait_for("touch src/approved");
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert!(!desk.project.root().join("src/approved").exists());
    // Everything that can be unfolded is unfolded on the way up.
    terminal.press("\t");
    for _ in 0..8 {
        terminal.press("\r");
        std::thread::sleep(std::time::Duration::from_millis(60));
        terminal.press("k");
    }
    terminal.press("g/52\r");
    terminal.wait_until("the place that was found", |terminal| {
        terminal.screen().contains("U+001B")
    });
    assert_harmless(&terminal, "what an agent says and does");
    terminal.press("q");
    assert!(!desk.project.root().join("src/approved").exists());
    let log = desk.harness(&["log", "show", "--json"]).stdout;
    assert!(!log.contains("approval_answered"), "{log}");
    terminal.press("\u{3}\u{3}\u{3}");
    terminal.end();
}

#[test]
fn what_a_provider_says_neither_copies_nor_asks() {
    let desk = desk();
    let server = Server::bare();
    let message = serde_json::json!({
        "type": "error",
        "error": { "type": "invalid_request_error", "message": format!("no: {ATTACK}") },
    });
    server.reply_with([Reply::Status {
        status: 400,
        headers: Vec::new(),
        body: message.to_string(),
    }]);
    desk.use_server(&server, "anthropic");
    let arguments = ["run", "F-1"];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("run ended");
    terminal.wait_for("]52;c;");
    assert_harmless(&terminal, "a provider's error");
    terminal.press("\u{4}");
    terminal.end();
}

#[test]
fn names_that_are_offered_neither_copy_nor_ask() {
    let desk = desk();
    let name = "src/\u{1b}]52;c;eA==\u{7}\u{9b}6n";
    std::fs::write(desk.project.root().join(name), "x").expect("any name is a name");
    desk.project.write("src/quotes", "x\n");
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &[], SIZE);
    terminal.wait_for("trusted");
    terminal.press("@src/");
    terminal.wait_for("src/quotes");
    assert_harmless(&terminal, "a file's name");
    terminal.press("\u{3}\u{3}\u{3}\u{3}");
    terminal.end();
}
