//! What a parsed document costs with its fragments expanded.
//!
//! Rule: each fragment is costed once and its cost remembered, so that the time grows with the text
//! and not with what it expands to: 868 bytes in which each fragment spreads the next one twice
//! stand for sixteen million fields. Every spread must lead to fields, which are counted: else nothing
//! would bound the spreads that async-graphql then follows one by one.

use std::collections::HashMap;

use async_graphql::Pos;
use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};

use super::Limits;
use super::cost::Cost;
use crate::graphql::refusal::{Measure, Refusal};
use crate::graphql::syntax::text_order;

/// The mutations that hash a password or handle a token. More than one in an operation would let
/// one request try many passwords, whatever limits the requests.
const CREDENTIAL_MUTATIONS: [&str; 7] =
    ["login", "register", "refresh", "logout", "changePassword", "setUserPassword", "createUser"];

/// The roots of introspection, which has a budget of its own.
const INTROSPECTION_ROOTS: [&str; 2] = ["__schema", "__type"];

/// The lists of introspection that lead to further types.
const INTROSPECTION_LISTS: [&str; 5] =
    ["types", "fields", "interfaces", "possibleTypes", "inputFields"];

/// Refuses a document that is over a limit, or of which a fragment spreads itself. Says whether the
/// selected operation introspects.
pub(super) fn check(
    document: &ExecutableDocument,
    selected: &OperationDefinition,
    limits: &Limits,
) -> Result<bool, Refusal> {
    let mut walk = Walk { document, limits, fragments: HashMap::new() };
    let mut whole = Cost::default();
    for operation in text_order::operations(document) {
        whole.add(&walk.operation(&operation.node)?);
    }
    // Validation visits the fragments that no operation spreads, too.
    for (name, fragment) in text_order::fragments(document) {
        if !walk.fragments.contains_key(name.as_str()) {
            let cost = walk.fragment(name, fragment.pos, 1)?;
            let of_introspection = fragment.node.type_condition.node.on.node.starts_with("__");
            whole.add(&if of_introspection { cost.introspecting() } else { cost });
        }
    }
    whole.within(limits)?;
    // The selected operation again, for what only counts where it is executed; its fragments are
    // remembered by now.
    let Cost { credentials, introspection_fields, .. } = walk.operation(selected)?;
    if selected.ty == OperationType::Mutation && credentials > limits.credential_mutations {
        let limit = limits.credential_mutations;
        return Err(Refusal::TooMuch(Measure::CredentialMutations, limit));
    }
    Ok(selected.ty == OperationType::Query && introspection_fields > 0)
}

/// A fragment that has been met.
enum Met {
    /// It is being costed: to meet it again is a cycle.
    Open,
    Costed(Cost),
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    fragments: HashMap<&'a str, Met>,
}

impl<'a> Walk<'a> {
    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Cost, Refusal> {
        let mut cost = self.selection_set(&operation.selection_set.node, 1)?;
        let of_variables =
            operation.variable_definitions.iter().map(|variable| variable.node.directives.len());
        let own = operation.directives.len() + of_variables.sum::<usize>();
        cost.directives = cost.directives.saturating_add(own);
        Ok(cost)
    }

