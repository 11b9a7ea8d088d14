//! The program is killed or stopped at every kind of moment, and goes on as if nothing had been.

mod beside;
mod jobs;
mod kill;
mod left_over;
mod signal;
mod together;
