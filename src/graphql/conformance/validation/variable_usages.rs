//! All variable usages are allowed (section 5.8.5): the type of a variable fits wherever it is used,
//! in the fragments of the operation, too.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{OperationDefinition, VariableDefinition};
use async_graphql::registry::MetaTypeName;
use async_graphql::{Name, Pos, Value};

use super::invalid;
use crate::graphql::refusal::Refusal;

/// A variable where a value is expected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use<'a> {
    pub(super) name: &'a Name,
    pub(super) expected: &'a str,
    /// Whether the place has a value of its own for a variable that is not given.
    pub(super) has_default: bool,
    pub(super) at: Pos,
}

/// The variables that an operation or a fragment uses, and the fragments that it spreads.
#[derive(Debug, Default)]
pub(super) struct Usages<'a> {
    variables: Vec<Use<'a>>,
    spreads: Vec<&'a Name>,
}

impl<'a> Usages<'a> {
    pub(super) fn variable(&mut self, used: Use<'a>) {
        self.variables.push(used);
    }

    pub(super) fn spread(&mut self, fragment: &'a Name) {
        self.spreads.push(fragment);
    }

    /// Checks the uses of an operation, and of the fragments that it spreads, whose own are given.
    pub(super) fn check(
        &self,
        operation: &OperationDefinition,
        fragments: &HashMap<&'a str, Usages<'a>>,
    ) -> Result<(), Refusal> {
        let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
        let types: HashMap<&str, (String, &VariableDefinition)> = definitions
            .map(|of| (of.name.node.as_str(), (of.var_type.node.to_string(), of)))
            .collect();
        let mut met = HashSet::new();
        let mut open = vec![self];
        while let Some(usages) = open.pop() {
            for used in &usages.variables {
                let Some((var_type, definition)) = types.get(used.name.as_str()) else {
                    return invalid(format!("Variable \"${}\" is not defined", used.name), used.at);
                };
                if !is_allowed(used, var_type, definition) {
                    let (name, expected) = (used.name, used.expected);
                    let message =
                        format!("Variable \"${name}\" of type {var_type} is used as {expected}");
                    return invalid(message, used.at);
                }
            }
            let spread = usages.spreads.iter().filter(|name| met.insert(name.as_str()));
            open.extend(spread.filter_map(|name| fragments.get(name.as_str())));
        }
        Ok(())
    }
}

/// `IsVariableUsageAllowed()` of the specification.
fn is_allowed(used: &Use<'_>, var_type: &str, definition: &VariableDefinition) -> bool {
    let default = definition.default_value.as_ref().map(|default| &default.node);
    let has_value = default.is_some_and(|default| *default != Value::Null) || used.has_default;
    match MetaTypeName::create(used.expected) {
        MetaTypeName::NonNull(expected) if definition.var_type.node.nullable && has_value => {
            fits(var_type, expected)
        }
        _ => fits(var_type, used.expected),
    }
}

/// `AreTypesCompatible()` of the specification.
fn fits(var_type: &str, expected: &str) -> bool {
    use MetaTypeName::{List, Named, NonNull};
    match (MetaTypeName::create(var_type), MetaTypeName::create(expected)) {
        (NonNull(of), NonNull(expected)) | (List(of), List(expected)) => fits(of, expected),
        (NonNull(of), _) => fits(of, expected),
        (Named(name), Named(expected)) => name == expected,
        _ => false,
    }
}
