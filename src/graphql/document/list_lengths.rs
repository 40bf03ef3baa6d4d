//! Lengths of pages and of lists of IDs, as far as variables determine them.

use async_graphql::{Name, Number, Value, Variables};

use crate::domain::pagination::MAX_SIZE;
use crate::graphql::query::MAX_NODES;

/// Length that a value determines.
#[derive(Clone, Copy, Debug)]
enum Length {
    Null,
    /// Size of a page.
    Number(usize),
    /// Length of a list.
    List(usize),
    /// Any other value. As a list it is a list of one.
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

/// Lengths that the variables of a request determine, by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct VariableLengths(Vec<(Name, Length)>);

impl VariableLengths {
    pub(super) fn of(variables: &Variables) -> Self {
        let lengths = variables.iter().map(|(name, value)| (name.clone(), Length::of(value)));
        Self(lengths.collect())
    }

    fn length(&self, variable: &Name) -> Length {
        let found = self.0.iter().find(|(name, _)| name == variable);
        found.map_or(Length::Null, |(_, length)| *length)
    }
}

/// The variables for which lengths are determined.
#[derive(Clone, Copy, Debug)]
pub(super) enum ListLengths<'a> {
    /// All: each variable may have any value.
    Any,
    /// The variables of one request.
    Given(&'a VariableLengths),
}

impl ListLengths<'_> {
    /// The size of a page; `None` where the variable is null or has no value.
    pub(super) fn page(self, variable: &Name) -> Option<usize> {
        match self {
            Self::Any => Some(MAX_SIZE as usize),
            Self::Given(given) => match given.length(variable) {
                Length::Number(size) => Some(size),
                Length::Null | Length::List(_) | Length::Single => None,
            },
        }
    }

    /// The length of a list of IDs.
    pub(super) fn list(self, variable: &Name) -> usize {
        match self {
            Self::Any => MAX_NODES,
            Self::Given(given) => match given.length(variable) {
                Length::List(length) => length,
                Length::Null | Length::Number(_) | Length::Single => 1,
            },
        }
    }
}

/// A number as a length. The resolver refuses a negative one or a fraction, which is 0 here.
pub(super) fn to_length(number: &Number) -> usize {
    number.as_u64().map_or(0, |number| usize::try_from(number).unwrap_or(usize::MAX))
}
