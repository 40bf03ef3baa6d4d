//! Types of variables where they are used, also in the fragments of an operation.
//!
//! Specification: GraphQL (September 2025), section 5.8.5.
//! async-graphql 7.2 takes a default value of null for a value, and does not see usages at the
//! directives of variable definitions and at `__typename`.
//! Upstream: no upstream issue found (2026-11).
//! Remove when: async-graphql refuses `query($v: Int = null) { f(required: $v) }`.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{OperationDefinition, VariableDefinition};
use async_graphql::registry::MetaTypeName;
use async_graphql::{Name, Pos, Value};

use crate::graphql::refusal::Refusal;

/// Usage of a variable where a value is expected.
#[derive(Clone, Copy, Debug)]
pub(super) struct VariableUsage<'a> {
    pub(super) name: &'a Name,
    /// The type of the argument, input field or list item.
    pub(super) expected: &'a str,
    /// Whether the argument or input field has a default value.
    pub(super) has_default: bool,
    pub(super) at: Pos,
}

/// Usages of variables in an operation or a fragment, and the fragments that it spreads.
#[derive(Debug, Default)]
pub(super) struct VariableUsages<'a> {
    variables: Vec<VariableUsage<'a>>,
    spreads: Vec<&'a Name>,
}

impl<'a> VariableUsages<'a> {
    pub(super) fn add_variable(&mut self, used: VariableUsage<'a>) {
        self.variables.push(used);
    }

    pub(super) fn add_spread(&mut self, fragment: &'a Name) {
        self.spreads.push(fragment);
    }

    /// Checks the usages in an operation and in all fragments that it spreads. `fragments` has the
    /// usages in each fragment.
    pub(super) fn check(
        &self,
        operation: &OperationDefinition,
        fragments: &HashMap<&'a str, VariableUsages<'a>>,
    ) -> Result<(), Refusal> {
        let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
        let types: HashMap<&str, (String, &VariableDefinition)> = definitions
            .map(|of| (of.name.node.as_str(), (of.var_type.node.to_string(), of)))
            .collect();
        let mut visited = HashSet::new();
        let mut pending = vec![self];
        while let Some(usages) = pending.pop() {
            for used in &usages.variables {
                let Some((var_type, definition)) = types.get(used.name.as_str()) else {
                    let message = format!("Variable \"${}\" is not defined.", used.name);
                    return Err(Refusal::invalid(message, used.at));
                };
                if !is_allowed(used, var_type, definition) {
                    let (name, expected) = (used.name, used.expected);
                    let message = format!(
                        "Variable \"${name}\" of type {var_type} cannot be used as {expected}."
                    );
                    return Err(Refusal::invalid(message, used.at));
                }
            }
            let spread = usages.spreads.iter().filter(|name| visited.insert(name.as_str()));
            pending.extend(spread.filter_map(|name| fragments.get(name.as_str())));
        }
        Ok(())
    }
}

/// `IsVariableUsageAllowed()` of the specification.
fn is_allowed(used: &VariableUsage<'_>, var_type: &str, definition: &VariableDefinition) -> bool {
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
