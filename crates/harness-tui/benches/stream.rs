//! Measures the screen while a model streams: `cargo bench -p harness-tui --bench stream`.
//!
//! Five hundred pieces a second come in, thirty frames a second are drawn, and a person types
//! meanwhile. Prints figures and asserts nothing: machines differ. A key is what it costs from the
//! key to the bytes of the frame that shows it, with the pieces that came since the last frame.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

mod figures;
mod recorded;

use std::time::Instant;

use harness_core::{ModelDelta, Timestamp};
use harness_tui::{App, Input, Painter, Setup, frame, update};

use figures::range;
use recorded::demo;

/// Pieces between two frames: 500 a second at 30 frames a second.
const PIECES: usize = 17;
/// Seconds of streaming.
const SECONDS: usize = 40;
const FRAMES: usize = SECONDS * 30;

fn main() {
    for (what, words) in [
        ("prose", prose as fn(usize) -> String),
        ("one paragraph", paragraph),
        ("code", code),
        ("a list", list),
    ] {
        for events in [100, 10_000] {
            let mut screen = Screen::opened(events);
            let mut keys = Vec::new();
            let mut bytes = 0;
            let mut said = 0;
            for at in 0..FRAMES {
                let pieces: Vec<String> = (0..PIECES)
                    .map(|piece| words(at * PIECES + piece))
                    .collect();
                said += pieces.iter().map(String::len).sum::<usize>();
                let begun = Instant::now();
                for piece in pieces {
                    screen.stream(piece);
                }
                screen.press(if at % 20 < 10 { "x" } else { "backspace" });
                bytes += screen.draw();
                keys.push(begun.elapsed());
            }
            println!(
                "{what:<14} behind {events:>6} events: {}, {} KiB said, {} bytes a frame",
                range(&keys),
                said / 1_024,
                bytes / FRAMES
            );
            let last = &keys[FRAMES - 30..];
            println!("{:<14} the last second:        {}", "", range(last));
        }
    }
}

fn prose(at: usize) -> String {
    match at % 120 {
        0 => "\n\nThe **writer** ".to_owned(),
        at if at % 13 == 0 => "`escape` ".to_owned(),
        at => format!(
            "{} ",
            ["drops", "quotes", "and", "then", "the", "test"][at % 6]
        ),
    }
}

fn paragraph(at: usize) -> String {
    format!(
        "{} ",
        ["drops", "quotes", "and", "then", "the", "test"][at % 6]
    )
}

fn code(at: usize) -> String {
    match at {
        0 => "```rust\n".to_owned(),
        at if at % 9 == 0 => "\n    ".to_owned(),
        at => format!("value_{at} += 1; "),
    }
}

fn list(at: usize) -> String {
    match at % 10 {
        0 => "\n- ".to_owned(),
        at => format!(
            "{} ",
            ["drops", "quotes", "and", "then", "the", "test"][at % 6]
        ),
    }
}

struct Screen {
    app: App,
    painter: Painter,
    now: Timestamp,
}

impl Screen {
    /// Opens a session of so many events, with a turn that has begun.
    fn opened(count: usize) -> Self {
        let demo = demo();
        let now = demo.last().map_or(Timestamp::default(), |(_, at)| *at);
        let mut screen = Self {
            app: App::new(Setup::default(), 120, 40, now),
            painter: Painter::new(),
            now,
        };
        screen.take(Input::Started);
        for (event, at) in demo.iter().cycle().take(count) {
            screen.take(Input::Logged {
                event: Box::new(event.clone()),
                at: *at,
            });
        }
        screen.take(Input::Started);
        screen.draw();
        screen
    }

    fn take(&mut self, input: Input) {
        update(&mut self.app, input);
    }

    fn stream(&mut self, text: String) {
        self.take(Input::Streamed {
            delta: ModelDelta::Text(text),
            at: self.now,
        });
    }

    fn press(&mut self, key: &str) {
        let key = key.parse().expect("a key");
        self.take(Input::Key { key, at: self.now });
    }

    fn draw(&mut self) -> usize {
        frame(&mut self.app, &mut self.painter)
            .expect("memory takes bytes")
            .len()
    }
}
