//! Documents that would exhaust stack or time, and valid documents that resemble them.

use std::thread;

use super::{Limits, MAX_BRACKETS, Measure, Refusal, prepare};

/// Introspection query of graphql-js 16 with every option; `GraphiQL` sends it with fewer.
const INTROSPECTION: &str = include_str!("introspection.graphql");

#[track_caller]
fn assert_refused(text: &str, measure: Measure) {
    match prepare(text, None, &Limits::default()) {
        Err(Refusal::TooMuch(found, _)) if found == measure => {}
        other => panic!("{text:.200}: {other:?}"),
    }
}

/// `F0` spreads `F1` twice, and so on: `depth` fragments stand for 2 to the power of `depth` ends.
fn doubling(depth: usize, end: &str) -> String {
    let fragment = |n| format!("fragment F{n} on Q{{...F{m} ...F{m}}}", m = n + 1);
    let fragments: String = (0..depth).map(fragment).collect();
    format!("{{...F0}}{fragments}{end}")
}

fn logins(count: usize) -> String {
    let login = |n| format!("a{n}: login(n: 1) {{ t }} ");
    (0..count).map(login).collect()
}

#[test]
fn two_thousand_brackets_never_reach_the_parser() {
    for (open, close) in [("[", "]"), ("{a:", "}"), ("[", "")] {
        let text = format!("{{f(a:{}1{})}}", open.repeat(2000), close.repeat(2000));
        assert_refused(&text, Measure::Brackets);
    }
}

#[test]
fn brackets_of_a_type_count_too() {
    let text = format!("query($a: {}Int{}) {{ f }}", "[".repeat(100), "]".repeat(100));
    assert_refused(&text, Measure::Brackets);
}

#[test]
fn the_parser_has_stack_for_twice_the_brackets_that_a_flag_allows() {
    // Half of what a worker has, in a build without optimization, whose frames are the largest.
    let worker = thread::Builder::new().stack_size(1024 * 1024).spawn(|| {
        let limits = Limits { brackets: 2 * MAX_BRACKETS, ..Limits::default() };
        for (open, close) in [("[", "]"), ("{a:", "}")] {
            let depth = limits.brackets - 2;
            let text = format!("{{f(a:{}1{})}}", open.repeat(depth), close.repeat(depth));
            assert!(prepare(&text, None, &limits).is_ok());
            let text =
                format!("query($a: I = {}1{}) {{f}}", open.repeat(depth), close.repeat(depth));
            assert!(prepare(&text, None, &limits).is_ok());
        }
    });
    worker.unwrap().join().unwrap();
}

#[test]
fn doubling_fragments_are_refused_without_expanding_them() {
    let text = doubling(24, "fragment F24 on Q{a}");
    assert!(text.len() <= 868, "{}", text.len());
    assert_refused(&text, Measure::Fields);
    // Also beyond the limit of nesting, with a sum that no counter holds.
    assert_refused(&doubling(100, "fragment F100 on Q{a}"), Measure::Nesting);
}

#[test]
fn doubling_fragments_that_lead_to_no_field_are_refused_as_well() {
    for end in ["", "fragment F24 on Q{...Nowhere}"] {
        let refusal = prepare(&doubling(24, end), None, &Limits::default()).unwrap_err();
        assert!(matches!(refusal, Refusal::NoSuchFragment(..)), "{refusal:?}");
    }
}

#[test]
fn many_logins_are_refused_by_alias_and_through_fragments() {
    assert_refused(&format!("mutation {{ {} }}", logins(61)), Measure::Aliases);
    assert_refused(&format!("mutation {{ {} }}", logins(2)), Measure::CredentialMutations);
    let spread = "...F ".repeat(90);
    let text = format!("mutation {{ {spread} }} fragment F on M {{ login {{ t }} }}");
    assert_refused(&text, Measure::CredentialMutations);
    let text = format!("mutation {{ {} }} fragment F on M {{ {} }}", "...F ", logins(5));
    assert_refused(&text, Measure::CredentialMutations);
}

#[test]
fn a_hundred_and_ninety_logins_are_refused_whatever_the_limit_of_aliases() {
    let limits = Limits { aliases: 1000, tokens: 5000, fields: 1000, ..Limits::default() };
    let refusal = prepare(&format!("mutation {{ {} }}", logins(190)), None, &limits).unwrap_err();
    assert_eq!(refusal, Refusal::TooMuch(Measure::CredentialMutations, 1));
}

#[test]
fn cycles_of_fragments_are_refused_however_long_they_are() {
    for length in [1, 2, 20] {
        let fragment = |n| format!("fragment F{n} on Q {{ a ...F{} }} ", (n + 1) % length);
        let fragments: String = (0..length).map(fragment).collect();
        let text = format!("{{ ...F0 }} {fragments}");
        let refusal = prepare(&text, None, &Limits::default()).unwrap_err();
        assert!(matches!(refusal, Refusal::FragmentCycle(..)), "{length}: {refusal:?}");
    }
}

#[test]
fn the_standard_introspection_query_passes() {
    prepare(INTROSPECTION, None, &Limits::default()).unwrap();
    // Beside it there is room for a query of data.
    let both = INTROSPECTION.replacen("__schema", "viewer { name } __schema", 1);
    prepare(&both, Some("IntrospectionQuery"), &Limits::default()).unwrap();
}

#[test]
fn the_standard_introspection_query_does_not_pass_many_times() {
    let twice =
        INTROSPECTION.replacen("__schema", "b: __type(name: \"A\") { ...FullType } __schema", 1);
    prepare(&twice, None, &Limits::default()).unwrap();
    let spreads = "...FullType ".repeat(12);
    let many = INTROSPECTION.replacen("...FullType", &spreads, 1);
    assert_refused(&many, Measure::IntrospectionFields);
}
