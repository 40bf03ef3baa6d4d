//! Limits of the variables of a request.
//!
//! They are checked without recursion, and before the values become GraphQL values: async-graphql
//! copies the whole of a variable at each use of it. U+0000 is refused, since no text in the database
//! can hold it and the request would end in an internal error.

use async_graphql::Variables;
use serde_json::{Map, Value};

use super::limits::Limits;
use super::prepared_operation::PreparedOperation;
use crate::graphql::conformance::required_variables;
use crate::graphql::refusal::{Measure, Refusal};

/// The variables in this JSON object, for the selected operation.
pub fn variables(
    values: Map<String, Value>,
    prepared: &PreparedOperation,
    limits: &Limits,
) -> Result<Variables, Refusal> {
    required_variables::check(&values, prepared.operation()?)?;
    check(&values, limits)?;
    Ok(Variables::from_json(Value::Object(values)))
}

/// Refuses too many values, values that nest too deep, and text with U+0000.
fn check(values: &Map<String, Value>, limits: &Limits) -> Result<(), Refusal> {
    let mut count: usize = 0;
    let mut level: Vec<&Value> = members(values)?.collect();
    for _ in 0..limits.variable_depth {
        count += level.len();
        if count > limits.variable_values {
            return Err(Refusal::TooMuch(Measure::VariableValues, limits.variable_values));
        }
        let mut next_level = Vec::new();
        for value in level {
            match value {
                Value::String(text) => refuse_nul(text)?,
                Value::Array(items) => next_level.extend(items),
                Value::Object(object) => next_level.extend(members(object)?),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        if next_level.is_empty() {
            return Ok(());
        }
        level = next_level;
    }
    Err(Refusal::TooMuch(Measure::VariableDepth, limits.variable_depth))
}

/// The values of an object, whose names are checked.
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
    use crate::graphql::document::prepare;
    use serde_json::json;

    fn read(value: Value) -> Result<Variables, Refusal> {
        let Value::Object(values) = value else { panic!("an object") };
        let limits = Limits::default();
        variables(values, &prepare("{ a }", None, &limits).unwrap(), &limits)
    }

    #[test]
    fn variables_keep_their_values() {
        let read = read(json!({ "a": [1, { "b": null }], "c": "d" })).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read["a"].to_string(), "[1, {b: null}]");
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
    fn a_nul_is_refused_wherever_it_is() {
        for value in [json!({ "a": "\0" }), json!({ "a": [{ "b": "c\0" }] }), json!({ "\0": 1 })] {
            assert_eq!(read(value).unwrap_err(), Refusal::NulInVariables);
        }
    }

    #[test]
    fn variables_are_those_of_the_selected_operation() {
        let text = "query A($a: Int!) { f(a: $a) } query B($b: Int!) { f(a: $b) }";
        let selected = prepare(text, Some("B"), &Limits::default()).unwrap();
        let given = |name: &str| Map::from_iter([(name.to_owned(), Value::from(1))]);
        assert!(variables(given("b"), &selected, &Limits::default()).is_ok());
        let refusal = variables(given("a"), &selected, &Limits::default()).unwrap_err();
        assert_eq!(refusal.code(), "BAD_USER_INPUT");
    }
}
