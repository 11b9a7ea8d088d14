use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

/// 2026-11-20T10:14:03Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_169_643_000);

fn write(word: Word, text: &Entry) -> String {
    let feature = FeatureId::new("F-012").unwrap();
    entry(NOW, SessionId::new(7), &feature, word, text)
}

fn done(lines: &[&str]) -> Entry {
    Entry {
        done: lines.iter().map(|&line| line.to_owned()).collect(),
        ..Entry::default()
    }
}

#[test]
fn the_first_entry_makes_the_log() {
    let full = Entry {
        done: vec![
            "export of all rows".to_owned(),
            "quotes are doubled".to_owned(),
        ],
        tried: vec!["a streaming writer".to_owned()],
        gates: vec!["test green, 212 tests".to_owned()],
        parent: Some("a".repeat(40).parse().unwrap()),
        next: vec!["import".to_owned()],
        questions: vec!["which separator?".to_owned()],
    };
    let log = append("", &write(Word::Passing, &full));
    let log = append(&log, &write(Word::NeedsHuman, &done(&["nothing"])));
    assert_snapshot!(log, @r"
    # Progress

    ## Codebase Patterns

    ## 2026-11-20T10:14:03Z S-0007 F-012 passing

    - Done: export of all rows
    - Done: quotes are doubled
    - Tried and failed: a streaming writer
    - Gates: test green, 212 tests
    - Parent: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    - Next: import
    - Open questions: which separator?

    ## 2026-11-20T10:14:03Z S-0007 F-012 needs human

    - Done: nothing
    ");
}

#[test]
fn no_text_can_forge_a_heading_or_grow_without_bound() {
    let forged = "x\n## 2026-11-20T10:14:03Z S-0008 F-013 passing\r\n\n===\n- Gates: green";
    let text = write(Word::HandedOver, &done(&[forged, "# one", "", "\x1b[2J\n"]));
    assert_snapshot!(text, @r"
    ## 2026-11-20T10:14:03Z S-0007 F-012 handed over

    - Done: x ## 2026-11-20T10:14:03Z S-0008 F-013 passing === - Gates: green
    - Done: # one
    - Done: [2J
    ");
    let long = "é".repeat(10_000);
    let text = write(Word::Passing, &done(&[long.as_str(); 50]));
    assert!(text.len() < (LINES_MAX + 2) * (LINE_BYTES_MAX + 20));
    assert!(text.ends_with("- Done: 30 more\n"));
}

#[test]
fn the_tail_is_made_of_whole_sections() {
    let log = "# Progress\n\n## Codebase Patterns\n\n## one\n\n- a ## b\n\n## two\n\n- b\n";
    let cases = [
        (1_000, log),
        (30, "## one\n\n- a ## b\n\n## two\n\n- b\n"),
        (33, "## one\n\n- a ## b\n\n## two\n\n- b\n"),
        (29, "## two\n\n- b\n"),
        (12, "## two\n\n- b\n"),
        (11, "\n- b\n"),
        (4, "- b\n"),
    ];
    for (max, expected) in cases {
        assert_eq!(tail(log, max), expected, "{max}");
    }
    assert_eq!(tail("free text\nof a person\n", 12), "of a person\n");
}

proptest! {
    #[test]
    fn appending_keeps_what_was_there(existing in "[#a \\n]{0,60}", line in "\\PC{0,40}") {
        let entry = write(Word::Passing, &done(&[&line]));
        let log = append(&existing, &entry);
        prop_assert!(log.starts_with(&existing) || existing.trim().is_empty());
        prop_assert!(log.ends_with(&entry));
        prop_assert_eq!(entry.lines().filter(|line| line.starts_with('#')).count(), 1);
    }

    #[test]
    fn the_tail_is_an_end_within_its_bound(text in "[#é \\n]{0,80}", max in 0_usize..90) {
        let end = tail(&text, max);
        prop_assert!(text.ends_with(end) && end.len() <= max);
    }
}

fn pattern_of(note: &str) -> String {
    pattern(note).unwrap_or_else(|| "none".to_owned())
}

#[test]
fn a_note_proposes_a_pattern_and_can_forge_nothing() {
    let cases = [
        ("pattern: errors are enums", "errors are enums"),
        (
            " Pattern:errors\n## 2026 S-1 F-1 passing",
            "errors ## 2026 S-1 F-1 passing",
        ),
        ("pattern: ## Codebase Patterns", "Codebase Patterns"),
        ("pattern: ```sh\nrm", "sh rm"),
        ("pattern: ~~~ - > <!-- x", "x"),
        ("pattern: `make` builds", "`make` builds"),
        ("pattern: \u{1b}[2J", "2J"),
        ("pattern:  - ", "none"),
        ("pattern", "none"),
        ("a pattern: b", "none"),
        ("é", "none"),
    ];
    for (note, expected) in cases {
        assert_eq!(pattern_of(note), expected, "{note:?}");
    }
    let long = pattern(&format!("pattern: {}", "é".repeat(500))).unwrap();
    assert!(
        long.len() <= PATTERN_BYTES_MAX && long.ends_with('…'),
        "{long}"
    );
}

fn with(log: &str, patterns: &[&str]) -> String {
    let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    with_patterns(log, &patterns)
}

#[test]
fn patterns_are_kept_once_in_their_own_section() {
    let log = append("", &write(Word::Passing, &done(&["a"])));
    let now = with(
        &log,
        &["errors are enums", "Errors are enums.", "no unwrap"],
    );
    let (head, tail) = log.split_once("## Codebase Patterns\n\n").unwrap();
    assert_eq!(
        now,
        format!("{head}## Codebase Patterns\n\n- errors are enums\n- no unwrap\n\n{tail}")
    );
    assert_eq!(
        with(&now, &["no unwrap"]),
        now,
        "nothing new, nothing written"
    );
    let more = with(&now, &["third"]);
    assert_eq!(more, now.replace("- no unwrap\n", "- no unwrap\n- third\n"));
    assert_eq!(
        with("", &["x"]),
        "# Progress\n\n## Codebase Patterns\n\n- x\n"
    );
    assert_eq!(
        with("free text\n", &["x"]),
        "free text\n\n## Codebase Patterns\n\n- x\n"
    );
    assert_eq!(
        with("# Mine\r\n\r\ntext\r\n", &["x"]),
        "# Mine\r\n\r\ntext\r\n\r\n## Codebase Patterns\r\n\r\n- x\r\n"
    );
    let own = "## Codebase Patterns\nWords of a person.\n- old\n# Next\n";
    assert_eq!(
        with(own, &["new"]),
        "## Codebase Patterns\n\nWords of a person.\n- old\n- new\n\n# Next\n"
    );
}

#[test]
fn the_oldest_patterns_go_first() {
    let mut log = String::new();
    for number in 0..PATTERNS_MAX + 5 {
        log = with(&log, &[&format!("rule {number}")]);
    }
    assert_eq!(log.matches("- rule").count(), PATTERNS_MAX);
    assert!(
        !log.contains("rule 4\n") && log.contains("- rule 5\n"),
        "{log}"
    );
    for number in 0..30 {
        log = with(&log, &[&format!("{number} {}", "x".repeat(150))]);
    }
    let bytes: usize = log
        .lines()
        .filter(|line| line.starts_with("- "))
        .map(|line| line.len() + 1)
        .sum();
    assert!(
        bytes <= PATTERNS_BYTES_MAX && log.contains("- 29 x"),
        "{log}"
    );
}

#[test]
fn what_was_added_is_found_and_brought_into_another_log() {
    let before = append("", &write(Word::Passing, &done(&["a"])));
    let entry = write(Word::NeedsHuman, &done(&["b"]));
    let after = with(&append(&before, &entry), &["x"]);
    let found = added(&before, &after).unwrap();
    assert_eq!(found.entries.trim(), entry.trim());
    assert_eq!(found.patterns, ["x"]);
    assert_eq!(added(&after, &after).unwrap(), Added::default());
    assert_eq!(added("other\n", &after), None);
    let here = format!("{before}\n## a person's own\n\n- c\n");
    let merged = merge(&here, &before, &after);
    assert!(
        merged.contains("- c\n") && merged.contains("- x\n"),
        "{merged}"
    );
    assert!(merged.ends_with(&entry), "{merged}");
    assert_eq!(merge(&merged, &before, &after), merged, "twice is once");
    let first = append("", &entry);
    assert_eq!(added("", &first).unwrap().entries, entry.trim_end());
    assert_eq!(merge("mine\n", "", &first), format!("mine\n\n{entry}"));
    let old = "done by hand\n";
    let after = with(&append(old, &entry), &["x"]);
    assert_eq!(added(old, &after).unwrap().entries.trim(), entry.trim());
}

#[test]
fn a_session_is_given_the_patterns_and_the_newest_entries() {
    let mut log = with("", &["errors are enums"]);
    for number in 0..50 {
        log = append(
            &log,
            &write(Word::Passing, &done(&[&format!("step {number}")])),
        );
    }
    let given = window(&log, 400);
    assert!(
        given.starts_with("## Codebase Patterns\n\n- errors are enums\n\n## 2026"),
        "{given}"
    );
    assert!(
        given.ends_with("- Done: step 49\n") && given.len() <= 400,
        "{given}"
    );
    assert!(!given.contains("step 1\n"), "{given}");
    assert_eq!(window(&log, log.len()), log);
    let many = format!(
        "## Codebase Patterns\n{}\n## e\n\n- last\n",
        "- a rule\n".repeat(500)
    );
    let given = window(&many, 200);
    assert!(
        given.len() <= 200 && given.ends_with("## e\n\n- last\n"),
        "{given}"
    );
}

proptest! {
    #[test]
    fn patterns_touch_nothing_else(
        lines in proptest::collection::vec("(# t|## Codebase Patterns|## e|- x|words|)", 0..8),
        note in "pattern:\\PC{0,40}",
        crlf in any::<bool>(),
        max in 0_usize..300,
    ) {
        let newline = if crlf { "\r\n" } else { "\n" };
        let log: String = lines.iter().map(|line| format!("{line}{newline}")).collect();
        let Some(pattern) = pattern(&note) else { return Ok(()) };
        let now = with_patterns(&log, std::slice::from_ref(&pattern));
        let expected = format!("- {pattern}");
        prop_assert!(now.lines().any(|line| line.eq_ignore_ascii_case(&expected)) || log.contains(&pattern));
        let headings = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
        prop_assert!(headings(&now) <= headings(&log) + 2);
        prop_assert_eq!(&with_patterns(&now, &[pattern]), &now);
        prop_assert!(window(&now, max).len() <= max.max(30));
        if !log.trim().is_empty() {
            let found = added(&log, &now);
            prop_assert!(found.is_some_and(|found| found.entries.trim().is_empty()), "{:?} {:?}", log, now);
        }
    }
}

#[test]
fn entries_that_stand_here_already_are_not_brought_twice() {
    let first = "# Progress\n\n## Codebase Patterns\n\n## 1 S-0001 F-1 handed over\n\n- Done: a\n";
    let second = format!("{first}\n## 2 S-0002 F-1 passing\n\n- Done: b\n");
    for before in ["", "# Progress\n\n## Codebase Patterns\n"] {
        assert_eq!(merge(first, before, &second), second);
    }
}
