//! Measures what a cage costs per command: `cargo bench -p harness-host --bench cage`.
//!
//! Prints figures and asserts nothing: machines differ. Rounds of all ways to start the same
//! short program are interleaved, so that the ratios of one run can be compared.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "printing figures is what it is for, and there is nothing to go on with"
)]

use std::{
    ffi::OsString,
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use harness_core::{Gate, Level, Limits};
use harness_guard::{CagePlan, network::Hosts};
use harness_host::{
    Cancelled,
    machine::{Place, Role, machine},
    process::{Builder, Cage, NetworkReport, RunLimits, is_enforced, run, set_cage_program},
};
use tokio::runtime;

const ROUNDS: usize = 200;

fn main() {
    set_cage_program(env!("CARGO_BIN_EXE_harness-cage").into());
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repository");
    fs::create_dir_all(repository.join(".git")).unwrap();
    fs::create_dir_all(repository.join("src")).unwrap();
    let plan = |level| {
        let machine = machine(&Place {
            root: &repository,
            git_dir: &repository.join(".git"),
            level,
            cache: &folder.path().join("cache"),
            role: Role::Agent,
            environment: &[],
        });
        CagePlan::for_gate(
            &gate(),
            &Limits::default(),
            &Hosts::default(),
            &machine.unwrap(),
            &repository,
        )
    };
    let levels: Vec<Level> = [Level::None, Level::Landlock, Level::Namespaces]
        .into_iter()
        .filter(|level| *level == Level::None || is_enforced(*level))
        .collect();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut open = Vec::new();
        for level in &levels {
            let plan = plan(*level);
            let cage = Cage::open(&plan, NetworkReport::to_nobody()).await;
            open.push((plan, cage.unwrap()));
        }
        let mut plain = Vec::new();
        let mut times = vec![Vec::new(); open.len()];
        let mut alone = Vec::new();
        let mut by_bwrap = Vec::new();
        let plan = plan(Level::Namespaces);
        let cage = Cage::open_by(Builder::Bwrap, &plan, NetworkReport::to_nobody()).await;
        let bwrap = cage.ok().map(|cage| (plan, cage));
        for _ in 0..ROUNDS {
            plain.push(time_plain());
            for ((plan, cage), times) in open.iter().zip(&mut times) {
                let begun = Instant::now();
                let ended = cage
                    .run(plan, &argv(), &bounds(), |_| {}, Cancelled::never())
                    .await;
                times.push(begun.elapsed());
                ended.unwrap();
            }
            if let Some((plan, _)) = open
                .iter()
                .find(|(plan, _)| plan.level() == Level::Namespaces)
            {
                let begun = Instant::now();
                let ended = run(plan, &argv(), &bounds(), |_| {}, Cancelled::never()).await;
                alone.push(begun.elapsed());
                ended.unwrap();
            }
            if let Some((plan, cage)) = &bwrap {
                let begun = Instant::now();
                let ended = cage
                    .run(plan, &argv(), &bounds(), |_| {}, Cancelled::never())
                    .await;
                by_bwrap.push(begun.elapsed());
                ended.unwrap();
            }
        }
        let base = median(&mut plain);
        tell("plain", base, base);
        for ((plan, _), times) in open.iter().zip(&mut times) {
            tell(plan.level().as_str(), median(times), base);
        }
        if !alone.is_empty() {
            tell("namespaces, opened anew", median(&mut alone), base);
        }
        if by_bwrap.is_empty() {
            println!("namespaces by bubblewrap: not on this machine");
        } else {
            tell("namespaces by bubblewrap", median(&mut by_bwrap), base);
        }
        work_on_files(&open).await;
    });
}

/// Times work that is nothing but files: made, read, renamed and removed.
async fn work_on_files(open: &[(CagePlan, Cage)]) {
    let argv: Vec<OsString> = ["perl", "-e", FILES].map(OsString::from).into();
    let mut times = vec![Vec::new(); open.len()];
    for _ in 0..ROUNDS_OF_FILES {
        for ((plan, cage), times) in open.iter().zip(&mut times) {
            let begun = Instant::now();
            let ended = cage
                .run(plan, &argv, &bounds(), |_| {}, Cancelled::never())
                .await;
            times.push(begun.elapsed());
            assert_eq!(ended.unwrap().output.to_text(), "4000\n");
        }
    }
    let mut medians = times.iter_mut().map(|times| median(times));
    let base = medians.next().unwrap();
    println!(
        "4,000 files, none: median {:.1} ms",
        base.as_secs_f64() * 1e3
    );
    for ((plan, _), median) in open.iter().skip(1).zip(medians) {
        println!(
            "4,000 files, {}: median {:.1} ms, {:.2} x none",
            plan.level(),
            median.as_secs_f64() * 1e3,
            median.as_secs_f64() / base.as_secs_f64()
        );
    }
}

const ROUNDS_OF_FILES: usize = 15;

const FILES: &str = r#"
my $n = 0;
for my $i (1..4000) {
    open(my $f, ">", "src/f$i") or die; print $f "text\n" x 20; close $f;
    open($f, "<", "src/f$i") or die; my @lines = <$f>; close $f;
    rename("src/f$i", "src/g$i") or die; unlink("src/g$i") or die; $n++;
}
print "$n\n";
"#;

fn argv() -> Vec<OsString> {
    vec!["/bin/true".into()]
}

fn bounds() -> RunLimits {
    RunLimits::of(&Limits::default())
}

fn time_plain() -> Duration {
    let begun = Instant::now();
    let mut child = Command::new("/bin/true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.wait().unwrap();
    begun.elapsed()
}

fn tell(name: &str, median: Duration, base: Duration) {
    let ms = median.as_secs_f64() * 1e3;
    let base = base.as_secs_f64() * 1e3;
    println!(
        "{name}: median {ms:.2} ms, {:+.2} ms, {:.1} x plain",
        ms - base,
        ms / base
    );
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn gate() -> Gate {
    Gate {
        timeout: Duration::from_secs(60),
        ..Gate::named("bench", Vec::new())
    }
}
