//! A session with every kind of event, in the form the log has them.

use harness_core::{
    DirtyMode, Event, Feature, FeatureId, FeatureStatus, Goal, Level, Limits, ModelProfile, Money,
    Policy, Price, Roles, RunId, RunState, SessionId, SessionOpened, Timestamp, TokenCount, Usage,
};

/// What follows the opening, one record per line.
const RECORDS: &str = r##"
{"type":"feature_status_changed","feature":"F-012","from":"pending","to":"in_progress","reason":""}
{"type":"person_said","text":"continue with F-012\nand mind the quotes"}
{"type":"turn_started","turn":1}
{"type":"model_failed","turn":1,"failure":{"class":"overloaded","message":"the server answered 529","status":529,"retry_after_ms":null}}
{"type":"provider_retried","turn":1,"attempt":1,"delay_ms":1500,"reason":"the server answered 529"}
{"type":"retry_due","turn":1}
{"type":"model_responded","turn":1,"response":{"parts":[{"type":"thinking","text":"hm","signature":null},{"type":"text","text":"The writer drops quotes.\nI will fix `escape`."},{"type":"tool_call","id":"a","name":"read","arguments":"{}"}],"stop":"tool_use","usage":{"input":1200,"cache_read":800,"cache_write":0,"output":90}},"cost":4200,"ms":2100}
{"type":"call_judged","call":{"turn":1,"index":0},"tool":"read","action":{"kind":"read","path":"src/csv.rs","lines":{"first":1,"last":20}},"verdict":{"decision":"allow","reason":"inside the repository"}}
{"type":"call_ended","call":{"turn":1,"index":0},"end":{"how":"done","outcome":{"kind":"text","text":"fn escape","lines":20,"cut":true}},"ms":3}
{"type":"call_judged","call":{"turn":1,"index":1},"tool":"edit","action":{"kind":"edit","path":"src/csv.rs","old":"a","new":"b"},"verdict":{"decision":"allow","reason":"in the scope"}}
{"type":"link_met","call":{"turn":1,"index":1},"link":"src/csv.rs","target":"export/csv.rs","resolved":"src/export/csv.rs"}
{"type":"call_ended","call":{"turn":1,"index":1},"end":{"how":"done","outcome":{"kind":"written","created":false,"added":6,"removed":2,"inexact":"found with other indentation"}},"ms":4}
{"type":"call_judged","call":{"turn":1,"index":2},"tool":"write","action":{"kind":"write","path":"src/schema.rs","content":"x"},"verdict":{"decision":"deny","reason":"write `src/schema.rs`: not in the write scope; allowed: `src/export/**`","rule":null}}
{"type":"call_ended","call":{"turn":1,"index":2},"end":{"how":"refused","reason":"not in the write scope"},"ms":0}
{"type":"call_judged","call":{"turn":1,"index":3},"tool":"delete","verdict":{"decision":"deny","reason":"there is no such tool"}}
{"type":"call_ended","call":{"turn":1,"index":3},"end":{"how":"answered","text":"there is no such tool","is_error":true},"ms":0}
{"type":"call_judged","call":{"turn":1,"index":4},"tool":"shell","action":{"kind":"run","command":"cargo test\n# and more","cwd":"."},"verdict":{"decision":"allow","reason":"in the cage"}}
{"type":"call_ended","call":{"turn":1,"index":4},"end":{"how":"done","outcome":{"kind":"exited","stop":{"exited":101},"output":{"head":"FAILED","tail":"","bytes":2048}}},"ms":3250}
{"type":"call_judged","call":{"turn":1,"index":5},"tool":"shell","action":{"kind":"run","command":"sleep 9","cwd":"src"},"verdict":{"decision":"ask","reason":"run `sleep 9`? it waits"}}
{"type":"call_ended","call":{"turn":1,"index":5},"end":{"how":"cancelled"},"ms":9}
{"type":"call_judged","call":{"turn":1,"index":6},"tool":"search","action":{"kind":"search","query":"escape\\(","path":"src"},"verdict":{"decision":"allow","reason":""}}
{"type":"call_ended","call":{"turn":1,"index":6},"end":{"how":"failed","message":"cannot open `src`: permission denied"},"ms":1}
{"type":"call_judged","call":{"turn":1,"index":7},"tool":"list","action":{"kind":"list","path":"."},"verdict":{"decision":"allow","reason":""}}
{"type":"call_ended","call":{"turn":1,"index":7},"end":{"how":"lost"},"ms":0}
{"type":"call_judged","call":{"turn":1,"index":8},"tool":"edit","action":{"kind":"edit","path":"src/a","old":"a","new":"b"},"verdict":{"decision":"allow","reason":""}}
{"type":"call_ended","call":{"turn":1,"index":8},"end":{"how":"done","outcome":{"kind":"refused","message":"the text was found 3 times"}},"ms":0}
{"type":"document_loaded","path":"docs/csv.md","tokens":77}
{"type":"document_loaded","path":"src/export/AGENTS.md","tokens":40,"text":"Exports live here."}
{"type":"note_taken","text":"Quotes are doubled, not escaped."}
{"type":"question_asked","call":{"turn":1,"index":9},"question":"Which separator?\n1 comma\n2 semicolon"}
{"type":"question_answered","call":{"turn":1,"index":9},"answer":"comma"}
{"type":"person_said","text":"and the header","urgency":"now"}
{"type":"person_took_back","text":"and the header"}
{"type":"person_awaited"}
{"type":"claim_taken"}
{"type":"stop_requested"}
{"type":"network_used","host":"static.crates.io","port":443,"allowed":true,"reason":"","sent":517,"received":90112,"ms":250}
{"type":"network_used","host":"static.crates.io","port":443,"allowed":true,"reason":"","sent":517,"received":90112,"ms":250}
{"type":"network_used","host":"static.crates.io","port":443,"allowed":true,"reason":"the connection was closed at its time limit","sent":517,"received":90112,"ms":250}
{"type":"network_used","host":"example.org","port":80,"allowed":false,"reason":"not one of the hosts that are open","sent":0,"received":0,"ms":1}
{"type":"network_used","host":"example.org","port":80,"allowed":false,"reason":"not one of the hosts that are open","sent":0,"received":0,"ms":1}
{"type":"nudged","text":"The same call again: try something else."}
{"type":"checkpoint_saved","number":4,"commit":"1111111111111111111111111111111111111111","tree":"2222222222222222222222222222222222222222","changes":[{"path":"src/csv.rs","kind":"modified"},{"path":"tests/csv.rs","kind":"added"},{"path":"src/old.rs","kind":"deleted"},{"path":"a","kind":"added"},{"path":"b","kind":"added"},{"path":"c","kind":"added"},{"path":"d","kind":"added"}],"ms":12}
{"type":"checkpoint_unchanged"}
{"type":"checkpoint_failed","message":"cannot write an object: no space left on device"}
{"type":"stray_undone","path":"docs/stray.md","message":"put into quarantine"}
{"type":"stray_undone","path":"docs/a.md","message":"put back; its bytes are kept for the person","why":"not in the write scope; allowed: `src/**`","restored":true,"quarantine":"harness/quarantine/S-0001/1"}
{"type":"stray_undone","path":"data/big.bin","message":"it cannot be put back: it was too large to be kept","why":"not in the write scope; allowed: `src/**`"}
{"type":"changed_outside","paths":["docs/b.md","a","b","c","d","e"],"more":2}
{"type":"manifest_short","message":"3 files, 80 MiB, are more than is kept"}
{"type":"baseline_ended","report":{"gate":"lint","argv":["cargo","clippy"],"stop":{"exited":0},"ms":1200,"status":"green","reason":"","tests":null,"excerpt":"","output":{"head":"","tail":"","bytes":0},"output_sha256":"00"},"cached":true}
{"type":"baseline_ended","report":{"gate":"test","argv":["cargo","test"],"stop":{"exited":101},"ms":9800,"status":"red","reason":"1 of 212 tests failed: old","tests":{"run":212,"failed":1,"skipped":0},"excerpt":"","output":{"head":"","tail":"","bytes":0},"output_sha256":"00"},"cached":false}
{"type":"baseline_failed","message":"cannot check out the base"}
{"type":"finish_requested","call":{"turn":2,"index":0},"summary":"Quotes are doubled now."}
{"type":"candidate_frozen","candidate":"5555555555555555555555555555555555555555","tree":"2222222222222222222222222222222222222222","work_tree":"3333333333333333333333333333333333333333","changes":[],"findings":[]}
{"type":"candidate_failed","message":"cannot read `src/csv.rs`"}
{"type":"gate_started","gate":"test"}
{"type":"check_ended","report":{"gate":"test","argv":["cargo","test"],"stop":{"exited":101},"ms":9800,"status":"red","reason":"1 of 212 tests failed: csv::quotes","tests":{"run":212,"failed":1,"skipped":0},"failed_tests":["csv::quotes"],"excerpt":"csv::quotes at tests/csv.rs:33\n\nexpected a\"\"b\ngot      a\"b","output":{"head":"","tail":"","bytes":9},"output_sha256":"00"}}
{"type":"gate_ended","gate":"test","status":"red"}
{"type":"check_ended","report":{"gate":"slow","argv":["sleep","999"],"stop":"timed_out","ms":60000,"status":"timeout","reason":"longer than 1m","tests":null,"excerpt":"","output":{"head":"","tail":"","bytes":0},"output_sha256":"00"}}
{"type":"check_ended","report":{"gate":"gone","argv":["no-such"],"stop":null,"ms":0,"status":"error","reason":"there is no program `no-such`","tests":null,"excerpt":"","output":{"head":"","tail":"","bytes":0},"output_sha256":"00"}}
{"type":"finish_refused","reason":"gate test red: 1 of 212 tests failed: csv::quotes","findings":[{"kind":"tests_skipped","path":"tests/csv.rs","message":"a test is ignored now"}]}
{"type":"check_ended","report":{"gate":"test","argv":["cargo","test"],"stop":{"exited":0},"ms":9100,"status":"green","reason":"1 known failure","tests":{"run":213,"failed":0,"skipped":2},"excerpt":"","output":{"head":"","tail":"","bytes":9},"output_sha256":"00"}}
{"type":"commit_failed","message":"HEAD has moved","needs_human":true}
{"type":"feature_passed","feature":"F-012","commit":"4444444444444444444444444444444444444444","tree":"2222222222222222222222222222222222222222","work_tree":"3333333333333333333333333333333333333333","evidence":".harness/evidence/F-012.json"}
{"type":"feature_status_changed","feature":"F-012","from":"verifying","to":"passing","reason":"passed"}
{"type":"feature_given_up","reason":"gates_red","detail":"3 attempts, gate test stays red"}
{"type":"work_set_aside","files":2}
{"type":"work_set_aside","files":0,"message":"`src/a` was changed by somebody else"}
{"type":"open_failed","message":"cannot read HEAD"}
{"type":"setup_started","run":["npm","ci"],"place":"work_tree","network":["registry.npmjs.org:443"]}
{"type":"setup_ended","run":["npm","ci"],"place":"work_tree","end":"done","ms":2150}
{"type":"setup_ended","run":["npm","ci"],"place":"base","end":"failed","message":"exit code 1\nnpm error EROFS","ms":310}
{"type":"setup_ended","run":["npm","ci"],"place":"candidate","end":"cancelled","ms":12}
{"type":"budget_warned","what":"$4.00 of $5.00 used"}
{"type":"interrupted"}
{"type":"stop_decided","reason":"budget","detail":"$5.00 used; raise it with --max-usd"}
{"type":"session_resumed","attended":false,"model":{"name":"model-a","id":"model-a-1","context":200000,"output":8000,"price":null,"recorded":false},"limits":{"usd":null,"turns":200,"time":{"secs":14400,"nanos":0},"attempts":3,"output":1048576,"command":{"secs":600,"nanos":0},"silence":{"secs":120,"nanos":0},"patience":{"secs":60,"nanos":0},"idle":{"secs":60,"nanos":0},"memory":4294967296,"processes":512},"found":{"turn":4,"feature":"F-012","in_flight":[{"kind":"command","what":"`make\u001b[31m\nall`, call 4.0","fate":"unknown"},{"kind":"gate","what":"test","fate":"again"},{"kind":"question","what":"call 4.1","fate":"asked"}],"differs":[{"kind":"files","text":"`src/a.rs` changed since checkpoint 3","done":"kept as part of the work; the agent is told","paths":["src/a.rs"],"more":2},{"kind":"model","text":"`a` answered before, `b` answers now","done":"it goes on with the same conversation"}]}}
{"type":"model_failed","turn":2,"failure":{"class":"auth","message":"401: the key is not known","status":401,"retry_after_ms":null}}
{"type":"approval_asked","call":{"turn":1,"index":5},"subject":{"kind":"action","action":{"kind":"run","command":"sleep 9\n# and more","cwd":"src"}},"reason":"it waits","rule":{"text":"sleep ...","origin":"harness.toml:9"},"always":{"prefix":["sleep","9"],"exact":true,"decision":"allow","reason":"a person said always"}}
{"type":"approval_answered","call":{"turn":1,"index":5},"answer":{"how":"no","reason":"too long"}}
{"type":"approval_answered","call":{"turn":1,"index":5},"answer":{"how":"always","rule":{"prefix":["sleep"],"decision":"allow","reason":"a person said always"},"problem":"cannot write `rules.toml`"}}
{"type":"approval_asked","call":{"turn":1,"index":5},"subject":{"kind":"amendment","amendment":{"feature":"F-012","write":["docs/**"],"may_change":["Cargo.toml"],"hosts":[{"host":"crates.io","port":443,"origin":"approved"}],"reason":"needs a reader"}},"reason":"needs a reader"}
{"type":"approval_answered","call":{"turn":1,"index":5},"answer":{"how":"once"}}
{"type":"feature_amended","call":{"turn":1,"index":5},"amendment":{"feature":"F-012","write":["docs/**"],"may_change":["Cargo.toml"],"hosts":[{"host":"crates.io","port":443,"origin":"approved"}],"reason":"needs a reader"}}
{"type":"check_ended","report":{"gate":"test","argv":["cargo","test"],"stop":{"exited":0},"ms":900,"status":"green","reason":"","tests":{"run":3,"failed":0,"skipped":0},"excerpt":"","output":{"head":"","tail":"","bytes":0},"output_sha256":"00","retried":true}}
{"type":"negative_control_ended","control":{"left_out":"tests inside Rust source files stand with the code and are not tried","checks":[{"gate":"test","outcome":"proves_nothing","tests":["csv::trivial"],"count":1,"ms":812},{"gate":"unit","outcome":"needed","reason":"exit 101","ms":400},{"gate":"e2e","outcome":"skipped","reason":"it takes longer than the gate itself","ms":9000}]}}
{"type":"negative_control_ended","control":{"skipped":"no test file was added or changed"}}
{"type":"approval_asked","call":{"turn":3,"index":0},"subject":{"kind":"findings","feature":"F-012","findings":[{"kind":"tests_skipped","path":"tests/csv.rs","message":"1 test is newly skipped: `quotes`","line":12,"id":"0a1b2c3d","hunk":"@@ -11,2 +11,3 @@\n #[test]\n+#[ignore]\n fn quotes() {\n"}]},"reason":"1 finding in `tests/csv.rs:12`: 1 test is newly skipped: `quotes` [0a1b2c3d]"}
{"type":"approval_answered","call":{"turn":3,"index":0},"answer":{"how":"once"}}
{"type":"findings_approved","feature":"F-012","findings":[{"kind":"tests_skipped","path":"tests/csv.rs","message":"1 test is newly skipped: `quotes`","line":12,"id":"0a1b2c3d","hunk":"@@ -11,2 +11,3 @@\n #[test]\n+#[ignore]\n fn quotes() {\n"}],"how":"asked"}
{"type":"finish_refused","reason":"1 finding in `cfg.toml:2`: `fail_under` is lowered from 90 to 80 [4e5f6071]","findings":[{"kind":"threshold_lowered","path":"cfg.toml","message":"`fail_under` is lowered from 90 to 80","line":2,"id":"4e5f6071","hunk":"-fail_under = 90\n+fail_under = 80\n"}]}
{"type":"model_changed","from":"model-a","model":{"name":"model-b","id":"model-b-1","context":200000,"output":8000,"price":{"input":0,"output":0,"cache_read":0,"cache_write":0},"recorded":false},"reason":"the server answered 529"}
{"type":"model_failed","turn":2,"failure":{"class":"broken","message":"the stream was cut","status":null,"retry_after_ms":null},"spent":{"usage":{"input":900,"cache_read":0,"cache_write":0,"output":40},"cost":3300,"estimated":true}}
{"type":"budget_warned","what":"160 of 200 turns are used","limit":"turns"}
{"type":"handed_over","feature":"F-012","note":"A heading\n\n- Done: src/csv.rs doubles quotes\n- Next: line ends\n","by_model":true,"spent":{"usage":{"input":4000,"cache_read":0,"cache_write":0,"output":90},"cost":13350},"ms":2100}
{"type":"handed_over","feature":"F-012","note":"- Next: line ends\n","problem":"the model wrote no note: 529","ms":2}
{"type":"allowance_told","allowances":[{"limit":"requests","left":0,"of":50,"until":"2025-11-20T10:32:05.000Z"}]}
{"type":"request_paced","turn":2,"delay_ms":11200,"limit":"requests","until":"2025-11-20T10:32:05.000Z"}
{"type":"request_paced","turn":2,"delay_ms":120000,"limit":"tokens","until":"9999-11-20T10:32:05.000Z"}
{"type":"formatted","call":{"turn":2,"index":0},"run":["rustfmt","--edition","2024"],"paths":["src/csv.rs"],"changed":["src/csv.rs"],"ms":41}
{"type":"formatted","call":{"turn":2,"index":1},"run":["rustfmt"],"paths":["src/csv.rs"],"problem":"it exited with 1: error: expected one of `!`","ms":12}
{"type":"formatted","call":{"turn":2,"index":2},"run":["gofmt","-w"],"paths":["a.go"],"ms":9}
{"type":"call_judged","call":{"turn":3,"index":0},"tool":"shell","action":{"kind":"run","command":"npm run dev","cwd":"web","background":true},"verdict":{"decision":"allow","reason":"in the cage"}}
{"type":"job_started","call":{"turn":3,"index":0},"command":"npm run dev\n# and more"}
{"type":"call_ended","call":{"turn":3,"index":0},"end":{"how":"answered","text":"runs","is_error":false},"ms":1000}
{"type":"job_ended","call":{"turn":3,"index":0},"end":{"how":"ended","stop":{"exited":1}},"ms":12000}
{"type":"job_ended","call":{"turn":3,"index":1},"end":{"how":"stopped"},"ms":12000}
{"type":"job_ended","call":{"turn":3,"index":2},"end":{"how":"failed","message":"it could not be held still"},"ms":12000}
{"type":"job_ended","call":{"turn":3,"index":3},"end":{"how":"lost"},"ms":0}
{"type":"beside","conversation":{"kind":"explore","number":1},"happened":{"what":"link_met","call":{"turn":1,"index":0},"link":"src/csv.rs","target":"export/csv.rs"}}
{"type":"change_shown","tree":"2222222222222222222222222222222222222222","diff":"changed src/csv.rs, +1 -1\n","files":1}
{"type":"reviewed","conversation":{"kind":"reviewer","number":2},"model":"judge","tree":"2222222222222222222222222222222222222222","seen_sha256":"","verdict":"failed","problem":"the server answered 401","used":{"turns":0,"calls":0,"usage":{"input":0,"cache_read":0,"cache_write":0,"output":0},"cost":0}}
{"type":"features_proposed","call":{"turn":2,"index":0},"proposal":{"id":"P-0003","goal":"import tables","features":[{"title":"Import CSV\u001b[31m","acceptance":["a comma in quotes stays"]},{"title":"Report bad rows","description":"Each with its line.","acceptance":["the line is named"],"steps":["count lines"],"after":[1],"depends_on":["F-010"],"write":["src/import/**"],"gates":["test"],"priority":2}]}}
{"type":"proposal_kept","call":{"turn":2,"index":0}}
{"type":"proposal_kept","call":{"turn":2,"index":0},"problem":"no space left on device"}
{"type":"approval_asked","call":{"turn":2,"index":0},"subject":{"kind":"features","proposal":{"id":"P-0003","goal":"import tables","features":[{"title":"Import CSV","acceptance":["a comma in quotes stays"]},{"title":"Report bad rows","acceptance":["the line is named"]}]}},"reason":"import tables"}
{"type":"approval_answered","call":{"turn":2,"index":0},"answer":{"how":"part","without":[2]}}
{"type":"proposal_settled","call":{"turn":2,"index":0},"proposal":"P-0003","word":{"word":"accepted","without":[2]},"features":[{"number":1,"feature":"F-013","title":"Import CSV"}],"file":"feature_list.json","remarks":["F-010 is taken as it stands"]}
{"type":"proposal_settled","call":{"turn":2,"index":0},"proposal":"P-0003","word":{"word":"accepted"},"problem":"the list cannot be read"}
{"type":"proposal_settled","call":{"turn":2,"index":0},"proposal":"P-0003","word":{"word":"refused"}}
{"type":"question_asked","call":{"turn":2,"index":0},"question":"Which port?","id":"Q-0003"}
{"type":"question_put_off","call":{"turn":2,"index":0}}
{"type":"question_put_off","call":{"turn":2,"index":0},"waited":true}
{"type":"answer_taken","question":"Q-0003","feature":"F-012","asked":"Which port?","answer":"8080\nor 8081","by":"ana","at":"2025-11-20T10:32:05.000Z"}
{"type":"work_brought_back","feature":"F-012","files":2}
{"type":"work_brought_back","feature":"F-012","files":0,"message":"other work has changed `src/csv.rs` since; it is checkpoint 4 of S-0001"}
{"type":"rewind_asked","turn":1,"what":"both"}
{"type":"rewound","turn":1,"what":"both","checkpoint":2,"paths":["src/csv.rs","src/new.rs"],"more":1}
{"type":"rewound","turn":1,"what":"talk"}
{"type":"rewind_refused","turn":9,"reason":"there is no turn 9: the session has turns 1 to 2"}
{"type":"plan_set","call":{"turn":2,"index":1},"items":[{"text":"read the writer","state":"done"},{"text":"double quotes","state":"doing"},{"text":"line ends"}]}
{"type":"window_cut","dropped":[{"message":2,"part":0,"tool":"read","bytes":9000,"stub":"[dropped to make room: `read` `src/csv.rs`, 9000 bytes; `read` it again if you need it]"},{"message":4,"part":0,"tool":"shell","bytes":8000,"stub":"[dropped to make room: `shell` `cargo test` (exit 101), 8000 bytes; run it again if you need it]"}],"before":150400,"after":99800,"window":200000,"restored":"gates and scope"}
{"type":"window_full","need":151000,"window":200000,"number":1,"reason":"the window is full (151k tokens of 200k tokens)"}
{"type":"review_changed","must_fix":[{"number":1,"place":"src/csv.rs:12","text":"also a newline?\u001b[2J"},{"number":2,"place":"the whole change","text":"why?","waits_for_person":true}],"more":1,"asked":[1],"told":{"comments":[{"number":1,"since":"2025-11-20T10:32:05.000Z"}],"text":"#1 must-fix at src/csv.rs:12\n"},"rejections":[{"id":"0a1b2c3d4e5f6071","hunk":"0a1b2c3d4e5f","path":"src/csv.rs","reason":"not needed","patch":"-let a = 1;\n"}]}
{"type":"review_changed"}
{"type":"turned_down","parts":[{"id":"0a1b2c3d4e5f6071","hunk":"0a1b2c3d4e5f","path":"src/csv.rs","end":{"is":"applied"}},{"id":"1a1b2c3d4e5f6071","hunk":"1a1b2c3d4e5f","path":"src/csv.rs","end":{"is":"withdrawn"}},{"id":"2a1b2c3d4e5f6071","hunk":"2a1b2c3d4e5f","path":"src/csv.rs","end":{"is":"clash","why":"it is not there any more","line":4,"wanted":"let a = 0;\n","found":"let a = 2;\u202e\n"}}]}
{"type":"turned_down","parts":[],"problem":"no space left on device"}
{"type":"comment_answered","call":{"turn":2,"index":1},"number":1,"text":"It is doubled now.\nAnd tested."}
{"type":"session_ended","reason":"budget"}
{"type":"run_ended","reason":"budget","detail":"$5.00 of $5.00 used\ngo on with `harness resume --last --max-usd 8`"}
"##;

