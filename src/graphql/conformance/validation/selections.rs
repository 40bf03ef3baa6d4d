//! Walk through the selections of a document, for the rules on values, variables and directives.
//!
//! Specification: GraphQL (September 2025), sections 5.4, 5.6, 5.7 and 5.8.5; each rule is in a file of
//! its own. The rules on `__typename` are here: it has no arguments (5.4.1) and no selections (5.3.3).
//! async-graphql 7.2 skips the field `__typename` and everything at it.
//! Upstream: no upstream issue found (2026-11).
//! Remove when: async-graphql refuses `{ __typename(a: 1) }` and `{ __typename { a } }`, and the other
//! rules are gone.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::registry::{MetaType, Registry};

use super::directives;
use super::values::ValueCheck;
use super::variable_usages::VariableUsages;
use crate::graphql::refusal::Refusal;
use crate::graphql::syntax::{parent_type, text_order};

pub(super) fn check(registry: &Registry, document: &ExecutableDocument) -> Result<(), Refusal> {
    let mut fragments = HashMap::new();
    for (name, fragment) in text_order::fragments(document) {
        let mut walk = Walk { values: ValueCheck::new(registry) };
        directives::check(&mut walk.values, &fragment.node.directives, "FRAGMENT_DEFINITION")?;
        if let Some(on) = parent_type::on(registry, &fragment.node.type_condition) {
            walk.selection_set(&fragment.node.selection_set.node, on)?;
        }
        fragments.insert(name.as_str(), walk.values.usages);
    }
    for operation in text_order::operations(document) {
        let usages = usages_in_operation(registry, &operation.node)?;
        usages.check(&operation.node, &fragments)?;
    }
    Ok(())
}

/// Checks an operation and returns the variables that it uses outside of fragments.
fn usages_in_operation<'a>(
    registry: &'a Registry,
    operation: &'a OperationDefinition,
) -> Result<VariableUsages<'a>, Refusal> {
    let mut walk = Walk { values: ValueCheck::new(registry) };
    let location = match operation.ty {
        OperationType::Query => "QUERY",
        OperationType::Mutation => "MUTATION",
        OperationType::Subscription => "SUBSCRIPTION",
    };
    directives::check(&mut walk.values, &operation.directives, location)?;
    for definition in operation.variable_definitions.iter().map(|definition| &definition.node) {
        directives::check(&mut walk.values, &definition.directives, "VARIABLE_DEFINITION")?;
        if let Some(default) = &definition.default_value {
            let value = default.node.clone().into_value();
            let var_type = definition.var_type.node.to_string();
            // Separate, since the value lives too short for `walk`. It has no variables to collect.
            ValueCheck::new(registry).typed_value(&value, &var_type, default.pos)?;
        }
    }
    if let Some(root) = parent_type::root(registry, operation.ty) {
        walk.selection_set(&operation.selection_set.node, root)?;
    }
    Ok(walk.values.usages)
}

/// Walk through one operation or one fragment.
struct Walk<'a> {
    values: ValueCheck<'a>,
}

impl<'a> Walk<'a> {
    fn selection_set(
        &mut self,
        set: &'a SelectionSet,
        parent: &'a MetaType,
    ) -> Result<(), Refusal> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(field, parent)?,
                Selection::InlineFragment(inline) => {
                    directives::check(
                        &mut self.values,
                        &inline.node.directives,
                        "INLINE_FRAGMENT",
                    )?;
                    let condition = inline.node.type_condition.as_ref();
                    if let Some(on) = parent_type::within(parent, self.values.registry, condition) {
                        self.selection_set(&inline.node.selection_set.node, on)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    directives::check(
                        &mut self.values,
                        &spread.node.directives,
                        "FRAGMENT_SPREAD",
                    )?;
                    self.values.usages.add_spread(&spread.node.fragment_name.node);
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'a Positioned<Field>, parent: &'a MetaType) -> Result<(), Refusal> {
        let Field { name, arguments, directives, selection_set, .. } = &field.node;
        directives::check(&mut self.values, directives, "FIELD")?;
        if name.node == "__typename" {
            if let Some((argument, _)) = arguments.first() {
                let message = format!("Field \"__typename\" has no argument \"{argument}\".");
                return Err(Refusal::invalid(message, argument.pos));
            }
            if !selection_set.node.items.is_empty() {
                return Err(Refusal::invalid(
                    "Field \"__typename\" has no selection set.",
                    field.pos,
                ));
            }
            return Ok(());
        }
        let Some(definition) = parent.field_by_name(&name.node) else { return Ok(()) };
        self.values.arguments(arguments, |name| definition.args.get(name))?;
        match self.values.registry.concrete_type_by_name(&definition.ty) {
            Some(of) => self.selection_set(&selection_set.node, of),
            None => Ok(()),
        }
    }
}
