//! The key table against what the screens promise: each promised key does something in its place,
//! footers and notices name keys that are bound, and every command says of itself what it is.

use std::collections::BTreeSet;

use super::desk::Desk;
use crate::{
    COMMANDS, Key, KeyMap, Place, Wish,
    overlay::{Item, Overlay},
};

/// What a person can count on, place by place, as the screens and the manual have it.
const PROMISED: [(Place, &str); 12] = [
    (
        Place::Everywhere,
        "f1 f2 f3 f4 f5 f6 ctrl+p tab shift+tab esc ctrl+c ctrl+z ctrl+l",
    ),
    (
        Place::Page,
        "j k down up ctrl+d ctrl+u pgdn pgup g G home end / n N ; , enter q ?",
    ),
    (
        Place::Composer,
        "ctrl+a ctrl+e ctrl+k ctrl+b ctrl+f ctrl+u ctrl+w ctrl+y alt+b alt+f alt+d enter ctrl+j \
         alt+enter ctrl+enter alt+up alt+down ctrl+r ctrl+g up down ctrl+d",
    ),
    (
        Place::Transcript,
        "j k down up ctrl+d ctrl+u pgdn pgup g G home end / n N enter [ ] y Y v e q ?",
    ),
    (
        Place::Review,
        "] [ n p m M a x space v c C S u b ( ) t z w W o e y",
    ),
    (Place::Features, "r n e b D J K"),
    (Place::Gates, "r R n N o f"),
    (Place::Checkpoints, "d u"),
    (Place::Sessions, "f R x tab"),
    (Place::Question, "y s a e n d"),
    (Place::Offer, "enter tab esc"),
    (Place::Overlay, "up down pgup pgdn enter esc"),
];

fn key(text: &str) -> Key {
    text.parse().expect("a key")
}

#[test]
fn every_promised_key_is_bound_in_its_place() {
    let map = KeyMap::default();
    for (place, keys) in PROMISED {
        for text in keys.split_whitespace() {
            let entry = map.find(place, key(text));
            assert!(
                entry.is_some_and(|entry| entry.place == place),
                "{text} at {place:?} is {:?}",
                entry.map(|entry| entry.name)
            );
        }
    }
}

/// A prefix that is a key of its own would wait for what never comes, and a terminal sends some keys
/// as others.
#[test]
fn no_key_is_one_that_terminals_send_for_another() {
    for entry in COMMANDS {
        for text in entry.keys {
            for (twin, same) in [("ctrl+i", "tab"), ("ctrl+m", "enter"), ("ctrl+[", "esc")] {
                assert_ne!(*text, twin, "{} cannot be told from {same}", entry.name);
            }
            // Shells and multiplexers own these; the composer alone has the ones of readline.
            let is_owned = ["ctrl+s", "ctrl+q"].contains(text);
            assert!(!is_owned, "{}: {text}", entry.name);
        }
    }
}

/// Keys that are typed into a text are letters there, whatever they do elsewhere.
#[test]
fn where_a_person_types_no_letter_is_a_command() {
    for place in [
        Place::Composer,
        Place::Prompt,
        Place::Find,
        Place::Line,
        Place::Offer,
    ] {
        let mut at = Some(place);
        while let Some(here) = at {
            for entry in COMMANDS.iter().filter(|entry| entry.place == here) {
                for text in entry.keys {
                    let typed = key(text).typed();
                    assert!(typed.is_none(), "{text} is {} at {place:?}", entry.name);
                }
            }
            at = here.beyond();
        }
    }
}

#[test]
fn every_command_is_reached_by_a_key_or_the_palette_and_stands_in_the_help() {
    let map = KeyMap::default();
    let help = Overlay::help(&map, |_| None);
    let palette = Overlay::palette(&map, |_| None);
    let commands =
        |items: &[Item]| -> BTreeSet<_> { items.iter().filter_map(|item| item.command).collect() };
    let by_palette = commands(&palette.items);
    for entry in COMMANDS {
        let is_told = help.items.iter().any(|item| item.text == entry.help);
        assert!(is_told, "{} is not in the help", entry.name);
        let has_key = !map.keys(entry).is_empty();
        assert!(
            has_key || by_palette.contains(&entry.command),
            "{} is reached by nothing",
            entry.name
        );
        // The program can be used without keys that old terminals lack.
        let is_plain = |text: &&str| !text.starts_with('f') || text.len() == 1;
        let has_plain = entry.keys.iter().any(is_plain);
        assert!(
            has_plain || by_palette.contains(&entry.command),
            "{} needs a function key",
            entry.name
        );
    }
}

/// Whatever is bound to whatever: two commands on one key are told, and the key does one thing.
#[test]
fn each_conflict_that_can_be_made_is_told() {
    let free = |place: Place| {
        let bound = move |entry: &&crate::Entry| {
            entry.place == place && entry.binding == crate::Binding::Free && !entry.keys.is_empty()
        };
        COMMANDS.iter().filter(bound)
    };
    for place in Place::ALL {
        let all: Vec<_> = free(place).collect();
        for pair in all.windows(2) {
            if pair[0].name == pair[1].name {
                continue;
            }
            let wish = Wish {
                name: pair[1].name.to_owned(),
                keys: vec![pair[0].keys[0].to_owned()],
            };
            let (map, problems) = KeyMap::new(&[wish]);
            assert_eq!(
                problems.len(),
                1,
                "{place:?} {}: {problems:?}",
                pair[1].name
            );
            assert!(map.find(place, key(pair[0].keys[0])).is_some());
        }
    }
}

/// A footer is made from the table: what it names is bound where it stands.
#[test]
fn footers_name_what_is_bound_after_it_was_bound_anew() {
    let wish = Wish {
        name: "help.open".to_owned(),
        keys: vec!["f12".to_owned()],
    };
    let (keys, problems) = KeyMap::new(&[wish]);
    assert_eq!(problems, [] as [String; 0]);
    let setup = crate::Setup {
        keys,
        ..crate::Setup::default()
    };
    let mut desk = Desk::with(setup, 120, 40);
    let footer = |desk: &mut Desk| -> String {
        let picture = desk.picture();
        picture.lines().next_back().unwrap_or_default().to_owned()
    };
    // In an empty composer a question mark is enough, and stays it.
    assert!(footer(&mut desk).contains("? help"));
    desk.write("a");
    assert!(
        footer(&mut desk).contains("F12 help"),
        "{}",
        footer(&mut desk)
    );
    assert!(!footer(&mut desk).contains("F1 help"));
    desk.press("f1");
    assert!(!desk.picture().contains("Keys  find:"));
    desk.press("f12");
    assert!(desk.picture().contains("find:"), "{}", desk.picture());
}
