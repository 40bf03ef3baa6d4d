//! Lengths of lists that variables give: as page sizes, or as lists of ids.

use async_graphql::parser::types::OperationDefinition;
use async_graphql::{Name, Number, Value, Variables};

use crate::domain::page::MAX_SIZE;

/// Length of a list that a variable of unknown value gives.
const UNKNOWN: usize = MAX_SIZE as usize;

/// The variables of a request that may give a length, and the length that each gives. `None` is
/// null.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenLengths(Vec<(Name, Option<usize>)>);

impl GivenLengths {
    pub(super) fn of(variables: &Variables) -> Self {
        let length = |value: &Value| match value {
            Value::Null => Some(None),
            Value::List(items) => Some(Some(items.len())),
            Value::Number(number) => Some(Some(to_length(number))),
            _ => None,
        };
        let given = variables.iter();
        Self(given.filter_map(|(name, value)| Some((name.clone(), length(value)?))).collect())
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
            Self::Unknown => Some(UNKNOWN),
            Self::Given(given, operation) => find(given, operation, variable),
        }
    }

    /// The length of a list of ids.
    pub(super) fn list(self, variable: &Name) -> usize {
        match self {
            Self::Unknown => UNKNOWN,
            // A value that is no list stands for a list of one.
            Self::Given(given, operation) => find(given, operation, variable).unwrap_or(1),
        }
    }
}

fn find(given: &GivenLengths, operation: &OperationDefinition, variable: &Name) -> Option<usize> {
    if let Some((_, length)) = given.0.iter().find(|(name, _)| name == variable) {
        return *length;
    }
    let mut definitions = operation.variable_definitions.iter();
    let definition = definitions.find(|definition| definition.node.name.node == *variable)?;
    match &definition.node.default_value.as_ref()?.node {
        Value::List(items) => Some(items.len()),
        Value::Number(number) => Some(to_length(number)),
        _ => None,
    }
}

/// A number as a length; one that is none will be refused where it is used.
pub(super) fn to_length(number: &Number) -> usize {
    number.as_u64().map_or(0, |number| usize::try_from(number).unwrap_or(usize::MAX))
}
