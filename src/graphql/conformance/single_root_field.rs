//! The one field of a subscription (GraphQL specification, section 5.2.4.1).
//!
//! async-graphql does not ask for it: it answers a fragment at the root with silence, and a directive
//! there not at all.

use async_graphql::parser::types::{OperationDefinition, OperationType, Selection};

use crate::graphql::refusal::Refusal;

const MESSAGE: &str = "A subscription selects one field, without a fragment or a directive";

/// Refuses a subscription that selects anything but one field.
pub(in crate::graphql) fn check(selected: &OperationDefinition) -> Result<(), Refusal> {
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
    Err(Refusal::Invalid(MESSAGE.to_owned(), Some(set.pos)))
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
