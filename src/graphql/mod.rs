//! GraphQL: what the service offers its clients, and what a client may ask of it at once.
//!
//! Rule: resolvers only translate. Input becomes a domain value, one use case of
//! [`auth`](crate::auth) is called, and what comes back is wrapped; an expected refusal goes into the
//! payload's `errors`, anything else to the top level, by one mapping. Who may ask for a field is
//! declared at the field, printed in the schema and enforced by the same declaration.

pub mod cursor;
pub mod document;
pub mod global_id;

mod conformance;
mod connection;
mod error;
mod execution;
mod federation;
mod loaders;
mod mutations;
mod query;
mod reads;
mod refusal;
mod requires_auth;
mod scalars;
mod subscription;
mod syntax;
mod types;

use std::sync::Arc;

use async_graphql::{Context, ObjectType};

use crate::auth::{Admin, Auth, Caller, RefreshCookie, Viewer};

use error::expose;

pub use conformance::null_propagation::MAX_ERRORS;
pub use error::INTERNAL;
pub use execution::ExecutionExtension;
pub use federation::{SubgraphQuery, Supergraph, subgraph_sdl};

use loaders::Loaders;
pub use mutations::Mutation;
pub use query::Query;
use reads::ListReads;
pub use subscription::{Begun, Subscription};

/// The schema, from this root of queries: [`Query`], or [`SubgraphQuery`] in a federation.
pub type Schema<Root = Query> = async_graphql::Schema<Root, Mutation, Subscription>;

type SchemaBuilder<Root> = async_graphql::SchemaBuilder<Root, Mutation, Subscription>;

/// The schema over these use cases.
#[must_use]
pub fn schema(auth: Arc<Auth>, introspection: bool) -> Schema {
    finish(builder(), auth, introspection)
}

/// The same as a subgraph.
#[must_use]
pub fn subgraph(
    auth: Arc<Auth>,
    introspection: bool,
    supergraph: Supergraph,
) -> Schema<SubgraphQuery> {
    finish(builder().data(supergraph), auth, introspection)
}

fn finish<Root: ObjectType + 'static>(
    builder: SchemaBuilder<Root>,
    auth: Arc<Auth>,
    introspection: bool,
) -> Schema<Root> {
    let builder = builder.data(auth).extension(ExecutionExtension);
    if introspection {
        builder.finish()
    } else {
        // "Did you mean" tells the schema to whoever asks for enough wrong fields.
        builder.disable_introspection().disable_suggestions().finish()
    }
}

/// The schema as text.
#[must_use]
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new()
        .sorted_fields()
        .prefer_single_line_descriptions()
        .include_specified_by();
    builder::<Query>().finish().sdl_with_options(options)
}

fn builder<Root: ObjectType + Default + 'static>() -> SchemaBuilder<Root> {
    Schema::build(Root::default(), Mutation::default(), Subscription)
        .register_output_type::<types::Node>()
}

/// A request with what its resolvers need.
#[must_use]
pub fn attach(
    request: async_graphql::Request,
    auth: &Arc<Auth>,
    caller: Caller,
    cookie: Arc<RefreshCookie>,
) -> async_graphql::Request {
    let (loaders, reads) = (Loaders::new(auth), ListReads::default());
    request.data(Shared { caller, loaders, reads, cookie })
}

/// What the resolvers of one request share. One value, as async-graphql finds each by its type in a map.
struct Shared {
    caller: Caller,
    loaders: Loaders,
    reads: ListReads,
    cookie: Arc<RefreshCookie>,
}

/// The use cases.
fn auth<'a>(context: &Context<'a>) -> &'a Arc<Auth> {
    context.data_unchecked::<Arc<Auth>>()
}

/// Who sent the request.
fn caller<'a>(context: &Context<'a>) -> &'a Caller {
    &context.data_unchecked::<Shared>().caller
}

/// The cookie that came with the request.
fn cookie<'a>(context: &Context<'a>) -> &'a RefreshCookie {
    &context.data_unchecked::<Shared>().cookie
}

/// The loaders of the request.
fn loaders<'a>(context: &Context<'a>) -> &'a Loaders {
    &context.data_unchecked::<Shared>().loaders
}

/// The list reads of the request.
fn list_reads<'a>(context: &Context<'a>) -> &'a ListReads {
    &context.data_unchecked::<Shared>().reads
}

/// Who is logged in, in a field that is guarded.
fn viewer(context: &Context<'_>) -> async_graphql::Result<Viewer> {
    auth(context).guard.authenticate(caller(context)).map_err(|denial| expose(denial.into()))
}

/// The permission of an administrator, in a field that is guarded by this role.
fn admin(context: &Context<'_>) -> async_graphql::Result<Admin> {
    viewer(context)?.admin().map_err(|denial| expose(denial.into()))
}
