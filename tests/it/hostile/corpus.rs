//! Documents that must be refused on every transport, with their error codes.

/// A document that is refused before its execution.
pub struct Hostile {
    /// Description of the attack.
    pub name: &'static str,
    pub document: String,
    /// The error code.
    pub code: &'static str,
}

const COMPLEX: &str = "QUERY_TOO_COMPLEX";
const PARSE: &str = "GRAPHQL_PARSE_FAILED";
const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";

/// All documents. None needs variables or an operation name.
pub fn documents() -> Vec<Hostile> {
    let mut all = nested();
    all.extend(multiplied());
    all.extend(credentials());
    all.extend(malformed());
    all.into_iter().map(|(name, document, code)| Hostile { name, document, code }).collect()
}

type Row = (&'static str, String, &'static str);

/// Attempts of a stack overflow.
fn nested() -> Vec<Row> {
    let nest = |before: &str, open: &str, close: &str, after: &str| {
        format!("{before}{}1{}{after}", open.repeat(2_000), close.repeat(2_000))
    };
    vec![
        ("lists in lists", nest("{f(a:", "[", "]", ")}"), COMPLEX),
        ("objects in objects", nest("{f(a:", "{a:", "}", ")}"), COMPLEX),
        ("lists that are never closed", nest("{f(a:", "[", "", ""), COMPLEX),
        ("lists in a default", nest("query($a: I = ", "[", "]", ") {f}"), COMPLEX),
        ("lists in a directive", nest("{f @d(a:", "[", "]", ")}"), COMPLEX),
        (
            "lists in a type",
            format!("query($a: {}I{}) {{f}}", "[".repeat(100), "]".repeat(100)),
            COMPLEX,
        ),
        ("brackets behind a string", nest(r#"{f(b: "\"[", a:"#, "[", "]", ")}"), COMPLEX),
        (
            "brackets behind a block string",
            nest(r#"{f(b: """\"""""", a:"#, "[", "]", ")}"),
            COMPLEX,
        ),
        ("brackets behind a comment", nest("{f(#\"\n a:", "[", "]", ")}"), COMPLEX),
        ("selection sets", format!("{{{}a{}}}", "a{".repeat(2_000), "}".repeat(2_000)), COMPLEX),
        ("twenty fields deep", format!("{{{}a{}}}", "a{".repeat(20), "}".repeat(20)), COMPLEX),
        ("inline fragments", format!("{{{}a{}}}", "...{".repeat(500), "}".repeat(500)), COMPLEX),
        ("a chain of fragments", chain(100), COMPLEX),
    ]
}

/// Short documents with a large expansion.
fn multiplied() -> Vec<Row> {
    let typenames = |count: usize| format!("{{{}}}", "__typename ".repeat(count));
    let unknown: String = (0..3_000).map(|n| format!("u{n} ")).collect();
    let aliases: String = (0..100).map(|n| format!("a{n}: __typename ")).collect();
    vec![
        ("doubling fragments", fragments(24, 2), COMPLEX),
        ("twelvefold fragments", fragments(7, 12), COMPLEX),
        ("a field 4000 times", typenames(4_000), COMPLEX),
        ("a field 201 times", typenames(201), COMPLEX),
        ("3000 fields that are not there", format!("{{{unknown}}}"), COMPLEX),
        ("a hundred aliases", format!("{{{aliases}}}"), COMPLEX),
        ("directives", format!("{{__typename {}}}", "@include(if: true) ".repeat(51)), COMPLEX),
        (
            "directives that are not there",
            format!("{{__typename {}}}", "@no ".repeat(400)),
            COMPLEX,
        ),
        ("a long comment", format!("#{}\n{{__typename}}", "x".repeat(17_000)), COMPLEX),
        (
            "a long string",
            format!("{{tokenStatus(token: \"{}\") {{active}}}}", "x".repeat(17_000)),
            COMPLEX,
        ),
        ("commas", format!("{{__typename{}}}", ",".repeat(17_000)), COMPLEX),
        (
            "introspection from list to list",
            "{__schema{types{fields{type{fields{type{fields{name}}}}}}}}".to_owned(),
            COMPLEX,
        ),
        (
            "introspection over and over",
            format!(
                "{{{}}} fragment F on Query{{{}}}",
                "...F ".repeat(8),
                "__schema{types{name description kind}}".repeat(40)
            ),
            COMPLEX,
        ),
    ]
}

/// Several password guesses in one document.
fn credentials() -> Vec<Row> {
    let login = "login(input: {username: \"admin\", password: \"guess\"}) {errors {code}}";
    let refresh = "refresh(input: {refreshToken: \"x\"}) {errors {code}}";
    let aliased: String = (0..100).map(|n| format!("a{n}: {login} ")).collect();
    [
        ("a hundred logins by alias", format!("mutation {{{aliased}}}")),
        ("two logins", format!("mutation {{a: {login} b: {login}}}")),
        ("two refreshes", format!("mutation {{a: {refresh} b: {refresh}}}")),
        ("a login and a logout", format!("mutation {{{login} logout {{endedCount}}}}")),
        (
            "two logins in a fragment",
            format!("mutation {{...F}} fragment F on Mutation {{a: {login} b: {login}}}"),
        ),
        (
            "a login in a fragment that is spread twice",
            format!("mutation {{...F ...F}} fragment F on Mutation {{{login}}}"),
        ),
        (
            "a login beside an inline fragment",
            format!("mutation {{{login} ... on Mutation @include(if: true) {{x: {login}}}}}"),
        ),
        (
            "a login that may be skipped",
            format!("mutation {{a: {login} ... @skip(if: true) {{b: {login}}}}}"),
        ),
    ]
    .map(|(name, document)| (name, document, COMPLEX))
    .into()
}

/// Malformed and invalid documents.
fn malformed() -> Vec<Row> {
    let row = |name, document: &str, code| (name, document.to_owned(), code);
    vec![
        row("nothing", "", PARSE),
        row("a comment", "# {__typename}", PARSE),
        row("an open string", "{tokenStatus(token: \"a) {active}}", PARSE),
        row("an open block string", "{tokenStatus(token: \"\"\"a) {active}}", PARSE),
        row("an escape that is none", r#"{tokenStatus(token: "\q") {active}}"#, PARSE),
        row("half a surrogate pair", r#"{tokenStatus(token: "\ud800") {active}}"#, PARSE),
        row("U+0000", "{tokenStatus(token: \"\u{0}\") {active}}", PARSE),
        row("U+0000 as an escape", r#"{tokenStatus(token: "\u0000") {active}}"#, PARSE),
        row("a shell's line", "$(reboot)", PARSE),
        row("a schema", "type A { b: Int }", PARSE),
        row("a right-to-left mark in a name", "{view\u{202e}er {id}}", PARSE),
        row("a fragment that spreads itself", "{...F} fragment F on Query {...F}", INVALID),
        row(
            "two that spread each other",
            "{...F} fragment F on Query {...G} fragment G on Query {...F}",
            INVALID,
        ),
        row("a fragment that is not there", "{...F}", INVALID),
        row("a field that is not there", "{passwords}", INVALID),
        row("an argument that is not there", "{viewer(id: 1) {id}}", INVALID),
        row("a literal of the wrong type", "{node(id: {a: 1}) {id}}", INVALID),
        row("an Int out of range", "{users(first: 99999999999999999999) {nodes {id}}}", INVALID),
        row("a value that is no enum", "{users(filter: {role: NOBODY}) {nodes {id}}}", INVALID),
        row("an object without selection", "{viewer}", INVALID),
        row("a variable that is not declared", "{node(id: $id) {id}}", INVALID),
    ]
}

/// Each fragment spreads the next one this many times.
fn fragments(depth: usize, width: usize) -> String {
    let fragment =
        |n| format!("fragment F{n} on Query{{{}}}", format!("...F{} ", n + 1).repeat(width));
    let all: String = (0..depth).map(fragment).collect();
    format!("{{...F0}}{all}fragment F{depth} on Query{{__typename}}")
}

/// Each fragment spreads the next one.
fn chain(length: usize) -> String {
    fragments(length, 1)
}
