//! Links between the documents.

use std::path::Path;

use super::{Document, all};

#[test]
fn every_link_leads_to_a_file_or_a_heading() {
    let mut count = 0;
    for document in all() {
        let folder = Path::new(&document.path).parent().expect("a folder").to_owned();
        for target in targets(&document.prose()) {
            if target.starts_with("https://") {
                continue;
            }
            count += 1;
            let (path, heading) = target.split_once('#').unwrap_or((&target, ""));
            let path =
                if path.is_empty() { document.path.clone().into() } else { folder.join(path) };
            let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path);
            assert!(full.exists(), "{}: {target}", document.path);
            if !heading.is_empty() {
                let headings = headings(&std::fs::read_to_string(&full).expect("a document"));
                assert!(headings.iter().any(|it| it == heading), "{}: {target}", document.path);
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn the_readme_leads_to_every_topic() {
    let readme = Document::read("README.md");
    let targets = targets(&readme.prose());
    for topic in super::topics() {
        assert!(targets.contains(&topic.path), "README.md has no link to {}", topic.path);
    }
}

fn targets(text: &str) -> Vec<String> {
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    ends.map(|(target, _)| target.to_owned()).collect()
}

/// The names that browsers of repositories give to headings.
fn headings(text: &str) -> Vec<String> {
    let titles = text.lines().filter(|line| line.starts_with('#'));
    let name = |title: &str| {
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    titles.map(name).collect()
}

#[test]
fn a_heading_has_the_name_that_browsers_of_repositories_give_it() {
    assert_eq!(headings("# A b\ntext\n## What's `c`?"), ["a-b", "whats-c"]);
    assert_eq!(targets("[a](b.md#c) ![d](e.png) (f)"), ["b.md#c", "e.png"]);
}
