//! What an agent starts ends with its command, and nothing carries over to the next.

use std::{fs, thread, time::Duration};

use harness_testkit::Server;

use super::arena::{Arena, has, is_caged};
use crate::support::{FINISH, alive, news, session, shell};

#[test]
fn what_tries_to_outlive_its_command_is_gone_when_the_next_begins() {
    if !is_caged() {
        return;
    }
    let arena = Arena::new();
    let word = format!("9{}7.5", std::process::id());
    let mut attempts = vec![
        format!("setsid sleep {word} >/dev/null 2>&1 &"),
        format!("nohup sleep {word} >/dev/null 2>&1 &"),
        format!(
            "(setsid sh -c 'trap \"\" TERM INT HUP; sleep {word}' </dev/null >/dev/null 2>&1 &)"
        ),
    ];
    if has("perl") {
        let fork = format!(
            "perl -MPOSIX -e 'fork and exit; setsid; fork and exit; close STDIN; close STDOUT; close STDERR; $SIG{{TERM}} = \"IGNORE\"; exec \"sleep\", \"{word}\"'"
        );
        attempts.push(fork);
    }
    // Without the guard each of them stays.
    for (number, attempt) in attempts.iter().enumerate() {
        arena.unguarded(&attempt.replace(&word, &format!("{word}1")));
        thread::sleep(Duration::from_millis(50));
        assert!(
            alive(&format!("{word}1")) > number,
            "`{attempt}` is no attack"
        );
    }
    end_all(&format!("{word}1"));

    // The word is split so that the command that counts does not count itself.
    let (head, tail) = word.split_at(3);
    let count = shell(&format!(
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c '^{head}''{tail}$'"
    ));
    let turns: Vec<String> = attempts
        .iter()
        .flat_map(|attempt| [shell(attempt), count.clone()])
        .collect();
    let outcome = arena.attack(&turns);
    assert_eq!(alive(&word), 0);
    for request in outcome.server.received()[2..].iter().step_by(2) {
        let told = news(request);
        assert!(told.contains("exit 1") && told.contains("\n0\n"), "{told}");
    }
}

/// Ends what the test itself started, found by the word that only it uses.
fn end_all(word: &str) {
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if line
            .windows(word.len())
            .any(|window| window == word.as_bytes())
        {
            let name = entry.file_name();
            let killed = std::process::Command::new("kill")
                .arg("-9")
                .arg(&name)
                .status();
            assert!(killed.is_ok());
        }
    }
}

/// A gate that a poisoned environment would show itself in.
const GATE: &str = r#"
cd "$(dirname "$0")/.." || exit 2
git branch >/dev/null 2>&1; git st >/dev/null 2>&1; bash -lc true >/dev/null 2>&1; sh -lc true
echo 1..1
if env | grep -q poison || [ -e src/poisoned ]; then echo "not ok 1 - clean"; exit 1; fi
echo "ok 1 - clean"
"#;

#[test]
fn neither_the_next_command_nor_a_gate_inherits_what_a_command_set() {
    if !is_caged() {
        return;
    }
    let arena = Arena::new();
    arena.desk.project.write("tests/run.sh", GATE);
    arena.desk.project.commit_all("a gate that looks");
    assert_eq!(arena.desk.harness(&["trust", "--yes"]).code, 0);
    let poison = shell(
        "export PAGER=poison BASH_ENV=src/evil ENV=src/evil LD_PRELOAD=src/e.so GIT_SSH_COMMAND=poison; alias git=poison; \
         echo 'touch src/poisoned' > src/evil; echo 'export PAGER=poison; touch src/poisoned' | tee $HOME/.profile $HOME/.bashrc; \
         printf '[alias]\\n\\tst = !touch src/poisoned\\n[core]\\n\\tpager = touch src/poisoned\\n' > $HOME/.gitconfig",
    );
    let look = shell("env; git branch; test -e src/poisoned || echo looked");
    let server = Server::scripted(&session("F-1", &[&poison, &look, FINISH]));
    arena.desk.use_server(&server, "chat");
    arena.desk.story(&["run"]).assert_ended("all_passing", 0);
    assert!(
        news(&server.received()[1]).contains("exit 0"),
        "{}",
        news(&server.received()[1])
    );
    let told = news(&server.received()[2]);
    assert!(
        told.contains("looked") && !told.contains("poison"),
        "{told}"
    );
}
