use std::time::Duration;

use harness_core::{Baseline, Captured, FeatureStatus, Reader, ReviewBy};
use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::{check::gates_hash, list::intent_hash};

fn tree(digit: char) -> TreeId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn gate(name: &str) -> Gate {
    Gate {
        timeout: Duration::from_secs(60),
        reader: Reader::Cargo,
        min_tests: 1,
        baseline: Baseline::NoWorse,
        ..Gate::named(name, vec!["make".to_owned(), name.to_owned()])
    }
}

/// What is demanded where nobody reviews.
fn of(gates: &[Gate]) -> Demand<'_> {
    Demand {
        gates,
        review: ReviewBy::None,
    }
}

fn feature() -> Feature {
    let mut feature = Feature::titled(FeatureId::new("F-012").unwrap(), "Export as CSV");
    feature.gates = vec!["test".to_owned()];
    feature
}

fn report(gate: &str) -> CheckReport {
    CheckReport {
        gate: gate.to_owned(),
        argv: vec!["make".to_owned(), gate.to_owned()],
        stop: Some(Stop::Exited(0)),
        ms: 1_234,
        status: CheckStatus::Green,
        reason: "1 known failure".to_owned(),
        tests: Some(TestCounts {
            run: 12,
            failed: 1,
            skipped: 0,
        }),
        failed_tests: vec!["csv::quotes".to_owned()],
        excerpt: String::new(),
        output: Captured {
            head: "first\n".to_owned(),
            tail: "\x1b[32mlast\x1b[m\n".to_owned(),
            bytes: 100,
        },
        output_sha256: canonical::sha256_hex(b"x"),
        retried: false,
    }
}

fn evidence(feature: &Feature, gates: &[Gate]) -> Evidence {
    let gates = gates_of(feature, gates);
    Evidence {
        schema: SCHEMA,
        feature: feature.id.clone(),
        spec_sha256: intent_hash(feature),
        gates_sha256: gates_hash(gates.iter().copied()),
        subject_tree: tree('a'),
        base: "b".repeat(40).parse().unwrap(),
        content_sha256: "content".to_owned(),
        changed: vec![RepoPath::parse("src/csv.rs").unwrap()],
        scope_sha256: Some("scope".to_owned()),
        checks: gates
            .iter()
            .map(|gate| CheckRecord::from(&report(&gate.name)))
            .collect(),
        isolated: true,
        level: Level::Landlock,
        isolation: Some(Isolation::of(true, Level::Landlock)),
        linked: vec![RepoPath::parse("node_modules").unwrap()],
        findings: vec![FindingRecord {
            kind: FindingKind::TestsSkipped,
            path: RepoPath::parse("tests/a.rs").unwrap(),
            message: "1 test is newly skipped: `a`".to_owned(),
            id: "0a1b2c3d".to_owned(),
            line: Some(12),
            approved: Some(ApprovalRecord {
                time: "2026-11-20T10:14:03Z".to_owned(),
                how: ApprovedHow::Asked,
            }),
        }],
        negative_control: None,
        session: SessionId::new(7),
        log_head: "head".to_owned(),
        known_failures: vec!["csv::quotes".to_owned()],
        review: None,
    }
}

