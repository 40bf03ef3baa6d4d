//! The house has rooms, and calls go one way through them. Rule: what a room may use stands in
//! [`ROOMS`], what only some rooms may name in the tests; these read the sources to see that it is so.
//!
//! They read text, not syntax: comments are cut off, and a path counts where it is spelled from the
//! crate's root.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, a module of the crate, and the rooms below it that it may use.
const ROOMS: &str = "
    clock:
    entropy:
    bounded_cache:
    redacted:
    domain: clock entropy redacted
    crypto: clock entropy redacted domain
    metrics: domain
    store: clock entropy domain crypto
    revocation: clock entropy domain store
    auth: clock entropy bounded_cache redacted domain crypto metrics store revocation
    graphql: clock entropy bounded_cache domain crypto store revocation auth
    telemetry: clock entropy domain crypto metrics store revocation auth graphql
    http: clock entropy bounded_cache domain crypto metrics store revocation auth graphql telemetry
    config: clock entropy redacted domain crypto store revocation auth graphql http
    app: clock entropy domain crypto metrics store revocation auth graphql telemetry http config
    cli: clock entropy domain crypto store revocation auth graphql telemetry http config app
    main: clock entropy domain crypto store revocation auth graphql telemetry http config app cli
    lib:";

/// A file of more lines than this holds more than one idea.
const MAX_LINES: usize = 350;

#[test]
fn imports_point_one_way() {
    assert_kept(imports);
}

#[test]
fn sql_stays_in_the_store() {
    assert_kept(|source| strays(source, "sqlx::", "store"));
}

#[test]
fn what_an_operation_of_the_store_asks_is_counted() {
    let apart = ["backend/metered", "backend/migrations", "backend/sqlite", "session_ends/feed"]
        .map(|file| format!("src/store/{file}.rs"));
    assert_kept(|source| match source.room() {
        "store" if !apart.contains(&source.path) => strays(source, "sqlx::query", ""),
        _ => Vec::new(),
    });
}

#[test]
fn cryptography_stays_in_crypto() {
    for library in ["jsonwebtoken::", "argon2::", "aws_lc_rs::"] {
        assert_kept(|source| strays(source, library, "crypto"));
    }
}

#[test]
fn graphql_and_http_stay_at_the_edge() {
    assert_kept(|source| strays(source, "async_graphql::", "graphql http"));
    assert_kept(|source| strays(source, "async_graphql_axum::", "http"));
    assert_kept(|source| strays(source, "axum::", "http app"));
}

#[test]
fn numbers_for_the_monitoring_stay_in_metrics() {
    assert_kept(|source| strays(source, "prometheus_client::", "metrics"));
}

#[test]
fn errors_without_a_type_stay_in_the_command_line() {
    assert_kept(|source| strays(source, "anyhow::", "main cli"));
}

#[test]
fn only_the_clock_asks_for_the_time() {
    assert_kept(|source| strays(source, "SystemTime::now", "clock"));
    assert_kept(|source| strays(source, "Instant::now", "clock"));
}

#[test]
fn only_entropy_asks_for_randomness() {
    assert_kept(|source| strays(source, "getrandom::", "entropy"));
}

#[test]
fn the_library_root_only_declares_modules() {
    assert_kept(|source| match source.path.as_str() {
        "src/lib.rs" => more_than_modules(source),
        _ => Vec::new(),
    });
}

#[test]
fn a_file_is_one_idea() {
    assert_kept(length);
}

#[test]
fn both_databases_have_the_same_migrations() {
    let (sqlite, postgres) = (entries("migrations/sqlite"), entries("migrations/postgres"));
    let one_sided: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
    assert!(one_sided.is_empty(), "for one database only: {one_sided:?}");
}

/// Fails with every place in the sources that breaks the rule.
#[track_caller]
fn assert_kept(rule: impl Fn(&Source) -> Vec<String>) {
    let sources = sources("src");
    let real = sources.iter().any(|source| source.path == "src/clock.rs");
    assert!(real, "these are not the sources");
    let broken: Vec<String> = sources.iter().flat_map(rule).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// Where this file uses a room that it may not use.
fn imports(source: &Source) -> Vec<String> {
    let (path, room) = (&source.path, source.room());
    let Some(below) = rooms_below(room) else {
        return vec![format!("{path}: there is no room `{room}` in ROOMS")];
    };
    let mut used = root_names(source);
    used.retain(|(_, name)| rooms_below(name).is_some_and(|_| *name != room));
    used.retain(|(_, name)| !listed(below, name));
    let message = |line, name| format!("{path}:{line}: `{room}` may use [{below}], not `{name}`");
    used.iter().map(|&(at, name)| message(source.line(at), name)).collect()
}

/// Where this file names what only `rooms` may name.
fn strays(source: &Source, name: &str, rooms: &str) -> Vec<String> {
    if listed(rooms, source.room()) {
        return Vec::new();
    }
    let message = |line| format!("{}:{line}: `{name}` is for [{rooms}] only", source.path);
    places(&source.code, name).map(|at| message(source.line(at))).collect()
}

/// What `lib.rs` has beside comments, attributes and declared modules.
fn more_than_modules(source: &Source) -> Vec<String> {
    let declares = |line: &str| {
        let bare = line.trim_start_matches("pub ");
        line.is_empty() || line.starts_with('#') || bare.starts_with("mod ") && bare.ends_with(';')
    };
    let lines = source.code.lines().enumerate();
    lines
        .filter(|(_, line)| !declares(line))
        .map(|(n, _)| format!("{}:{}: only modules are declared here", source.path, n + 1))
        .collect()
}

fn length(source: &Source) -> Vec<String> {
    let (path, lines) = (&source.path, source.code.lines().count());
    let message = format!("{path}: a file is one idea, in {MAX_LINES} lines, not {lines}");
    Vec::from_iter((lines > MAX_LINES).then_some(message))
}

struct Source {
    /// From the top of the project, as in `src/domain/user.rs`.
    path: String,
    /// The text without its comments, line for line.
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let path = path.to_owned();
        let lines = text.lines().map(without_comment);
        let code = lines.flat_map(|line| [line, "\n"]).collect();
        Self { path, code }
    }

    fn room(&self) -> &str {
        let inside = self.path.trim_start_matches("src/");
        let end = inside.find(['/', '.']).unwrap_or(inside.len());
        &inside[..end]
    }

    /// How many `super` lead from here to the crate's root.
    fn depth(&self) -> usize {
        let module = self.path.trim_end_matches("/mod.rs");
        module.matches('/').count()
    }

    fn line(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }
}

