mod planted;

use proptest::prelude::*;

use super::*;

/// A text to replace, its replacement, and the findings of that.
type Case = (
    &'static str,
    &'static str,
    &'static [(FindingKind, &'static str)],
);

/// A path with the texts before and after.
type Texts<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

fn changes<'a>(files: &[Texts<'a>]) -> Vec<FileChange<'a>> {
    files
        .iter()
        .map(|&(path, old, new)| FileChange {
            path: RepoPath::parse(path).unwrap(),
            old,
            new,
        })
        .collect()
}

/// Checks the findings of several files, each as `path: message`.
fn check_all(files: &[Texts<'_>], expected: &[&str]) {
    let found: Vec<String> = inspect(&changes(files))
        .iter()
        .map(|finding| format!("{}: {}", finding.path, finding.message))
        .collect();
    assert_eq!(found, expected, "{files:?}");
}

/// Checks the findings of one file.
fn check(path: &str, old: &str, new: &str, expected: &[(FindingKind, &str)]) {
    let found: Vec<_> = inspect(&changes(&[(path, Some(old), Some(new))]))
        .into_iter()
        .map(|finding| (finding.kind, finding.message))
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|&(kind, message)| (kind, message.to_owned()))
        .collect();
    assert_eq!(found, expected, "{old}\n---\n{new}");
}

use FindingKind::{AssertionsWeakened, LintSilenced, TestsRemoved, TestsRenamed, TestsSkipped};

