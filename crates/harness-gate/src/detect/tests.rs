use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

/// Detects a project of files, each with its text.
fn detected(files: &[(&str, &str)]) -> Detected {
    let paths: Vec<RepoPath> = files
        .iter()
        .map(|(path, _)| RepoPath::parse(path).unwrap())
        .collect();
    detect(&paths, &|path| {
        let file = files.iter().find(|(other, _)| *other == path);
        file.map(|(_, text)| (*text).to_owned())
    })
}

/// Writes what was found, one line each.
fn shown(files: &[(&str, &str)]) -> String {
    let found = detected(files);
    let gates: String = found
        .gates
        .iter()
        .map(|gate| {
            let reader = gate.reader.as_str();
            format!(
                "{}: {} ({reader}, {})\n",
                gate.name,
                gate.run.join(" "),
                gate.min_tests
            )
        })
        .collect();
    format!(
        "languages {}\nwrite {}\nbuild {}\n{gates}",
        found.languages.join(" "),
        found.write.join(" "),
        found.build.join(" ")
    )
}

#[test]
fn a_rust_workspace() {
    let files = [
        ("Cargo.toml", "[workspace]"),
        ("build.rs", ""),
        ("src/main.rs", ""),
        ("tests/run.sh", ""),
        ("crates/a", ""),
        ("tool/Cargo.toml", ""),
        (".cargo/config.toml", ""),
    ];
    assert_snapshot!(shown(&files), @r"
    languages rust shell
    write src/** crates/** tests/** tool/**
    build target
    fmt: cargo fmt --all --check (exit, 0)
    clippy: cargo clippy --all-targets -- -D warnings (exit, 0)
    test: cargo test (cargo, 1)
    ");
}

#[test]
fn a_python_package() {
    let files = [
        ("pyproject.toml", "[tool.ruff]\nline-length = 90"),
        ("shop/__init__.py", ""),
        ("main.py", ""),
        ("setup.py", ""),
        ("tests/test_a.py", ""),
    ];
    assert_snapshot!(shown(&files), @r"
    languages python
    write tests/** shop/** *.py
    build .pytest_cache .ruff_cache
    lint: ruff check . (exit, 0)
    test: python3 -m pytest -v (pytest, 1)
    ");
    assert_eq!(detected(&[("setup.py", ""), ("src/a.py", "")]).gates, []);
}

#[test]
fn a_node_package_by_its_test_script_or_its_files() {
    let gate = |files: &[(&str, &str)]| {
        let shown = shown(files);
        shown.lines().nth(3).unwrap_or_default().to_owned()
    };
    let package = |script: &str| format!(r#"{{"scripts": {{"test": "{script}"}}}}"#);
    let jest = package("jest --ci");
    assert_eq!(
        gate(&[("package.json", &jest)]),
        "test: npx --offline --no-install jest --json --ci (jest, 1)"
    );
    let vitest = package("tsc && vitest run --coverage");
    assert_eq!(
        gate(&[("package.json", &vitest)]),
        "test: npx --offline --no-install vitest run --reporter=json (vitest, 1)"
    );
    let by_dependency = r#"{"devDependencies": {"vitest": "3"}}"#;
    assert_eq!(
        gate(&[("package.json", by_dependency)]),
        "test: npx --offline --no-install vitest run --reporter=json (vitest, 1)"
    );
    let mocha = package("mocha");
    assert_eq!(
        gate(&[("package.json", &mocha)]),
        "test: npm test (exit, 0)"
    );
    let plain = package("node --test");
    let tap = "test: node --test --test-reporter=tap (node, 1)";
    assert_eq!(gate(&[("package.json", &plain)]), tap);
    let with_folder = package("node --test tests/");
    assert_eq!(
        gate(&[("package.json", &with_folder)]),
        "test: node --test --test-reporter=tap tests/ (node, 1)"
    );
    let with_shell = package("node --test tests/*.js");
    assert_eq!(
        gate(&[("package.json", &with_shell)]),
        "test: npm test (exit, 0)"
    );
    let typed = r#"{"devDependencies": {"vitest": "3", "eslint": "9", "typescript": "5"}}"#;
    let files = [
        ("package.json", typed),
        ("tsconfig.json", ""),
        ("eslint.config.js", ""),
    ];
    let names: Vec<String> = detected(&files)
        .gates
        .into_iter()
        .map(|gate| gate.name)
        .collect();
    assert_eq!(names, ["lint", "types", "test"]);
    let unset = package("echo \\\"Error: no test specified\\\" && exit 1");
    assert_eq!(gate(&[("package.json", &unset)]), "");
    assert_eq!(
        gate(&[("package.json", &unset), ("src/a.test.js", "")]),
        tap
    );
    assert_eq!(gate(&[("package.json", "{"), ("test/a.mjs", "")]), tap);
    let found = detected(&[
        ("package.json", &jest),
        ("index.js", ""),
        ("eslint.config.js", ""),
    ]);
    assert_eq!(found.build, ["node_modules", "dist"]);
    assert_eq!(found.write, ["*.js"]);
}

#[test]
fn a_test_script_that_calls_others_is_a_gate_for_each() {
    let package = |scripts: &str| {
        format!(r#"{{"scripts": {{{scripts}}}, "devDependencies": {{"c8": "10"}}}}"#)
    };
    let gates = |scripts: &str| {
        let shown = shown(&[("package.json", &package(scripts))]);
        shown.lines().skip(3).collect::<Vec<_>>().join("\n")
    };
    let parts = r#""test": "npm run test:unit && npm run test:jest && npm run test:types",
        "test:unit": "c8 --100 node --test", "test:jest": "jest a.test.js", "test:types": "tsd""#;
    assert_snapshot!(gates(parts), @r"
    test: node --test --test-reporter=tap (node, 1)
    test-jest: npx --offline --no-install jest --json a.test.js (jest, 1)
    test-types: npm run test:types (exit, 0)
    ");
    let notes = detected(&[("package.json", &package(parts))])
        .notes
        .join("\n");
    assert!(notes.contains("without `c8`"), "{notes}");
    assert!(
        notes.contains(r#"run = ["npm", "install", "--no-package-lock"]"#),
        "{notes}"
    );
    let whole = "test: npm test (exit, 0)";
    for scripts in [
        r#""test": "npm run unit && npm run types", "unit": "tape a.js", "types": "tsd""#,
        r#""test": "npm run unit", "unit": "npm run test""#,
        r#""test": "npm run absent && node --test""#,
        r#""test": "npm run unit | cat", "unit": "node --test""#,
        r#""test": "c8 --reporter lcov node --test""#,
    ] {
        assert_eq!(gates(scripts), whole, "{scripts}");
    }
    let many = format!(
        r#""test": "npm run a", "a": "{} npm run b", "b": "node --test""#,
        "npm run b &&".repeat(20)
    );
    assert_eq!(gates(&many), whole);
}

#[test]
fn tests_of_a_package_below_src_find_it() {
    let gate = |files: &[(&str, &str)]| shown(files).lines().nth(3).unwrap_or_default().to_owned();
    let files = [("setup.cfg", "[tool:pytest]\n"), ("src/shop", "")];
    assert_eq!(
        gate(&files),
        "test: python3 -m pytest -v -o pythonpath=src (pytest, 1)"
    );
    let told = [
        ("setup.cfg", "[tool:pytest]\npythonpath = src tests\n"),
        ("src/shop", ""),
    ];
    assert_eq!(gate(&told), "test: python3 -m pytest -v (pytest, 1)");
}

#[test]
fn a_go_module_and_java_by_its_build_tool() {
    assert_snapshot!(shown(&[("go.mod", ""), ("main.go", ""), ("go.sum", "")]), @r"
    languages go
    write *.go
    build 
    vet: go vet ./... (exit, 0)
    test: go test -json ./... (go, 1)
    ");
    let java = |files: &[(&str, &str)]| {
        let gate = detected(files).gates.remove(0);
        format!("{} -> {}", gate.run.join(" "), gate.report_file.unwrap())
    };
    for (files, expected) in [
        (
            &[("pom.xml", "<project/>")][..],
            "mvn -B -o test -> target/surefire-reports/*.xml",
        ),
        (
            &[
                ("pom.xml", "<modules><module>a</module></modules>"),
                ("mvnw", ""),
            ],
            "./mvnw -B -o test -> **/target/surefire-reports/*.xml",
        ),
        (
            &[("build.gradle.kts", ""), ("gradlew", "")],
            "./gradlew --offline test -> build/test-results/test/*.xml",
        ),
        (
            &[("settings.gradle", "include 'a'"), ("build.gradle", "")],
            "gradle --offline test -> **/build/test-results/test/*.xml",
        ),
    ] {
        assert_eq!(java(files), expected);
    }
}

#[test]
fn what_a_person_should_know_is_said() {
    let notes = |files: &[(&str, &str)]| detected(files).notes.join("\n");
    assert!(notes(&[("lib/a.sh", ""), ("run.sh", "")]).contains("`tests/run.sh` that prints TAP"));
    assert!(notes(&[("README.md", "")]).contains("nothing can become passing"));
    let locked = [
        ("package.json", r#"{"scripts": {"test": "jest"}}"#),
        ("package-lock.json", "{}"),
    ];
    assert!(notes(&locked).contains(r#"run = ["npm", "ci"]"#));
    assert!(notes(&[("pom.xml", "")]).contains("dependency:go-offline"));
    assert!(notes(&[("go.mod", ""), ("go.sum", "")]).contains(r#"network = ["go"]"#));
    assert_eq!(notes(&[("Cargo.toml", "")]), "");
    let rust = [
        ("Cargo.toml", "[workspace.package]\nedition = \"2024\"\n"),
        ("rustfmt.toml", ""),
    ];
    assert!(notes(&rust).contains(r#"run = ["rustfmt", "--edition", "2024"]"#));
    let python = [("pyproject.toml", "[tool.ruff.lint]\n")];
    assert!(notes(&python).contains(r#"run = ["ruff", "format"]"#));
}

#[test]
fn scripts_and_make_targets_where_nothing_else_tests() {
    let files = [
        ("lib/a.sh", ""),
        ("tests/run.sh", "#!/usr/bin/env bash\necho 1..3"),
        ("tests/other.sh", ""),
        ("Makefile", "test:\n"),
    ];
    assert_snapshot!(shown(&files), @r"
    languages shell make
    write lib/** tests/**
    build 
    test: bash tests/run.sh (tap, 1)
    ");
    let files = [
        ("tests/b.sh", "exit 0"),
        ("tests/a.sh", "echo \"1..$n\""),
        ("run.sh", ""),
    ];
    assert_snapshot!(shown(&files), @r"
    languages shell
    write tests/** *.sh
    build 
    test-a: sh tests/a.sh (tap, 1)
    test-b: sh tests/b.sh (exit, 0)
    ");
    let make = |text| detected(&[("Makefile", text)]).gates.len();
    assert_eq!(make("all test: a\n\t./a"), 1);
    assert_eq!(make("tests: a\ntest := 1\n\ttest: x\n# test: y"), 0);
}

#[test]
fn names_of_gates_are_unique() {
    let files = [
        ("Cargo.toml", ""),
        ("test_a.py", ""),
        ("package.json", r#"{"scripts": {"test": "jest"}}"#),
    ];
    let names: Vec<String> = detected(&files)
        .gates
        .into_iter()
        .map(|gate| gate.name)
        .collect();
    assert_eq!(names, ["fmt", "clippy", "test", "python-test", "node-test"]);
}

#[test]
fn an_empty_repository_gets_the_usual_folders_and_no_gate() {
    let found = detected(&[("README.md", "")]);
    assert_eq!(found.write, ["src/**", "tests/**"]);
    assert_eq!((found.languages.len(), found.gates.len()), (0, 0));
}

proptest! {
    #[test]
    fn garbage_never_panics(text in "\\PC{0,80}", names in proptest::collection::vec("[a-z./é]{1,12}", 0..6)) {
        let fixed = ["package.json", "Makefile", "pyproject.toml", "tests/run.sh", "Cargo.toml"];
        let paths: Vec<RepoPath> = names
            .iter()
            .map(String::as_str)
            .chain(fixed)
            .filter_map(|path| RepoPath::parse(path).ok())
            .collect();
        detect(&paths, &|_| Some(text.clone()));
    }
}
