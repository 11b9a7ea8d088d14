use harness_core::{FeatureBudget, FeatureScope, Money, RepoPath};
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

mod foreign;
mod markdown;

const NATIVE: &str = r#"{ "schema": 1, "owner": "team", "features": [
  { "id": "F-007", "title": "Read CSV", "passes": true, "status": "passing" },
  { "id": "F-012", "category": "functional", "x-link": {"b": 1, "a": [2]}, "title": "Export as CSV",
    "description": "All rows.", "steps": ["one"], "acceptance": ["opens"], "priority": 20,
    "depends_on": ["F-007"], "scope": { "write": ["src/export/**"], "deny": ["src/export/schema.rs"] },
    "may_change": ["Cargo.toml"], "gates": ["test"], "verify": [["cargo", "test", "export_"]],
    "budget": { "attempts": 3, "usd": 4.0, "minutes": 40 }, "status": "pending", "passes": false } ] }"#;

const BARE: &str = r#"[
  {"category": "ui", "description": "Log in\nwith a name", "steps": ["open"], "passes": false, "note": 1},
  {"category": "ui", "description": "Log out", "steps": [], "passes": true}
]"#;

fn id(text: &str) -> FeatureId {
    FeatureId::new(text).unwrap()
}

fn parse(text: &str) -> FeatureList {
    FeatureList::parse(text).unwrap()
}

