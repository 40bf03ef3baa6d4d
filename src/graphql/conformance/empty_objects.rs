//! Objects of which nothing may be selected: all of it is skipped, or of other types.
//!
//! async-graphql 7.2 makes null of such an object, as if it were not there, and then leaves out what
//! another selection of the same field says of it. Rule: of each object something is selected. Where
//! that hangs on directives or types it is the name of its type, which goes to no client.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned};

/// The response name of what is selected in addition, which is no name that a document can hold.
pub(in crate::graphql) const ADDED: &str = "(type)";

/// Selects something of each object that a field may give.
pub(in crate::graphql) fn ensure(document: &mut ExecutableDocument) {
    match &mut document.operations {
        DocumentOperations::Single(only) => of_fields(&mut only.node.selection_set.node),
        DocumentOperations::Multiple(named) => {
            for operation in named.values_mut() {
                of_fields(&mut operation.node.selection_set.node);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        of_fields(&mut fragment.node.selection_set.node);
    }
}

fn of_fields(set: &mut SelectionSet) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                let at = field.pos;
                let set = &mut field.node.selection_set.node;
                of_fields(set);
                if may_select_nothing(set) {
                    set.items.push(type_name(at));
                }
            }
            Selection::InlineFragment(inline) => of_fields(&mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Whether the set selects nothing of some object, for some variables. A leaf has no set.
pub(in crate::graphql) fn may_select_nothing(set: &SelectionSet) -> bool {
    let is_certain = |selection: &Positioned<Selection>| matches!(&selection.node, Selection::Field(field) if field.node.directives.is_empty());
    !set.items.is_empty() && !set.items.iter().any(is_certain)
}

fn type_name(at: Pos) -> Positioned<Selection> {
    let field = Field {
        alias: Some(Positioned::new(Name::new(ADDED), at)),
        name: Positioned::new(Name::new("__typename"), at),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::default(),
    };
    Positioned::new(Selection::Field(Positioned::new(field, at)), at)
}