    /// The cost of the fragment that is spread `at` this place, its selection set being the
    /// `nesting`th within each other.
    fn fragment(&mut self, name: &str, at: Pos, nesting: usize) -> Result<Cost, Refusal> {
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Err(Refusal::NoSuchFragment(name.to_owned(), at));
        };
        let cost = match self.fragments.get(name.as_str()) {
            Some(Met::Open) => {
                return Err(Refusal::FragmentCycle(name.to_string(), fragment.pos));
            }
            Some(Met::Costed(cost)) => *cost,
            None => {
                self.fragments.insert(name.as_str(), Met::Open);
                let mut cost = self.selection_set(&fragment.node.selection_set.node, nesting)?;
                let own = fragment.node.directives.len();
                cost.directives = cost.directives.saturating_add(own);
                self.fragments.insert(name.as_str(), Met::Costed(cost));
                cost
            }
        };
        self.bound_nesting((nesting - 1).saturating_add(cost.nesting))?;
        Ok(cost)
    }

    /// The cost of a selection set that is the `nesting`th within each other.
    fn selection_set(&mut self, set: &'a SelectionSet, nesting: usize) -> Result<Cost, Refusal> {
        // Before descending: fragments that each spread the next would recurse as deep as the
        // document has definitions.
        self.bound_nesting(nesting)?;
        let mut cost = Cost::default();
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
            cost.add(&inner);
            let directives = selection.node.directives().len();
            cost.directives = cost.directives.saturating_add(directives);
        }
        cost.nesting += 1;
        Ok(cost)
    }

    fn field(&mut self, field: &'a Field, nesting: usize) -> Result<Cost, Refusal> {
        let name = field.name.node.as_str();
        let mut cost = if field.selection_set.node.items.is_empty() {
            Cost::default()
        } else {
            self.selection_set(&field.selection_set.node, nesting + 1)?
        };
        cost.fields = cost.fields.saturating_add(1);
        cost.depth += 1;
        cost.aliases = cost.aliases.saturating_add(usize::from(field.alias.is_some()));
        cost.lists += usize::from(INTROSPECTION_LISTS.contains(&name));
        cost.credentials = usize::from(CREDENTIAL_MUTATIONS.contains(&name));
        Ok(if INTROSPECTION_ROOTS.contains(&name) { cost.introspecting() } else { cost })
    }

    fn bound_nesting(&self, nesting: usize) -> Result<(), Refusal> {
        if nesting > self.limits.nesting {
            return Err(Refusal::TooMuch(Measure::Nesting, self.limits.nesting));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::document::prepare;

    fn refused(text: &str) -> Option<Refusal> {
        prepare(text, None, &Limits::default()).err()
    }

    #[test]
    fn fields_are_counted_through_fragments_and_typename_with_them() {
        let text = |spreads: usize, more: &str| {
            let spreads = "...F ... { ...F } ".repeat(spreads);
            format!("{{ {spreads} {more} }} fragment F on Q {{ __typename a b c d }}")
        };
        assert_eq!(refused(&text(20, "")), None);
        assert_eq!(refused(&text(20, "__typename")), Some(Refusal::TooMuch(Measure::Fields, 200)));
    }

    #[test]
    fn operations_that_are_not_selected_count_with_the_one_that_is() {
        let fields = "a ".repeat(100);
        let text = |more: &str| format!("query A {{ {fields} }} query B {{ {fields} {more} }}");
        assert!(prepare(&text(""), Some("A"), &Limits::default()).is_ok());
        let over = prepare(&text("a"), Some("A"), &Limits::default());
        assert_eq!(over.err(), Some(Refusal::TooMuch(Measure::Fields, 200)));
    }

    #[test]
    fn fragments_that_nothing_spreads_count() {
        let fields = "a ".repeat(201);
        let text = format!("{{ a }} fragment F on Q {{ {fields} }}");
        assert_eq!(refused(&text), Some(Refusal::TooMuch(Measure::Fields, 200)));
    }

    #[test]
    fn depth_is_counted_through_fragments() {
        let chain = |depth: usize| "{ a ".repeat(depth) + &"}".repeat(depth);
        assert_eq!(refused(&chain(14)), None);
        assert_eq!(refused(&chain(15)), Some(Refusal::TooMuch(Measure::Depth, 14)));
        let split = format!("{{ a {{ ...F }} }} fragment F on Q {}", chain(14));
        assert_eq!(refused(&split), Some(Refusal::TooMuch(Measure::Depth, 14)));
    }

    #[test]
    fn aliases_and_directives_are_counted_wherever_they_stand() {
        let aliases = |count: usize| "x: a ".repeat(count);
        assert_eq!(refused(&format!("{{ {} }}", aliases(10))), None);
        assert_eq!(
            refused(&format!("{{ {} }}", aliases(11))),
            Some(Refusal::TooMuch(Measure::Aliases, 10))
        );
        let spread = format!("{{ ...F ...F }} fragment F on Q {{ {} }}", aliases(6));
        assert_eq!(refused(&spread), Some(Refusal::TooMuch(Measure::Aliases, 10)));

        let ten = "query($v: Int @d) @d @d { a @d ...F @d ... @d { a @d } } \
                   fragment F on Q @d { a @d @d }";
        let limits = Limits { directives: 10, introspection_directives: 10, ..Limits::default() };
        assert!(prepare(ten, None, &limits).is_ok());
        let eleven = ten.replacen("@d", "@d @d", 1);
        let refused = prepare(&eleven, None, &limits).err();
        assert_eq!(refused, Some(Refusal::TooMuch(Measure::Directives, 10)));
        // Those of introspection count apart.
        let both = ten.replacen("{ a @d", "{ __schema { types { n @d @d @d ...F ...F } } a @d", 1);
        let refused = prepare(&both, None, &limits).err();
        assert_eq!(refused, None);
        let eleven = both.replacen("n @d", "n @d @d @d", 1);
        let refused = prepare(&eleven, None, &limits).err();
        assert_eq!(refused, Some(Refusal::TooMuch(Measure::IntrospectionDirectives, 10)));
    }

    #[test]
    fn a_fragment_that_spreads_itself_is_refused() {
        for text in [
            "{ ...F } fragment F on Q { ...F }",
            "{ ...F } fragment F on Q { a { ...G } } fragment G on Q { ... { ...F } }",
            "{ a } fragment F on Q { ...G } fragment G on Q { ...F }",
        ] {
            assert!(matches!(refused(text), Some(Refusal::FragmentCycle(..))), "{text}");
        }
    }

    #[test]
    fn a_spread_of_no_fragment_is_refused() {
        let refusal = refused("{ a { ...F } }").unwrap();
        assert_eq!(refusal, Refusal::NoSuchFragment("F".to_owned(), Pos { line: 1, column: 10 }));
        assert_eq!(refusal.code(), "GRAPHQL_VALIDATION_FAILED");
    }

    #[test]
    fn selection_sets_nest_32_deep_through_fragments() {
        let chain = |count: usize| -> String {
            let fragment = |n| format!("fragment F{n} on Q {{ ...F{} }} ", n + 1);
            let fragments: String = (0..count - 2).map(fragment).collect();
            format!("{{ ...F0 }} {fragments} fragment F{} on Q {{ a }}", count - 2)
        };
        assert_eq!(refused(&chain(32)), None);
        assert_eq!(refused(&chain(33)), Some(Refusal::TooMuch(Measure::Nesting, 32)));
        // The same from the far end first, so that costs are remembered when they are met.
        let remembered = format!("query A {{ ...F20 }} query B {}", chain(33));
        let refused = prepare(&remembered, Some("A"), &Limits::default()).err();
        assert_eq!(refused, Some(Refusal::TooMuch(Measure::Nesting, 32)));
    }

    #[test]
    fn one_credential_mutation_an_operation_however_it_is_hidden() {
        assert_eq!(refused("mutation { login { a } renameSession { a } }"), None);
        let over = Some(Refusal::TooMuch(Measure::CredentialMutations, 1));
        for text in [
            "mutation { login { a } login { a } }",
            "mutation { login { a } x: logout { a } }",
            "mutation { login { a } ... { refresh { a } } }",
            "mutation { login { a } ... on Mutation @include(if: true) { refresh { a } } }",
            "mutation { ...F } fragment F on Mutation { a: login { a } b: login { a } }",
            "mutation { ...F ...F } fragment F on Mutation { register { a } }",
            "mutation { ...F login { a } } fragment F on M { ...G } fragment G on M { ... { login { a } } }",
        ] {
            assert_eq!(refused(text), over, "{text}");
        }
        // The same names further down, or in a query, are fields like others.
        assert_eq!(refused("mutation { login { login { a } logout { a } } }"), None);
        assert_eq!(refused("{ login { a } logout { a } }"), None);
    }

    #[test]
    fn introspection_may_not_go_from_list_to_list() {
        assert_eq!(refused("{ __schema { types { fields { type { name } } } } }"), None);
        assert_eq!(
            refused("{ __type(name: \"A\") { fields { type { fields { name } } } } }"),
            None
        );
        let over = Some(Refusal::TooMuch(Measure::IntrospectionLists, 2));
        for text in [
            "{ __schema { types { fields { type { fields { name } } } } } }",
            "{ __schema { ...S } } fragment S on __Schema { types { ...T } } \
             fragment T on __Type { possibleTypes { interfaces { name } } }",
        ] {
            assert_eq!(refused(text), over, "{text}");
        }
        // Fields of data are free to have these names.
        assert_eq!(refused("{ types { fields { types { fields } } } }"), None);
    }

    #[test]
    fn introspection_has_a_budget_of_its_own() {
        let names = |count: usize| "name ".repeat(count);
        // Two hundred and forty-nine in a fragment that is spread six times, and some beside them.
        let text = |own: usize, schema: usize| {
            let (own, schema, many) = (names(own), names(schema), names(249));
            let spreads = "...F ".repeat(6);
            format!(
                "{{ {own} __schema {{ types {{ {schema} {spreads} }} }} }} fragment F on T {{ {many} }}"
            )
        };
        assert_eq!(refused(&text(200, 4)), None);
        assert_eq!(refused(&text(201, 1)), Some(Refusal::TooMuch(Measure::Fields, 200)));
        assert_eq!(
            refused(&text(1, 5)),
            Some(Refusal::TooMuch(Measure::IntrospectionFields, 1500))
        );
        let chain = |depth: usize| {
            format!("{{ __type {} {}", "{ ofType ".repeat(depth - 1), "}".repeat(depth))
        };
        assert_eq!(refused(&chain(20)), None);
        assert_eq!(refused(&chain(21)), Some(Refusal::TooMuch(Measure::IntrospectionDepth, 20)));
    }
}
