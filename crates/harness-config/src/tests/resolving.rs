use std::{path::Path, time::Duration};

use harness_core::{Feature, FeatureId, Level, Money, ReviewBy};

use super::{repository, user};
use crate::{ConfigError, KeySource, Overrides, Resolved, resolve};

fn resolved(
    repository_text: &str,
    user_text: &str,
    environment: &Overrides,
    flags: &Overrides,
) -> Resolved {
    let repository = repository(repository_text).unwrap();
    let user = user(user_text).unwrap();
    resolve(Some(&repository), &user, environment, flags).unwrap()
}

fn origin<'a>(resolved: &'a Resolved, key: &str) -> (&'a str, &'a str) {
    let found = resolved
        .origins
        .iter()
        .find(|setting| setting.key == key)
        .unwrap();
    (&found.value, &found.origin)
}

fn turns(turns: u32) -> Overrides {
    Overrides {
        turns: Some(turns),
        ..Overrides::default()
    }
}

#[test]
fn the_persons_limit_is_flag_then_environment_then_file_and_the_repository_narrows_it() {
    let none = Overrides::default();
    let cases = [
        // repository, user, environment, flag, what holds, whose word it is
        (None, None, None, None, 200, "built in"),
        (Some(500), None, None, None, 200, "built in"),
        (Some(100), None, None, None, 100, "harness.toml:2"),
        (None, Some(500), None, None, 500, "config.toml:2"),
        (Some(400), Some(500), None, None, 400, "harness.toml:2"),
        (Some(500), Some(500), None, None, 500, "config.toml:2"),
        (None, None, Some(300), None, 200, "built in"),
        (None, None, Some(30), None, 30, "environment"),
        (None, Some(20), Some(30), None, 20, "config.toml:2"),
        (Some(10), Some(20), Some(30), None, 10, "harness.toml:2"),
        (None, Some(20), Some(30), Some(900), 900, "flag"),
        (
            Some(40),
            Some(20),
            Some(30),
            Some(900),
            40,
            "harness.toml:2",
        ),
        (None, None, None, Some(5), 5, "flag"),
    ];
    for (of_repository, of_user, of_environment, of_flag, expected, whose) in cases {
        let text = |turns: Option<u32>| {
            turns.map_or(String::new(), |turns| format!("[limits]\nturns = {turns}"))
        };
        let environment = of_environment.map_or_else(|| none.clone(), turns);
        let flags = of_flag.map_or_else(|| none.clone(), turns);
        let resolved = resolved(&text(of_repository), &text(of_user), &environment, &flags);
        assert_eq!(resolved.policy.limits.turns, expected);
        assert_eq!(
            origin(&resolved, "limits.turns"),
            (&*expected.to_string(), whose)
        );
    }
}

#[test]
fn money_without_a_limit_can_be_limited_by_everybody() {
    let none = Overrides::default();
    let usd = |usd: f64| Overrides {
        usd: Some(Money::from_usd(usd)),
        ..Overrides::default()
    };
    let limit = |resolved: &Resolved| resolved.policy.limits.usd.map(Money::as_usd);
    assert_eq!(limit(&resolved("", "", &none, &none)), None);
    assert_eq!(
        limit(&resolved("[limits]\nusd = 2", "", &none, &none)),
        Some(2.0)
    );
    assert_eq!(limit(&resolved("", "", &usd(3.0), &none)), Some(3.0));
    assert_eq!(
        limit(&resolved("[limits]\nusd = 2", "", &usd(3.0), &usd(8.0))),
        Some(2.0)
    );
    assert_eq!(
        limit(&resolved("", "[limits]\nusd = 2", &usd(3.0), &usd(8.0))),
        Some(8.0)
    );
    let both = resolved(
        "[limits]\nday_usd = 9",
        "[limits]\nday_usd = 7",
        &none,
        &none,
    );
    assert_eq!(both.policy.limits.day_usd, Some(Money::from_usd(7.0)));
    assert_eq!(origin(&both, "limits.day_usd"), ("7.0", "config.toml:2"));
    assert_eq!(origin(&both, "limits.usd"), ("none", "built in"));
}

