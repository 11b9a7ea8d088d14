//! Stories of a `prd.json`, and JSON files that are changed in their own look.

use super::*;

const PRD: &str = r#"{
    "project": "shop",
    "branchName": "ralph/shop",
    "userStories": [
        {
            "id": "US-001",
            "title": "Pay by card",
            "description": "As a customer I pay by card.",
            "acceptanceCriteria": ["Typecheck passes", "a receipt is sent"],
            "priority": 2,
            "passes": false,
            "notes": ""
        },
        {
            "id": "US-002",
            "title": "Log in",
            "acceptanceCriteria": [],
            "priority": 1,
            "passes": true,
            "notes": "done in a hurry"
        }
    ]
}
"#;

fn lines_that_differ(old: &str, new: &str) -> Vec<(String, String)> {
    let pairs = old.lines().zip(new.lines());
    pairs
        .filter(|(old, new)| old != new)
        .map(|(old, new)| (old.trim().to_owned(), new.trim().to_owned()))
        .collect()
}

#[test]
fn stories_are_read_with_their_criteria_and_their_order() {
    let list = parse(PRD);
    assert_eq!(list.shape(), Shape::Stories);
    let expected = Feature {
        description: "As a customer I pay by card.".to_owned(),
        acceptance: vec![
            "Typecheck passes".to_owned(),
            "a receipt is sent".to_owned(),
        ],
        priority: -2,
        ..Feature::titled(id("US-001"), "Pay by card")
    };
    assert_eq!(list.features()[0], expected);
    assert_eq!(list.features()[1].status, FeatureStatus::Passing);
    let open: Vec<Feature> = list
        .features()
        .iter()
        .map(|feature| Feature {
            status: FeatureStatus::Pending,
            ..feature.clone()
        })
        .collect();
    let next = next_feature(&open, &Goal::All, &[]).unwrap();
    assert_eq!(next.id, id("US-002"), "1 comes before 2");
    assert_eq!(list.next_id(), id("US-003"));
    assert_eq!(list.render(), PRD);
}

#[test]
fn a_story_that_passes_changes_one_word() {
    let mut list = parse(PRD);
    list.set_status(&id("US-001"), FeatureStatus::Passing)
        .unwrap();
    list.set_status(&id("US-002"), FeatureStatus::NeedsHuman)
        .unwrap();
    let expected = [
        (
            "\"passes\": false,".to_owned(),
            "\"passes\": true,".to_owned(),
        ),
        (
            "\"passes\": true,".to_owned(),
            "\"passes\": false,".to_owned(),
        ),
    ];
    assert_eq!(lines_that_differ(PRD, &list.render()), expected);
}

#[test]
fn a_story_is_added_behind_all_others_and_amended_in_place() {
    let mut list = parse(PRD);
    let mut story = Feature::titled(list.next_id(), "Log out");
    story.acceptance.push("the page is left".to_owned());
    list.add(&story).unwrap();
    let added = list.render();
    assert_eq!(list.features()[2].priority, -3);
    let new = r#"        },
        {
            "id": "US-003",
            "title": "Log out",
            "description": "",
            "acceptanceCriteria": [
                "the page is left"
            ],
            "priority": 3,
            "passes": false,
            "notes": ""
        }
    ]
}
"#;
    let old = PRD.strip_suffix("        }\n    ]\n}\n").unwrap();
    assert_eq!(added, format!("{old}{new}"));

    let mut amended = list.features()[0].clone();
    amended.title = "Pay by \"card\"".to_owned();
    amended.acceptance.push("no é is lost".to_owned());
    list.amend(&amended).unwrap();
    let expected = [
        (
            r#""title": "Pay by card","#,
            r#""title": "Pay by \"card\"","#,
        ),
        (
            r#""acceptanceCriteria": ["Typecheck passes", "a receipt is sent"],"#,
            r#""acceptanceCriteria": ["Typecheck passes", "a receipt is sent", "no é is lost"],"#,
        ),
    ];
    let expected = expected.map(|(old, new)| (old.to_owned(), new.to_owned()));
    assert_eq!(lines_that_differ(&added, &list.render()), expected);
}

