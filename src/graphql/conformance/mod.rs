//! Corrections of async-graphql 7.2, where it departs from the GraphQL specification.
//!
//! Each file corrects one thing. Its header names the section of the specification, the issue or pull
//! request of async-graphql, and the behaviour of async-graphql with which it can be removed. Limits
//! are not here: they are a decision of this service, and in [`document`](super::document).
//!
//! Corrections of transports are in `http::graphql`, each beside the transport that it corrects:
//! media types and status codes (GraphQL over HTTP, draft), server-sent events, and
//! `graphql-transport-ws`. Two more parts replace a part of async-graphql for what it lacks:
//! [`connection`](super::connection) has `nodes` and a nullable `totalCount`, and
//! [`federation`](super::federation) answers null for one unknown entity and not for all.
//!
//! # async-graphql-axum
//!
//! Of async-graphql-axum 7.2 only [`GraphQLProtocol`] is used, which negotiates the sub-protocol of a
//! socket. The other parts are not, because of these properties:
//!
//! - `GraphQLResponse` always has the status 200 and `application/graphql-response+json`, whatever the
//!   request accepts. GraphQL over HTTP asks for 4xx where nothing was executed, and for
//!   `application/json` from clients that accept only that. It also does not forbid
//!   caches to store a response, and panics where a response cannot be serialized.
//!   Upstream: <https://github.com/async-graphql/async-graphql/issues/889> (closed, not done).
//! - `GraphQLRequest` and `GraphQLBatchRequest` execute mutations by GET and read bodies of any
//!   content type, `multipart/form-data` among them. Any page could then make a browser send a
//!   mutation with the user's cookie. They also take a text, which async-graphql parses without the
//!   limits of [`document`](super::document), and know no persisted documents. Their rejections are
//!   plain texts without a code. Upstream: no upstream issue found (2026-11).
//! - `GraphQLSubscription` and `GraphQLWebSocket` also speak the older protocol `graphql-ws`, accept
//!   pages of every origin, wait for `connection_init` without a timeout, and do not limit messages or
//!   operations. They close with codes at which clients do not reconnect, though they should, and
//!   cannot end a socket when its session or its access token ends.
//!   Upstream: no upstream issue found (2026-11).
//!
//! [`GraphQLProtocol`]: https://docs.rs/async-graphql-axum/7.2.1/async_graphql_axum/struct.GraphQLProtocol.html

pub(super) mod empty_objects;
pub(super) mod error_codes;
pub(super) mod field_order;
pub(super) mod null_propagation;
pub(super) mod parser_rules;
pub(super) mod required_variables;
pub(super) mod schema_description;
pub(super) mod single_root_field;
pub(super) mod validation;
pub(super) mod variable_arguments;
pub(super) mod variable_defaults;
