//! Circles of imports inside a room.
//!
//! No file of a room imports from a file that imports from it, directly or through others. A name that a
//! `mod.rs` re-exports counts as imported from the file that defines it, so that a room's flat list of
//! names makes no circle; a name that `mod.rs` defines itself counts as imported from `mod.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::Modules;
use super::source::{Source, crate_sources};

/// Types of a schema refer to each other as the schema does, a user to sessions and a session to its user:
/// those in this folder that do so count as one file.
const SCHEMA_TYPES: &str = "src/graphql/types/";

/// Imports between files, as text, by importing and imported file.
type Imports<'a> = BTreeMap<&'a str, BTreeMap<&'a str, String>>;

#[test]
fn no_file_of_a_room_imports_from_one_that_imports_from_it() {
    let found = circles(&crate_sources());
    assert!(found.is_empty(), "\n{}\n", found.join("\n\n"));
}

/// Each circle as the imports between its files.
fn circles(sources: &[Source]) -> Vec<String> {
    let modules = Modules::new(sources);
    let imports = merge_schema_types(&imports(&modules));
    let reached: BTreeMap<_, _> =
        imports.keys().map(|file| (*file, reachable(&imports, file))).collect();
    let mut circles = BTreeSet::new();
    for (file, reached_by_file) in &reached {
        let is_mutual = |other: &&str| reached.get(other).is_some_and(|it| it.contains(file));
        let members: BTreeSet<_> = reached_by_file.iter().copied().filter(is_mutual).collect();
        if members.contains(file) {
            circles.insert(members);
        }
    }
    let between = |members: &BTreeSet<&str>| {
        let imported = members.iter().flat_map(|member| &imports[member]);
        let texts = imported.filter(|(to, _)| members.contains(*to)).map(|(_, text)| text.as_str());
        texts.collect::<Vec<_>>().join("\n")
    };
    circles.iter().map(between).collect()
}

/// Imports between the files of each room.
fn imports(modules: &Modules) -> Imports<'_> {
    let mut imports = Imports::new();
    for module in modules.all() {
        let from = imports.entry(module.file.as_str()).or_default();
        for edge in modules.edges(module) {
            if edge.to.room() == module.room() {
                let to = edge.to.file.as_str();
                let text = format!("{}:{}: `{}` from {to}", module.file, edge.line, edge.name);
                from.entry(to).or_insert(text);
            }
        }
    }
    imports
}

/// The same with one file in the place of all types of the schema that refer to each other.
fn merge_schema_types<'a>(imports: &Imports<'a>) -> Imports<'a> {
    let is_type = |file: &&str| file.starts_with(SCHEMA_TYPES);
    let mut types = imports.clone();
    types.retain(|from, _| is_type(from));
    for imported in types.values_mut() {
        imported.retain(|file, _| is_type(file));
    }
    let merged = |file: &'a str| {
        let others = reachable(&types, file).into_iter();
        others.filter(|other| reachable(&types, other).contains(file)).min().unwrap_or(file)
    };
    let mut result = Imports::new();
    for (from, imported) in imports {
        let from = merged(from);
        let entry = result.entry(from).or_default();
        for (to, text) in imported.iter().filter(|(to, _)| merged(to) != from) {
            entry.entry(merged(to)).or_insert_with(|| text.clone());
        }
    }
    result
}

fn reachable<'a>(imports: &Imports<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for &to in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(to) {
                open.push(to);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: (&str, &str) = ("src/lib.rs", "pub mod store;");

    fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
        let all = files.iter().chain([&LIB]);
        let sources: Vec<_> = all.map(|(path, text)| Source::new(path, text)).collect();
        circles(&sources)
    }

    #[test]
    fn a_circle_is_reported_with_its_imports() {
        let files = [
            ("src/store/mod.rs", "mod a; mod b; mod c; pub use c::C;"),
            ("src/store/a.rs", "use super::b::{B, Other};\nuse super::C;"),
            ("src/store/b.rs", "\nfn f() { crate::store::C::new() }"),
            ("src/store/c.rs", "use super::a;"),
        ];
        assert_eq!(
            circles_of(&files),
            ["\
            src/store/a.rs:1: `B` from src/store/b.rs\n\
            src/store/a.rs:2: `C` from src/store/c.rs\n\
            src/store/b.rs:2: `new` from src/store/c.rs\n\
            src/store/c.rs:1: `a` from src/store/a.rs"]
        );
    }

    #[test]
    fn a_parent_that_uses_a_child_that_uses_it_is_a_circle() {
        for parent in [
            "mod a; use a::A; pub struct Store(A);",
            "mod a; pub use a::A; pub struct Store(A);",
            "mod a; pub struct Store(a::A);",
            "mod a; pub use a::A; fn f() { A::new() }",
            "#[macro_use] mod a; fn f() { read!() }",
        ] {
            let child = "use super::Store; macro_rules! read { () => {} } pub struct A;";
            let files = [("src/store/mod.rs", parent), ("src/store/a.rs", child)];
            assert_eq!(circles_of(&files).len(), 1, "{parent}");
        }
    }

    #[test]
    fn types_of_the_schema_may_refer_to_each_other() {
        let files = [
            ("src/graphql/types/mod.rs", "mod user; mod session; mod enums; pub use user::User;"),
            ("src/graphql/types/user.rs", "use super::session; use crate::graphql::query;"),
            ("src/graphql/types/session.rs", "use super::{User, enums};"),
            ("src/graphql/types/enums.rs", ""),
            ("src/graphql/mod.rs", "mod query;"),
            ("src/graphql/query.rs", "use super::types::enums;"),
        ];
        assert_eq!(circles_of(&files), Vec::<String>::new());
        let query = ("src/graphql/query.rs", "use super::types::session;");
        assert_eq!(circles_of(&[&files[..5], &[query]].concat()).len(), 1);
    }

    #[test]
    fn a_map_of_the_room_makes_no_circle() {
        let parent = "mod a; mod b; #[cfg(test)] mod fixtures; pub use a::A; pub(crate) use b::B;
            pub use std::sync::Arc; pub struct Store; macro_rules! words { () => {} }
            pub(crate) use words;";
        let a = "use super::{B, Store}; use crate::store::Arc; super::words!();
            #[cfg(test)] mod tests { use super::super::b::X; }";
        let b = "use super::Store; impl Store { fn f() { other::a::A::new(); b.a::<T>() } }
            #[cfg(test)] use super::A;";
        let files = [
            ("src/store/mod.rs", parent),
            ("src/store/a.rs", a),
            ("src/store/b.rs", b),
            ("src/store/fixtures.rs", "use super::{a, b, Store};"),
        ];
        assert_eq!(circles_of(&files), Vec::<String>::new());
    }
}
