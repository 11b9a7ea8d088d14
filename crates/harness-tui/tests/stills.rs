//! The stills of the README: frames of the screen as pictures, made here and held against what is kept.
//!
//! `HARNESS_ACCEPT_STILLS=1 cargo test -p harness-tui --test stills` writes them anew.

mod stills {
    pub(crate) mod scenes;
    pub(crate) mod svg;
}

use std::{env, fs, path::Path};

use stills::{scenes, svg};

/// The largest that one may be. Unit: bytes.
const BYTES_MAX: usize = 64 * 1024;

#[test]
fn the_stills_show_what_the_screen_shows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/stills");
    let is_accepting = env::var_os("HARNESS_ACCEPT_STILLS").is_some();
    for (name, buffer) in scenes::all() {
        let picture = svg::picture(&buffer);
        assert!(picture.len() < BYTES_MAX, "{name}: {} bytes", picture.len());
        let file = folder.join(format!("{name}.svg"));
        if is_accepting {
            fs::write(&file, &picture).expect("the folder is part of the repository");
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == picture,
            "{} is not what the screen shows: HARNESS_ACCEPT_STILLS=1 writes it anew",
            file.display()
        );
    }
}
