//! Limits of complexity, each at its bound.

use async_graphql::Pos;

use super::{Limits, Measure, Refusal, prepare};

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
fn operations_that_are_not_selected_count_with_the_selected_one() {
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
fn aliases_and_directives_are_counted_wherever_they_are() {
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
    // The same from the far end first, so that fragments are measured when they are reached.
    let measured_first = format!("query A {{ ...F20 }} query B {}", chain(33));
    let refused = prepare(&measured_first, Some("A"), &Limits::default()).err();
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
    assert_eq!(refused("{ __type(name: \"A\") { fields { type { fields { name } } } } }"), None);
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
fn introspection_has_limits_of_its_own() {
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
    assert_eq!(refused(&text(1, 5)), Some(Refusal::TooMuch(Measure::IntrospectionFields, 1500)));
    let chain =
        |depth: usize| format!("{{ __type {} {}", "{ ofType ".repeat(depth - 1), "}".repeat(depth));
    assert_eq!(refused(&chain(20)), None);
    assert_eq!(refused(&chain(21)), Some(Refusal::TooMuch(Measure::IntrospectionDepth, 20)));
}
