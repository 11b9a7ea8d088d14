//! Hints on a real disk: what wakes, what does not, and what is said where nothing is told.

use std::{
    fs,
    sync::mpsc,
    time::{Duration, Instant},
};

use harness_host::{
    disk::Root,
    watch::{FolderWatch, Hint},
};

use crate::world::{World, path};

/// Longer than a kernel takes to tell.
const LONG: Duration = Duration::from_secs(10);
/// Longer than a kernel takes to tell, on a machine that does nothing else.
const SHORT: Duration = Duration::from_millis(200);

struct Watched {
    watch: FolderWatch,
    woken: mpsc::Receiver<()>,
}

impl Watched {
    fn begin(world: &World, folders_max: usize) -> Self {
        let (wake, woken) = mpsc::channel();
        let root = Root::open(&world.root()).unwrap();
        let watch = FolderWatch::begin_within(
            root,
            &[path("src"), path("docs")],
            |folder| folder.starts_with(&path("src/built")),
            move || {
                let _ = wake.send(());
            },
            folders_max,
        );
        Self { watch, woken }
    }

    /// Waits until a path is named, taking what comes on the way.
    fn until(&mut self, wanted: &str) -> Hint {
        self.until_after(wanted, || {})
    }

    /// Writes a file until its path is named: a folder that has just come is watched a moment later,
    /// and until then only its own path is told.
    fn until_written(&mut self, world: &World, wanted: &str) -> Hint {
        let file = world.root().join(wanted);
        self.until_after(wanted, || fs::write(&file, "x").unwrap())
    }

    fn until_after(&mut self, wanted: &str, act: impl Fn()) -> Hint {
        let until = Instant::now() + LONG;
        loop {
            act();
            let _ = self.woken.recv_timeout(SHORT);
            let hint = self.watch.take();
            if hint.is_partial || hint.paths.contains(&path(wanted)) {
                return hint;
            }
            assert!(Instant::now() < until, "nothing is told of {wanted}");
        }
    }
}

/// Says so where the machine itself gives no watch, such as in a container without one to spare.
fn is_skipped(watched: &Watched) -> bool {
    if let Some(why) = watched.watch.blind() {
        eprintln!("skipped: this machine tells of no changes: {why}");
    }
    watched.watch.blind().is_some()
}

#[test]
fn a_change_is_told_with_its_path_and_a_look_is_not() {
    let world = World::new();
    let mut watched = Watched::begin(&world, 100);
    if is_skipped(&watched) {
        return;
    }
    fs::read(world.root().join("src/a.txt")).unwrap();
    let _ = fs::read_dir(world.root().join("src")).unwrap().count();
    assert!(watched.woken.recv_timeout(SHORT).is_err());
    fs::write(world.root().join("src/a.txt"), "new\n").unwrap();
    let hint = watched.until("src/a.txt");
    assert!(!hint.is_partial);
    fs::remove_file(world.root().join("docs/a.md")).unwrap();
    watched.until("docs/a.md");
}

#[test]
fn folders_that_come_are_watched_and_those_that_go_are_not_missed() {
    let world = World::new();
    let mut watched = Watched::begin(&world, 100);
    if is_skipped(&watched) {
        return;
    }
    let folder = world.root().join("src/new/deep");
    fs::create_dir_all(&folder).unwrap();
    watched.until("src/new");
    watched.until_written(&world, "src/new/deep/file");
    fs::remove_dir_all(world.root().join("src/new")).unwrap();
    watched.until("src/new");
    fs::create_dir_all(&folder).unwrap();
    watched.until("src/new");
    watched.until_written(&world, "src/new/deep/again");
    fs::rename(world.root().join("src/new"), world.root().join("src/old")).unwrap();
    watched.until("src/old");
    watched.until_written(&world, "src/old/deep/moved");
}

#[test]
fn what_is_left_out_and_what_lies_behind_a_link_is_not_watched() {
    let world = World::new();
    fs::create_dir_all(world.root().join("src/built/deep")).unwrap();
    std::os::unix::fs::symlink(world.outside(), world.root().join("src/link")).unwrap();
    let mut watched = Watched::begin(&world, 100);
    if is_skipped(&watched) {
        return;
    }
    assert_eq!(watched.watch.folders(), 2);
    fs::write(world.root().join("src/built/deep/x"), "x").unwrap();
    fs::write(world.outside().join("x"), "x").unwrap();
    assert!(watched.woken.recv_timeout(SHORT).is_err());
    assert_eq!(watched.watch.take(), Hint::default());
}

#[test]
fn a_storm_is_told_once_and_as_partial() {
    let world = World::new();
    let mut watched = Watched::begin(&world, 100);
    if is_skipped(&watched) {
        return;
    }
    let (one, other) = (world.root().join("src/one"), world.root().join("src/other"));
    fs::write(&one, "x").unwrap();
    for number in 0..3_000 {
        fs::write(world.root().join(format!("src/{number}")), "x").unwrap();
        fs::rename(&one, &other).unwrap();
        fs::rename(&other, &one).unwrap();
    }
    let until = Instant::now() + LONG;
    while !watched.watch.take().is_partial {
        assert!(Instant::now() < until, "more paths than are named");
        std::thread::sleep(Duration::from_millis(50));
        fs::write(world.root().join("src/more"), "x").unwrap();
        for number in 0..3_000 {
            fs::write(world.root().join(format!("src/{number}")), "y").unwrap();
        }
    }
    assert!(watched.woken.try_iter().count() < 100);
}

#[test]
fn over_the_bound_nothing_is_watched_and_it_says_so() {
    let world = World::new();
    for number in 0..5 {
        fs::create_dir(world.root().join(format!("src/{number}"))).unwrap();
    }
    let mut watched = Watched::begin(&world, 4);
    let why = watched.watch.blind().unwrap();
    assert!(
        why.contains("more than 4 folders") || why.contains("bound"),
        "{why}"
    );
    assert_eq!(watched.watch.folders(), 0);
    assert!(watched.watch.take().is_partial);
}

#[test]
fn over_the_bound_later_is_said_later() {
    let world = World::new();
    let mut watched = Watched::begin(&world, 3);
    if is_skipped(&watched) {
        return;
    }
    fs::create_dir_all(world.root().join("src/1/2/3/4")).unwrap();
    let hint = watched.until("src/1");
    let later = watched.watch.take();
    assert!(hint.is_partial || later.is_partial);
    assert!(watched.watch.blind().is_some());
}
