//! Values and variables where they are used: values of correct type (section 5.6.1), input object
//! field names and required fields (5.6.2, 5.6.4), and all variable usages are allowed (5.8.5).

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Number, Pos, Positioned};
use async_graphql_value::Value;

use super::variable_usages::{Usages, Use};
use super::{directives, invalid};
use crate::graphql::refusal::Refusal;
use crate::graphql::syntax::{parent_type, text_order};

pub(super) fn check(registry: &Registry, document: &ExecutableDocument) -> Result<(), Refusal> {
    let mut fragments = HashMap::new();
    for (name, fragment) in text_order::fragments(document) {
        let mut walk = Walk { registry, usages: Usages::default() };
        directives::check(&mut walk, &fragment.node.directives, "FRAGMENT_DEFINITION")?;
        if let Some(on) = parent_type::on(registry, &fragment.node.type_condition) {
            walk.selection_set(&fragment.node.selection_set.node, on)?;
        }
        fragments.insert(name.as_str(), walk.usages);
    }
    for operation in text_order::operations(document) {
        let usages = of_operation(registry, &operation.node)?;
        usages.check(&operation.node, &fragments)?;
    }
    Ok(())
}

fn of_operation<'a>(
    registry: &'a Registry,
    operation: &'a OperationDefinition,
) -> Result<Usages<'a>, Refusal> {
    let mut walk = Walk { registry, usages: Usages::default() };
    let location = match operation.ty {
        OperationType::Query => "QUERY",
        OperationType::Mutation => "MUTATION",
        OperationType::Subscription => "SUBSCRIPTION",
    };
    directives::check(&mut walk, &operation.directives, location)?;
    for definition in operation.variable_definitions.iter().map(|definition| &definition.node) {
        directives::check(&mut walk, &definition.directives, "VARIABLE_DEFINITION")?;
        if let Some(default) = &definition.default_value {
            let value = default.node.clone().into_value();
            let var_type = definition.var_type.node.to_string();
            // Without variables in it, it leaves no use behind.
            let mut alone = Walk { registry, usages: Usages::default() };
            alone.within(&value, &var_type, default.pos)?;
        }
    }
    if let Some(root) = parent_type::root(registry, operation.ty) {
        walk.selection_set(&operation.selection_set.node, root)?;
    }
    Ok(walk.usages)
}

/// A walk through an operation or a fragment.
pub(super) struct Walk<'a> {
    pub(super) registry: &'a Registry,
    usages: Usages<'a>,
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
                    directives::check(self, &inline.node.directives, "INLINE_FRAGMENT")?;
                    let condition = inline.node.type_condition.as_ref();
                    if let Some(on) = parent_type::within(parent, self.registry, condition) {
                        self.selection_set(&inline.node.selection_set.node, on)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    directives::check(self, &spread.node.directives, "FRAGMENT_SPREAD")?;
                    self.usages.spread(&spread.node.fragment_name.node);
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'a Positioned<Field>, parent: &'a MetaType) -> Result<(), Refusal> {
        let Field { name, arguments, directives, selection_set, .. } = &field.node;
        directives::check(self, directives, "FIELD")?;
        // async-graphql passes over it, and all that stands at it.
        if name.node == "__typename" {
            if let Some((argument, _)) = arguments.first() {
                return invalid(format!("__typename has no argument \"{argument}\""), argument.pos);
            }
            if !selection_set.node.items.is_empty() {
                return invalid("__typename has no fields".to_owned(), field.pos);
            }
            return Ok(());
        }
        let Some(definition) = parent.field_by_name(&name.node) else { return Ok(()) };
        self.arguments(arguments, |name| definition.args.get(name))?;
        match self.registry.concrete_type_by_name(&definition.ty) {
            Some(of) => self.selection_set(&selection_set.node, of),
            None => Ok(()),
        }
    }

    pub(super) fn arguments(
        &mut self,
        arguments: &'a [(Positioned<Name>, Positioned<Value>)],
        definition: impl Fn(&str) -> Option<&'a MetaInputValue>,
    ) -> Result<(), Refusal> {
        for (name, value) in arguments {
            if let Some(definition) = definition(&name.node) {
                self.value(&value.node, definition, value.pos)?;
            }
        }
        Ok(())
    }

    /// A value of an argument, or of a member of an input object.
    fn value(&mut self, value: &'a Value, of: &'a MetaInputValue, at: Pos) -> Result<(), Refusal> {
        if let Value::Variable(name) = value {
            let has_default = of.default_value.is_some();
            self.usages.variable(Use { name, expected: &of.ty, has_default, at });
            return Ok(());
        }
        self.within(value, &of.ty, at)
    }

    fn within(&mut self, value: &'a Value, expected: &'a str, at: Pos) -> Result<(), Refusal> {
        match (MetaTypeName::create(expected), value) {
            (_, Value::Variable(name)) => {
                self.usages.variable(Use { name, expected, has_default: false, at });
                Ok(())
            }
            (MetaTypeName::NonNull(_), Value::Null) => unfit(expected, at),
            (_, Value::Null) => Ok(()),
            (MetaTypeName::List(of), Value::List(items)) => {
                items.iter().try_for_each(|item| self.within(item, of, at))
            }
            (MetaTypeName::NonNull(of) | MetaTypeName::List(of), value) => {
                self.within(value, of, at)
            }
            (MetaTypeName::Named(name), value) => match self.registry.types.get(name) {
                Some(MetaType::InputObject { input_fields, .. }) => {
                    let Value::Object(members) = value else { return unfit(expected, at) };
                    for (name, value) in members {
                        let Some(field) = input_fields.get(name.as_str()) else {
                            return invalid(format!("{expected} has no field \"{name}\""), at);
                        };
                        self.value(value, field, at)?;
                    }
                    let is_missing = |field: &&MetaInputValue| {
                        MetaTypeName::create(&field.ty).is_non_null()
                            && field.default_value.is_none()
                            && !members.contains_key(field.name.as_str())
                    };
                    match input_fields.values().find(is_missing) {
                        Some(missing) => {
                            invalid(format!("{expected} needs the field \"{}\"", missing.name), at)
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
            // What a scalar of our own takes, it says where it is used.
            _ => true,
        },
    };
    if fits { Ok(()) } else { unfit(of.name(), at) }
}

fn is_int(number: &Number) -> bool {
    number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
}

/// The value is not repeated: it may be a password at the wrong place.
fn unfit<T>(expected: &str, at: Pos) -> Result<T, Refusal> {
    invalid(format!("A value of type {expected} is needed here"), at)
}
