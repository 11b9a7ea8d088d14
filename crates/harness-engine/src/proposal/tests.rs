use harness_core::{Gate, Limits, RepoPath, ScopeRules, Sourced, TokenCount};

use super::*;

fn policy() -> Policy {
    let sourced = |patterns: &[&str]| patterns.iter().copied().map(Sourced::built_in).collect();
    Policy {
        formats: Vec::new(),
        review: harness_core::ReviewBy::None,
        scope: ScopeRules {
            write: sourced(&["src/**", "tests/**"]),
            deny: sourced(&["src/generated/**"]),
            ..ScopeRules::default()
        },
        gates: vec![Gate::named("test", vec!["make".to_owned()])],
        commands: Vec::new(),
        limits: Limits::default(),
        isolate: true,
        feature_file: RepoPath::parse("feature_list.json").unwrap(),
        progress_file: RepoPath::parse("progress.md").unwrap(),
        map_file: "AGENTS.md".to_owned(),
        context_budget: TokenCount(16_000),
        network: Vec::new(),
        network_closed: String::new(),
        amendments: Vec::new(),
    }
}

fn existing() -> Vec<Feature> {
    let id = |text: &str| FeatureId::new(text).unwrap();
    let mut cancelled = Feature::titled(id("F-002"), "Import from XML");
    cancelled.status = FeatureStatus::Cancelled;
    vec![Feature::titled(id("F-001"), "Export as CSV"), cancelled]
}

fn draft(title: &str) -> Draft {
    Draft {
        title: title.to_owned(),
        acceptance: vec!["a quoted field keeps its comma".to_owned()],
        ..Draft::default()
    }
}

fn check(drafts: &[Draft]) -> Result<Vec<ProposedFeature>, String> {
    check_proposal(drafts, &existing(), &policy())
}

/// Judges one draft; `Err` holds what is said of it.
fn check_one(change: impl Fn(&mut Draft)) -> Result<ProposedFeature, String> {
    let mut one = draft("Import CSV");
    change(&mut one);
    check(&[one]).map(|mut all| all.remove(0))
}

fn refused(part: &str, change: impl Fn(&mut Draft)) {
    match check_one(change) {
        Err(problem) => assert!(problem.contains(part), "{problem}"),
        Ok(taken) => panic!("{part}: {taken:?} was taken"),
    }
}

#[test]
fn a_good_proposal_comes_out_as_it_went_in() {
    let mut second = draft("  Report bad rows ");
    second.depends_on = ["1", "import csv", "F-001"].map(str::to_owned).to_vec();
    second.scope = vec!["src/import/**".to_owned()];
    second.gates = vec!["test".to_owned()];
    second.priority = 3;
    let features = check(&[draft("Import CSV"), second]).unwrap();
    assert_eq!(features[1].title, "Report bad rows");
    assert_eq!(features[1].after, [1]);
    assert_eq!(features[1].depends_on, [FeatureId::new("F-001").unwrap()]);
    assert_eq!(features[1].write, ["src/import/**"]);
    assert_eq!(features[1].priority, 3);
}

#[test]
fn what_is_there_already_is_not_proposed_again() {
    refused("`F-001` of the list has the same title", |draft| {
        draft.title = "export  AS csv".to_owned();
    });
    // What a person has cancelled may be wanted again.
    assert!(check(&[draft("Import from XML")]).is_ok());
    let problem = check(&[draft("Import CSV"), draft("import csv")]).unwrap_err();
    assert!(
        problem.contains("feature 2: it has the title of feature 1"),
        "{problem}"
    );
}

#[test]
fn nothing_is_widened() {
    for pattern in ["docs/**", ".github/**", "src/generated/a.rs", "Cargo.lock"] {
        refused(
            "lies outside of what may be written here: src/** tests/**",
            |draft| {
                draft.scope = vec![pattern.to_owned()];
            },
        );
    }
    for pattern in ["../**", "/etc/passwd", "src/../../**"] {
        refused("scope:", |draft| draft.scope = vec![pattern.to_owned()]);
    }
    // It narrows, whatever it names beside.
    assert!(check_one(|draft| draft.scope = vec!["**".to_owned()]).is_ok());
}

#[test]
fn what_a_terminal_would_obey_is_refused() {
    for text in [
        "\u{1b}[2Jred",
        "a\u{7}",
        "a\u{202e}b",
        "a\u{200b}b",
        "a\u{9b}31m",
    ] {
        refused("control characters", |draft| draft.title = text.to_owned());
        refused("control characters", |draft| {
            draft.description = text.to_owned();
        });
        refused("control characters", |draft| {
            draft.steps = vec![text.to_owned()];
        });
        refused("control characters", |draft| {
            draft.gates = vec![text.to_owned()];
        });
    }
    refused("one line", |draft| draft.title = "a\nb".to_owned());
}

#[test]
fn every_part_is_bounded() {
    refused("has no title", |draft| draft.title = " ".to_owned());
    refused("one line of at most 200", |draft| {
        draft.title = "x".repeat(201);
    });
    refused("bytes", |draft| {
        draft.description = "x".repeat(8 * 1024 + 1);
    });
    refused("`acceptance` is empty", |draft| draft.acceptance.clear());
    refused("`acceptance` is empty", |draft| {
        draft.acceptance = vec![" ".to_owned()];
    });
    refused("more than 40", |draft| {
        draft.steps = vec!["x".to_owned(); 41];
    });
    refused("longer than 1024", |draft| {
        draft.steps = vec!["x".repeat(1025)];
    });
    refused("priority", |draft| draft.priority = i64::MAX);
    refused("priority", |draft| draft.priority = i64::MIN + 1);
    let many: Vec<Draft> = (0..10_000)
        .map(|number| draft(&number.to_string()))
        .collect();
    assert!(check(&many).unwrap_err().contains("at most 60"));
    assert!(check(&[]).unwrap_err().contains("empty"));
    // However much is wrong, what is told of it stays short.
    let wrong: Vec<Draft> = (0..60).map(|_| Draft::default()).collect();
    assert!(check(&wrong).unwrap_err().lines().count() <= 21);
}

#[test]
fn what_is_named_exists() {
    refused("there is no gate `deploy`; the gates are: test", |draft| {
        draft.gates = vec!["deploy".to_owned()];
    });
    for name in ["2", "0", "F-009", "Something"] {
        refused("there is no feature", |draft| {
            draft.depends_on = vec![name.to_owned()];
        });
    }
    refused("`F-002` is cancelled", |draft| {
        draft.depends_on = vec!["F-002".to_owned()];
    });
    refused("depends on itself", |draft| {
        draft.depends_on = vec!["1".to_owned()];
    });
}

#[test]
fn a_circle_is_named() {
    let mut drafts = [draft("a"), draft("b"), draft("c"), draft("d")];
    drafts[1].depends_on = vec!["c".to_owned()];
    drafts[2].depends_on = vec!["b".to_owned()];
    drafts[3].depends_on = vec!["a".to_owned()];
    let problem = check(&drafts).unwrap_err();
    assert_eq!(problem, "features 2, 3 wait for each other in a circle");
}

#[test]
fn a_secret_is_not_proposed() {
    let key = format!("ghp_{}", "a1B2c3D4".repeat(5));
    refused("a secret", |draft| draft.description = format!("use {key}"));
}
