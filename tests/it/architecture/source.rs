//! Source files of the project, as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::tokens::is_word;

pub struct Source {
    /// From the top of the project, as in `src/domain/user.rs`.
    pub path: String,
    pub text: String,
    /// The text without its comments, line for line.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let lines = text.lines().map(without_comment);
        let code = lines.flat_map(|line| [line, "\n"]).collect();
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// The module's name from the root of the crate on; empty for `lib.rs`.
    pub fn module(&self) -> Vec<String> {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let name = inside.trim_end_matches("/mod");
        name.split('/').filter(|name| *name != "lib").map(str::to_owned).collect()
    }

    /// The top-level module that the file belongs to.
    pub fn room(&self) -> &str {
        let inside = self.path.trim_start_matches("src/");
        let end = inside.find(['/', '.']).unwrap_or(inside.len());
        &inside[..end]
    }

    pub fn line(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }

    /// Offsets of `words` in the code where they are not the end of a longer word.
    pub fn offsets<'a>(&'a self, words: &'a str) -> impl Iterator<Item = usize> + 'a {
        let found = self.code.match_indices(words).map(|(at, _)| at);
        found.filter(|&at| !self.code[..at].ends_with(is_word))
    }
}

/// All Rust files of the crate.
pub fn crate_sources() -> Vec<Source> {
    let sources = sources("src");
    let is_real = sources.iter().any(|source| source.path == "src/clock.rs");
    assert!(is_real, "these are not the sources");
    sources
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
pub fn entries(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(project(folder)).expect(folder);
    let names = entries.map(|entry| entry.expect(folder).file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The slashes in a string, as of `https://`, follow no blank.
fn without_comment(line: &str) -> &str {
    let start = if line.starts_with("//") { Some(0) } else { line.find(" //") };
    start.map_or(line, |start| &line[..start]).trim_end()
}