fn native(features: &str) -> String {
    format!(r#"{{"schema": 1, "features": [{features}]}}"#)
}

fn check_error(text: &str, expected: &str) {
    assert_eq!(
        FeatureList::parse(text).unwrap_err().to_string(),
        expected,
        "{text}"
    );
}

#[test]
fn the_native_shape_is_read_whole() {
    let list = parse(NATIVE);
    let expected = Feature {
        category: "functional".to_owned(),
        description: "All rows.".to_owned(),
        steps: vec!["one".to_owned()],
        acceptance: vec!["opens".to_owned()],
        priority: 20,
        depends_on: vec![id("F-007")],
        scope: FeatureScope {
            write: vec!["src/export/**".to_owned()],
            deny: vec!["src/export/schema.rs".to_owned()],
        },
        may_change: vec![RepoPath::parse("Cargo.toml").unwrap()],
        gates: vec!["test".to_owned()],
        verify: vec![vec![
            "cargo".to_owned(),
            "test".to_owned(),
            "export_".to_owned(),
        ]],
        budget: FeatureBudget {
            attempts: Some(3),
            usd: Some(Money(4_000_000)),
            minutes: Some(40),
        },
        ..Feature::titled(id("F-012"), "Export as CSV")
    };
    assert_eq!(list.features()[1], expected);
    assert_eq!(list.features()[0].status, FeatureStatus::Passing);
}

#[test]
fn an_unchanged_list_is_written_back_to_the_byte() {
    for text in [NATIVE, BARE, EMPTY_LIST, "[ ]"] {
        assert_eq!(parse(text).render(), text);
    }
    let mut list = parse(NATIVE);
    list.set_status(&id("F-007"), FeatureStatus::Passing)
        .unwrap();
    assert_eq!(list.render(), NATIVE);
}

#[test]
fn a_status_is_written_and_all_else_stays_to_the_byte() {
    let mut list = parse(NATIVE);
    list.set_status(&id("F-012"), FeatureStatus::Passing)
        .unwrap();
    let expected = NATIVE.replace(
        r#""status": "pending", "passes": false"#,
        r#""status": "passing", "passes": true"#,
    );
    assert_eq!(list.render(), expected);
    list.set_status(&id("F-007"), FeatureStatus::Failing)
        .unwrap();
    let expected = expected.replace(
        r#""passes": true, "status": "passing" }"#,
        r#""passes": false, "status": "failing" }"#,
    );
    assert_eq!(list.render(), expected);
}

#[test]
fn a_bare_array_gets_ids_by_place_and_only_passes_is_written() {
    let mut list = parse(BARE);
    let first = &list.features()[0];
    assert_eq!(
        (first.id.as_str(), first.title.as_str()),
        ("F-001", "Log in")
    );
    assert_eq!(list.features()[1].status, FeatureStatus::Passing);
    list.set_status(&id("F-001"), FeatureStatus::Passing)
        .unwrap();
    list.set_status(&id("F-002"), FeatureStatus::NeedsHuman)
        .unwrap();
    assert_eq!(list.features()[1].status, FeatureStatus::NeedsHuman);
    let expected = BARE
        .replace(r#""passes": false, "note""#, r#""passes": true, "note""#)
        .replace(r#"[], "passes": true"#, r#"[], "passes": false"#);
    assert_eq!(list.render(), expected);
}

#[test]
fn a_claim_shows_as_passing_but_not_over_a_persons_word() {
    let cases = [
        (r#""passes": true"#, FeatureStatus::Passing),
        (
            r#""status": "pending", "passes": true"#,
            FeatureStatus::Passing,
        ),
        (
            r#""status": "passing", "passes": false"#,
            FeatureStatus::Passing,
        ),
        (
            r#""status": "cancelled", "passes": true"#,
            FeatureStatus::Cancelled,
        ),
        (r#""status": "needs_human""#, FeatureStatus::NeedsHuman),
        (r#""status": null"#, FeatureStatus::Pending),
    ];
    for (fields, expected) in cases {
        let list = parse(&native(&format!(
            r#"{{"id": "a", "title": "t", {fields}}}"#
        )));
        assert_eq!(list.features()[0].status, expected, "{fields}");
    }
}

#[test]
fn errors_name_the_place_the_feature_and_the_field() {
    check_error(
        "",
        "cannot read the feature list, line 1, column 0: EOF while parsing a value",
    );
    check_error(
        "{\n  \"features\": [}",
        "cannot read the feature list, line 2, column 16: expected value",
    );
    check_error(
        "[]\n]",
        "cannot read the feature list, line 2, column 1: trailing characters",
    );
    check_error(
        "\0\0",
        "cannot read the feature list, line 1, column 1: expected value",
    );
    check_error(
        r#"{"userStories": 7}"#,
        "the feature list must be an object whose `userStories` is a list, found the number `7`",
    );
    check_error(
        "[\n<<<<<<< HEAD\n  1\n=======\n  2\n>>>>>>> other\n]\n",
        "the feature list holds a merge that nobody has settled, it begins in line 2",
    );
    check_error(
        "{}",
        "the feature list must be an object with `schema` and `features`, an object with `userStories`, or a list of features, found an object without `features`",
    );
    check_error(
        r#"{"features": {}}"#,
        "the feature list must be an object whose `features` is a list, found an object",
    );
    check_error(
        "[1]",
        "the feature list must be a list of objects, found the number `1`",
    );
    check_error(
        r#"{"schema": 2, "features": []}"#,
        "the feature list has schema the number `2`, this version reads schema 1",
    );
}

#[test]
fn field_errors_name_the_feature_and_the_field() {
    let cases = [
        ("", "field `title` of feature `a`: it is missing or empty"),
        (
            r#", "title": 1"#,
            "field `title` of feature `a`: expected a string, found the number `1`",
        ),
        (
            r#", "title": "t", "steps": ["x", 2]"#,
            "field `steps[1]` of feature `a`: expected a string, found the number `2`",
        ),
        (
            r#", "title": "t", "budget": {"usd": "4"}"#,
            "field `budget.usd` of feature `a`: expected an amount of US dollars, found the string `4`",
        ),
        (
            r#", "title": "t", "budget": {"attempts": -1}"#,
            "field `budget.attempts` of feature `a`: expected a count, found the number `-1`",
        ),
        (
            r#", "title": "t", "verify": [[]]"#,
            "field `verify[0]` of feature `a`: expected a list of words, such as `[\"cargo\", \"test\"]`, found a list",
        ),
        (
            r#", "title": "t", "may_change": ["../x"]"#,
            "field `may_change[0]` of feature `a`: `../x` is outside the repository: it resolves to `../x`",
        ),
        (
            r#", "title": "t", "passes": "yes""#,
            "field `passes` of feature `a`: expected true or false, found the string `yes`",
        ),
        (
            r#", "title": "t", "status": "done""#,
            "field `status` of feature `a`: `done` is none of pending, in_progress, verifying, needs_human, blocked, passing, failing, accepted, cancelled",
        ),
    ];
    for (fields, expected) in cases {
        check_error(
            &native(&format!(r#"{{"id": "a"{fields}}}"#)),
            &format!("cannot read {expected}"),
        );
    }
    check_error(
        &native(r#"{"id": "a", "title": "t"}, {"id": "a/b", "title": "t"}"#),
        "cannot read field `id` of feature `#2`: feature id `a/b` must match `[A-Za-z0-9._-]{1,64}`",
    );
}

#[test]
fn ids_are_unique_and_dependencies_exist_without_circles() {
    let feature = |id: &str, needs: &str| {
        format!(r#"{{"id": "{id}", "title": "t", "depends_on": [{needs}]}}"#)
    };
    let list = |features: &[String]| native(&features.join(","));
    check_error(
        &list(&[feature("a", ""), feature("a", "")]),
        "feature `a` is in the list twice, as entries 1 and 2",
    );
    check_error(
        &list(&[feature("a", "\"b\"")]),
        "feature `a` depends on `b`, which is not in the list",
    );
    check_error(
        &list(&[
            feature("x", "\"a\""),
            feature("a", "\"b\""),
            feature("b", "\"c\""),
            feature("c", "\"a\""),
        ]),
        "features depend on each other: `a` -> `b` -> `c` -> `a`",
    );
    check_error(
        &list(&[feature("a", "\"a\"")]),
        "features depend on each other: `a` -> `a`",
    );
    let diamond = [
        feature("a", "\"b\", \"c\""),
        feature("b", "\"d\""),
        feature("c", "\"d\""),
        feature("d", ""),
    ];
    assert!(FeatureList::parse(&list(&diamond)).is_ok());
}

#[test]
fn a_long_chain_of_dependencies_is_no_danger() {
    let chain: Vec<String> = (0..FEATURES_MAX)
        .map(|n| {
            let needs = (n + 1 < FEATURES_MAX).then(|| format!("\"f{}\"", n + 1));
            format!(
                r#"{{"id": "f{n}", "title": "t", "depends_on": [{}]}}"#,
                needs.unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        parse(&native(&chain.join(","))).features().len(),
        FEATURES_MAX
    );
}

#[test]
fn a_feature_is_added_at_the_end_and_reads_back_as_itself() {
    let mut list = parse(EMPTY_LIST);
    let mut feature = Feature::titled(list.next_id(), "First");
    feature.priority = 3;
    feature.budget.usd = Some(Money::from_usd(0.5));
    list.add(&feature).unwrap();
    assert_snapshot!(list.render(), @r#"
    {
      "schema": 1,
      "features": [
        {
          "id": "F-001",
          "title": "First",
          "budget": {
            "usd": 0.5
          },
          "priority": 3,
          "status": "pending",
          "passes": false
        }
      ]
    }
    "#);
    assert_eq!(parse(&list.render()).features(), [feature.clone()]);
    assert_eq!(
        list.add(&feature),
        Err(ListError::Duplicate {
            id: id("F-001"),
            first: 1,
            second: 2
        })
    );
    feature.id = id("x");
    feature.depends_on = vec![id("nowhere")];
    assert!(list.add(&feature).is_err());
    assert_eq!(list.features().len(), 1);
    assert_eq!(
        list.set_status(&id("x"), FeatureStatus::Passing),
        Err(ListError::UnknownFeature { id: id("x") })
    );
}

#[test]
fn a_bare_array_takes_only_what_it_has_a_place_for() {
    let mut list = parse(BARE);
    list.add(&Feature::titled(list.next_id(), "Search"))
        .unwrap();
    list.add(&Feature::titled(id("named"), "Named")).unwrap();
    assert_eq!(parse(&list.render()).features(), list.features());
    let mut scoped = Feature::titled(list.next_id(), "Scoped");
    scoped.scope.write.push("src/**".to_owned());
    assert_eq!(
        list.add(&scoped).unwrap_err().to_string(),
        "cannot write field `scope` of feature `F-004`: a bare array has no place for it"
    );
}

#[test]
fn the_next_id_follows_the_highest() {
    let cases: [(&[&str], &str); 5] = [
        (&[], "F-001"),
        (&["F-012", "F-007"], "F-013"),
        (&["F-999"], "F-1000"),
        (&["login", "F-x", "F-0003"], "F-0004"),
        (&["F-99999999999999999999999999"], "F-001"),
    ];
    for (ids, expected) in cases {
        let entries: Vec<_> = ids
            .iter()
            .map(|id| format!(r#"{{"id": "{id}", "title": "t"}}"#))
            .collect();
        assert_eq!(parse(&native(&entries.join(","))).next_id(), id(expected));
    }
}

#[test]
fn the_intent_hash_ignores_status_and_priority_and_nothing_else() {
    let list = parse(NATIVE);
    let feature = &list.features()[1];
    let hash = intent_hash(feature);
    let same = Feature {
        status: FeatureStatus::Passing,
        priority: 1,
        ..feature.clone()
    };
    assert_eq!(intent_hash(&same), hash);
    let changes: [fn(&mut Feature); 13] = [
        |feature| feature.id = id("F-013"),
        |feature| feature.category.clear(),
        |feature| feature.title.push('.'),
        |feature| feature.description.clear(),
        |feature| feature.steps.clear(),
        |feature| feature.acceptance.push(String::new()),
        |feature| feature.depends_on.clear(),
        |feature| feature.scope.write.clear(),
        |feature| feature.scope.deny.clear(),
        |feature| feature.may_change.clear(),
        |feature| feature.gates.clear(),
        |feature| feature.verify.clear(),
        |feature| feature.budget.usd = None,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut changed = feature.clone();
        change(&mut changed);
        assert_ne!(intent_hash(&changed), hash, "change {index}");
    }
    // Stored in evidence files: a change here turns every proof into a claim.
    assert_eq!(
        intent_hash(&Feature::titled(id("F-001"), "First")),
        crate::canonical::sha256_hex(br#"{"id":"F-001","title":"First"}"#)
    );
}

#[test]
fn the_next_feature_is_open_settled_and_most_urgent() {
    let feature = |name: &str, priority, status, needs: &[&str]| Feature {
        priority,
        status,
        depends_on: needs.iter().map(|need| id(need)).collect(),
        ..Feature::titled(id(name), name)
    };
    use FeatureStatus::{Accepted, Cancelled, Failing, NeedsHuman, Passing, Pending};
    let features = [
        feature("done", 99, Passing, &[]),
        feature("taken", 99, Accepted, &[]),
        feature("gone", 99, Cancelled, &[]),
        feature("waits", 90, Pending, &["low"]),
        feature("stuck", 80, NeedsHuman, &[]),
        feature("dead", 70, Pending, &["gone"]),
        feature("first", 5, Pending, &["done", "taken"]),
        feature("second", 5, Failing, &[]),
        feature("low", 0, Pending, &[]),
    ];
    let next = |goal: &Goal, skip: &[&str]| {
        let skip: Vec<_> = skip.iter().map(|name| id(name)).collect();
        next_feature(&features, goal, &skip).map(|feature| feature.id.to_string())
    };
    let one = |name: &str| Goal::One { feature: id(name) };
    let cases = [
        (Goal::All, &[][..], Some("first")),
        (Goal::All, &["first"][..], Some("second")),
        (Goal::All, &["first", "second", "low"][..], None),
        (one("low"), &[][..], Some("low")),
        (one("waits"), &[][..], None),
        (one("done"), &[][..], None),
        (one("nowhere"), &[][..], None),
    ];
    for (goal, skip, expected) in cases {
        assert_eq!(next(&goal, skip).as_deref(), expected, "{goal:?} {skip:?}");
    }
}

/// Any JSON value, with the words of a feature list among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zF0-9-]{0,6}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("id"),
        Just("title"),
        Just("features"),
        Just("schema"),
        Just("status"),
        Just("passes"),
        Just("description"),
        Just("steps"),
        Just("budget"),
        Just("x"),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..8).prop_map(|entries| {
                let entries = entries.into_iter();
                Value::Object(
                    entries
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn garbage_is_an_error_and_never_a_panic(text in "\\PC{0,200}") {
        let _ = FeatureList::parse(&text);
    }

    #[test]
    fn a_cut_list_is_an_error_and_never_a_panic(end in 0..NATIVE.len()) {
        prop_assert!(FeatureList::parse(&NATIVE[..end]).is_err());
    }

    #[test]
    fn json_of_another_shape_is_never_a_panic(value in any_json()) {
        let _ = FeatureList::parse(&value.to_string());
        let _ = FeatureList::parse(&format!(r#"{{"features": {value}}}"#));
    }

    #[test]
    fn unknown_fields_and_their_order_survive_a_change(
        entries in proptest::collection::vec(
            proptest::collection::btree_map("[a-z]-[a-z]{1,4}", any_json(), 0..4), 1..5),
        chosen in any::<proptest::sample::Index>(),
    ) {
        let features: Vec<Value> = entries.iter().enumerate().map(|(n, extra)| {
            let mut entry: serde_json::Map<String, Value> =
                extra.iter().rev().map(|(key, value)| (key.clone(), value.clone())).collect();
            entry.insert("id".to_owned(), format!("f{n}").into());
            entry.insert("title".to_owned(), "t".into());
            entry.insert("passes".to_owned(), false.into());
            entry.insert("status".to_owned(), "pending".into());
            Value::Object(entry)
        }).collect();
        let index = chosen.index(features.len());
        let text = format!("{:#}\n", serde_json::json!({"features": features}));
        let mut list = parse(&text);
        list.set_status(&id(&format!("f{index}")), FeatureStatus::Passing).unwrap();

        let mut expected = features;
        expected[index]["passes"] = true.into();
        expected[index]["status"] = "passing".into();
        let expected = serde_json::json!({"features": expected});
        prop_assert_eq!(list.render(), format!("{expected:#}\n"));
    }
}

#[test]
fn a_feature_that_nobody_works_on_keeps_its_dependants_waiting() {
    use FeatureStatus::{Accepted, Blocked, Cancelled, Failing, NeedsHuman, Passing, Pending};
    for (status, is_free) in [
        (Passing, true),
        (Accepted, true),
        (Blocked, false),
        (Cancelled, false),
        (NeedsHuman, false),
        (Failing, false),
    ] {
        let first = Feature {
            status,
            ..Feature::titled(id("a"), "a")
        };
        let second = Feature {
            depends_on: vec![id("a")],
            priority: 9,
            status: Pending,
            ..Feature::titled(id("b"), "b")
        };
        let features = [first, second];
        let next = next_feature(&features, &Goal::All, &[id("a")]);
        assert_eq!(next.is_some(), is_free, "{status}");
    }
}

#[test]
fn differences_are_told_field_by_field() {
    let list = parse(NATIVE);
    let old = &list.features()[1];
    let mut new = Feature {
        status: FeatureStatus::Blocked,
        priority: 1,
        ..old.clone()
    };
    let told = |new: &Feature| {
        let fields = intent::fields;
        intent::describe(&intent::differences(&fields(old), &fields(new)))
    };
    assert_eq!(told(&new), "", "a status and a priority are no intent");
    new.title = "Export\nas \"CSV\"".to_owned();
    new.scope.deny.clear();
    new.budget.usd = None;
    new.gates.push("lint".to_owned());
    assert_snapshot!(told(&new), @r#"
      title
        was: "Export as CSV"
        now: "Export\nas \"CSV\""
      scope.deny
        was: ["src/export/schema.rs"]
        now: nothing
      gates
        was: ["test"]
        now: ["test","lint"]
      budget.usd
        was: 4.0
        now: nothing
    "#);
    let long = |end: &str| Feature {
        description: format!("{}{end}{}", "é".repeat(1000), "x".repeat(1000)),
        ..old.clone()
    };
    let fields = |feature: &Feature| intent::fields(feature);
    let differences = intent::differences(&fields(&long("one")), &fields(&long("two")));
    let text = intent::describe(&differences);
    assert!(text.contains("éone") && text.contains("étwo"), "{text}");
    assert!(text.chars().count() < 1000, "{text}");
}

#[test]
fn a_priority_is_set_in_its_place_and_nothing_else_changes() {
    let mut list = parse(EMPTY_LIST);
    for title in ["First", "Second"] {
        let feature = Feature::titled(list.next_id(), title);
        list.add(&feature).unwrap();
    }
    let before = list.render();
    list.set_priority(&id("F-002"), 3).unwrap();
    assert_eq!(list.features()[1].priority, 3);
    let lines = before.lines().count();
    let text = list.render();
    assert_eq!(text.lines().count(), lines + 1, "{text}");
    list.set_priority(&id("F-002"), 4).unwrap();
    assert_eq!(
        list.render(),
        text.replace("\"priority\": 3", "\"priority\": 4")
    );
    let mut bare = parse(r#"[{"category":"a","description":"b","steps":[],"passes":false}]"#);
    let first = bare.features()[0].id.clone();
    assert!(matches!(
        bare.set_priority(&first, 1),
        Err(ListError::NoPlace {
            field: "priority",
            ..
        })
    ));
}
