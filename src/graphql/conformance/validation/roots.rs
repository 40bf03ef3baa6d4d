//! Single root field (section 5.2.4.1), of the operations that are not selected, too.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};

use super::invalid;
use crate::graphql::refusal::Refusal;
use crate::graphql::syntax::text_order;

pub(super) fn check(document: &ExecutableDocument) -> Result<(), Refusal> {
    for operation in text_order::operations(document) {
        let set = &operation.node.selection_set;
        if operation.node.ty != OperationType::Subscription {
            continue;
        }
        let mut names = HashSet::new();
        collect(&set.node, document, &mut names);
        if names.len() != 1 || names.iter().any(|(_, name)| name.starts_with("__")) {
            return invalid("A subscription selects one field".to_owned(), set.pos);
        }
    }
    Ok(())
}

/// The response names and the names of the fields.
fn collect<'a>(
    set: &'a SelectionSet,
    document: &'a ExecutableDocument,
    names: &mut HashSet<(&'a str, &'a str)>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                names.insert((&field.node.response_key().node, &field.node.name.node));
            }
            Selection::InlineFragment(inline) => {
                collect(&inline.node.selection_set.node, document, names);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect(&fragment.node.selection_set.node, document, names);
                }
            }
        }
    }
}
