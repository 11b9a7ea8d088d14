//! The screen of the real program in a real terminal.

mod approve;
mod demo;
mod finding;
mod foreign;
mod given_back;
mod hand;
mod pages;
mod plan;
mod replayed;
mod request;
mod review;
mod steer;
mod taken_up;
mod waiting;
mod ways_out;
mod whole;
