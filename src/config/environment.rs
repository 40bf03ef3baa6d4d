//! Environment variables of the flags.
//!
//! An empty variable counts as not set, so that `${ISSUER:-}` can be passed on. Values are checked before the
//! command line is parsed, so that the message names the variable, not its flag. A variable whose name
//! differs from a known name by one or two letters is refused, because the setting would have no effect.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::builder::{OsStr, Resettable};
use clap::{Arg, Command};

use super::error::ConfigError;
use super::flag_value::check_value;
use super::keys::{alternatives, keys};

const PREFIX: &str = "SALLYPORT_";

/// A variable at most this many edits away from a known one counts as misspelt.
const MAX_EDITS: usize = 2;

/// Makes the command ignore environment variables that are empty.
#[must_use]
pub fn without_empty(command: Command) -> Command {
    let command = command.mut_args(|flag| {
        let value = flag.get_env().and_then(std::env::var_os);
        // Kept on a flag without a value, too: the help names the variable.
        if value.is_some_and(|value| value.is_empty()) { without_variable(flag) } else { flag }
    });
    command.mut_subcommands(without_empty)
}

/// Makes the command itself, not its subcommands, ignore the environment.
#[must_use]
pub fn without_variables(command: Command) -> Command {
    command.mut_args(without_variable)
}

/// Makes a flag ignore the environment.
#[must_use]
pub fn without_variable(flag: Arg) -> Arg {
    flag.env(Resettable::<OsStr>::Reset)
}

pub(super) fn is_set(flag: &Arg) -> bool {
    value(flag).is_some()
}

fn value(flag: &Arg) -> Option<OsString> {
    std::env::var_os(flag.get_env()?).filter(|value| !value.is_empty())
}

/// Checks the values of all variables, save those that a flag on the command line overrides.
pub(super) fn check_variables(
    command: &Command,
    given: &BTreeSet<String>,
) -> Result<(), ConfigError> {
    let is_given = |flag: &Arg| given.contains(flag.get_id().as_str());
    let name = |flag: &Arg| flag.get_env().unwrap_or_default().to_string_lossy().into_owned();
    let keys = keys(command);
    for flag in keys.values().map(|key| key.flag).filter(|flag| !is_given(flag)) {
        let checked = value(flag).map_or(Ok(()), |value| check_value(flag, &value));
        checked.map_err(|reason| {
            ConfigError(format!("environment variable {}: {reason}", name(flag)).into())
        })?;
    }
    for (flag, other) in alternatives(command) {
        if is_set(flag) && is_set(other) && !is_given(flag) && !is_given(other) {
            let (one, other) = (name(other), name(flag));
            let message = format!(
                "environment variables {one} and {other} exclude each other; remove one of them"
            );
            return Err(ConfigError(message.into()));
        }
    }
    Ok(())
}

/// Returns the names of variables that have the prefix of settings and belong to no flag, with control
/// characters escaped.
///
/// # Errors
/// [`ConfigError`] if a variable is a misspelt name of a flag's variable; the message suggests the name.
pub fn unknown_variables(
    command: &Command,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<String>, ConfigError> {
    let mut known = BTreeSet::new();
    collect_names(command, &mut known);
    let (mut unknown, mut misspelt) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        if value.is_empty() || known.contains(&*name) || is_of_kubernetes(&name, &value) {
            continue;
        }
        let upper = name.to_uppercase();
        let distance = |known: &str| strsim::osa_distance(&upper, known);
        // Most variables differ in length by more than that: comparing them costs time at each start.
        let similar = known.iter().filter(|known| known.len().abs_diff(upper.len()) <= MAX_EDITS);
        let nearest = similar.map(|known| (distance(known), known)).min();
        match nearest {
            Some((letters, known)) if letters <= MAX_EDITS => {
                misspelt.push(format!("{} (did you mean {known}?)", name.escape_debug()));
            }
            _ if name.starts_with(PREFIX) => unknown.push(name.escape_debug().to_string()),
            _ => {}
        }
    }
    unknown.sort_unstable();
    misspelt.sort_unstable();
    if misspelt.is_empty() {
        return Ok(unknown);
    }
    let message = format!(
        "unknown environment variable {}; correct the name or remove the variable",
        misspelt.join(", ")
    );
    Err(ConfigError(message.into()))
}

