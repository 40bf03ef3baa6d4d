//! Imports between rooms: each room uses only the rooms that [`ROOMS`] permits it to use.

use std::collections::BTreeSet;

use super::paths::used_paths;
use super::source::{Source, crate_sources};
use super::tokens::{Token, split_tests, tokens};

/// Each room, a top-level module of the crate, and the rooms it uses. A room stands below all that it
/// uses; its tests may use any room above it.
const ROOMS: &str = "
    clock:
    entropy:
    bounded_cache:
    redacted:
    domain: clock entropy redacted
    crypto: clock entropy redacted domain
    metrics: domain
    store: clock domain crypto
    mail: clock redacted domain crypto metrics store
    revocation: clock domain store
    auth: clock entropy bounded_cache redacted domain crypto metrics store mail revocation
    graphql: clock bounded_cache domain store auth
    telemetry: entropy metrics
    http: clock entropy bounded_cache domain crypto metrics store auth graphql telemetry
    config: clock domain crypto store mail auth graphql http
    app: clock entropy domain crypto metrics store mail revocation auth graphql http config
    cli: clock domain crypto store mail auth graphql telemetry http config app
    main: cli
    lib:";

#[test]
fn imports_point_one_way() {
    let broken: Vec<_> = crate_sources().iter().flat_map(|source| imports(ROOMS, source)).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_permission_is_used() {
    let unused = unused(ROOMS, &crate_sources());
    assert!(unused.is_empty(), "\n{}\n", unused.join("\n"));
}

/// The lines of a file that use a room which it may not use.
fn imports(rooms: &str, source: &Source) -> Vec<String> {
    let (path, room) = (&source.path, source.room());
    let Some(permitted) = permitted(rooms, room) else {
        return vec![format!("{path}: there is no room `{room}` in ROOMS")];
    };
    let all = tokens(&source.text);
    let (code, _) = split_tests(&all);
    let above = above(rooms, room);
    let outside_tests = rooms_used(rooms, source, &code);
    let broken = rooms_used(rooms, source, &all).into_iter().filter(|(line, name)| {
        let is_permitted = permitted.split(' ').any(|room| room == name);
        // The same line cannot be both: an item is for tests or it is not.
        let is_test = !outside_tests.contains(&(*line, name.clone()));
        !(is_permitted || is_test && above.contains(&name.as_str()))
    });
    let message =
        |(line, name)| format!("{path}:{line}: `{room}` may use [{permitted}], not `{name}`");
    broken.map(message).collect()
}

/// The permissions that no file uses outside its tests.
fn unused(rooms: &str, sources: &[Source]) -> Vec<String> {
    let mut used = BTreeSet::new();
    let mut test_modules = Vec::new();
    for source in sources {
        let all = tokens(&source.text);
        let (code, tests) = split_tests(&all);
        let module = source.module();
        test_modules.extend(tests.iter().map(|test| [&module[..], &[(*test).to_owned()]].concat()));
        let names = rooms_used(rooms, source, &code).into_iter().map(|(_, name)| name);
        used.extend(names.map(|name| (module.clone(), source.room(), name)));
    }
    used.retain(|(module, ..)| !test_modules.iter().any(|test| module.starts_with(test)));
    let pairs = lines(rooms)
        .flat_map(|(room, permitted)| permitted.split_whitespace().map(move |other| (room, other)));
    let is_unused = |(room, other): &(&str, &str)| {
        !used.iter().any(|(_, user, name)| user == room && name == other)
    };
    let message = |(room, other)| format!("`{room}` does not use `{other}`");
    pairs.filter(is_unused).map(message).collect()
}

/// The other rooms that the tokens of a file name, with their lines.
fn rooms_used(rooms: &str, source: &Source, tokens: &[Token]) -> BTreeSet<(usize, String)> {
    let module = source.module();
    let paths = used_paths(&module, tokens).into_iter().filter(|path| !path.is_relative);
    let names = paths.filter_map(|path| Some((path.line, path.names.into_iter().next()?)));
    names.filter(|(_, name)| permitted(rooms, name).is_some() && name != source.room()).collect()
}

fn lines(rooms: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = rooms.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(room, permitted)| (room.trim(), permitted.trim()))
}

/// The rooms that this one may use; `None` where there is no such room.
fn permitted<'a>(rooms: &'a str, room: &str) -> Option<&'a str> {
    lines(rooms).find(|(name, _)| *name == room).map(|(_, permitted)| permitted)
}

fn above<'a>(rooms: &'a str, room: &str) -> Vec<&'a str> {
    lines(rooms).map(|(name, _)| name).take_while(|name| *name != room).collect()
}

#[test]
fn a_room_stands_below_all_that_it_uses() {
    for (room, permitted) in lines(ROOMS) {
        let above = above(ROOMS, room);
        assert!(permitted.split_whitespace().all(|other| above.contains(&other)), "{room}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: &str = "
        clock:
        entropy:
        domain: clock entropy
        store: clock
        auth: domain
        http:
        app:
        main: app";

    #[test]
    fn an_import_that_is_not_permitted_is_reported_with_its_place() {
        let group = "use crate::clock::Clock;\nuse crate::{\n    clock::{app, Clock},\n    store::Store,\n};";
        assert_eq!(
            imports(FEW, &Source::new("src/domain/user.rs", group)),
            ["src/domain/user.rs:4: `domain` may use [clock entropy], not `store`"]
        );
        for (path, text) in [
            ("src/domain/user.rs", "fn f() {\n    $crate::auth::login();\n}"),
            ("src/domain/user.rs", "use super::super::{clock::Clock, http};"),
            ("src/domain/user.rs", "    use super::super::super::app::App;"),
            ("src/domain/user.rs", "#[cfg(test)] mod tests { use crate::store::Store; }"),
            ("src/store/mod.rs", "use super::auth::Auth;"),
            ("src/clock.rs", "use super::domain::id::UserId;"),
            ("src/main.rs", "use sallyport::store;"),
            ("src/attic.rs", ""),
        ] {
            assert_eq!(imports(FEW, &Source::new(path, text)).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_import_is_not_reported() {
        for text in [
            "//! See [`crate::auth::login`].",
            "let address = \"https://host\"; // not crate::http",
            "use super::store::Kept;",
            "use other_crate::auth::Login;",
            "use crate::{clock::Clock, domain::{auth, store}};\nuse http::Uri;",
        ] {
            let found = imports(FEW, &Source::new("src/domain/user.rs", text));
            assert!(found.is_empty(), "{text}: {found:?}");
        }
        let test = "#[cfg(test)] mod tests { use crate::entropy::Entropy; }";
        assert_eq!(imports(FEW, &Source::new("src/store/mod.rs", test)), Vec::<String>::new());
    }

    #[test]
    fn a_permission_that_only_tests_use_is_reported() {
        let sources = [
            ("src/domain/mod.rs", "use crate::{clock::Clock, entropy::Entropy};"),
            ("src/store/mod.rs", "#[cfg(test)] mod tests { use crate::clock::Clock; }"),
            ("src/auth/mod.rs", "#[cfg(test)] mod fixtures;"),
            ("src/auth/fixtures.rs", "use crate::domain::User;"),
            ("src/main.rs", "use sallyport::app;"),
        ]
        .map(|(path, text)| Source::new(path, text));
        let expected = ["`store` does not use `clock`", "`auth` does not use `domain`"];
        assert_eq!(unused(FEW, &sources), expected);
    }
}
