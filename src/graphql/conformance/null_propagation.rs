//! Errors of fields, and the nulls that they leave (GraphQL specification, section 6.4.4).
//!
//! async-graphql 7.2 leaves a failed field out of its object, and an object is null where all of its
//! fields failed, whatever the schema says of either. Invariant: in the response no position is null
//! that is Non-Null in the schema. An error nulls the nearest position that may be null, or else
//! `data`; all other fields are answered.
//!
//! A field that is selected twice is resolved twice under one path, the two beside each other. Rule:
//! an error goes up one field at a time, each as that field is complete, so that neither takes what
//! is still further down in the other.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_graphql::indexmap::IndexMap;
use async_graphql::{
    PathSegment, QueryPathNode, QueryPathSegment, Response, ServerError, ServerResult, Value,
};

/// The most errors in one response. A list of items that fail would repeat itself a hundred times.
pub const MAX_ERRORS: usize = 20;

type Path = Vec<Step>;

/// A step of a path; async-graphql's own is no key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Field(String),
    Index(usize),
}

/// The errors of one execution.
#[derive(Default)]
pub(in crate::graphql) struct Failures {
    /// Whether an error propagates. A field that succeeds asks nothing else.
    propagates: AtomicBool,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// In the order in which they were raised, each with its path.
    errors: Vec<ServerError>,
    /// By the path of the field that is to say whether it may be null: the positions that failed,
    /// itself or items of its. Those of the empty path null `data`.
    propagating: HashMap<Path, HashSet<Path>>,
    /// Positions where errors stopped.
    nulled: Vec<Path>,
}

impl Failures {
    /// The value of the field or the item at this position, of what its resolver gave. All below is
    /// complete.
    ///
    /// Whether an item may be null is asked when its list's field is complete: what async-graphql
    /// says of the type of an item is wrong where it has a reference to it.
    pub(in crate::graphql) fn complete(
        &self,
        at: &QueryPathNode<'_>,
        ty: &str,
        resolved: ServerResult<Option<Value>>,
    ) -> Value {
        let value = match resolved {
            Ok(value) => value.unwrap_or_default(),
            Err(error) => {
                self.fail(at, error);
                Value::Null
            }
        };
        let is_field = matches!(at.segment, QueryPathSegment::Name(_));
        if is_field && self.propagates.load(Ordering::Relaxed) {
            self.stop(&path(at), ty);
        }
        value
    }

    fn fail(&self, at: &QueryPathNode<'_>, mut error: ServerError) {
        let at = path(at);
        if error.path.is_empty() {
            error.path = at.iter().cloned().map(PathSegment::from).collect();
        }
        let mut found = self.found();
        // One for each position: a field that is selected twice fails twice.
        let kept = &mut found.errors;
        if kept.len() < MAX_ERRORS && kept.iter().all(|other| other.path != error.path) {
            kept.push(error);
        }
        found.propagate(at);
        self.propagates.store(true, Ordering::Relaxed);
    }

    /// Stops the errors that have come up to the field at this path where its type says so; the
    /// others go on to the object that the field is of.
    fn stop(&self, at: &[Step], ty: &str) {
        let mut found = self.found();
        let Some(here) = found.propagating.remove(at) else { return };
        for mut position in here {
            let indices = position.len() - at.len();
            match (0..=indices).rev().find(|&depth| may_be_null(ty, depth)) {
                Some(depth) => {
                    position.truncate(at.len() + depth);
                    found.nulled.push(position);
                }
                None => found.propagate(at[..at.len() - 1].to_vec()),
            }
        }
        self.propagates.store(!found.propagating.is_empty(), Ordering::Relaxed);
    }

