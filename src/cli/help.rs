//! `sallyport help`: the manual of the program, and the help of its commands.
//!
//! Each topic is a file of `src/help`, embedded in the program. The modules of [`topics`] document them.

use std::fmt::Write;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{Args, Command, Error};

use super::table::print;

/// Columns of a terminal.
const WIDTH: usize = 80;

#[derive(Args)]
pub(super) struct HelpArguments {
    /// Topic or command; without one, both are listed
    #[arg(value_name = "TOPIC|COMMAND", num_args = 0..)]
    names: Vec<String>,
}

struct Topic {
    name: &'static str,
    text: &'static str,
}

macro_rules! topics {
    ($($name:literal $module:ident)+) => {
        /// In alphabetical order.
        const TOPICS: &[Topic] = &[$(Topic {
            name: $name,
            text: include_str!(concat!("../help/", $name, ".md")),
        }),+];

        /// The manual, a module for each topic.
        #[expect(clippy::doc_markdown, reason = "names are not code to readers of a manual")]
        pub mod topics {
            $(#[doc = include_str!(concat!("../help/", $name, ".md"))]
            pub mod $module {})+
        }
    };
}

topics! {
    "accounts" accounts
    "backup" backup
    "console" console
    "cookies" cookies
    "documents" documents
    "email" email
    "errors" errors
    "factors" factors
    "federation" federation
    "front-ends" front_ends
    "import" import
    "install" install
    "keys" keys
    "limits" limits
    "monitoring" monitoring
    "move" move_from_simplejwt
    "proxy" proxy
    "replicas" replicas
    "security" security
    "sessions" sessions
    "settings" settings
    "subscriptions" subscriptions
    "tokens" tokens
}

/// `command` is the whole command line. Ends the process after the help of a command, as `--help` does, and
/// with exit code 2 if the name is unknown.
pub(super) fn run(arguments: &HelpArguments, command: &Command) -> Result<()> {
    let names = &arguments.names;
    let Some(first) = names.first() else { return print(&overview(command)) };
    let topic = TOPICS.iter().find(|topic| topic.name == first && names.len() == 1);
    match (topic, command_help(command, names)) {
        (Some(topic), None) => print(&plain(topic.text)),
        (Some(topic), Some(help)) => {
            let help = help.render();
            print(&format!("{}\n# Command {first}\n\n{help}", plain(topic.text)))
        }
        (None, Some(help)) => help.exit(),
        (None, None) => {
            let message = unknown(&names.join(" "), command);
            Error::raw(ErrorKind::InvalidSubcommand, message).exit()
        }
    }
}

/// What `--help` prints for a command; `None` if there is no such command.
fn command_help(command: &Command, names: &[String]) -> Option<Error> {
    let find = |command, name: &String| Command::find_subcommand(command, name);
    names.iter().try_fold(command, find)?;
    let words = [command.get_name()].into_iter();
    let words = words.chain(names.iter().map(String::as_str)).chain(["--help"]);
    command.clone().try_get_matches_from(words).err()
}

fn overview(command: &Command) -> String {
    let commands = command.get_subcommands().map(|command| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        (command.get_name(), about)
    });
    let topics = TOPICS.iter().map(|topic| (topic.name, topic.summary()));
    format!(
        "sallyport help TOPIC      prints a topic\n\
         sallyport COMMAND --help  prints the flags of a command\n\n\
         Commands:\n{}\nTopics:\n{}",
        list(commands),
        list(topics)
    )
}

impl Topic {
    /// The sentence below the title.
    fn summary(&self) -> String {
        let paragraph = self.text.split("\n\n").nth(1).unwrap_or_default();
        paragraph.replace('\n', " ")
    }
}

/// Names and summaries in two columns.
fn list<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    const INDENT: usize = 17;
    let mut text = String::new();
    for (name, summary) in entries {
        let mut line = format!("  {name:<width$}", width = INDENT - 3);
        for word in summary.split(' ') {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                let _ = writeln!(text, "{line}");
                line = " ".repeat(INDENT - 1);
            }
            line.push(' ');
            line.push_str(word);
        }
        let _ = writeln!(text, "{line}");
    }
    text
}

/// The text for a terminal: code is indented, and a link to another topic is the command that prints it.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if is_code && !line.is_empty() {
            let _ = writeln!(text, "    {line}");
        } else if is_code {
            text.push('\n');
        } else {
            let _ = writeln!(text, "{}", without_links(line));
        }
    }
    text
}

