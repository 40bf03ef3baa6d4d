//! Validation rules of the GraphQL specification that async-graphql 7.2 lacks or checks in part.
//!
//! Together with async-graphql's own validation they accept what graphql-js accepts; a test holds
//! that with documents of all kinds. Two deviations are known and stricter: fragments and directives
//! at the root of a subscription (see [`single_root_field`]).
//!
//! These rules run after async-graphql's, so that fields, types and fragments are known to exist. The
//! first error ends the check, and the limits of the document bound the work.

mod directives;
mod field_merging;
mod selections;
mod values;
mod variable_usages;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;

use super::single_root_field;
use crate::graphql::refusal::Refusal;

/// Refuses an invalid document.
pub(in crate::graphql) fn check(
    registry: &Registry,
    document: &ExecutableDocument,
) -> Result<(), Refusal> {
    single_root_field::check(document)?;
    selections::check(registry, document)?;
    field_merging::check(registry, document)
}
