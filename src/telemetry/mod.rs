//! Telemetry: the log on standard error, and request ids.
//!
//! Documents, variables and headers are never logged. Both formats write one line per event and escape
//! control characters, so that input of a client cannot forge a line. A line that belongs to a request ends
//! with the request's id. The id is added when the line is written and is not a span of `tracing`: a span
//! would cost something for each request, even without a line. All lines go through one queue, so that a
//! stopped reader of the log does not stop the service.

mod json_format;
mod log;
mod log_queue;
mod request_id;

pub use log::{Flushed, Format, say, start};
#[cfg(test)]
pub(crate) use log::{log, log_panic};
pub use request_id::{RequestId, RequestIds};