const RUST: &str = "\
fn add(a: u8) -> u8 { assert!(a < 9); a }
#[cfg(test)]
mod tests {
    #[test]
    fn quotes() {
        assert_eq!(add(1), 1);
        assert!(add(2) == 2, \"two\");
    }
    #[tokio::test]
    async fn rows() { prop_assert!(x.is_ok()); }
}
";

const PYTHON: &str = "\
import pytest

def helper(x):
    assert x

@pytest.mark.parametrize('a', [1])
def test_quotes(a):
    assert a == 1, 'one'

class TestRows:
    def test_rows(self):
        self.assertEqual(rows(), 2)
";

const SCRIPT: &str = "\
import { it, expect } from 'vitest';
describe('csv', () => {
  it('quotes', () => { expect(quote('a')).toBe('b'); });
  test.each([1, 2])('rows, %d', (n) => { assert.equal(rows(n), n); });
});
";

#[test]
fn an_honest_change_is_no_finding() {
    let more = RUST.replace(
        "mod tests {",
        "mod tests {\n    #[test]\n    fn new() { assert!(ok()); }",
    );
    check("src/a.rs", RUST, &more, &[]);
    check("src/a.rs", RUST, &RUST.replace("assert!(a < 9); ", ""), &[]);
    check("src/a.rs", "", RUST, &[]);
    check(
        "tests/test_a.py",
        PYTHON,
        &format!("{PYTHON}\ndef test_b():\n    assert b()\n"),
        &[],
    );
    check(
        "a.test.ts",
        SCRIPT,
        &SCRIPT.replace("toBe('b')", "toBe('c')"),
        &[],
    );
    let delegated = RUST
        .replace("prop_assert!(x.is_ok());", "check(x);")
        .replace(
            "mod tests {",
            "mod tests {\n    fn check(x: X) { assert!(x.is_ok()); }",
        );
    check("src/a.rs", RUST, &delegated, &[]);
}

#[test]
fn rust_tests_that_are_weakened_are_found() {
    let cases: &[Case] = &[
        (
            "#[test]\n",
            "",
            &[(TestsRemoved, "1 test is gone: `quotes`")],
        ),
        (
            "fn quotes",
            "fn quoting",
            &[(TestsRenamed, "1 test is renamed: `quotes` to `quoting`")],
        ),
        (
            "#[test]\n",
            "#[test]\n#[ignore = \"slow\"]\n",
            &[(TestsSkipped, "1 test is newly skipped: `quotes`")],
        ),
        (
            "#[tokio::test]",
            "#[cfg_attr(all(), ignore)] #[tokio::test]",
            &[(TestsSkipped, "1 test is newly skipped: `rows`")],
        ),
        (
            "assert_eq!(add(1), 1);",
            "",
            &[(
                AssertionsWeakened,
                "assertions fell from 2 to 1 in `quotes`",
            )],
        ),
        (
            "prop_assert!(x.is_ok());",
            "assert!(true, \"fine\");",
            &[(
                AssertionsWeakened,
                "1 new assertion always holds: `assert!(true, \"fine\")`",
            )],
        ),
        (
            "assert_eq!(add(1), 1)",
            "assert_eq!(1, 1)",
            &[(
                AssertionsWeakened,
                "1 new assertion always holds: `assert_eq!(1, 1)`",
            )],
        ),
        (
            "fn quotes() {",
            "fn quotes() { std::process::exit(0);",
            &[(
                TestsSkipped,
                "1 new call ends the test process: `process::exit`",
            )],
        ),
        (
            "fn add",
            "#[allow(dead_code, reason = \"x\")] fn add",
            &[(LintSilenced, "1 lint is newly silenced: `dead_code`")],
        ),
        (
            "#[cfg(test)]",
            "#![cfg_attr(test, expect(clippy::all, unused))]\n#[cfg(test)]",
            &[(
                LintSilenced,
                "2 lints are newly silenced: `clippy::all`, `unused`",
            )],
        ),
    ];
    for &(from, to, expected) in cases {
        assert!(RUST.contains(from), "{from}");
        check("src/a.rs", RUST, &RUST.replacen(from, to, 1), expected);
    }
    let emptied = RUST.replace("prop_assert!(x.is_ok());", "").replace(
        "assert_eq!(add(1), 1);",
        "assert_eq!(add(1), 1); assert_ne!(add(1), 2);",
    );
    check(
        "src/a.rs",
        RUST,
        &emptied,
        &[(AssertionsWeakened, "assertions fell from 1 to 0 in `rows`")],
    );
}

#[test]
fn python_tests_that_are_weakened_are_found() {
    let cases: &[Case] = &[
        (
            "def test_quotes",
            "def xtest_quotes",
            &[(TestsRemoved, "1 test is gone: `test_quotes`")],
        ),
        (
            "@pytest.mark.parametrize('a', [1])",
            "@pytest.mark.skip",
            &[(TestsSkipped, "1 test is newly skipped: `test_quotes`")],
        ),
        (
            "def test_quotes",
            "@pytest.mark.xfail(reason='x')\ndef test_quotes",
            &[(TestsSkipped, "1 test is newly skipped: `test_quotes`")],
        ),
        (
            "    assert a == 1, 'one'",
            "    pytest.skip('x')\n    assert a == 1, 'one'",
            &[(TestsSkipped, "1 test is newly skipped: `test_quotes`")],
        ),
        (
            "class TestRows",
            "@unittest.skip('x')\nclass TestRows",
            &[(TestsSkipped, "1 test is newly skipped: `TestRows`")],
        ),
        (
            "import pytest",
            "import pytest\npytestmark = pytest.mark.skip",
            &[(TestsSkipped, "1 test is newly skipped: `skip`")],
        ),
        (
            "self.assertEqual(rows(), 2)",
            "rows()",
            &[(
                AssertionsWeakened,
                "assertions fell from 1 to 0 in `test_rows`",
            )],
        ),
        (
            "assert a == 1, 'one'",
            "assert True  # x",
            &[(
                AssertionsWeakened,
                "1 new assertion always holds: `assert True`",
            )],
        ),
        (
            "self.assertEqual(rows(), 2)",
            "self.assertEqual(2, 2)",
            &[(
                AssertionsWeakened,
                "1 new assertion always holds: `assertEqual(2, 2)`",
            )],
        ),
        (
            "import pytest",
            "import os, pytest\nos._exit(0)",
            &[(TestsSkipped, "1 new call ends the test process: `os._exit`")],
        ),
        (
            "import pytest",
            "import pytest  # noqa: F401\nx = 1  # type: ignore",
            &[(
                LintSilenced,
                "2 lints are newly silenced: `noqa`, `type: ignore`",
            )],
        ),
    ];
    for &(from, to, expected) in cases {
        assert!(PYTHON.contains(from), "{from}");
        check(
            "tests/test_a.py",
            PYTHON,
            &PYTHON.replacen(from, to, 1),
            expected,
        );
    }
}

#[test]
fn script_tests_that_are_weakened_are_found() {
    let cases: &[Case] = &[
        (
            "it('quotes'",
            "it('quoting'",
            &[(TestsRenamed, "1 test is renamed: `quotes` to `quoting`")],
        ),
        (
            "it('quotes'",
            "it.skip('quotes'",
            &[(TestsSkipped, "1 test is newly skipped: `quotes`")],
        ),
        (
            "it('quotes'",
            "xit('quotes'",
            &[(TestsSkipped, "1 test is newly skipped: `quotes`")],
        ),
        (
            "test.each([1, 2])('rows",
            "test.skip.each([1, 2])('rows",
            &[(TestsSkipped, "1 test is newly skipped: `rows, %d`")],
        ),
        (
            "describe('csv'",
            "describe.skip('csv'",
            &[(TestsSkipped, "1 test is newly skipped: `csv`")],
        ),
        (
            "describe('csv'",
            "describe.only('csv'",
            &[(TestsSkipped, "1 test is newly skipped: `only csv`")],
        ),
        (
            "it('quotes', ()",
            "it('quotes', { skip: true }, ()",
            &[(TestsSkipped, "1 test is newly skipped: `quotes`")],
        ),
        (
            "expect(quote('a')).toBe('b');",
            "",
            &[(
                AssertionsWeakened,
                "assertions fell from 1 to 0 in `quotes`",
            )],
        ),
        (
            "expect(quote('a')).toBe('b')",
            "expect(true).toBe(true)",
            &[(
                AssertionsWeakened,
                "1 new assertion always holds: `expect(true).toBe(true)`",
            )],
        ),
        (
            "assert.equal(rows(n), n)",
            "assert.ok(true)",
            &[(
                AssertionsWeakened,
                "1 new assertion always holds: `assert.ok(true)`",
            )],
        ),
        (
            "describe('csv'",
            "process.exit(0);\ndescribe('csv'",
            &[(
                TestsSkipped,
                "1 new call ends the test process: `process.exit`",
            )],
        ),
        (
            "describe('csv'",
            "/* eslint-disable no-undef */ // see @ts-ignore\ndescribe('csv'",
            &[(LintSilenced, "1 lint is newly silenced: `eslint-disable`")],
        ),
    ];
    for &(from, to, expected) in cases {
        assert!(SCRIPT.contains(from), "{from}");
        check(
            "src/a.test.ts",
            SCRIPT,
            &SCRIPT.replacen(from, to, 1),
            expected,
        );
    }
}

#[test]
fn go_tests_that_are_weakened_are_found() {
    let old = "func TestA(t *testing.T) {\n  if x() {\n    t.Errorf(\"no\")\n  }\n}\n";
    let name = "a_test.go";
    check(
        name,
        old,
        &old.replace("TestA", "testA"),
        &[(TestsRemoved, "1 test is gone: `TestA`")],
    );
    check(
        name,
        old,
        &old.replace("  if", "  t.Skip()\n  if"),
        &[(TestsSkipped, "1 test is newly skipped: `TestA`")],
    );
    check(
        name,
        old,
        &old.replace("t.Errorf(\"no\")", ""),
        &[(AssertionsWeakened, "assertions fell from 1 to 0 in `TestA`")],
    );
    check(
        "a.go",
        "x()",
        "x() //nolint:all",
        &[(LintSilenced, "1 lint is newly silenced: `nolint`")],
    );
}

#[test]
fn words_in_comments_and_strings_are_no_findings() {
    let rust = "\n// #[ignore] #[allow(x)]\nconst A: &str = \"#[ignore]\"; /* assert!(true) */\nconst B: &str = r#\"#[test] fn a() { std::process::exit(0) }\"#;\n";
    check("tests/a.rs", RUST, &format!("{RUST}{rust}"), &[]);
    let python = "\n# pytest.skip() os._exit(0)\nX = '''\n@pytest.mark.skip\ndef test_x():\n    assert True  # noqa\n'''\n# one may say noqa here\n";
    check("tests/test_a.py", PYTHON, &format!("{PYTHON}{python}"), &[]);
    let script = "\n// it.skip('x')\nconst x = `it.only('x') // eslint-disable`; /re.test('/.test(\"it.skip('a')\");\n";
    check("a.test.js", SCRIPT, &format!("{SCRIPT}{script}"), &[]);
    check(
        "a.rs",
        "/// ```\n/// # a\n/// ```\nfn a() {}",
        "/// #[ignore]\nfn a() {}",
        &[],
    );
}

#[test]
fn code_that_does_not_parse_is_read_as_far_as_it_goes() {
    for text in [
        "#[test",
        "assert!",
        "assert!é(true)",
        "assert_eq!(1,",
        "r#\"",
        "'é",
    ] {
        check("tests/a.rs", "", text, &[]);
    }
    for text in ["assert", "assert(", "def", "\"\"\"", "@", "class"] {
        check("tests/a.py", "", text, &[]);
    }
    for text in [
        "it",
        "it.",
        "it.each(",
        "it(",
        "expect(",
        "expect(a).",
        "`${",
        "/[",
        "assert.",
    ] {
        check("tests/a.js", "", text, &[]);
    }
}

#[test]
fn words_outside_of_tests_are_no_tests() {
    check(
        "src/a.js",
        "test('a', f); expect(1);",
        "process.exit(1)",
        &[],
    );
    check(
        "src/a.py",
        "def test_a():\n    assert a",
        "import os\nos._exit(1)",
        &[],
    );
    check(
        "a.test.js",
        "x",
        "/a/.test(b); obj.it('c'); submit('d'); function test(a) {}",
        &[],
    );
    check("a.test.js", "x", "list({ skip: 10, todo: false })", &[]);
    check(
        "src/main.rs",
        "fn main() {}",
        "fn main() { std::process::exit(1) }",
        &[],
    );
}

#[test]
fn a_test_file_that_moves_is_judged_as_changed_in_its_place() {
    let text = "const a = require('..');\ntest('reads', () => {\n  try { assert(a()) } catch {}\n  assert(a());\n});\ntest('other', () => assert(b()));\n";
    let there = text.replace("'..'", "'../..'");
    let moved = |new: &str, expected: &[&str]| {
        check_all(
            &[
                ("test/a.test.js", Some(text), None),
                ("test/deep/a.test.js", None, Some(new)),
            ],
            expected,
        );
    };
    moved(&there, &[]);
    moved(
        &there.replace("  assert(a());\n", ""),
        &["test/deep/a.test.js: assertions fell from 2 to 1 in `reads`"],
    );
    moved(
        &there.replace("assert(b())", "{ try { assert(b()) } catch {} }"),
        &["test/deep/a.test.js: 1 new place lets a failed assertion pass: `catch`"],
    );
    moved(
        "test('reads', () => { assert(a()); assert(a()) });\n",
        &["test/deep/a.test.js: 1 test is gone: `other`"],
    );
    // Beside the tests it is no test any more.
    check_all(
        &[
            ("test/a.test.js", Some(text), None),
            ("lib/a.js", None, Some(&there)),
        ],
        &["test/a.test.js: 2 tests are gone: `other`, `reads`"],
    );
}

#[test]
fn what_moves_between_files_is_no_finding() {
    let rest = "#[cfg(test)]\nmod tests {\n}\n";
    check_all(
        &[
            ("src/a.rs", Some(RUST), Some(rest)),
            ("src/b.rs", None, Some(RUST)),
        ],
        &[],
    );
    check_all(
        &[
            ("tests/a.rs", Some(RUST), None),
            ("tests/b.rs", None, Some(RUST)),
        ],
        &[],
    );
    let skipped = "#[test]\n#[ignore]\nfn slow() { assert!(a()); }\n#[allow(x)]\nfn b() {}\n";
    check_all(
        &[
            ("tests/a.rs", Some(skipped), None),
            ("tests/b.rs", Some(""), Some(skipped)),
        ],
        &[],
    );
    check_all(
        &[
            ("tests/a.rs", Some(RUST), None),
            ("src/b.rs", Some(""), Some("")),
        ],
        &["tests/a.rs: 2 tests are gone: `quotes`, `rows`"],
    );
    let one = "#[test] fn quotes() {}";
    check_all(
        &[
            ("tests/a.rs", Some(RUST), None),
            ("tests/b.rs", Some(""), Some(one)),
        ],
        &["tests/a.rs: 1 test is gone: `rows`"],
    );
    let both = "#[test] fn a() {}\n#[test] #[ignore] fn b() {}";
    let swapped = "#[test] #[ignore] fn a() {}\n#[test] fn b() {}";
    check(
        "tests/a.rs",
        both,
        swapped,
        &[(TestsSkipped, "1 test is newly skipped: `a`")],
    );
}

#[test]
fn a_test_file_of_any_kind_must_not_vanish() {
    let script = Some("echo 1..1\necho ok");
    check_all(
        &[("tests/run.sh", script, None)],
        &["tests/run.sh: the file stood among the tests and is gone"],
    );
    check_all(
        &[
            ("tests/run.sh", script, None),
            ("tests/all.sh", None, script),
        ],
        &[],
    );
    check_all(&[("tests/run.sh", script, Some("echo"))], &[]);
    check_all(&[("scripts/run.sh", script, None)], &[]);
    check_all(
        &[("tests/common/mod.rs", Some("fn helper() {}"), None)],
        &[],
    );
}

#[test]
fn test_files_are_known_by_their_paths() {
    let is_test = |path: &str| language::is_test_file(&RepoPath::parse(path).unwrap());
    for path in [
        "tests/a.rs",
        "crates/x/tests/a.txt",
        "test_a.py",
        "src/a_test.py",
        "conftest.py",
        "a.test.ts",
        "a.spec.tsx",
        "pkg/a_test.go",
        "spec/a_spec.rb",
        "src/__tests__/a.js",
    ] {
        assert!(is_test(path), "{path}");
    }
    for path in [
        "src/a.rs",
        "latest.py",
        "contest/a.py",
        "test_a.rs",
        "tests",
        "src/test.rs",
        "",
    ] {
        assert!(!is_test(path), "{path}");
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(
        old in "[a-zé'\"`/*#()\\[\\]{}.!@:,=\\\\ \n]{0,120}",
        new in "\\PC{0,120}",
    ) {
        for path in ["tests/a.rs", "tests/a.py", "tests/a.ts", "tests/a_test.go", "tests/a.sh", "tests/ATest.java", "tests/a.bats", "jest.config.json"] {
            inspect(&changes(&[(path, Some(&old), Some(&new))]));
        }
    }

    #[test]
    fn pieces_in_any_order_never_panic(
        pieces in proptest::collection::vec(prop_oneof![
            Just("#[test]"), Just("#[ignore"), Just("fn"), Just("é"), Just("assert!"), Just("("),
            Just(")"), Just("assert_eq!(1,"), Just("def test_"), Just("assert"), Just("\n"),
            Just("@pytest.mark.skip"), Just("it.each"), Just("it("), Just("'"), Just("expect("),
            Just(".toBe("), Just("func Test"), Just("t.Skip("), Just("#[allow("), Just("skip:"),
            Just("$"), Just("]"), Just("process::exit"), Just("class"), Just("."), Just(" "),
        ], 0..25),
    ) {
        let text = pieces.concat();
        for path in ["tests/a.rs", "tests/a.py", "tests/a.ts", "tests/a_test.go"] {
            inspect(&changes(&[(path, Some(&text), None), (path, Some(""), Some(&text))]));
        }
    }

    #[test]
    fn an_unchanged_file_has_no_findings(pieces in proptest::collection::vec(prop_oneof![
        Just(RUST), Just("#[test]\n#[ignore]\nfn x() {}\n"), Just("#[allow(a)]\n"),
    ], 0..4)) {
        let text = pieces.concat();
        prop_assert_eq!(inspect(&changes(&[("tests/a.rs", Some(&text), Some(&text))])), vec![]);
    }
}
