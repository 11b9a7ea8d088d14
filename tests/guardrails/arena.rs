//! Where attacks take place: a repository, a folder beside it, and a record of everything that must stay.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use harness_testkit::Server;

use crate::support::{CONFIG, Desk, FEATURES, Story, TESTS, levels, session};

/// The wish of an attack: a task, so that nothing is written to the lists.
const WISH: &str = "attack everything";
/// The last turn of an attack: the run ends without judging what is left in the scope.
const OVER: &str = "{ tool = \"ask\", text = \"What next?\" }";

/// A repository under attack.
pub(super) struct Arena {
    pub(super) desk: Desk,
}

/// What an attack came to.
pub(super) struct Outcome {
    pub(super) story: Story,
    pub(super) server: Server,
}

impl Arena {
    pub(super) fn new() -> Self {
        Self::with_config(CONFIG)
    }

    pub(super) fn with_config(config: &str) -> Self {
        let desk = Desk::with_files(&[
            ("harness.toml", config),
            ("AGENTS.md", "# demo\n"),
            ("docs/kept.md", "kept\n"),
            ("feature_list.json", FEATURES),
            ("src/answer", "0\n"),
            ("tests/run.sh", TESTS),
        ]);
        let arena = Self { desk };
        fs::create_dir(arena.outside()).expect("a folder beside the repository");
        fs::write(arena.outside().join("kept.txt"), "kept\n")
            .expect("a file beside the repository");
        arena
    }

    /// A folder beside the repository that nobody gave away.
    pub(super) fn outside(&self) -> PathBuf {
        self.desk.project.outside().join("outside")
    }

    pub(super) fn root(&self) -> PathBuf {
        self.desk.project.root()
    }

    /// Adds a link to the repository, committed.
    pub(super) fn link(&self, path: &str, target: &Path) {
        symlink(target, self.root().join(path)).expect("a link in the repository");
        self.desk.project.commit_all("a link");
    }

    /// Runs a command as a person would, without any guard.
    pub(super) fn unguarded(&self, command: &str) -> bool {
        let status = Command::new("sh")
            .args(["-c", command])
            .current_dir(self.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.expect("`sh` is there").success()
    }

    /// Lets the agent make these calls, one turn each, and holds the world against what it was.
    ///
    /// Does so at every level that is enforced here, each time with the scope as it was; what the
    /// strongest came to is returned.
    pub(super) fn attack(&self, turns: &[String]) -> Outcome {
        self.attack_with(turns, &[])
    }

    /// As [`Arena::attack`], at a level of the test's choice.
    pub(super) fn attack_at(&self, level: &str, turns: &[String]) -> Outcome {
        self.attacked(level, turns, &[])
    }

    /// As [`Arena::attack`], with more in the environment of the program.
    pub(super) fn attack_with(&self, turns: &[String], environment: &[(&str, &str)]) -> Outcome {
        let (last, others) = levels().split_last().expect("a level is there");
        let kept = tempfile::tempdir().expect("a folder");
        let scope = ["src", "tests"];
        for folder in scope {
            self.copy(&self.root().join(folder), &kept.path().join(folder));
        }
        for level in others {
            self.attacked(level, turns, environment);
            for folder in scope {
                fs::remove_dir_all(self.root().join(folder)).expect("the scope is there");
                self.copy(&kept.path().join(folder), &self.root().join(folder));
            }
        }
        self.attacked(last, turns, environment)
    }

    fn copy(&self, from: &Path, to: &Path) {
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
        assert!(copied.expect("`cp` is there").success());
    }

    fn attacked(&self, level: &str, turns: &[String], environment: &[(&str, &str)]) -> Outcome {
        let turns: Vec<&str> = turns.iter().map(String::as_str).chain([OVER]).collect();
        let server = Server::scripted(&session(WISH, &turns));
        self.desk.use_server(&server, "anthropic");
        let before = (self.world(), self.desk.person_side());
        let arguments = ["run", WISH, "--json", "--no-input", "--sandbox", level];
        let mut command = self.desk.home.command(&self.root(), &arguments);
        command.envs(environment.iter().copied());
        let story = Story::of(command.output().expect("the program starts").into());
        story.assert_ended("needs_human", 5);
        let after = (self.world(), self.desk.person_side());
        for (path, entry) in &before.0 {
            assert_eq!(
                after.0.get(path),
                Some(entry),
                "{} is not what it was",
                path.display()
            );
        }
        let new: Vec<_> = after
            .0
            .keys()
            .filter(|path| !before.0.contains_key(*path))
            .collect();
        assert!(new.is_empty(), "new: {new:?}");
        assert_eq!(before.1, after.1);
        assert_eq!(self.desk.harness(&["log", "verify"]).code, 0);
        Outcome { story, server }
    }

    /// Records everything beside the scope: paths with type, mode, owner, target and content.
    fn world(&self) -> BTreeMap<PathBuf, (u32, u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let git = self.root().join(".git");
        // What the program keeps, and what git writes when it is asked for objects.
        let left_out = [
            self.root().join("src"),
            self.root().join("tests"),
            self.root().join("target"),
            git.join("harness"),
            git.join("objects"),
            git.join("refs/harness"),
        ];
        record(self.desk.project.outside(), &left_out, &mut found);
        found
    }
}

fn record(path: &Path, left_out: &[PathBuf], found: &mut BTreeMap<PathBuf, (u32, u32, Vec<u8>)>) {
    if left_out.iter().any(|out| out == path) {
        return;
    }
    let Ok(stat) = fs::symlink_metadata(path) else {
        return;
    };
    let content = if stat.is_symlink() {
        fs::read_link(path)
            .map(|target| target.into_os_string().into_encoded_bytes())
            .unwrap_or_default()
    } else if stat.is_file() {
        fs::read(path).unwrap_or_default()
    } else {
        Vec::new()
    };
    found.insert(path.to_owned(), (stat.mode(), stat.uid(), content));
    if stat.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            record(&entry.path(), left_out, found);
        }
    }
}

/// Whether anything confines here.
pub(super) fn is_caged() -> bool {
    !levels().is_empty()
}

/// Whether a program is on the path.
pub(super) fn has(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok()
}
