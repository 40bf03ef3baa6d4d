//! Field selection merging (section 5.3.2).
//!
//! Comparing each field with each other costs the square of their number, and following fragments
//! from each pair grows without bound. Rule: fields are grouped by their response names, each is
//! compared with the first of its group only, since what is compared is an equality, and the
//! selection sets of a group are merged and judged as one. So each level meets each field once: of
//! all together for their shapes, and of those with parents in common for what they are.

use std::collections::HashSet;

use async_graphql::Positioned;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::registry::{MetaField, MetaType, MetaTypeName, Registry};

use super::invalid;
use crate::graphql::refusal::{Measure, Refusal};
use crate::graphql::syntax::{parent_type, text_order};

/// The most fields that are met. Fields of an interface are met once for each type beside it, which
/// could multiply from level to level in a schema that nests interfaces.
const MOST: usize = 50_000;

pub(super) fn check(registry: &Registry, document: &ExecutableDocument) -> Result<(), Refusal> {
    let mut merging = Merging { registry, document, left: MOST };
    for operation in text_order::operations(document) {
        if let Some(root) = parent_type::root(registry, operation.node.ty) {
            let set = (&operation.node.selection_set.node, root);
            let fields = merging.fields([set])?;
            merging.have_one_shape(&fields)?;
            merging.are_the_same(fields)?;
        }
    }
    Ok(())
}

/// A field in its selection set.
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

/// The fields of one response name.
type Group<'a> = Vec<Selected<'a>>;

struct Merging<'a> {
    registry: &'a Registry,
    document: &'a ExecutableDocument,
    left: usize,
}

impl<'a> Merging<'a> {
    /// `SameResponseShape()`: whatever the parents are, since a client may take one for the other.
    fn have_one_shape(&mut self, fields: &[Group<'a>]) -> Result<(), Refusal> {
        for group in fields {
            let [first, others @ ..] = group.as_slice() else { continue };
            for other in others {
                let (one, two) = (first.written_type(), other.written_type());
                if !self.is_one_shape(one, two) {
                    return conflict(other, &format!("{one} and {two} are different types"));
                }
            }
            let inner = self.inner(group)?;
            self.have_one_shape(&inner)?;
        }
        Ok(())
    }

    fn is_one_shape(&self, one: &str, two: &str) -> bool {
        use MetaTypeName::{List, Named, NonNull};
        match (MetaTypeName::create(one), MetaTypeName::create(two)) {
            (NonNull(one), NonNull(two)) | (List(one), List(two)) => self.is_one_shape(one, two),
            (Named(one), Named(two)) => {
                let is_composite =
                    |name| self.registry.types.get(name).is_some_and(MetaType::is_composite);
                one == two || is_composite(one) && is_composite(two)
            }
            _ => false,
        }
    }

    /// `FieldsInSetCanMerge()` of fields that an object may have at once: the same field with the
    /// same arguments.
    fn are_the_same(&mut self, fields: Vec<Group<'a>>) -> Result<(), Refusal> {
        for group in fields.into_iter().flat_map(with_parents_in_common) {
            let [first, others @ ..] = group.as_slice() else { continue };
            for other in others {
                let (one, two) = (first.name(), other.name());
                if one != two {
                    return conflict(other, &format!("{one} and {two} are different fields"));
                }
                if !have_the_same_arguments(&first.field.node, &other.field.node) {
                    return conflict(other, "the arguments differ");
                }
            }
            let inner = self.inner(&group)?;
            self.are_the_same(inner)?;
        }
        Ok(())
    }

    /// The fields that these select, together.
    fn inner(&mut self, group: &[Selected<'a>]) -> Result<Vec<Group<'a>>, Refusal> {
        let registry = self.registry;
        self.fields(group.iter().filter_map(|selected| {
            let of = registry.concrete_type_by_name(&selected.definition?.ty)?;
            Some((&selected.field.node.selection_set.node, of))
        }))
    }

    /// The fields of these selection sets, grouped by their response names, the first met first.
    fn fields(
        &mut self,
        sets: impl IntoIterator<Item = (&'a SelectionSet, &'a MetaType)>,
    ) -> Result<Vec<Group<'a>>, Refusal> {
        let mut groups: IndexMap<&str, Group<'a>> = IndexMap::new();
        let mut spread = HashSet::new();
        let mut open: Vec<_> = sets.into_iter().collect();
        open.reverse();
        while let Some((set, parent)) = open.pop() {
            for selection in &set.items {
                let Some(left) = self.left.checked_sub(1) else {
                    return Err(Refusal::TooMuch(Measure::Fields, MOST));
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
                        open.extend(on.map(|on| (&inline.node.selection_set.node, on)));
                    }
                    Selection::FragmentSpread(of) => {
                        let name = of.node.fragment_name.node.as_str();
                        let fragment = self.document.fragments.get(name);
                        // A second time it adds what is there.
                        let Some(fragment) = fragment.filter(|_| spread.insert(name)) else {
                            continue;
                        };
                        let on = parent_type::on(self.registry, &fragment.node.type_condition);
                        open.extend(on.map(|on| (&fragment.node.selection_set.node, on)));
                    }
                }
            }
        }
        Ok(groups.into_values().collect())
    }
}

/// Parts of a group that an object may have at once: those of each type, with those of interfaces.
fn with_parents_in_common(group: Group<'_>) -> Vec<Group<'_>> {
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

fn have_the_same_arguments(one: &Field, other: &Field) -> bool {
    one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| {
            other.get_argument(&name.node).is_some_and(|other| other.node == value.node)
        })
}

fn conflict<T>(of: &Selected<'_>, why: &str) -> Result<T, Refusal> {
    let name = &of.field.node.response_key().node;
    let message = format!("Fields \"{name}\" conflict: {why}. Give one of them another alias");
    invalid(message, of.field.pos)
}
