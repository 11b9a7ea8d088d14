//! `harness demo`: the real engine at work on a small project, with a recorded model.

use std::path::{Path, PathBuf};

use harness_core::{Goal, RunState};
use harness_engine::Engine;
use harness_report::JsonLine;
use harness_runner::{Launch, Models, Pace};
use harness_store::SpendLog;

use super::land;
use crate::{
    cli::{Common, Demo, Land, RunOptions},
    compose::Site,
    faces::JsonFace,
    failure::{Failure, chain},
    job::{Done, Job},
    output,
    rules::RuleFile,
    screen, session,
    surface::{LineSurface, Surface},
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
    if screen::is_wanted(common, flags.plain)? {
        return screen::open(common, Some(Job::Demo(flags.clone())));
    }
    let surface = LineSurface::new(common);
    let done = match surface.json() {
        Some(json) => in_json(flags, &surface, &json.clone())?,
        None => work(flags, &surface)?,
    };
    output::write(&done.farewell)?;
    Ok(done.code)
}

/// Plays the demo on a surface for people.
pub(crate) fn work(flags: &Demo, surface: &dyn Surface) -> Result<Done, Failure> {
    surface.say(
        "A recorded model works on a small project. Everything else is real: map, guard, gates, commits.",
    );
    let root = new_project()?;
    let mut done = play(&Site::open_at(&root)?, flags, surface)?;
    if done.code != 0 {
        surface.say(&format!("hint: the repository is at {}", root.display()));
        return Ok(done);
    }
    let (text, line) = land::bring(&Site::open_at(&root)?, &LAND)?;
    surface.entry(
        "landed",
        &text,
        serde_json::to_value(&line).unwrap_or_default(),
    )?;
    done.farewell = what_next(&root);
    Ok(done)
}

/// The same as JSON lines, which are counted from the first to the last.
fn in_json(flags: &Demo, surface: &dyn Surface, json: &JsonFace) -> Result<Done, Failure> {
    let root = new_project()?;
    json.put(&JsonLine::DemoStarted {
        repository: root.display().to_string(),
    });
    let done = play(&Site::open_at(&root)?, flags, surface)?;
    if done.code == 0 {
        json.put(&land::bring(&Site::open_at(&root)?, &LAND)?.1);
    } else {
        surface.say(&format!("hint: the repository is at {}", root.display()));
    }
    Ok(done)
}

const LAND: Land = Land {
    run: None,
    squash: false,
};

/// Unpacks the project into a folder of its own, which is kept.
fn new_project() -> Result<PathBuf, Failure> {
    let folder = tempfile::Builder::new().prefix("harness-demo-").tempdir();
    let folder = folder
        .map_err(|error| Failure::failed(format!("cannot make a temporary folder: {error}")))?
        .keep();
    let root = folder.join("till");
    unpack(&root)?;
    Ok(root)
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

/// Runs all features of the project. The program trusts what it has just unpacked itself.
fn play(site: &Site, flags: &Demo, surface: &dyn Surface) -> Result<Done, Failure> {
    let pace = if flags.fast {
        Pace::Fast
    } else {
        Pace::Natural
    };
    let mut resolved = site.resolve(&RunOptions::default())?;
    // A recording needs no host, whatever the person's own file opens.
    resolved.policy.network.clear();
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
    let state = RunState::new(
        run,
        now,
        Goal::All,
        resolved.policy,
        features,
        model.profile,
        head.commit,
    );
    let launch = Launch {
        engine: Engine::new(state, now),
        resumed: None,
        said: Vec::new(),
        models: Models::only(model.client),
        rules: Box::new(RuleFile::new(&site.folders, site.repo.root())),
        proposals: None,
        approve: Vec::new(),
        spend: SpendLog::new(site.folders.spend()),
    };
    let (code, finished) = session::drive(workplace, launch, &[], surface)?;
    Ok(Done::ended(code, finished))
}

/// Says where the repository is and what can be tried there.
fn what_next(root: &Path) -> String {
    let commands = [
        "harness status",
        "harness feature list",
        "harness review",
        "harness verify",
        "harness log show",
        "harness log verify",
        "harness checkpoint list",
        "harness scope explain src/till.sh docs/receipt.md",
        "harness gate run",
        "git log --format=full",
    ];
    let mut text = format!("\nThe repository is at {}\nTry there:\n", root.display());
    for command in commands {
        text.push_str(&format!("  {command}\n"));
    }
    text
}
