//! Checkboxes in Markdown.

use super::*;

const PLAN: &str = "# Plan

Some words, and `- [ ] no box`.

## Import

- [x] F-007: Read CSV
- [ ] **F-012** Export as CSV
  All rows,
  with quotes doubled.
  - write the header
  - [x] write the rows
    one by one

  More words.

<!-- - [ ] not this one -->

```
- [ ] nor this one
```

## Screen
1. [ ] A list of *all* rows
2. plain
   * [X] T012 [P] Sort it

> - [ ] a quote

Trailing prose.";

fn titles(text: &str) -> Vec<(String, String, String)> {
    let list = parse(text);
    let words = |feature: &Feature| {
        (
            feature.id.to_string(),
            feature.category.clone(),
            feature.title.clone(),
        )
    };
    list.features().iter().map(words).collect()
}

#[test]
fn boxes_are_features_with_headings_and_the_lines_below() {
    let list = parse(PLAN);
    assert_eq!(list.shape(), Shape::Markdown);
    let expected = [
        ("F-007", "Import", "Read CSV"),
        ("F-012", "Import", "Export as CSV"),
        ("F-003", "Screen", "A list of *all* rows"),
        ("T012", "Screen", "[P] Sort it"),
    ];
    let expected = expected
        .map(|(id, category, title)| (id.to_owned(), category.to_owned(), title.to_owned()));
    assert_eq!(titles(PLAN), expected);
    let export = &list.features()[1];
    assert_eq!(
        export.description,
        "All rows,\nwith quotes doubled.\nMore words."
    );
    assert_eq!(
        export.steps,
        ["write the header", "write the rows\none by one"]
    );
    let statuses: Vec<_> = list
        .features()
        .iter()
        .map(|feature| feature.status)
        .collect();
    use FeatureStatus::{Passing, Pending};
    assert_eq!(statuses, [Passing, Pending, Pending, Passing]);
}

#[test]
fn a_status_changes_one_character() {
    for text in [
        PLAN.to_owned(),
        PLAN.replace('\n', "\r\n"),
        format!("\u{feff}{PLAN}\n"),
    ] {
        let mut list = parse(&text);
        list.set_status(&id("F-012"), FeatureStatus::Passing)
            .unwrap();
        assert_eq!(
            list.render(),
            text.replace("[ ] **F-012**", "[x] **F-012**")
        );
        list.set_status(&id("F-012"), FeatureStatus::Blocked)
            .unwrap();
        list.set_status(&id("T012"), FeatureStatus::Passing)
            .unwrap();
        assert_eq!(list.render(), text, "a capital X stays");
        list.set_status(&id("T012"), FeatureStatus::Pending)
            .unwrap();
        assert_eq!(list.render(), text.replace("[X] T012", "[ ] T012"));
    }
}

