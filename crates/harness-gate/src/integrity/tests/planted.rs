//! Planted weakenings, language by language, each beside an innocent twin that says nothing.

use harness_core::{FindingKind, RepoPath};

use crate::integrity::{FileChange, inspect};

use FindingKind::{
    AssertionsWeakened, LintSilenced, SnapshotChanged, TestsRemoved, TestsRenamed, TestsSkipped,
    ThresholdLowered,
};

/// What is replaced, by what, and the kind that is found; none for an innocent change.
type Planted = (&'static str, &'static str, Option<FindingKind>);

fn kinds(path: &str, old: &str, new: Option<&str>) -> Vec<FindingKind> {
    let change = FileChange {
        path: RepoPath::parse(path).unwrap(),
        old: Some(old),
        new,
    };
    let findings = inspect(&[change]);
    for finding in &findings {
        assert_eq!(finding.id.len(), 8, "{finding:?}");
        assert!(!finding.hunk.is_empty(), "{finding:?}");
    }
    findings.into_iter().map(|finding| finding.kind).collect()
}

fn check(path: &str, text: &str, planted: &[Planted]) {
    assert_eq!(kinds(path, text, Some(text)), []);
    for (from, to, kind) in planted {
        assert!(text.contains(from), "{from}");
        let new = text.replacen(from, to, 1);
        let found = kinds(path, text, Some(&new));
        let expected: Vec<FindingKind> = kind.iter().copied().collect();
        assert_eq!(found, expected, "{path}: {from:?} -> {to:?}");
    }
}

