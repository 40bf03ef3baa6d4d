//! Objects of which a request selects nothing.
//!
//! Specification: GraphQL (September 2025), section 6.4.3: an object is completed to the map of its
//! selected fields, which is empty if all of them are skipped or are fields of other types.
//! async-graphql 7.2 completes such an object to null, and then leaves out what another selection of
//! the same field selects of it.
//! Upstream: no upstream issue found (2026-11).
//! Remove when: async-graphql answers `{ viewer { id @skip(if: true) } }` with an empty object.
//!
//! Where directives or type conditions decide whether anything is selected, the document that is
//! executed also selects `__typename` under [`ADDED_NAME`]. [`field_order`](super::field_order)
//! removes that member from the response.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned};

/// Response name of the added field. No document can use it, since it is not a GraphQL name.
pub(super) const ADDED_NAME: &str = "(type)";

/// Adds a field to every selection set that may select nothing of an object.
pub(in crate::graphql) fn add_type_names(document: &mut ExecutableDocument) {
    match &mut document.operations {
        DocumentOperations::Single(only) => add_within(&mut only.node.selection_set.node),
        DocumentOperations::Multiple(named) => {
            for operation in named.values_mut() {
                add_within(&mut operation.node.selection_set.node);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        add_within(&mut fragment.node.selection_set.node);
    }
}

fn add_within(set: &mut SelectionSet) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                let at = field.pos;
                let set = &mut field.node.selection_set.node;
                add_within(set);
                if may_select_nothing(set) {
                    set.items.push(type_name(at));
                }
            }
            Selection::InlineFragment(inline) => add_within(&mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Whether the set selects nothing of some object with some variables. False for the missing set of
/// a leaf.
pub(super) fn may_select_nothing(set: &SelectionSet) -> bool {
    let is_unconditional = |selection: &Positioned<Selection>| matches!(&selection.node, Selection::Field(field) if field.node.directives.is_empty());
    !set.items.is_empty() && !set.items.iter().any(is_unconditional)
}

fn type_name(at: Pos) -> Positioned<Selection> {
    let field = Field {
        alias: Some(Positioned::new(Name::new(ADDED_NAME), at)),
        name: Positioned::new(Name::new("__typename"), at),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::default(),
    };
    Positioned::new(Selection::Field(Positioned::new(field, at)), at)
}
