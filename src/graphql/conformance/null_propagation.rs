//! Errors of fields, and the nulls that they cause.
//!
//! Specification: GraphQL (September 2025), section 6.4.4.
//! async-graphql 7.2 leaves a failed field out of its object, and makes an object null if all of its
//! fields failed, whatever the types say.
//! Upstream: <https://github.com/async-graphql/async-graphql/issues/1272> and
//! <https://github.com/async-graphql/async-graphql/issues/1449> (open).
//! Remove when: an error in async-graphql nulls the nearest nullable position, and nothing else.
//!
//! Invariant: no position of the response is null that is Non-Null in the schema. An error nulls the
//! nearest position that may be null, or else `data`; all other fields are answered.
//!
//! async-graphql resolves a field that is selected twice two times under one path, concurrently. So
//! an error propagates one field at a time, when that field is complete: neither selection takes an
//! error that is still further down in the other.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::indexmap::IndexMap;
use async_graphql::{
    PathSegment, QueryPathNode, QueryPathSegment, Response, ServerError, ServerResult, Value,
};
use parking_lot::{Mutex, MutexGuard};

/// Errors in one response. A list whose items all fail would repeat one error a hundred times.
pub const MAX_ERRORS: usize = 20;

type Path = Vec<PathStep>;

/// Step of a path. async-graphql's own type does not implement `Hash`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum PathStep {
    Field(String),
    Index(usize),
}

/// Errors of one execution, and the positions that they null.
#[derive(Default)]
pub(in crate::graphql) struct NullPropagation {
    /// Whether `propagating` has entries. A field that succeeds reads this only, without the lock.
    is_propagating: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// In the order in which they were raised, each with its path.
    errors: Vec<ServerError>,
    /// Failed positions, by the path of the field whose type decides next whether they may be null.
    /// A position is that field or an item of its list. Positions of the empty path null `data`.
    propagating: HashMap<Path, HashSet<Path>>,
    /// Positions that become null.
    nulled: Vec<Path>,
}

impl NullPropagation {
    /// Completes a field or an item of a list with the result of its resolver. Everything below it is
    /// complete.
    ///
    /// Whether an item may be null is decided when the field of its list is complete, from the type
    /// of the field. The type that async-graphql has for an item is wrong for references.
    pub(in crate::graphql) fn complete(
        &self,
        at: &QueryPathNode<'_>,
        ty: &str,
        resolved: ServerResult<Option<Value>>,
    ) -> Value {
        let value = match resolved {
            Ok(value) => value.unwrap_or_default(),
            Err(error) => {
                self.add(at, error);
                Value::Null
            }
        };
        let is_field = matches!(at.segment, QueryPathSegment::Name(_));
        if is_field && self.is_propagating.load(Ordering::Relaxed) {
            self.null_or_propagate(&path(at), ty);
        }
        value
    }

    /// Adds an error, and begins its propagation.
    fn add(&self, at: &QueryPathNode<'_>, mut error: ServerError) {
        let at = path(at);
        if error.path.is_empty() {
            error.path = at.iter().cloned().map(PathSegment::from).collect();
        }
        let mut state = self.state();
        // One error for each position: a field that is selected twice fails twice.
        let kept = &mut state.errors;
        if kept.len() < MAX_ERRORS && kept.iter().all(|other| other.path != error.path) {
            kept.push(error);
        }
        state.propagate(at);
        self.is_propagating.store(true, Ordering::Relaxed);
    }

    /// Nulls the failed positions of this field that may be null. The others propagate to the field
    /// of the object around it.
    fn null_or_propagate(&self, at: &[PathStep], ty: &str) {
        let mut state = self.state();
        let Some(positions) = state.propagating.remove(at) else { return };
        for mut position in positions {
            let indices = position.len() - at.len();
            match (0..=indices).rev().find(|&depth| may_be_null(ty, depth)) {
                Some(depth) => {
                    position.truncate(at.len() + depth);
                    state.nulled.push(position);
                }
                None => state.propagate(at[..at.len() - 1].to_vec()),
            }
        }
        self.is_propagating.store(!state.propagating.is_empty(), Ordering::Relaxed);
    }

