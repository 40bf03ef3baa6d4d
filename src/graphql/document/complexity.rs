//! Complexity of a parsed document, with its fragments expanded.
//!
//! Each fragment is measured once and the result kept, so that the time grows with the text and not
//! with what it expands to: 868 bytes in which each fragment spreads the next one twice stand for
//! sixteen million fields. Every spread must lead to fields, which are counted. Nothing else would
//! bound the spreads, which async-graphql follows one by one.

use std::collections::HashMap;

use async_graphql::Pos;
use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};

use super::credential_mutations;
use super::limits::Limits;
use crate::graphql::refusal::{Measure, Refusal};
use crate::graphql::syntax::text_order;

/// Root fields of introspection, which has limits of its own.
const INTROSPECTION_ROOTS: [&str; 2] = ["__schema", "__type"];

/// Lists of introspection that lead to further types.
const INTROSPECTION_LISTS: [&str; 5] =
    ["types", "fields", "interfaces", "possibleTypes", "inputFields"];

/// Refuses a document that is over a limit, or in which a fragment spreads itself. Returns whether the
/// selected operation is a query with introspection.
pub(super) fn check(
    document: &ExecutableDocument,
    selected: &OperationDefinition,
    limits: &Limits,
) -> Result<bool, Refusal> {
    let mut walk = Walk { document, limits, fragments: HashMap::new() };
    let mut total = Complexity::default();
    for operation in text_order::operations(document) {
        total.add(&walk.operation(&operation.node)?);
    }
    // Fragments that no operation spreads count, too, since validation visits them.
    for (name, fragment) in text_order::fragments(document) {
        if !walk.fragments.contains_key(name.as_str()) {
            let own = walk.fragment(name, fragment.pos, 1)?;
            let of_introspection = fragment.node.type_condition.node.on.node.starts_with("__");
            total.add(&if of_introspection { own.as_introspection() } else { own });
        }
    }
    total.check(limits)?;
    // Once more for the selected operation alone. Its fragments are measured by now.
    let Complexity { credential_mutations, introspection_fields, .. } = walk.operation(selected)?;
    if selected.ty == OperationType::Mutation && credential_mutations > limits.credential_mutations
    {
        let limit = limits.credential_mutations;
        return Err(Refusal::TooMuch(Measure::CredentialMutations, limit));
    }
    Ok(selected.ty == OperationType::Query && introspection_fields > 0)
}

/// State of a fragment that the walk has reached.
enum FragmentState {
    /// Reached again in this state, it spreads itself.
    InProgress,
    Measured(Complexity),
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    fragments: HashMap<&'a str, FragmentState>,
}

impl<'a> Walk<'a> {
    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Complexity, Refusal> {
        let mut sum = self.selection_set(&operation.selection_set.node, 1)?;
        let of_variables =
            operation.variable_definitions.iter().map(|variable| variable.node.directives.len());
        let own = operation.directives.len() + of_variables.sum::<usize>();
        sum.directives = sum.directives.saturating_add(own);
        Ok(sum)
    }

