use super::{messages, repository, shown, user};
use crate::{ConfigError, ConfigFile, FILE_BYTES_MAX};

fn error_of(text: &str) -> ConfigError {
    repository(text).expect_err("the text is wrong")
}

#[test]
fn an_unknown_table_names_file_line_key_and_nearest_key() {
    let error = error_of("[scope]\nwrite = [\"src/**\"]\n\n[gaet]\nname = \"test\"\n");
    assert_eq!(
        (error.line(), error.column(), error.key()),
        (Some(4), Some(2), Some("gaet"))
    );
    insta::assert_snapshot!(shown(&error), @r#"
    error: cannot read `harness.toml`, line 4: unknown key `gaet`
    hint: did you mean `gate`?
     --> harness.toml:4:2
      |
    4 | [gaet]
      |  ^^^^
    "#);
}

#[test]
fn an_unknown_key_of_a_gate_names_the_gate() {
    let error = error_of("[[gate]]\nname = \"unit\"\nrun = [\"true\"]\ntiemout = 5\n");
    assert_eq!(error.key(), Some("gate.tiemout"));
    insta::assert_snapshot!(shown(&error), @r#"
    error: cannot read gate `unit` in `harness.toml`, line 4: unknown key `tiemout`
    hint: did you mean `timeout`?
     --> harness.toml:4:1
      |
    4 | tiemout = 5
      | ^^^^^^^
    "#);
}

#[test]
fn the_first_fault_of_the_file_is_reported() {
    let error = error_of("zzz = 1\n[gaet]\n[context]\nbudgte = 1\n[agent]\nmodle = 1\n");
    assert_eq!(error.line(), Some(1));
    let error = error_of("[[gate]]\nname = \"a\"\nrun = [\"true\"]\ntiemout = 5\n[aaa]\n");
    assert_eq!(error.line(), Some(4));
}

#[test]
fn unknown_keys_are_found_at_every_level() {
    insta::assert_snapshot!(messages(repository, &[
        "gaet = 1",
        "turns = 3",
        "whatever = 3",
        "[scope]\nwirte = []",
        "scope = { wirte = [] }",
        "scope.wirte = []",
        "[[setup]]\nrun = [\"a\"]\nnetwrk = []",
        "[[gate]]\nnmae = \"x\"",
        "[[gate]]\nname = \"x\"\nrun = [\"a\"]\nshell = true",
        "gate = [{ name = \"x\", run = [\"a\"] }, { name = \"y\", runs = [\"a\"] }]",
        "[limits]\nturn = 1",
        "[limits]\nusd_max = 1",
        "approve = \"always\"",
        "[sandbox]\nlevel = \"none\"",
        "\"\\u001b[31m\\u202e\" = 1",
    ]), @r"
    cannot read `harness.toml`, line 1: unknown key `gaet`
        did you mean `gate`?
    cannot read `harness.toml`, line 1: unknown key `turns`
        `turns` is a key of `[limits]`
    cannot read `harness.toml`, line 1: unknown key `whatever`
        known here: `scope`, `protect`, `features`, `setup`, `format`, `gate`, `gates`, `rule`, `limits`, `context`, `sandbox`, `agent`, `role`
    cannot read `[scope]` in `harness.toml`, line 2: unknown key `wirte`
        did you mean `write`?
    cannot read `[scope]` in `harness.toml`, line 1: unknown key `wirte`
        did you mean `write`?
    cannot read `[scope]` in `harness.toml`, line 1: unknown key `wirte`
        did you mean `write`?
    cannot read setup 1 in `harness.toml`, line 3: unknown key `netwrk`
        did you mean `network`?
    cannot read gate 1 in `harness.toml`, line 2: unknown key `nmae`
        did you mean `name`?
    cannot read gate `x` in `harness.toml`, line 4: unknown key `shell`
        known here: `name`, `run`, `cwd`, `environment`, `timeout`, `report`, `report_file`, `min_tests`, `when`, `baseline`, `paths`, `flaky_retries`
    cannot read gate `y` in `harness.toml`, line 1: unknown key `runs`
        did you mean `run`?
    cannot read `[limits]` in `harness.toml`, line 2: unknown key `turn`
        did you mean `turns`?
    cannot read `[limits]` in `harness.toml`, line 2: unknown key `usd_max`
        known here: `usd`, `day_usd`, `session_usd`, `feature_usd`, `turns`, `minutes`, `attempts`, `output`, `command`, `silence`, `patience`, `idle`
    cannot read `harness.toml`, line 1: unknown key `approve`
        known here: `scope`, `protect`, `features`, `setup`, `format`, `gate`, `gates`, `rule`, `limits`, `context`, `sandbox`, `agent`, `role`
    cannot read `[sandbox]` in `harness.toml`, line 2: unknown key `level`
        known here: `network`, `memory`, `processes`
    cannot read `harness.toml`, line 1: unknown key `\u{1b}[31m\u{202e}`
        known here: `scope`, `protect`, `features`, `setup`, `format`, `gate`, `gates`, `rule`, `limits`, `context`, `sandbox`, `agent`, `role`
    ");
}

#[test]
fn keys_of_the_other_file_are_sent_there() {
    insta::assert_snapshot!(messages(repository, &[
        "[model.mine]\napi = \"chat\"",
        "[agent]\nmodel = \"a\"\nkey_env = \"A\"",
        "[agent.mine]\nkind = \"acp\"",
        "base_url = \"https://localhost\"",
        "[repo.\"/x\"]",
        "[ui]",
        "[keys]",
        "[notify]",
        "[sandbox]\nread = [\"/etc\"]",
        "[sandbox]\noffline = false",
    ]), @r#"
    cannot read `harness.toml`, line 1: key `model` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `[agent]` in `harness.toml`, line 3: key `key_env` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `[agent]` in `harness.toml`, line 1: key `mine` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `harness.toml`, line 1: key `base_url` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `harness.toml`, line 1: key `repo` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `harness.toml`, line 1: key `ui` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `harness.toml`, line 1: key `keys` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `harness.toml`, line 1: key `notify` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `[sandbox]` in `harness.toml`, line 2: key `read` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `[sandbox]` in `harness.toml`, line 2: key `offline` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    "#);
    insta::assert_snapshot!(messages(user, &[
        "[scope]\nwrite = []",
        "[[gate]]\nname = \"x\"",
        "[sandbox]\nnetwork = [\"*\"]",
        "[modle.x]",
        "[model.x]\napi = \"chat\"\nid = \"x\"\nbaseurl = \"x\"",
        "[agent]\nmodell = \"x\"",
        "[agent.x]\nkind = \"acp\"\ncomand = []",
        "[repo.\"/x\".limit]",
        "[repo.\"/x\".limits]\nturn = 1",
    ]), @r#"
    cannot read `config.toml`, line 1: key `scope` belongs in the repository's `harness.toml`
        move it into the file of the repository it is about
    cannot read `config.toml`, line 1: key `gate` belongs in the repository's `harness.toml`
        move it into the file of the repository it is about
    cannot read `[sandbox]` in `config.toml`, line 2: `*` in `network` has a wildcard; every host is listed by its whole name
        write `host:port`, or one of `crates.io`, `npm`, `pypi`, `go`, `maven`
    cannot read `config.toml`, line 1: unknown key `modle`
        did you mean `model`?
    cannot read model `x` in `config.toml`, line 4: unknown key `baseurl`
        did you mean `base_url`?
    cannot read `[agent]` in `config.toml`, line 2: unknown key `modell`
        did you mean `model`?
    cannot read agent `x` in `config.toml`, line 3: unknown key `comand`
        did you mean `command`?
    cannot read repo `/x` in `config.toml`, line 1: unknown key `limit`
        did you mean `limits`?
    cannot read `[repo."/x".limits]` in `config.toml`, line 2: unknown key `turn`
        did you mean `turns`?
    "#);
}

#[test]
fn values_of_the_wrong_type_are_refused_in_plain_words() {
    insta::assert_snapshot!(messages(repository, &[
        "sandbox = \"off\"",
        "scope = []",
        "gate = { name = \"x\" }",
        "gate = [1]",
        "[scope]\nwrite = \"src\"",
        "[scope]\nwrite = [\"src\", 3]",
        "[limits]\nturns = \"many\"",
        "[limits]\nturns = 1.5",
        "[limits]\nusd = \"5\"",
        "[gates]\nisolate = \"no\"",
        "[[gate]]\nname = \"x\"\nrun = \"cargo test\"",
        "[[gate]]\nname = \"x\"\nrun = [\"a\"]\ntimeout = 10",
        "[[gate]]\nname = \"x\"\nrun = [\"a\"]\ntimeout = 2026-01-01",
        "[[gate]]\nrun = [\"a\"]",
        "[[gate]]\nname = \"x\"",
        "[features]\nfile = \"a\\u0000b\"",
    ]), @r#"
    cannot read `harness.toml`, line 1: `sandbox` must be a table, not a string
    cannot read `harness.toml`, line 1: `scope` must be a table, not a list
    cannot read `harness.toml`, line 1: `gate` must be a list of tables, not a table
    cannot read gate 1 in `harness.toml`, line 1: it must be a table, not a whole number
    cannot read `[scope]` in `harness.toml`, line 2: `write` must be a list of strings, not a string
    cannot read `[scope]` in `harness.toml`, line 2: `write` must be a list of strings, not a whole number
    cannot read `[limits]` in `harness.toml`, line 2: `turns` must be a whole number, not a string
    cannot read `[limits]` in `harness.toml`, line 2: `turns` must be a whole number, not a number with a fraction
    cannot read `[limits]` in `harness.toml`, line 2: `usd` must be a number, not a string
    cannot read `[gates]` in `harness.toml`, line 2: `isolate` must be `true` or `false`, not a string
    cannot read gate `x` in `harness.toml`, line 3: `run` must be a list of strings, not a string
    cannot read gate `x` in `harness.toml`, line 4: `timeout` must be a string, not a whole number
    cannot read gate `x` in `harness.toml`, line 4: `timeout` must be a string, not a date
    cannot read gate 1 in `harness.toml`, line 1: key `name` is missing
    cannot read gate `x` in `harness.toml`, line 1: key `run` is missing
    cannot read `[features]` in `harness.toml`, line 2: `file` contains a NUL character
    "#);
    insta::assert_snapshot!(messages(user, &[
        "model = 3",
        "[model]\nx = 3",
        "[model.x]\napi = \"chat\"",
        "[agent]\nother = 3",
        "ui = 3",
    ]), @r#"
    cannot read `config.toml`, line 1: `model` must be a table, not a whole number
    cannot read model `x` in `config.toml`, line 2: it must be a table, not a whole number
    cannot read model `x` in `config.toml`, line 1: key `id` is missing
    cannot read `[agent]` in `config.toml`, line 2: unknown key `other`
        known here: `use`, `model`, `effort`, `fallback`
    cannot read `config.toml`, line 1: `ui` must be a table, not a whole number
    "#);
}

#[test]
fn text_that_is_no_toml_shows_the_place() {
    insta::assert_snapshot!(shown(&error_of("[scope]\nwrite = [\"src\"\n\n[limits]\n")), @r#"
    error: cannot read `harness.toml`, line 4: missing comma between array elements, expected `,`
     --> harness.toml:4:1
      |
    4 | [limits]
      | ^
    "#);
    insta::assert_snapshot!(shown(&error_of("[scope]\nwrite = []\nwrite = []\n")), @r#"
    error: cannot read `harness.toml`, line 3: duplicate key
     --> harness.toml:3:1
      |
    3 | write = []
      | ^^^^^
    "#);
    insta::assert_snapshot!(messages(repository, &["sandbox = off", "[scope", "\u{0}", "= 1", "a = \"\\q\""]), @r#"
    cannot read `harness.toml`, line 1: string values must be quoted, expected literal string
    cannot read `harness.toml`, line 1: unclosed table, expected `]`
    cannot read `harness.toml`, line 1: key with no value, expected `=`
    cannot read `harness.toml`, line 1: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
    cannot read `harness.toml`, line 1: missing escaped value, expected `b`, `e`, `f`, `n`, `r`, `\`, `"`, `x`, `u`, `U`
    "#);
}

#[test]
fn a_byte_order_mark_and_both_line_ends_keep_their_lines() {
    for text in [
        "\u{feff}[scope]\n\nwirte = []\n",
        "[scope]\r\n\r\nwirte = []\r\n",
        "\u{feff}[scope]\r\n\r\nwirte = []",
    ] {
        let error = error_of(text);
        assert_eq!(
            (error.line(), error.column()),
            (Some(3), Some(1)),
            "{text:?}"
        );
        assert!(
            error.snippet().unwrap().ends_with("^^^^^"),
            "{}",
            shown(&error)
        );
    }
}

#[test]
fn columns_count_characters() {
    let error = error_of("[features]\nfile = \"ä\" # é\n[context]\n\"ü\" = 1");
    assert_eq!((error.line(), error.column()), (Some(4), Some(1)));
    let error = error_of("context = { map = \"äöü\", mop = 1 }");
    assert_eq!(error.column(), Some(26));
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_line() {
    let error = ConfigFile::from_bytes("harness.toml", b"[scope]\nwrite = [\"\xff\xfe\"]\n")
        .expect_err("not UTF-8");
    insta::assert_snapshot!(shown(&error), @r#"
    error: cannot read `harness.toml`, line 2: it is not UTF-8
    hint: save the file as UTF-8
     --> harness.toml:2:11
      |
    2 | write = ["��"]
      |           ^
    "#);
}

#[test]
fn a_file_over_the_bound_is_refused_and_one_at_the_bound_is_read() {
    let bound = FILE_BYTES_MAX.as_usize();
    assert!(repository(&"#".repeat(bound)).is_ok());
    let error = error_of(&"#".repeat(bound + 1));
    assert_eq!(
        error.to_string(),
        "cannot read `harness.toml`: it is larger than 1 MiB"
    );
    assert!(ConfigFile::from_bytes("harness.toml", &vec![b' '; bound + 1]).is_err());
}

#[test]
fn huge_lines_and_deep_nesting_end_in_a_short_message() {
    for text in [
        format!("{}\nx = 1", "[".repeat(100_000)),
        format!("a = {}", "[".repeat(100_000)),
        format!("a{} = 1", ".a".repeat(100_000)),
        format!("[scope]\nwrite = [{}]", "\"a\", ".repeat(100_000)),
        format!("[scope]\nwrite = [\"{}\"]", "é".repeat(100_000)),
        format!("{} = 1", "k".repeat(100_000)),
    ] {
        let shown = shown(&error_of(&text));
        assert!(
            shown.len() < 2000,
            "{} bytes: {}",
            shown.len(),
            &shown[..200]
        );
    }
}

#[test]
fn what_may_be_a_key_is_never_repeated() {
    let secret = "sk-ant-0123456789";
    for text in [
        format!("[model.x]\napi = \"chat\"\nid = \"x\"\nkey_env = \"{secret}\""),
        format!("[model.x]\napi = \"chat\"\nid = \"x\"\napi_key = \"{secret}\""),
        format!("[model.x]\napi = \"chat\"\nid = \"x\"\nkey_env = {secret}"),
        format!("[model.x]\napi = \"chat\"\nid = \"x\"\nkey_command = \"{secret}\""),
        format!("[model]\nkey = \"{secret}\""),
        format!("model.x = {{ api = \"chat\", id = \"x\", key = \"{secret}\" }}"),
        format!(
            "[model.x]\napi = \"chat\"\nid = \"x\"\nbase_url = \"https://me:{secret}@localhost/\""
        ),
        format!("[model.x]\napi = \"chat\"\nid = \"x\"\nbase_url = \"{secret}\""),
        format!("ANTHROPIC_API_KEY = \"{secret}\""),
        format!("[agent]\nmodel = \"{secret}0123456789012345\""),
        format!("gpt = \"{secret}0123456789012345"),
    ] {
        let error = user(&text).expect_err("the text is wrong");
        assert!(!shown(&error).contains("012345"), "{}", shown(&error));
    }
    let error = error_of(&format!("key = \"{secret}\""));
    insta::assert_snapshot!(shown(&error), @r#"
    error: cannot read `harness.toml`, line 1: unknown key `key`
    hint: known here: `scope`, `protect`, `features`, `setup`, `format`, `gate`, `gates`, `rule`, `limits`, `context`, `sandbox`, `agent`, `role`
     --> harness.toml:1:1
      |
    1 | key = …
      | ^^^
    "#);
}
