//! The GraphQL schema and its text.

use std::sync::Arc;

use async_graphql::{ObjectType, SDLExportOptions};

use super::execution::ExecutionExtension;
use super::mutations::Mutation;
use super::query::Query;
use super::subscription::Subscription;
use super::types;
use crate::auth::Auth;

/// The schema with this root type of queries. A subgraph has its own one.
pub type Schema<Root = Query> = async_graphql::Schema<Root, Mutation, Subscription>;

pub(super) type SchemaBuilder<Root> = async_graphql::SchemaBuilder<Root, Mutation, Subscription>;

/// The schema over these use cases.
#[must_use]
pub fn schema(auth: Arc<Auth>, introspection: bool) -> Schema {
    finish(builder(), auth, introspection)
}

/// The schema as text (SDL).
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .prefer_single_line_descriptions()
        .include_specified_by();
    builder::<Query>().finish().sdl_with_options(options)
}

pub(super) fn builder<Root: ObjectType + Default + 'static>() -> SchemaBuilder<Root> {
    Schema::build(Root::default(), Mutation::default(), Subscription)
        .register_output_type::<types::Node>()
}

pub(super) fn finish<Root: ObjectType + 'static>(
    builder: SchemaBuilder<Root>,
    auth: Arc<Auth>,
    introspection: bool,
) -> Schema<Root> {
    let builder = builder.data(auth).extension(ExecutionExtension);
    if introspection {
        builder.finish()
    } else {
        // Suggestions ("Did you mean") would reveal the schema to anyone who sends enough wrong names.
        builder.disable_introspection().disable_suggestions().finish()
    }
}