/// The slashes in a string, as of `https://`, follow no blank.
fn without_comment(line: &str) -> &str {
    let start = if line.starts_with("//") { Some(0) } else { line.find(" //") };
    start.map_or(line, |start| &line[..start]).trim_end()
}

/// The rooms that this one may use; `None` where there is no such room.
fn rooms_below(room: &str) -> Option<&'static str> {
    let mut rooms = ROOMS.lines().filter_map(|line| line.split_once(':'));
    let (_, below) = rooms.find(|(name, _)| name.trim() == room)?;
    Some(below.trim())
}

fn listed(names: &str, name: &str) -> bool {
    names.split(' ').any(|listed| listed == name)
}

/// Every name that is looked up in the crate's root, and where it stands.
fn root_names(source: &Source) -> Vec<(usize, &str)> {
    let code = source.code.as_str();
    let by_crate = places(code, "crate::").map(|at| at + "crate::".len());
    // In a module inside a file it takes one `super` more.
    let up = "super::".repeat(source.depth());
    let by_super =
        places(code, &up).map(|at| code.len() - code[at..].trim_start_matches("super::").len());
    let starts: BTreeSet<usize> = by_crate.chain(by_super).collect();
    starts.into_iter().flat_map(|start| first_names(code, start)).collect()
}

/// The name at `start`; or, where a group in braces starts there, the first name of each part.
fn first_names(code: &str, start: usize) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let (mut depth, mut expected) = (0, true);
    for (offset, c) in code[start..].char_indices() {
        let at = start + offset;
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => expected = true,
            c if expected && is_word(c) => {
                let rest = &code[at..];
                names.push((at, &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())]));
                expected = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Where `words` stand in the code, not as the end of a longer word.
fn places<'a>(code: &'a str, words: &'a str) -> impl Iterator<Item = usize> + 'a {
    let found = code.match_indices(words).map(|(at, _)| at);
    found.filter(|&at| !code[..at].ends_with(is_word))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    for name in entries(folder) {
        let path = format!("{folder}/{name}");
        if project(&path).is_dir() {
            found.extend(sources(&path));
        } else if project(&path).extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(project(&path)).expect(&path);
            found.push(Source::new(&path, &text));
        }
    }
    found
}

/// The names in a folder, in order.
fn entries(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(project(folder)).expect(folder);
    let names = entries.map(|entry| entry.expect(folder).file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn a_broken_rule_is_reported_with_its_place() {
    let group =
        "use crate::clock::Clock;\nuse crate::{\n    clock::{app, Clock},\n    store::Store,\n};";
    assert_eq!(
        imports(&Source::new("src/domain/user.rs", group)),
        ["src/domain/user.rs:4: `domain` may use [clock entropy], not `store`"]
    );
    for (path, text) in [
        ("src/domain/user.rs", "fn f() {\n    $crate::auth::login();\n}"),
        ("src/domain/user.rs", "use super::super::{clock::Clock, http};"),
        ("src/domain/user.rs", "    use super::super::super::app::App;"),
        ("src/store/mod.rs", "use super::auth::Auth;"),
        ("src/clock.rs", "use super::domain::id::UserId;"),
        ("src/attic.rs", ""),
    ] {
        assert_eq!(imports(&Source::new(path, text)).len(), 1, "{path}: {text}");
    }
    assert_eq!(
        strays(
            &Source::new("src/auth/login.rs", "\nlet rows = sqlx::query(sql);"),
            "sqlx::",
            "store"
        ),
        ["src/auth/login.rs:2: `sqlx::` is for [store] only"]
    );
    let library = Source::new("src/lib.rs", "//! Doc.\npub mod clock;\npub use clock::Clock;");
    assert_eq!(more_than_modules(&library), ["src/lib.rs:3: only modules are declared here"]);
    let long = Source::new("src/app.rs", &"\n".repeat(MAX_LINES + 1));
    assert_eq!(length(&long), ["src/app.rs: a file is one idea, in 350 lines, not 351"]);
}

#[test]
fn what_only_looks_like_a_broken_rule_is_not_reported() {
    for text in [
        "//! See [`crate::auth::login`].",
        "let address = \"https://host\"; // not crate::http",
        "use super::store::Kept;",
        "use other_crate::auth::Login;",
        "use crate::{clock::Clock, domain::{auth, store}};\nuse http::Uri;",
    ] {
        let found = imports(&Source::new("src/domain/user.rs", text));
        assert!(found.is_empty(), "{text}: {found:?}");
    }
    let edge =
        Source::new("src/http/gate.rs", "use async_graphql_axum::GraphQL;\n    // axum::Json");
    assert_eq!(strays(&edge, "axum::", "store"), Vec::<String>::new());
    assert!(length(&Source::new("src/app.rs", &"x\n".repeat(MAX_LINES))).is_empty());
}
