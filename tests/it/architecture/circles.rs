//! Circles of imports inside a room.
//!
//! No file of a room imports from a file that imports from it, directly or through others. A name that a
//! `mod.rs` re-exports counts as imported from the file that defines it, so that a room's flat list of
//! names makes no circle; a name that `mod.rs` defines itself counts as imported from `mod.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::Modules;
use super::source::{Source, crate_sources};

/// Folders that count as one file: the types of a schema refer to each other as the schema does, a user
/// to sessions and a session to its user.
const ONE_FILE: [&str; 1] = ["src/graphql/types/"];

#[test]
fn no_file_of_a_room_imports_from_one_that_imports_from_it() {
    let found = circles(&crate_sources());
    let broken: Vec<_> = found.iter().map(|(_, circle)| circle.as_str()).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n\n"));
}

/// Each circle with its room: the files that can reach each other, as the imports between them.
fn circles(sources: &[Source]) -> Vec<(String, String)> {
    let modules = Modules::new(sources);
    let mut imports: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    let mut rooms = BTreeMap::new();
    for module in modules.all() {
        let from = node(&module.file);
        rooms.insert(from, module.room());
        for edge in modules.edges(module) {
            let to = node(&edge.to.file);
            if to != from && edge.to.room() == module.room() {
                let text = format!("{}:{}: `{}` from {to}", module.file, edge.line, edge.name);
                imports.entry(from).or_default().entry(to).or_insert(text);
            }
        }
    }
    let reached: BTreeMap<_, _> =
        rooms.keys().map(|file| (*file, reachable(&imports, file))).collect();
    let mut circles = Vec::new();
    let mut seen = BTreeSet::new();
    for (file, room) in &rooms {
        let is_mutual =
            |other: &&&str| reached[file].contains(**other) && reached[**other].contains(file);
        let members: Vec<_> = rooms.keys().filter(is_mutual).copied().collect();
        if members.is_empty() || !seen.insert(members.clone()) {
            continue;
        }
        let between = members.iter().flat_map(|member| {
            imports[member]
                .iter()
                .filter(|(to, _)| members.contains(to))
                .map(|(_, text)| text.as_str())
        });
        circles.push(((*room).to_owned(), between.collect::<Vec<_>>().join("\n")));
    }
    circles
}

fn node(file: &str) -> &str {
    ONE_FILE.iter().find(|folder| file.starts_with(**folder)).map_or(file, |folder| *folder)
}

fn reachable<'a>(
    imports: &BTreeMap<&'a str, BTreeMap<&'a str, String>>,
    from: &str,
) -> BTreeSet<&'a str> {
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
        circles(&sources).into_iter().map(|(room, circle)| format!("{room}\n{circle}")).collect()
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
            ["store\n\
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
            ("src/graphql/types/mod.rs", "mod user; mod session; pub use user::User;"),
            ("src/graphql/types/user.rs", "use super::session;"),
            ("src/graphql/types/session.rs", "use super::User; use crate::graphql::query;"),
            ("src/graphql/mod.rs", "mod query;"),
            ("src/graphql/query.rs", ""),
        ];
        assert_eq!(circles_of(&files), Vec::<String>::new());
        let files = [&files[..4], &[("src/graphql/query.rs", "use super::types::User;")]].concat();
        assert_eq!(circles_of(&files).len(), 1);
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
