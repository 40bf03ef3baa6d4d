//! Tests that `tests/README.md` names as proofs of the security promises.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_readme_names_exists() {
    let readme = fs::read_to_string("tests/README.md").expect("tests/README.md");
    let (_, section) = readme.split_once("## Security promises").expect("a section");
    let (promises, _) = section.split_once("\n## ").expect("its end");
    let quoted = promises.split('`').skip(1).step_by(2);
    let is_name = |name: &&str| {
        name.bytes().all(|b| b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let mut declared = BTreeSet::new();
    for folder in ["src", "tests/it"] {
        collect_names(Path::new(folder), &mut declared);
    }
    let names: Vec<&str> = quoted.filter(is_name).filter(|name| name.contains('_')).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        // A test of both databases is one test to readers, also where it is written as two.
        let on_both = ["sqlite", "postgres"].map(|database| format!("{name}_on_{database}"));
        let is_declared = |name: &String| declared.contains(name);
        let exists = declared.contains(name) || on_both.iter().all(is_declared);
        assert!(exists, "{name} is no test");
    }
}

/// Adds the names of all functions and modules.
fn collect_names(folder: &Path, declared: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_names(&path, declared);
        } else if path.extension().is_some_and(|end| end == "rs") {
            declared.extend(names(&fs::read_to_string(&path).expect("a source")));
        }
    }
}

fn names(source: &str) -> Vec<String> {
    let words = source.split(|c: char| !c.is_alphanumeric() && c != '_');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let declared = words.windows(2).filter(|pair| matches!(pair[0], "fn" | "mod"));
    declared.map(|pair| pair[1].to_owned()).collect()
}

#[test]
fn a_part_of_a_name_is_no_name() {
    let names = names("#[test]\nasync fn a_token_expires_twice() {} pub(super) mod tests;");
    assert_eq!(names, ["a_token_expires_twice", "tests"]);
}
