use harness_core::{FindingKind, LineRange, RepoPath};
use proptest::prelude::*;

use super::*;
use crate::{
    Anchor, AnchorSide, Author, Base, Choice, Chosen, CommentKind, Draft, FileChange, Heard, Place,
    Side, standing,
};

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

/// Writes a small review out in both forms.
fn exported() -> (String, serde_json::Value) {
    let new = "a\nB ```` \u{202E}\nBB\nc\n";
    let change = Change::new(vec![
        FileChange::new(
            path("src/a.rs"),
            Side::of_text("a\nb\nc\n"),
            Side::of_text(new),
        ),
        FileChange::new(
            path("b`c"),
            Side::of_file(b"x\n", false),
            Side::of_file(b"x\n", true),
        ),
    ]);
    let mut book = Book::new(Base::LastCheckpoint, Timestamp::default());
    let at = Timestamp::from_millis;
    let reject = (Choice::Rejected, "not needed");
    book.decide(
        &change.files()[1],
        0,
        &Chosen::Lines([3].into()),
        reject,
        at(1),
    )
    .unwrap();
    let lines = LineRange { first: 3, last: 3 };
    let draft = |kind, text: &str| Draft {
        kind,
        place: Place::of_lines(Anchor::of(path("src/a.rs"), AnchorSide::New, new, lines).unwrap()),
        text: text.to_owned(),
        by: Author::Person,
    };
    book.comment(draft(CommentKind::Nit, "# small"), at(2))
        .unwrap();
    book.comment(draft(CommentKind::MustFix, "<b>why</b>?"), at(2))
        .unwrap();
    book.sent(&[2], at(3));
    let heard = Heard {
        number: 2,
        text: "because".to_owned(),
    };
    book.answer(&[heard], Author::Agent, at(4));
    let secret = Finding::of_path(
        FindingKind::SecretAdded,
        path("src/a.rs"),
        "a key".to_owned(),
    );
    let tests = Finding {
        line: Some(2),
        id: "0badcafe".to_owned(),
        hunk: "-#[test]\n".to_owned(),
        ..Finding::of_path(
            FindingKind::TestsRemoved,
            path("src/a.rs"),
            "1 test is gone".to_owned(),
        )
    };
    let findings = [&secret, &tests].map(|finding| ShownFinding {
        finding,
        is_approved: false,
    });
    let evidence = [ShownCheck {
        gate: "test".to_owned(),
        status: "red".to_owned(),
        tests: Some([12, 1, 0]),
        ms: 340,
        tree: "4be1".to_owned(),
        failed: "expected 1".to_owned(),
    }];
    let review = Exported {
        title: "F-012 Export as CSV",
        base: "checkpoint 2",
        time: at(1_763_633_643_000),
        change: &change,
        standing: &standing(&change, &book),
        book: &book,
        findings: &findings,
        evidence: &evidence,
    };
    (markdown(&review), json(&review))
}

#[test]
fn markdown_has_everything_and_nothing_in_it_is_obeyed() {
    let (text, _) = exported();
    let expected = "# Review: F-012 Export as CSV

Base: checkpoint 2. Written 2025-11-20T10:14:03Z.

2 files, +2 −1; 0 of 2 hunks, 2 comments, **1 must-fix open**.

## Findings

- **tests removed** at `src/a.rs:2`: `0badcafe` 1 test is gone

```diff
-#[test]
```

- **secret added** at `src/a.rs`: a key

## Evidence

- `test`: **red**, 12 tests, 1 failed, 0 skipped, 340 ms, tree `4be1`

```text
expected 1
```

## Comments

### #2 must-fix, answered: `src/a.rs:3`, by person

```text
BB
```

> &lt;b>why&lt;/b>?

agent answered 1970-01-01T00:00:00Z:

> because

### #1 nit, draft: `src/a.rs:3`, by person

```text
BB
```

> # small

## Files

### ``b`c``

modified, +0 −0, 0 of 1 hunk decided
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("mode 100644 to 100755: **unseen**"));
    assert!(text.contains("-1,3 +1,4: **partly decided**\n\n> not needed\n\n`````diff\n a\n-b\n+B ```` ‹U+202E›\n+BB  ✗\n c\n`````\n"));
}

#[test]
fn json_is_versioned_and_has_weakened_tests_first() {
    let (_, value) = exported();
    assert_eq!((&value["v"], &value["type"]), (&1.into(), &"review".into()));
    assert_eq!(value["findings"][0]["kind"], "tests_removed");
    assert_eq!(value["files"][0]["hunks"][0]["whole"], "mode");
    let hunk = &value["files"][1]["hunks"][0];
    assert_eq!(hunk["state"], "partly");
    assert_eq!(hunk["lines"][1], "-b\n");
    assert_eq!(hunk["decided"][3], "rejected");
    assert_eq!(hunk["reasons"][0], "not needed");
    assert_eq!(value["comments"][1]["answers"][0]["text"], "because");
    assert_eq!(value["comments"][1]["lines"]["first"], 3);
    assert_eq!(value["evidence"][0]["tests"]["failed"], 1);
    assert_eq!(value["must_fix_open"], 1);
}

proptest! {
    #[test]
    fn nothing_that_is_shown_becomes_a_part_of_the_page(
        text in "([`~#>a\r-]{0,6}\n){0,8}", said in "[`~#>a\n<]{0,20}", name in "[`#a~]{1,6}",
    ) {
        let change = Change::new(vec![FileChange::new(path(&name), Side::Absent, Side::of_text(text.as_str()))]);
        let mut book = Book::new(Base::LastCheckpoint, Timestamp::default());
        let place = Place::File { path: path(&name) };
        let draft = Draft { kind: CommentKind::Note, place, text: said, by: Author::Person };
        let comments = usize::from(book.comment(draft, Timestamp::default()).is_ok());
        let review = Exported {
            title: &name,
            base: &name,
            time: Timestamp::default(),
            change: &change,
            standing: &standing(&change, &book),
            book: &book,
            findings: &[],
            evidence: &[],
        };
        let page = markdown(&review);
        let (mut fence, mut headings) = (None, 0);
        for line in page.lines() {
            let ticks = line.len() - line.trim_start_matches('`').len();
            match fence {
                None if ticks >= 3 && line.ends_with("diff") => fence = Some(ticks),
                None => headings += usize::from(line.starts_with('#')),
                Some(open) if ticks >= open && line.len() == ticks => fence = None,
                Some(_) => {}
            }
        }
        prop_assert_eq!(fence, None);
        let expected = 1 + 2 * comments + if change.files().is_empty() { 0 } else { 2 };
        prop_assert_eq!(headings, expected);
        prop_assert_eq!(json(&review)["comments"].as_array().map(Vec::len), Some(comments));
    }
}