    /// Adds the errors to the response and nulls their positions. This must be the last step, since
    /// the results of a field that is selected twice are merged before.
    pub(in crate::graphql) fn apply(&self, response: &mut Response) {
        let State { errors, propagating, nulled } = std::mem::take(&mut *self.state());
        self.is_propagating.store(false, Ordering::Relaxed);
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// Enters a failed position under its field, which is not complete yet.
    fn propagate(&mut self, position: Path) {
        let is_index = |step: &&PathStep| matches!(step, PathStep::Index(_));
        let indices = position.iter().rev().take_while(is_index).count();
        let field = position[..position.len() - indices].to_vec();
        self.propagating.entry(field).or_default().insert(position);
    }
}

impl From<PathStep> for PathSegment {
    fn from(step: PathStep) -> Self {
        match step {
            PathStep::Field(name) => Self::Field(name),
            PathStep::Index(index) => Self::Index(index),
        }
    }
}

fn path(node: &QueryPathNode<'_>) -> Path {
    let mut path = node.parent.map(path).unwrap_or_default();
    path.push(match node.segment {
        QueryPathSegment::Index(index) => PathStep::Index(index),
        QueryPathSegment::Name(name) => PathStep::Field(name.to_owned()),
    });
    path
}

/// Whether items at this depth of nested lists may be null; depth 0 is the value itself.
fn may_be_null(ty: &str, depth: usize) -> bool {
    (0..depth).try_fold(ty, |ty, _| item_type(ty)).is_some_and(|ty| !ty.ends_with('!'))
}

/// The type of the items, if the type is a list.
fn item_type(ty: &str) -> Option<&str> {
    ty.strip_suffix('!').unwrap_or(ty).strip_prefix('[')?.strip_suffix(']')
}

/// Puts null at the path, unless a value above it is null.
fn put_null(mut value: &mut Value, path: &[PathStep]) {
    for segment in path {
        let member = match (segment, value) {
            (PathStep::Field(name), Value::Object(members)) => members.get_mut(name.as_str()),
            (PathStep::Index(index), Value::List(items)) => items.get_mut(*index),
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

    /// Completes the field or the item at a path such as `a.0.b`, with an error or with no value.
    fn complete(propagation: &NullPropagation, at: &str, ty: &str, fails: bool) {
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
            propagation.complete(at, ty, if fails { failed } else { Ok(None) });
        });
    }

    fn applied(propagation: &NullPropagation, data: Value) -> Value {
        let mut response = Response::new(data);
        propagation.apply(&mut response);
        response.data
    }

    #[test]
    fn a_field_that_is_selected_twice_takes_no_error_of_the_other_selection() {
        let propagation = NullPropagation::default();
        complete(&propagation, "viewer.list.0.user.list", "List!", true);
        // The other selection, which completes first.
        complete(&propagation, "viewer.other", "List!", false);
        complete(&propagation, "viewer", "User", false);
        complete(&propagation, "viewer.list.0.user", "User", false);
        complete(&propagation, "viewer.list", "[Node!]!", false);
        complete(&propagation, "viewer", "User", false);
        let data = value!({ "viewer": { "other": {}, "list": [{ "user": { "list": null } }] } });
        let expected = value!({ "viewer": { "other": {}, "list": [{ "user": null }] } });
        assert_eq!(applied(&propagation, data), expected);
    }

    #[test]
    fn an_error_nulls_the_nearest_list_or_item_that_may_be_null() {
        for (list, expected) in [
            ("[[Node]!]!", value!({ "a": { "list": [[{}, null], []] } })),
            ("[[Node!]]!", value!({ "a": { "list": [null, []] } })),
            ("[[Node!]!]", value!({ "a": { "list": null } })),
            ("[[Node!]!]!", value!({ "a": null })),
        ] {
            let propagation = NullPropagation::default();
            complete(&propagation, "a.list.0.1.id", "ID!", true);
            complete(&propagation, "a.list.0.1", "", false);
            complete(&propagation, "a.list.0", "", false);
            complete(&propagation, "a.list", list, false);
            complete(&propagation, "a", "A", false);
            let data = value!({ "a": { "list": [[{}, { "id": null }], []] } });
            assert_eq!(applied(&propagation, data), expected, "{list}");
        }
    }

    #[test]
    fn an_error_without_a_nullable_position_nulls_all_data() {
        let propagation = NullPropagation::default();
        complete(&propagation, "a.0", "", true);
        complete(&propagation, "a", "[A!]!", false);
        complete(&propagation, "b", "B", false);
        assert_eq!(applied(&propagation, value!({ "a": [null], "b": {} })), Value::Null);
    }
}
