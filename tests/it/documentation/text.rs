//! Form of the documents.

use super::{Document, topics};

#[test]
fn a_newcomer_reads_two_hundred_lines() {
    let lines = Document::read("README.md").text.lines().count();
    assert!(lines <= 200, "README.md has {lines} lines");
}

#[test]
fn a_topic_has_a_title_and_a_summary_and_fits_a_terminal() {
    for Document { path, text } in topics() {
        let mut paragraphs = text.split("\n\n");
        let title = paragraphs.next().expect("a title");
        assert!(title.starts_with("# ") && title.lines().count() == 1, "{path}: {title}");
        let summary = paragraphs.next().expect("a summary");
        assert!(summary.ends_with('.') && !summary.contains(". "), "{path}: {summary}");
        let lines = text.lines().count();
        assert!((40..=240).contains(&lines), "{path} has {lines} lines");
        let wide = text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{path}");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
    }
}

#[test]
fn a_code_block_says_its_language() {
    for Document { path, text } in topics() {
        let fences: Vec<_> =
            text.lines().map(str::trim).filter(|line| line.starts_with("```")).collect();
        assert!(fences.len() % 2 == 0, "{path}");
        // rustdoc would compile the others as Rust.
        assert!(fences.iter().step_by(2).all(|fence| fence.len() > 3), "{path}: {fences:?}");
    }
}
