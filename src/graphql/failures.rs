//! Errors of fields, and the nulls that they leave (GraphQL specification, section 6.4.4).
//!
//! async-graphql 7.2 leaves a failed field out of its object, and an object is null where all of its
//! fields failed, whatever the schema says of either. Invariant: in the response no position is null
//! that is Non-Null in the schema. An error nulls the nearest position that may be null, or else
//! `data`; all other fields are answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_graphql::indexmap::IndexMap;
use async_graphql::{
    PathSegment, QueryPathNode, QueryPathSegment, Response, ServerError, ServerResult, Value,
};

/// The most errors in one response. A list of items that fail would repeat itself a hundred times.
pub const MAX_ERRORS: usize = 20;

type Path = Vec<PathSegment>;

/// The errors of one execution.
#[derive(Default)]
pub(super) struct Failures {
    /// Whether an error propagates. A field that succeeds asks nothing else.
    propagates: AtomicBool,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// In the order in which they were raised, each with its path.
    errors: Vec<ServerError>,
    /// Positions that failed, as long as it is not known where their errors stop.
    propagating: Vec<Path>,
    /// Positions where errors stopped.
    nulled: Vec<Path>,
}

impl Failures {
    /// The value of the field or the item at this position, of what its resolver gave. All below is
    /// complete.
    ///
    /// Whether an item may be null is asked when its list's field is complete: what async-graphql
    /// says of the type of an item is wrong where it has a reference to it.
    pub(super) fn complete(
        &self,
        at: &QueryPathNode<'_>,
        ty: &str,
        resolved: ServerResult<Option<Value>>,
    ) -> Value {
        let mut value = match resolved {
            Ok(value) => value.unwrap_or_default(),
            Err(error) => {
                self.fail(at, error);
                Value::Null
            }
        };
        if matches!(at.segment, QueryPathSegment::Name(_)) {
            if self.propagates.load(Ordering::Relaxed) {
                self.stop(&path(at), ty);
            }
            fill(&mut value, ty);
        }
        value
    }

    fn fail(&self, at: &QueryPathNode<'_>, mut error: ServerError) {
        let at = path(at);
        if error.path.is_empty() {
            error.path.clone_from(&at);
        }
        let mut found = self.found();
        // One for each position: a field that is selected twice fails twice.
        let kept = &mut found.errors;
        if kept.len() < MAX_ERRORS && kept.iter().all(|other| other.path != error.path) {
            kept.push(error);
        }
        found.propagating.push(at);
        self.propagates.store(true, Ordering::Relaxed);
    }

    /// Stops errors from below the field at this path, and its own, where its type says so.
    fn stop(&self, at: &[PathSegment], ty: &str) {
        let mut found = self.found();
        let (here, elsewhere) = std::mem::take(&mut found.propagating)
            .into_iter()
            .partition::<Vec<_>, _>(|path| path.starts_with(at));
        found.propagating = elsewhere;
        for mut path in here {
            let below = &path[at.len()..];
            let is_index = |segment: &&PathSegment| matches!(segment, PathSegment::Index(_));
            let indices = below.iter().take_while(is_index).count();
            match (0..=indices).rev().find(|&depth| may_be_null(ty, depth)) {
                Some(depth) => {
                    path.truncate(at.len() + depth);
                    found.nulled.push(path);
                }
                None => found.propagating.push(path),
            }
        }
        self.propagates.store(!found.propagating.is_empty(), Ordering::Relaxed);
    }

    /// Puts the errors into the response, and null where they stopped. Not before all is merged: a
    /// field that is selected twice is resolved twice.
    pub(super) fn settle(&self, response: &mut Response) {
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

fn path(to: &QueryPathNode<'_>) -> Path {
    let mut path = to.parent.map(path).unwrap_or_default();
    path.push(match to.segment {
        QueryPathSegment::Index(index) => PathSegment::Index(index),
        QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
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

/// Makes objects empty that are null because nothing of them is selected, e.g. all of it is skipped.
fn fill(value: &mut Value, ty: &str) {
    match value {
        Value::Null if ty.ends_with('!') => *value = Value::Object(IndexMap::new()),
        Value::List(items) => {
            if let Some(ty) = of_items(ty) {
                for item in items {
                    fill(item, ty);
                }
            }
        }
        _ => {}
    }
}

/// Puts null at the path, unless something above is null.
fn put_null(mut value: &mut Value, path: &[PathSegment]) {
    for segment in path {
        let member = match (segment, value) {
            (PathSegment::Field(name), Value::Object(members)) => members.get_mut(name.as_str()),
            (PathSegment::Index(index), Value::List(items)) => items.get_mut(*index),
            _ => None,
        };
        let Some(member) = member else { return };
        value = member;
    }
    *value = Value::Null;
}
