//! A frame as a picture: each run of letters at its column, in the colours of a dark terminal.

use std::fmt::Write as _;

use ratatui::{
    buffer::{Buffer, Cell, CellWidth as _},
    style::{Color, Modifier},
};

/// The size of a cell and the room around all of them. Unit: pixels.
const CELL: (u32, u32) = (8, 18);
const MARGIN: u32 = 12;
const GROUND: &str = "#16181d";
const INK: &str = "#d7dae0";

/// Returns the picture of a frame.
pub(crate) fn picture(buffer: &Buffer) -> String {
    let (columns, rows) = (u32::from(buffer.area.width), u32::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"13.3\" fill=\"{INK}\" xml:space=\"preserve\">\n"
    );
    for y in 0..buffer.area.height {
        for run in runs(buffer, y) {
            add(&mut svg, &run, u32::from(y));
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// Letters beside each other that look alike.
struct Run<'a> {
    column: u32,
    columns: u32,
    text: String,
    look: &'a Cell,
}

fn runs(buffer: &Buffer, y: u16) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    let mut x = 0;
    while x < buffer.area.width {
        let cell = &buffer[(x, y)];
        let columns = u32::from(cell.cell_width().max(1));
        let is_alike =
            |run: &&mut Run<'_>| run.look.fg == cell.fg && run.look.modifier == cell.modifier;
        // A sign that is no letter may be drawn wider or narrower: it stands for itself.
        let is_letter = cell.symbol().is_ascii();
        match runs.last_mut().filter(is_alike) {
            Some(run) if is_letter && run.text.is_ascii() || goes_on(run, cell) => {
                run.text.push_str(cell.symbol());
                run.columns += columns;
            }
            _ => runs.push(Run {
                column: u32::from(x),
                columns,
                text: cell.symbol().to_owned(),
                look: cell,
            }),
        }
        x += u16::try_from(columns).expect("a cell is narrow");
    }
    runs
}

fn add(svg: &mut String, run: &Run<'_>, row: u32) {
    let is = |modifier| run.look.modifier.contains(modifier);
    let colour = colour(run.look.fg);
    let (x, top) = (MARGIN + run.column * CELL.0, MARGIN + row * CELL.1);
    let is_reversed = is(Modifier::REVERSED);
    if is_reversed {
        let (width, height, fill) = (run.columns * CELL.0, CELL.1, colour.unwrap_or(INK));
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"
        );
    }
    let text = run.text.trim_end();
    if text.is_empty() || add_line(svg, run, (x, top)) {
        return;
    }
    let blanks = u32::try_from(text.len() - text.trim_start().len()).unwrap_or(0);
    let text = text.trim_start();
    let mut looks = String::new();
    match (is_reversed, colour) {
        (true, _) => looks.push_str(&format!(" fill=\"{GROUND}\"")),
        (false, Some(colour)) => looks.push_str(&format!(" fill=\"{colour}\"")),
        (false, None) => {}
    }
    for (modifier, look) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::DIM, " opacity=\"0.6\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
    ] {
        if is(modifier) {
            looks.push_str(look);
        }
    }
    let x = x + blanks * CELL.0;
    // Letters keep to their columns whatever face the viewer has.
    if text.len() > 1 && text.is_ascii() {
        let columns = u32::try_from(text.len()).unwrap_or(0);
        let _ = write!(looks, " textLength=\"{}\"", columns * CELL.0);
    }
    let y = top + CELL.1 - 5;
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\"{looks}>{}</text>",
        escaped(text)
    );
}

/// Whether a rule goes on from one cell into the next.
fn goes_on(run: &Run<'_>, cell: &Cell) -> bool {
    cell.symbol() == "─" && run.text.ends_with('─')
}

/// Draws what is a line as one, without the gaps that letters have between them; says whether it was.
fn add_line(svg: &mut String, run: &Run<'_>, (x, top): (u32, u32)) -> bool {
    let (x, y, width, height) = match run.text.chars().next() {
        Some('─') => (x, top + CELL.1 / 2, run.columns * CELL.0, 1),
        Some('│') => (x + CELL.0 / 2, top, 1, CELL.1),
        Some('▌') => (x, top, CELL.0 / 2, CELL.1),
        _ => return false,
    };
    let fill = colour(run.look.fg).unwrap_or(INK);
    let opacity = match run.look.modifier.contains(Modifier::DIM) {
        true => " opacity=\"0.4\"",
        false => "",
    };
    let _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"{opacity}/>"
    );
    true
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The sixteen colours as a dark terminal may have them; none for its own ink.
const fn colour(colour: Color) -> Option<&'static str> {
    Some(match colour {
        Color::Red | Color::LightRed => "#e8707a",
        Color::Green | Color::LightGreen => "#8cc570",
        Color::Yellow | Color::LightYellow => "#e2bd68",
        Color::Blue | Color::LightBlue => "#6cb0f0",
        Color::Magenta | Color::LightMagenta => "#c98be0",
        Color::Cyan | Color::LightCyan => "#5bb8c4",
        _ => return None,
    })
}
