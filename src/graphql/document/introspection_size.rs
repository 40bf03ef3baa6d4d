//! Size of the answer to introspection, in values.
//!
//! It is counted and not estimated, since the schema is known: each selection set is applied to the
//! items that it will be applied to, all items of a kind at once. Counting stops at the limit, and
//! every visited item counts, so that it takes microseconds for any text.

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::registry::{MetaField, MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql_value::Value;

use crate::graphql::refusal::{Measure, Refusal};

/// Values allowed for each type, field, argument and enum value of the schema. The standard query has
/// about twelve.
const VALUES_PER_ELEMENT: usize = 40;

/// Refuses an operation whose introspection is about three times as large as the standard query.
pub(super) fn check(
    registry: &Registry,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Result<(), Refusal> {
    let elements = elements(registry);
    let limit = elements.saturating_mul(VALUES_PER_ELEMENT);
    let mut count = Count { registry, document, elements, left: limit };
    let set = &operation.selection_set.node;
    count.selection_set(set, &Items::Root).ok_or(Refusal::TooMuch(Measure::Introspected, limit))
}

/// Number of types, fields, arguments and enum values of the schema.
fn elements(registry: &Registry) -> usize {
    let arguments = |field: &MetaField| 1 + field.args.len();
    let of_a_type = |of: &MetaType| match of {
        MetaType::Object { fields, .. } | MetaType::Interface { fields, .. } => {
            fields.values().map(arguments).sum()
        }
        MetaType::Enum { enum_values, .. } => enum_values.len(),
        MetaType::InputObject { input_fields, .. } => input_fields.len(),
        MetaType::Scalar { .. } | MetaType::Union { .. } => 0,
    };
    registry.types.values().map(|of| 1 + of_a_type(of)).sum()
}

/// Items of the schema that a selection set is applied to.
enum Items<'a> {
    Root,
    Schema,
    /// Types in the notation of the schema, such as `[User!]!`.
    Types(Vec<&'a str>),
    Fields(Vec<&'a MetaField>),
    Inputs(Vec<&'a MetaInputValue>),
    EnumValues(usize),
    Directives,
    /// Fields of data, and fields that do not exist.
    Nothing,
}

struct Count<'a> {
    registry: &'a Registry,
    document: &'a ExecutableDocument,
    elements: usize,
    left: usize,
}

impl<'a> Count<'a> {
    /// Counts what the set selects of each item; `None` once the limit is exceeded.
    fn selection_set(&mut self, set: &'a SelectionSet, of: &Items<'a>) -> Option<()> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(&field.node, of)?,
                Selection::InlineFragment(inline) => {
                    self.selection_set(&inline.node.selection_set.node, of)?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name) {
                        self.selection_set(&fragment.node.selection_set.node, of)?;
                    }
                }
            }
        }
        Some(())
    }

    fn field(&mut self, field: &'a Field, of: &Items<'a>) -> Option<()> {
        let selected = self.selected(field, of);
        if matches!((of, &selected), (Items::Root, Items::Schema | Items::Types(_))) {
            // async-graphql walks through the whole schema at each of these fields, to find the visible
            // types.
            self.left = self.left.checked_sub(self.elements)?;
        }
        // Members of objects and items of lists are values.
        self.left = self.left.checked_sub(self.length(of).max(self.length(&selected)))?;
        match selected {
            Items::Nothing => Some(()),
            selected => self.selection_set(&field.selection_set.node, &selected),
        }
    }

    fn length(&self, items: &Items<'a>) -> usize {
        match items {
            Items::Root | Items::Nothing => 0,
            Items::Schema => 1,
            Items::Types(types) => types.len(),
            Items::Fields(fields) => fields.len(),
            Items::Inputs(inputs) => inputs.len(),
            Items::EnumValues(count) => *count,
            Items::Directives => self.registry.directives.len(),
        }
    }

    fn selected(&self, field: &Field, of: &Items<'a>) -> Items<'a> {
        let name = field.name.node.as_str();
        match of {
            Items::Root => match name {
                "__schema" => Items::Schema,
                "__type" => Items::Types(self.named(field)),
                _ => Items::Nothing,
            },
            Items::Schema => match name {
                "types" => Items::Types(self.registry.types.keys().map(String::as_str).collect()),
                "queryType" => Items::Types(vec![&self.registry.query_type]),
                "mutationType" => {
                    Items::Types(self.registry.mutation_type.as_deref().into_iter().collect())
                }
                "subscriptionType" => {
                    Items::Types(self.registry.subscription_type.as_deref().into_iter().collect())
                }
                "directives" => Items::Directives,
                _ => Items::Nothing,
            },
            Items::Types(types) => self.of_types(name, types),
            Items::Fields(fields) => match name {
                "args" => {
                    Items::Inputs(fields.iter().flat_map(|field| field.args.values()).collect())
                }
                "type" => Items::Types(fields.iter().map(|field| field.ty.as_str()).collect()),
                _ => Items::Nothing,
            },
            Items::Inputs(inputs) => match name {
                "type" => Items::Types(inputs.iter().map(|input| input.ty.as_str()).collect()),
                _ => Items::Nothing,
            },
            Items::Directives => match name {
                "args" => {
                    let directives = self.registry.directives.values();
                    Items::Inputs(
                        directives.flat_map(|directive| directive.args.values()).collect(),
                    )
                }
                _ => Items::Nothing,
            },
            Items::EnumValues(_) | Items::Nothing => Items::Nothing,
        }
    }

    fn of_types(&self, name: &str, types: &[&'a str]) -> Items<'a> {
        let named = || types.iter().filter_map(|written| self.registry.types.get(*written));
        match name {
            "ofType" => {
                Items::Types(types.iter().filter_map(|written| unwrapped(written)).collect())
            }
            "fields" => {
                let fields = named().filter_map(MetaType::fields);
                Items::Fields(fields.flat_map(|fields| fields.values()).collect())
            }
            "inputFields" => Items::Inputs(
                named()
                    .filter_map(|of| match of {
                        MetaType::InputObject { input_fields, .. } => Some(input_fields.values()),
                        _ => None,
                    })
                    .flatten()
                    .collect(),
            ),
            "enumValues" => Items::EnumValues(
                named()
                    .map(|of| match of {
                        MetaType::Enum { enum_values, .. } => enum_values.len(),
                        _ => 0,
                    })
                    .sum(),
            ),
            "interfaces" => {
                let interfaces = named().filter_map(|of| self.registry.implements.get(of.name()));
                Items::Types(interfaces.flatten().map(String::as_str).collect())
            }
            "possibleTypes" => {
                let possible = named().filter_map(MetaType::possible_types);
                Items::Types(possible.flatten().map(String::as_str).collect())
            }
            _ => Items::Nothing,
        }
    }

    /// The type that `__type` selects; all types if its name is in a variable.
    fn named(&self, field: &Field) -> Vec<&'a str> {
        match field.get_argument("name").map(|name| &name.node) {
            Some(Value::String(name)) => self
                .registry
                .types
                .get_key_value(name)
                .map(|(name, _)| name.as_str())
                .into_iter()
                .collect(),
            _ => self.registry.types.keys().map(String::as_str).collect(),
        }
    }
}

/// The type that a list or a Non-Null type wraps.
fn unwrapped(written: &str) -> Option<&str> {
    match MetaTypeName::create(written) {
        MetaTypeName::List(of) | MetaTypeName::NonNull(of) => Some(of),
        MetaTypeName::Named(_) => None,
    }
}
