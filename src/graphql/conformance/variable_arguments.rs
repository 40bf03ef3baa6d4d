//! Which arguments of a document take their value, or part of it, from a variable.
//!
//! async-graphql checks an argument with the variables' values put in, and says only where the
//! argument stands. Rule: recursion goes no deeper than [`super::prepare`] lets a text nest.

use std::collections::HashSet;

use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Pos, Positioned};

/// The places of these arguments, of fields and of directives.
pub(in crate::graphql) fn with_variables(document: &ExecutableDocument) -> HashSet<Pos> {
    let mut found = HashSet::new();
    for (_, operation) in document.operations.iter() {
        of_directives(&operation.node.directives, &mut found);
        of_selections(&operation.node.selection_set.node, &mut found);
    }
    for fragment in document.fragments.values() {
        of_directives(&fragment.node.directives, &mut found);
        of_selections(&fragment.node.selection_set.node, &mut found);
    }
    found
}

fn of_selections(set: &SelectionSet, found: &mut HashSet<Pos>) {
    for selection in &set.items {
        of_directives(selection.node.directives(), found);
        match &selection.node {
            Selection::Field(field) => {
                for (name, value) in &field.node.arguments {
                    if value.node.clone().into_const().is_none() {
                        found.insert(name.pos);
                    }
                }
                of_selections(&field.node.selection_set.node, found);
            }
            Selection::InlineFragment(inline) => {
                of_selections(&inline.node.selection_set.node, found);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn of_directives(directives: &[Positioned<Directive>], found: &mut HashSet<Pos>) {
    for (name, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
        if value.node.clone().into_const().is_none() {
            found.insert(name.pos);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<usize> {
        let document = async_graphql::parser::parse_query(text).unwrap();
        let mut columns: Vec<_> =
            with_variables(&document).iter().map(|place| place.column).collect();
        columns.sort_unstable();
        columns
    }

    #[test]
    fn arguments_are_found_wherever_they_stand() {
        assert_eq!(columns("query($v: Int) { f(a: $v, b: 1) }"), [20]);
        assert_eq!(columns("query($v: Int) { f { g(a: [{ b: $v }]) } }"), [24]);
        assert_eq!(columns("query($v: Int) { ... @d(a: $v) { f } }"), [25]);
        assert_eq!(columns("query($v: Int) @d(a: $v) { f }"), [19]);
        assert_eq!(columns("{ ...F } fragment F on Q @d(a: $v) { f(a: $v) }"), [29, 40]);
    }

    #[test]
    fn constants_are_not_variables() {
        assert_eq!(
            columns(r#"query($v: Int = 1) { f(a: "$v", b: [v, { c: 1 }]) @d(e: 2) }"#),
            [0; 0]
        );
    }
}
