//! The lines of `go test -v`, where a package is named only by the line that ends it.

use super::{End, Package, ReportError, Whole, inconsistent};

/// Reads a whole output into its packages.
pub(super) fn read(output: &str, whole: &mut Whole) -> Result<(), ReportError> {
    let mut package = Package::default();
    // The test that lines belong to which say nothing else.
    let mut current = String::new();
    for line in output.lines() {
        if let Some((end, name)) = package_end(line) {
            finish(std::mem::take(&mut package), name, end, whole)?;
            current.clear();
        } else if let Some(name) = line.strip_prefix("=== RUN   ") {
            name.clone_into(&mut current);
            package.run(name)?;
        } else if let Some(name) = line
            .strip_prefix("=== CONT  ")
            .or_else(|| line.strip_prefix("=== NAME  "))
        {
            name.clone_into(&mut current);
        } else if let Some((end, name)) = test_end(line) {
            package.output(name, &format!("{line}\n"));
            package.finish_test(name, end)?;
        } else if package.tests.is_empty() {
            // Before the first test only the compiler speaks, or the package itself.
            whole.compiler(&format!("{line}\n"));
            package.output("", &format!("{line}\n"));
        } else {
            package.output(&current, &format!("{line}\n"));
        }
    }
    match package.tests.is_empty() {
        true => Ok(()),
        false => Err(inconsistent("tests ran and their package has no end")),
    }
}

fn finish(
    mut package: Package,
    name: &str,
    end: End,
    whole: &mut Whole,
) -> Result<(), ReportError> {
    name.clone_into(&mut package.name);
    if whole.by_name.contains_key(name) {
        return Err(package.contradiction("ends twice"));
    }
    package.finish(end)?;
    whole.by_name.insert(name.to_owned(), whole.packages.len());
    whole.packages.push(package);
    Ok(())
}

/// Reads `FAIL demo/broken [build failed]`.
pub(super) fn not_built(line: &str) -> Option<&str> {
    let (name, problem) = line.strip_prefix("FAIL\t")?.split_once(" [")?;
    matches!(problem, "build failed]" | "setup failed]").then_some(name)
}

/// Reads the line that ends a package: `ok  \tdemo\t0.01s`, `FAIL\tdemo\t0.01s`, `?   \tdemo\t[no test files]`.
fn package_end(line: &str) -> Option<(End, &str)> {
    if let Some(name) = not_built(line) {
        return Some((End::Fail, name));
    }
    let (word, rest) = line.split_once('\t')?;
    let (name, rest) = rest.split_once('\t')?;
    let end = match word {
        "ok  " => End::Pass,
        "FAIL" => End::Fail,
        "?   " if rest == "[no test files]" => End::Skip,
        _ => return None,
    };
    (!name.is_empty() && !name.contains(' ')).then_some((end, name))
}

/// Reads `    --- PASS: TestA/b (0.00s)`.
fn test_end(line: &str) -> Option<(End, &str)> {
    let (word, rest) = line.trim_start().strip_prefix("--- ")?.split_once(": ")?;
    let (name, time) = rest.rsplit_once(" (")?;
    time.ends_with("s)").then_some(())?;
    Some((End::parse(word)?, name))
}
