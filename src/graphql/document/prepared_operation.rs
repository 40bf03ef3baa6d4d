//! Operation of a document that was parsed within the limits.

use std::collections::HashSet;
use std::sync::OnceLock;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use async_graphql::{Pos, Response, ServerError, ValidationResult};

use super::limits::Limits;
use super::{complexity, text_limits};
use crate::graphql::conformance::{
    error_codes, field_order, parser_rules, single_root_field, variable_arguments,
};
use crate::graphql::refusal::Refusal;

/// A document within the limits, with the operation that the request selected.
#[derive(Clone, Debug)]
pub struct PreparedOperation {
    pub(super) document: ExecutableDocument,
    operation_type: OperationType,
    pub(super) operation_name: Option<String>,
    introspects: bool,
    /// Limit of the nodes in the answer.
    pub(super) max_nodes: usize,
    /// Results of the checks against the schema that hold for every request, once they are known.
    pub(super) schema_results: SchemaResults,
}

/// Results of the checks of an operation against the schema that do not depend on the variables.
#[derive(Clone, Debug, Default)]
pub(super) struct SchemaResults {
    /// The result of async-graphql's validation, if it succeeded.
    pub(super) validation: OnceLock<ValidationResult>,
    /// The result of our rules of validation and of the limit of introspection.
    pub(super) document: OnceLock<Result<(), Refusal>>,
    /// Whether the answer is within its limit with any variables.
    pub(super) answer_fits_with_any_variables: OnceLock<bool>,
}

/// Parses `text` within the limits, and selects the operation of this name, or the only one.
pub fn prepare(
    text: &str,
    operation_name: Option<&str>,
    limits: &Limits,
) -> Result<PreparedOperation, Refusal> {
    text_limits::check(text, limits)?;
    let document = parse_query(text)?;
    parser_rules::check(text)?;
    let (operation_name, selected) = select(&document.operations, operation_name)?;
    single_root_field::check_selected(selected)?;
    let introspects = complexity::check(&document, selected, limits)?;
    let operation_type = selected.ty;
    let operation_name = operation_name.map(str::to_owned);
    Ok(PreparedOperation {
        document,
        operation_type,
        operation_name,
        introspects,
        max_nodes: limits.nodes,
        schema_results: SchemaResults::default(),
    })
}

impl PreparedOperation {
    /// Query, mutation or subscription.
    #[must_use]
    pub fn operation_type(&self) -> OperationType {
        self.operation_type
    }

    /// The name of the operation in the document: a GraphQL name.
    #[must_use]
    pub fn operation_name(&self) -> Option<&str> {
        self.operation_name.as_deref()
    }

    /// Whether it is a query with introspection, which takes milliseconds of a processor.
    #[must_use]
    pub fn introspects(&self) -> bool {
        self.introspects
    }

    /// Positions of the arguments with a variable in their values. They tell whether a wrong value is
    /// an error of the document or of the variables.
    #[must_use]
    pub fn arguments_with_variables(&self) -> HashSet<Pos> {
        variable_arguments::positions(&self.document)
    }

    /// The code of an error in the response that async-graphql made; `None` for an error of a
    /// resolver. A request error is one before execution.
    #[must_use]
    pub fn error_code(&self, error: &ServerError, is_request_error: bool) -> Option<&'static str> {
        error_codes::code(error, is_request_error, || self.arguments_with_variables())
    }

    /// Puts the members of `data` into the order of the operation.
    pub fn complete(&self, response: &mut Response) {
        if let Ok(operation) = self.operation() {
            field_order::restore(response, &operation.selection_set.node, &self.document);
        }
    }

    pub(super) fn operation(&self) -> Result<&OperationDefinition, Refusal> {
        let (_, operation) = select(&self.document.operations, self.operation_name.as_deref())?;
        Ok(operation)
    }
}

/// `GetOperation` of the GraphQL specification (September 2025, section 6.1).
fn select<'a>(
    operations: &'a DocumentOperations,
    name: Option<&str>,
) -> Result<(Option<&'a str>, &'a OperationDefinition), Refusal> {
    match (operations, name) {
        (DocumentOperations::Single(only), None) => Ok((None, &only.node)),
        (DocumentOperations::Multiple(named), None) => {
            let mut all = named.iter();
            match (all.next(), all.next()) {
                (Some((name, only)), None) => Ok((Some(name.as_str()), &only.node)),
                _ => Err(Refusal::OperationNameNeeded),
            }
        }
        (DocumentOperations::Single(_), Some(name)) => {
            Err(Refusal::NoSuchOperation(name.to_owned()))
        }
        (DocumentOperations::Multiple(named), Some(name)) => named
            .get_key_value(name)
            .map(|(name, operation)| (Some(name.as_str()), &operation.node))
            .ok_or_else(|| Refusal::NoSuchOperation(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str, name: Option<&str>) -> Result<PreparedOperation, Refusal> {
        prepare(text, name, &Limits::default())
    }

    #[test]
    fn the_only_operation_is_selected_without_a_name() {
        let anonymous = prepared("{ a }", None).unwrap();
        assert_eq!(anonymous.operation_type(), OperationType::Query);
        assert_eq!(anonymous.operation_name(), None);

        let named = prepared("mutation M { a }", None).unwrap();
        assert_eq!(named.operation_type(), OperationType::Mutation);
        assert_eq!(named.operation_name(), Some("M"));
    }

    #[test]
    fn several_operations_need_a_name() {
        let text = "query A { a } subscription B { b }";
        let selected = prepared(text, Some("B")).unwrap();
        assert_eq!(selected.operation_type(), OperationType::Subscription);
        assert_eq!(prepared(text, None).unwrap_err(), Refusal::OperationNameNeeded);
        let missing = prepared(text, Some("C")).unwrap_err();
        assert_eq!(missing.code(), "GRAPHQL_VALIDATION_FAILED");
        assert_eq!(prepared("{ a }", Some("C")).unwrap_err().code(), missing.code());
    }
}
