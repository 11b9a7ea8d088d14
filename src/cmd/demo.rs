//! `harness demo`: the real engine at work on a small project, with a recorded model.

use std::path::Path;

use harness_core::{DirtyMode, Goal, Money, RunState, Usage};
use harness_engine::Engine;
use harness_report::{JsonLine, clean};
use harness_runner::{Face, Launch, Pace};

use super::land;
use crate::{
    cli::{Common, Demo, Land, RunOptions},
    compose::Site,
    faces::{JsonFace, LineFace},
    failure::{Failure, chain},
    output::{self, say},
    session,
    trust::{self, Subject},
};

/// The project, as it is committed first.
const PROJECT: [(&str, &str); 9] = [
    ("AGENTS.md", include_str!("../../fixtures/demo/AGENTS.md")),
    (
        "docs/receipt.md",
        include_str!("../../fixtures/demo/docs/receipt.md"),
    ),
    (
        "feature_list.json",
        include_str!("../../fixtures/demo/feature_list.json"),
    ),
    (
        "harness.toml",
        include_str!("../../fixtures/demo/harness.toml"),
    ),
    (
        "src/till.sh",
        include_str!("../../fixtures/demo/src/till.sh"),
    ),
    (
        "tests/lint.sh",
        include_str!("../../fixtures/demo/tests/lint.sh"),
    ),
    (
        "tests/list_test.sh",
        include_str!("../../fixtures/demo/tests/list_test.sh"),
    ),
    (
        "tests/order.txt",
        include_str!("../../fixtures/demo/tests/order.txt"),
    ),
    (
        "tests/run.sh",
        include_str!("../../fixtures/demo/tests/run.sh"),
    ),
];
const SCRIPT: &str = include_str!("../../fixtures/demo-script.toml");

pub(super) fn run(common: &Common, flags: &Demo) -> Result<u8, Failure> {
    let folder = tempfile::Builder::new().prefix("harness-demo-").tempdir();
    let folder = folder
        .map_err(|error| Failure::failed(format!("cannot make a temporary folder: {error}")))?
        .keep();
    let root = folder.join("till");
    unpack(&root)?;
    let json = common.json.then(JsonFace::default);
    let face = announce(&root, json.as_ref());
    let pace = if flags.fast {
        Pace::Fast
    } else {
        Pace::Natural
    };
    let site = Site::open_at(&root)?;
    let code = play(&site, common, pace, face)?;
    if code != 0 {
        say(&format!("hint: the repository is at {}", root.display()));
        return Ok(code);
    }
    let flags = Land {
        run: None,
        squash: false,
    };
    let (text, line) = land::bring(&Site::open_at(&root)?, &flags)?;
    match json {
        Some(face) => {
            face.put(&line);
        }
        None => {
            output::write(&format!("{}\n", clean(&text)))?;
            say_what_next(&root)?;
        }
    }
    Ok(0)
}

fn unpack(root: &Path) -> Result<(), Failure> {
    for (path, text) in PROJECT {
        let file = root.join(path);
        let folder = file.parent().unwrap_or(root);
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, text));
        written.map_err(|error| {
            Failure::failed(format!("cannot write `{}`: {error}", file.display()))
        })?;
    }
    harness_git::create(
        root,
        "A till for a market stall",
        harness_host::clock::now(),
    )
    .map_err(|error| Failure::failed(chain(&error)))
}

fn announce(root: &Path, json: Option<&JsonFace>) -> Box<dyn Face> {
    if let Some(face) = json {
        face.put(&JsonLine::DemoStarted {
            repository: root.display().to_string(),
        });
        return Box::new(face.clone());
    }
    say(
        "A recorded model works on a small project. Everything else is real: map, guard, gates, commits.",
    );
    Box::new(LineFace::default())
}

/// Runs all features of the project. The program trusts what it has just unpacked itself.
fn play(site: &Site, common: &Common, pace: Pace, face: Box<dyn Face>) -> Result<u8, Failure> {
    let resolved = site.resolve(&RunOptions::default())?;
    let features = site.features(&resolved.policy.feature_file)?;
    trust::accept(site, &Subject::of(site, &resolved, &features)?)?;
    let store = site.store()?;
    let _lock = session::lock(site, &store)?;
    let model = session::scripted(SCRIPT, pace)?;
    let head = site.head()?;
    let run = store
        .new_run()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let workplace = site.workplace(&resolved, store)?;
    let now = harness_host::clock::now();
    let state = RunState {
        run,
        started_at: now,
        goal: Goal::All,
        policy: resolved.policy,
        features,
        model: model.profile,
        attended: false,
        steered: false,
        dirty: DirtyMode::Refuse,
        base: head.commit.clone(),
        tip: head.commit,
        work_start: None,
        given_up: Vec::new(),
        attempts: 0,
        usage: Usage::default(),
        spent: Money(0),
    };
    let launch = Launch {
        engine: Engine::new(state, now),
        resumed: None,
        model: model.client,
    };
    session::drive(workplace, launch, vec![face], common).map(|(code, _)| code)
}

fn say_what_next(root: &Path) -> Result<(), Failure> {
    let commands = [
        "harness status",
        "harness feature list",
        "harness verify",
        "harness log show",
        "harness log verify",
        "harness checkpoint list",
        "harness scope explain src/till.sh docs/receipt.md",
        "harness gate run",
        "git log --format=full",
    ];
    output::write(&format!(
        "\nThe repository is at {}\nTry there:\n",
        root.display()
    ))?;
    for command in commands {
        output::write(&format!("  {command}\n"))?;
    }
    Ok(())
}
