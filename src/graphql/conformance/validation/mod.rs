//! Validation rules of the GraphQL specification that async-graphql 7.2 lacks or has in part.
//!
//! Rule: together the two accept what graphql-js accepts, which a test holds with documents of all
//! kinds. Only of a subscription that is selected less is accepted: see `single_root_field`. This
//! part runs after the library's, so that fields, types and fragments are known to exist. The first
//! error is enough, and the work is bounded by the limits of the document.

mod directives;
mod field_merging;
mod roots;
mod values;
mod variable_usages;

use async_graphql::Pos;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;

use crate::graphql::refusal::Refusal;

/// Refuses an invalid document.
pub(in crate::graphql) fn check(
    registry: &Registry,
    document: &ExecutableDocument,
) -> Result<(), Refusal> {
    roots::check(document)?;
    values::check(registry, document)?;
    field_merging::check(registry, document)
}

fn invalid<T>(message: String, at: Pos) -> Result<T, Refusal> {
    Err(Refusal::Invalid(message, Some(at)))
}
