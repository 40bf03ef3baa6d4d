//! What a GraphQL document may cost, decided before anything is executed.
//!
//! Rule: every transport hands its text to [`prepare`] and executes the document that comes back,
//! never the text. async-graphql's own limits come too late: its parser overflows the stack on
//! nested values and kills the process, and its recursion check burns minutes on fragments that
//! double. So the text is first scanned in one pass (`scan`), then parsed, then costed with each
//! fragment looked at once (`walk`), all in time that grows with the length of the text alone. When
//! it is executed it is judged once more, against the schema: whether it is valid (`validation`), and
//! how large its answer may become (`introspection`, `answer`), with the variables where they decide.

mod answer_size;
mod cache;
mod complexity;
mod cost;
mod introspection_size;
mod limits;
mod list_lengths;
mod text_limits;
mod variable_limits;

#[cfg(test)]
mod hostile_documents;
#[cfg(test)]
mod text_limits_against_parser;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
    VariableDefinition,
};
use async_graphql::registry::Registry;
use async_graphql::{Pos, Request, Response, ValidationResult, Value as ConstValue, Variables};
use serde_json::{Map, Value};

use list_lengths::{GivenLengths, Lengths};

use super::conformance::{
    empty_objects, field_order, parser_rules, single_root_field, validation, variable_arguments,
};

pub use super::refusal::{Measure, Refusal, one_line};
pub use cache::PreparedDocuments;
pub use limits::{Limits, MAX_BRACKETS, MAX_NESTING};

/// A document within the limits, and the operation in it that was asked for.
#[derive(Clone, Debug)]
pub struct Prepared {
    document: ExecutableDocument,
    operation_type: OperationType,
    operation_name: Option<String>,
    introspects: bool,
    /// What validation found, once it was asked.
    validity: OnceLock<ValidationResult>,
    /// The most nodes that the answer may have.
    max_nodes: usize,
    /// Whether the answer has no more with any variables.
    fits_with_any_variables: OnceLock<bool>,
    /// What else the schema says of the document.
    fits_the_schema: OnceLock<Result<(), Refusal>>,
}

/// A request for a prepared document, as it is judged against the schema.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    prepared: Arc<Prepared>,
    /// Empty where nobody asks: the document fits with any.
    lengths: GivenLengths,
    is_judged_by_text: bool,
}

/// Scans, parses and costs `text`, and selects the operation of this name, or the only one.
///
/// # Errors
/// Where there is no such operation, or the document is over a limit or not one: see [`Refusal`].
pub fn prepare(
    text: &str,
    operation_name: Option<&str>,
    limits: &Limits,
) -> Result<Prepared, Refusal> {
    text_limits::scan(text, limits)?;
    let document = parse_query(text)?;
    parser_rules::check(text)?;
    let (operation_name, selected) = select(&document.operations, operation_name)?;
    single_root_field::check(selected)?;
    let introspects = complexity::check(&document, selected, limits)?;
    let operation_type = selected.ty;
    let operation_name = operation_name.map(str::to_owned);
    Ok(Prepared {
        document,
        operation_type,
        operation_name,
        introspects,
        validity: OnceLock::new(),
        max_nodes: limits.nodes,
        fits_with_any_variables: OnceLock::new(),
        fits_the_schema: OnceLock::new(),
    })
}

/// The variables in this JSON object, for the operation that `prepared` selected.
///
/// # Errors
/// Where there are too many values, they nest too deep, a text in them holds U+0000, or one that
/// the operation needs is not given.
pub fn variables(
    values: Map<String, Value>,
    prepared: &Prepared,
    limits: &Limits,
) -> Result<Variables, Refusal> {
    variable_limits::check_given(&values, prepared.operation()?)?;
    variable_limits::check_size(&values, limits)?;
    Ok(Variables::from_json(Value::Object(values)))
}

impl Prepared {
    /// What the selected operation is.
    #[must_use]
    pub fn operation_type(&self) -> OperationType {
        self.operation_type
    }

    /// What the document calls the selected operation: a GraphQL name.
    #[must_use]
    pub fn operation_name(&self) -> Option<&str> {
        self.operation_name.as_deref()
    }

    /// Whether it asks for the schema, which takes milliseconds of processor to tell.
    #[must_use]
    pub fn introspects(&self) -> bool {
        self.introspects
    }

    /// Where the arguments stand whose value a variable is part of: whether a value that does not
    /// fit is the document's fault or the variables' can only be told from this.
    #[must_use]
    pub fn arguments_with_variables(&self) -> HashSet<Pos> {
        variable_arguments::with_variables(&self.document)
    }

    /// The request that executes the selected operation. It has no text, which nobody would read.
    #[must_use]
    pub fn request(self: &Arc<Self>, mut variables: Variables) -> Request {
        self.add_defaults(&mut variables);
        let fits = self.fits_with_any_variables.get() == Some(&true);
        let asked = Asked {
            prepared: Arc::clone(self),
            lengths: if fits { GivenLengths::default() } else { GivenLengths::of(&variables) },
            is_judged_by_text: self.is_judged_by_text(&variables),
        };
        let mut request = Request::new("").variables(variables).data(asked);
        request.operation_name.clone_from(&self.operation_name);
        let mut document = self.document.clone();
        empty_objects::ensure(&mut document);
        request.set_parsed_query(document);
        request
    }

