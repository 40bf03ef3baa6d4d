//! Commands, flags and variables that the documents name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory};
use sallyport::cli::Cli;

use super::{all, manual};

/// Flags of clap itself.
const COMMON: [&str; 2] = ["--help", "--version"];

#[test]
fn every_command_that_is_shown_can_be_parsed() {
    let mut count = 0;
    for document in all() {
        let spans = document.code_spans().into_iter().filter(|span| span.starts_with("sallyport "));
        let blocks = document.code_blocks(&["sh", "ini"]);
        let lines = blocks.iter().flat_map(|block| command_lines(block));
        for line in spans.chain(lines) {
            // Words in capitals stand for values, and dots for the rest.
            if line.contains('…') || line.starts_with("sallyport COMMAND") {
                continue;
            }
            count += 1;
            if let Err(error) = Cli::command().try_get_matches_from(line.split_whitespace()) {
                let is_permitted = match error.kind() {
                    ErrorKind::DisplayHelp
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => true,
                    // A text may name a command without its arguments.
                    ErrorKind::MissingRequiredArgument => line.split(' ').count() < 4,
                    _ => false,
                };
                assert!(is_permitted, "{}: {line}: {error}", document.path);
            }
        }
    }
    assert!(count > 50, "only {count} commands were found");
}

/// The command lines of the program in a shell script or a unit of systemd.
fn command_lines(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| {
        // Without a comment, and without the file that the output goes to.
        let line = line.split(" #").next().unwrap_or_default();
        let line = line.split(" > ").next().unwrap_or_default().trim();
        let line = line.strip_prefix("ExecStart=/usr/local/bin/").unwrap_or(line);
        (line == "sallyport" || line.starts_with("sallyport ")).then(|| line.to_owned())
    });
    lines.collect()
}

#[test]
fn a_command_line_may_go_on_in_the_next_line() {
    let block =
        "ls\nsallyport --a 1 \\\n    --b 2    # text\nExecStart=/usr/local/bin/sallyport serve\n";
    let lines = command_lines(block);
    let words: Vec<Vec<&str>> =
        lines.iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words, [vec!["sallyport", "--a", "1", "--b", "2"], vec!["sallyport", "serve"]]);
}

#[test]
fn every_flag_and_variable_that_is_named_exists() {
    let command = Cli::command();
    let (mut flags, mut variables) = (BTreeSet::from(COMMON.map(str::to_owned)), BTreeSet::new());
    collect(&command, &mut flags, &mut variables);
    variables.extend(names_in_django());
    let mut named = BTreeSet::new();
    for document in manual() {
        for span in document.code_spans() {
            let word = span.split([' ', '=']).next().unwrap_or_default();
            if word.len() > 2 && word.starts_with("--") {
                assert!(flags.contains(word), "{}: {word}", document.path);
                named.insert(word.to_owned());
            }
        }
        for name in names(&document.text) {
            // The prefix alone, or with dots behind it.
            let is_prefix = name == "SALLYPORT_";
            assert!(is_prefix || variables.contains(&name), "{}: {name}", document.path);
        }
    }
    assert!(named.len() > 50, "{named:?}");
}

/// Variables and settings that the files for Django read.
fn names_in_django() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kits/django");
    let files = fs::read_dir(folder).expect("the files for Django");
    let texts = files.map(|file| fs::read_to_string(file.expect("a file").path()).expect("a text"));
    texts.flat_map(|text| names(&text)).collect()
}

/// Names in capitals with the prefix of the project's own.
fn names(text: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let name = |at: usize| text[at..].chars().take_while(|c| is_name(*c)).collect();
    text.match_indices("SALLYPORT_").map(|(at, _)| name(at)).collect()
}

fn collect(command: &Command, flags: &mut BTreeSet<String>, variables: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        flags.extend(argument.get_long().map(|name| format!("--{name}")));
        variables.extend(argument.get_env().map(|name| name.to_string_lossy().into_owned()));
    }
    for command in command.get_subcommands() {
        collect(command, flags, variables);
    }
}
