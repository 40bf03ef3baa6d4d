//! Description of the schema in introspection.
//!
//! Specification: GraphQL (September 2025), section 4.2.1: `__Schema.description` is that of the
//! schema.
//! async-graphql 7.2 answers with one fixed text for every schema, and its builder takes none.
//! Upstream: <https://github.com/async-graphql/async-graphql/pull/1489> (merged; added the field with
//! the fixed text).
//! Remove when: `SchemaBuilder` takes the description of the schema.

use async_graphql::Value;
use async_graphql::extensions::ResolveInfo;

const DESCRIPTION: &str = "Sallyport: authentication service for GraphQL. Login, refresh and logout \
    are mutations, and the tokens of an ended session are refused at once.";

/// The value of the field if it is `__Schema.description`.
pub(in crate::graphql) fn resolve(field: &ResolveInfo<'_>) -> Option<Value> {
    let is_description = field.is_for_introspection
        && field.parent_type == "__Schema"
        && field.name == "description";
    is_description.then(|| Value::from(DESCRIPTION))
}