fn without_links(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, label, target, after)) = first_link(rest) {
        text.push_str(before);
        let _ = match target.strip_suffix(".md") {
            Some(topic) => write!(text, "`sallyport help {topic}`"),
            None => write!(text, "{label} ({target})"),
        };
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The text before the first link, its label, its target, and the text after it.
fn first_link(line: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, target) = line.split_once("](")?;
    let (before, label) = before.rsplit_once('[')?;
    let (target, after) = target.split_once(')')?;
    Some((before, label, target, after))
}

/// The nearest name, the topics that contain the word, and all names.
fn unknown(name: &str, command: &Command) -> String {
    let topics = || TOPICS.iter().map(|topic| topic.name);
    let commands = || command.get_subcommands().map(Command::get_name);
    let lower = name.to_lowercase();
    let distance = |known: &str| strsim::osa_distance(&lower, known);
    let nearest = topics().chain(commands()).min_by_key(|known| distance(known));
    let is_near = |known: &&str| distance(known) * 3 <= name.len();
    let found = mentions(&lower);
    let mut text = format!("No topic or command has the name '{name}'.\n");
    if let Some(nearest) = nearest.filter(is_near) {
        let _ = writeln!(text, "\n  Did you mean '{nearest}'?");
    }
    if !found.is_empty() {
        let _ = writeln!(text, "\n  Topics that mention it: {}", found.join(", "));
    }
    let names = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(" ");
    let all = [("Topics:", names(&mut topics())), ("Commands:", names(&mut commands()))];
    text + "\n" + &list(all.into_iter())
}

/// The topics that contain the word, first those with a heading about it and with most mentions.
fn mentions(word: &str) -> Vec<&'static str> {
    let rank = |text: &str| {
        let text = text.to_lowercase();
        let mut headings = text.lines().filter(|line| line.starts_with('#'));
        (headings.any(|line| line.contains(word)), text.matches(word).count())
    };
    let mut found: Vec<_> = TOPICS.iter().map(|topic| (rank(topic.text), topic.name)).collect();
    found.retain(|((_, count), _)| *count > 0);
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    found.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_in_alphabetical_order_with_a_summary() {
        assert!(TOPICS.is_sorted_by_key(|topic| topic.name));
        for topic in TOPICS {
            assert!(topic.text.starts_with("# "), "{}", topic.name);
            let summary = topic.summary();
            assert!(summary.ends_with('.') && summary.len() < 150, "{}: {summary}", topic.name);
        }
    }

    #[test]
    fn a_topic_is_printed_without_links_and_fences() {
        let markdown = "See [keys](keys.md), [move](move.md).\n\n```sh\nsallyport\n\nls\n```\n\
                        [a b](https://c)\n";
        let text = "See `sallyport help keys`, `sallyport help move`.\n\n    sallyport\n\n    ls\n\
                    a b (https://c)\n";
        assert_eq!(plain(markdown), text);
        for topic in TOPICS {
            let text = plain(topic.text);
            assert!(!text.contains("```") && !text.contains("]("), "{}", topic.name);
            let width = text.lines().map(|line| line.chars().count()).max();
            assert!(width <= Some(WIDTH + 8), "{}: {width:?}", topic.name);
        }
    }

    #[test]
    fn an_unknown_name_leads_to_the_nearest_and_to_topics_that_mention_it() {
        let command = Command::new("sallyport").subcommand(Command::new("purge"));
        for (name, told) in [
            ("prxy", "Did you mean 'proxy'?"),
            ("purg", "Did you mean 'purge'?"),
            ("TOKENS", "Did you mean 'tokens'?"),
            ("NGINX", "Topics that mention it: proxy"),
        ] {
            let text = unknown(name, &command);
            assert!(text.contains(told), "{text}");
            assert!(text.contains("front-ends") && text.ends_with(" purge\n"), "{text}");
        }
        assert!(!unknown("zzzzzz", &command).contains("mean"));
        assert_eq!(mentions("stale").first(), Some(&"tokens"));
    }

    #[test]
    fn a_list_is_no_wider_than_a_terminal() {
        let text = list([("name", "word ".repeat(40).trim().to_owned())].into_iter());
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.lines().nth(1).map(|line| line.find('w')), Some(Some(17)));
    }
}
