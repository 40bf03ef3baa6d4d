//! Field selection merging.
//!
//! Specification: GraphQL (September 2025), section 5.3.2 (`FieldsInSetCanMerge`, `SameResponseShape`).
//! async-graphql 7.2 compares the fields of one selection set with the same type condition. It does
//! not merge the selection sets of equal fields, and has no rule on the shape of responses.
//! Upstream: no upstream issue found (2026-11).
//! Remove when: async-graphql refuses `{ a { x: b } a { x: c } }`, in time linear in the document.
//!
//! The algorithm of the specification compares each field with each other one and follows fragments
//! from each pair, which grows without bound. Here fields are grouped by response name. Each is
//! compared with the first of its group only, since the relation is an equality, and the selection
//! sets of a group are merged and checked as one. So each level visits each field once for the
//! shapes, and once for the fields of objects with a common parent type.

use std::collections::HashSet;

use async_graphql::Positioned;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::registry::{MetaField, MetaType, MetaTypeName, Registry};

use crate::graphql::refusal::{Measure, Refusal};
use crate::graphql::syntax::{parent_type, text_order};

/// Bound of the work. Fields of an interface are visited once for each object type beside it, which
/// could multiply from level to level in a schema that nests interfaces.
const MAX_VISITED_FIELDS: usize = 50_000;

pub(super) fn check(registry: &Registry, document: &ExecutableDocument) -> Result<(), Refusal> {
    let mut check = MergeCheck { registry, document, left: MAX_VISITED_FIELDS };
    for operation in text_order::operations(document) {
        if let Some(root) = parent_type::root(registry, operation.node.ty) {
            let set = (&operation.node.selection_set.node, root);
            let fields = check.fields([set])?;
            check.same_response_shape(&fields)?;
            check.same_fields(fields)?;
        }
    }
    Ok(())
}

/// Selection of a field, with the type of its selection set.
#[derive(Clone, Copy)]
struct Selected<'a> {
    parent: &'a MetaType,
    field: &'a Positioned<Field>,
    /// `None` for `__typename`.
    definition: Option<&'a MetaField>,
}

impl<'a> Selected<'a> {
    fn name(&self) -> &'a str {
        &self.field.node.name.node
    }

    fn written_type(&self) -> &'a str {
        self.definition.map_or("String!", |definition| definition.ty.as_str())
    }
}

/// Selections with the same response name.
type Group<'a> = Vec<Selected<'a>>;

struct MergeCheck<'a> {
    registry: &'a Registry,
    document: &'a ExecutableDocument,
    /// How many fields may still be visited.
    left: usize,
}

