//! What stays of a text when clocks, durations and process numbers are left out of it.
//!
//! Only numbers that say how long, when or which process are left out: a count, a size, a line
//! or a percentage that changes is something that changes. Whoever compares the results
//! knows that a text with nothing left of its numbers was not equal, and has more patience with it.

/// The units behind a number that make it a duration.
const UNITS: [&str; 19] = [
    "nanoseconds",
    "microseconds",
    "milliseconds",
    "millis",
    "seconds",
    "second",
    "secs",
    "sec",
    "minutes",
    "minute",
    "mins",
    "min",
    "ns",
    "us",
    "µs",
    "ms",
    "s",
    "m",
    "h",
];
/// The words before a number that make it a process.
const PROCESSES: [&str; 2] = ["pid", "process"];
/// Hexadecimal digits from which a number is an address.
const ADDRESS_DIGITS: usize = 6;

/// Returns the text with `#` for every duration, clock, date, process number and address in it.
pub(crate) fn steady(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|char: char| char.is_ascii_digit()) {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let is_word = kept.ends_with(|char: char| char.is_alphanumeric() || char == '_');
        let length = if is_word { 0 } else { passing(&kept, rest) };
        if length > 0 {
            kept.push('#');
            rest = &rest[length..];
        } else {
            let number = rest.len()
                - rest
                    .trim_start_matches(|char: char| char.is_ascii_digit())
                    .len();
            kept.push_str(&rest[..number]);
            rest = &rest[number..];
        }
    }
    kept.push_str(rest);
    kept
}

/// Returns how many bytes of `text`, which begins with a digit, say when, how long or which process.
fn passing(before: &str, text: &str) -> usize {
    let clock = clock(text);
    if clock > 0 {
        return clock;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        let length = digits.len()
            - digits
                .trim_start_matches(|char: char| char.is_ascii_hexdigit())
                .len();
        return if length >= ADDRESS_DIGITS {
            2 + length
        } else {
            0
        };
    }
    let number = number(text);
    let behind = &text[number..];
    let unit = unit(behind);
    if unit > 0 {
        return number + unit;
    }
    let word = before.trim_end_matches([' ', '=', ':', '[', '(', '#']);
    let is_process = PROCESSES.iter().any(|name| {
        word.len() >= name.len()
            && word.is_char_boundary(word.len() - name.len())
            && word[word.len() - name.len()..].eq_ignore_ascii_case(name)
    });
    if is_process { number } else { 0 }
}

/// Returns how many bytes are digits, with one fraction.
fn number(text: &str) -> usize {
    let digits = |text: &str| {
        text.len()
            - text
                .trim_start_matches(|char: char| char.is_ascii_digit())
                .len()
    };
    let whole = digits(text);
    match text[whole..].strip_prefix('.').map(digits) {
        Some(fraction) if fraction > 0 => whole + 1 + fraction,
        _ => whole,
    }
}

/// Returns the length of a unit of time, with one space before it where the unit is a word of its own.
fn unit(behind: &str) -> usize {
    let (space, text) = match behind.strip_prefix(' ') {
        Some(text) => (1, text),
        None => (0, behind),
    };
    // Most numbers have none: a look at one character is enough for them.
    if !text.starts_with(['n', 'u', 'm', 's', 'h', '\u{b5}']) {
        return 0;
    }
    let ends = |rest: &str| {
        !rest.starts_with(|char: char| char.is_alphabetic() || char == '_' || char == '/')
    };
    let found = UNITS.iter().find(|unit| {
        // `3 s` is three of anything.
        (space == 0 || unit.len() > 1) && text.strip_prefix(**unit).is_some_and(ends)
    });
    found.map_or(0, |unit| space + unit.len())
}

/// Returns the length of a date, a time of day or both.
fn clock(text: &str) -> usize {
    let date = shaped(text, "dddd-dd-dd");
    if date > 0 {
        let behind = &text[date..];
        let time = match behind.strip_prefix(['T', ' ']) {
            Some(behind) => match time(behind) {
                0 => 0,
                length => length + 1,
            },
            None => 0,
        };
        return date + time;
    }
    time(text)
}

fn time(text: &str) -> usize {
    let length = shaped(text, "dd:dd:dd");
    if length == 0 {
        return 0;
    }
    let fraction = match text[length..].strip_prefix(['.', ',']) {
        Some(digits) => {
            digits.len()
                - digits
                    .trim_start_matches(|char: char| char.is_ascii_digit())
                    .len()
                + 1
        }
        None => 0,
    };
    let length = if fraction > 1 {
        length + fraction
    } else {
        length
    };
    let zone = &text[length..];
    if zone.starts_with('Z') {
        return length + 1;
    }
    match zone.strip_prefix(['+', '-']) {
        Some(zone) => length + 1 + shaped(zone, "dd:dd").max(shaped(zone, "dddd")),
        None => length,
    }
}

/// Returns the length of `shape` where the text begins like it and no digit follows; `d` is a digit.
fn shaped(text: &str, shape: &str) -> usize {
    let bytes = text.as_bytes();
    let fits = bytes.len() >= shape.len()
        && shape.bytes().zip(bytes).all(|(wanted, byte)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => other == *byte,
        });
    let more = bytes.get(shape.len()).is_some_and(u8::is_ascii_digit);
    if fits && !more { shape.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_clocks_processes_and_addresses_are_left_out() {
        let texts = [
            (
                "test result: FAILED. 3 passed; finished in 0.03s",
                "test result: FAILED. 3 passed; finished in #",
            ),
            ("took 12 ms, then 4.5 seconds", "took #, then #"),
            ("2026-11-29T10:14:03.120Z started", "# started"),
            ("[10:14:03] building 4 of 9", "[#] building 4 of 9"),
            ("2026-11-29 10:14:03+01:00", "#"),
            ("pid 4711 PID=12 process: 9", "pid # PID=# process: #"),
            ("at 0x7ffeefbff5c8", "at #"),
            ("took 3µs.", "took #."),
        ];
        for (text, kept) in texts {
            assert_eq!(steady(text), kept);
        }
    }

    #[test]
    fn what_counts_measures_or_names_stays() {
        let texts = [
            "12 of 40 files",
            "3 s of them",
            "src/a.rs:14:5",
            "42%",
            "1.5 MiB",
            "v1.2.3",
            "0x1f",
            "a5s",
            "5 minor",
            "10 m",
            "http://host:8080/12",
            "é 7 ü",
            "1/s 5m/s",
            "rapid5",
        ];
        for text in texts {
            assert_eq!(steady(text), text);
        }
    }
}
