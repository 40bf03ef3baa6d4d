//! HTTP server under the router: accepts connections, passes requests to the routes, writes responses.
//!
//! Whatever a client sends, reads or leaves undone, one connection lasts a bounded time and holds
//! bounded memory, and the number of connections is bounded. `axum::serve` has no such limits: a few
//! thousand silent connections would lock out all other clients.

mod accept_loop;
mod buffered_bytes;
mod connection;
mod connection_activity;
mod connection_state;
mod connection_stream;
mod host_header;
mod limits;
mod overload_responses;
mod request_body;
mod response_backpressure;
mod response_body;
mod server_state;
mod warning_interval;
mod write_timeout;

pub(super) use accept_loop::serve;
pub(super) use connection_state::ResponseTurn;
pub(super) use host_header::InvalidHost;
pub use limits::ConnectionLimits;
pub(super) use overload_responses::OverloadResponses;
pub(super) use request_body::{is_body_memory_exhausted, is_body_timeout};
pub(super) use response_body::StaticContent;
