//! Reads: lists, counts and objects, narrowed to what the reader may see.

mod narrowed_reads;

pub use narrowed_reads::Reads;
