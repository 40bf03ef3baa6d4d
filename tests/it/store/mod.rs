//! Tests of the store on both databases.
//!
//! Every operation of [`Store`](sallyport::store::Store) is called here directly, on a real database of
//! each kind. What only one kind can get wrong is tested with that kind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account_changes;
mod accounts;
mod audit_checkpoint;
mod cancellation;
mod challenges;
mod client_metadata;
mod ends;
mod ends_after;
pub mod faults;
mod first_account;
mod floors;
mod foreign_passwords;
mod foreign_tokens;
mod imports;
mod keys;
mod keys_and_audit;
mod late_commits;
mod lists;
mod logins;
mod mail_orders;
mod migrations;
mod newer_words;
mod outbox;
mod plans;
mod purge;
mod refreshes;
mod rotations;
mod second_factors;
mod servers;
mod simplejwt_settings;
mod support;
mod throttle;

use std::fs;
use std::path::Path;

#[test]
fn every_operation_is_called_here() {
    let tests = sources("tests/it/store");
    let called = |name: &str| tests.contains(&format!(".{name}("));
    let operations = operations(&sources("src/store"));
    assert!(operations.len() > 25, "{operations:?}");
    let missed: Vec<_> = operations.iter().filter(|name| !called(name)).collect();
    assert!(missed.is_empty(), "no test here calls {missed:?}");
}

/// The public methods in `impl Store` blocks.
fn operations(sources: &str) -> Vec<String> {
    let blocks = sources.split("\nimpl Store {\n").skip(1);
    let bodies = blocks.map(|block| block.split("\n}\n").next().unwrap());
    let lines = bodies.flat_map(str::lines).filter_map(|line| line.trim().strip_prefix("pub "));
    let named = lines.filter_map(|line| line.trim_start_matches("async ").strip_prefix("fn "));
    let methods = named.map(|line| line.split(['(', '<']).next().unwrap().to_owned());
    // How a store is come by is in every test's first line.
    methods.filter(|name| !name.starts_with("connect")).collect()
}

/// All the text of the files in a folder and in its subfolders.
fn sources(folder: &str) -> String {
    text_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

fn text_below(path: &Path) -> String {
    if path.is_file() {
        return fs::read_to_string(path).unwrap();
    }
    fs::read_dir(path).unwrap().map(|entry| text_below(&entry.unwrap().path())).collect()
}