#[test]
fn rust() {
    let text = "\
use super::*;

#[test]
fn quotes() {
    let value = add(1);
    assert_eq!(value, 2);
    assert!(value > 1, \"it grows\");
}

#[test]
fn rows() {
    check_rows(3);
}

fn check_rows(count: usize) {
    assert_eq!(count, rows());
}
";
    check(
        "tests/a.rs",
        text,
        &[
            (
                "#[test]\nfn quotes",
                "// #[test]\nfn quotes",
                Some(TestsRemoved),
            ),
            (
                "#[test]\nfn quotes",
                "#[test]\n// It grows.\nfn quotes",
                None,
            ),
            ("fn quotes() {", "fn quoting() {", Some(TestsRenamed)),
            (
                "#[test]\nfn quotes",
                "#[test]\n#[ignore]\nfn quotes",
                Some(TestsSkipped),
            ),
            (
                "#[test]\nfn quotes",
                "#[cfg(any())]\n#[test]\nfn quotes",
                Some(TestsSkipped),
            ),
            (
                "#[test]\nfn quotes",
                "#[cfg(not(test))]\n#[test]\nfn quotes",
                Some(TestsSkipped),
            ),
            (
                "#[test]\nfn quotes",
                "#[cfg(unix)]\n#[test]\nfn quotes",
                None,
            ),
            ("    assert_eq!(value, 2);\n", "", Some(AssertionsWeakened)),
            ("assert_eq!(value, 2)", "assert_eq!(value, 3)", None),
            (
                "assert_eq!(value, 2)",
                "assert_eq!(value, value)",
                Some(AssertionsWeakened),
            ),
            (
                "value > 1, \"it",
                "value > 1 || true, \"it",
                Some(AssertionsWeakened),
            ),
            ("value > 1, \"it", "value > 1 || value < 0, \"it", None),
            ("    check_rows(3);\n", "", Some(AssertionsWeakened)),
            ("check_rows(3);", "check_rows(4);", None),
            (
                "    assert_eq!(count, rows());\n",
                "",
                Some(AssertionsWeakened),
            ),
            (
                "    check_rows(3);",
                "    let _ = std::panic::catch_unwind(|| check_rows(3));",
                Some(AssertionsWeakened),
            ),
            (
                "    check_rows(3);",
                "    check_rows(3);\n    let result = std::panic::catch_unwind(|| 1);\n    assert!(result.is_err());",
                None,
            ),
            (
                "let value",
                "std::process::exit(0);\n    let value",
                Some(TestsSkipped),
            ),
            (
                "use super::*;",
                "#![allow(warnings)]\nuse super::*;",
                Some(LintSilenced),
            ),
            (
                "use super::*;",
                "// #![allow(warnings)]\nuse super::*;",
                None,
            ),
            (
                "#[test]\nfn rows",
                "#[test]\n#[cfg_attr(windows, ignore)]\nfn on_unix() { assert!(unix()); }\n\n#[test]\nfn rows",
                None,
            ),
        ],
    );
    check(
        "src/a.rs",
        "#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() { assert!(b()); }\n}\n",
        &[("#[cfg(test)]", "#[cfg(any())]", Some(TestsSkipped))],
    );
}

#[test]
fn python() {
    let text = "\
import pytest

def test_sum(tmp_path):
    def inner():
        return 1
    assert inner() == 1
    assert total() == 2, 'two'

class TestRows:
    def test_rows(self):
        self.assertEqual(rows(), 2)
        with pytest.raises(ValueError):
            rows(-1)
";
    check(
        "tests/test_a.py",
        text,
        &[
            ("def test_sum", "def _test_sum", Some(TestsRemoved)),
            ("def test_sum", "def test_total", Some(TestsRenamed)),
            (
                "def test_sum",
                "@pytest.mark.xfail\ndef test_sum",
                Some(TestsSkipped),
            ),
            ("def test_sum", "@pytest.mark.slow\ndef test_sum", None),
            (
                "def test_sum",
                "no = pytest.mark.skip(reason='x')\n\n@no\ndef test_sum",
                Some(TestsSkipped),
            ),
            (
                "def test_sum",
                "on_unix = pytest.mark.skipif(WIN)\n\ndef test_sum",
                None,
            ),
            (
                "import pytest\n",
                "import pytest\npytest.skip(allow_module_level=True)\n",
                Some(TestsSkipped),
            ),
            (
                "    assert total()",
                "    if WIN:\n        pytest.skip()\n    assert total()",
                Some(TestsSkipped),
            ),
            (
                "class TestRows",
                "@pytest.mark.skipif(WIN, reason='x')\ndef test_new():\n    assert new()\n\nclass TestRows",
                None,
            ),
            (
                "class TestRows",
                "@pytest.mark.skip\ndef test_new():\n    assert new()\n\nclass TestRows",
                Some(TestsSkipped),
            ),
            (
                "    assert total() == 2, 'two'\n",
                "",
                Some(AssertionsWeakened),
            ),
            (
                "    assert total() == 2, 'two'\n",
                "\ndef test_total():\n    assert total() == 2, 'two'\n",
                None,
            ),
            (
                "assert total() == 2, 'two'",
                "assert True",
                Some(AssertionsWeakened),
            ),
            (
                "total() == 2, 'two'",
                "total() == 2 or True, 'two'",
                Some(AssertionsWeakened),
            ),
            (
                "self.assertEqual(rows(), 2)",
                "self.assertEqual(2, 2)",
                Some(AssertionsWeakened),
            ),
            (
                "    assert total() == 2, 'two'\n",
                "    try:\n        assert total() == 2, 'two'\n    except AssertionError:\n        pass\n",
                Some(AssertionsWeakened),
            ),
            (
                "    assert total() == 2, 'two'\n",
                "    try:\n        total()\n    except OSError:\n        pass\n    assert total() == 2, 'two'\n",
                None,
            ),
            (
                "import pytest\n",
                "import pytest  # noqa\n",
                Some(LintSilenced),
            ),
            (
                "import pytest\n",
                "import os, pytest\nos._exit(0)\n",
                Some(TestsSkipped),
            ),
            (
                "import pytest\n",
                "import sys, pytest\nsys.exit(0)\n",
                Some(TestsSkipped),
            ),
        ],
    );
}

#[test]
fn scripts() {
    let text = "\
function checkRow(row) {
  assert.ok(row.id);
}
describe('csv', () => {
  it('quotes', () => {
    expect(quote('a')).toBe('b');
  });
  test('rows', async () => {
    checkRow(await row());
    request(app).test.expect(200);
  });
});
";
    check(
        "src/csv.test.ts",
        text,
        &[
            ("  it('quotes'", "  // it('quotes'", Some(TestsRemoved)),
            ("it('quotes'", "it('quotes well'", Some(TestsRenamed)),
            ("it('quotes'", "it.only('quotes'", Some(TestsSkipped)),
            ("it('quotes'", "xit('quotes'", Some(TestsSkipped)),
            ("describe('csv'", "fdescribe('csv'", Some(TestsSkipped)),
            ("describe('csv'", "describe('csv ' + 1", None),
            ("toBe('b')", "toBe('c')", None),
            (
                "expect(quote('a')).toBe('b')",
                "expect(true).toBe(true)",
                Some(AssertionsWeakened),
            ),
            (
                "    expect(quote('a')).toBe('b');\n",
                "",
                Some(AssertionsWeakened),
            ),
            ("    checkRow(await row());\n", "", Some(AssertionsWeakened)),
            ("  assert.ok(row.id);\n", "", Some(AssertionsWeakened)),
            ("test.expect(200)", "test.expect(415)", None),
            (
                "    expect(quote('a')).toBe('b');",
                "    try { expect(quote('a')).toBe('b'); } catch {}",
                Some(AssertionsWeakened),
            ),
            (
                "    expect(quote('a')).toBe('b');",
                "    try { expect(quote('a')).toBe('b'); } catch (e) { throw e; }",
                None,
            ),
            (
                "function checkRow",
                "process.exit(0);\nfunction checkRow",
                Some(TestsSkipped),
            ),
            (
                "function checkRow",
                "// @ts-ignore\nfunction checkRow",
                Some(LintSilenced),
            ),
        ],
    );
}

