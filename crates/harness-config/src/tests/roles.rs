use std::path::Path;

use harness_core::{Effort, Role};

use super::{messages, repository, shown, user};
use crate::{EffortWish, Overrides, Resolved, resolve};

fn resolved(repository_text: &str, user_text: &str) -> Resolved {
    let none = Overrides::default();
    let (repository, user) = (repository(repository_text), user(user_text));
    resolve(Some(&repository.unwrap()), &user.unwrap(), &none, &none).unwrap()
}

fn model(resolved: &Resolved, role: Role) -> Option<String> {
    resolved.role(role).model
}

#[test]
fn a_role_is_named_key_by_key_and_the_persons_word_goes_first() {
    let repository = "[agent]\neffort = \"high\"\n[role.cheap]\nmodel = \"gpt\"\neffort = \"low\"\n\
        [role.reviewer]\nmodel = \"nobody-here-has-it\"";
    let user = "[role.cheap]\nmodel = \"ollama/small:1b\"\n[agent]\neffort = \"minimal\"";
    let both = resolved(repository, user);
    assert_eq!(model(&both, Role::Cheap).unwrap(), "ollama/small:1b");
    let cheap = both.role(Role::Cheap).effort;
    assert_eq!(cheap, EffortWish::Asked(Effort::Low));
    // A name that needs no definition is one of the models; one that nobody defined is kept.
    assert!(both.models.contains_key("ollama/small:1b"));
    assert_eq!(model(&both, Role::Reviewer).unwrap(), "nobody-here-has-it");
    let main = both.role(Role::Main);
    assert_eq!(main.effort, EffortWish::Asked(Effort::Minimal));
    let lines: Vec<String> = both
        .origins
        .iter()
        .filter(|setting| setting.key.starts_with("role.") || setting.key == "agent.effort")
        .map(|setting| format!("{} = {}  # {}", setting.key, setting.value, setting.origin))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    agent.effort = "minimal"  # config.toml:4
    role.cheap.model = "ollama/small:1b"  # config.toml:2
    role.cheap.effort = "low"  # harness.toml:5
    role.reviewer.model = "nobody-here-has-it"  # harness.toml:7
    role.reviewer.effort = none  # built in
    "#);
}

#[test]
fn the_role_says_how_hard_then_the_model_and_a_role_without_a_model_takes_after_the_main_one() {
    let own = "[model.m]\napi = \"responses\"\nid = \"m\"\neffort = \"high\"\n";
    for (said, main, cheap) in [
        ("", Some(Effort::High), Some(Effort::High)),
        (
            "[agent]\neffort = \"low\"",
            Some(Effort::Low),
            Some(Effort::Low),
        ),
        ("[agent]\neffort = \"default\"", None, None),
        (
            "[agent]\neffort = \"low\"\n[role.cheap]\nmodel = \"m\"",
            Some(Effort::Low),
            Some(Effort::High),
        ),
        (
            "[role.cheap]\neffort = \"none\"",
            Some(Effort::High),
            Some(Effort::None),
        ),
        (
            "[role.cheap]\neffort = \"default\"\nmodel = \"m\"",
            Some(Effort::High),
            None,
        ),
    ] {
        let found = resolved("", &format!("{own}{said}"));
        let model = &found.models["m"];
        assert_eq!(found.effort_for(Role::Main, model), main, "{said}");
        assert_eq!(found.effort_for(Role::Cheap, model), cheap, "{said}");
    }
}

#[test]
fn one_repository_may_have_other_roles() {
    let text = "[role.cheap]\nmodel = \"gpt\"\neffort = \"low\"\n\
        [repo.\"/shop\".role.cheap]\nmodel = \"local\"\n";
    let none = Overrides::default();
    let here = user(text).unwrap().for_repository(Path::new("/shop"));
    let found = resolve(None, &here, &none, &none).unwrap();
    assert_eq!(model(&found, Role::Cheap).unwrap(), "local");
    let effort = found.role(Role::Cheap).effort;
    assert_eq!(effort, EffortWish::Asked(Effort::Low));
}

#[test]
fn what_is_wrong_with_a_role_is_said_with_its_place() {
    insta::assert_snapshot!(messages(user, &[
        "[role.chep]\nmodel = \"gpt\"",
        "[role.main]\nmodel = \"gpt\"",
        "[role.cheap]\nmodel = \"gtp\"",
        "[repo.\"/x\".role.reviewer]\nmodel = \"nobody\"",
        "[role.cheap]\neffort = \"hihg\"",
        "[agent]\neffort = \"enough\"",
        "[role]\ncheap = \"gpt\"",
        "[role.cheap]\nfallback = [\"gpt\"]",
        "[model.x]\napi = \"chat\"\nid = \"x\"\neffort = \"default\"",
        "[model.x]\napi = \"chat\"\nid = \"x\"\neffort = 3",
    ]), @r#"
    cannot read `[role]` in `config.toml`, line 1: unknown key `chep`
        did you mean `cheap`?
    cannot read `[role]` in `config.toml`, line 1: unknown key `main`
        the main role is `[agent]`
    cannot read `[role.cheap]` in `config.toml`, line 2: there is no model `gtp`
        did you mean `gpt`?
    cannot read `[repo."/x".role.reviewer]` in `config.toml`, line 2: there is no model `nobody`
        known are `claude-sonnet`, `gpt`, `gemini`, `local`
    cannot read `[role.cheap]` in `config.toml`, line 2: `effort` cannot be `hihg`
        did you mean `high`?
    cannot read `[agent]` in `config.toml`, line 2: `effort` cannot be `enough`
        it is one of `default`, `none`, `minimal`, `low`, `medium`, `high`
    cannot read `[role]` in `config.toml`, line 2: `cheap` must be a table, not a string
    cannot read `[role.cheap]` in `config.toml`, line 2: unknown key `fallback`
        `fallback` is a key of `[agent]`
    cannot read model `x` in `config.toml`, line 4: `effort` cannot be `default`
        it is one of `none`, `minimal`, `low`, `medium`, `high`
    cannot read model `x` in `config.toml`, line 4: `effort` must be a string, not a whole number
    "#);
    insta::assert_snapshot!(messages(repository, &[
        "[role.cheap]\nmodel = \"a b\"",
        "[role.cheap]\nmodel = \"gpt\"\nbase_url = \"https://x.test\"",
        "[role.cheap]\neffort = \"hard\"",
    ]), @r#"
    cannot read `[role.cheap]` in `harness.toml`, line 2: `a b` is not a name
        a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -
    cannot read `[role.cheap]` in `harness.toml`, line 3: key `base_url` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read `[role.cheap]` in `harness.toml`, line 2: `effort` cannot be `hard`
        it is one of `default`, `none`, `minimal`, `low`, `medium`, `high`
    "#);
    insta::assert_snapshot!(shown(&user("[role.reviewer]\neffort = \"midium\"").unwrap_err()), @r#"
    error: cannot read `[role.reviewer]` in `config.toml`, line 2: `effort` cannot be `midium`
    hint: did you mean `medium`?
     --> config.toml:2:10
      |
    2 | effort = "midium"
      |          ^^^^^^^^
    "#);
}
