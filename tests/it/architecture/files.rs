//! Size of files, contents of `lib.rs`, and the same migrations for both databases.

use std::fs;

use super::source::{Source, crate_sources, entries, project};

/// A file of more lines than this holds more than one idea.
const MAX_LINES: usize = 350;

#[test]
fn the_library_root_only_declares_modules() {
    let sources = crate_sources();
    let roots = sources.iter().filter(|source| source.path == "src/lib.rs");
    let broken: Vec<_> = roots.flat_map(more_than_modules).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn a_file_is_one_idea() {
    let broken: Vec<_> = crate_sources().iter().flat_map(length).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn both_databases_have_the_same_migrations() {
    let (sqlite, postgres) = (entries("migrations/sqlite"), entries("migrations/postgres"));
    let one_sided: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
    assert!(one_sided.is_empty(), "for one database only: {one_sided:?}");
}

#[test]
fn the_files_that_the_library_root_points_to_exist() {
    let root = fs::read_to_string(project("src/lib.rs")).expect("src/lib.rs");
    let quoted = root.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let files: Vec<_> = quoted.filter(|text| text.strip_suffix(".rs").is_some()).collect();
    assert!(files.len() > 10, "{files:?}");
    let missing: Vec<_> =
        files.iter().filter(|file| !project(&format!("src/{file}")).exists()).collect();
    assert!(missing.is_empty(), "not in src: {missing:?}");
}

/// The lines of `lib.rs` beside comments, attributes and declared modules.
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

#[test]
fn a_file_that_is_too_long_is_reported() {
    let long = Source::new("src/app.rs", &"\n".repeat(MAX_LINES + 1));
    assert_eq!(length(&long), ["src/app.rs: a file is one idea, in 350 lines, not 351"]);
    assert!(length(&Source::new("src/app.rs", &"x\n".repeat(MAX_LINES))).is_empty());
}

#[test]
fn a_library_root_with_more_than_modules_is_reported() {
    let library = Source::new("src/lib.rs", "//! Doc.\npub mod clock;\npub use clock::Clock;");
    assert_eq!(more_than_modules(&library), ["src/lib.rs:3: only modules are declared here"]);
}
