//! Order of the members of `data`.
//!
//! Specification: GraphQL (September 2025), sections 6.3.2 (`CollectFields`) and 7.2.2: members are in
//! the order in which the operation selects them.
//! async-graphql 7.2 has them in the order in which their resolvers finished.
//! Upstream: <https://github.com/async-graphql/async-graphql/issues/612> (open).
//! Remove when: that issue is resolved in the version used here.
//!
//! The same walk removes the members that [`empty_objects`] added.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Response, Value};

use super::empty_objects;

/// Sorts the members of `data`, the response to an operation with these selections.
pub(in crate::graphql) fn restore(
    response: &mut Response,
    selections: &SelectionSet,
    document: &ExecutableDocument,
) {
    sort(vec![&mut response.data], &[selections], document);
}

/// Sorts the members of these values and of all values in them. All have the same selections.
fn sort(values: Vec<&mut Value>, selections: &[&SelectionSet], document: &ExecutableDocument) {
    let mut fields = Fields::new();
    for set in selections {
        collect(&mut fields, set, document);
    }
    let mut objects = Vec::new();
    let mut values = values;
    while let Some(value) = values.pop() {
        match value {
            Value::List(items) => values.extend(items),
            Value::Object(members) => objects.push(members),
            _ => {}
        }
    }
    if selections.iter().any(|set| empty_objects::may_select_nothing(set)) {
        for members in &mut objects {
            members.swap_remove(empty_objects::ADDED_NAME);
        }
    }
    // Sorting copies all members, so it is left out where there is only one.
    for members in objects.iter_mut().filter(|members| members.len() > 1) {
        members.sort_by_key(|name, _| fields.get_index_of(name.as_str()));
    }
    for (name, selections) in &fields {
        let of_this_name = objects.iter_mut().filter_map(|members| members.get_mut(*name));
        let inner: Vec<_> = of_this_name.collect();
        if !inner.is_empty() {
            sort(inner, selections, document);
        }
    }
}

/// Fields of a selection set by their response names, each with its selection sets.
type Fields<'a> = IndexMap<&'a str, Vec<&'a SelectionSet>>;

fn collect<'a>(fields: &mut Fields<'a>, set: &'a SelectionSet, document: &'a ExecutableDocument) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                let selections = fields.entry(&field.node.response_key().node).or_default();
                selections.push(&field.node.selection_set.node);
            }
            Selection::InlineFragment(inline) => {
                collect(fields, &inline.node.selection_set.node, document);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect(fields, &fragment.node.selection_set.node, document);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::document::{Limits, prepare};
    use async_graphql::value;

    #[test]
    fn members_are_sorted_as_they_were_selected() {
        let data = || value!({ "c": 1, "b": { "y": 1, "x": 2 }, "a": [[{ "y": 1, "x": 2 }], []] });
        for text in [
            "{ a { x y } b { x y } c }",
            "{ a: q { x y } ...F c } fragment F on Q { b { x y } }",
            "{ a { x } b { ...G } a { y } ... { c } } fragment G on B { x y }",
        ] {
            let mut response = Response::new(data());
            prepare(text, None, &Limits::default()).unwrap().complete(&mut response);
            let sorted = "{a: [[{x: 2, y: 1}], []], b: {x: 2, y: 1}, c: 1}";
            assert_eq!(response.data.to_string(), sorted, "{text}");
        }
    }
}
