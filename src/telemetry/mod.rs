//! What the process says of itself: the log, on standard error.
//!
//! Rule: no document, no variable and no header is ever logged. Both formats write one line an event
//! and escape control characters, so that nothing a client sends can forge a line. A line that is
//! about a request ends with its id. That is added here, where a line is written, and is no span of
//! `tracing`: a span is written and read back for each request, whether or not it has a line to say.
//! All of it goes through one queue, so that a reader of the log that stands still stops nothing.

mod json_format;
mod log;
mod log_queue;
mod request_id;

pub use log::{Flushed, Format, say, start};
#[cfg(test)]
pub(crate) use log::{log, log_panic};
pub use request_id::{RequestId, RequestIds};
