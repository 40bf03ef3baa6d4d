//! HTTP interface: the server, the routes, GraphQL over HTTP, WebSocket and server-sent events, and the
//! endpoints of SimpleJWT.
//!
//! Every response has a request id, which the log has too, and security headers. A path that is not
//! served is answered in JSON, like every error.

pub mod graphql;
pub mod server;

mod account_pages;
mod assets;
mod bounded_body;
mod caller;
mod client_address;
mod console;
mod cookie;
mod cors;
mod cors_headers;
mod graphiql;
mod head_limit;
mod header_names;
mod health;
mod media_type;
mod metrics;
mod middleware;
mod not_found;
mod operation_log;
mod options;
mod origin_check;
mod quality_values;
mod quota;
mod router;
mod run_to_completion;
mod security_headers;
mod serve;
mod simplejwt;
mod web_origin;
mod well_known;

pub use account_pages::documents as account_documents;
pub use client_address::{ProxyHeader, TrustedProxies};
pub use console::documents as console_documents;
pub use cors_headers::{CorsHeader, CorsHeaderError};
pub use metrics::metrics_router;
pub use options::{Options, TransportOptions};
pub use router::{SharedState, router};
pub use serve::serve;
pub use simplejwt::{EndpointPath, EndpointPathError};
pub use web_origin::{WebOrigin, WebOriginError};
