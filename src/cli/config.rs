//! `sallyport config`: the settings in force and their sources.
//!
//! The output for people is a configuration file: what is set can be read back with `--config`, and defaults
//! and redacted secrets are comments.

use std::fmt::Write;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::table::{Output, print};
use crate::config::{EffectiveSetting, ServeArguments, SettingSource, Sources};

/// A longer value pushes its source to the right, and no other.
const MAX_COLUMN: usize = 44;

#[derive(Args)]
pub(super) struct ConfigArguments {
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub serve: Box<ServeArguments>,
}

pub(super) fn run(
    output: Output,
    settings: &[EffectiveSetting],
    sources: &Sources,
    unknown: &[String],
) -> Result<()> {
    if output.is_json() {
        return print(&settings.iter().map(json_line).collect::<String>());
    }
    let mut text = String::from(
        "# Settings in force, as a configuration file for --config.\n\
         # A line that begins with # is a default, or has a redacted secret.\n",
    );
    if let Some(file) = sources.file() {
        let path = file.path.display().to_string();
        let _ = writeln!(text, "# File: {}", path.escape_debug());
    }
    for name in unknown {
        let _ = writeln!(text, "# Unknown variable {name}: it has no effect.");
    }
    for table in settings.chunk_by(|one, next| one.table == next.table) {
        let _ = writeln!(text, "\n[{}]", table[0].table);
        let lines: Vec<_> = table.iter().map(|setting| (assignment(setting), setting)).collect();
        let widths = lines.iter().map(|(line, _)| line.chars().count());
        let width = widths.filter(|width| *width <= MAX_COLUMN).max().unwrap_or(0);
        for (line, setting) in &lines {
            let _ = writeln!(text, "{line:<width$}  # {}", source(setting));
        }
    }
    print(&text)
}

fn json_line(setting: &EffectiveSetting) -> String {
    let value = if setting.is_repeatable {
        Value::from(setting.values.clone())
    } else {
        setting.values.first().map_or(Value::Null, |value| Value::from(value.as_str()))
    };
    let (source, line) = match &setting.source {
        SettingSource::Default(_) => ("default", None),
        SettingSource::File(line) => ("file", Some(*line)),
        SettingSource::Environment(_) => ("environment", None),
        SettingSource::CommandLine => ("command line", None),
    };
    let (name, table) = (&setting.name, &setting.table);
    let mut object = json!({ "name": name, "table": table, "value": value, "source": source });
    if let Some(line) = line {
        object["line"] = Value::from(line);
    }
    format!("{object}\n")
}

/// Key and value in TOML; a comment unless reading it back would set the same value.
fn assignment(setting: &EffectiveSetting) -> String {
    let is_default = matches!(setting.source, SettingSource::Default(_));
    let comment = if is_default || setting.is_redacted { "# " } else { "" };
    let values: Vec<String> = setting.values.iter().map(|value| toml_value(value)).collect();
    let value = if setting.is_repeatable {
        format!("[{}]", values.join(", "))
    } else {
        values.into_iter().next().unwrap_or_else(|| "\"\"".to_owned())
    };
    format!("{comment}{} = {value}", setting.name)
}

fn toml_value(text: &str) -> String {
    let is_integer = text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
    if is_integer || text == "true" || text == "false" {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn source(setting: &EffectiveSetting) -> String {
    let source = match &setting.source {
        SettingSource::Default(None) if setting.values.is_empty() => "default: none".to_owned(),
        SettingSource::Default(None) => "default".to_owned(),
        SettingSource::Default(Some(note)) => format!("default: {note}"),
        SettingSource::File(line) => format!("file, line {line}"),
        SettingSource::Environment(name) => format!("environment {name}"),
        SettingSource::CommandLine => "command line".to_owned(),
    };
    if setting.is_redacted { format!("{source}, redacted") } else { source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_toml_reads_it() {
        for (text, toml) in [
            ("16", "16"),
            ("-1", "-1"),
            ("007", "\"007\""),
            ("true", "true"),
            ("15m", "\"15m\""),
            ("a\"b\\c\n", "\"a\\\"b\\\\c\\u000A\""),
        ] {
            assert_eq!(toml_value(text), toml);
        }
    }
}
