use std::path::Path;

use harness_core::{Money, Price, TokenCount};

use super::{messages, user};
use crate::{Api, KeySource, Model, Overrides, UserConfig, ollama_address, resolve};

fn model(rest: &str) -> Model {
    let text = format!("[model.x]\nid = \"some/id:7b\"\n{rest}");
    user(&text).unwrap().models.remove("x").unwrap()
}

#[test]
fn a_model_that_says_little_gets_the_defaults() {
    let found = model("api = \"anthropic\"");
    assert_eq!(found.base_url, "https://api.anthropic.com");
    assert_eq!(
        (found.context, found.output),
        (TokenCount(128_000), TokenCount(8_000))
    );
    let own = KeySource::Env("ANTHROPIC_API_KEY".to_owned());
    assert_eq!(
        (found.key, found.price, found.local),
        (Some(own), None, false)
    );
    assert_eq!(found.origin, "config.toml:1");
    let found = model("api = \"chat\"\ncontext = \"8k\"");
    assert_eq!(
        (found.api, found.base_url.as_str()),
        (Api::Chat, "https://api.openai.com/v1")
    );
    assert_eq!(found.output, TokenCount(2000));
}

#[test]
fn every_wire_has_its_provider_and_the_providers_key_goes_nowhere_else() {
    for (api, base_url, key) in [
        (
            Api::Anthropic,
            "https://api.anthropic.com",
            Some("ANTHROPIC_API_KEY"),
        ),
        (
            Api::Chat,
            "https://api.openai.com/v1",
            Some("OPENAI_API_KEY"),
        ),
        (
            Api::Responses,
            "https://api.openai.com/v1",
            Some("OPENAI_API_KEY"),
        ),
        (
            Api::Gemini,
            "https://generativelanguage.googleapis.com/v1beta",
            Some("GEMINI_API_KEY"),
        ),
        (Api::Ollama, "http://127.0.0.1:11434", None),
    ] {
        let word = api.as_str();
        let found = model(&format!("api = \"{word}\""));
        assert_eq!((found.api, found.base_url.as_str()), (api, base_url));
        let key = key.map(|name| KeySource::Env(name.to_owned()));
        assert_eq!(found.key, key, "{word}");
        let written = model(&format!("api = \"{word}\"\nbase_url = \"{base_url}/\""));
        assert_eq!(written.key, key, "{word}");
        let elsewhere = model(&format!(
            "api = \"{word}\"\nbase_url = \"https://example.org\""
        ));
        assert_eq!(elsewhere.key, None, "{word}");
    }
}

#[test]
fn a_chat_server_can_be_named() {
    let found = model("api = \"chat\"\nbase_url = \"http://near:1/v1\"\nserver = \"vllm\"");
    assert_eq!(found.server, Some("vllm"));
    assert_eq!(model("api = \"chat\"").server, None);
}

#[test]
fn the_variable_of_ollama_is_read_as_ollama_reads_it() {
    for (said, address) in [
        ("", None),
        ("  ", None),
        ("127.0.0.1", Some("http://127.0.0.1:11434")),
        ("0.0.0.0", Some("http://127.0.0.1:11434")),
        ("0.0.0.0:8000", Some("http://127.0.0.1:8000")),
        (":8000", Some("http://127.0.0.1:8000")),
        ("[::]:8000", Some("http://127.0.0.1:8000")),
        ("[::1]", Some("http://[::1]:11434")),
        (" \"near:1\" ", Some("http://near:1")),
        ("http://near", Some("http://near:80")),
        ("https://near/ollama/", Some("https://near:443/ollama")),
        ("a b", None),
    ] {
        assert_eq!(ollama_address(said).as_deref(), address, "{said:?}");
    }
}

#[test]
fn a_model_says_all_there_is_to_say() {
    let found = model(
        "api = \"chat\"\nbase_url = \"https://llm.example.org:8443/v1/\"\nkey_env = \"K\"
context = \"200k tokens\"\noutput = \"32k\"\nprice = { input = 3, output = 15.0, cache_read = 0.3 }",
    );
    assert_eq!(found.base_url, "https://llm.example.org:8443/v1");
    assert_eq!(found.key, Some(KeySource::Env("K".to_owned())));
    assert_eq!(
        (found.context, found.output),
        (TokenCount(200_000), TokenCount(32_000))
    );
    let price = Price {
        input: Money::from_usd(3.0),
        output: Money::from_usd(15.0),
        cache_read: Money::from_usd(0.3),
        cache_write: Money::from_usd(3.0),
    };
    assert_eq!(found.price, Some(price));
    let found = model("api = \"chat\"\nkey_command = [\"pass\", \"show\", \"k\"]");
    let argv = ["pass", "show", "k"].map(str::to_owned).to_vec();
    assert_eq!(found.key, Some(KeySource::Command(argv)));
}

