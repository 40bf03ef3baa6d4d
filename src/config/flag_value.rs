//! Validation of a single value by the parser of its flag.

use std::error::Error as _;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Id};

/// Checks a value from outside the command line. The error is the reason alone, as the flag's error gives
/// it; it does not repeat a secret.
pub(super) fn check_value(flag: &Arg, raw: &OsStr) -> Result<(), String> {
    let alone = flag
        .clone()
        .env(Resettable::<clap::builder::OsStr>::Reset)
        .conflicts_with(Resettable::<Id>::Reset);
    let mut word = OsString::from("--");
    word.push(flag.get_long().unwrap_or_default());
    word.push("=");
    word.push(raw);
    let command = Command::new("flag").no_binary_name(true).arg(alone);
    command.try_get_matches_from([word]).map(drop).map_err(|error| reason(&error))
}

fn reason(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::InvalidUtf8 {
        return "must be UTF-8 text".to_owned();
    }
    if let Some(source) = error.source() {
        return source.to_string();
    }
    if let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue) {
        return format!("must be one of {}", values.join(", "));
    }
    // An error that a parser has worded itself, so as not to repeat the value.
    let line = first_line(error);
    line.split_once("': ").map_or(&*line, |(_, reason)| reason).to_owned()
}

/// The error without the prefix and the usage, which concern the command line.
pub(super) fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Error of a parser that does not repeat the value, as clap's own would: the value may hold a password.
pub(super) fn error_without_value(
    command: &Command,
    flag: Option<&Arg>,
    reason: &dyn Display,
) -> clap::Error {
    let flag = flag.map(ToString::to_string).unwrap_or_default();
    let message = format!("invalid value for '{flag}': {reason}\n");
    clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
}
