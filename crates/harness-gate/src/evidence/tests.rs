use std::time::Duration;

use harness_core::{Baseline, Captured, FeatureStatus, Reader, When};
use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn tree(digit: char) -> TreeId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn gate(name: &str) -> Gate {
    Gate {
        name: name.to_owned(),
        run: vec!["make".to_owned(), name.to_owned()],
        cwd: RepoPath::root(),
        environment: Vec::new(),
        timeout: Duration::from_secs(60),
        reader: Reader::Cargo,
        min_tests: 1,
        when: When::Finish,
        baseline: Baseline::NoWorse,
        paths: Vec::new(),
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
        checks: gates
            .iter()
            .map(|gate| CheckRecord::from(&report(&gate.name)))
            .collect(),
        isolated: true,
        level: Level::Landlock,
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
        standing(Some(evidence), feature, gates, tree, content)
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
        standing(None, &feature(), &gates, &same, None),
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

proptest! {
    #[test]
    fn garbage_is_an_error_and_never_a_panic(text in "\\PC{0,100}") {
        prop_assert!(Evidence::parse(&text).is_err());
    }
}
