//! Environment variables of the flags.
//!
//! An empty variable counts as not set, so that `${ISSUER:-}` can be passed on. A variable whose name
//! differs from a known name by one or two letters is refused, because the setting would have no effect.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::Command;
use clap::builder::{OsStr, Resettable};

use super::error::ConfigError;

const PREFIX: &str = "SALLYPORT_";

/// A variable at most this many edits away from a known one counts as misspelt.
const MAX_EDITS: usize = 2;

/// Makes the command ignore environment variables that are empty.
#[must_use]
pub fn without_empty(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let is_empty =
            arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { arg.env(Resettable::<OsStr>::Reset) } else { arg }
    });
    command.mut_subcommands(without_empty)
}

/// Returns the names of variables that have the prefix of settings and belong to no flag.
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
                misspelt.push(format!("{name} (did you mean {known}?)"));
            }
            _ if name.starts_with(PREFIX) => unknown.push(name.into_owned()),
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