#[test]
fn every_limit_is_read_from_the_files() {
    let none = Overrides::default();
    let text = "[limits]\nminutes = 7\nattempts = 1\noutput = \"1536\"\ncommand = \"1s\"
silence = \"2s\"\npatience = \"3s\"\nidle = \"4s\"\n[sandbox]\nmemory = \"1 GiB\"\nprocesses = 9";
    for resolved in [
        resolved(text, "", &none, &none),
        resolved("", text, &none, &none),
    ] {
        let limits = &resolved.policy.limits;
        assert_eq!(limits.time, Duration::from_secs(420));
        assert_eq!(
            (limits.attempts, limits.output.0, limits.processes),
            (1, 1536, 9)
        );
        let times = [limits.command, limits.silence, limits.patience, limits.idle];
        assert_eq!(times.map(|time| time.as_secs()), [1, 2, 3, 4]);
        assert_eq!(limits.memory.to_string(), "1 GiB");
        assert_eq!(origin(&resolved, "limits.minutes").0, "7");
        assert_eq!(origin(&resolved, "limits.output").0, "\"1536 bytes\"");
        assert_eq!(origin(&resolved, "limits.idle").0, "\"4s\"");
    }
}

#[test]
fn the_environment_is_read_and_nonsense_in_it_refused() {
    let read = |name: &'static str, value: &'static str| {
        Overrides::from_environment(&move |asked| (asked == name).then(|| value.to_owned()))
    };
    assert_eq!(
        read("HARNESS_MODEL", "gpt").unwrap().model.as_deref(),
        Some("gpt")
    );
    assert_eq!(
        read("HARNESS_MAX_USD", "2.5").unwrap().usd,
        Some(Money::from_usd(2.5))
    );
    assert_eq!(read("HARNESS_MAX_TURNS", "12").unwrap().turns, Some(12));
    assert_eq!(read("HARNESS_MAX_TURNS", "").unwrap(), Overrides::default());
    for (text, offline) in [("1", true), ("true", true), ("0", false), ("", false)] {
        assert_eq!(
            read("HARNESS_OFFLINE", text).unwrap().offline,
            offline,
            "{text}"
        );
    }
    for (name, value) in [
        ("HARNESS_MAX_USD", "0"),
        ("HARNESS_MAX_USD", "-1"),
        ("HARNESS_MAX_USD", "inf"),
        ("HARNESS_MAX_USD", "much"),
        ("HARNESS_OFFLINE", "yes please"),
        ("HARNESS_MAX_TURNS", "0"),
        ("HARNESS_MAX_TURNS", "1.5"),
    ] {
        let error = read(name, value).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!(
                "cannot use the environment variable `{name}`: `{value}`"
            )),
            "{error}"
        );
    }
}

#[test]
fn the_person_chooses_the_model_before_the_repository() {
    let none = Overrides::default();
    let model = |name: &str| Overrides {
        model: Some(name.to_owned()),
        ..Overrides::default()
    };
    let (repository, user) = ("[agent]\nmodel = \"team\"", "[agent]\nmodel = \"local\"");
    let chosen = |resolved: Resolved| resolved.model;
    assert_eq!(chosen(resolved("", "", &none, &none)), None);
    assert_eq!(
        chosen(resolved(repository, "", &none, &none)).as_deref(),
        Some("team")
    );
    assert_eq!(
        chosen(resolved(repository, user, &none, &none)).as_deref(),
        Some("local")
    );
    assert_eq!(
        chosen(resolved(repository, user, &model("gpt"), &none)).as_deref(),
        Some("gpt")
    );
    let by_flag = resolved(repository, user, &model("gpt"), &model("claude-sonnet-5-5"));
    assert_eq!(
        origin(&by_flag, "agent.model"),
        ("\"claude-sonnet-5-5\"", "flag")
    );
    assert_eq!(
        by_flag.start_model(&|_| false).unwrap().name,
        "claude-sonnet"
    );
}

#[test]
fn a_model_nobody_defined_is_an_error_when_the_person_names_it_or_it_is_needed() {
    let none = Overrides::default();
    let flag = Overrides {
        model: Some("claude-sonet".to_owned()),
        ..Overrides::default()
    };
    let error = resolve(None, &user("").unwrap(), &none, &flag).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot use model `claude-sonet` (flag): no such model is configured"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("did you mean `claude-sonnet`?")
    );
    let team = resolved("[agent]\nmodel = \"team\"", "", &none, &none);
    let error = team.start_model(&|_| true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot use model `team` (harness.toml:2): no such model is configured"
    );
}