    /// Puts the errors into the response, and null where they stopped. Not before all is merged: a
    /// field that is selected twice is resolved twice.
    pub(in crate::graphql) fn settle(&self, response: &mut Response) {
        let Found { errors, propagating, nulled } = std::mem::take(&mut *self.found());
        self.propagates.store(false, Ordering::Relaxed);
        if !propagating.is_empty() {
            response.data = Value::Null;
        } else if response.data == Value::Null && response.errors.is_empty() {
            response.data = Value::Object(IndexMap::new());
        }
        for path in &nulled {
            put_null(&mut response.data, path);
        }
        response.errors.extend(errors);
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    /// Leaves a position that failed to the field that it is of, which is not complete yet.
    fn propagate(&mut self, position: Path) {
        let is_index = |step: &&Step| matches!(step, Step::Index(_));
        let indices = position.iter().rev().take_while(is_index).count();
        let field = position[..position.len() - indices].to_vec();
        self.propagating.entry(field).or_default().insert(position);
    }
}

impl From<Step> for PathSegment {
    fn from(step: Step) -> Self {
        match step {
            Step::Field(name) => Self::Field(name),
            Step::Index(index) => Self::Index(index),
        }
    }
}

fn path(to: &QueryPathNode<'_>) -> Path {
    let mut path = to.parent.map(path).unwrap_or_default();
    path.push(match to.segment {
        QueryPathSegment::Index(index) => Step::Index(index),
        QueryPathSegment::Name(name) => Step::Field(name.to_owned()),
    });
    path
}

/// Whether the type lets its items at this depth of lists be null; at 0, the whole value.
fn may_be_null(ty: &str, depth: usize) -> bool {
    (0..depth).try_fold(ty, |ty, _| of_items(ty)).is_some_and(|ty| !ty.ends_with('!'))
}

/// The type of the items, where the type is one of lists.
fn of_items(ty: &str) -> Option<&str> {
    ty.strip_suffix('!').unwrap_or(ty).strip_prefix('[')?.strip_suffix(']')
}

/// Puts null at the path, unless something above is null.
fn put_null(mut value: &mut Value, path: &[Step]) {
    for segment in path {
        let member = match (segment, value) {
            (Step::Field(name), Value::Object(members)) => members.get_mut(name.as_str()),
            (Step::Index(index), Value::List(items)) => items.get_mut(*index),
            _ => None,
        };
        let Some(member) = member else { return };
        value = member;
    }
    *value = Value::Null;
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::value;

    /// Completes the field or the item at a path such as `a.0.b`, with an error or with nothing.
    fn complete(failures: &Failures, at: &str, ty: &str, fails: bool) {
        fn walk(
            steps: &[&str],
            parent: Option<&QueryPathNode<'_>>,
            then: &mut dyn FnMut(&QueryPathNode<'_>),
        ) {
            let segment = match steps[0].parse() {
                Ok(index) => QueryPathSegment::Index(index),
                Err(_) => QueryPathSegment::Name(steps[0]),
            };
            let node = QueryPathNode { parent, segment };
            match &steps[1..] {
                [] => then(&node),
                further => walk(further, Some(&node), then),
            }
        }
        let steps: Vec<_> = at.split('.').collect();
        walk(&steps, None, &mut |at| {
            let failed = Err(ServerError::new("failed", None));
            failures.complete(at, ty, if fails { failed } else { Ok(None) });
        });
    }

    fn settled(failures: &Failures, data: Value) -> Value {
        let mut response = Response::new(data);
        failures.settle(&mut response);
        response.data
    }

    #[test]
    fn a_field_that_is_selected_twice_leaves_the_errors_of_the_other_where_they_are() {
        let failures = Failures::default();
        complete(&failures, "viewer.list.0.user.list", "List!", true);
        // Of the other selection, which is done sooner.
        complete(&failures, "viewer.other", "List!", false);
        complete(&failures, "viewer", "User", false);
        complete(&failures, "viewer.list.0.user", "User", false);
        complete(&failures, "viewer.list", "[Node!]!", false);
        complete(&failures, "viewer", "User", false);
        let data = value!({ "viewer": { "other": {}, "list": [{ "user": { "list": null } }] } });
        let expected = value!({ "viewer": { "other": {}, "list": [{ "user": null }] } });
        assert_eq!(settled(&failures, data), expected);
    }

    #[test]
    fn an_error_stops_at_the_nearest_list_or_item_that_may_be_null() {
        for (list, expected) in [
            ("[[Node]!]!", value!({ "a": { "list": [[{}, null], []] } })),
            ("[[Node!]]!", value!({ "a": { "list": [null, []] } })),
            ("[[Node!]!]", value!({ "a": { "list": null } })),
            ("[[Node!]!]!", value!({ "a": null })),
        ] {
            let failures = Failures::default();
            complete(&failures, "a.list.0.1.id", "ID!", true);
            complete(&failures, "a.list.0.1", "", false);
            complete(&failures, "a.list.0", "", false);
            complete(&failures, "a.list", list, false);
            complete(&failures, "a", "A", false);
            let data = value!({ "a": { "list": [[{}, { "id": null }], []] } });
            assert_eq!(settled(&failures, data), expected, "{list}");
        }
    }

    #[test]
    fn what_stops_nowhere_nulls_all_data() {
        let failures = Failures::default();
        complete(&failures, "a.0", "", true);
        complete(&failures, "a", "[A!]!", false);
        complete(&failures, "b", "B", false);
        assert_eq!(settled(&failures, value!({ "a": [null], "b": {} })), Value::Null);
    }
}