#[test]
fn what_a_shape_has_no_place_for_is_said_by_name() {
    type Change = fn(&mut Feature);
    let changes: [(&str, Change, &[&str]); 9] = [
        (
            "acceptance",
            |f| f.acceptance.push("x".to_owned()),
            &["bare", "md"],
        ),
        ("steps", |f| f.steps.push("x".to_owned()), &["prd"]),
        (
            "depends_on",
            |f| f.depends_on.push(id("F-001")),
            &["bare", "prd", "md"],
        ),
        (
            "scope",
            |f| f.scope.write.push("x".to_owned()),
            &["bare", "prd", "md"],
        ),
        (
            "may_change",
            |f| f.may_change.push(RepoPath::parse("x").unwrap()),
            &["bare", "prd", "md"],
        ),
        (
            "gates",
            |f| f.gates.push("x".to_owned()),
            &["bare", "prd", "md"],
        ),
        (
            "verify",
            |f| f.verify.push(vec!["x".to_owned()]),
            &["bare", "prd", "md"],
        ),
        (
            "budget",
            |f| f.budget.attempts = Some(1),
            &["bare", "prd", "md"],
        ),
        ("priority", |f| f.priority = 4, &["bare", "md"]),
    ];
    let lists = [
        ("bare", "a bare array", BARE),
        ("prd", "a list of `userStories`", PRD),
        ("md", "a Markdown list", "- [ ] One\n- [ ] Two\n"),
    ];
    for (field, change, without) in changes {
        for (name, shape, text) in lists {
            let mut list = parse(text);
            let mut feature = Feature::titled(list.next_id(), "New");
            change(&mut feature);
            feature
                .depends_on
                .iter_mut()
                .for_each(|id| *id = list.features()[0].id.clone());
            let added = list.add(&feature);
            if without.contains(&name) {
                let expected = format!(
                    "cannot write field `{field}` of feature `{}`: {shape} has no place for it",
                    feature.id
                );
                assert_eq!(added.unwrap_err().to_string(), expected);
                assert_eq!(list.render(), text);
            } else {
                added.unwrap();
            }
        }
    }
}

#[test]
fn a_status_without_a_place_is_laid_over_what_the_file_says() {
    let mut list = parse(PRD);
    for (feature, status, expected) in [
        ("US-001", FeatureStatus::Blocked, FeatureStatus::Blocked),
        ("US-002", FeatureStatus::NeedsHuman, FeatureStatus::Passing),
        ("US-002", FeatureStatus::Cancelled, FeatureStatus::Cancelled),
        ("US-001", FeatureStatus::Accepted, FeatureStatus::Accepted),
    ] {
        list.overlay(&[(id(feature), status)].into());
        assert_eq!(list.find(&id(feature)).unwrap().status, expected);
    }
    assert_eq!(list.render(), PRD);
    let mut list = parse(NATIVE);
    list.overlay(&[(id("F-012"), FeatureStatus::Blocked)].into());
    assert_eq!(
        list.find(&id("F-012")).unwrap().status,
        FeatureStatus::Pending
    );
}

