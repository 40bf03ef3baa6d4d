//! Lengths that variables give: of pages, and of lists of ids.

use async_graphql::parser::types::OperationDefinition;
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

/// The variables of a request, and the length that each gives. All of them: one that is not here has
/// the value that the operation has for it.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenLengths(Vec<(Name, Length)>);

impl GivenLengths {
    pub(super) fn of(variables: &Variables) -> Self {
        let lengths = variables.iter().map(|(name, value)| (name.clone(), Length::of(value)));
        Self(lengths.collect())
    }
}

/// What is known of the variables of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lengths<'a> {
    /// Nothing: each may have any value.
    Unknown,
    /// What a request gave, and what the operation has for the others.
    Given(&'a GivenLengths, &'a OperationDefinition),
}

impl Lengths<'_> {
    /// The size of a page; `None` where the variable is null or has no value.
    pub(super) fn page(self, variable: &Name) -> Option<usize> {
        match self {
            Self::Unknown => Some(MAX_SIZE as usize),
            Self::Given(given, operation) => match find(given, operation, variable) {
                Length::Number(size) => Some(size),
                Length::Null | Length::List(_) | Length::Single => None,
            },
        }
    }

    /// The length of a list of ids.
    pub(super) fn list(self, variable: &Name) -> usize {
        match self {
            Self::Unknown => MAX_NODES,
            Self::Given(given, operation) => match find(given, operation, variable) {
                Length::List(length) => length,
                Length::Null | Length::Number(_) | Length::Single => 1,
            },
        }
    }
}

fn find(given: &GivenLengths, operation: &OperationDefinition, variable: &Name) -> Length {
    if let Some((_, length)) = given.0.iter().find(|(name, _)| name == variable) {
        return *length;
    }
    let mut definitions = operation.variable_definitions.iter();
    let definition = definitions.find(|definition| definition.node.name.node == *variable);
    let default = definition.and_then(|definition| definition.node.default_value.as_ref());
    default.map_or(Length::Null, |default| Length::of(&default.node))
}

/// A number as a length; one that is none will be refused where it is used.
pub(super) fn to_length(number: &Number) -> usize {
    number.as_u64().map_or(0, |number| usize::try_from(number).unwrap_or(usize::MAX))
}
