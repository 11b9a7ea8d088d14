//! What a person, a disk or a server can get wrong: the exit code, the sentence, and the way out.
//!
//! Every refusal says what was attempted on what, costs nothing that was there
//! before, and never speaks of our own insides.

mod config;
mod features;
mod intent;
mod model;
mod place;
mod state;
mod trusting;

use harness_testkit::Run;

/// Two turns that prove F-1.
const GOOD_SCRIPT: &str = r#"
[[session]]
[[session.turn]]
calls = [{ tool = "write", path = "src/answer", content = "42\n" }]
[[session.turn]]
calls = [{ tool = "finish", text = "The answer is 42." }]
"#;

/// Holds a refusal against its code and the words that must be on standard error.
fn assert_refused(run: &Run, code: i32, words: &[&str]) {
    let told = format!("{}\n{}", run.stdout, run.stderr);
    assert_eq!(run.code, code, "{told}");
    assert!(
        run.stderr.lines().any(|line| line.starts_with("error: ")),
        "no `error:` in {told}"
    );
    for word in words {
        assert!(run.stderr.contains(word), "no `{word}` in {told}");
    }
    assert_calm(run);
}

/// Sees that nothing speaks of a panic.
fn assert_calm(run: &Run) {
    for word in ["panicked", "RUST_BACKTRACE", "unwrap", ".rs:"] {
        assert!(!run.stderr.contains(word), "`{word}` in {}", run.stderr);
        assert!(!run.stdout.contains(word), "`{word}` in {}", run.stdout);
    }
}
