//! What a selection set, or a whole document, adds up to.
//!
//! Rule: sums saturate, because what doubling fragments stand for has more digits than any counter.

use super::Limits;
use crate::graphql::refusal::{Measure, Refusal};

/// What a selection set, or a whole document, adds up to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Selection sets within each other, the outermost included.
    pub(super) nesting: usize,
    pub(super) fields: usize,
    pub(super) depth: usize,
    pub(super) aliases: usize,
    pub(super) directives: usize,
    /// Lists within each other, if this stands under an introspection root.
    pub(super) lists: usize,
    pub(super) introspection_fields: usize,
    pub(super) introspection_depth: usize,
    pub(super) introspection_lists: usize,
    pub(super) introspection_directives: usize,
    /// Credential mutations, if this is the root of a mutation.
    pub(super) credentials: usize,
}

impl Cost {
    /// Adds what stands beside it in the same selection set.
    pub(super) fn add(&mut self, other: &Self) {
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
        self.credentials = self.credentials.saturating_add(other.credentials);
    }

    /// The same, drawn from the budget of introspection.
    pub(super) fn introspecting(self) -> Self {
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

    pub(super) fn within(&self, limits: &Limits) -> Result<(), Refusal> {
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