#[test]
fn without_a_choice_the_first_model_that_can_answer_starts() {
    let none = Overrides::default();
    let start = |user: &str, set: &[&str]| {
        let resolved = resolved("", user, &none, &none);
        resolved
            .start_model(&|name| set.contains(&name))
            .map(|model| model.name.clone())
            .map_err(|error| super::shown(&error))
    };
    assert_eq!(
        start("", &["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]).unwrap(),
        "claude-sonnet"
    );
    assert_eq!(start("", &["OPENAI_API_KEY"]).unwrap(), "gpt");
    assert_eq!(start("", &["GEMINI_API_KEY"]).unwrap(), "gemini");
    let own = "[model.mine]\napi = \"chat\"\nid = \"x\"\nkey_env = \"MINE\"";
    assert_eq!(start(own, &["MINE", "OPENAI_API_KEY"]).unwrap(), "mine");
    assert_eq!(start(own, &["OPENAI_API_KEY"]).unwrap(), "gpt");
    let local = "[model.near]\napi = \"chat\"\nid = \"x\"\nbase_url = \"http://localhost:1/v1\"";
    assert_eq!(start(local, &[]).unwrap(), "near");
    insta::assert_snapshot!(start("", &[]).unwrap_err(), @r#"
    error: cannot choose a model: none is configured and no key was found
    hint: set `ANTHROPIC_API_KEY` or `GEMINI_API_KEY` or `OPENAI_API_KEY`, or name a model: `--model NAME`
    "#);
    assert!(matches!(
        resolved("", "", &none, &none).start_model(&|_| false),
        Err(ConfigError::NoModel { .. })
    ));
}

#[test]
fn a_persons_model_replaces_a_built_in_one_wholly() {
    let none = Overrides::default();
    let text = "[model.gpt]\napi = \"chat\"\nid = \"house-mini\"";
    let resolved = resolved("", text, &none, &none);
    let model = resolved.find_model("gpt").unwrap();
    let own = KeySource::Env("OPENAI_API_KEY".to_owned());
    assert_eq!((model.key.clone(), model.price), (Some(own), None));
    assert_eq!(model.profile().id, "house-mini");
    let built_in = resolved.find_model("claude-sonnet").unwrap();
    assert_eq!(
        built_in.key,
        Some(KeySource::Env("ANTHROPIC_API_KEY".to_owned()))
    );
    assert_eq!(resolved.find_model("gpt-6.2"), None);
}

#[test]
fn a_gate_gets_no_key_of_a_model() {
    let none = Overrides::default();
    let gate = |variable: &str| {
        let text = format!(
            "[[gate]]\nname = \"t\"\nrun = [\"a\"]\nenvironment = [\"CI\", \"{variable}\"]"
        );
        let mine = "[model.mine]\napi = \"chat\"\nid = \"x\"\nkey_env = \"MINE\"";
        resolve(
            Some(&repository(&text).unwrap()),
            &user(mine).unwrap(),
            &none,
            &none,
        )
    };
    assert!(gate("OTHER").is_ok());
    for variable in ["MINE", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"] {
        let error = gate(variable).unwrap_err();
        let expected = format!("cannot give `{variable}` to gate `t`: it holds the key of a model");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_repository_adds_protection_and_takes_none_away() {
    let none = Overrides::default();
    let text = "[scope]\nwrite = [\"src/**\"]\nhide = []\n[protect]\npaths = []";
    let emptied = resolved(text, "", &none, &none);
    let untouched = resolved("", "", &none, &none);
    assert_eq!(emptied.policy.scope.protect, untouched.policy.scope.protect);
    assert_eq!(emptied.policy.scope.hide, untouched.policy.scope.hide);
    assert!(!untouched.policy.scope.protect.is_empty() && !untouched.policy.scope.hide.is_empty());
    assert!(untouched.policy.scope.write.is_empty());
    let added = resolved(
        "[protect]\npaths = [\"x\"]\n[features]\nfile = \"work/f.json\"",
        "",
        &none,
        &none,
    );
    let last = added.policy.scope.protect.last().unwrap();
    assert_eq!(
        (last.value.as_str(), last.origin.as_str()),
        ("x", "harness.toml:2")
    );
    let owned: Vec<&str> = added
        .policy
        .scope
        .host_owned
        .iter()
        .map(|owned| owned.value.as_str())
        .collect();
    assert_eq!(owned, ["work/f.json", "progress.md", "**/AGENTS.md"]);
}

#[test]
fn the_guard_takes_every_scope_that_was_read() {
    let none = Overrides::default();
    let text = "[scope]\nwrite = [\".\", \"./a/**\", \"a//b\", \"[]x]*\"]\n[features]\nfile = \"a b.json\"";
    let feature = Feature::titled(FeatureId::new("F-001").unwrap(), "x");
    for text in ["", text, crate::DEFAULT_REPOSITORY_FILE] {
        let scope = resolved(text, "", &none, &none).policy.scope;
        assert!(harness_guard::Scope::compile(&scope, &feature).is_ok());
    }
}

#[test]
fn what_is_neither_limit_nor_choice_passes_through() {
    let none = Overrides::default();
    let flags = Overrides {
        agent: Some("script:turns.json".to_owned()),
        sandbox: Some(Level::Namespaces),
        patience: Some(Duration::from_secs(5)),
        ..Overrides::default()
    };
    let repository = "[gates]\nisolate = false\nlink = [\"node_modules\"]\nreview = \"person\"
[sandbox]\nnetwork = [\"npm\"]\n[[setup]]\nrun = [\"npm\", \"ci\"]\n[agent]\nuse = \"x\"\nfallback = [\"local\"]";
    let resolved = resolved(repository, "[sandbox]\nread = [\"/opt/x\"]", &none, &flags);
    assert!(!resolved.policy.isolate);
    assert_eq!(resolved.link[0].to_text(), "node_modules");
    assert_eq!(resolved.policy.review, ReviewBy::Person);
    assert_eq!(resolved.demanded_review, ReviewBy::Person);
    assert_eq!(
        hosts(&resolved),
        ["registry.npmjs.org:443", "registry.yarnpkg.com:443"]
    );
    assert_eq!(resolved.sandbox.read, [Path::new("/opt/x")]);
    assert_eq!(resolved.sandbox.level, Some(Level::Namespaces));
    assert_eq!(resolved.setup[0].run, ["npm", "ci"]);
    assert_eq!(resolved.agent, "script:turns.json");
    assert_eq!(resolved.fallback, ["local"]);
    assert_eq!(resolved.policy.limits.patience, Duration::from_secs(5));
}

#[test]
fn what_a_person_wants_reviewed_makes_no_demand_on_the_proofs_of_a_repository() {
    let none = Overrides::default();
    let own = "[gates]\nreview = \"person\"";
    let both = resolved("[gates]\nreview = \"agent\"", own, &none, &none);
    assert_eq!(both.policy.review, ReviewBy::Person);
    assert_eq!(both.demanded_review, ReviewBy::Agent);
    let only = resolved("", own, &none, &none);
    assert_eq!(only.policy.review, ReviewBy::Person);
    assert_eq!(only.demanded_review, ReviewBy::None);
}

/// Returns the hosts of a policy as text.
fn hosts(resolved: &Resolved) -> Vec<String> {
    let network = &resolved.policy.network;
    network.iter().map(ToString::to_string).collect()
}

#[test]
fn the_person_opens_hosts_beside_those_of_the_repository() {
    let none = Overrides::default();
    let repository = "[sandbox]\nnetwork = [\"a.test\", \"B.test:8443\", \"go\"]";
    let user = "[sandbox]\nnetwork = [\"b.test:8443\", \"127.0.0.1:5432\"]";
    let resolved = resolved(repository, user, &none, &none);
    let network: Vec<(String, &str, bool)> = resolved
        .policy
        .network
        .iter()
        .map(|host| (host.to_string(), host.origin.as_str(), host.private))
        .collect();
    let expected = [
        ("b.test:8443", "config.toml:2", false),
        ("127.0.0.1:5432", "config.toml:2", true),
        ("a.test:443", "harness.toml:2", false),
        ("proxy.golang.org:443", "harness.toml:2, go", false),
        ("sum.golang.org:443", "harness.toml:2, go", false),
    ];
    assert_eq!(
        network,
        expected.map(|(host, origin, private)| (host.to_owned(), origin, private))
    );
    let lines = resolved
        .origins
        .iter()
        .filter(|setting| setting.key == "sandbox.network");
    let lines: Vec<String> = lines
        .map(|setting| format!("{} {}", setting.value, setting.origin))
        .collect();
    assert_eq!(
        lines,
        [
            "\"b.test:8443\" config.toml:2",
            "\"127.0.0.1:5432\" config.toml:2",
            "\"a.test:443\" harness.toml:2",
            "\"b.test:8443\" harness.toml:2",
            "\"go\" harness.toml:2",
        ]
    );
}

#[test]
fn offline_closes_every_host_and_no_repository_opens_one_again() {
    let none = Overrides::default();
    let offline = Overrides {
        offline: true,
        ..Overrides::default()
    };
    let repository = "[sandbox]\nnetwork = [\"a.test\"]";
    let person = "[sandbox]\nnetwork = [\"b.test\"]\n";
    let closed = format!("{person}offline = true");
    for (user, environment, flags, origin) in [
        (closed.as_str(), &none, &none, "config.toml:3"),
        (person, &offline, &none, "environment"),
        (person, &none, &offline, "flag"),
    ] {
        let resolved = resolved(repository, user, environment, flags);
        assert_eq!(hosts(&resolved), Vec::<String>::new());
        let setting = resolved
            .origins
            .iter()
            .find(|setting| setting.key == "sandbox.offline");
        assert_eq!(setting.unwrap().origin, origin);
    }
    // What is said to be on in the environment stays as it is.
    let resolved = resolved(repository, "[sandbox]\noffline = false", &none, &none);
    assert_eq!(hosts(&resolved), ["a.test:443"]);
}

#[test]
fn every_setting_says_whose_word_it_is() {
    let none = Overrides::default();
    let text = "[scope]\nwrite = [\"src/**\",\n  \"a\\tb\"]\n[agent]\nmodel = \"local\"\n[limits]\nusd = 5";
    let resolved = resolved(
        text,
        "[limits]\nturns = 9\n[sandbox]\nread = [\"/x\"]",
        &none,
        &none,
    );
    let lines: Vec<String> = resolved
        .origins
        .iter()
        .filter(|setting| !["scope.hide", "protect.paths"].contains(&setting.key.as_str()))
        .map(|setting| format!("{} = {}  # {}", setting.key, setting.value, setting.origin))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    features.file = "feature_list.json"  # built in
    context.map = "AGENTS.md"  # built in
    scope.write = "src/**"  # harness.toml:2
    scope.write = "a\U00000009b"  # harness.toml:3
    gates.isolate = true  # built in
    gates.review = "none"  # built in
    limits.day_usd = none  # built in
    limits.session_usd = none  # built in
    limits.feature_usd = none  # built in
    limits.usd = 5.0  # harness.toml:7
    limits.turns = 9  # config.toml:2
    limits.minutes = 240  # built in
    limits.attempts = 3  # built in
    limits.output = "1 MiB"  # built in
    limits.command = "10m"  # built in
    limits.silence = "2m"  # built in
    limits.patience = "1m"  # built in
    limits.idle = "1m"  # built in
    sandbox.memory = "4 GiB"  # built in
    sandbox.processes = 512  # built in
    context.budget = "16k tokens"  # built in
    sandbox.read = "/x"  # config.toml:4
    agent.use = "builtin"  # built in
    agent.model = "local"  # harness.toml:5
    agent.fallback = none  # built in
    agent.effort = none  # built in
    role.cheap.model = none  # built in
    role.cheap.effort = none  # built in
    role.reviewer.model = none  # built in
    role.reviewer.effort = none  # built in
    model.claude-sonnet = "anthropic claude-sonnet-5-5"  # built in
    model.claude-sonnet.price = { input = 2.0, output = 10.0, cache_read = 0.1, cache_write = 2.5 }  # price table, 2026-11-29
    model.gemini = "gemini gemini-3.8-flash"  # built in
    model.gemini.price = { input = 1.5, output = 7.5, cache_read = 0.15, cache_write = 1.5 }  # price table, 2026-11-29
    model.gpt = "responses gpt-6.2-sol"  # built in
    model.gpt.price = { input = 2.0, output = 10.0, cache_read = 0.1, cache_write = 2.5 }  # price table, 2026-11-29
    model.local = "chat local"  # built in
    model.local.price = { input = 0.0, output = 0.0, cache_read = 0.0, cache_write = 0.0 }  # local server
    "#);
}