/// Returns a session with every kind of event but [`forked`], most of which never meet in one.
pub(crate) fn every_kind() -> Vec<Event> {
    let read =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    let records = RECORDS.lines().filter(|line| !line.is_empty()).map(read);
    std::iter::once(opened()).chain(records).collect()
}

/// Returns what begins a run with another one's work: all sums begin anew with it.
pub(super) fn forked() -> Event {
    Event::Forked(Box::new(harness_core::Forked {
        session: SessionId::new(2),
        run: RunId::new(1),
        checkpoint: harness_core::CheckpointNumber(3),
        turn: harness_core::TurnNumber(4),
        files: 2,
    }))
}

/// The moment at which everything happens.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_763_633_643_021);

fn opened() -> Event {
    let id = |text: &str| FeatureId::new(text).unwrap();
    let mut done = Feature::titled(id("F-010"), "Import");
    done.status = FeatureStatus::Passing;
    let model = ModelProfile {
        name: "model-a".to_owned(),
        id: "model-a-1".to_owned(),
        provider: String::new(),
        context: TokenCount(200_000),
        output: TokenCount(8_000),
        price: Some(Price::default()),
        effort: None,
        beyond: None,
        recorded: false,
    };
    let commit = "0000000000000000000000000000000000000000";
    let run = RunState {
        run: RunId::new(3),
        started_at: NOW,
        goal: Goal::All,
        policy: policy(),
        features: vec![done, Feature::titled(id("F-012"), "Export as CSV")],
        model,
        fallback: Vec::new(),
        roles: Roles::default(),
        attended: false,
        steered: false,
        dirty: DirtyMode::Refuse,
        base: commit.parse().unwrap(),
        tip: commit.parse().unwrap(),
        work_start: None,
        given_up: Vec::new(),
        attempts: 0,
        usage: Usage::default(),
        spent: Money::from_usd(0.5),
        by_hand: None,
        approved: Vec::new(),
        account: harness_core::Account::default(),
        prompts: std::collections::BTreeMap::new(),
        kept: harness_core::Kept::default(),
        work: Vec::new(),
        lands: None,
    };
    Event::SessionOpened(Box::new(SessionOpened {
        session: SessionId::new(7),
        run,
        feature: id("F-012"),
        repository: "demo".to_owned(),
        root: "/home/me/demo".to_owned(),
        branch: "harness/R-0003".to_owned(),
        level: Level::Landlock,
        start_tree: commit.parse().unwrap(),
        start_checkpoint: commit.parse().unwrap(),
        sources: Vec::new(),
        documents: None,
    }))
}