    /// Adds what the operation has for variables that are not given: async-graphql 7.2 asks for it at
    /// arguments of fields, but not at `@skip` and `@include`.
    fn add_defaults(&self, variables: &mut Variables) {
        let Ok(operation) = self.operation() else { return };
        for definition in operation.variable_definitions.iter().map(|definition| &definition.node) {
            if let Some(default) = &definition.default_value {
                let name = definition.name.node.clone();
                variables.entry(name).or_insert_with(|| default.node.clone());
            }
        }
    }

    /// Whether with these variables the document is as valid as with any others of which this is so:
    /// they are texts, and were asked for as texts. Of a number or an object the value decides, too.
    fn is_judged_by_text(&self, variables: &Variables) -> bool {
        let is_text = |definition: &VariableDefinition| {
            let base = &definition.var_type.node.base;
            let given = variables.get(&definition.name.node);
            matches!(base, BaseType::Named(name) if name == "String" || name == "ID")
                && matches!(given, Some(ConstValue::String(_)))
        };
        let mut operations = self.document.operations.iter();
        operations.all(|(_, operation)| {
            operation.node.variable_definitions.iter().all(|definition| is_text(&definition.node))
        })
    }

    /// Puts `data` of the response to the [`request`](Self::request) into the order of the
    /// selected operation.
    pub fn complete(&self, response: &mut Response) {
        if let Ok(operation) = self.operation() {
            field_order::complete(response, &operation.selection_set.node, &self.document);
        }
    }

    fn operation(&self) -> Result<&OperationDefinition, Refusal> {
        let (_, operation) = select(&self.document.operations, self.operation_name.as_deref())?;
        Ok(operation)
    }
}

impl Asked {
    /// Where it is kept that the document is valid; `None` where each request has to be asked.
    pub(super) fn validity(&self) -> Option<&OnceLock<ValidationResult>> {
        self.is_judged_by_text.then_some(&self.prepared.validity)
    }

    /// Judges the document by the schema, after async-graphql's own validation: what of the rules
    /// that lacks, and the size of the answer, with the variables where they decide.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] where a rule is broken, [`Refusal::TooMuch`] where the answer may become
    /// too large.
    pub(super) fn check_against_schema(&self, registry: &Registry) -> Result<(), Refusal> {
        let prepared = &*self.prepared;
        let operation = prepared.operation()?;
        let document = || {
            validation::check(registry, &prepared.document)?;
            introspection_size::check(registry, &prepared.document, operation)
        };
        prepared.fits_the_schema.get_or_init(document).clone()?;
        let check = |lengths| {
            answer_size::check(registry, &prepared.document, operation, lengths, prepared.max_nodes)
        };
        let fits = || check(Lengths::Unknown).is_ok();
        if *prepared.fits_with_any_variables.get_or_init(fits) {
            return Ok(());
        }
        check(Lengths::Given(&self.lengths))
    }
}

/// `GetOperation()` of the GraphQL specification (section 6.1).
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
    use serde_json::json;

    fn prepared(text: &str, name: Option<&str>) -> Result<Prepared, Refusal> {
        prepare(text, name, &Limits::default())
    }

    #[test]
    fn the_only_operation_is_selected_without_a_name() {
        let anonymous = prepared("{ a }", None).unwrap();
        assert_eq!(anonymous.operation_type(), OperationType::Query);
        assert_eq!(Arc::new(anonymous).request(Variables::default()).operation_name, None);

        let named = prepared("mutation M { a }", None).unwrap();
        assert_eq!(named.operation_type(), OperationType::Mutation);
        let request = Arc::new(named).request(Variables::default());
        assert_eq!(request.operation_name.as_deref(), Some("M"));
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

    #[test]
    fn only_texts_that_are_asked_for_as_texts_leave_the_judgement_to_the_document() {
        let judged = |definitions: &str, given: Value| {
            let prepared = prepared(&format!("query Q({definitions}) {{ f(a: $a) }}"), None);
            prepared.unwrap().is_judged_by_text(&Variables::from_json(given))
        };
        assert!(judged("$a: String!", json!({ "a": "x" })));
        assert!(judged("$a: ID, $b: String", json!({ "a": "x", "b": "", "c": 1 })));
        for given in [json!({ "a": 1 }), json!({ "a": null }), json!({}), json!({ "a": ["x"] })] {
            assert!(!judged("$a: String", given.clone()), "{given}");
        }
        for definitions in ["$a: Int", "$a: [String]", "$a: Input!", "$a: String, $b: String"] {
            assert!(!judged(definitions, json!({ "a": "x" })), "{definitions}");
        }
        assert!(prepared("{ a }", None).unwrap().is_judged_by_text(&Variables::default()));
    }

    #[test]
    fn variables_are_those_of_the_selected_operation() {
        let text = "query A($a: Int!) { f(a: $a) } query B($b: Int!) { f(a: $b) }";
        let selected = prepared(text, Some("B")).unwrap();
        let given = |name: &str| Map::from_iter([(name.to_owned(), Value::from(1))]);
        assert!(variables(given("b"), &selected, &Limits::default()).is_ok());
        let refusal = variables(given("a"), &selected, &Limits::default()).unwrap_err();
        assert_eq!(refusal.code(), "BAD_USER_INPUT");
    }
}
