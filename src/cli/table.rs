//! Output of commands: a table, or one JSON object per line.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::clock::Timestamp;

/// Output format.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Output {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

impl Output {
    pub(super) fn is_json(self) -> bool {
        self.json
    }
}

pub(super) enum Cell {
    Text(String),
    Time(Timestamp),
    Number(i64),
    Flag(bool),
    Nothing,
}

impl Cell {
    pub(super) fn text(value: impl Display) -> Self {
        Self::Text(value.to_string())
    }

    pub(super) fn maybe(value: Option<impl Display>) -> Self {
        value.map_or(Self::Nothing, Self::text)
    }

    /// Text in a table: whole seconds, and no control characters, since user agents and names are input of
    /// strangers and could move the terminal's cursor.
    fn text_in_table(&self) -> String {
        let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        match self {
            Self::Text(text) => text.chars().map(visible).collect(),
            Self::Time(time) => format!("{time:.0}"),
            Self::Number(number) => number.to_string(),
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) => "no".to_owned(),
            Self::Nothing => "-".to_owned(),
        }
    }

    fn json_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Time(time) => Value::from(time.to_string()),
            Self::Number(number) => Value::from(*number),
            Self::Flag(flag) => Value::from(*flag),
            Self::Nothing => Value::Null,
        }
    }
}

/// Rows are printed together, since column widths depend on all of them.
pub(super) struct Table {
    headings: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn new(headings: &'static [&'static str]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    pub(super) fn print(&self, output: Output) -> Result<()> {
        print(&if output.json { self.json() } else { self.aligned() })
    }

    /// Prints the table for people.
    pub(super) fn print_aligned(&self) -> Result<()> {
        print(&self.aligned())
    }

    fn json(&self) -> String {
        let object = |row: &Vec<Cell>| {
            let members = self.headings.iter().zip(row);
            let members = members.map(|(name, cell)| ((*name).to_owned(), cell.json_value()));
            format!("{}\n", Value::Object(members.collect()))
        };
        self.rows.iter().map(object).collect()
    }

    fn aligned(&self) -> String {
        let headings = self.headings.iter().map(|name| name.to_uppercase().replace('_', " "));
        let headings: Vec<String> = headings.collect();
        let rows = self.rows.iter().map(|row| row.iter().map(Cell::text_in_table).collect());
        let lines: Vec<Vec<String>> = std::iter::once(headings).chain(rows).collect();
        let width = |column: usize| {
            lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            let cells = line.iter().zip(&widths);
            let padded: Vec<String> =
                cells.map(|(cell, &width)| format!("{cell:<width$}")).collect();
            text.push_str(padded.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// A count with its noun, e.g. `2 sessions`.
pub(super) fn count(number: impl Display, thing: &str) -> String {
    counted(number, thing, &format!("{thing}s"))
}

/// As [`count`], with the plural of the noun.
pub(super) fn counted(number: impl Display, one: &str, several: &str) -> String {
    let number = number.to_string();
    let noun = if number == "1" { one } else { several };
    format!("{number} {noun}")
}

/// Prints to standard output. A reader that closes early, such as `head`, is no failure.
pub(super) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => bail!(
            "cannot write to standard output: {error}; the command itself succeeded; redirect its \
             output to another place"
        ),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["name", "last_ip", "active", "created"]);
        let at = Timestamp::from_micros(1_700_000_000_123_456);
        table.push(vec![Cell::text("Ada"), Cell::Nothing, Cell::Flag(true), Cell::Time(at)]);
        table.push(vec![
            Cell::text("a\u{1b}[31m"),
            Cell::text("::1"),
            Cell::Flag(false),
            Cell::Nothing,
        ]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let expected = "NAME    LAST IP  ACTIVE  CREATED\n\
                        Ada     -        yes     2023-11-14T22:13:20Z\n\
                        a\u{fffd}[31m  ::1      no      -\n";
        assert_eq!(table().aligned(), expected);
    }

    #[test]
    fn json_is_one_object_per_line() {
        let expected = [
            r#"{"active":true,"created":"2023-11-14T22:13:20.123Z","last_ip":null,"name":"Ada"}"#,
            r#"{"active":false,"created":null,"last_ip":"::1","name":"a\u001b[31m"}"#,
            "",
        ];
        assert_eq!(table().json(), expected.join("\n"));
    }

    #[test]
    fn a_count_of_one_is_singular() {
        assert_eq!(
            [0, 1, 2].map(|n| count(n, "session")),
            ["0 sessions", "1 session", "2 sessions"]
        );
    }
}
