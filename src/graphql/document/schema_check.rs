//! Check of an operation against the schema, and the request that carries it to execution.
//!
//! A result that holds for every request is kept with the prepared operation: it is valid, or its
//! answer is within the limit, with any variables. Validation runs again for each request whose
//! variables async-graphql validates by their values.

use std::sync::{Arc, OnceLock};

use async_graphql::parser::types::{BaseType, VariableDefinition};
use async_graphql::registry::Registry;
use async_graphql::{Request, ValidationResult, Value, Variables};

use super::list_lengths::{ListLengths, VariableLengths};
use super::prepared_operation::PreparedOperation;
use super::{answer_size, introspection_size};
use crate::graphql::conformance::{empty_objects, validation, variable_defaults};
use crate::graphql::refusal::Refusal;

/// Check of one request against the schema. It is data of the request.
#[derive(Clone, Debug)]
pub(in crate::graphql) struct SchemaCheck {
    prepared: Arc<PreparedOperation>,
    /// Empty if the answer is known to fit with any variables.
    lengths: VariableLengths,
    validity_is_kept: bool,
}

impl PreparedOperation {
    /// The request that executes the operation. It has no text, which nothing would read.
    #[must_use]
    pub fn request(self: &Arc<Self>, mut variables: Variables) -> Request {
        if let Ok(operation) = self.operation() {
            variable_defaults::add(&mut variables, operation);
        }
        let fits = self.schema_results.answer_fits_with_any_variables.get() == Some(&true);
        let check = SchemaCheck {
            prepared: Arc::clone(self),
            lengths: if fits {
                VariableLengths::default()
            } else {
                VariableLengths::of(&variables)
            },
            validity_is_kept: self.has_only_string_variables(&variables),
        };
        let mut request = Request::new("").variables(variables).data(check);
        request.operation_name.clone_from(&self.operation_name);
        let mut document = self.document.clone();
        empty_objects::add_type_names(&mut document);
        request.set_parsed_query(document);
        request
    }

    /// Whether every variable is declared as `String` or `ID` and given as a string. Then all requests
    /// of which this holds are equally valid; of numbers and objects the value matters, too.
    fn has_only_string_variables(&self, variables: &Variables) -> bool {
        let is_string = |definition: &VariableDefinition| {
            let base = &definition.var_type.node.base;
            let given = variables.get(&definition.name.node);
            matches!(base, BaseType::Named(name) if name == "String" || name == "ID")
                && matches!(given, Some(Value::String(_)))
        };
        let mut operations = self.document.operations.iter();
        operations.all(|(_, operation)| {
            let mut definitions = operation.node.variable_definitions.iter();
            definitions.all(|definition| is_string(&definition.node))
        })
    }
}

impl SchemaCheck {
    /// Where the result of async-graphql's validation is kept; `None` if it holds for this request
    /// only.
    pub(in crate::graphql) fn kept_validation(&self) -> Option<&OnceLock<ValidationResult>> {
        self.validity_is_kept.then_some(&self.prepared.schema_results.validation)
    }

    /// Checks what async-graphql's validation, which runs before, does not: the remaining rules of
    /// the specification, and the size of the answer.
    pub(in crate::graphql) fn check(&self, registry: &Registry) -> Result<(), Refusal> {
        let prepared = &*self.prepared;
        let operation = prepared.operation()?;
        let check_document = || {
            validation::check(registry, &prepared.document)?;
            introspection_size::check(registry, &prepared.document, operation)
        };
        let results = &prepared.schema_results;
        results.document.get_or_init(check_document).clone()?;
        let check_answer = |lengths| {
            answer_size::check(registry, &prepared.document, operation, lengths, prepared.max_nodes)
        };
        let fits = || check_answer(ListLengths::Any).is_ok();
        if *results.answer_fits_with_any_variables.get_or_init(fits) {
            return Ok(());
        }
        check_answer(ListLengths::Given(&self.lengths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::document::{Limits, prepare};
    use serde_json::{Value, json};

    fn prepared(text: &str) -> Arc<PreparedOperation> {
        Arc::new(prepare(text, None, &Limits::default()).unwrap())
    }

    #[test]
    fn the_request_names_the_selected_operation() {
        let named = |text| prepared(text).request(Variables::default()).operation_name;
        assert_eq!(named("{ a }"), None);
        assert_eq!(named("mutation M { a }").as_deref(), Some("M"));
    }

    #[test]
    fn validity_is_kept_only_if_all_variables_are_strings_declared_as_strings() {
        let is_kept = |definitions: &str, given: Value| {
            let prepared = prepared(&format!("query Q({definitions}) {{ f(a: $a) }}"));
            prepared.has_only_string_variables(&Variables::from_json(given))
        };
        assert!(is_kept("$a: String!", json!({ "a": "x" })));
        assert!(is_kept("$a: ID, $b: String", json!({ "a": "x", "b": "", "c": 1 })));
        for given in [json!({ "a": 1 }), json!({ "a": null }), json!({}), json!({ "a": ["x"] })] {
            assert!(!is_kept("$a: String", given.clone()), "{given}");
        }
        for definitions in ["$a: Int", "$a: [String]", "$a: Input!", "$a: String, $b: String"] {
            assert!(!is_kept(definitions, json!({ "a": "x" })), "{definitions}");
        }
        assert!(prepared("{ a }").has_only_string_variables(&Variables::default()));
    }
}