impl<'a> MergeCheck<'a> {
    /// `SameResponseShape`, for any parent types: a client may not know which one an object has.
    fn same_response_shape(&mut self, fields: &[Group<'a>]) -> Result<(), Refusal> {
        for group in fields {
            let [first, others @ ..] = group.as_slice() else { continue };
            for other in others {
                let (one, two) = (first.written_type(), other.written_type());
                if !self.same_shape(one, two) {
                    return conflict(other, &format!("the types {one} and {two} differ"));
                }
            }
            let inner = self.inner(group)?;
            self.same_response_shape(&inner)?;
        }
        Ok(())
    }

    fn same_shape(&self, one: &str, two: &str) -> bool {
        use MetaTypeName::{List, Named, NonNull};
        match (MetaTypeName::create(one), MetaTypeName::create(two)) {
            (NonNull(one), NonNull(two)) | (List(one), List(two)) => self.same_shape(one, two),
            (Named(one), Named(two)) => {
                let is_composite =
                    |name| self.registry.types.get(name).is_some_and(MetaType::is_composite);
                one == two || is_composite(one) && is_composite(two)
            }
            _ => false,
        }
    }

    /// `FieldsInSetCanMerge` for selections that apply to one object: the same field with the same
    /// arguments.
    fn same_fields(&mut self, fields: Vec<Group<'a>>) -> Result<(), Refusal> {
        for group in fields.into_iter().flat_map(by_parent_type) {
            let [first, others @ ..] = group.as_slice() else { continue };
            for other in others {
                let (one, two) = (first.name(), other.name());
                if one != two {
                    return conflict(other, &format!("{one} and {two} are different fields"));
                }
                if !same_arguments(&first.field.node, &other.field.node) {
                    return conflict(other, "the arguments differ");
                }
            }
            let inner = self.inner(&group)?;
            self.same_fields(inner)?;
        }
        Ok(())
    }

    /// The fields that the selections of a group select together.
    fn inner(&mut self, group: &[Selected<'a>]) -> Result<Vec<Group<'a>>, Refusal> {
        let registry = self.registry;
        self.fields(group.iter().filter_map(|selected| {
            let of = registry.concrete_type_by_name(&selected.definition?.ty)?;
            Some((&selected.field.node.selection_set.node, of))
        }))
    }

    /// The fields of these selection sets, grouped by response name. The first of a group is the first
    /// that was visited.
    fn fields(
        &mut self,
        sets: impl IntoIterator<Item = (&'a SelectionSet, &'a MetaType)>,
    ) -> Result<Vec<Group<'a>>, Refusal> {
        let mut groups: IndexMap<&str, Group<'a>> = IndexMap::new();
        let mut spread = HashSet::new();
        let mut pending: Vec<_> = sets.into_iter().collect();
        pending.reverse();
        while let Some((set, parent)) = pending.pop() {
            for selection in &set.items {
                let Some(left) = self.left.checked_sub(1) else {
                    return Err(Refusal::TooMuch(Measure::Fields, MAX_VISITED_FIELDS));
                };
                self.left = left;
                match &selection.node {
                    Selection::Field(field) => {
                        let definition = parent.field_by_name(&field.node.name.node);
                        let group = groups.entry(&field.node.response_key().node).or_default();
                        group.push(Selected { parent, field, definition });
                    }
                    Selection::InlineFragment(inline) => {
                        let condition = inline.node.type_condition.as_ref();
                        let on = parent_type::within(parent, self.registry, condition);
                        pending.extend(on.map(|on| (&inline.node.selection_set.node, on)));
                    }
                    Selection::FragmentSpread(of) => {
                        let name = of.node.fragment_name.node.as_str();
                        let fragment = self.document.fragments.get(name);
                        // A second spread of a fragment adds nothing.
                        let Some(fragment) = fragment.filter(|_| spread.insert(name)) else {
                            continue;
                        };
                        let on = parent_type::on(self.registry, &fragment.node.type_condition);
                        pending.extend(on.map(|on| (&fragment.node.selection_set.node, on)));
                    }
                }
            }
        }
        Ok(groups.into_values().collect())
    }
}

/// Splits a group into parts that may apply to one object: the selections of each object type, each
/// with the selections of interfaces.
fn by_parent_type(group: Group<'_>) -> Vec<Group<'_>> {
    let (of_interfaces, of_objects): (Group<'_>, Group<'_>) =
        group.into_iter().partition(|selected| selected.parent.is_abstract());
    let mut parts: Vec<(&str, Group<'_>)> = Vec::new();
    for selected in of_objects {
        let parent = selected.parent.name();
        match parts.iter_mut().find(|(name, _)| *name == parent) {
            Some((_, part)) => part.push(selected),
            None => parts.push((parent, vec![selected])),
        }
    }
    if parts.is_empty() {
        return vec![of_interfaces];
    }
    for (_, part) in &mut parts {
        part.extend(&of_interfaces);
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

fn same_arguments(one: &Field, other: &Field) -> bool {
    one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| {
            other.get_argument(&name.node).is_some_and(|other| other.node == value.node)
        })
}

fn conflict<T>(of: &Selected<'_>, why: &str) -> Result<T, Refusal> {
    let name = &of.field.node.response_key().node;
    let message = format!("Fields \"{name}\" conflict: {why}. Use different aliases.");
    Err(Refusal::invalid(message, of.field.pos))
}