#[test]
fn a_story_without_a_usable_id_is_refused_with_its_place() {
    let story =
        |fields: &str| format!(r#"{{"userStories": [{{"id": "a", "title": "t"}}, {{{fields}}}]}}"#);
    check_error(
        &story(r#""id": "a b", "title": "t""#),
        "cannot read field `id` of feature `#2`: feature id `a b` must match `[A-Za-z0-9._-]{1,64}`",
    );
    check_error(
        &story(r#""id": "a", "title": "t""#),
        "feature `a` is in the list twice, as entries 1 and 2",
    );
    check_error(
        &story(r#""id": "b", "title": "t", "acceptanceCriteria": "all of it""#),
        "cannot read field `acceptanceCriteria` of feature `b`: expected a list, found the string `all of it`",
    );
    assert_eq!(
        parse(&story(r#""id": 7, "title": "t""#)).features()[1].id,
        id("7")
    );
    assert_eq!(
        parse(&story(r#""title": "t""#)).features()[1].id,
        id("F-002")
    );
}

#[test]
fn new_fields_take_the_look_of_their_file() {
    let cases = [
        (
            "[\n\t{\n\t\t\"description\": \"a\"\n\t}\n]",
            "[\n\t{\n\t\t\"description\": \"a\",\n\t\t\"passes\": true\n\t}\n]",
        ),
        (
            "[{\"description\":\"a\"}]",
            "[{\"description\":\"a\",\"passes\":true}]",
        ),
        (
            "[\r\n    {\r\n        \"description\" : \"a\"\r\n    }\r\n]\r\n",
            "[\r\n    {\r\n        \"description\" : \"a\",\r\n        \"passes\" : true\r\n    }\r\n]\r\n",
        ),
        (
            "\u{feff}[ { \"description\": \"a\", \"passes\": false } ]\n",
            "\u{feff}[ { \"description\": \"a\", \"passes\": true } ]\n",
        ),
        (
            "[{\"description\": \"a\", \"passes\": true, \"passes\": false}]",
            "[{\"description\": \"a\", \"passes\": true, \"passes\": true}]",
        ),
    ];
    for (text, expected) in cases {
        let mut list = parse(text);
        list.set_status(&id("F-001"), FeatureStatus::Passing)
            .unwrap();
        assert_eq!(list.render(), expected);
        assert_eq!(parse(&list.render()).features(), list.features());
    }
    let cases = [
        (
            "[]",
            "[\n  {\n    \"category\": \"\",\n    \"description\": \"b\",\n    \"steps\": [],\n    \"passes\": false\n  }\n]",
        ),
        (
            "[{\"description\": \"a\"}]\n",
            "[{\"description\": \"a\"},{\"category\": \"\", \"description\": \"b\", \"steps\": [], \"passes\": false}]\n",
        ),
        (
            "[\r\n\t{\r\n\t\t\"description\": \"a\"\r\n\t}\r\n]\r\n",
            "[\r\n\t{\r\n\t\t\"description\": \"a\"\r\n\t},\r\n\t{\r\n\t\t\"category\": \"\",\r\n\t\t\"description\": \"b\",\r\n\t\t\"steps\": [],\r\n\t\t\"passes\": false\r\n\t}\r\n]\r\n",
        ),
    ];
    for (text, expected) in cases {
        let mut list = parse(text);
        list.add(&Feature::titled(list.next_id(), "b")).unwrap();
        assert_eq!(list.render(), expected);
    }
}

#[test]
fn an_amended_native_entry_keeps_what_it_has_beside() {
    let text = "{ \"features\": [\n  { \"id\": \"a\", \"title\": \"t\", \"scope\": { \"write\": [\"x\"], \"why\": \"because\" }, \"budget\": { \"usd\": 1.0, \"attempts\": 2 }, \"x\": [ 1 ] }\n] }\n";
    let mut list = parse(text);
    let mut feature = list.features()[0].clone();
    feature.scope.write = vec!["y".to_owned()];
    feature.budget.attempts = None;
    feature.gates = vec!["test".to_owned()];
    list.amend(&feature).unwrap();
    assert_eq!(
        list.render(),
        "{ \"features\": [\n  { \"id\": \"a\", \"title\": \"t\", \"scope\": { \"write\": [\"y\"], \"why\": \"because\" }, \"budget\": { \"usd\": 1.0 }, \"x\": [ 1 ], \"gates\": [\"test\"] }\n] }\n"
    );
    feature.scope.write.clear();
    feature.gates.clear();
    list.amend(&feature).unwrap();
    assert!(
        list.render().contains(r#""scope": { "why": "because" }"#),
        "{}",
        list.render()
    );
    assert!(
        list.render().contains(r#""gates": []"#),
        "{}",
        list.render()
    );
}

#[test]
fn an_amended_bare_entry_takes_its_title_from_its_description() {
    let mut list = parse(BARE);
    let mut feature = list.features()[0].clone();
    feature.description = "Sign in\nby mail".to_owned();
    list.amend(&feature).unwrap();
    assert_eq!(list.features()[0].title, "Sign in");
    feature.title = "Other".to_owned();
    assert!(
        list.amend(&feature)
            .unwrap_err()
            .to_string()
            .contains("field `title`")
    );
}

fn any_status() -> impl Strategy<Value = FeatureStatus> {
    proptest::sample::select(vec![
        FeatureStatus::Pending,
        FeatureStatus::Blocked,
        FeatureStatus::Passing,
        FeatureStatus::Failing,
        FeatureStatus::Accepted,
    ])
}

/// One of three looks of a JSON file.
fn written(value: &Value, look: usize) -> String {
    let text = match look {
        0 => value.to_string(),
        1 => format!("{value:#}\n"),
        _ => format!("\u{feff}{value:#}\n").replace('\n', "\r\n"),
    };
    text.replace("  ", if look == 2 { "\t" } else { "  " })
}

proptest! {
    #[test]
    fn a_status_touches_its_own_entry_alone(
        count in 1_usize..5,
        shape in 0_usize..3,
        look in 0_usize..3,
        extra in any_json(),
        chosen in any::<proptest::sample::Index>(),
        statuses in proptest::collection::vec(any_status(), 1..4),
    ) {
        let entries: Vec<Value> = (0..count).map(|n| {
            let mut entry = serde_json::json!({ "x-y": extra, "id": format!("s{n}"), "title": "t", "description": "t" });
            if n % 2 == 0 {
                entry["passes"] = false.into();
            }
            entry["z"] = extra.clone();
            entry
        }).collect();
        let value = match shape {
            0 => serde_json::json!({ "features": entries, "end": extra }),
            1 => serde_json::json!({ "project": extra, "userStories": entries }),
            _ => Value::from(entries),
        };
        let text = written(&value, look);
        let mut list = parse(&text);
        prop_assert_eq!(&list.render(), &text);
        let index = chosen.index(count);
        let feature = id(&format!("s{index}"));
        let place = list.places[index].clone();
        let (before, after) = (list.text[..place.start].to_owned(), list.text[place.end..].to_owned());
        for status in &statuses {
            list.set_status(&feature, *status).unwrap();
        }
        let mark = usize::from(list.has_mark) * '\u{feff}'.len_utf8();
        let now = list.render();
        prop_assert!(now[mark..].starts_with(&before) && now.ends_with(&after));
        let mut again = parse(&now);
        prop_assert_eq!(&again.places, &list.places);
        let statuses = list.features().iter();
        again.overlay(&statuses.map(|feature| (feature.id.clone(), feature.status)).collect());
        prop_assert_eq!(again.features(), list.features());
        let ends = [FeatureStatus::Passing, FeatureStatus::Pending];
        for status in ends {
            list.set_status(&feature, status).unwrap();
        }
        let reopened = parse(&list.render());
        prop_assert_eq!(reopened.find(&feature).unwrap().status, FeatureStatus::Pending);
    }
}
