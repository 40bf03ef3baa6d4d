//! Default values of variables.
//!
//! Specification: GraphQL (September 2025), section 6.1.2: a variable that is not given has its
//! default value wherever it is used.
//! async-graphql 7.2 uses the default at arguments of fields, but takes `false` for it at `@skip` and
//! `@include`.
//! Upstream: <https://github.com/async-graphql/async-graphql/pull/1827> (open).
//! Remove when: that pull request, or one like it, is in the version used here.

use async_graphql::Variables;
use async_graphql::parser::types::OperationDefinition;

/// Adds the default values of the variables that are not given.
pub(in crate::graphql) fn add(variables: &mut Variables, operation: &OperationDefinition) {
    for definition in operation.variable_definitions.iter().map(|definition| &definition.node) {
        if let Some(default) = &definition.default_value {
            let name = definition.name.node.clone();
            variables.entry(name).or_insert_with(|| default.node.clone());
        }
    }
}
