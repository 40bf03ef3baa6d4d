//! Lengths that variables give: of pages, and of lists of ids.

use async_graphql::{Name, Number, Value, Variables};

use crate::domain::page::MAX_SIZE;
use crate::graphql::query::MAX_NODES;

/// The length that a value stands for.
#[derive(Clone, Copy, Debug)]
enum Length {
    Null,
    /// Of a page.
    Number(usize),
    /// Of a list.
    List(usize),
    /// Whatever else. Where a list is expected, it stands for a list of one.
    Single,
}

impl Length {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Number(number) => Self::Number(to_length(number)),
            Value::List(items) => Self::List(items.len()),
            _ => Self::Single,
        }
    }
}

/// The variables that have a value, and the length that each gives.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenLengths(Vec<(Name, Length)>);

impl GivenLengths {
    pub(super) fn of(variables: &Variables) -> Self {
        let lengths = variables.iter().map(|(name, value)| (name.clone(), Length::of(value)));
        Self(lengths.collect())
    }

    fn length(&self, variable: &Name) -> Length {
        let found = self.0.iter().find(|(name, _)| name == variable);
        found.map_or(Length::Null, |(_, length)| *length)
    }
}

/// What is known of the variables of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lengths<'a> {
    /// Nothing: each may have any value.
    Unknown,
    /// Those of a request.
    Given(&'a GivenLengths),
}

impl Lengths<'_> {
    /// The size of a page; `None` where the variable is null or has no value.
    pub(super) fn page(self, variable: &Name) -> Option<usize> {
        match self {
            Self::Unknown => Some(MAX_SIZE as usize),
            Self::Given(given) => match given.length(variable) {
                Length::Number(size) => Some(size),
                Length::Null | Length::List(_) | Length::Single => None,
            },
        }
    }

    /// The length of a list of ids.
    pub(super) fn list(self, variable: &Name) -> usize {
        match self {
            Self::Unknown => MAX_NODES,
            Self::Given(given) => match given.length(variable) {
                Length::List(length) => length,
                Length::Null | Length::Number(_) | Length::Single => 1,
            },
        }
    }
}

/// A number as a length; one that is none will be refused where it is used.
pub(super) fn to_length(number: &Number) -> usize {
    number.as_u64().map_or(0, |number| usize::try_from(number).unwrap_or(usize::MAX))
}