fn policy() -> Policy {
    let path = |text: &str| harness_core::RepoPath::parse(text).unwrap();
    Policy {
        scope: harness_core::ScopeRules::default(),
        gates: Vec::new(),
        commands: Vec::new(),
        limits: Limits::default(),
        isolate: true,
        feature_file: path("feature_list.json"),
        progress_file: path("progress.md"),
        map_file: "AGENTS.md".to_owned(),
        context_budget: TokenCount(16_000),
        network: Vec::new(),
        network_closed: String::new(),
        formats: Vec::new(),
        amendments: Vec::new(),
        review: harness_core::ReviewBy::None,
    }
}

/// Gives each kind of event a number; a new kind does not compile until it has one.
const fn number(event: &Event) -> usize {
    match event {
        Event::SessionOpened(_) => 0,
        Event::SessionResumed { .. } => 1,
        Event::SessionEnded { .. } => 2,
        Event::RunEnded { .. } => 3,
        Event::PersonSaid { .. } => 4,
        Event::Interrupted => 5,
        Event::TurnStarted { .. } => 6,
        Event::ModelResponded(_) => 7,
        Event::ModelFailed { .. } => 8,
        Event::ProviderRetried { .. } => 9,
        Event::RetryDue { .. } => 10,
        Event::CallJudged { .. } => 11,
        Event::LinkMet { .. } => 12,
        Event::CallEnded { .. } => 13,
        Event::DocumentLoaded { .. } => 14,
        Event::NoteTaken { .. } => 15,
        Event::QuestionAsked { .. } => 16,
        Event::QuestionAnswered { .. } => 17,
        Event::Nudged { .. } => 18,
        Event::CheckpointSaved(_) => 19,
        Event::CheckpointUnchanged => 20,
        Event::CheckpointFailed { .. } => 21,
        Event::StrayUndone { .. } => 22,
        Event::BaselineEnded { .. } => 23,
        Event::BaselineFailed { .. } => 24,
        Event::FinishRequested { .. } => 25,
        Event::CandidateFrozen(_) => 26,
        Event::CandidateFailed { .. } => 27,
        Event::GateStarted { .. } => 28,
        Event::CheckEnded { .. } => 29,
        Event::GateEnded { .. } => 30,
        Event::FinishRefused { .. } => 31,
        Event::FeaturePassed(_) => 32,
        Event::CommitFailed { .. } => 33,
        Event::FeatureStatusChanged { .. } => 34,
        Event::FeatureGivenUp { .. } => 35,
        Event::WorkSetAside { .. } => 36,
        Event::OpenFailed { .. } => 37,
        Event::BudgetWarned { .. } => 38,
        Event::StopDecided { .. } => 39,
        Event::PersonTookBack { .. } => 40,
        Event::PersonAwaited => 41,
        Event::ClaimTaken => 42,
        Event::StopRequested => 43,
        Event::NetworkUsed(_) => 44,
        Event::ChangedOutside { .. } => 45,
        Event::ManifestShort { .. } => 46,
        Event::ApprovalAsked(_) => 47,
        Event::ApprovalAnswered { .. } => 48,
        Event::FeatureAmended { .. } => 49,
        Event::SetupStarted { .. } => 50,
        Event::SetupEnded { .. } => 51,
        Event::NegativeControlEnded { .. } => 52,
        Event::FindingsApproved { .. } => 53,
        Event::ModelChanged { .. } => 54,
        Event::HandedOver(_) => 55,
        Event::AllowanceTold { .. } => 56,
        Event::RequestPaced { .. } => 57,
        Event::Formatted(_) => 58,
        Event::JobStarted { .. } => 59,
        Event::JobEnded { .. } => 60,
        Event::Beside(_) => 61,
        Event::ChangeShown(_) => 62,
        Event::Reviewed(_) => 63,
        Event::FeaturesProposed { .. } => 64,
        Event::ProposalKept { .. } => 65,
        Event::ProposalSettled(_) => 66,
        Event::QuestionPutOff { .. } => 67,
        Event::AnswerTaken(_) => 68,
        Event::WorkBroughtBack { .. } => 69,
        Event::RewindAsked { .. } => 70,
        Event::Rewound(_) => 71,
        Event::RewindRefused { .. } => 72,
        Event::PlanSet(_) => 73,
        Event::WindowCut(_) => 74,
        Event::WindowFull(_) => 75,
        Event::Forked(_) => 76,
        Event::ReviewChanged(_) => 77,
        Event::TurnedDown(_) => 78,
        Event::CommentAnswered(_) => 79,
    }
}

#[test]
fn every_kind_of_event_is_among_them() {
    let events = every_kind().into_iter().chain([forked()]);
    let mut numbers: Vec<usize> = events.map(|event| number(&event)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (0..80).collect::<Vec<_>>());
}
