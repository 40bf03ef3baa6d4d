//! The variables of a request, bounded like its document.
//!
//! Rule: checked without recursion and before they become GraphQL values. async-graphql copies the
//! whole of a variable at each use of it, and text with U+0000 would only fail in the database, as
//! an internal error.

use async_graphql::parser::types::OperationDefinition;
use serde_json::{Map, Value};

use super::Limits;
use crate::graphql::refusal::{Measure, Refusal};

/// Refuses variables without which the operation cannot run. async-graphql would notice when it
/// comes to a field that uses them, with the mutations before it done.
pub(super) fn check_given(
    values: &Map<String, Value>,
    operation: &OperationDefinition,
) -> Result<(), Refusal> {
    for definition in operation.variable_definitions.iter().map(|definition| &definition.node) {
        let name = definition.name.node.as_str();
        let given = match values.get(name) {
            Some(value) => !value.is_null(),
            None => definition.default_value.is_some(),
        };
        let var_type = &definition.var_type.node;
        if !given && !var_type.nullable {
            return Err(Refusal::VariableNeeded(name.to_owned(), var_type.to_string()));
        }
    }
    Ok(())
}

/// Refuses too many values, values that nest too deep, and text with U+0000.
pub(super) fn check_size(values: &Map<String, Value>, limits: &Limits) -> Result<(), Refusal> {
    let mut count: usize = 0;
    let mut level: Vec<&Value> = members(values)?.collect();
    for _ in 0..limits.variable_depth {
        count += level.len();
        if count > limits.variable_values {
            return Err(Refusal::TooMuch(Measure::VariableValues, limits.variable_values));
        }
        let mut below = Vec::new();
        for value in level {
            match value {
                Value::String(text) => refuse_nul(text)?,
                Value::Array(items) => below.extend(items),
                Value::Object(object) => below.extend(members(object)?),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        if below.is_empty() {
            return Ok(());
        }
        level = below;
    }
    Err(Refusal::TooMuch(Measure::VariableDepth, limits.variable_depth))
}

fn members(object: &Map<String, Value>) -> Result<impl Iterator<Item = &Value>, Refusal> {
    for name in object.keys() {
        refuse_nul(name)?;
    }
    Ok(object.values())
}

fn refuse_nul(text: &str) -> Result<(), Refusal> {
    if text.contains('\0') { Err(Refusal::NulInVariables) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::document::{prepare, variables};
    use serde_json::json;

    fn read_for(text: &str, value: Value) -> Result<async_graphql::Variables, Refusal> {
        let Value::Object(values) = value else { panic!("an object") };
        let limits = Limits::default();
        variables(values, &prepare(text, None, &limits).unwrap(), &limits)
    }

    fn read(value: Value) -> Result<async_graphql::Variables, Refusal> {
        read_for("{ a }", value)
    }

    #[test]
    fn variables_keep_their_values() {
        let read = read(json!({ "a": [1, { "b": null }], "c": "d" })).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read["a"].to_string(), "[1, {b: null}]");
    }

    #[test]
    fn a_variable_that_cannot_be_null_needs_a_value() {
        let needed = |kind: &str| Err(Refusal::VariableNeeded("a".to_owned(), kind.to_owned()));
        let plain = "query($a: [Int]!) { f(a: $a) }";
        assert_eq!(read_for(plain, json!({})), needed("[Int]!"));
        assert_eq!(read_for(plain, json!({ "a": null })), needed("[Int]!"));
        assert!(read_for(plain, json!({ "a": [] })).is_ok());

        let defaulted = "query($a: Int! = 1) { f(a: $a) }";
        assert!(read_for(defaulted, json!({})).is_ok());
        assert_eq!(read_for(defaulted, json!({ "a": null })), needed("Int!"));

        let nullable = "query($a: Int) { f(a: $a) }";
        assert!(read_for(nullable, json!({})).is_ok());
        assert!(read_for(nullable, json!({ "a": null })).is_ok());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        assert!(read(json!({ "a": nested(31) })).is_ok());
        assert_eq!(
            read(json!({ "a": nested(32) })).unwrap_err(),
            Refusal::TooMuch(Measure::VariableDepth, 32)
        );
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        assert!(read(json!({ "a": vec![1; 999] })).is_ok());
        assert_eq!(
            read(json!({ "a": vec![1; 1000] })).unwrap_err(),
            Refusal::TooMuch(Measure::VariableValues, 1000)
        );
    }

    #[test]
    fn a_nul_is_refused_wherever_it_stands() {
        for value in [json!({ "a": "\0" }), json!({ "a": [{ "b": "c\0" }] }), json!({ "\0": 1 })] {
            assert_eq!(read(value).unwrap_err(), Refusal::NulInVariables);
        }
    }
}
