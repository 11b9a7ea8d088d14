//! Frames, keys and bytes of the whole screen, on a recorded session.

mod approvals;
mod budgets;
mod bytes;
mod desk;
mod frames;
mod fuzz;
mod hard;
mod keys;
mod looks;
mod manners;
mod offers;
mod pages;
mod review;
mod steering;
mod table;
mod unicode;
