//! Literal values at arguments and in input objects.
//!
//! Specification: GraphQL (September 2025), sections 5.6.1, 5.6.2 and 5.6.4.
//! async-graphql 7.2 accepts strings as enum values and anything as an input object, and does not check
//! an argument at all if part of it is a variable without a value.
//! Upstream: no upstream issue found (2026-11).
//! Remove when: async-graphql checks the literals of a document without the values of variables.

use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Number, Pos, Positioned};
use async_graphql_value::Value;

use super::variable_usages::{VariableUsage, VariableUsages};
use crate::graphql::refusal::Refusal;

/// Checks values, and collects the variables in them with the types that are expected there.
pub(super) struct ValueCheck<'a> {
    pub(super) registry: &'a Registry,
    pub(super) usages: VariableUsages<'a>,
}

impl<'a> ValueCheck<'a> {
    pub(super) fn new(registry: &'a Registry) -> Self {
        Self { registry, usages: VariableUsages::default() }
    }

    pub(super) fn arguments(
        &mut self,
        arguments: &'a [(Positioned<Name>, Positioned<Value>)],
        definition: impl Fn(&str) -> Option<&'a MetaInputValue>,
    ) -> Result<(), Refusal> {
        for (name, value) in arguments {
            if let Some(definition) = definition(&name.node) {
                self.input_value(&value.node, definition, value.pos)?;
            }
        }
        Ok(())
    }

    /// Checks the value of an argument or of a field of an input object.
    fn input_value(
        &mut self,
        value: &'a Value,
        of: &'a MetaInputValue,
        at: Pos,
    ) -> Result<(), Refusal> {
        if let Value::Variable(name) = value {
            let has_default = of.default_value.is_some();
            self.usages.add_variable(VariableUsage { name, expected: &of.ty, has_default, at });
            return Ok(());
        }
        self.typed_value(value, &of.ty, at)
    }

    /// Checks a value where `expected` is the type, in the notation of the schema.
    pub(super) fn typed_value(
        &mut self,
        value: &'a Value,
        expected: &'a str,
        at: Pos,
    ) -> Result<(), Refusal> {
        match (MetaTypeName::create(expected), value) {
            (_, Value::Variable(name)) => {
                self.usages.add_variable(VariableUsage { name, expected, has_default: false, at });
                Ok(())
            }
            (MetaTypeName::NonNull(_), Value::Null) => type_mismatch(expected, at),
            (_, Value::Null) => Ok(()),
            (MetaTypeName::List(of), Value::List(items)) => {
                items.iter().try_for_each(|item| self.typed_value(item, of, at))
            }
            (MetaTypeName::NonNull(of) | MetaTypeName::List(of), value) => {
                self.typed_value(value, of, at)
            }
            (MetaTypeName::Named(name), value) => match self.registry.types.get(name) {
                Some(MetaType::InputObject { input_fields, .. }) => {
                    let Value::Object(members) = value else { return type_mismatch(expected, at) };
                    for (name, value) in members {
                        let Some(field) = input_fields.get(name.as_str()) else {
                            let message = format!("Type {expected} has no field \"{name}\".");
                            return Err(Refusal::invalid(message, at));
                        };
                        self.input_value(value, field, at)?;
                    }
                    let is_missing = |field: &&MetaInputValue| {
                        MetaTypeName::create(&field.ty).is_non_null()
                            && field.default_value.is_none()
                            && !members.contains_key(field.name.as_str())
                    };
                    match input_fields.values().find(is_missing) {
                        Some(missing) => {
                            let message =
                                format!("Type {expected} requires the field \"{}\".", missing.name);
                            Err(Refusal::invalid(message, at))
                        }
                        None => Ok(()),
                    }
                }
                Some(of) => leaf(value, of, at),
                None => Ok(()),
            },
        }
    }
}

/// Checks the value of an enum or a scalar.
fn leaf(value: &Value, of: &MetaType, at: Pos) -> Result<(), Refusal> {
    let fits = match of {
        MetaType::Enum { enum_values, .. } => {
            matches!(value, Value::Enum(name) if enum_values.contains_key(name.as_str()))
        }
        _ => match (of.name(), value) {
            ("Int", Value::Number(number)) => is_int(number),
            ("Float", value) => matches!(value, Value::Number(_)),
            ("Boolean", value) => matches!(value, Value::Boolean(_)),
            ("ID", Value::Number(number)) => !number.is_f64(),
            ("String" | "ID", value) => matches!(value, Value::String(_)),
            ("Int", _) => false,
            // A custom scalar parses its value when the argument is used.
            _ => true,
        },
    };
    if fits { Ok(()) } else { type_mismatch(of.name(), at) }
}

fn is_int(number: &Number) -> bool {
    number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
}

/// The message does not repeat the value, which may be a password in the wrong place.
fn type_mismatch<T>(expected: &str, at: Pos) -> Result<T, Refusal> {
    Err(Refusal::invalid(format!("Expected a value of type {expected}."), at))
}
