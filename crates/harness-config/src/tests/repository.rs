use std::time::Duration;

use harness_core::{Baseline, Reader, When};

use super::{messages, repository, shown};
use crate::trust_subject;

const GATE: &str = "[[gate]]\nname = \"unit\"\nrun = [\"a\"]\n";

fn in_gate(rest: &str) -> String {
    format!("{GATE}{rest}")
}

#[test]
fn a_scope_that_leaves_the_repository_is_refused() {
    insta::assert_snapshot!(messages(repository, &[
        "[scope]\nwrite = [\"/\"]",
        "[scope]\nwrite = [\"src/**\",\n  \"/etc/**\"]",
        "[scope]\nwrite = [\"..\"]",
        "[scope]\nbuild = [\"a/../../b\"]",
        "[scope]\ndeny = [\"~\"]",
        "[scope]\nhide = [\"~root/.ssh\"]",
        "[scope]\nhide = [\"\"]",
        "[scope]\nwrite = [\"!src/a\"]",
        "[scope]\nwrite = [\"src/[a\"]",
        "[scope]\nwrite = [\"src/{a,b}\"]",
        "[protect]\npaths = [\"/x\"]",
        "[features]\nfile = \"../f.json\"",
        "[features]\nfile = \".\"",
        "[features]\nfile = \"f*.json\"",
        "[context]\nmap = \"docs/AGENTS.md\"",
        "[gates]\nlink = [\"/opt/modules\"]",
        "[gates]\nlink = [\".\"]",
        "[gates]\nlink = [\"*/node_modules\"]",
        "[gates]\nlink = [\"web/node_modules\"]\n[scope]\nbuild = [\"web/**\"]",
        "[[setup]]\nrun = [\"a\"]\nwhen = [\"/etc/passwd\"]",
        &in_gate("cwd = \"/tmp\""),
        &in_gate("paths = [\"../x\"]"),
        "[[format]]\nrun = [\"a\"]\npaths = []",
        "[[format]]\nrun = [\"a\"]\npaths = [\"/etc/*\"]",
    ]), @r#"
    cannot read `[scope]` in `harness.toml`, line 2: `/` in `write` is absolute
        write it relative to the repository's root, such as `src/**`
    cannot read `[scope]` in `harness.toml`, line 3: `/etc/**` in `write` is absolute
        write it relative to the repository's root, such as `src/**`
    cannot read `[scope]` in `harness.toml`, line 2: `..` in `write` leads upwards
        write it relative to the repository's root, such as `src/**`
    cannot read `[scope]` in `harness.toml`, line 2: `a/../../b` in `build` leads upwards
        write it relative to the repository's root, such as `src/**`
    cannot read `[scope]` in `harness.toml`, line 2: `~` in `deny` begins in a home folder
        write it relative to the repository's root, such as `src/**`
    cannot read `[scope]` in `harness.toml`, line 2: `~root/.ssh` in `hide` begins in a home folder
        write it relative to the repository's root, such as `src/**`
    cannot read `[scope]` in `harness.toml`, line 2: `` in `hide` is empty
        write it relative to the repository's root, such as `src/**`
    cannot read `[scope]` in `harness.toml`, line 2: `!src/a` in `write` begins with `!`
        patterns cannot be turned round: put the path into `[scope] deny`
    cannot read `[scope]` in `harness.toml`, line 2: `src/[a` in `write` has a `[` without `]`
        a pattern knows `*`, `**`, `?` and `[...]`; write `{a,b}` as two patterns
    cannot read `[scope]` in `harness.toml`, line 2: `src/{a,b}` in `write` has a brace or backslash
        a pattern knows `*`, `**`, `?` and `[...]`; write `{a,b}` as two patterns
    cannot read `[protect]` in `harness.toml`, line 2: `/x` in `paths` is absolute
        write it relative to the repository's root, such as `src/**`
    cannot read `[features]` in `harness.toml`, line 2: `../f.json` in `file` leads upwards
        write it relative to the repository's root, such as `src/**`
    cannot read `[features]` in `harness.toml`, line 2: `file` names no file
    cannot read `[features]` in `harness.toml`, line 2: `file` must be the path of one file, without wildcards
    cannot read `[context]` in `harness.toml`, line 2: `map` must be a file name without folders
        the map may stand in every folder: name the file only, such as `AGENTS.md`
    cannot read `[gates]` in `harness.toml`, line 2: `/opt/modules` in `link` is absolute
        write it relative to the repository's root, such as `src/**`
    cannot read `[gates]` in `harness.toml`, line 2: `link` names the repository itself
    cannot read `[gates]` in `harness.toml`, line 2: `link` must name folders, without wildcards
    cannot read `[gates]` in `harness.toml`, line 2: `web/node_modules` in `link` is a build output (`web/**`), which the agent can write
        take it out of `[scope] build`: setup steps may write linked folders anyway
    cannot read setup 1 in `harness.toml`, line 3: `/etc/passwd` in `when` is absolute
        write it relative to the repository's root, such as `src/**`
    cannot read gate `unit` in `harness.toml`, line 4: `/tmp` in `cwd` is absolute
        write it relative to the repository's root, such as `src/**`
    cannot read gate `unit` in `harness.toml`, line 4: `../x` in `paths` leads upwards
        write it relative to the repository's root, such as `src/**`
    cannot read format 1 in `harness.toml`, line 3: `paths` names no files
        say what it can format, such as `paths = ["**/*.rs"]`
    cannot read format 1 in `harness.toml`, line 3: `/etc/*` in `paths` is absolute
        write it relative to the repository's root, such as `src/**`
    "#);
}

#[test]
fn the_caret_stands_under_the_pattern() {
    let error = repository("[scope]\nwrite = [\"src/**\", \"/etc\"]").unwrap_err();
    insta::assert_snapshot!(shown(&error), @r#"
    error: cannot read `[scope]` in `harness.toml`, line 2: `/etc` in `write` is absolute
    hint: write it relative to the repository's root, such as `src/**`
     --> harness.toml:2:20
      |
    2 | write = ["src/**", "/etc"]
      |                    ^^^^^^
    "#);
}

#[test]
fn network_is_exact_hosts_or_registries() {
    for right in [
        "crates.io",
        "npm",
        "pypi",
        "go",
        "maven",
        "example.org:443",
        "8.8.8.8:53",
        "[2606:4700::1111]:443",
        "mirror:8081",
    ] {
        let config = repository(&format!("[sandbox]\nnetwork = [\"{right}\"]")).unwrap();
        assert_eq!(config.network[0].value, right);
        assert_eq!(config.network[0].origin, "harness.toml:2");
    }
    let wrong = [
        "*",
        "*:443",
        "*.example.org:443",
        "user@example.org:443",
        "example.org.:443",
        "example.org/path",
        "exämple.org",
        "example%2eorg:443",
        "127.0.0.1:8080",
        "10.0.0.1:8080",
        "[::1]:80",
        "[fd00::1]:80",
        "169.254.169.254:80",
        "2130706433:80",
        "0x7f000001:80",
        "0177.0.0.1:80",
        "127.1:80",
        "[::ffff:127.0.0.1]:80",
        "8.8.8.8",
        "example.org:0",
        "example.org:99999",
        "example.org:https",
        "https://example.org:443",
        ".example.org:443",
        "a..b:1",
        "-a:1",
        "a b:1",
        ":443",
        "example.org:+1",
        "cargo",
    ];
    for wrong in wrong {
        let text = format!("[sandbox]\nnetwork = [\"{wrong}\"]");
        assert!(repository(&text).is_err(), "{wrong}");
        let text = format!("[[setup]]\nrun = [\"a\"]\nnetwork = [\"{wrong}\"]");
        assert!(repository(&text).is_err(), "{wrong}");
    }
    let config = repository("[sandbox]\nnetwork = [\"Example.ORG\"]").unwrap();
    assert_eq!(config.network[0].value, "example.org:443");
    let error = repository("[sandbox]\nnetwork = [\"*\"]").unwrap_err();
    insta::assert_snapshot!(shown(&error), @r#"
    error: cannot read `[sandbox]` in `harness.toml`, line 2: `*` in `network` has a wildcard; every host is listed by its whole name
    hint: write `host:port`, or one of `crates.io`, `npm`, `pypi`, `go`, `maven`
     --> harness.toml:2:12
      |
    2 | network = ["*"]
      |            ^^^
    "#);
    let message = |entry: &str| {
        let error =
            repository(&format!("[sandbox]\nnetwork = [\"npm\",\n \"{entry}\"]")).unwrap_err();
        format!("{error}\n    {}", error.hint().unwrap_or_default())
    };
    let wrong = [
        "https://a.test/",
        "127.0.0.1:80",
        "2130706433:80",
        "nmp",
        "localhost",
        "a.test:x",
    ];
    insta::assert_snapshot!(wrong.map(message).join("\n"), @"
    cannot read `[sandbox]` in `harness.toml`, line 3: `https://a.test/` in `network` is a URL or a path, not a host
        write `host:port`, or one of `crates.io`, `npm`, `pypi`, `go`, `maven`
    cannot read `[sandbox]` in `harness.toml`, line 3: `127.0.0.1:80` in `network` is no public address
        your own file alone can open an address of this machine or its networks
    cannot read `[sandbox]` in `harness.toml`, line 3: `2130706433:80` in `network` is a number and no address in its plain form, such as 192.0.2.1
        write `host:port`, or one of `crates.io`, `npm`, `pypi`, `go`, `maven`
    cannot read `[sandbox]` in `harness.toml`, line 3: `nmp` in `network` names no port; only a name with a dot goes without, for port 443
        did you mean `npm`?
    cannot read `[sandbox]` in `harness.toml`, line 3: `localhost` in `network` names no port; only a name with a dot goes without, for port 443
        write `host:port`, or one of `crates.io`, `npm`, `pypi`, `go`, `maven`
    cannot read `[sandbox]` in `harness.toml`, line 3: `a.test:x` in `network` has no port from 1 to 65535
        write `host:port`, or one of `crates.io`, `npm`, `pypi`, `go`, `maven`
    ");
}

#[test]
fn a_gate_that_says_little_gets_the_defaults() {
    let gate = repository(GATE).unwrap().gates.remove(0);
    assert_eq!(gate.timeout, Duration::from_secs(600));
    assert_eq!((gate.reader, gate.min_tests), (Reader::Exit, 0));
    assert_eq!((gate.when, gate.baseline), (When::Finish, Baseline::Strict));
    assert!(gate.cwd.is_root() && gate.environment.is_empty() && gate.paths.is_empty());
    assert_eq!((gate.report_file, gate.flaky_retries), (None, 0));
    for reader in ["cargo", "tap", "pytest", "go", "node", "jest", "vitest"] {
        let text = in_gate(&format!("report = \"{reader}\""));
        assert_eq!(repository(&text).unwrap().gates[0].min_tests, 1);
        let text = in_gate(&format!("report = \"{reader}\"\nmin_tests = 0"));
        assert_eq!(repository(&text).unwrap().gates[0].min_tests, 0);
    }
}

#[test]
fn a_gate_says_all_there_is_to_say() {
    let text = in_gate(
        "cwd = \"web/./app\"\nenvironment = [\"CI\"]\ntimeout = \"1h 30m\"\nreport = \"tap\"
min_tests = 7\nwhen = \"edit\"\nbaseline = \"no-worse\"\npaths = [\"web/**\"]",
    );
    let gate = repository(&text).unwrap().gates.remove(0);
    assert_eq!(gate.cwd.to_text(), "web/app");
    assert_eq!(gate.environment, ["CI"]);
    assert_eq!(gate.timeout, Duration::from_secs(5400));
    assert_eq!((gate.reader, gate.min_tests), (Reader::Tap, 7));
    assert_eq!((gate.when, gate.baseline), (When::Edit, Baseline::NoWorse));
    assert_eq!(gate.paths, ["web/**"]);
}

#[test]
fn a_gate_may_name_its_report_files_and_a_retry() {
    for reader in ["junit", "jest", "vitest"] {
        let text = in_gate(&format!(
            "report = \"{reader}\"\nreport_file = \"target/**/*.xml\"\nflaky_retries = 1"
        ));
        let gate = repository(&text).unwrap().gates.remove(0);
        assert_eq!(gate.report_file.as_deref(), Some("target/**/*.xml"));
        assert_eq!((gate.flaky_retries, gate.min_tests), (1, 1));
        let line = trust_subject(&repository(&text).unwrap()).remove(0);
        assert!(
            line.text.contains("; report_file target/**/*.xml;"),
            "{}",
            line.text
        );
        assert!(line.text.ends_with("; flaky_retries 1"), "{}", line.text);
        assert_eq!(
            repository(&crate::render_gate(&gate)).unwrap().gates,
            [gate]
        );
    }
}

#[test]
fn a_gate_that_cannot_be_meant_so_is_refused() {
    let texts = [
        "min_tests = 1",
        "report = \"exit\"\nmin_tests = 3",
        "baseline = \"no-worse\"",
        "report = \"junit\"",
        "report = \"cargo\"\nreport_file = \"a.xml\"",
        "report_file = \"a.xml\"",
        "report = \"junit\"\nreport_file = \"../a.xml\"",
        "report = \"junit\"\nreport_file = \"/tmp/a.xml\"",
        "report = \"junit\"\nreport_file = \"\"",
        "report = \"junit\"\nreport_file = \"a{b,c}.xml\"",
        "report = \"junit\"\nreport_fiel = \"a.xml\"",
        "flaky_retries = 2",
        "flaky_retries = -1",
        "report = \"cargp\"",
        "report = \"\"",
        "report = \"cargo\"\nmin_tests = -1",
        "when = \"finsh\"",
        "baseline = \"lax\"",
        "timeout = \"0s\"",
        "timeout = \"soon\"",
        "timeout = \"10\"",
        "timeout = \"1year\"",
        "timeout = \"-1s\"",
        "environment = [\"A=b\"]",
        "environment = [\"\"]",
        "[[gate]]\nname = \"unit\"\nrun = [\"b\"]",
        "[[gate]]\nname = \"a b\"\nrun = [\"b\"]",
        "[[gate]]\nname = \"\"\nrun = [\"b\"]",
        "[[gate]]\nname = \"b\"\nrun = []",
        "[[gate]]\nname = \"b\"\nrun = [\"\", \"x\"]",
    ]
    .map(in_gate);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    insta::assert_snapshot!(messages(repository, &texts), @r#"
    cannot read gate `unit` in `harness.toml`, line 4: reader `exit` counts no tests
        set `report` to a reader that counts, such as `cargo` or `pytest`, or leave `min_tests` out
    cannot read gate `unit` in `harness.toml`, line 5: reader `exit` counts no tests
        set `report` to a reader that counts, such as `cargo` or `pytest`, or leave `min_tests` out
    cannot read gate `unit` in `harness.toml`, line 4: reader `exit` names no tests to compare
        set `report` to a reader that names tests, such as `cargo` or `pytest`, or `baseline` to `strict`
    cannot read gate `unit` in `harness.toml`, line 4: reader `junit` needs `report_file`
        name the files, such as `report_file = "target/surefire-reports/*.xml"`
    cannot read gate `unit` in `harness.toml`, line 5: reader `cargo` reads the output and no file
        set `report` to `junit`, `jest` or `vitest`, or leave `report_file` out
    cannot read gate `unit` in `harness.toml`, line 4: reader `exit` reads the output and no file
        set `report` to `junit`, `jest` or `vitest`, or leave `report_file` out
    cannot read gate `unit` in `harness.toml`, line 5: `../a.xml` in `report_file` leads upwards
        write it relative to the repository's root, such as `src/**`
    cannot read gate `unit` in `harness.toml`, line 5: `/tmp/a.xml` in `report_file` is absolute
        write it relative to the repository's root, such as `src/**`
    cannot read gate `unit` in `harness.toml`, line 5: `` in `report_file` is empty
        write it relative to the repository's root, such as `src/**`
    cannot read gate `unit` in `harness.toml`, line 5: `a{b,c}.xml` in `report_file` has a brace or backslash
        a pattern knows `*`, `**`, `?` and `[...]`; write `{a,b}` as two patterns
    cannot read gate `unit` in `harness.toml`, line 5: unknown key `report_fiel`
        did you mean `report_file`?
    cannot read gate `unit` in `harness.toml`, line 4: `flaky_retries` must be between 0 and 1
    cannot read gate `unit` in `harness.toml`, line 4: `flaky_retries` must be between 0 and 1
    cannot read gate `unit` in `harness.toml`, line 4: `report` cannot be `cargp`
        did you mean `cargo`?
    cannot read gate `unit` in `harness.toml`, line 4: `report` cannot be ``
        it is one of `cargo`, `pytest`, `junit`, `tap`, `go`, `node`, `jest`, `vitest`, `exit`
    cannot read gate `unit` in `harness.toml`, line 5: `min_tests` must be between 0 and 1000000
    cannot read gate `unit` in `harness.toml`, line 4: `when` cannot be `finsh`
        did you mean `finish`?
    cannot read gate `unit` in `harness.toml`, line 4: `baseline` cannot be `lax`
        it is one of `strict`, `no-worse`
    cannot read gate `unit` in `harness.toml`, line 4: `timeout` must be above 0
    cannot read gate `unit` in `harness.toml`, line 4: `soon` is not a time
        write it as `90s`, `10m` or `1h 30m`
    cannot read gate `unit` in `harness.toml`, line 4: `10` is not a time
        write it as `90s`, `10m` or `1h 30m`
    cannot read gate `unit` in `harness.toml`, line 4: `timeout` must be at most 30 days
    cannot read gate `unit` in `harness.toml`, line 4: `-1s` is not a time
        write it as `90s`, `10m` or `1h 30m`
    cannot read gate `unit` in `harness.toml`, line 4: `environment` holds no name of an environment variable
        write the name of the variable, such as `SERVICE_KEY`, never its value
    cannot read gate `unit` in `harness.toml`, line 4: `environment` holds no name of an environment variable
        write the name of the variable, such as `SERVICE_KEY`, never its value
    cannot read gate `unit` in `harness.toml`, line 5: there is another gate `unit`
    cannot read gate `a b` in `harness.toml`, line 5: `a b` is not a name
        a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -
    cannot read gate `` in `harness.toml`, line 5: `` is not a name
        a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -
    cannot read gate `b` in `harness.toml`, line 6: `run` names no program
        write program and arguments as a list: `["cargo", "test"]`
    cannot read gate `b` in `harness.toml`, line 6: `run` names no program
        write program and arguments as a list: `["cargo", "test"]`
    "#);
}

#[test]
fn limits_of_zero_or_without_sense_are_refused() {
    insta::assert_snapshot!(messages(repository, &[
        "[limits]\nusd = 0",
        "[limits]\nusd = -1.5",
        "[limits]\nusd = nan",
        "[limits]\nusd = inf",
        "[limits]\nday_usd = 0.0000001",
        "[limits]\nturns = 0",
        "[limits]\nturns = -3",
        "[limits]\nturns = 99999999999999999999",
        "[limits]\nminutes = 0",
        "[limits]\nminutes = 50000",
        "[limits]\nattempts = 0",
        "[limits]\noutput = \"0\"",
        "[limits]\noutput = \"1 MB\"",
        "[limits]\ncommand = \"0s\"",
        "[limits]\nsilence = \"\"",
        "[limits]\npatience = \"31days\"",
        "[context]\nbudget = \"lots\"",
        "[context]\nbudget = \"0\"",
        "[sandbox]\nmemory = \"4 apples\"",
        "[sandbox]\nprocesses = 0",
        "[gates]\nreview = \"peer\"",
        "[agent]\nmodel = \"script:evil.json\"",
        "[agent]\nuse = \"replay:dir\"",
        "[agent]\nfallback = [\"a b\"]",
    ]), @r#"
    cannot read `[limits]` in `harness.toml`, line 2: `usd` must be above 0
    cannot read `[limits]` in `harness.toml`, line 2: `usd` must be an amount of US dollars from 0 to 1000000
    cannot read `[limits]` in `harness.toml`, line 2: `usd` must be an amount of US dollars from 0 to 1000000
    cannot read `[limits]` in `harness.toml`, line 2: `usd` must be an amount of US dollars from 0 to 1000000
    cannot read `[limits]` in `harness.toml`, line 2: `day_usd` must be above 0
    cannot read `[limits]` in `harness.toml`, line 2: `turns` must be between 1 and 1000000
    cannot read `[limits]` in `harness.toml`, line 2: `turns` must be between 1 and 1000000
    cannot read `[limits]` in `harness.toml`, line 2: `turns` is too large
    cannot read `[limits]` in `harness.toml`, line 2: `minutes` must be between 1 and 43200
    cannot read `[limits]` in `harness.toml`, line 2: `minutes` must be between 1 and 43200
    cannot read `[limits]` in `harness.toml`, line 2: `attempts` must be between 1 and 1000000
    cannot read `[limits]` in `harness.toml`, line 2: `output` must be above 0
    cannot read `[limits]` in `harness.toml`, line 2: `1 MB` is not a size such as `64 KiB`, `1 MiB` or `4 GiB`
    cannot read `[limits]` in `harness.toml`, line 2: `command` must be above 0
    cannot read `[limits]` in `harness.toml`, line 2: `` is not a time
        write it as `90s`, `10m` or `1h 30m`
    cannot read `[limits]` in `harness.toml`, line 2: `patience` must be at most 30 days
    cannot read `[context]` in `harness.toml`, line 2: `lots` is not a token count such as `16k tokens`
    cannot read `[context]` in `harness.toml`, line 2: `budget` must be above 0
    cannot read `[sandbox]` in `harness.toml`, line 2: `4 apples` is not a size such as `64 KiB`, `1 MiB` or `4 GiB`
    cannot read `[sandbox]` in `harness.toml`, line 2: `processes` must be between 1 and 1000000
    cannot read `[gates]` in `harness.toml`, line 2: `review` cannot be `peer`
        it is one of `none`, `agent`, `person`
    cannot read `[agent]` in `harness.toml`, line 2: `script:evil.json` is not a name
        a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -
    cannot read `[agent]` in `harness.toml`, line 2: `replay:dir` is not a name
        a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -
    cannot read `[agent]` in `harness.toml`, line 2: `a b` is not a name
        a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -
    "#);
    assert!(repository("[limits]\nusd = 5").is_ok());
}

#[test]
fn every_command_and_scope_is_a_line_to_trust() {
    let text = "\
[scope]
write = [\"src/**\", \"a b\"]
build = [\"target\"]
deny = [\"x\"]
hide = [\"y\"]
[protect]
paths = [\"Cargo.lock\"]
[[format]]
run = [\"gofmt\", \"-w\"]
paths = [\"**/*.go\", \"a b\"]
[[setup]]
run = [\"npm\", \"ci\"]
network = [\"npm\"]
when = [\"package-lock.json\"]
[[gate]]
name = \"test\"
run = [\"sh\", \"-c\", \"echo \\u001b[2K; rm -rf \\\"$HOME\\\"\\n\"]
cwd = \"web\"
environment = [\"CI\", \"TOKEN\"]
timeout = \"90s\"
report = \"tap\"
when = \"edit\"
baseline = \"no-worse\"
paths = [\"web/**\"]
[gates]
isolate = false
link = [\"node_modules\"]
[sandbox]
network = [\"example.org:443\", \"go\"]
[agent]
use = \"mine\"
";
    let lines: Vec<String> = trust_subject(&repository(text).unwrap())
        .iter()
        .map(|line| format!("{}: {}", line.what, line.text))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    gate `test`: sh -c "echo \U0000001B[2K; rm -rf \"$HOME\"\U0000000A"; in web; with CI TOKEN; timeout 1m 30s; report tap; min_tests 1; when edit; baseline no-worse; paths web/**
    format: gofmt -w; timeout 20s; paths **/*.go "a b"
    setup: npm ci; network npm (registry.npmjs.org registry.yarnpkg.com); when package-lock.json
    network: example.org:443
    network: go (proxy.golang.org sum.golang.org)
    write: src/** "a b"
    build: target
    deny: x
    hide: y
    protect: Cargo.lock
    link: node_modules
    isolate: off: gates run in the work tree
    agent: mine
    "#);
}

#[test]
fn commands_that_differ_are_trusted_apart() {
    let texts = [
        GATE.to_owned(),
        in_gate("cwd = \"b\""),
        in_gate("environment = [\"B\"]"),
        in_gate("environment = [\"B\", \"C\"]"),
        in_gate("timeout = \"11m\""),
        in_gate("report = \"tap\""),
        in_gate("report = \"tap\"\nmin_tests = 0"),
        in_gate("report = \"tap\"\nbaseline = \"no-worse\""),
        in_gate("when = \"turn\""),
        in_gate("paths = [\"b\"]"),
        GATE.replace("[\"a\"]", "[\"a\", \"\"]"),
        GATE.replace("[\"a\"]", "[\"a b\"]"),
        GATE.replace("[\"a\"]", "[\"a\", \"b\"]"),
        GATE.replace("[\"a\"]", "[\"a;\", \"timeout\", \"10m\"]"),
        GATE.replace("[\"a\"]", "[\"a\\\" \\\"b\"]"),
        GATE.replace("[\"a\"]", "[\"a\\u202e\"]"),
        GATE.replace("[\"a\"]", "[\"a\\\\U0000202E\"]"),
        format!("[gates]\nisolate = false\n{GATE}"),
        format!("[[setup]]\nrun = [\"b\"]\n{GATE}"),
        format!("[[format]]\nrun = [\"b\"]\npaths = [\"c\"]\n{GATE}"),
        format!("[[format]]\nrun = [\"b\"]\npaths = [\"d\"]\n{GATE}"),
        format!("[[format]]\nrun = [\"b\"]\npaths = [\"c\"]\ntimeout = \"1m\"\n{GATE}"),
        format!("[sandbox]\nnetwork = [\"npm\"]\n{GATE}"),
        format!("[sandbox]\nnetwork = [\"npm\", \"a.test\"]\n{GATE}"),
        format!("[sandbox]\nnetwork = [\"npm\", \"a.test:80\"]\n{GATE}"),
    ];
    let subjects: Vec<_> = texts
        .iter()
        .map(|text| trust_subject(&repository(text).unwrap()))
        .collect();
    for (index, subject) in subjects.iter().enumerate() {
        for (other_index, other) in subjects.iter().enumerate().skip(index + 1) {
            assert_ne!(subject, other, "{index} and {other_index}");
        }
        for line in subject {
            assert!(
                !line
                    .text
                    .contains(|char: char| char.is_control() || char == '\u{202e}')
            );
        }
    }
}
