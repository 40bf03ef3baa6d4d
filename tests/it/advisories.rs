//! The lock file is checked against the advisories of RustSec.
//!
//! `tests/advisories` is a copy of the advisories about the packages of `Cargo.lock`, in the form of
//! RustSec's database, so that the check needs no network; `tests/advisories/update` renews it.
//! Advisories that only inform (unsound, unmaintained) count as well.

use std::path::Path;

use rustsec::database::Query;
use rustsec::{Collection, Database, Lockfile};

const DATABASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/advisories");
const LOCK_FILE: &str = include_str!("../../Cargo.lock");

/// Findings that do not reach this program. A use after free where the `Drop` of a key panics:
/// async-graphql, whose latest version asks for this one, keeps loaders' keys in it, which are ids.
const UNREACHABLE: [&str; 1] = ["lru 0.16.4: RUSTSEC-2026-0253"];

/// Each advisory that concerns a package of this lock file, with the package.
fn findings(lock_file: &str) -> Vec<String> {
    let database = Database::open(Path::new(DATABASE)).expect("the copy can be read");
    let lock_file: Lockfile = lock_file.parse().expect("the lock file can be read");
    let query = Query::new().collection(Collection::Crates).withdrawn(false);
    let found = database.query_vulnerabilities(&lock_file, &query);
    let line = |found: &rustsec::Vulnerability| {
        format!("{} {}: {}", found.package.name, found.package.version, found.advisory.id)
    };
    found.iter().map(line).collect()
}

#[test]
fn no_dependency_has_an_advisory_that_reaches_this_program() {
    assert_eq!(findings(LOCK_FILE), UNREACHABLE);
}

#[test]
fn an_older_dependency_with_an_advisory_is_found() {
    let source = LOCK_FILE.lines().find(|line| line.starts_with("source = "));
    let source = source.expect("a package has a source");
    let package = |name: &str, version: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}\n\n")
    };
    let packages = [package("h2", "0.4.15"), package("lru", "0.16.4")].concat();
    let lock_file = format!("version = 4\n\n{packages}");
    assert_eq!(
        findings(&lock_file),
        ["h2 0.4.15: RUSTSEC-2026-0258", "lru 0.16.4: RUSTSEC-2026-0253"],
    );
}
