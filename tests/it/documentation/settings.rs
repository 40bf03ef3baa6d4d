//! Settings in the documents: all of them, under their headings, with their defaults.

use std::collections::BTreeMap;

use clap::{Arg, Command, CommandFactory};
use sallyport::cli::Cli;

use super::{Document, manual};

/// Flags that are no settings of the configuration file.
const OTHERS: [&str; 3] = ["config", "help", "version"];

#[test]
fn the_manual_has_every_setting_under_its_heading_with_its_default() {
    let command = serve();
    let manual = Document::read("src/help/settings.md");
    let mut documented = documented_settings(&manual.text);
    for (name, flag) in settings(&command) {
        let (heading, default) = documented.remove(name).unwrap_or_else(|| panic!("--{name}"));
        let expected = flag.get_help_heading().unwrap_or_default();
        assert!(expected.starts_with(&heading), "--{name} is under {expected}, not {heading}");
        assert_eq!(default, default_value(flag), "--{name}");
    }
    assert!(documented.is_empty(), "{documented:?}");
}

#[test]
fn tables_of_flags_have_their_defaults() {
    let command = serve();
    let mut count = 0;
    for document in manual() {
        for line in document.text.lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, flag, default, ..] = cells[..] else { continue };
            let Some(name) = code(flag).and_then(|flag| flag.strip_prefix("--")) else { continue };
            let Some(default) = code(default) else { continue };
            let flag = settings(&command).remove(name).expect(name);
            assert_eq!(
                Some(default.to_owned()),
                default_value(flag),
                "{}: --{name}",
                document.path
            );
            count += 1;
        }
    }
    assert!(count > 15, "only {count} defaults were found");
}

fn serve() -> Command {
    let mut command = Cli::command();
    command.build();
    command.find_subcommand("serve").expect("serve").clone()
}

fn settings(command: &Command) -> BTreeMap<&str, &Arg> {
    let flags = command.get_arguments().filter(|flag| !flag.is_hide_set());
    let named = flags.filter_map(|flag| Some((flag.get_long()?, flag)));
    named.filter(|(name, _)| !OTHERS.contains(name)).collect()
}

fn default_value(flag: &Arg) -> Option<String> {
    flag.get_default_values().first().map(|value| value.to_string_lossy().into_owned())
}

/// The text in backquotes, where it is all of the cell.
fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

/// The heading and the default of each flag; no default where it is a text.
fn documented_settings(text: &str) -> BTreeMap<&str, (String, Option<String>)> {
    let mut heading = "";
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title;
        }
        let Some((name, rest)) = line.strip_prefix("- `--").and_then(|rest| rest.split_once('`'))
        else {
            continue;
        };
        let default = rest.strip_prefix(" (default `").and_then(|rest| rest.split_once('`'));
        assert!(default.is_some() || rest.starts_with(" (default: "), "--{name}{rest}");
        found.insert(name, (heading.to_owned(), default.map(|(value, _)| value.to_owned())));
    }
    found
}
