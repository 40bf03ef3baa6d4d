//! One name for a type in Rust and in the schema.
//!
//! A GraphQL type has the name of its Rust type, and a Rust type of `domain` or `auth` that a GraphQL type
//! stands for has that name too. Scalars are left out: they stand for values of any type. A leading
//! underscore, which Apollo Federation prescribes, is no difference.

use super::modules::{Module, Modules};
use super::source::{Source, crate_sources};
use super::tokens::{Token, split_tests, starts_with, tokens};

/// Rust types whose GraphQL type has another name: the subgraph's schema has a root of its own, which the
/// specification calls as the other schema's.
const EXCEPTIONS: [(&str, &str); 1] = [("SubgraphQuery", "Query")];

const GRAPHQL_MACROS: [&str; 8] = [
    "Enum",
    "InputObject",
    "Interface",
    "MergedObject",
    "Object",
    "OneofObject",
    "SimpleObject",
    "Union",
];

#[test]
fn types_have_one_name_in_rust_and_in_the_schema() {
    let broken = other_names(&crate_sources());
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn other_names(sources: &[Source]) -> Vec<String> {
    let modules = Modules::new(sources);
    let mut broken = Vec::new();
    for module in modules.all().filter(|module| module.room() == "graphql") {
        let source = sources.iter().find(|source| source.path == module.file).expect("its source");
        let all = tokens(&source.text);
        let (code, _) = split_tests(&all);
        let items = items(&code);
        let is_graphql = |item: &&Item| item.attributes.iter().any(is_graphql_macro);
        let types: Vec<_> = items.iter().filter(is_graphql).map(|item| item.name).collect();
        for item in items.iter().filter(|item| types.contains(&item.name)) {
            let named = item.options("name").chain(item.options("remote"));
            let stands_for = item.stands_for().and_then(|tokens| ours(&modules, module, tokens));
            let others = named.map(last_name).chain(stands_for.as_deref()).filter(|other| {
                let is_excepted = EXCEPTIONS.contains(&(item.name, other));
                other.trim_start_matches('_') != item.name && !is_excepted
            });
            broken.extend(others.map(|other| {
                format!("{}:{}: `{}` is `{other}` elsewhere", module.file, item.line, item.name)
            }));
        }
    }
    broken
}

/// A struct, an enum or an `impl` with its attributes.
struct Item<'a> {
    line: usize,
    name: &'a str,
    attributes: Vec<&'a [Token<'a>]>,
    /// From `struct`, `enum` or `impl` on.
    tokens: &'a [Token<'a>],
}

impl<'a> Item<'a> {
    /// The values of `key = "value"` in the attributes' own brackets.
    fn options(&self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let of_types = |attribute: &&&[Token]| attribute.iter().all(|token| token.text != "Scalar");
        self.attributes.iter().filter(of_types).flat_map(move |attribute| {
            let mut depth = 0;
            attribute.windows(3).filter_map(move |part| {
                match part[0].text {
                    "(" => depth += 1,
                    ")" => depth -= 1,
                    _ => {}
                }
                let is_it = depth == 1 && part[0].text == key && part[1].text == "=";
                is_it.then(|| part[2].text.trim_matches('"'))
            })
        })
    }

    /// Type of the first field of a tuple struct, or the `Y` of `impl From<Y>`.
    fn stands_for(&self) -> Option<&'a [Token<'a>]> {
        let start = match self.tokens[0].text {
            "struct" if starts_with(&self.tokens[2..], &["("]) => 2,
            "impl" if starts_with(&self.tokens[1..], &["From", "<"]) => 2,
            _ => return None,
        };
        let part = &self.tokens[start + 1..];
        let ends = |token: &Token| matches!(token.text, "," | ")" | "}" | "{" | ";");
        let is_restricted = starts_with(part, &["pub", "("]);
        let visibility = part.iter().position(|token| is_restricted && token.text == ")");
        let part = &part[visibility.map_or(0, |end| end + 1)..];
        Some(&part[..part.iter().position(ends)?])
    }
}

