//! Measures a long transcript without a terminal: `cargo bench -p harness-tui`.
//!
//! Prints figures and asserts nothing: machines differ. A step is what one key costs, from the
//! key to the bytes of the frame that shows what it did.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

mod figures;
mod recorded;

use std::time::{Duration, Instant};

use harness_core::{Event, Timestamp};
use harness_tui::{App, Input, Painter, Setup, frame, update};

use figures::{ms, range};
use recorded::demo;

const STEPS: usize = 400;

fn main() {
    let demo = demo();
    for count in [100, 1_000, 10_000, 18_000] {
        let begun = Instant::now();
        let mut screen = Screen::opened(&demo, count);
        let opened = begun.elapsed();
        println!("{count:>6} events: taken in and drawn in {}", ms(opened));
        for (what, key) in [
            ("a page up", "pgup"),
            ("a line up", "k"),
            ("half a page down", "ctrl+d"),
            ("the first entry", "g"),
            ("the end", "G"),
            ("a turn back", "["),
        ] {
            println!("        {what:<18} {}", range(&screen.steps(key)));
        }
        let begun = Instant::now();
        screen.press("/");
        for key in ["z", "q", "x"] {
            screen.press(key);
        }
        println!(
            "        words that stand nowhere, three letters: {}",
            ms(begun.elapsed())
        );
        screen.press("esc");
        let begun = Instant::now();
        let at = screen.now;
        screen.take(Input::Resized {
            columns: 100,
            rows: 30,
        });
        screen.draw();
        println!("        another width      {}", ms(begun.elapsed()));
        screen.take(Input::Passed(at));
    }
}

struct Screen {
    app: App,
    painter: Painter,
    now: Timestamp,
}

impl Screen {
    fn opened(demo: &[(Event, Timestamp)], count: usize) -> Self {
        let now = demo
            .first()
            .map_or(Timestamp::from_millis(0), |(_, at)| *at);
        let mut screen = Self {
            app: App::new(Setup::default(), 120, 40, now),
            painter: Painter::new(),
            now,
        };
        screen.take(Input::Started);
        // The run goes round until there are enough; it ends once.
        for (event, at) in demo.iter().cycle().take(count) {
            screen.take(Input::Logged {
                event: Box::new(event.clone()),
                at: *at,
            });
        }
        screen.draw();
        screen.press("tab");
        screen
    }

    fn take(&mut self, input: Input) {
        update(&mut self.app, input);
    }

    fn press(&mut self, key: &str) {
        let key = key.parse().expect("a key");
        self.take(Input::Key { key, at: self.now });
        self.draw();
    }

    fn draw(&mut self) {
        frame(&mut self.app, &mut self.painter).expect("memory takes bytes");
    }

    fn steps(&mut self, key: &str) -> Vec<Duration> {
        let step = |_| {
            let begun = Instant::now();
            self.press(key);
            begun.elapsed()
        };
        (0..STEPS).map(step).collect()
    }
}
