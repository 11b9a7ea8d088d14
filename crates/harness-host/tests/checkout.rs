//! What a gate sees of a checkout, built by each builder: the candidate at the repository's path, git
//! beside it, and nothing of the work tree.

use std::{fs, os::unix::fs::symlink};

use harness_core::{Gate, Level, Limits};
use harness_guard::{CagePlan, network::Hosts};
use harness_host::{
    Cancelled,
    machine::{Place, Role, machine},
    process::{Builder, Cage, NetworkReport, RunLimits},
};

use crate::world::{World, block_on, cages, has, is_success, path, shell_argv};

fn gate() -> Gate {
    Gate {
        timeout: std::time::Duration::from_secs(60),
        ..Gate::named("test", vec!["sh".to_owned()])
    }
}

/// A repository with two checkouts beside it; in all of them stands where one is.
fn world() -> World {
    let world = World::new();
    for (place, text) in [
        ("repo/src/where", "work tree"),
        ("checkouts/candidate/src/where", "candidate"),
        ("checkouts/base/src/where", "base"),
        ("repo/modules/file", "linked"),
    ] {
        let place = world.at(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    let checkout = world.at("checkouts/candidate");
    for folder in [".git", "modules"] {
        fs::create_dir(checkout.join(folder)).unwrap();
    }
    fs::create_dir_all(world.at("repo/.git/harness")).unwrap();
    fs::write(world.at("repo/.git/harness/log"), "canary\n").unwrap();
    fs::write(world.at("repo/.git/HEAD"), "ref: refs/heads/main\n").unwrap();
    symlink(world.at("repo"), checkout.join("out")).unwrap();
    symlink("../base", checkout.join("beside")).unwrap();
    world
}

fn plan(world: &World) -> CagePlan {
    let (root, git_dir) = (world.root(), world.at("repo/.git"));
    let machine = machine(&Place {
        root: &root,
        git_dir: &git_dir,
        level: Level::Namespaces,
        cache: &world.at("cache"),
        role: Role::Gate,
        environment: &[],
    });
    let checkout = world.at("checkouts/candidate");
    let (limits, none) = (Limits::default(), Hosts::default());
    let plan = CagePlan::for_gate(&gate(), &limits, &none, &machine.unwrap(), &checkout);
    plan.with_linked(&[path("modules")], &root)
}

#[test]
fn each_builder_shows_the_candidate_at_the_repositorys_path_with_git_and_nothing_else() {
    if !cages().contains(&Level::Namespaces) {
        return;
    }
    for builder in [Builder::Own, Builder::Bwrap] {
        if builder == Builder::Bwrap && !has("bwrap") {
            continue;
        }
        let world = world();
        let plan = plan(&world);
        let report = NetworkReport::to_nobody();
        let cage = block_on(Cage::open_by(builder, &plan, report)).unwrap();
        let run = |command: &str| {
            let command = command
                .replace("ROOT", &world.root().display().to_string())
                .replace("BASE", &world.at("checkouts/base").display().to_string());
            let limits = RunLimits::of(plan.limits());
            let argv = shell_argv(&command);
            block_on(cage.run(&plan, &argv, &limits, |_| {}, Cancelled::never())).unwrap()
        };
        for work in [
            "[ \"$(pwd)\" = ROOT ]",
            "[ \"$(cat ROOT/src/where)\" = candidate ]",
            "[ \"$(cat out/src/where)\" = candidate ]",
            "grep -q refs/heads/main ROOT/.git/HEAD",
            "[ \"$(cat modules/file)\" = linked ]",
            "echo x > src/new && mkdir build && echo x > build/out",
        ] {
            let exited = run(work);
            assert!(
                is_success(&exited),
                "{builder:?} {work}: {}",
                exited.output.to_text()
            );
        }
        for attack in [
            "cat BASE/src/where",
            "cat beside/src/where",
            "echo x > BASE/new",
            "ls .git/harness | grep .",
            "cat .git/harness/log",
            "echo x > .git/HEAD",
            "echo x > .git/new",
            "rm -rf .git/HEAD",
            "mv .git gone",
            "rmdir .git",
            "echo x > modules/file",
            "mv modules gone",
        ] {
            let exited = run(attack);
            assert!(
                !is_success(&exited),
                "{builder:?} {attack}: {}",
                exited.output.to_text()
            );
        }
        assert!(world.at("checkouts/candidate/build/out").exists());
        assert!(!world.at("repo/src/new").exists());
        let head = fs::read_to_string(world.at("repo/.git/HEAD")).unwrap();
        assert_eq!(head, "ref: refs/heads/main\n");
    }
}
