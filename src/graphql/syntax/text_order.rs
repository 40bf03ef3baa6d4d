//! Operations and fragments of a document in the order of its text.
//!
//! The parser keeps both in hash maps. With an order, the same document is refused for the same reason
//! each time.

use async_graphql::parser::types::{ExecutableDocument, FragmentDefinition, OperationDefinition};
use async_graphql::{Name, Positioned};

pub(in crate::graphql) fn operations(
    document: &ExecutableDocument,
) -> Vec<&Positioned<OperationDefinition>> {
    let mut all: Vec<_> = document.operations.iter().map(|(_, operation)| operation).collect();
    all.sort_by_key(|operation| (operation.pos.line, operation.pos.column));
    all
}

pub(in crate::graphql) fn fragments(
    document: &ExecutableDocument,
) -> Vec<(&Name, &Positioned<FragmentDefinition>)> {
    let mut all: Vec<_> = document.fragments.iter().collect();
    all.sort_by_key(|(_, fragment)| (fragment.pos.line, fragment.pos.column));
    all
}
