//! GraphQL schema, resolvers, and the checks of documents before execution.
//!
//! - `schema`: the schema over the use cases of [`auth`](crate::auth), with `query`,
//!   `mutations`, `subscription` and `types`; `federation` makes a subgraph of it.
//! - [`document`]: limits of documents, before and after parsing.
//! - `conformance`: corrections of async-graphql where it departs from the specification.
//! - `execution`: the extension that applies both and the guard `requires_auth`.
//!
//! Resolvers only translate: input becomes a domain value, one use case of [`auth`](crate::auth) is
//! called, and its result is wrapped. An expected failure goes into the `errors` of the payload, any
//! other error to the top level, through the one mapping in `error`. The authorization that a field
//! requires is declared at the field, printed in the schema and enforced by the same declaration.

pub mod cursor;
pub mod document;
pub mod global_id;

mod conformance;
mod connection;
mod error;
mod execution;
mod federation;
mod list_read_limit;
mod loaders;
mod mutations;
mod qr_code;
mod query;
mod read_page;
mod refusal;
mod request_data;
mod requires_auth;
mod scalars;
mod schema;
mod subscription;
mod syntax;
mod types;
mod user_error;

pub use conformance::error_codes::without_value;
pub use conformance::null_propagation::MAX_ERRORS;
pub use error::INTERNAL;
pub use execution::ExecutionExtension;
pub use federation::{Supergraph, subgraph, subgraph_sdl};
pub use mutations::Mutation;
pub use query::Query;
use read_page::read_page;
pub use request_data::attach;
use request_data::{
    RequestData, admin, auth, caller, cookies, list_read_limit, loaders, optional_viewer, viewer,
};
pub use schema::{Schema, schema, sdl};
pub use subscription::{StartSignal, Subscription};
