use super::*;

const NATIVE: &str = r#"{ "schema": 1, "owner": "team", "features": [
  { "id": "A", "title": "First", "x": {"b": 1}, "status": "pending", "passes": false },
  { "id": "B", "title": "Second", "depends_on": ["A"], "status": "pending", "passes": false }
] }
"#;

const MARKDOWN: &str = "# Features\n\n- [ ] F-1: First\n- [ ] F-2: Second\n";

fn passing(text: &str, id: &str) -> String {
    let mut list = FeatureList::parse(text).unwrap();
    list.set_status(&FeatureId::new(id).unwrap(), FeatureStatus::Passing)
        .unwrap();
    list.render()
}

fn clashes(base: &str, ours: &str, theirs: &str) -> Vec<String> {
    match merge(base, ours, theirs) {
        Merged::Clash(clashes) => clashes.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn features_that_were_proven_apart_are_both_proven() {
    for (base, [first, second]) in [(NATIVE, ["A", "B"]), (MARKDOWN, ["F-1", "F-2"])] {
        let (one, two) = (passing(base, first), passing(base, second));
        let both = Merged::Text(passing(&one, second));
        assert_eq!(merge(base, &one, &two), both);
        assert_eq!(merge(base, &two, &one), both);
    }
}

#[test]
fn what_a_person_changed_meanwhile_stays_to_the_byte() {
    let ours = NATIVE
        .replace("\"First\"", "\"First, amended\"")
        .replace("{\"b\": 1}", "{\"b\":   2}")
        .replace(
            "\n] }",
            ",\n  { \"id\": \"C\", \"title\": \"Mine\", \"status\": \"pending\", \"passes\": false }\n] }",
        );
    let merged = merge(NATIVE, &ours, &passing(NATIVE, "B"));
    assert_eq!(merged, Merged::Text(passing(&ours, "B")));
}

#[test]
fn features_that_both_sides_added_are_all_there() {
    let with = |id: &str| {
        let mut list = FeatureList::parse(NATIVE).unwrap();
        let id = FeatureId::new(id).unwrap();
        list.add(&harness_core::Feature::titled(id, "New".to_owned()))
            .unwrap();
        list.render()
    };
    let Merged::Text(text) = merge(NATIVE, &with("C"), &passing(&with("D"), "A")) else {
        panic!("one list");
    };
    let list = FeatureList::parse(&text).unwrap();
    let ids: Vec<&str> = list
        .features()
        .iter()
        .map(|feature| feature.id.as_str())
        .collect();
    assert_eq!(ids, ["A", "B", "C", "D"]);
    assert_eq!(list.features()[0].status, FeatureStatus::Passing);
    assert_eq!(
        merge(NATIVE, &with("C"), &with("C")),
        Merged::Text(with("C")),
        "what is the same on both sides is there once"
    );
}

#[test]
fn a_field_that_both_changed_in_another_way_is_named() {
    let title = |title: &str| NATIVE.replace("\"Second\"", &format!("\"{title}\""));
    assert_eq!(
        clashes(NATIVE, &title("mine"), &title("its")),
        ["feature `B`, field `title`: HEAD has `\"mine\"`, the run has `\"its\"`"]
    );
    let cancelled = NATIVE.replacen("pending", "cancelled", 1);
    assert_eq!(
        clashes(NATIVE, &cancelled, &passing(NATIVE, "A")),
        ["feature `A`, field `status`: HEAD has `cancelled`, the run has `passing`"]
    );
    let without = r#"{ "schema": 1, "features": [] }"#;
    let amended = NATIVE.replace("\"First\"", "\"Another\"");
    assert_eq!(
        clashes(NATIVE, without, &amended),
        ["feature `A`: HEAD has removed it, the run has changed it"]
    );
}

#[test]
fn a_proof_stands_against_a_status_that_is_open() {
    let waits = NATIVE.replacen("pending", "needs_human", 1);
    let proven = passing(NATIVE, "A");
    assert_eq!(merge(NATIVE, &waits, &proven), Merged::Text(proven.clone()));
    assert_eq!(merge(NATIVE, &proven, &waits), Merged::Text(proven));
}

#[test]
fn an_entry_that_is_named_by_its_place_is_not_taken_for_another() {
    let base = r#"[
  {"description": "One", "passes": false},
  {"description": "Two", "passes": false}
]"#;
    let theirs = passing(base, "F-002");
    let shifted = base.replace(
        "[\n",
        "[\n  {\"description\": \"Zero\", \"passes\": false},\n",
    );
    assert_eq!(merge(base, &shifted, &theirs), Merged::Unknown);
    let ours = passing(base, "F-001");
    assert_eq!(
        merge(base, &ours, &theirs),
        Merged::Text(passing(&ours, "F-002"))
    );
}

#[test]
fn what_is_no_list_or_another_one_is_left_to_others() {
    let proven = passing(NATIVE, "A");
    for (base, ours, theirs) in [
        ("{", NATIVE, proven.as_str()),
        (NATIVE, MARKDOWN, &proven),
        (NATIVE, &proven, &NATIVE.replace("team", "others")),
        (NATIVE, &proven, r#"{ "schema": 1, "features": [] }"#),
    ] {
        assert_eq!(
            merge(base, ours, theirs),
            Merged::Unknown,
            "{base} {ours} {theirs}"
        );
    }
}