#[test]
fn go() {
    let text = "\
package csv

func TestQuotes(t *testing.T) {
\tif quote() != 1 {
\t\tt.Errorf(\"no\")
\t}
\tsame(1, rows(), t)
}

func same(a, b int, t *testing.T) {
\tif a != b {
\t\tt.Fatal(a)
\t}
}
";
    check(
        "csv_test.go",
        text,
        &[
            ("func TestQuotes", "func testQuotes", Some(TestsRemoved)),
            ("func TestQuotes", "func TestQuoting", Some(TestsRenamed)),
            ("\tif quote", "\tt.Skip()\n\tif quote", Some(TestsSkipped)),
            ("\t\tt.Errorf(\"no\")\n", "", Some(AssertionsWeakened)),
            ("\"no\"", "\"not so\"", None),
            ("\tsame(1, rows(), t)\n", "", Some(AssertionsWeakened)),
            ("\t\tt.Fatal(a)\n", "", Some(AssertionsWeakened)),
            ("\tif quote", "\tos.Exit(0)\n\tif quote", Some(TestsSkipped)),
            ("package csv", "package csv //nolint", Some(LintSilenced)),
            (
                "func same",
                "func TestNew(t *testing.T) {\n\tif short() {\n\t\tt.Skip()\n\t}\n\tt.Fatal(1)\n}\n\nfunc same",
                None,
            ),
        ],
    );
}

#[test]
fn java() {
    let text = "\
class CsvTest {
  @Test
  public void quotes() {
    assertEquals(\"b\", quote(\"a\"));
    assertThat(rows()).isEqualTo(2);
  }

  @Test(expected = IOException.class)
  public void fails() throws Exception {
    new Reader() {
      @Override public int read() { return 1; }
    }.fail();
  }

  public void testOld() {
    assertTrue(old());
  }
}
";
    check(
        "src/test/java/CsvTest.java",
        text,
        &[
            ("  @Test\n", "", Some(TestsRemoved)),
            ("void quotes", "void quoting", Some(TestsRenamed)),
            ("void testOld", "void oldTest", Some(TestsRemoved)),
            ("  @Test\n", "  @Disabled\n  @Test\n", Some(TestsSkipped)),
            (
                "  @Test\n",
                "  @Ignore(\"later\")\n  @Test\n",
                Some(TestsSkipped),
            ),
            (
                "  @Test\n",
                "  @Test(enabled = false)\n",
                Some(TestsSkipped),
            ),
            ("  @Test\n", "  @Test(timeout = 5)\n", None),
            (
                "    assertEquals",
                "    assumeTrue(unix());\n    assertEquals",
                Some(TestsSkipped),
            ),
            (
                "    assertEquals(\"b\", quote(\"a\"));\n",
                "",
                Some(AssertionsWeakened),
            ),
            ("\"b\", quote(\"a\")", "\"c\", quote(\"a\")", None),
            (
                "\"b\", quote(\"a\")",
                "\"b\", \"b\"",
                Some(AssertionsWeakened),
            ),
            (
                "assertThat(rows()).isEqualTo(2)",
                "assertThat(true).isTrue()",
                Some(AssertionsWeakened),
            ),
            (
                "assertThat(rows()).isEqualTo(2)",
                "assertThat(rows())",
                Some(AssertionsWeakened),
            ),
            (
                "assertTrue(old())",
                "assertTrue(old() || true)",
                Some(AssertionsWeakened),
            ),
            (
                "(expected = IOException.class)",
                "",
                Some(AssertionsWeakened),
            ),
            (
                "    assertTrue(old());",
                "    try { assertTrue(old()); } catch (Throwable e) { }",
                Some(AssertionsWeakened),
            ),
            (
                "    assertTrue(old());",
                "    assertTrue(old());\n    try { close(); } catch (IOException expected) { }",
                None,
            ),
            (
                "    assertTrue",
                "    System.exit(0);\n    assertTrue",
                Some(TestsSkipped),
            ),
            (
                "  public void testOld",
                "  @SuppressWarnings(\"all\")\n  public void testOld",
                Some(LintSilenced),
            ),
        ],
    );
}

#[test]
fn shell() {
    let text = "@test \"quotes\" {\n  run quote a\n  [ \"$output\" = b ]\n}\n";
    check(
        "test/a.bats",
        text,
        &[
            ("@test \"quotes\"", "# @test \"quotes\"", Some(TestsRemoved)),
            ("  run quote", "  skip\n  run quote", Some(TestsSkipped)),
            ("  [ \"$output\" = b ]\n", "", Some(AssertionsWeakened)),
            (
                "  [ \"$output\" = b ]",
                "  [ \"$output\" = b ] || true",
                Some(AssertionsWeakened),
            ),
            ("= b ]", "= c ]", None),
            ("  run quote a", "  # || true\n  run quote a", None),
        ],
    );
}

#[test]
fn thresholds() {
    for (path, text, planted) in [
        (
            "pyproject.toml",
            "[tool.coverage.report]\nfail_under = 90\nprecision = 2\n",
            &[
                ("90", "80", Some(ThresholdLowered)),
                ("90", "95", None),
                ("fail_under = 90\n", "", Some(ThresholdLowered)),
                ("fail_under", "# fail_under", Some(ThresholdLowered)),
                ("precision = 2", "precision = 1", None),
            ] as &[Planted],
        ),
        (
            "ci/run.sh",
            "pytest --cov-fail-under=85\neslint --max-warnings 0 .\n",
            &[
                ("=85", "=20", Some(ThresholdLowered)),
                ("warnings 0", "warnings 100", Some(ThresholdLowered)),
                ("eslint", "npx eslint", None),
            ],
        ),
        (
            "jest.config.json",
            "{ \"coverageThreshold\": { \"global\": {\n  \"branches\": 80,\n  \"lines\": 90\n} } }\n",
            &[("80", "10", Some(ThresholdLowered)), ("90", "91.5", None)],
        ),
        (
            "gates.toml",
            "min_tests = 12\nlines = 90\n",
            &[
                ("12", "1", Some(ThresholdLowered)),
                ("lines = 90", "lines = 10", None),
            ],
        ),
        ("README.md", "fail_under = 90\n", &[("90", "1", None)]),
    ] {
        check(path, text, planted);
    }
}

#[test]
fn snapshots_and_fixtures() {
    for path in [
        "src/__snapshots__/a.test.js.snap",
        "src/snapshots/a.snap",
        "pkg/testdata/in.txt",
        "tests/fixtures/a.json",
        "tests/golden/out.txt",
        "tests/expected.txt",
    ] {
        assert_eq!(kinds(path, "a\n", Some("b\n")), [SnapshotChanged], "{path}");
        assert_eq!(kinds(path, "a\n", None), [SnapshotChanged], "{path}");
        let new = FileChange {
            path: RepoPath::parse(path).unwrap(),
            old: None,
            new: Some("a\n"),
        };
        assert_eq!(inspect(&[new]), [], "{path}");
    }
    for path in ["src/data.txt", "docs/fixtures.md", "src/golden.rs"] {
        assert_eq!(kinds(path, "a\n", Some("b\n")), [], "{path}");
    }
}

#[test]
fn an_id_is_of_exactly_one_hunk() {
    let text = "def test_a():\n    assert a()\n    assert b()\n";
    let found = |old: &str, new: &str| {
        let change = FileChange {
            path: RepoPath::parse("tests/test_a.py").unwrap(),
            old: Some(old),
            new: Some(new),
        };
        inspect(&[change]).remove(0)
    };
    let weak = text.replace("    assert b()\n", "");
    let finding = found(text, &weak);
    assert_eq!(finding.line, Some(3));
    assert_eq!(
        finding.hunk,
        "@@ -1,3 +1,2 @@\n def test_a():\n     assert a()\n-    assert b()\n"
    );
    // Lines that move it do not matter, a line in it does.
    let above = "import os\nimport re\n\n\n\n\n\n";
    let moved = found(&format!("{above}{text}"), &format!("{above}{weak}"));
    assert_eq!(
        (moved.id.clone(), moved.line),
        (finding.id.clone(), Some(10))
    );
    let other = found(text, &text.replace("    assert b()\n", "    b()\n"));
    assert_ne!(other.id, finding.id);
    assert_eq!(other.message, finding.message);
}
