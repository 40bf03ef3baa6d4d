//! Upper bound of the size of an answer: its nodes, lists and values.
//!
//! A list counts once for each item of the lists around it, because each is a statement of its own.
//! Thirteen fields that go from list to list stand for a million rows. Each fragment is measured
//! once, and sums and products saturate, so that the time grows with the text alone.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::registry::{MetaField, MetaType, MetaTypeName, Registry};
use async_graphql_value::Value;

use super::list_lengths::{ListLengths, to_length};
use crate::domain::pagination::{DEFAULT_SIZE, MAX_SIZE};
use crate::graphql::refusal::{Measure, Refusal};
use crate::graphql::syntax::parent_type;

/// Assumed length of a list that no argument bounds.
const UNBOUNDED_LENGTH: usize = 100;

/// `totalCount` counts as so many nodes: it reads up to 10,001 rows, but of an index only.
const NODES_PER_COUNT: usize = 50;

/// The limit of lists, each a statement, is that of nodes divided by this.
const NODES_PER_LIST: usize = 10;

/// The limit of values is that of nodes multiplied by this.
const VALUES_PER_NODE: usize = 10;

/// A subscription answers at every event, so its limit is that of nodes divided by this.
const SUBSCRIPTION_FACTOR: usize = 10;

/// Size of an answer, or of a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    /// Items of lists.
    nodes: usize,
    /// Lists that are read from the database.
    lists: usize,
    /// Members of objects.
    values: usize,
}

impl Size {
    const VALUE: Self = Self { nodes: 0, lists: 0, values: 1 };

    fn plus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            lists: self.lists.saturating_add(other.lists),
            values: self.values.saturating_add(other.values),
        }
    }

    fn times(self, count: usize) -> Self {
        Self {
            nodes: self.nodes.saturating_mul(count),
            lists: self.lists.saturating_mul(count),
            values: self.values.saturating_mul(count),
        }
    }
}

/// Size of what a selection set selects.
#[derive(Clone, Copy, Debug, Default)]
struct Selected {
    /// Size of what does not repeat.
    once: Size,
    /// Size for each item, if this is the selection set of a connection. The number of items is
    /// known at the connection's field only, and a fragment may be spread in several connections.
    each: Size,
}

impl Selected {
    fn once(once: Size) -> Self {
        Self { once, each: Size::default() }
    }

    fn plus(self, other: Self) -> Self {
        Self { once: self.once.plus(other.once), each: self.each.plus(other.each) }
    }
}

/// Refuses an operation whose answer may have more nodes than `limit`, or more lists or values than
/// the limits derived from it.
pub(super) fn check(
    registry: &Registry,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    lengths: ListLengths<'_>,
    limit: usize,
) -> Result<(), Refusal> {
    let limit = match operation.ty {
        OperationType::Query | OperationType::Mutation => limit,
        OperationType::Subscription => limit / SUBSCRIPTION_FACTOR,
    };
    let Some(root) = parent_type::root(registry, operation.ty) else { return Ok(()) };
    let mut walk = Walk { registry, document, lengths, fragments: HashMap::new() };
    let Selected { once, .. } = walk.selection_set(&operation.selection_set.node, root);
    for (measure, found, limit) in [
        (Measure::Nodes, once.nodes, limit),
        (Measure::Lists, once.lists, limit / NODES_PER_LIST),
        (Measure::Values, once.values, limit.saturating_mul(VALUES_PER_NODE)),
    ] {
        if found > limit {
            return Err(Refusal::TooMuch(measure, limit));
        }
    }
    Ok(())
}

struct Walk<'a> {
    registry: &'a Registry,
    document: &'a ExecutableDocument,
    lengths: ListLengths<'a>,
    fragments: HashMap<&'a str, Selected>,
}

impl<'a> Walk<'a> {
    fn selection_set(&mut self, set: &'a SelectionSet, parent: &'a MetaType) -> Selected {
        let mut selected = Selected::default();
        for selection in &set.items {
            selected = selected.plus(match &selection.node {
                Selection::Field(field) => self.field(&field.node, parent),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = parent_type::within(parent, self.registry, condition);
                    let set = &inline.node.selection_set.node;
                    on.map(|on| self.selection_set(set, on)).unwrap_or_default()
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            });
        }
        selected
    }

    fn fragment(&mut self, name: &str) -> Selected {
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Selected::default();
        };
        if let Some(measured) = self.fragments.get(name.as_str()) {
            return *measured;
        }
        let on = parent_type::on(self.registry, &fragment.node.type_condition);
        let set = &fragment.node.selection_set.node;
        let selected = on.map(|on| self.selection_set(set, on)).unwrap_or_default();
        self.fragments.insert(name, selected);
        selected
    }

    fn field(&mut self, field: &'a Field, parent: &'a MetaType) -> Selected {
        // Introspection reads no rows. `introspection_size` has its limit.
        let Some(definition) = definition(field, parent) else {
            return Selected::once(Size::VALUE);
        };
        let Some(of) = self.registry.concrete_type_by_name(&definition.ty) else {
            return Selected::default();
        };
        if !of.is_composite() {
            let counts = is_connection(parent) && definition.name == "totalCount";
            let (nodes, lists) = if counts { (NODES_PER_COUNT, 1) } else { (0, 0) };
            return Selected::once(Size { nodes, lists, values: 1 });
        }
        let inner = self.selection_set(&field.selection_set.node, of);
        if is_connection(of) {
            let size = self.page(field);
            // An empty page is a statement, too.
            let read = Size { nodes: size.max(1), lists: 1, values: 1 };
            return Selected::once(read.plus(inner.once).plus(inner.each.times(size)));
        }
        let item = inner.once.plus(Size::VALUE);
        if !MetaTypeName::create(&definition.ty).is_list() {
            return Selected::once(item);
        }
        if is_connection(parent) {
            return Selected { once: Size::VALUE, each: item };
        }
        let (length, is_read) = match self.given_length(field, definition) {
            Some(length) => (length, true),
            None => (UNBOUNDED_LENGTH, false),
        };
        let node = Size { nodes: 1, lists: usize::from(is_read), values: 0 };
        Selected::once(Size::VALUE.plus(item.plus(node).times(length)))
    }

    /// The size of a connection's page.
    fn page(&self, field: &Field) -> usize {
        let size = |name| match field.get_argument(name).map(|value| &value.node) {
            Some(Value::Variable(variable)) => self.lengths.page(variable),
            Some(Value::Number(number)) => Some(to_length(number)),
            _ => None,
        };
        let size = size("first").or_else(|| size("last"));
        size.unwrap_or(DEFAULT_SIZE as usize).min(MAX_SIZE as usize)
    }

    /// The length of a list with an item for each item of an argument, such as `nodes(ids:)`.
    fn given_length(&self, field: &Field, definition: &MetaField) -> Option<usize> {
        let lists = definition.args.values();
        let lists = lists.filter(|argument| MetaTypeName::create(&argument.ty).is_list());
        let lengths = lists.map(|argument| {
            match field.get_argument(&argument.name).map(|value| &value.node) {
                Some(Value::Variable(variable)) => self.lengths.list(variable),
                Some(Value::List(items)) => items.len(),
                Some(_) => 1,
                None => 0,
            }
        });
        lengths.max()
    }
}

fn definition<'a>(field: &Field, parent: &'a MetaType) -> Option<&'a MetaField> {
    let name = field.name.node.as_str();
    if name.starts_with("__") { None } else { parent.field_by_name(name) }
}

fn is_connection(of: &MetaType) -> bool {
    matches!(of, MetaType::Object { name, .. } if name.ends_with("Connection"))
}
