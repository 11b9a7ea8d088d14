//! Measures what isolation costs a gate: `cargo bench --bench isolation`.
//!
//! Prints figures and asserts nothing: machines differ. The project is a cargo workspace that
//! needs no network. A gate runs on a clean checkout and in the work tree, at each level there is
//! here, first from nothing and then with everything built, and once by hand without a cage.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use harness_testkit::{Home, Project};

const CRATES: usize = 6;
const TESTS: usize = 40;
const ROUNDS: usize = 7;
const LEVELS: [&str; 3] = ["none", "landlock", "namespaces"];

const CONFIG: &str = r#"
[scope]
write = ["crates/**"]
build = ["target"]
[[gate]]
name = "test"
run = ["cargo", "test", "--workspace", "--offline"]
timeout = "10m"
report = "cargo"
"#;

fn main() {
    by_hand();
    let open = format!("{CONFIG}[gates]\nisolate = false\n");
    for level in LEVELS {
        let [isolated, in_place] = [CONFIG, &open].map(|config| Gate::new(config, level));
        // Taken in turn, so that whatever else the machine does meets both alike.
        let times = [
            ("first", pairs(1, &isolated, &in_place)),
            ("again", pairs(ROUNDS, &isolated, &in_place)),
        ];
        for (what, times) in times {
            let Some([isolated, in_place]) = times else {
                break;
            };
            println!(
                "{level}, {what}: isolated {}, in place {}, ratio {:.2} at best, {:.2} of the medians",
                range(&isolated),
                range(&in_place),
                isolated[0].as_secs_f64() / in_place[0].as_secs_f64(),
                middle(&isolated).as_secs_f64() / middle(&in_place).as_secs_f64(),
            );
        }
    }
}

/// Times two gates in turn, sorted; `None` where one is not green.
fn pairs(rounds: usize, isolated: &Gate, in_place: &Gate) -> Option<[Vec<Duration>; 2]> {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        one.push(isolated.time()?);
        other.push(in_place.time()?);
    }
    one.sort_unstable();
    other.sort_unstable();
    Some([one, other])
}

/// A project with one gate, and the level it is run at.
struct Gate {
    home: Home,
    project: Project,
    level: &'static str,
}

impl Gate {
    fn new(config: &str, level: &'static str) -> Self {
        let (home, project) = desk(config);
        home.run(&project.root(), &["trust", "--yes"]);
        Self {
            home,
            project,
            level,
        }
    }

    /// Times the whole command; says why where it does not come out green.
    fn time(&self) -> Option<Duration> {
        let arguments = ["gate", "run", "--sandbox", self.level];
        let begun = Instant::now();
        let run = self.home.run(&self.project.root(), &arguments);
        let took = begun.elapsed();
        if run.code != 0 {
            println!("{}: {}{}", self.level, run.stdout, run.stderr);
        }
        (run.code == 0).then_some(took)
    }
}

fn by_hand() {
    let (_home, project) = desk(CONFIG);
    let root = project.root();
    let time = |_| {
        let mut command = Command::new("cargo");
        command
            .args(["test", "--workspace", "--offline"])
            .current_dir(&root)
            .env("CARGO_TARGET_DIR", root.join("target"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let begun = Instant::now();
        let status = command.status();
        status
            .is_ok_and(|status| status.success())
            .then(|| begun.elapsed())
    };
    let Some(times) = (0..=ROUNDS).map(time).collect::<Option<Vec<_>>>() else {
        println!("by hand: cargo does not work here");
        return;
    };
    let mut again = times[1..].to_vec();
    again.sort_unstable();
    println!(
        "by hand, no cage: first {:.2?}, again {}",
        times[0],
        range(&again)
    );
}

fn range(times: &[Duration]) -> String {
    format!("{:.1?} (median {:.1?})", times[0], middle(times))
}

fn middle(times: &[Duration]) -> Duration {
    times[times.len() / 2]
}

fn desk(config: &str) -> (Home, Project) {
    let project = Project::new();
    fill(&project.root());
    project.write("harness.toml", config);
    project.write(".gitignore", "/target\n");
    project.commit_all("start");
    (Home::new(env!("CARGO_BIN_EXE_harness")), project)
}

fn fill(root: &Path) {
    let mut members = String::new();
    for number in 0..CRATES {
        let name = format!("part-{number}");
        let _ = write!(members, "\"crates/{name}\", ");
        let folder = root.join("crates").join(&name);
        fs::create_dir_all(folder.join("src")).expect("a folder");
        let mut manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n"
        );
        let mut source = String::new();
        if number > 0 {
            let before = format!("part-{}", number - 1);
            let _ = writeln!(manifest, "{before} = {{ path = \"../{before}\" }}");
            let _ = writeln!(source, "pub use {}::*;", before.replace('-', "_"));
        }
        for test in 0..TESTS {
            let _ = writeln!(
                source,
                "pub fn sum_{number}_{test}(a: u64) -> u64 {{ (0..a).map(|n| n ^ {test}).sum() }}\n\
                 #[test]\nfn sums_{number}_{test}() {{ assert_eq!(sum_{number}_{test}(0), 0); }}"
            );
        }
        fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
        fs::write(folder.join("src/lib.rs"), source).expect("a file");
    }
    let workspace = format!("[workspace]\nresolver = \"2\"\nmembers = [{members}]\n");
    fs::write(root.join("Cargo.toml"), workspace).expect("a file");
    let mut lock = Command::new("cargo");
    lock.args(["generate-lockfile", "--offline"])
        .current_dir(root);
    let _ = lock.stdout(Stdio::null()).stderr(Stdio::null()).status();
}
