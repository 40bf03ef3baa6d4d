//! GraphQL over HTTP: requests and responses in JSON, and subscriptions as server-sent events or over
//! a WebSocket.
//!
//! Every response, also of a refused request, is a GraphQL response with a code and a request id in
//! each error. The response of an executed operation is the one of async-graphql-axum, with other headers.
//! Its extractors and its socket are not used: see `graphql::conformance`.

mod endpoint;
mod engine;
mod error_responses;
mod event_stream;
mod http_request;
mod introspection_queue;
mod logged_stream;
mod parameters;
mod persisted_documents;
mod rejection;
mod response;
mod response_errors;
mod subscribers;
mod subscription_events;
mod trusted_documents;
mod websocket;

#[cfg(test)]
mod tests;

pub(super) use endpoint::GraphqlEndpoint;
pub(super) use engine::Engine;
pub(super) use error_responses::{
    head_too_large, invalid_host, panic_response, timeout_response, too_many_connections_body,
    too_many_unread_body,
};
pub use persisted_documents::PersistedDocuments;
pub use subscribers::Subscribers;
pub use trusted_documents::{ManifestError, TrustedDocuments};