#[test]
fn a_server_on_this_machine_costs_nothing_unless_it_says() {
    for (base_url, local) in [
        ("http://127.0.0.1:11434/v1", true),
        ("http://127.9.9.9", true),
        ("http://localhost:8080/v1", true),
        ("http://LOCALHOST", true),
        ("http://[::1]:8080/v1", true),
        ("https://localhost.example.org/v1", false),
        ("https://127.0.0.1.example.org/v1", false),
        ("http://192.168.1.2:8080/v1", false),
    ] {
        let found = model(&format!("api = \"chat\"\nbase_url = \"{base_url}\""));
        assert_eq!(found.local, local, "{base_url}");
        assert_eq!(found.price, local.then(Price::default), "{base_url}");
    }
    let found =
        model("api = \"chat\"\nbase_url = \"http://localhost\"\nprice = { input = 1, output = 1 }");
    assert_ne!(found.price, Some(Price::default()));
}

#[test]
fn a_price_that_is_not_given_is_that_of_the_table() {
    let named = |id: &str, rest: &str| {
        let text = format!("[model.x]\nid = \"{id}\"\napi = \"anthropic\"\n{rest}");
        user(&text).unwrap().models.remove("x").unwrap()
    };
    let input = |model: &Model| model.price.map(|price| price.input.as_usd());
    for id in ["claude-haiku-4-5", "claude-haiku-4-5-20251001"] {
        let found = named(id, "");
        assert_eq!(input(&found), Some(1.0), "{id}");
        assert!(found.price_origin.starts_with("price table, 20"), "{id}");
        assert_eq!(found.context, TokenCount(200_000), "{id}");
    }
    let own = named("claude-haiku-4-5", "price = { input = 7, output = 9 }");
    assert_eq!(
        (input(&own), own.price_origin.as_str()),
        (Some(7.0), "config.toml:4")
    );
    // Where a larger prompt costs more, that price comes along; who writes a price means all prompts.
    let beyond = |model: &Model| model.profile().beyond.map(|price| price.input.as_usd());
    assert_eq!(beyond(&named("claude-haiku-5-5", "")), Some(0.5));
    assert_eq!(beyond(&named("claude-haiku-4-5", "")), None);
    let own_long = named("claude-haiku-5-5", "price = { input = 7, output = 9 }");
    assert_eq!(beyond(&own_long), None);
    let near = named("claude-haiku-4-5", "base_url = \"http://127.0.0.1:1\"");
    assert_eq!(
        (input(&near), near.price_origin.as_str()),
        (Some(0.0), "local server")
    );
    let other = named("claude-haiku-99", "");
    assert_eq!(
        (input(&other), other.price_origin.as_str()),
        (None, "built in")
    );
}