    /// The fragment that is spread at this position; `nesting` is the level of its selection set.
    fn fragment(&mut self, name: &str, at: Pos, nesting: usize) -> Result<Complexity, Refusal> {
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Err(Refusal::NoSuchFragment(name.to_owned(), at));
        };
        let measured = match self.fragments.get(name.as_str()) {
            Some(FragmentState::InProgress) => {
                return Err(Refusal::FragmentCycle(name.to_string(), fragment.pos));
            }
            Some(FragmentState::Measured(measured)) => *measured,
            None => {
                self.fragments.insert(name.as_str(), FragmentState::InProgress);
                let mut sum = self.selection_set(&fragment.node.selection_set.node, nesting)?;
                let own = fragment.node.directives.len();
                sum.directives = sum.directives.saturating_add(own);
                self.fragments.insert(name.as_str(), FragmentState::Measured(sum));
                sum
            }
        };
        self.check_nesting((nesting - 1).saturating_add(measured.nesting))?;
        Ok(measured)
    }

    /// A selection set at this level of nesting.
    fn selection_set(
        &mut self,
        set: &'a SelectionSet,
        nesting: usize,
    ) -> Result<Complexity, Refusal> {
        // Before the recursion: fragments that each spread the next one would recurse as deep as
        // the document has definitions.
        self.check_nesting(nesting)?;
        let mut sum = Complexity::default();
        for selection in &set.items {
            let inner = match &selection.node {
                Selection::Field(field) => self.field(&field.node, nesting)?,
                Selection::InlineFragment(inline) => {
                    self.selection_set(&inline.node.selection_set.node, nesting + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name;
                    self.fragment(&name.node, name.pos, nesting + 1)?
                }
            };
            sum.add(&inner);
            let directives = selection.node.directives().len();
            sum.directives = sum.directives.saturating_add(directives);
        }
        sum.nesting += 1;
        Ok(sum)
    }

    fn field(&mut self, field: &'a Field, nesting: usize) -> Result<Complexity, Refusal> {
        let name = field.name.node.as_str();
        let mut sum = if field.selection_set.node.items.is_empty() {
            Complexity::default()
        } else {
            self.selection_set(&field.selection_set.node, nesting + 1)?
        };
        sum.fields = sum.fields.saturating_add(1);
        sum.depth += 1;
        sum.aliases = sum.aliases.saturating_add(usize::from(field.alias.is_some()));
        sum.lists += usize::from(INTROSPECTION_LISTS.contains(&name));
        sum.credential_mutations = usize::from(credential_mutations::contains(name));
        Ok(if INTROSPECTION_ROOTS.contains(&name) { sum.as_introspection() } else { sum })
    }

    fn check_nesting(&self, nesting: usize) -> Result<(), Refusal> {
        if nesting > self.limits.nesting {
            return Err(Refusal::TooMuch(Measure::Nesting, self.limits.nesting));
        }
        Ok(())
    }
}

/// Sums over a selection set or a whole document. They saturate: what doubling fragments stand for has
/// more digits than any counter.
#[derive(Clone, Copy, Debug, Default)]
struct Complexity {
    /// Levels of selection sets.
    nesting: usize,
    fields: usize,
    depth: usize,
    aliases: usize,
    directives: usize,
    /// Levels of lists of introspection, if this is below a root field of introspection.
    lists: usize,
    introspection_fields: usize,
    introspection_depth: usize,
    introspection_lists: usize,
    introspection_directives: usize,
    /// Mutations with a secret, if this is the root of a mutation.
    credential_mutations: usize,
}

impl Complexity {
    /// Adds a selection of the same selection set.
    fn add(&mut self, other: &Self) {
        self.nesting = self.nesting.max(other.nesting);
        self.fields = self.fields.saturating_add(other.fields);
        self.depth = self.depth.max(other.depth);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.lists = self.lists.max(other.lists);
        self.introspection_fields =
            self.introspection_fields.saturating_add(other.introspection_fields);
        self.introspection_depth = self.introspection_depth.max(other.introspection_depth);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
        self.introspection_directives =
            self.introspection_directives.saturating_add(other.introspection_directives);
        self.credential_mutations =
            self.credential_mutations.saturating_add(other.credential_mutations);
    }

    /// The same, counted against the limits of introspection.
    fn as_introspection(self) -> Self {
        Self {
            fields: 0,
            depth: 0,
            directives: 0,
            lists: 0,
            introspection_fields: self.introspection_fields.saturating_add(self.fields),
            introspection_depth: self.introspection_depth.max(self.depth),
            introspection_lists: self.introspection_lists.max(self.lists),
            introspection_directives: self.introspection_directives.saturating_add(self.directives),
            ..self
        }
    }

    fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        for (measure, found, limit) in [
            (Measure::Fields, self.fields, limits.fields),
            (Measure::Depth, self.depth, limits.depth),
            (Measure::Aliases, self.aliases, limits.aliases),
            (Measure::Directives, self.directives, limits.directives),
            (Measure::IntrospectionFields, self.introspection_fields, limits.introspection_fields),
            (Measure::IntrospectionDepth, self.introspection_depth, limits.introspection_depth),
            (Measure::IntrospectionLists, self.introspection_lists, limits.introspection_lists),
            (
                Measure::IntrospectionDirectives,
                self.introspection_directives,
                limits.introspection_directives,
            ),
        ] {
            if found > limit {
                return Err(Refusal::TooMuch(measure, limit));
            }
        }
        Ok(())
    }
}
