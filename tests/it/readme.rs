//! What the README says of the tests: a promise is held by a test that is there.

use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_readme_names_is_there() {
    let readme = fs::read_to_string("README.md").expect("README.md");
    let (_, section) = readme.split_once("## Security").expect("a section");
    let (promises, _) = section.split_once("What is not promised").expect("its end");
    let quoted = promises.split('`').skip(1).step_by(2);
    let is_name = |name: &&str| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
    let mut declared = Vec::new();
    for folder in ["src", "tests/it"] {
        collect(Path::new(folder), &mut declared);
    }
    let names: Vec<&str> = quoted.filter(is_name).filter(|name| name.contains('_')).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(declared.iter().any(|line| line.contains(name)), "{name} is no test");
    }
}

/// The lines that declare a function or a module.
fn collect(folder: &Path, declared: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, declared);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let lines = text.lines().filter(|line| line.contains("fn ") || line.contains("mod "));
            declared.extend(lines.map(str::to_owned));
        }
    }
}
