//! The phrases as they are.

use harness_core::Timestamp;

use super::events::{NOW, every_kind};
use crate::{JsonLine, JsonLines, Lines};

#[test]
fn lines_for_every_kind_of_event() {
    let mut lines = Lines::default();
    let told: String = every_kind()
        .iter()
        .map(|event| lines.write(event))
        .collect();
    insta::assert_snapshot!(told, @r#"
    harness: 0.1.0, repo demo, branch harness/R-0003, session S-0007, agent model-a, sandbox landlock
    feature: F-012 Export as CSV
    feature: F-012 in_progress
    you: continue with F-012
      and mind the quotes
    note: the server answered 529; retry 1 in 1.5 s
    agent: The writer drops quotes.
      I will fix `escape`.
    tool: read src/csv.rs, lines 1-20, 20 lines, cut
    note: `src/csv.rs` is a link to `export/csv.rs`
    tool: edit src/csv.rs, 6 lines added, 2 removed, found with other indentation
    guard: refused write `src/schema.rs`: not in the write scope; allowed: `src/export/**`
    guard: refused delete: there is no such tool
    tool: shell `cargo test` and 11 characters more, exit 101, 2 KiB, 3.2 s
      FAILED
    tool: shell `sleep 9` in src, cancelled
    tool: search `escape\(` in src, FAILED: cannot open `src`: permission denied
    tool: list ., outcome unknown: the harness stopped while it ran
    tool: edit src/a, not done: the text was found 3 times
    note: document docs/csv.md loaded, 77 tokens
    note: map src/export/AGENTS.md loaded, 40 tokens
    note: Quotes are doubled, not escaped.
    ask: Which separator?
      1 comma
      2 semicolon
    you: comma
    you: and the header
    you: took back: and the header
    ask: the agent has stopped: say how to go on
    you: let the gates decide
    you: stop after the step in hand
    note: network static.crates.io:443 reached
    note: network static.crates.io:443: the connection was closed at its time limit
    guard: refused network example.org:80: not one of the hosts that are open
    harness: The same call again: try something else.
    checkpoint: 4 saved, 7 files, undo with `harness checkpoint undo 3`
      ~ src/csv.rs
      + tests/csv.rs
      - src/old.rs
      + a
      + b
      and 2 more
    checkpoint: FAILED: cannot write an object: no space left on device
    guard: undone docs/stray.md: put into quarantine
    guard: undone docs/a.md: not in the write scope; allowed: `src/**`; put back; its bytes are kept for the person
    guard: NOT undone data/big.bin: not in the write scope; allowed: `src/**`; it cannot be put back: it was too large to be kept
    note: changed outside the run: docs/b.md, a, b, c, d and 3 more; left alone
    guard: not all is watched: 3 files, 80 MiB, are more than is kept
    gate: lint green on the base, kept from before
    gate: test red on the base: 1 of 212 tests failed: old
    gate: not run on the base: cannot check out the base
    agent: says it is done; the gates decide
    gate: no candidate: cannot read `src/csv.rs`
    gate: test failed: 1 of 212 tests failed: csv::quotes, 9.8 s
      csv::quotes at tests/csv.rs:33
      expected a""b
      got      a"b
    gate: slow ran out of time: longer than 1m, 60.0 s
    gate: gone could not run: there is no program `no-such`, 0.0 s
    feature: not done: gate test red: 1 of 212 tests failed: csv::quotes
      tests/csv.rs: a test is ignored now
    gate: test green, 213 tests, 1 known failure, 9.1 s
    feature: not committed: HEAD has moved
    feature: F-012 committed as 4444444444, tree 2222222222, evidence .harness/evidence/F-012.json
    feature: F-012 passing, passed
    feature: left to you (gates_red): 3 attempts, gate test stays red
    checkpoint: 2 files of the unproven work put aside, kept in the checkpoints
    checkpoint: work not put aside: `src/a` was changed by somebody else
    note: cannot open a session: cannot read HEAD
    harness: setup `npm ci` for the work tree, network registry.npmjs.org:443
    harness: setup `npm ci` done in 2.1 s
    harness: setup `npm ci` FAILED for the base
      exit code 1
      npm error EROFS
    harness: setup `npm ci` cut short
    note: limit near: $4.00 of $5.00 used
    you: stop
    note: stopping (budget): $5.00 used; raise it with --max-usd
    note: resumed, and something differs: F-012, turn 4; no action that was in flight is repeated
      in flight: command `make‹U+001B›[31m all`, call 4.0: its outcome is unknown, the agent is told
      in flight: gate test: the harness's own, done again
      in flight: question call 4.1: asked again
      files: `src/a.rs` changed since checkpoint 3; kept as part of the work; the agent is told
      model: `a` answered before, `b` answers now; it goes on with the same conversation
    note: model failed: 401: the key is not known
    ask: Run this command?
      why: it waits
      asked by: `sleep ...` (harness.toml:9)
      folder: src
      the whole command, 18 characters in 2 lines:
        sleep 9
        # and more
    you: no: too long
    you: yes, always: commands that begin with `sleep`
      for this run only: cannot write `rules.toml`
    ask: Widen F-012?
      write: docs/**
      change protected: Cargo.toml
      network: crates.io:443
      the agent's reason:
        needs a reader
    you: yes, this once
    feature: F-012 may now: write `docs/**`; change protected `Cargo.toml`; network `crates.io:443`
    gate: test green on the second run, 3 tests, 0.9 s
    gate: test: 1 added test passes on the base too and proves nothing about the change
      csv::trivial
    gate: unit: the added tests need the change, tried on the base in 0.4 s
    gate: e2e: added tests not tried on the base: it takes longer than the gate itself
      tests inside Rust source files stand with the code and are not tried
    gate: added tests not tried on the base: no test file was added or changed
    ask: Approve this finding in the change of F-012?
      the agent says it is done; no gate has run yet
      tests/csv.rs:12: 1 test is newly skipped: `quotes` [0a1b2c3d]
        @@ -11,2 +11,3 @@
         #[test]
        +#[ignore]
         fn quotes() {
    you: yes, this once
    you: approved for F-012: 1 finding
      tests/csv.rs:12: 1 test is newly skipped: `quotes` [0a1b2c3d]
    feature: not done: 1 finding in `cfg.toml:2`: `fail_under` is lowered from 90 to 80 [4e5f6071]
      cfg.toml:2: `fail_under` is lowered from 90 to 80 [4e5f6071]
      to approve exactly this change: harness resume --last --approve 4e5f6071
    note: model model-a is given up (the server answered 529); model-b goes on
    note: limit near: 160 of 200 turns are used
    feature: F-012 handed over, with the model's note
      - Done: src/csv.rs doubles quotes
      - Next: line ends
    feature: F-012 handed over, with a note of what the log shows
      the model wrote no note: 529
      - Next: line ends
    note: waiting 12 s: the provider's limit of requests is used up until 10:32:05 UTC
    note: waiting 120 s: the provider's limit of tokens is used up until 9999-11-20 10:32:05 UTC
    harness: format `rustfmt --edition 2024` changed src/csv.rs
    harness: format `rustfmt` FAILED, the change stands
      it exited with 1: error: expected one of `!`
    harness: job t3c0 runs `npm run dev`
    harness: job t3c0: exit 1, 12.0 s
    harness: job t3c1: stopped, 12.0 s
    harness: job t3c2: FAILED: it could not be held still, 12.0 s
    harness: job t3c3: gone with the process that ran it, 0.0 s
    gate: no review by judge: the server answered 401; 0 turns, 0 looks, 0 tokens in, 0 out, $0.00
    agent: proposes 2 features, kept as P-0003
       1. Import CSV‹U+001B›[31m
          done when: a comma in quotes stays
       2. Report bad rows
          Each with its line.
          done when: the line is named
          step: count lines
          after: number 1, F-010
          writes only: src/import/**
          gates: test
          priority: 2
    note: the proposal is kept in the log alone: no space left on device
    ask: take these 2 features into the list?
    you: yes, without 2
    feature: F-013 pending, Import CSV
    note: F-010 is taken as it stands
    feature: nothing was added: the list cannot be read
    you: P-0003 is refused
    ask: Which port?
      Q-0003, answered from elsewhere with `harness answer Q-0003 TEXT`
    you: later: the feature waits for the answer, others go on
    note: nobody has answered: the feature waits for it, others go on
    you: answer to Q-0003, asked by F-012: Which port?
      ana: 8080
      or 8081
    checkpoint: 2 files of the earlier work on F-012 brought back
    checkpoint: the earlier work on F-012 was not brought back: other work has changed `src/csv.rs` since; it is checkpoint 4 of S-0001
    you: back to turn 1, both
    checkpoint: back at turn 1: what the agent said since is forgotten, 3 files restored
      src/csv.rs, src/new.rs and 1 more
    note: back at turn 1: what the agent said since is forgotten, the files stay as they are
    note: not back at turn 9, everything is as it was: there is no turn 9: the session has turns 1 to 2
    note: plan: 1 of 3 done, now: double quotes
      [x] read the writer
      [>] double quotes
      [ ] line ends
    harness: window cut from 150k tokens to 99k tokens of 200k tokens: 2 old results dropped (1 read, 1 shell)
      feature, scope, gates and plan are said again
    harness: the window is full (151k tokens of 200k tokens): a fresh session goes on with the feature, hand-over 1
    you: review: 1 comment sent to the agent, 1 rejection to be taken back at the end of the turn, 3 must-fix open
      #1 at src/csv.rs:12: also a newline?‹U+001B›[2J
      #2 at the whole change, waits for your word: why?
    you: review: 0 must-fix open
    checkpoint: rejected hunk 0a1b2c3d4e5f of src/csv.rs taken back
    note: hunk 1a1b2c3d4e5f of src/csv.rs stays: the rejection was taken back
    ask: rejected hunk 2a1b2c3d4e5f of src/csv.rs cannot be taken back: it is not there any more
      to stand there:
        let a = 0;
      stands there, line 4:
        let a = 2;‹U+202E›
      decide anew with `harness review`
    note: what was rejected is not taken back: no space left on device
    agent: answer to comment #1: It is doubled now.
      And tested.
    harness: run ended: budget, 2 of 2 features passing, 1 turn, 6.9k tokens in, cache 11%, 220 out, about $0.52
      $5.00 of $5.00 used
      go on with `harness resume --last --max-usd 8`
    "#);
}

#[test]
fn json_for_every_kind_of_event() {
    let mut lines = JsonLines::default();
    let told: String = every_kind()
        .iter()
        .map(|event| lines.write(event, NOW))
        .collect();
    // Version, time and what it belongs to are shown once, below.
    let head = r#""time":"2025-11-20T10:14:03.021Z","session":"S-0007","#;
    assert_eq!(
        told.lines().filter(|line| line.contains(head)).count(),
        told.lines().count()
    );
    let short: String = told
        .lines()
        .map(|line| {
            let (seq, rest) = line.split_once(head).unwrap_or((line, ""));
            let at = rest.find("\"type\":").unwrap_or_default();
            format!("{seq}{}\n", &rest[at..])
        })
        .collect();
    insta::assert_snapshot!(short.replace("{\"v\":1,", "{"), @r#"
    {"seq":0,"type":"session_started","agent":"builtin","model":"model-a","effort":null,"roles":[],"recorded":false,"level":"landlock","run":"R-0003","branch":"harness/R-0003","feature":"F-012"}
    {"seq":1,"type":"feature_status","feature":"F-012","from":"pending","to":"in_progress","reason":""}
    {"seq":2,"type":"person_said","text":"continue with F-012\nand mind the quotes"}
    {"seq":3,"type":"turn_started","turn":1}
    {"seq":4,"type":"model_failed","turn":1,"message":"the server answered 529","status":529,"class":"overloaded"}
    {"seq":5,"type":"provider_retried","attempt":1,"delay_ms":1500,"reason":"the server answered 529"}
    {"seq":6,"type":"model_responded","turn":1,"usage":{"input":1200,"cache_read":800,"cache_write":0,"output":90},"usd":0.0042,"usd_total":0.5042,"ms":2100,"text":"The writer drops quotes.\nI will fix `escape`."}
    {"seq":7,"type":"tool_called","id":"1.0","tool":"read","action":"read","path":"src/csv.rs","to":null,"command":null,"verdict":"allow","reason":""}
    {"seq":8,"type":"tool_returned","id":"1.0","ok":true,"ms":3,"bytes":9}
    {"seq":9,"type":"tool_called","id":"1.1","tool":"edit","action":"edit","path":"src/csv.rs","to":null,"command":null,"verdict":"allow","reason":""}
    {"seq":10,"type":"tool_returned","id":"1.1","ok":true,"ms":4,"bytes":0}
    {"seq":11,"type":"tool_called","id":"1.2","tool":"write","action":"write","path":"src/schema.rs","to":null,"command":null,"verdict":"deny","reason":"write `src/schema.rs`: not in the write scope; allowed: `src/export/**`"}
    {"seq":12,"type":"tool_returned","id":"1.2","ok":false,"ms":0,"bytes":0}
    {"seq":13,"type":"tool_called","id":"1.3","tool":"delete","action":null,"path":null,"to":null,"command":null,"verdict":"deny","reason":"there is no such tool"}
    {"seq":14,"type":"tool_returned","id":"1.3","ok":false,"ms":0,"bytes":21}
    {"seq":15,"type":"tool_called","id":"1.4","tool":"shell","action":"run","path":".","to":null,"command":"cargo test\n# and more","verdict":"allow","reason":""}
    {"seq":16,"type":"tool_returned","id":"1.4","ok":false,"ms":3250,"bytes":2048}
    {"seq":17,"type":"tool_called","id":"1.5","tool":"shell","action":"run","path":"src","to":null,"command":"sleep 9","verdict":"ask","reason":"run `sleep 9`? it waits"}
    {"seq":18,"type":"tool_returned","id":"1.5","ok":false,"ms":9,"bytes":0}
    {"seq":19,"type":"tool_called","id":"1.6","tool":"search","action":"search","path":"src","to":null,"command":null,"verdict":"allow","reason":""}
    {"seq":20,"type":"tool_returned","id":"1.6","ok":false,"ms":1,"bytes":0}
    {"seq":21,"type":"tool_called","id":"1.7","tool":"list","action":"list","path":".","to":null,"command":null,"verdict":"allow","reason":""}
    {"seq":22,"type":"tool_returned","id":"1.7","ok":false,"ms":0,"bytes":0}
    {"seq":23,"type":"tool_called","id":"1.8","tool":"edit","action":"edit","path":"src/a","to":null,"command":null,"verdict":"allow","reason":""}
    {"seq":24,"type":"tool_returned","id":"1.8","ok":false,"ms":0,"bytes":0}
    {"seq":25,"type":"document_loaded","path":"docs/csv.md","tokens":77,"problem":null}
    {"seq":26,"type":"document_loaded","path":"src/export/AGENTS.md","tokens":40,"problem":null}
    {"seq":27,"type":"note_taken","text":"Quotes are doubled, not escaped."}
    {"seq":28,"type":"needs_human","question":"Which separator?\n1 comma\n2 semicolon"}
    {"seq":29,"type":"person_said","text":"comma"}
    {"seq":30,"type":"person_said","text":"and the header"}
    {"seq":31,"type":"person_took_back","text":"and the header"}
    {"seq":32,"type":"needs_human","question":"the agent has stopped: say how to go on"}
    {"seq":33,"type":"stopping","reason":"interrupted","detail":""}
    {"seq":34,"type":"network_used","host":"static.crates.io","port":443,"allowed":true,"reason":"","sent":517,"received":90112,"ms":250}
    {"seq":35,"type":"network_used","host":"static.crates.io","port":443,"allowed":true,"reason":"","sent":517,"received":90112,"ms":250}
    {"seq":36,"type":"network_used","host":"static.crates.io","port":443,"allowed":true,"reason":"the connection was closed at its time limit","sent":517,"received":90112,"ms":250}
    {"seq":37,"type":"network_used","host":"example.org","port":80,"allowed":false,"reason":"not one of the hosts that are open","sent":0,"received":0,"ms":1}
    {"seq":38,"type":"network_used","host":"example.org","port":80,"allowed":false,"reason":"not one of the hosts that are open","sent":0,"received":0,"ms":1}
    {"seq":39,"type":"nudged","text":"The same call again: try something else."}
    {"seq":40,"type":"checkpoint_created","n":4,"commit":"1111111111111111111111111111111111111111","files":["src/csv.rs","tests/csv.rs","src/old.rs","a","b","c","d"],"ms":12}
    {"seq":41,"type":"problem","message":"cannot write an object: no space left on device"}
    {"seq":42,"type":"stray_undone","path":"docs/stray.md","message":"put into quarantine","why":"","restored":false,"quarantine":null}
    {"seq":43,"type":"stray_undone","path":"docs/a.md","message":"put back; its bytes are kept for the person","why":"not in the write scope; allowed: `src/**`","restored":true,"quarantine":"harness/quarantine/S-0001/1"}
    {"seq":44,"type":"stray_undone","path":"data/big.bin","message":"it cannot be put back: it was too large to be kept","why":"not in the write scope; allowed: `src/**`","restored":false,"quarantine":null}
    {"seq":45,"type":"changed_outside","paths":["docs/b.md","a","b","c","d","e"],"more":2}
    {"seq":46,"type":"problem","message":"3 files, 80 MiB, are more than is kept"}
    {"seq":47,"type":"baseline_ended","gate":"lint","status":"green","tests":null,"cached":true}
    {"seq":48,"type":"baseline_ended","gate":"test","status":"red","tests":{"run":212,"failed":1,"skipped":0},"cached":false}
    {"seq":49,"type":"problem","message":"cannot check out the base"}
    {"seq":50,"type":"finish_requested","summary":"Quotes are doubled now."}
    {"seq":51,"type":"problem","message":"cannot read `src/csv.rs`"}
    {"seq":52,"type":"gate_started","gate":"test"}
    {"seq":53,"type":"check_ended","gate":"test","check":"cargo test","status":"red","exit_code":101,"ms":9800,"tests":{"run":212,"failed":1,"skipped":0},"reason":"1 of 212 tests failed: csv::quotes","retried":false}
    {"seq":54,"type":"gate_ended","gate":"test","status":"red"}
    {"seq":55,"type":"check_ended","gate":"slow","check":"sleep 999","status":"timeout","exit_code":null,"ms":60000,"tests":null,"reason":"longer than 1m","retried":false}
    {"seq":56,"type":"check_ended","gate":"gone","check":"no-such","status":"error","exit_code":null,"ms":0,"tests":null,"reason":"there is no program `no-such`","retried":false}
    {"seq":57,"type":"finish_refused","reason":"gate test red: 1 of 212 tests failed: csv::quotes","findings":[{"id":"","kind":"tests_skipped","path":"tests/csv.rs","line":null,"message":"a test is ignored now","hunk":""}]}
    {"seq":58,"type":"check_ended","gate":"test","check":"cargo test","status":"green","exit_code":0,"ms":9100,"tests":{"run":213,"failed":0,"skipped":2},"reason":"1 known failure","retried":false}
    {"seq":59,"type":"problem","message":"HEAD has moved"}
    {"seq":60,"type":"feature_passed","feature":"F-012","commit":"4444444444444444444444444444444444444444","tree":"2222222222222222222222222222222222222222","evidence":".harness/evidence/F-012.json","head":null,"not_landed":null}
    {"seq":61,"type":"feature_status","feature":"F-012","from":"verifying","to":"passing","reason":"passed"}
    {"seq":62,"type":"needs_human","question":"3 attempts, gate test stays red"}
    {"seq":63,"type":"work_set_aside","files":2,"message":""}
    {"seq":64,"type":"work_set_aside","files":0,"message":"`src/a` was changed by somebody else"}
    {"seq":65,"type":"problem","message":"cannot read HEAD"}
    {"seq":66,"type":"setup_started","run":["npm","ci"],"place":"work_tree","network":["registry.npmjs.org:443"]}
    {"seq":67,"type":"setup_ended","run":["npm","ci"],"place":"work_tree","status":"done","message":"","ms":2150}
    {"seq":68,"type":"setup_ended","run":["npm","ci"],"place":"base","status":"failed","message":"exit code 1\nnpm error EROFS","ms":310}
    {"seq":69,"type":"setup_ended","run":["npm","ci"],"place":"candidate","status":"cancelled","message":"","ms":12}
    {"seq":70,"type":"budget_warned","what":"$4.00 of $5.00 used"}
    {"seq":71,"type":"stopping","reason":"interrupted","detail":""}
    {"seq":72,"type":"stopping","reason":"budget","detail":"$5.00 used; raise it with --max-usd"}
    {"seq":73,"type":"session_resumed","found":{"outcome":"differs","fresh":false,"feature":"F-012","turn":4,"in_flight":[{"kind":"command","what":"`make\u001b[31m\nall`, call 4.0","fate":"unknown"},{"kind":"gate","what":"test","fate":"again"},{"kind":"question","what":"call 4.1","fate":"asked"}],"differs":[{"kind":"files","text":"`src/a.rs` changed since checkpoint 3","done":"kept as part of the work; the agent is told","paths":["src/a.rs"],"more":2},{"kind":"model","text":"`a` answered before, `b` answers now","done":"it goes on with the same conversation"}],"usd_lost":null}}
    {"seq":74,"type":"model_failed","turn":2,"message":"401: the key is not known","status":401,"class":"auth"}
    {"seq":75,"type":"approval_asked","id":"1.5","subject":"command","command":"sleep 9\n# and more","text":"sleep 9\n# and more","reason":"it waits","rule":"`sleep ...` (harness.toml:9)","always":["sleep","9"],"findings":null}
    {"seq":76,"type":"approval_answered","id":"1.5","answer":"no","reason":"too long"}
    {"seq":77,"type":"approval_answered","id":"1.5","answer":"always","reason":null}
    {"seq":78,"type":"approval_asked","id":"1.5","subject":"amendment","command":null,"text":"write `docs/**`; change protected `Cargo.toml`; network `crates.io:443`","reason":"needs a reader","rule":null,"always":null,"findings":null}
    {"seq":79,"type":"approval_answered","id":"1.5","answer":"once","reason":null}
    {"seq":80,"type":"feature_amended","feature":"F-012","write":["docs/**"],"may_change":["Cargo.toml"],"hosts":["crates.io:443"],"reason":"needs a reader"}
    {"seq":81,"type":"check_ended","gate":"test","check":"cargo test","status":"green","exit_code":0,"ms":900,"tests":{"run":3,"failed":0,"skipped":0},"reason":"","retried":true}
    {"seq":82,"type":"negative_control_ended","skipped":"","left_out":"tests inside Rust source files stand with the code and are not tried","checks":[{"gate":"test","outcome":"proves_nothing","tests":["csv::trivial"],"count":1,"reason":"","ms":812},{"gate":"unit","outcome":"needed","tests":[],"count":0,"reason":"exit 101","ms":400},{"gate":"e2e","outcome":"skipped","tests":[],"count":0,"reason":"it takes longer than the gate itself","ms":9000}]}
    {"seq":83,"type":"negative_control_ended","skipped":"no test file was added or changed","left_out":"","checks":[]}
    {"seq":84,"type":"approval_asked","id":"3.0","subject":"findings","command":null,"text":"1 finding in `tests/csv.rs:12`: 1 test is newly skipped: `quotes` [0a1b2c3d]","reason":"1 finding in `tests/csv.rs:12`: 1 test is newly skipped: `quotes` [0a1b2c3d]","rule":null,"always":null,"findings":[{"id":"0a1b2c3d","kind":"tests_skipped","path":"tests/csv.rs","line":12,"message":"1 test is newly skipped: `quotes`","hunk":"@@ -11,2 +11,3 @@\n #[test]\n+#[ignore]\n fn quotes() {\n"}]}
    {"seq":85,"type":"approval_answered","id":"3.0","answer":"once","reason":null}
    {"seq":86,"type":"findings_approved","feature":"F-012","findings":[{"id":"0a1b2c3d","kind":"tests_skipped","path":"tests/csv.rs","line":12,"message":"1 test is newly skipped: `quotes`","hunk":"@@ -11,2 +11,3 @@\n #[test]\n+#[ignore]\n fn quotes() {\n"}],"how":"asked"}
    {"seq":87,"type":"finish_refused","reason":"1 finding in `cfg.toml:2`: `fail_under` is lowered from 90 to 80 [4e5f6071]","findings":[{"id":"4e5f6071","kind":"threshold_lowered","path":"cfg.toml","line":2,"message":"`fail_under` is lowered from 90 to 80","hunk":"-fail_under = 90\n+fail_under = 80\n"}]}
    {"seq":88,"type":"model_changed","from":"model-a","to":"model-b","reason":"the server answered 529"}
    {"seq":89,"type":"model_failed","turn":2,"message":"the stream was cut","status":null,"class":"broken","usd":0.0033,"estimated":true}
    {"seq":90,"type":"budget_warned","what":"160 of 200 turns are used","limit":"turns"}
    {"seq":91,"type":"handed_over","feature":"F-012","by_model":true,"note":"A heading\n\n- Done: src/csv.rs doubles quotes\n- Next: line ends\n","problem":"","usd":0.01335}
    {"seq":92,"type":"handed_over","feature":"F-012","by_model":false,"note":"- Next: line ends\n","problem":"the model wrote no note: 529","usd":null}
    {"seq":93,"type":"request_paced","delay_ms":11200,"limit":"requests","until":"2025-11-20T10:32:05.000Z","reason":"the provider's limit of requests is used up until 10:32:05 UTC"}
    {"seq":94,"type":"request_paced","delay_ms":120000,"limit":"tokens","until":"9999-11-20T10:32:05.000Z","reason":"the provider's limit of tokens is used up until 9999-11-20 10:32:05 UTC"}
    {"seq":95,"type":"formatted","run":["rustfmt","--edition","2024"],"files":["src/csv.rs"],"changed":["src/csv.rs"],"message":"","ms":41}
    {"seq":96,"type":"formatted","run":["rustfmt"],"files":["src/csv.rs"],"changed":[],"message":"it exited with 1: error: expected one of `!`","ms":12}
    {"seq":97,"type":"formatted","run":["gofmt","-w"],"files":["a.go"],"changed":[],"message":"","ms":9}
    {"seq":98,"type":"tool_called","id":"3.0","tool":"shell","action":"run","path":"web","to":null,"command":"npm run dev","verdict":"allow","reason":""}
    {"seq":99,"type":"job_started","id":"3.0","command":"npm run dev\n# and more"}
    {"seq":100,"type":"tool_returned","id":"3.0","ok":true,"ms":1000,"bytes":4}
    {"seq":101,"type":"job_ended","id":"3.0","how":"ended","exit_code":1,"message":"","ms":12000}
    {"seq":102,"type":"job_ended","id":"3.1","how":"stopped","exit_code":null,"message":"","ms":12000}
    {"seq":103,"type":"job_ended","id":"3.2","how":"failed","exit_code":null,"message":"it could not be held still","ms":12000}
    {"seq":104,"type":"job_ended","id":"3.3","how":"lost","exit_code":null,"message":"","ms":0}
    {"seq":105,"type":"reviewed","conversation":"reviewer 2","model":"judge","verdict":"failed","problem":"the server answered 401","id":"","marks":[],"findings":[],"used":{"turns":0,"calls":0,"usage":{"input":0,"cache_read":0,"cache_write":0,"output":0},"usd":0.0}}
    {"seq":106,"type":"features_proposed","proposal":"P-0003","goal":"import tables","features":[{"number":1,"title":"Import CSV\u001b[31m","description":"","acceptance":["a comma in quotes stays"],"steps":[],"after":[],"depends_on":[],"write":[],"gates":[],"priority":0},{"number":2,"title":"Report bad rows","description":"Each with its line.","acceptance":["the line is named"],"steps":["count lines"],"after":[1],"depends_on":["F-010"],"write":["src/import/**"],"gates":["test"],"priority":2}]}
    {"seq":107,"type":"problem","message":"the proposal is kept in the log alone: no space left on device"}
    {"seq":108,"type":"approval_asked","id":"2.0","subject":"features","command":null,"text":"P-0003","reason":"import tables","rule":null,"always":null,"findings":null}
    {"seq":109,"type":"approval_answered","id":"2.0","answer":"part","reason":null}
    {"seq":110,"type":"proposal_settled","proposal":"P-0003","accepted":true,"features":[{"number":1,"id":"F-013","title":"Import CSV"}],"file":"feature_list.json","remarks":["F-010 is taken as it stands"],"problem":""}
    {"seq":111,"type":"proposal_settled","proposal":"P-0003","accepted":false,"features":[],"file":null,"remarks":[],"problem":"the list cannot be read"}
    {"seq":112,"type":"proposal_settled","proposal":"P-0003","accepted":false,"features":[],"file":null,"remarks":[],"problem":""}
    {"seq":113,"type":"needs_human","question":"Which port?","id":"Q-0003","answer":"harness answer Q-0003 TEXT"}
    {"seq":114,"type":"question_put_off","call":"2.0","waited":false}
    {"seq":115,"type":"question_put_off","call":"2.0","waited":true}
    {"seq":116,"type":"answer_taken","question":"Q-0003","feature":"F-012","asked":"Which port?","answer":"8080\nor 8081","by":"ana","at":"2025-11-20T10:32:05.000Z"}
    {"seq":117,"type":"work_brought_back","feature":"F-012","files":2,"message":""}
    {"seq":118,"type":"work_brought_back","feature":"F-012","files":0,"message":"other work has changed `src/csv.rs` since; it is checkpoint 4 of S-0001"}
    {"seq":119,"type":"rewind_asked","turn":1,"what":"both"}
    {"seq":120,"type":"rewound","turn":1,"what":"both","checkpoint":2,"files":3,"paths":["src/csv.rs","src/new.rs"]}
    {"seq":121,"type":"rewound","turn":1,"what":"talk","checkpoint":null,"files":0,"paths":[]}
    {"seq":122,"type":"rewind_refused","turn":9,"reason":"there is no turn 9: the session has turns 1 to 2"}
    {"seq":123,"type":"plan_set","items":[{"text":"read the writer","state":"done"},{"text":"double quotes","state":"doing"},{"text":"line ends","state":"open"}]}
    {"seq":124,"type":"window_cut","dropped":[{"tool":"read","bytes":9000,"stub":"[dropped to make room: `read` `src/csv.rs`, 9000 bytes; `read` it again if you need it]"},{"tool":"shell","bytes":8000,"stub":"[dropped to make room: `shell` `cargo test` (exit 101), 8000 bytes; run it again if you need it]"}],"before":150400,"after":99800,"window":200000,"restored":"gates and scope"}
    {"seq":125,"type":"window_full","need":151000,"window":200000,"number":1,"reason":"the window is full (151k tokens of 200k tokens)"}
    {"seq":126,"type":"review_changed","must_fix":[{"number":1,"place":"src/csv.rs:12","text":"also a newline?\u001b[2J","waits_for_person":false},{"number":2,"place":"the whole change","text":"why?","waits_for_person":true}],"must_fix_open":3,"sent":[1],"rejected":[{"hunk":"0a1b2c3d4e5f","path":"src/csv.rs","reason":"not needed"}]}
    {"seq":127,"type":"review_changed","must_fix":[],"must_fix_open":0,"sent":[],"rejected":[]}
    {"seq":128,"type":"turned_down","parts":[{"hunk":"0a1b2c3d4e5f","path":"src/csv.rs","end":"applied","why":null,"wanted":null,"found":null},{"hunk":"1a1b2c3d4e5f","path":"src/csv.rs","end":"withdrawn","why":null,"wanted":null,"found":null},{"hunk":"2a1b2c3d4e5f","path":"src/csv.rs","end":"clash","why":"it is not there any more","wanted":"let a = 0;\n","found":"let a = 2;\u202e\n"}],"problem":""}
    {"seq":129,"type":"turned_down","parts":[],"problem":"no space left on device"}
    {"seq":130,"type":"comment_answered","number":1,"text":"It is doubled now.\nAnd tested.","call":"2.1"}
    {"seq":131,"type":"session_ended","reason":"budget","usage":{"input":6100,"cache_read":800,"cache_write":0,"output":220},"cache_rate":0.115,"usd":0.02085}
    {"seq":132,"type":"run_ended","reason":"budget","exit_code":3,"detail":"$5.00 of $5.00 used\ngo on with `harness resume --last --max-usd 8`","usd":0.52085}
    "#);
}

#[test]
fn lines_are_numbered_and_carry_the_session_once_there_is_one() {
    let mut lines = JsonLines::default();
    let first = JsonLine::DemoStarted {
        repository: "/tmp/till".to_owned(),
    };
    let mut told = lines.format(&first, NOW);
    for event in &every_kind()[..2] {
        told.push_str(&lines.write(event, NOW));
    }
    insta::assert_snapshot!(told, @r###"
    {"v":1,"seq":0,"time":"2025-11-20T10:14:03.021Z","session":null,"type":"demo_started","repository":"/tmp/till"}
    {"v":1,"seq":1,"time":"2025-11-20T10:14:03.021Z","session":"S-0007","type":"session_started","agent":"builtin","model":"model-a","effort":null,"roles":[],"recorded":false,"level":"landlock","run":"R-0003","branch":"harness/R-0003","feature":"F-012"}
    {"v":1,"seq":2,"time":"2025-11-20T10:14:03.021Z","session":"S-0007","run":"R-0003","type":"feature_status","feature":"F-012","from":"pending","to":"in_progress","reason":""}
    "###);
}

#[test]
fn money_and_tokens_go_on_from_session_to_session_of_a_run() {
    let events = every_kind();
    let mut json = JsonLines::default();
    let mut plain = Lines::default();
    let mut last = String::new();
    for event in events.iter().chain(&events) {
        json.write(event, NOW);
        let told = plain.write(event);
        if !told.is_empty() {
            last = told;
        }
    }
    // Half a dollar before, and in each of the two sessions 0.42 cents for an answer, 0.33 for
    // one that was cut and 1.335 for a note.
    assert!(last.contains("$0.54"), "{last}");
    let end = json.write(events.last().unwrap(), NOW);
    assert!(end.contains("\"usd\":0.5417"), "{end}");
}

#[test]
fn an_unknown_price_is_said_at_both_ends_and_no_cost_is_made_up() {
    let mut events = every_kind();
    if let harness_core::Event::SessionOpened(opened) = &mut events[0] {
        opened.run.model.price = None;
    }
    let (mut plain, mut json) = (Lines::default(), JsonLines::default());
    let told: String = events.iter().map(|event| plain.write(event)).collect();
    assert_eq!(told.matches("price unknown").count(), 2, "{told}");
    assert!(
        told.contains("about $0.52 and more, price unknown"),
        "{told}"
    );
    assert!(
        told.contains("agent model-a, price unknown, sandbox"),
        "{told}"
    );
    let mut end = String::new();
    for event in &events {
        end = json.write(event, NOW);
    }
    assert!(end.contains("\"usd\":null"), "{end}");
}

#[test]
fn a_log_is_told_with_what_each_request_used() {
    let mut lines = Lines::detailed();
    let events = every_kind();
    let told: Vec<String> = events
        .iter()
        .zip(0_u64..)
        .map(|(event, second)| {
            lines.at(Timestamp::from_millis(second * 1_000));
            lines.write(event)
        })
        .collect();
    let told = told.concat();
    let spent = told
        .lines()
        .filter(|line| line.contains(" tokens in, ") || line.contains(" so far"));
    insta::assert_snapshot!(spent.collect::<Vec<_>>().join("\n"), @r"
    note: turn 1: 2.0k tokens in, cache 40%, 90 out, $0.0042, $0.50 so far, 2.1 s
    note: turn 2: about 900 tokens in, 40 out, about $0.0033, about $0.51 so far
    note: hand-over: 4.0k tokens in, 90 out, $0.01, about $0.52 so far, 2.1 s
    gate: no review by judge: the server answered 401; 0 turns, 0 looks, 0 tokens in, 0 out, $0.00
    harness: session S-0007 ended: 1 turn, 6.9k tokens in, cache 11%, 220 out, about $0.02, 2 min
    harness: run ended: budget, 2 of 2 features passing, 1 turn, 6.9k tokens in, cache 11%, 220 out, about $0.52, 2 min
    ");
}

#[test]
fn a_session_that_another_follows_is_summed_up() {
    let events = every_kind();
    let mut lines = Lines::default();
    let once: String = events.iter().map(|event| lines.write(event)).collect();
    assert!(!once.contains("session S-0007 ended"), "{once}");
    let mut lines = Lines::default();
    let twice = events.iter().chain(&events).map(|event| lines.write(event));
    let twice = twice.collect::<String>();
    assert_eq!(twice.matches("session S-0007 ended: 1 turn").count(), 2);
    assert!(
        twice.contains("features passing, 2 turns, 13k tokens in"),
        "{twice}"
    );
}

#[test]
fn a_fork_says_where_it_comes_from_and_has_spent_nothing() {
    let mut lines = Lines::detailed();
    let before: String = every_kind()
        .iter()
        .map(|event| lines.write(event))
        .collect();
    assert!(before.contains("$0.50 so far"), "{before}");
    let told = lines.write(&super::events::forked());
    assert_eq!(
        told,
        "checkpoint: begins with checkpoint 3 of S-0002 (R-0001), its conversation up to turn 4; 2 files written; S-0002 stays as it is\n"
    );
    let after: String = every_kind()[1..]
        .iter()
        .map(|event| lines.write(event))
        .collect();
    assert!(after.contains("$0.0042 so far"), "{after}");
}

#[test]
fn a_session_whose_turns_began_elsewhere_says_what_its_sum_is_of() {
    let mut events = every_kind();
    for event in &mut events {
        if let harness_core::Event::TurnStarted { turn } = event {
            turn.0 = 8;
        }
    }
    let mut lines = Lines::default();
    let told = events.iter().chain(&events).map(|event| lines.write(event));
    let told = told.collect::<String>();
    let sum = "session S-0007 ended: 8 turns, since it was resumed 6.9k tokens in";
    assert_eq!(told.matches(sum).count(), 2, "{told}");
}

#[test]
fn a_limit_leaves_a_feature_for_later_and_calling_off_is_no_failure() {
    use harness_core::{EndReason, Event, FailureClass, ModelFailure, TurnNumber};
    let given_up = |reason| Event::FeatureGivenUp {
        reason,
        detail: "why".to_owned(),
    };
    let said = |event: &Event| Lines::default().write(event);
    assert_eq!(
        said(&given_up(EndReason::Budget)),
        "feature: left for later (budget): why\n"
    );
    assert_eq!(
        said(&given_up(EndReason::Limit)),
        "feature: left for later (limit): why\n"
    );
    assert_eq!(
        said(&given_up(EndReason::GatesRed)),
        "feature: left to you (gates_red): why\n"
    );
    let mut json = JsonLines::default();
    let at = Timestamp::from_millis(0);
    assert_eq!(json.write(&given_up(EndReason::Budget), at), "");
    assert!(
        json.write(&given_up(EndReason::Stuck), at)
            .contains("needs_human")
    );
    let cancelled = Event::ModelFailed {
        turn: TurnNumber(1),
        failure: ModelFailure {
            class: FailureClass::Cancelled,
            message: "the request was cancelled".to_owned(),
            status: None,
            retry_after_ms: None,
        },
        spent: None,
    };
    assert_eq!(said(&cancelled), "note: the request was cancelled\n");
}
