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
//! Of async-graphql-axum 7.2 `GraphQLResponse` is used: it converts the response of an executed
//! operation, with the headers that resolvers set, for axum. The rest is not, because of these
//! properties.
//!
//! - `GraphQLResponse` for request errors. It always has the status 200, the content type
//!   `application/graphql-response+json` and the member `data`. GraphQL over HTTP (draft) asks for 4xx
//!   where nothing was executed, for no `data` there, and for `application/json` from clients that
//!   accept only that. So `http::graphql::response` sets the headers, and writes request errors itself.
//!   Upstream: <https://github.com/async-graphql/async-graphql/issues/889> (closed as stale).
//!   Remove when: the response takes the status and the media type, and leaves `data` out of request
//!   errors.
//! - `GraphQLRequest` and `GraphQLBatchRequest`, the extractors. They execute mutations by GET and read
//!   bodies of any content type, `multipart/form-data` among them. Any page could make a browser send
//!   a mutation with the cookie of the user. They also hand the text to async-graphql, whose parser
//!   has no limits, and pass over `documentId`. Their rejections are plain texts without a code.
//!   Upstream: no upstream issue found (2026-11).
//!   Remove when: they refuse other methods and content types, and take a parsed document.
//! - `GraphQLProtocol`, `GraphQLSubscription` and `GraphQLWebSocket`, the socket. The first also takes
//!   the older protocol `graphql-ws`, before `graphql-transport-ws` if the client names it first, and
//!   has no accessor that tells which one it took. The loop accepts pages of every origin, waits for
//!   `connection_init` without a timeout, and limits neither messages nor operations. It closes with
//!   codes at which clients give up that should reconnect, and cannot end a socket when its session or
//!   its access token ends. Upstream: no upstream issue found (2026-11).
//!   Remove when: the loop can be closed from outside, with limits and timeouts as settings.

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
