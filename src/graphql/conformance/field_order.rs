//! The order of the members of `data`: that in which they were asked for.
//!
//! async-graphql 7.2 puts the members of an object in the order in which their resolvers came to an
//! end. After this the order is that of `CollectFields()` (GraphQL specification, section 6.3.2), and
//! what was only selected for an object to be there is gone (see [`empty_objects`]).

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Response, Value};

use super::empty_objects;

/// Sorts what came of the operation with these selections.
pub(in crate::graphql) fn complete(
    response: &mut Response,
    selections: &SelectionSet,
    document: &ExecutableDocument,
) {
    sort(vec![&mut response.data], &[selections], document);
}

/// Sorts the members of these values, all of the same selections, and of what is in them.
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
            members.swap_remove(empty_objects::ADDED);
        }
    }
    // One alone is in its place, and sorting copies all.
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

/// The fields of a selection set by their response names, with what is selected of each.
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
    fn members_are_sorted_as_they_were_asked_for() {
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
