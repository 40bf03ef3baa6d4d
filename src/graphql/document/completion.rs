//! The members of `data`: all that were asked for, in the order in which they were asked for.
//!
//! async-graphql 7.2 leaves the member of a failed field out, and puts the others in the order in
//! which their resolvers came to an end. Rule: after this, a failed field is null, and the order is
//! that of `CollectFields()` (section 6.3.2 of the GraphQL specification). What is null because a
//! member could not be null stays as async-graphql left it: types are not known here.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, PathSegment, Response, Value};

/// Completes what came of the operation with these selections.
pub(super) fn complete(
    response: &mut Response,
    selections: &SelectionSet,
    document: &ExecutableDocument,
) {
    for error in &response.errors {
        put_null(&mut response.data, &error.path);
    }
    sort(vec![&mut response.data], &[selections], document);
}

/// Puts null where the first member on the path of an error is missing.
fn put_null(mut value: &mut Value, path: &[PathSegment]) {
    for segment in path {
        let member = match (segment, value) {
            (PathSegment::Field(name), Value::Object(members)) => {
                Some(members.entry(Name::new(name)).or_insert(Value::Null))
            }
            (PathSegment::Index(index), Value::List(items)) => items.get_mut(*index),
            _ => None,
        };
        let Some(member) = member else { return };
        value = member;
    }
}

/// Sorts the members of these values, all of the same selections, and of what is in them.
fn sort(values: Vec<&mut Value>, selections: &[&SelectionSet], document: &ExecutableDocument) {
    let mut fields = Fields::default();
    for set in selections {
        fields.collect(set, document);
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
    // One alone is in its place, and sorting copies all.
    for members in objects.iter_mut().filter(|members| members.len() > 1) {
        members.sort_by_key(|name, _| fields.places.get(name.as_str()).copied());
    }
    for (name, selections) in &fields.in_order {
        let of_this_name = objects.iter_mut().filter_map(|members| members.get_mut(*name));
        let inner: Vec<_> = of_this_name.collect();
        if !inner.is_empty() {
            sort(inner, selections, document);
        }
    }
}

/// The fields of a selection set by their response names, with what is selected of each.
#[derive(Default)]
struct Fields<'a> {
    in_order: Vec<(&'a str, Vec<&'a SelectionSet>)>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Fields<'a> {
    fn collect(&mut self, set: &'a SelectionSet, document: &'a ExecutableDocument) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.response_key().node.as_str();
                    let place = *self.places.entry(name).or_insert(self.in_order.len());
                    if place == self.in_order.len() {
                        self.in_order.push((name, Vec::new()));
                    }
                    self.in_order[place].1.push(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => {
                    self.collect(&inline.node.selection_set.node, document);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node)
                    {
                        self.collect(&fragment.node.selection_set.node, document);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::document::{Limits, prepare};
    use async_graphql::{ServerError, value};

    /// `data` after completion, with errors at these paths.
    fn completed(text: &str, data: Value, paths: &[&[&str]]) -> String {
        let mut response = Response::new(data);
        for path in paths {
            let segment = |part: &&str| match part.parse() {
                Ok(index) => PathSegment::Index(index),
                Err(_) => PathSegment::Field((*part).to_owned()),
            };
            let path = path.iter().map(segment).collect();
            response.errors.push(ServerError::new("failed", None).with_path(path));
        }
        prepare(text, None, &Limits::default()).unwrap().complete(&mut response);
        response.data.to_string()
    }

    #[test]
    fn members_are_sorted_as_they_were_asked_for() {
        let data = || value!({ "c": 1, "b": { "y": 1, "x": 2 }, "a": [[{ "y": 1, "x": 2 }], []] });
        for text in [
            "{ a { x y } b { x y } c }",
            "{ a: q { x y } ...F c } fragment F on Q { b { x y } }",
            "{ a { x } b { ...G } a { y } ... { c } } fragment G on B { x y }",
        ] {
            let sorted = "{a: [[{x: 2, y: 1}], []], b: {x: 2, y: 1}, c: 1}";
            assert_eq!(completed(text, data(), &[]), sorted, "{text}");
        }
    }

    #[test]
    fn a_failed_field_is_null() {
        let text = "{ a b { c d } e { f } }";
        let data = value!({ "b": { "d": 1 }, "e": [{ "f": 1 }, {}] });
        let paths: [&[&str]; 3] = [&["a"], &["b", "c"], &["e", "1", "f"]];
        let expected = "{a: null, b: {c: null, d: 1}, e: [{f: 1}, {f: null}]}";
        assert_eq!(completed(text, data, &paths), expected);
    }

    #[test]
    fn a_list_that_failed_with_one_of_its_items_is_null() {
        let data = value!({ "a": 1 });
        assert_eq!(completed("{ b a }", data, &[&["b", "3", "c"]]), "{b: null, a: 1}");
    }

    #[test]
    fn what_is_there_or_null_already_stays_so() {
        let data = value!({ "a": null, "b": 1 });
        assert_eq!(completed("{ a b }", data, &[&["a", "x"], &["b"]]), "{a: null, b: 1}");
        assert_eq!(completed("{ a }", Value::Null, &[&["a"]]), "null");
    }
}