#[test]
fn a_model_that_cannot_be_meant_so_is_refused() {
    let texts = [
        "api = \"antropic\"",
        "api = \"chat\"\nbase_url = \"ftp://x\"",
        "api = \"chat\"\nbase_url = \"https://\"",
        "api = \"chat\"\nbase_url = \"localhost:11434\"",
        "api = \"chat\"\nbase_url = \"https://a b/\"",
        "api = \"chat\"\nbase_url = \"https://me:pw@x/\"",
        "api = \"chat\"\nbase_url = \"https://x/?key=1\"",
        "api = \"anthropic\"\nbase_url = \"https://api.anthropic.com/v1\"",
        "api = \"ollama\"\nbase_url = \"http://localhost:11434/v1\"",
        "api = \"ollama\"\nbase_url = \"http://localhost:11434/api/\"",
        "api = \"chat\"\nserver = \"vlm\"",
        "api = \"gemini\"\nserver = \"vllm\"",
        "api = \"chat\"\nkey_env = \"A\"\nkey_command = [\"b\"]",
        "api = \"chat\"\nkey_env = \"sk-abc\"",
        "api = \"chat\"\nkey_env = \"\"",
        "api = \"chat\"\nkey_command = []",
        "api = \"chat\"\ncontext = \"0\"",
        "api = \"chat\"\ncontext = \"4k\"\noutput = \"4k\"",
        "api = \"chat\"\nprice = { input = -1, output = 1 }",
        "api = \"chat\"\nprice = { input = 1 }",
        "api = \"chat\"\nprice = { input = 1, output = 1, cache = 1 }",
    ]
    .map(|rest| format!("[model.x]\nid = \"x\"\n{rest}"));
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts.push("[model.\"a b\"]\napi = \"chat\"\nid = \"x\"");
    texts.push("[model.x]\napi = \"chat\"\nid = \"\"");
    insta::assert_snapshot!(messages(user, &texts), @r#"
    cannot read model `x` in `config.toml`, line 3: `api` cannot be `antropic`
        did you mean `anthropic`?
    cannot read model `x` in `config.toml`, line 4: `base_url` is not an address
        write it as `https://HOST/PATH`, or `http://` for a server near by
    cannot read model `x` in `config.toml`, line 4: `base_url` is not an address
        write it as `https://HOST/PATH`, or `http://` for a server near by
    cannot read model `x` in `config.toml`, line 4: `base_url` is not an address
        write it as `https://HOST/PATH`, or `http://` for a server near by
    cannot read model `x` in `config.toml`, line 4: `base_url` is not an address
        write it as `https://HOST/PATH`, or `http://` for a server near by
    cannot read model `x` in `config.toml`, line 4: `base_url` holds more than an address
        leave user, password, `?` and `#` out; a key goes into `key_env` or `key_command`
    cannot read model `x` in `config.toml`, line 4: `base_url` holds more than an address
        leave user, password, `?` and `#` out; a key goes into `key_env` or `key_command`
    cannot read model `x` in `config.toml`, line 4: `base_url` ends with `/v1`, which is added for `anthropic`
        leave `/v1` out
    cannot read model `x` in `config.toml`, line 4: `base_url` ends with `/v1`, where Ollama speaks `chat`
        leave `/v1` out, or write `api = "chat"`
    cannot read model `x` in `config.toml`, line 4: `base_url` ends with `/api`, which is added for `ollama`
        leave `/api` out
    cannot read model `x` in `config.toml`, line 4: `server` cannot be `vlm`
        did you mean `vllm`?
    cannot read model `x` in `config.toml`, line 4: `server` says nothing for api `gemini`
        leave it out; servers differ in `chat` alone
    cannot read model `x` in `config.toml`, line 5: there is a `key_env` already
        keep one of `key_env` and `key_command`
    cannot read model `x` in `config.toml`, line 4: `key_env` holds no name of an environment variable
        write the name of the variable, such as `SERVICE_KEY`, never its value
    cannot read model `x` in `config.toml`, line 4: `key_env` holds no name of an environment variable
        write the name of the variable, such as `SERVICE_KEY`, never its value
    cannot read model `x` in `config.toml`, line 4: `key_command` names no program
        write program and arguments as a list: `["cargo", "test"]`
    cannot read model `x` in `config.toml`, line 4: `context` must be above 0
    cannot read model `x` in `config.toml`, line 5: `output` must be smaller than the window of 4000 tokens
    cannot read model `x` in `config.toml`, line 4: `input` must be an amount of US dollars from 0 to 1000000
    cannot read `[model.x.price]` in `config.toml`, line 4: key `output` is missing
    cannot read `[model.x.price]` in `config.toml`, line 4: unknown key `cache`
        known here: `input`, `output`, `cache_read`, `cache_write`
    cannot read model `a b` in `config.toml`, line 1: `a b` is not a name
        a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -
    cannot read model `x` in `config.toml`, line 3: `id` is not the id of a model
        write the provider's name of the model, such as `gpt-5`
    "#);
}

#[test]
fn names_agents_and_paths_are_checked() {
    insta::assert_snapshot!(messages(user, &[
        "[agent]\nmodel = \"claude-sonet\"",
        "[agent]\nfallback = [\"local\", \"nobody\"]",
        "[repo.\"/x\".agent]\nmodel = \"nobody\"",
        "[agent.x]\nkind = \"acp\"",
        "[agent.x]\nkind = \"builtin\"\ncommand = [\"x\"]",
        "[agent.x]\nkind = \"apc\"\ncommand = [\"x\"]",
        "[sandbox]\nread = [\"relative\"]",
        "[sandbox]\nread = [\"/a/../b\"]",
        "[sandbox]\nread = [\"~other/x\"]",
        "[repo.\"shop\"]",
        "[repo.\"/x\".limits]\nturns = 0",
    ]), @r#"
    cannot read `[agent]` in `config.toml`, line 2: there is no model `claude-sonet`
        did you mean `claude-sonnet`?
    cannot read `[agent]` in `config.toml`, line 2: there is no model `nobody`
        known are `claude-sonnet`, `gpt`, `gemini`, `local`
    cannot read `[repo."/x".agent]` in `config.toml`, line 2: there is no model `nobody`
        known are `claude-sonnet`, `gpt`, `gemini`, `local`
    cannot read agent `x` in `config.toml`, line 2: key `command` is missing: `acp` needs one
    cannot read agent `x` in `config.toml`, line 3: the built-in agent has no command
    cannot read agent `x` in `config.toml`, line 2: `kind` cannot be `apc`
        did you mean `acp`?
    cannot read `[sandbox]` in `config.toml`, line 2: `relative` in `read` is not an absolute path
        begin it with `/` or `~/`, without `..`
    cannot read `[sandbox]` in `config.toml`, line 2: `/a/../b` in `read` is not an absolute path
        begin it with `/` or `~/`, without `..`
    cannot read `[sandbox]` in `config.toml`, line 2: `~other/x` in `read` is not an absolute path
        begin it with `/` or `~/`, without `..`
    cannot read `[repo]` in `config.toml`, line 1: `shop` is not an absolute path
        write the repository's folder in full, such as `[repo."/home/me/shop"]`
    cannot read `[repo."/x".limits]` in `config.toml`, line 2: `turns` must be between 1 and 1000000
    "#);
}

#[test]
fn the_screen_is_as_the_person_wants_it() {
    let text = "[ui]\nascii = true\ntheme = \"blue-orange\"\nmotion = \"reduced\"\nmouse = true\n\
        [keys]\n\"review.accept\" = [\"a\"]\n\
        [notify]\nmethod = \"osc9\"\ncommand = [\"tell\", \"me\"]\n";
    let faces = user(text).unwrap().faces;
    assert!(faces.ui.ascii && faces.ui.is_calm && faces.ui.mouse);
    assert_eq!(faces.ui.theme, "blue-orange");
    assert!(faces.keys.contains_key("review.accept"));
    assert_eq!(
        (faces.notify.method, faces.notify.command.len()),
        ("osc9", 2)
    );
    let shown = faces
        .settings
        .iter()
        .map(|setting| format!("{} = {}  # {}", setting.key, setting.value, setting.origin));
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    ui.ascii = true  # config.toml:2
    ui.screen_reader = false  # built in
    ui.theme = "blue-orange"  # config.toml:3
    ui.motion = "reduced"  # config.toml:4
    ui.mouse = true  # config.toml:5
    composer.keys = "readline"  # built in
    notify.method = "osc9"  # config.toml:9
    notify.command = ["tell", "me"]  # config.toml:10
    "#);
}

#[test]
fn without_a_file_the_same_settings_are_listed() {
    let empty = user("").unwrap().faces;
    assert_eq!(empty, UserConfig::default().faces);
}

#[test]
fn words_of_the_screen_that_nobody_knows_are_told() {
    for (text, told) in [
        ("[ui]\ntheme = \"drak\"", "did you mean `dark`?"),
        ("[ui]\nmotion = \"none\"", "it is one of"),
        ("[ui]\nmouse = \"yes\"", "`true` or `false`"),
        ("[notify]\nmethod = \"osc7\"", "did you mean"),
        ("[notify]\ncommand = []", "names no program"),
        ("[notify]\nsound = \"x\"", "sound"),
    ] {
        let error = user(text).unwrap_err();
        let words = format!("{error} {}", error.hint().unwrap_or_default());
        assert!(words.contains(told), "{text}: {words}");
    }
}

#[test]
fn one_repository_may_have_wishes_of_its_own() {
    let text = "\
[agent]
model = \"gpt\"
[limits]
turns = 50
usd = 9
[sandbox]
read = [\"/a\"]
[repo.\"/home/me/shop/\".limits]
turns = 500
[repo.\"/home/me/shop/\".agent]
model = \"local\"
[repo.\"/home/me/shop/\".sandbox]
read = [\"~/b\"]
memory = \"1 GiB\"
";
    let none = Overrides::default();
    let config = user(text).unwrap();
    let here = config.for_repository(Path::new("/home/me/shop"));
    let resolved = resolve(None, &here, &none, &none).unwrap();
    assert_eq!(resolved.policy.limits.turns, 500);
    assert_eq!(resolved.policy.limits.usd, Some(Money::from_usd(9.0)));
    assert_eq!(resolved.policy.limits.memory.to_string(), "1 GiB");
    assert_eq!(resolved.model.as_deref(), Some("local"));
    assert_eq!(resolved.sandbox.read, [Path::new("/a"), Path::new("~/b")]);
    let other = config.for_repository(Path::new("/home/me/shop/inner"));
    let resolved = resolve(None, &other, &none, &none).unwrap();
    assert_eq!(resolved.policy.limits.turns, 50);
    assert_eq!(UserConfig::default(), user("").unwrap());
}
