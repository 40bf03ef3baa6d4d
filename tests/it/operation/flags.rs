//! Help of every command and flag: it exists, and it is plain.

use clap::{Command, CommandFactory};
use sallyport::cli::Cli;

use crate::language::riddle;

#[test]
fn every_command_and_flag_has_a_help_in_plain_language() {
    let mut texts = Vec::new();
    collect(&Cli::command(), "sallyport", &mut texts);
    assert!(texts.len() > 100, "{}", texts.len());
    let wrong = texts.iter().filter_map(|(name, help)| {
        let problem = match help.as_str() {
            "" => Some("no help"),
            help if help.ends_with('.') => Some("a full stop, unlike the others"),
            help if help.starts_with(char::is_lowercase) => {
                Some("a small letter, unlike the others")
            }
            help => riddle(help),
        };
        problem.map(|problem| format!("{name}: {help:?}: {problem}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Adds the name and the help of a command, its flags and its subcommands.
fn collect(command: &Command, name: &str, texts: &mut Vec<(String, String)>) {
    let text = |help: Option<&clap::builder::StyledStr>| help.map(ToString::to_string);
    texts.push((name.to_owned(), text(command.get_about()).unwrap_or_default()));
    for flag in command.get_arguments().filter(|flag| !flag.is_hide_set()) {
        let help = text(flag.get_help()).unwrap_or_default();
        texts.push((format!("{name} {}", flag.get_id()), help));
    }
    for command in command.get_subcommands() {
        collect(command, &format!("{name} {}", command.get_name()), texts);
    }
}
