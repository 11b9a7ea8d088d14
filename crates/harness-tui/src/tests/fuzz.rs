//! Anything in any order: whatever comes in, the screen stands, and what is drawn is sound.
//!
//! `HARNESS_FUZZ_SEED` is the first seed, `HARNESS_FUZZ_SEEDS` how many there are,
//! `HARNESS_FUZZ_STEPS` how many inputs each of them makes.

mod answers;
mod dice;
mod inputs;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    desk::Desk,
    hard::{Emulator, look},
};
use crate::{Colours, Input, Palette, Place, Setup, Signs, Theme};
use dice::Dice;
use inputs::Inputs;

const SEEDS: u64 = 20;
const STEPS: u64 = 120;

fn number(name: &str, usual: u64) -> u64 {
    let told = std::env::var(name).ok();
    told.map_or(usual, |text| text.parse().expect("a number"))
}

/// What a seed came to.
struct Played {
    places: BTreeSet<Place>,
    pages: BTreeSet<&'static str>,
}

/// Plays one seed. What goes wrong is said with the last inputs.
fn play(seed: u64, steps: u64) -> Result<Played, String> {
    let last: RefCell<Vec<String>> = RefCell::new(Vec::new());
    let played = catch_unwind(AssertUnwindSafe(|| steps_of(seed, steps, &last)));
    let why = match played {
        Ok(Ok(played)) => return Ok(played),
        Ok(Err(why)) => why,
        Err(_) => "a panic, told above".to_owned(),
    };
    let last = last.into_inner();
    let shown = last.iter().rev().take(6).rev();
    let shown: String = shown.map(|input| format!("\n  {input}")).collect();
    Err(format!(
        "seed {seed}, step {}: {why}\nthe last inputs:{shown}",
        last.len()
    ))
}

fn steps_of(seed: u64, steps: u64, last: &RefCell<Vec<String>>) -> Result<Played, String> {
    let mut dice = Dice::new(seed);
    let mut desk = Desk::with(setup(&mut dice), 80, 24);
    let mut inputs = Inputs::new();
    let mut emulator = Emulator::new();
    let mut played = Played {
        places: BTreeSet::new(),
        pages: BTreeSet::new(),
    };
    for _ in 0..steps {
        let input = inputs.next(&mut dice);
        let told: String = format!("{input:?}").chars().take(400).collect();
        last.borrow_mut().push(told);
        if matches!(input, Input::Resized { .. }) {
            desk.painter.forget();
        }
        let asked = desk.take(input);
        inputs.hear(asked);
        // Not every input is drawn: a burst comes before the next frame.
        if dice.one_in(4) {
            continue;
        }
        look(&mut desk, &mut emulator)?;
        played.places.insert(desk.app.place());
        played.pages.insert(desk.app.pages.open.title());
        bounded(&desk)?;
    }
    Ok(played)
}

fn setup(dice: &mut Dice) -> Setup {
    let palette = dice.pick(&Palette::NAMES).1;
    Setup {
        theme: Theme {
            palette,
            signs: *dice.pick(&[Signs::Unicode, Signs::Unicode, Signs::Ascii]),
            colours: *dice.pick(&[Colours::Palette, Colours::Palette, Colours::None]),
            ..Theme::default()
        },
        ..Setup::default()
    }
}

/// What grows by what comes from outside has an end.
fn bounded(desk: &Desk) -> Result<(), String> {
    let app = &desk.app;
    for (what, count, most) in [
        ("pages that were asked for", app.pages.pending.len(), 64),
        ("files to dress", app.pages.dressing.len(), 64),
        ("written text", app.composer.text().len(), 300 * 1024),
        ("earlier texts", app.composer.history().count(), 200),
        ("rows of the transcript", app.transcript.window().len(), 100),
    ] {
        if count > most {
            return Err(format!("{count} {what}, {most} are the most"));
        }
    }
    Ok(())
}

#[test]
fn nothing_breaks_it() {
    let first = number("HARNESS_FUZZ_SEED", 1);
    let seeds = number("HARNESS_FUZZ_SEEDS", SEEDS);
    let steps = number("HARNESS_FUZZ_STEPS", STEPS);
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get() as u64);
    let all: Vec<Result<Played, String>> = std::thread::scope(|scope| {
        let threads = (0..threads).map(|thread| {
            scope.spawn(move || {
                let seeds = (first..first + seeds).skip(thread as usize);
                let seeds = seeds.step_by(threads as usize);
                seeds.map(|seed| play(seed, steps)).collect::<Vec<_>>()
            })
        });
        let threads: Vec<_> = threads.collect();
        let played = threads.into_iter().map(|thread| thread.join());
        played
            .flat_map(|played| played.expect("panics are caught"))
            .collect()
    });
    let faults: Vec<&String> = all
        .iter()
        .filter_map(|played| played.as_ref().err())
        .collect();
    let told: String = faults
        .iter()
        .take(4)
        .map(|fault| format!("{fault}\n\n"))
        .collect();
    assert!(
        faults.is_empty(),
        "{} of {seeds} seeds\n{told}",
        faults.len()
    );
    // Luck may not leave anything out.
    let played = || all.iter().filter_map(|played| played.as_ref().ok());
    let places: BTreeSet<Place> = played().flat_map(|played| played.places.clone()).collect();
    let pages: BTreeSet<&str> = played().flat_map(|played| played.pages.clone()).collect();
    if seeds >= SEEDS {
        let missing: Vec<Place> = Place::ALL
            .into_iter()
            .filter(|place| *place != Place::Everywhere && !places.contains(place))
            .collect();
        assert!(missing.is_empty(), "never in {missing:?}");
        assert_eq!(pages.len(), 7, "{pages:?}");
    }
}
