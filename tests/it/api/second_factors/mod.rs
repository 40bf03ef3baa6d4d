//! Second factors: added, asked for on every way in, and removed.

pub mod app;
mod enrollment;
mod limits;
mod owners;
mod policy;
mod recovery_codes;
mod removal;
mod reset;
mod second_step;
