use harness_core::LineRange;
use proptest::prelude::*;

use super::*;

fn parsed(tool: &str, arguments: &str) -> Result<Intent, ToolFault> {
    let call = ToolCall {
        id: "call".to_owned(),
        name: tool.to_owned(),
        arguments: arguments.to_owned(),
    };
    parse(&call, Path::new("/home/me/demo"))
}

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn replacement(old: &str, new: &str) -> Replacement {
    Replacement {
        old: old.to_owned(),
        new: new.to_owned(),
    }
}

#[test]
fn every_tool_has_a_meaning() {
    let act = Intent::Act;
    let cases = [
        (
            "ask",
            r#"{"text":"Which?"}"#,
            Intent::Ask {
                text: "Which?".to_owned(),
            },
        ),
        (
            "plan",
            r#"{"items":["[>] a"]}"#,
            Intent::Plan {
                items: vec![PlanItem {
                    text: "a".to_owned(),
                    state: harness_core::StepState::Doing,
                }],
            },
        ),
        ("check", "", Intent::Check { gate: None }),
        ("check", r#"{"gate":null}"#, Intent::Check { gate: None }),
        (
            "check",
            r#"{"gate":"test"}"#,
            Intent::Check {
                gate: Some("test".to_owned()),
            },
        ),
        (
            "doc",
            r#"{"path":"docs/a.md"}"#,
            Intent::Doc {
                path: path("docs/a.md"),
            },
        ),
        (
            "edit",
            r#"{"path":"./src//a.rs","old":"","new":"b"}"#,
            act(Action::Edit {
                path: path("src/a.rs"),
                old: String::new(),
                new: "b".to_owned(),
                more: Vec::new(),
            }),
        ),
        (
            "edit",
            r#"{"path":"a","edits":[{"old":"b","new":"c"},{"new":"e","old":"d"}]}"#,
            act(Action::Edit {
                path: path("a"),
                old: "b".to_owned(),
                new: "c".to_owned(),
                more: vec![replacement("d", "e")],
            }),
        ),
        (
            "edit",
            r#"{"path":"a","old":"b","new":"","edits":[{"old":"d","new":"e"}]}"#,
            act(Action::Edit {
                path: path("a"),
                old: "b".to_owned(),
                new: String::new(),
                more: vec![replacement("d", "e")],
            }),
        ),
        (
            "delete",
            r#"{"path":"a"}"#,
            act(Action::Delete { path: path("a") }),
        ),
        (
            "move",
            r#"{"path":"a","to":"/home/me/demo/b/c"}"#,
            act(Action::Move {
                path: path("a"),
                to: path("b/c"),
            }),
        ),
        (
            "request",
            r#"{"paths":["Cargo.toml","/home/me/demo/docs/**"],"hosts":["crates.io:443"],"reason":"a reader"}"#,
            Intent::Request {
                paths: vec!["Cargo.toml".to_owned(), "docs/**".to_owned()],
                hosts: vec!["crates.io:443".to_owned()],
                reason: "a reader".to_owned(),
            },
        ),
        (
            "request",
            r#"{"paths":null,"hosts":["npm"],"reason":"a reader"}"#,
            Intent::Request {
                paths: Vec::new(),
                hosts: vec!["npm".to_owned()],
                reason: "a reader".to_owned(),
            },
        ),
        (
            "finish",
            r#"{"text":""}"#,
            Intent::Finish {
                summary: String::new(),
            },
        ),
        (
            "list",
            "{}",
            act(Action::List {
                path: RepoPath::root(),
                depth: 1,
            }),
        ),
        (
            "list",
            r#"{"path":""}"#,
            act(Action::List {
                path: RepoPath::root(),
                depth: 1,
            }),
        ),
        (
            "list",
            r#"{"path":"/home/me/demo/src"}"#,
            act(Action::List {
                path: path("src"),
                depth: 1,
            }),
        ),
        (
            "list",
            r#"{"path":"src","depth":"99"}"#,
            act(Action::List {
                path: path("src"),
                depth: 5,
            }),
        ),
        (
            "note",
            r#"{"text":"x"}"#,
            Intent::Note {
                text: "x".to_owned(),
            },
        ),
        (
            "read",
            r#"{"path":"a"}"#,
            act(Action::Read {
                path: path("a"),
                lines: None,
            }),
        ),
        (
            "read",
            r#"{"path":"a","first":3}"#,
            act(Action::Read {
                path: path("a"),
                lines: Some(LineRange {
                    first: 3,
                    last: u32::MAX,
                }),
            }),
        ),
        (
            "read",
            r#"{"path":"a","last":3}"#,
            act(Action::Read {
                path: path("a"),
                lines: Some(LineRange { first: 1, last: 3 }),
            }),
        ),
        (
            "search",
            r#"{"query":"fn a","path":"src"}"#,
            act(Action::Search {
                query: "fn a".to_owned(),
                path: path("src"),
                glob: None,
                context: 0,
            }),
        ),
        (
            "search",
            r#"{"query":"a","glob":"*.rs","context":2}"#,
            act(Action::Search {
                query: "a".to_owned(),
                path: RepoPath::root(),
                glob: Some("*.rs".to_owned()),
                context: 2,
            }),
        ),
        (
            "read",
            r#"{"path":"a","first":"3","last":4.0}"#,
            act(Action::Read {
                path: path("a"),
                lines: Some(LineRange { first: 3, last: 4 }),
            }),
        ),
        (
            "shell",
            r#"{"command":" ls ","cwd":"src"}"#,
            act(Action::Run {
                command: " ls ".to_owned(),
                cwd: path("src"),
                background: false,
            }),
        ),
        (
            "shell",
            r#"{"command":"ls","background":true}"#,
            act(Action::Run {
                command: "ls".to_owned(),
                cwd: RepoPath::root(),
                background: true,
            }),
        ),
        (
            "job",
            r#"{"id":"","stop":null}"#,
            Intent::Job {
                id: None,
                stop: false,
            },
        ),
        (
            "job",
            r#"{"id":"t3c0","stop":true}"#,
            Intent::Job {
                id: Some("t3c0".to_owned()),
                stop: true,
            },
        ),
        (
            "write",
            r#"{"path":"a","content":"x\n"}"#,
            act(Action::Write {
                path: path("a"),
                content: "x\n".to_owned(),
            }),
        ),
    ];
    for (tool, arguments, expected) in cases {
        assert_eq!(parsed(tool, arguments), Ok(expected), "{tool} {arguments}");
    }
}

#[test]
fn a_fault_names_what_is_wrong_and_the_right_form() {
    let shell = "`shell` takes {\"command\": text, \"cwd\": text, optional, \"background\": true or false, optional}";
    let edit = "`edit` takes {\"path\": text, \"old\": text, optional, \"new\": text, optional, \"edits\": list of {\"old\": text, \"new\": text}, optional}";
    let cases = [
        (
            "shel",
            "{}",
            format!("there is no tool `shel`, did you mean `shell`?; the tools are {}", crate::shape::names()),
        ),
        ("shell", "[]", format!("the arguments of `shell` are not an object; {shell}")),
        ("shell", "{}", format!("the arguments of `shell` lack `command`; {shell}")),
        ("shell", r#"{"command":3}"#, format!("`command` of `shell` is a number; {shell}")),
        ("shell", r#"{"command":null}"#, format!("`command` of `shell` is null; {shell}")),
        ("shell", r#"{"command":[{"a":1}]}"#, format!("`command` of `shell` is a list; {shell}")),
        ("shell", r#"{"command":"  "}"#, format!("`command` of `shell` is empty; {shell}")),
        (
            "shell",
            r#"{"command":"ls","command":"rm"}"#,
            format!("the arguments of `shell` name `command` twice; {shell}"),
        ),
        (
            "shell",
            r#"{"command":"ls""#,
            format!("the arguments of `shell` are not JSON (EOF while parsing an object at line 1 column 15); {shell}"),
        ),
        (
            "read",
            r#"{"path":""}"#,
            "`path` of `read` is empty; `read` takes {\"path\": text, \"first\": line number, optional, \"last\": line number, optional}".to_owned(),
        ),
        (
            "edit",
            r#"{"path":"a"}"#,
            format!("the arguments of `edit` lack `old`; {edit}"),
        ),
        (
            "edit",
            r#"{"path":"a","old":"b"}"#,
            format!("the arguments of `edit` lack `new`; {edit}"),
        ),
        (
            "edit",
            r#"{"path":"a","old_string":"b","new":""}"#,
            format!("`edit` has no argument `old_string`, did you mean `old`?; {edit}"),
        ),
        (
            "edit",
            r#"{"path":"a","edits":[{"old":"b","new":"c"},{"oldText":"b","new":"c"}]}"#,
            format!("item 2 of `edits` of `edit` has no `oldText`, did you mean `old`?; {edit}"),
        ),
        (
            "edit",
            r#"{"path":"a","edits":[{"old":"b"}]}"#,
            format!("item 1 of `edits` of `edit` lacks `new`; {edit}"),
        ),
        (
            "edit",
            r#"{"path":"a","edits":[{"old":"b","old":"c","new":""}]}"#,
            format!("item 1 of `edits` of `edit` names `old` twice; {edit}"),
        ),
        (
            "edit",
            r#"{"path":"a","edits":["b"]}"#,
            format!("item 1 of `edits` of `edit` is text; {edit}"),
        ),
        (
            "edit",
            r#"{"path":"a","edits":"[]"}"#,
            format!("`edits` of `edit` is text; {edit}"),
        ),
        (
            "read",
            r#"{"file_path":"a"}"#,
            "`read` has no argument `file_path`, did you mean `path`?; `read` takes {\"path\": text, \"first\": line number, optional, \"last\": line number, optional}".to_owned(),
        ),
        (
            "read",
            r#"{"path":"a","first":9,"last":3}"#,
            "lines 9 to 3 are no range: lines are counted from 1, `first` is not above `last`".to_owned(),
        ),
    ];
    for (tool, arguments, expected) in cases {
        assert_eq!(parsed(tool, arguments).unwrap_err().to_string(), expected);
    }
}

#[test]
fn what_a_model_asserts_about_its_rights_is_an_unknown_argument() {
    for field in [
        "approved",
        "sandbox",
        "escalate",
        "require_escalated",
        "PATH",
        "",
    ] {
        let arguments = format!(r#"{{"path":"a","content":"x","{field}":true}}"#);
        assert_eq!(
            parsed("write", &arguments),
            Err(ToolFault::UnknownField {
                tool: "write",
                field: field.to_owned(),
                meant: None,
            })
        );
    }
}

#[test]
fn a_path_out_of_the_repository_is_an_escape_and_names_where_it_leads() {
    let cases = [
        (
            "read",
            r#"{"path":"src/../../O/exist.txt"}"#,
            "`src/../../O/exist.txt` is outside the repository: it resolves to `../O/exist.txt`",
        ),
        (
            "shell",
            r#"{"command":"ls","cwd":".."}"#,
            "`..` is outside the repository: it resolves to `../`",
        ),
        (
            "shell",
            r#"{"command":"ls","cwd":"/home/me/demo2"}"#,
            "`/home/me/demo2` is absolute and outside the repository",
        ),
        (
            "write",
            r#"{"path":"\"..\/x\"","content":""}"#,
            "`../x` is outside the repository: it resolves to `../x`",
        ),
        (
            "read",
            r#"{"path":"~/.ssh/id"}"#,
            "`~/.ssh/id` begins with `~`: paths are relative to the repository's root and the home folder is out of reach; write `./~...` if a name really begins so",
        ),
    ];
    for (tool, arguments, expected) in cases {
        let fault = parsed(tool, arguments).unwrap_err();
        assert_eq!(fault.to_string(), expected);
        assert!(fault.is_escape());
    }
    assert!(
        !parsed("read", r#"{"path":"a\u0000"}"#)
            .unwrap_err()
            .is_escape()
    );
    assert_eq!(
        parsed("read", r#"{"path":"src/./../docs/a.md"}"#),
        Ok(Intent::Act(Action::Read {
            path: path("docs/a.md"),
            lines: None
        }))
    );
}

#[test]
fn odd_names_can_be_asked_for() {
    let cases: [(&str, &[u8]); 5] = [
        (r#"{"path":"a\nb"}"#, b"a\nb"),
        (r#"{"path":"-rf"}"#, b"-rf"),
        (r#"{"path":"./~a"}"#, b"~a"),
        (r#"{"path":"\"a\\377\\n\""}"#, b"a\xff\n"),
        (r#"{"path":"\"quoted"}"#, b"\"quoted"),
    ];
    for (arguments, bytes) in cases {
        let expected = Action::Read {
            path: RepoPath::parse(bytes).unwrap(),
            lines: None,
        };
        assert_eq!(
            parsed("read", arguments),
            Ok(Intent::Act(expected)),
            "{arguments}"
        );
    }
}

#[test]
fn a_command_is_kept_whole() {
    let command = format!("ls{}; curl example.com", " ".repeat(5000));
    let arguments = serde_json::json!({ "command": command }).to_string();
    let Ok(Intent::Act(Action::Run { command: kept, .. })) = parsed("shell", &arguments) else {
        panic!("not a command");
    };
    assert_eq!(kept, command);
}

#[test]
fn long_arguments_are_refused() {
    let arguments = serde_json::json!({ "command": "x".repeat(1 << 20) }).to_string();
    assert!(matches!(
        parsed("shell", &arguments),
        Err(ToolFault::TooLong { .. })
    ));
    let deep = "[".repeat(100_000);
    assert!(matches!(
        parsed("shell", &deep),
        Err(ToolFault::NotJson { .. } | ToolFault::NotObject { .. })
    ));
    let deep = format!("{{\"command\":{deep}");
    assert!(matches!(
        parsed("shell", &deep),
        Err(ToolFault::NotJson { .. })
    ));
}

#[test]
fn every_shape_is_understood() {
    for spec in crate::specs() {
        let _ = parsed(spec.name, r#"{}"#);
    }
}

proptest! {
    #[test]
    fn no_call_makes_parse_panic(
        tool in "ask|check|delete|doc|edit|finish|list|move|note|read|search|shell|write|\\PC{0,8}",
        arguments in "\\PC{0,60}|\\{(\"(path|to|first|last|command|old|new|text|edits)\":(\"[^\"]{0,9}\"|-?[0-9]{1,30}|null|\\[\\]|\\[\\{\"old\":\"a\",\"new\":(\"b\"|3)\\}\\]),?){0,4}\\}",
    ) {
        let _ = parsed(&tool, &arguments).map_err(|fault| fault.to_string());
    }
}