fn items<'a>(code: &'a [Token<'a>]) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    let mut attributes = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let rest = &code[at..];
        at += match rest[0].text {
            "#" => {
                let length = rest.iter().position(|token| token.text == "]").unwrap_or(0) + 1;
                attributes.push(&rest[..length]);
                length
            }
            "pub" if starts_with(&rest[1..], &["("]) => {
                rest.iter().position(|token| token.text == ")").unwrap_or(0) + 1
            }
            "pub" => 1,
            kind => {
                let attributes = std::mem::take(&mut attributes);
                if let Some(name) = type_name(kind, rest) {
                    items.push(Item { line: rest[0].line, name, attributes, tokens: rest });
                }
                1
            }
        };
    }
    items
}

fn type_name<'a>(kind: &str, item: &'a [Token<'a>]) -> Option<&'a str> {
    let head = &item[..item.iter().position(|token| token.text == "{").unwrap_or(item.len())];
    let is_for = |token: &Token| token.text == "for";
    match kind {
        "struct" | "enum" => item.get(1),
        "impl" => head.get(head.iter().position(is_for).map_or(1, |at| at + 1)),
        _ => None,
    }
    .map(|token| token.text)
}

fn is_graphql_macro(attribute: &&[Token]) -> bool {
    attribute.iter().any(|token| GRAPHQL_MACROS.contains(&token.text))
}

fn last_name(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// The last name of the first path among the tokens that leads to `domain` or `auth`.
fn ours(modules: &Modules, module: &Module, tokens: &[Token]) -> Option<String> {
    let names: Vec<_> = tokens.iter().map(|token| token.text).collect();
    let mut parts = names.split(|name| matches!(*name, "<" | ">" | ":" | "(" | "&"));
    parts.find_map(|path| {
        let path: Vec<_> = path.iter().filter(|name| **name != "::").copied().collect();
        let definition = modules.definition_of(module, &path)?;
        let is_ours = matches!(definition.room(), "domain" | "auth");
        let name = path.last().copied().unwrap_or_default();
        is_ours.then(|| module.original_name(name).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> Vec<String> {
        let text = format!("use crate::auth::{{self, Pair, Pair as Double}};\n{text}");
        let sources = [
            ("src/lib.rs", ""),
            ("src/auth/mod.rs", "pub struct Pair;"),
            ("src/graphql/mod.rs", "mod pair;"),
            ("src/graphql/pair.rs", &text),
        ];
        other_names(&sources.map(|(path, text)| Source::new(path, text)))
    }

    #[test]
    fn another_name_in_the_schema_is_reported() {
        for text in [
            "#[derive(Clone, Enum)] #[graphql(remote = \"crate::auth::Pair\")] pub enum Two { A }",
            "#[derive(SimpleObject)] #[graphql(name = \"Pair\")] pub struct Two { a: ID }",
            "struct Two; #[Object(name = \"Pair\")] impl Two {}",
            "pub struct Two(pub(super) Arc<Pair>); #[Object] impl Two {}",
            "#[derive(SimpleObject)] struct Two; impl From<auth::Pair> for Two {}",
            "#[derive(SimpleObject)] struct Two; impl From<Double> for Two {}",
        ] {
            let expected = "src/graphql/pair.rs:2: `Two` is `Pair` elsewhere";
            assert_eq!(broken(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_is_no_other_name_is_not_reported() {
        for text in [
            "#[derive(Enum)] #[graphql(remote = \"crate::auth::Pair\")] enum Pair { A }",
            "#[derive(Enum)] enum Two { #[graphql(name = \"b\")] A }",
            "struct Two; #[Object] impl Two { #[graphql(name = \"b\")] fn a(&self) {} }",
            "#[derive(Interface)] #[graphql(field(name = \"id\"))] enum Node { A }",
            "#[derive(MergedObject)] #[graphql(name = \"Query\")] struct SubgraphQuery(Two);",
            "#[derive(SimpleObject)] struct Pair; impl From<Double> for Pair {}",
            "struct Entity; #[Object(name = \"_Entity\")] impl Entity {}",
            "struct Any(Pair); #[Scalar(name = \"_Any\")] impl ScalarType for Any {}",
            "struct Loader(Arc<Pair>); impl From<Pair> for Loader {}",
            "struct Two(Arc<Other>); #[Object] impl Two {}",
        ] {
            assert_eq!(broken(text), Vec::<String>::new(), "{text}");
        }
    }
}
