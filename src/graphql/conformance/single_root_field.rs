//! Single root field of subscriptions.
//!
//! Specification: GraphQL (September 2025), section 5.2.4.1.
//! async-graphql 7.2 has no such rule: it opens a stream for each root field, and none for a root
//! field in a fragment, so that the subscription ends at once and without an error.
//! Upstream: no upstream issue found (2026-11).
//! Remove when: async-graphql refuses a subscription with several root fields, and opens a stream
//! for a root field that a fragment selects or that has a directive.

use std::collections::HashSet;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};

use crate::graphql::refusal::Refusal;
use crate::graphql::syntax::text_order;

/// Refuses to execute a subscription whose root selects anything but one field. This is stricter
/// than the specification, which allows fragments and directives there: async-graphql ignores both.
pub(in crate::graphql) fn check_selected(selected: &OperationDefinition) -> Result<(), Refusal> {
    let set = &selected.selection_set;
    let is_one_field = match set.node.items.as_slice() {
        [only] => match &only.node {
            Selection::Field(field) => {
                field.node.directives.is_empty() && !field.node.name.node.starts_with("__")
            }
            _ => false,
        },
        _ => false,
    };
    if selected.ty != OperationType::Subscription || is_one_field {
        return Ok(());
    }
    let message = "A subscription must select one field, without a fragment or a directive.";
    Err(Refusal::invalid(message, set.pos))
}

/// The rule as it is specified, for every operation of the document. It also covers the
/// subscriptions that are not selected for execution.
pub(super) fn check(document: &ExecutableDocument) -> Result<(), Refusal> {
    for operation in text_order::operations(document) {
        let set = &operation.node.selection_set;
        if operation.node.ty != OperationType::Subscription {
            continue;
        }
        let mut fields = HashSet::new();
        collect_fields(&set.node, document, &mut fields);
        if fields.len() != 1 || fields.iter().any(|(_, name)| name.starts_with("__")) {
            return Err(Refusal::invalid("A subscription must select one field.", set.pos));
        }
    }
    Ok(())
}

/// Collects pairs of response name and field name.
fn collect_fields<'a>(
    set: &'a SelectionSet,
    document: &'a ExecutableDocument,
    fields: &mut HashSet<(&'a str, &'a str)>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                fields.insert((&field.node.response_key().node, &field.node.name.node));
            }
            Selection::InlineFragment(inline) => {
                collect_fields(&inline.node.selection_set.node, document, fields);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect_fields(&fragment.node.selection_set.node, document, fields);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::graphql::document::{Limits, prepare};

    #[test]
    fn a_subscription_selects_one_field() {
        for (text, is_one) in [
            ("subscription { a }", true),
            ("subscription { b: a { c d } }", true),
            ("query { a b __typename ...F } fragment F on Q { c }", true),
            ("subscription { a b }", false),
            ("subscription { __typename }", false),
            ("subscription { ...F } fragment F on S { a }", false),
            ("subscription { ... { a } }", false),
            ("subscription { a @skip(if: true) }", false),
        ] {
            assert_eq!(prepare(text, None, &Limits::default()).is_ok(), is_one, "{text}");
        }
    }
}
