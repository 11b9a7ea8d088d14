//! The program is killed, stopped or refused by the system at every kind of moment, and goes on as if nothing had been.

mod beside;
mod clock;
mod disk;
mod halves;
mod jobs;
mod kill;
mod left_over;
mod long_texts;
mod moments;
mod points;
mod shim;
mod signal;
mod state_files;
mod stood;
mod tale;
mod together;
mod torn;
mod torn_files;
mod twenty;