fn collect_names(command: &Command, known: &mut BTreeSet<String>) {
    let variables = command.get_arguments().filter_map(|arg| arg.get_env());
    known.extend(variables.map(|name| name.to_string_lossy().into_owned()));
    for command in command.get_subcommands() {
        collect_names(command, known);
    }
}

/// Recognizes variables that Kubernetes (or Docker, for a link) sets in every container if a service's name
/// begins with `sallyport`.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];
    if !name.starts_with(PREFIX) {
        return false;
    }
    let is_url = PROTOCOLS
        .iter()
        .any(|protocol| value.strip_prefix(protocol).is_some_and(|rest| rest.starts_with("://")));
    let names_port = PROTOCOLS.iter().any(|protocol| {
        let protocol = format!("_{}", protocol.to_uppercase());
        ["_PROTO", "_PORT", "_ADDR"].iter().any(|part| name.ends_with(&format!("{protocol}{part}")))
    });
    is_url
        || names_port
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn unknown(variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let flag = |name: &'static str| Arg::new(name).long(name).env(name);
        let command = Command::new("a")
            .arg(flag("SALLYPORT_ISSUER"))
            .subcommand(Command::new("b").arg(flag("SALLYPORT_ACCESS_TOKEN_LIFETIME")));
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        unknown_variables(&command, variables).map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_printed_without_control_characters() {
        let error = unknown(&[("SALLYPORT_ISSUER\n", "1")]).unwrap_err();
        assert!(error.contains(r"SALLYPORT_ISSUER\n (did you mean"), "{error}");
        let other = unknown(&[("SALLYPORT_\u{1b}[31m_LONG", "1")]).unwrap();
        assert_eq!(other, [r"SALLYPORT_\u{1b}[31m_LONG"]);
    }

    #[test]
    fn a_variable_that_is_nearly_a_flags_is_refused_with_the_nearest() {
        for (misspelt, known) in [
            ("SALLYPORT_ACESS_TOKEN_LIFETIME", "SALLYPORT_ACCESS_TOKEN_LIFETIME"),
            ("SALLYPORT_ACCESS_TOKEN_LIFETIMES", "SALLYPORT_ACCESS_TOKEN_LIFETIME"),
            ("SALLYPORT_ACCESS-TOKEN-LIFETIME", "SALLYPORT_ACCESS_TOKEN_LIFETIME"),
            ("SALLYPORT_ISUSER", "SALLYPORT_ISSUER"),
            ("SALYPORT_ISSUER", "SALLYPORT_ISSUER"),
            ("sallyport_issuer", "SALLYPORT_ISSUER"),
        ] {
            let error = unknown(&[(misspelt, "1")]).unwrap_err();
            assert!(error.contains(misspelt) && error.contains(known), "{error}");
            assert_eq!(unknown(&[(misspelt, "")]), Ok(vec![]));
        }
    }

    #[test]
    fn other_variables_are_named_save_those_of_kubernetes_and_of_other_programs() {
        let variables = [
            ("SALLYPORT_PROOF", "long"),
            ("SALLYPORT_PORT", "8000"),
            ("SALLYPORT_ISSUER", "http://a"),
            ("PATH", "/bin"),
            ("SALLYPORT", "1"),
            ("SALLYPORT_SERVICE_HOST", "10.96.0.12"),
            ("SALLYPORT_SERVICE_PORT_HTTP", "8000"),
            ("SALLYPORT_METRICS_SERVICE_PORT", "9000"),
            ("SALLYPORT_METRICS_PORT", "tcp://10.96.0.12:9000"),
            ("SALLYPORT_PORT_8000_TCP", "tcp://10.96.0.12:8000"),
            ("SALLYPORT_PORT_8000_TCP_PROTO", "tcp"),
            ("SALLYPORT_PORT_8000_UDP_ADDR", "10.96.0.12"),
        ];
        assert_eq!(unknown(&variables).unwrap(), ["SALLYPORT_PORT", "SALLYPORT_PROOF"]);
    }
}
