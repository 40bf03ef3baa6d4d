//! The README files and the manual in `src/help`: what they name exists.

mod commands;
mod links;
mod promises;
mod settings;
mod text;

use std::fs;
use std::path::Path;

/// Documents that are read by others than users of the program.
const OTHER_READMES: [&str; 11] = [
    "benches/README.md",
    "migrations/README.md",
    "src/console/README.md",
    "src/graphiql/README.md",
    "src/kits/python/README.md",
    "tests/README.md",
    "tests/advisories/README.md",
    "tests/clients/README.md",
    "tests/fuzz/README.md",
    "tests/move/README.md",
    "README.md",
];

/// A Markdown file.
struct Document {
    path: String,
    text: String,
}

impl Document {
    fn read(path: &str) -> Self {
        let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = fs::read_to_string(full).expect(path);
        Self { path: path.to_owned(), text }
    }

    /// The lines outside code blocks.
    fn prose(&self) -> String {
        let mut is_code = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            if !is_code && !is_fence {
                prose.push_str(line);
            }
            prose.push('\n');
        }
        prose
    }

    /// The texts in backquotes.
    fn code_spans(&self) -> Vec<String> {
        let prose = self.prose();
        prose.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")).collect()
    }

    /// The contents of the code blocks in these languages.
    fn code_blocks(&self, languages: &[&str]) -> Vec<String> {
        let mut blocks = Vec::new();
        let mut block: Option<(bool, String)> = None;
        for line in self.text.lines() {
            match (line.trim_start().strip_prefix("```"), &mut block) {
                (Some(language), None) => {
                    block = Some((languages.contains(&language), String::new()));
                }
                (Some(_), Some(_)) => {
                    blocks.extend(block.take().filter(|block| block.0).map(|block| block.1));
                }
                (None, Some((_, text))) => {
                    text.push_str(line);
                    text.push('\n');
                }
                (None, None) => {}
            }
        }
        blocks
    }
}

/// The topics of the manual.
fn topics() -> Vec<Document> {
    let folder = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/help"));
    let entries = folder.expect("src/help").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> =
        entries.map(|name| format!("src/help/{}", name.to_string_lossy())).collect();
    names.sort_unstable();
    assert!(names.len() > 10, "{names:?}");
    names.iter().map(|name| Document::read(name)).collect()
}

/// What users of the program read: the README and the manual.
fn manual() -> Vec<Document> {
    let mut documents = topics();
    documents.push(Document::read("README.md"));
    documents
}

fn all() -> Vec<Document> {
    let mut documents = topics();
    documents.extend(OTHER_READMES.map(Document::read));
    documents
}
