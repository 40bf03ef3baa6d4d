//! How deep a document's brackets nest, as the parser understood it.

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
    Type,
};
use async_graphql::{Name, Positioned, Value};
use async_graphql_value::Value as Argument;

/// The deepest that `(`, `[` and `{` nest, together.
pub fn of_document(document: &ExecutableDocument) -> usize {
    let operations = document.operations.iter().map(|(_, operation)| of_operation(&operation.node));
    let fragments = document.fragments.values().map(|fragment| {
        of_set(&fragment.node.selection_set.node).max(of_directives(&fragment.node.directives))
    });
    operations.chain(fragments).max().unwrap_or_default()
}

fn of_operation(operation: &OperationDefinition) -> usize {
    let variables = operation.variable_definitions.iter().map(|variable| {
        let default = variable.node.default_value.as_ref().map_or(0, |value| of_value(&value.node));
        let inner = default
            .max(of_type(&variable.node.var_type.node))
            .max(of_directives(&variable.node.directives));
        1 + inner
    });
    let variables = variables.max().unwrap_or_default();
    variables.max(of_directives(&operation.directives)).max(of_set(&operation.selection_set.node))
}

fn of_set(set: &SelectionSet) -> usize {
    let items = set.items.iter().map(|item| match &item.node {
        Selection::Field(field) => of_field(&field.node),
        Selection::FragmentSpread(spread) => of_directives(&spread.node.directives),
        Selection::InlineFragment(inline) => {
            of_set(&inline.node.selection_set.node).max(of_directives(&inline.node.directives))
        }
    });
    // A field without a selection set has an empty one.
    items.max().map_or(0, |deepest| 1 + deepest)
}

fn of_field(field: &Field) -> usize {
    of_arguments(&field.arguments)
        .max(of_directives(&field.directives))
        .max(of_set(&field.selection_set.node))
}

fn of_directives(directives: &[Positioned<Directive>]) -> usize {
    let depths = directives.iter().map(|directive| of_arguments(&directive.node.arguments));
    depths.max().unwrap_or_default()
}

fn of_arguments(arguments: &[(Positioned<Name>, Positioned<Argument>)]) -> usize {
    let depths = arguments.iter().map(|(_, value)| 1 + of_argument(&value.node));
    depths.max().unwrap_or_default()
}

fn of_argument(value: &Argument) -> usize {
    match value {
        Argument::List(items) => 1 + items.iter().map(of_argument).max().unwrap_or_default(),
        Argument::Object(fields) => 1 + fields.values().map(of_argument).max().unwrap_or_default(),
        _ => 0,
    }
}

fn of_value(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(of_value).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(of_value).max().unwrap_or_default(),
        _ => 0,
    }
}

fn of_type(of: &Type) -> usize {
    match &of.base {
        BaseType::List(inner) => 1 + of_type(inner),
        BaseType::Named(_) => 0,
    }
}
