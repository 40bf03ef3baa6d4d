//! Libraries and calls that only some rooms may use.

use super::source::{Source, crate_sources};

#[test]
fn sql_stays_in_the_store() {
    assert_only("sqlx::", "store");
}

#[test]
fn what_an_operation_of_the_store_asks_is_counted() {
    let apart = ["backend/metered", "backend/migrations", "backend/sqlite", "session_ends/feed"]
        .map(|file| format!("src/store/{file}.rs"));
    let is_counted = |source: &&Source| source.room() == "store" && !apart.contains(&source.path);
    let sources = crate_sources();
    let counted = sources.iter().filter(is_counted);
    let broken: Vec<_> = counted.flat_map(|source| strays(source, "sqlx::query", "")).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn cryptography_stays_in_crypto() {
    let libraries = ["jsonwebtoken::", "aws_lc_rs::", "passki::", "ciborium::"];
    let of_passwords = ["argon2::", "bcrypt::", "md5::", "scrypt::"];
    for library in libraries.into_iter().chain(of_passwords) {
        assert_only(library, "crypto");
    }
}

#[test]
fn graphql_and_http_stay_at_the_edge() {
    assert_only("async_graphql::", "graphql http");
    assert_only("async_graphql_axum::", "http");
    assert_only("axum::", "http app");
}

#[test]
fn numbers_for_the_monitoring_stay_in_metrics() {
    assert_only("prometheus_client::", "metrics");
}

#[test]
fn codes_of_apps_stay_in_crypto_and_their_pictures_in_graphql() {
    assert_only("totp_rs::", "crypto");
    assert_only("qrcode::", "graphql");
}

#[test]
fn mails_and_their_templates_stay_in_mail() {
    for library in ["lettre::", "minijinja::", "idna::"] {
        assert_only(library, "mail");
    }
}

#[test]
fn errors_without_a_type_stay_in_the_command_line() {
    assert_only("anyhow::", "main cli");
}

#[test]
fn only_the_clock_asks_for_the_time() {
    assert_only("SystemTime::now", "clock");
    assert_only("Instant::now", "clock");
}

#[test]
fn only_entropy_asks_for_randomness() {
    assert_only("getrandom::", "entropy");
}

#[test]
fn only_the_programs_own_commands_are_the_operator() {
    assert_only("Admin::operator", "app cli");
}

#[test]
fn sessions_open_only_where_a_proof_is_taken() {
    let sources = crate_sources();
    let outside = sources
        .iter()
        .filter(|source| source.room() != "store" && source.path != "src/auth/sessions/open.rs");
    let broken: Vec<_> = outside
        .flat_map(|source| {
            let mut found = strays(source, "OpenSession", "");
            found.extend(strays(source, "open_session", ""));
            found
        })
        .collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[track_caller]
fn assert_only(name: &str, rooms: &str) {
    let sources = crate_sources();
    let broken: Vec<_> = sources.iter().flat_map(|source| strays(source, name, rooms)).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// The lines of a file that name what only `rooms` may name.
fn strays(source: &Source, name: &str, rooms: &str) -> Vec<String> {
    if rooms.split(' ').any(|room| room == source.room()) {
        return Vec::new();
    }
    let message = |line| format!("{}:{line}: `{name}` is for [{rooms}] only", source.path);
    source.offsets(name).map(|at| message(source.line(at))).collect()
}

#[test]
fn a_library_used_in_another_room_is_reported() {
    let text = "\nlet rows = sqlx::query(sql);";
    let found = strays(&Source::new("src/auth/login.rs", text), "sqlx::", "store");
    assert_eq!(found, ["src/auth/login.rs:2: `sqlx::` is for [store] only"]);
    let text = "use async_graphql_axum::GraphQL;\n    // axum::Json";
    let found = strays(&Source::new("src/http/gate.rs", text), "axum::", "store");
    assert_eq!(found, Vec::<String>::new());
}
