//! Types that selection sets select from: parent types, in the words of the specification.

use async_graphql::Positioned;
use async_graphql::parser::types::{OperationType, TypeCondition};
use async_graphql::registry::{MetaType, Registry};

/// The type at the root of an operation.
pub(in crate::graphql) fn root(registry: &Registry, operation: OperationType) -> Option<&MetaType> {
    registry.types.get(match operation {
        OperationType::Query => registry.query_type.as_str(),
        OperationType::Mutation => registry.mutation_type.as_deref()?,
        OperationType::Subscription => registry.subscription_type.as_deref()?,
    })
}

/// The type of a type condition.
pub(in crate::graphql) fn on<'a>(
    registry: &'a Registry,
    condition: &Positioned<TypeCondition>,
) -> Option<&'a MetaType> {
    registry.types.get(condition.node.on.node.as_str())
}

/// The type of an inline fragment within a selection set of the type `parent`.
pub(in crate::graphql) fn within<'a>(
    parent: &'a MetaType,
    registry: &'a Registry,
    condition: Option<&Positioned<TypeCondition>>,
) -> Option<&'a MetaType> {
    condition.map_or(Some(parent), |condition| on(registry, condition))
}