#[test]
fn the_file_has_the_keys_that_others_rely_on() {
    let evidence = evidence(&feature(), &[gate("test")]);
    assert_snapshot!(evidence.render(), @r#"
    {
      "schema": 1,
      "feature": "F-012",
      "spec_sha256": "fab9a551a0976bbb9e652b58f0742b239a85e7bf4f6b562d81c61b146815851b",
      "gates_sha256": "fdd4a0e735ece8e135348f9a74494281b8e8f061210fd2c0f707edd1cc0a5901",
      "subject_tree": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "base": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "content_sha256": "content",
      "changed": [
        "src/csv.rs"
      ],
      "scope_sha256": "scope",
      "checks": [
        {
          "gate": "test",
          "argv": [
            "make",
            "test"
          ],
          "exit": 0,
          "ms": 1234,
          "tests": {
            "run": 12,
            "failed": 1,
            "skipped": 0
          },
          "output_sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
          "status": "green",
          "tail": "last\n"
        }
      ],
      "isolated": true,
      "level": "landlock",
      "isolation": "own_path",
      "linked": [
        "node_modules"
      ],
      "findings": [
        {
          "kind": "tests_skipped",
          "path": "tests/a.rs",
          "message": "1 test is newly skipped: `a`",
          "id": "0a1b2c3d",
          "line": 12,
          "approved": {
            "time": "2026-11-20T10:14:03Z",
            "how": "asked"
          }
        }
      ],
      "negative_control": null,
      "session": "S-0007",
      "log_head": "head",
      "known_failures": [
        "csv::quotes"
      ]
    }
    "#);
    assert_eq!(Evidence::parse(&evidence.render()), Ok(evidence));
}

#[test]
fn unknown_fields_are_ignored_and_newer_schemas_refused() {
    let evidence = evidence(&feature(), &[gate("test")]);
    let mut value: Value = serde_json::from_str(&evidence.render()).unwrap();
    value["later"] = true.into();
    assert_eq!(Evidence::parse(&value.to_string()), Ok(evidence));
    value["schema"] = 2.into();
    value["checks"] = 0.into();
    assert_eq!(
        Evidence::parse(&value.to_string()).unwrap_err().to_string(),
        "the evidence has schema 2, this version reads schema 1"
    );
    for broken in ["", "\0", "{}", "[]", "{\"schema\": 1}", "{}}"] {
        let error = Evidence::parse(broken).unwrap_err();
        assert!(matches!(error, EvidenceError::Syntax { .. }), "{broken}");
    }
}

#[test]
fn the_standing_follows_tree_content_feature_and_gates() {
    let gates = [gate("test"), gate("lint")];
    let proof = evidence(&feature(), &gates);
    let stand = |evidence: &Evidence, feature: &Feature, gates: &[Gate], tree: &TreeId, content| {
        standing(Some(evidence), feature, of(gates), tree, content)
    };
    let (same, other) = (tree('a'), tree('c'));
    assert_eq!(
        stand(&proof, &feature(), &gates, &same, None),
        Standing::Exact
    );
    assert_eq!(
        stand(&proof, &feature(), &gates, &other, Some("content")),
        Standing::Content
    );
    assert_eq!(
        stand(&proof, &feature(), &gates, &other, Some("x")),
        Standing::Stale
    );
    assert_eq!(
        stand(&proof, &feature(), &gates, &other, None),
        Standing::Stale
    );

    let claimed = |evidence: &Evidence, feature: &Feature, gates: &[Gate]| {
        assert_eq!(
            stand(evidence, feature, gates, &same, Some("content")),
            Standing::Claimed
        );
    };
    assert_eq!(
        standing(None, &feature(), of(&gates), &same, None),
        Standing::Claimed
    );
    let mut reworded = feature();
    reworded.acceptance.push("is fast".to_owned());
    claimed(&proof, &reworded, &gates);
    let mut renamed = feature();
    renamed.id = FeatureId::new("F-013").unwrap();
    claimed(&proof, &renamed, &gates);
    let mut weaker = gates.clone();
    weaker[0].min_tests = 0;
    claimed(&proof, &feature(), &weaker);
    claimed(&proof, &feature(), &[]);
    let red = Evidence {
        checks: vec![CheckRecord {
            status: CheckStatus::Red,
            ..proof.checks[0].clone()
        }],
        ..proof.clone()
    };
    claimed(&red, &feature(), &gates);
    let unchecked = Evidence {
        checks: Vec::new(),
        ..proof.clone()
    };
    claimed(&unchecked, &feature(), &gates);

    let mut moved = feature();
    moved.priority = 9;
    moved.status = FeatureStatus::Passing;
    let mut others = gates;
    others[1].min_tests = 7;
    assert_eq!(stand(&proof, &moved, &others, &same, None), Standing::Exact);
}

#[test]
fn the_content_digest_depends_on_path_mode_and_blob_alone() {
    let blob = |digit: &str| -> BlobId { digit.repeat(40).parse().unwrap() };
    let (first, second) = (blob("1"), blob("2"));
    let path = |text: &str| RepoPath::parse(text).unwrap();
    let (a, b) = (path("src/a"), path("src/b"));
    let digest = |entries: &[(&RepoPath, u32, &BlobId)]| content_digest(entries.iter().copied());
    let expected = digest(&[(&a, 0o100_644, &first), (&b, 0o100_644, &second)]);
    assert_eq!(
        digest(&[
            (&b, 0o100_644, &second),
            (&a, 0o100_644, &first),
            (&b, 0o100_644, &second)
        ]),
        expected
    );
    for changed in [
        digest(&[(&a, 0o100_755, &first), (&b, 0o100_644, &second)]),
        digest(&[(&a, 0o100_644, &second), (&b, 0o100_644, &second)]),
        digest(&[(&a, 0o100_644, &first)]),
        digest(&[]),
    ] {
        assert_ne!(changed, expected);
    }
    let line = format!("src/a\0100644 {first}\n");
    assert_eq!(
        digest(&[(&a, 0o100_644, &first)]),
        canonical::sha256_hex(line.as_bytes())
    );
}

/// A change to evidence by hand.
type Edit<'a> = &'a dyn Fn(&mut Evidence);

/// Weighs evidence after a change to it; what its content is now is `content` under the same rules.
fn doubted(change: impl Fn(&mut Evidence)) -> Option<String> {
    let gates = [gate("test")];
    let mut proof = evidence(&feature(), &gates);
    change(&mut proof);
    let content = Content {
        sha256: "content".to_owned(),
        scope_sha256: "scope".to_owned(),
    };
    let weighed = weigh(Ok(&proof), &feature(), of(&gates), &tree('a'), |_| {
        Ok::<_, ()>(content)
    });
    let weighed = weighed.unwrap();
    assert_eq!(weighed.doubt.is_some(), !weighed.standing.is_proof());
    weighed.doubt.map(|doubt| doubt.to_string())
}

#[test]
fn evidence_that_was_edited_in_one_place_contradicts_itself() {
    assert_eq!(doubted(|_| {}), None);
    let table: [(&str, Edit<'_>); 10] = [
        ("that of `F-9`", &|proof| {
            proof.feature = FeatureId::new("F-9").unwrap();
        }),
        ("did not end with 0", &|proof| {
            proof.checks[0].exit = Some(1);
            proof.known_failures.clear();
        }),
        ("no exit code", &|proof| proof.checks[0].exit = None),
        ("tests failed", &|proof| proof.known_failures.clear()),
        ("fewer tests ran", &|proof| {
            let tests = TestsRecord {
                run: 0,
                failed: 0,
                skipped: 0,
            };
            proof.checks[0].tests = Some(tests);
        }),
        ("no test is counted", &|proof| proof.checks[0].tests = None),
        ("another command", &|proof| {
            proof.checks[0].argv = vec!["true".to_owned()];
        }),
        ("hash of its output is none", &|proof| {
            proof.checks[0].output_sha256 = "x".to_owned();
        }),
        ("not that of the tree it names", &|proof| {
            proof.content_sha256 = "another".to_owned();
        }),
        ("does not fit the hash", &|proof| {
            proof.checks[0].tail_is_all = true;
        }),
    ];
    for (word, change) in table {
        let doubt = doubted(change).unwrap_or_else(|| panic!("nothing is found: {word}"));
        assert!(doubt.contains(word), "{word}: {doubt}");
    }
}

#[test]
fn a_whole_output_must_count_what_the_check_says() {
    let mut gate = gate("test");
    gate.reader = Reader::Tap;
    let gates = [gate];
    let mut proof = evidence(&feature(), &gates);
    proof.known_failures.clear();
    let output = "1..2\nok 1 - a\nnot ok 2 - b\n";
    let check = &mut proof.checks[0];
    check.output_sha256 = canonical::sha256_hex(output.as_bytes());
    *check = check.clone().with_tail(output.to_owned());
    assert!(check.tail_is_all);
    check.tests = Some(TestsRecord {
        run: 2,
        failed: 0,
        skipped: 0,
    });
    let found = doubt(&proof, &feature(), of(&gates)).unwrap().to_string();
    assert!(found.contains("counts other tests"), "{found}");
}

#[test]
fn a_feature_of_its_own_commands_alone_needs_them_in_its_evidence() {
    let mut feature = feature();
    feature.gates.clear();
    feature.verify = vec![vec!["make".to_owned(), "verify-1".to_owned()]];
    let mut proof = evidence(&feature, &[]);
    assert_eq!(
        doubt(&proof, &feature, of(&[])),
        Some(Doubt::Unchecked("verify-1".to_owned()))
    );
    let mut own = report("verify-1");
    own.tests = None;
    proof.checks = vec![CheckRecord::from(&own)];
    assert_eq!(doubt(&proof, &feature, of(&[])), None);
    feature.verify.clear();
    let proof = evidence(&feature, &[]);
    assert_eq!(doubt(&proof, &feature, of(&[])), Some(Doubt::NoGates));
}

#[test]
fn a_review_that_is_demanded_later_makes_a_claim_of_what_was_proven_without() {
    let gates = [gate("test")];
    let approved = ApprovalRecord {
        time: "2026-01-01T00:00:00Z".to_owned(),
        how: ApprovedHow::Asked,
    };
    let judged = |verdict| {
        let usage = serde_json::json!({ "verdict": verdict, "model": "m", "seen_sha256": "", "marks": [],
            "input_tokens": 1, "output_tokens": 1, "micro_usd": null });
        Some(serde_json::from_value(usage).unwrap())
    };
    let record = |judged, approved| {
        Some(ReviewRecord {
            by: ReviewBy::Person,
            judged,
            approved,
            id: String::new(),
        })
    };
    // Whether each demand is met: none, an agent's, a person's.
    for (review, expected) in [
        (None, [true, false, false]),
        (record(judged("approved"), None), [true, true, false]),
        (record(judged("refused"), None), [true, false, false]),
        // Who only says that a person did it says nothing.
        (record(None, None), [true, false, false]),
        (record(judged("failed"), Some(approved)), [true, true, true]),
    ] {
        let mut proof = evidence(&feature(), &gates);
        proof.review = review;
        for (review, expected) in [ReviewBy::None, ReviewBy::Agent, ReviewBy::Person]
            .into_iter()
            .zip(expected)
        {
            let demand = Demand {
                review,
                ..of(&gates)
            };
            let found = doubt(&proof, &feature(), demand);
            let missing = (!expected).then_some(Doubt::Unreviewed(review));
            assert_eq!(found, missing, "{review:?}: {:?}", proof.review);
        }
    }
    let told = Doubt::Unreviewed(ReviewBy::Agent).to_string();
    assert!(told.contains("`[gates] review = \"agent\"`"), "{told}");
}

#[test]
fn other_rules_about_paths_make_a_proof_stale_and_no_forgery() {
    let gates = [gate("test")];
    let proof = evidence(&feature(), &gates);
    let content = |_: &Evidence| {
        Ok::<_, ()>(Content {
            sha256: "another".to_owned(),
            scope_sha256: "other rules".to_owned(),
        })
    };
    let stand = |digit| weigh(Ok(&proof), &feature(), of(&gates), &tree(digit), content);
    assert_eq!(stand('a').unwrap().standing, Standing::Exact);
    assert_eq!(stand('c').unwrap().standing, Standing::Stale);
}

#[test]
fn a_second_run_agrees_or_says_what_differs() {
    let gate = gate("test");
    let proof = evidence(&feature(), std::slice::from_ref(&gate));
    let told = |gate: &Gate, report: &CheckReport| {
        let found = differences(&proof, &[(gate, report)]);
        let found = found.iter().map(|found| (found.is_red, found.to_string()));
        found.collect::<Vec<_>>()
    };
    let green = report("test");
    assert!(told(&gate, &green).is_empty());
    let mut known = green.clone();
    known.status = CheckStatus::Red;
    assert!(told(&gate, &known).is_empty(), "a known failure");
    let mut red = known.clone();
    red.failed_tests = vec!["new".to_owned()];
    red.reason = "1 of 12 tests failed: new".to_owned();
    assert_eq!(
        told(&gate, &red),
        [(
            true,
            "gate `test` is red now: 1 of 12 tests failed: new".to_owned()
        )]
    );
    let mut fewer = green.clone();
    fewer.tests = Some(TestCounts {
        run: 5,
        failed: 0,
        skipped: 0,
    });
    assert_eq!(
        told(&gate, &fewer),
        [(
            false,
            "gate `test` ran 5 tests, 12 were recorded".to_owned()
        )]
    );
    let strict = Gate {
        baseline: Baseline::Strict,
        ..gate.clone()
    };
    assert_eq!(told(&strict, &known).len(), 1);
    let mut other = gate;
    other.run = vec!["true".to_owned()];
    assert!(told(&other, &green)[0].1.contains("another command"));
}

proptest! {
    #[test]
    fn garbage_is_an_error_and_never_a_panic(text in "\\PC{0,100}") {
        prop_assert!(Evidence::parse(&text).is_err());
    }
}

#[test]
fn what_was_isolated_is_said_as_the_level_holds_it() {
    for (isolate, level, expected) in [
        (true, Level::Namespaces, Isolation::RepositoryPath),
        (true, Level::Landlock, Isolation::OwnPath),
        (true, Level::External, Isolation::Unenforced),
        (false, Level::Namespaces, Isolation::WorkTree),
    ] {
        assert_eq!(Isolation::of(isolate, level), expected);
    }
    let mut old: Value = serde_json::from_str(&evidence(&feature(), &[]).render()).unwrap();
    let keys = old.as_object_mut().unwrap();
    keys.shift_remove("isolation");
    keys.shift_remove("linked");
    let old = Evidence::parse(&old.to_string()).unwrap();
    assert_eq!((old.isolation, old.linked), (None, Vec::new()));
}