#[test]
fn ids_are_words_with_a_number_and_their_marks() {
    let cases = [
        ("F-012: Export", "F-012", "Export"),
        ("**F-012** Export", "F-012", "Export"),
        ("**F-012:** Export", "F-012", "Export"),
        ("**F-012**: Export", "F-012", "Export"),
        ("`US_1.2`: Export", "US_1.2", "Export"),
        ("T001 Export", "T001", "Export"),
        ("T001: Export", "T001", "Export"),
        ("Fix: the bug", "F-001", "Fix: the bug"),
        ("**Important** do it", "F-001", "**Important** do it"),
        ("UTF-8 is read", "F-001", "UTF-8 is read"),
        ("HTTP2: speak it", "F-001", "HTTP2: speak it"),
        ("F-012:", "F-001", "F-012:"),
        ("1.2: two", "F-001", "1.2: two"),
        ("**F-012 Export**", "F-001", "**F-012 Export**"),
    ];
    for (line, name, title) in cases {
        let list = parse(&format!("- [ ] {line}\n"));
        let found = &list.features()[0];
        assert_eq!(
            (found.id.as_str(), found.title.as_str()),
            (name, title),
            "{line}"
        );
    }
    let long = format!("text\n\n- [ ] F-{}1: x\n", "0".repeat(80));
    let error = FeatureList::parse(&long).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot read field `id` of feature `line 3`: feature id `F-000"),
        "{error}"
    );
    check_error(
        "- [ ] F-1: a\n- [ ] F-1: b\n",
        "feature `F-1` is in the list twice, as entries 1 and 2",
    );
    check_error(
        "# Plan\n\n<<<<<<< HEAD\n- [ ] F-1: a\n=======\n- [x] F-1: a\n>>>>>>> other\n",
        "the feature list holds a merge that nobody has settled, it begins in line 3",
    );
}

#[test]
fn an_entry_is_added_below_the_last_of_its_heading() {
    let add = |text: &str, feature: &Feature| {
        let mut list = parse(text);
        list.add(feature).unwrap();
        list.render()
    };
    let mut feature = Feature::titled(id("F-013"), "Print");
    feature.description = "On paper.\n\nIn colour.".to_owned();
    feature.steps = vec!["find a printer\nthat works".to_owned(), "print".to_owned()];
    feature.category = "Import".to_owned();
    let now = add(PLAN, &feature);
    let block = "- [ ] **F-013** Print\n  On paper.\n\n  In colour.\n  - find a printer\n    that works\n  - print\n";
    assert_eq!(
        now,
        PLAN.replace("  More words.\n", &format!("  More words.\n{block}"))
    );
    let plain = Feature::titled(id("F-013"), "Print");
    assert_eq!(add("- [ ] a", &plain), "- [ ] a\n- [ ] F-013: Print\n");
    assert_eq!(
        add("1. [ ] a\r\n2. [x] b\r\n\r\nend\r\n", &plain),
        "1. [ ] a\r\n2. [x] b\r\n3. [ ] F-013: Print\r\n\r\nend\r\n"
    );
    assert_eq!(
        add("# Features\n", &plain),
        "# Features\n\n- [ ] F-013: Print\n"
    );
    let other = Feature {
        category: "Later".to_owned(),
        ..plain
    };
    assert_eq!(
        add("# Now\n- [ ] a\n", &other),
        "# Now\n- [ ] a\n\n## Later\n\n- [ ] F-013: Print\n"
    );
    assert_eq!(
        add("# Later\n\n# Now\n- [ ] a\n", &other),
        "# Later\n\n- [ ] F-013: Print\n\n# Now\n- [ ] a\n"
    );
    let mut list = parse(PLAN);
    let odd = Feature::titled(id("login"), "Print");
    assert_eq!(
        list.add(&odd).unwrap_err().to_string(),
        "cannot write feature `login`: a Markdown list would read it back as something else"
    );
    assert_eq!(list.render(), PLAN);
}

#[test]
fn an_entry_is_amended_within_its_own_lines() {
    let mut list = parse(PLAN);
    let mut feature = list.features()[1].clone();
    feature.title = "Export".to_owned();
    list.amend(&feature).unwrap();
    let now = PLAN.replace("Export as CSV", "Export");
    assert_eq!(list.render(), now);
    feature.description.clear();
    feature.steps = vec!["all at once".to_owned()];
    list.amend(&feature).unwrap();
    let (head, _) = now.split_once("  All rows").unwrap();
    let (_, tail) = now.split_once("  More words.\n").unwrap();
    assert_eq!(list.render(), format!("{head}  - all at once\n{tail}"));
    feature.description = "# a heading\n- [ ] and a box".to_owned();
    assert!(list.amend(&feature).is_err(), "it would be another list");
}

#[test]
fn a_file_of_prose_is_no_list_of_boxes() {
    assert!(parse("# Plan\n\nNothing yet.\n").features().is_empty());
    assert!(parse("- a\n- b\n").features().is_empty());
    assert!(parse("[link](x)\n\n- [ ] a\n").features().len() == 1);
    assert!(FeatureList::parse("Nothing.\n").is_err());
}

proptest! {
    #[test]
    fn a_box_is_all_that_changes(
        lines in proptest::collection::vec("(- \\[ \\] |- \\[x\\] |  - \\[ \\] |\\* \\[ \\] |3\\. \\[ \\] |# |> |    |```|<!--|)[a-zF: *`-]{0,8}", 1..12),
        crlf in any::<bool>(),
        chosen in any::<proptest::sample::Index>(),
    ) {
        let text = lines.join(if crlf { "\r\n" } else { "\n" });
        let Ok(mut list) = FeatureList::parse(&text) else { return Ok(()) };
        prop_assert_eq!(&list.render(), &text);
        if list.features().is_empty() {
            return Ok(());
        }
        let feature = list.features()[chosen.index(list.features().len())].clone();
        let flipped = if feature.status == FeatureStatus::Passing { FeatureStatus::Pending } else { FeatureStatus::Passing };
        list.set_status(&feature.id, flipped).unwrap();
        let now = list.render();
        prop_assert_eq!(now.len(), text.len());
        prop_assert_eq!(now.bytes().zip(text.bytes()).filter(|(now, old)| now != old).count(), 1);
        let again = parse(&now);
        prop_assert_eq!(again.features(), list.features());
    }

    #[test]
    fn what_is_added_reads_back_or_is_refused(
        text in "(# [a-c]{1,3}\n)?(- \\[[ x]\\] [a-z]{1,5}\n(  [a-z]{0,4}\n)?){0,4}[a-z\n]{0,5}",
        title in "\\PC{1,12}",
        description in "[-#a-z >\n`0-9.]{0,12}",
    ) {
        let Ok(mut list) = FeatureList::parse(&text) else { return Ok(()) };
        let before = list.features().to_vec();
        let feature = Feature { description, ..Feature::titled(list.next_id(), title.trim()) };
        if list.add(&feature).is_ok() {
            let again = parse(&list.render());
            prop_assert_eq!(again.features(), list.features());
            prop_assert_eq!(again.features().len(), before.len() + 1);
            for old in &before {
                let now = again.find(&old.id).map(|now| (&now.title, &now.description, now.status));
                prop_assert_eq!(now, Some((&old.title, &old.description, old.status)));
            }
        } else {
            prop_assert_eq!(list.render(), text);
        }
    }
}
