//! Positions of the arguments with a variable in their values.
//!
//! Specification: GraphQL over HTTP (draft) tells errors of a document from errors of its variables.
//! async-graphql 7.2 validates an argument with the values of variables put in, and reports the
//! position of the argument only.
//! Upstream: no upstream issue positions (2026-11).
//! Remove when: async-graphql reports a wrong value of a variable as an error of that variable.
//!
//! The recursion is bounded, since the limits of documents bound the nesting of selection sets.

use std::collections::HashSet;

use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Pos, Positioned};

/// Positions of the arguments with a variable in their values, at fields and at directives.
pub(in crate::graphql) fn positions(document: &ExecutableDocument) -> HashSet<Pos> {
    let mut positions = HashSet::new();
    for (_, operation) in document.operations.iter() {
        add_of_directives(&operation.node.directives, &mut positions);
        add_of_selections(&operation.node.selection_set.node, &mut positions);
    }
    for fragment in document.fragments.values() {
        add_of_directives(&fragment.node.directives, &mut positions);
        add_of_selections(&fragment.node.selection_set.node, &mut positions);
    }
    positions
}

fn add_of_selections(set: &SelectionSet, positions: &mut HashSet<Pos>) {
    for selection in &set.items {
        add_of_directives(selection.node.directives(), positions);
        match &selection.node {
            Selection::Field(field) => {
                for (name, value) in &field.node.arguments {
                    if value.node.clone().into_const().is_none() {
                        positions.insert(name.pos);
                    }
                }
                add_of_selections(&field.node.selection_set.node, positions);
            }
            Selection::InlineFragment(inline) => {
                add_of_selections(&inline.node.selection_set.node, positions);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn add_of_directives(directives: &[Positioned<Directive>], positions: &mut HashSet<Pos>) {
    for (name, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
        if value.node.clone().into_const().is_none() {
            positions.insert(name.pos);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<usize> {
        let document = async_graphql::parser::parse_query(text).unwrap();
        let mut columns: Vec<_> =
            positions(&document).iter().map(|position| position.column).collect();
        columns.sort_unstable();
        columns
    }

    #[test]
    fn arguments_are_found_wherever_they_are() {
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
