//! Required variables of an operation.
//!
//! Specification: GraphQL (September 2025), section 6.1.2: a variable of a Non-Null type without a
//! default value must have a value that is not null, or the request fails before it is executed.
//! async-graphql 7.2 notices a missing value only when it resolves a field that uses the variable.
//! By then the mutations before that field are done.
//! Upstream: no upstream issue found (2026-11).
//! Remove when: async-graphql coerces all variables before it executes the first field.

use async_graphql::parser::types::OperationDefinition;
use serde_json::{Map, Value};

use crate::graphql::refusal::Refusal;

/// Refuses a request without a value for a variable that the operation requires.
pub(in crate::graphql) fn check(
    values: &Map<String, Value>,
    operation: &OperationDefinition,
) -> Result<(), Refusal> {
    for definition in operation.variable_definitions.iter().map(|definition| &definition.node) {
        let name = definition.name.node.as_str();
        let has_value = match values.get(name) {
            Some(value) => !value.is_null(),
            None => definition.default_value.is_some(),
        };
        let var_type = &definition.var_type.node;
        if !has_value && !var_type.nullable {
            return Err(Refusal::VariableNeeded(name.to_owned(), var_type.to_string()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::DocumentOperations;
    use serde_json::json;

    fn checked(text: &str, values: Value) -> Result<(), Refusal> {
        let Value::Object(values) = values else { panic!("an object") };
        match parse_query(text).unwrap().operations {
            DocumentOperations::Single(operation) => check(&values, &operation.node),
            DocumentOperations::Multiple(_) => panic!("one operation"),
        }
    }

    #[test]
    fn a_variable_that_cannot_be_null_needs_a_value() {
        let needed = |kind: &str| Err(Refusal::VariableNeeded("a".to_owned(), kind.to_owned()));
        let plain = "query($a: [Int]!) { f(a: $a) }";
        assert_eq!(checked(plain, json!({})), needed("[Int]!"));
        assert_eq!(checked(plain, json!({ "a": null })), needed("[Int]!"));
        assert!(checked(plain, json!({ "a": [] })).is_ok());

        let defaulted = "query($a: Int! = 1) { f(a: $a) }";
        assert!(checked(defaulted, json!({})).is_ok());
        assert_eq!(checked(defaulted, json!({ "a": null })), needed("Int!"));

        let nullable = "query($a: Int) { f(a: $a) }";
        assert!(checked(nullable, json!({})).is_ok());
        assert!(checked(nullable, json!({ "a": null })).is_ok());
    }
}
