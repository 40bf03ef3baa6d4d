//! Flags about accounts: registration, passwords, attempt limits.

use clap::{Args, ValueEnum};

use super::values::Switch;
use crate::domain::password::{LOWEST_MINIMUM, MAX_CHARS};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    Closed,
    Open,
}

/// Flags about accounts.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Accounts")]
pub struct AccountArguments {
    /// Allow anyone to register (`open`), or only administrators to create accounts (`closed`)
    #[arg(
        long,
        env = "SALLYPORT_REGISTRATION",
        value_enum,
        value_name = "closed|open",
        hide_possible_values = true,
        default_value = "closed"
    )]
    pub(super) registration: Registration,

    /// Store the time of the last login in the account
    #[arg(
        long,
        env = "SALLYPORT_UPDATE_LAST_LOGIN",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) update_last_login: Switch,

    /// Minimum length of a password in characters, at least 8
    #[arg(
        long,
        env = "SALLYPORT_PASSWORD_MIN_LENGTH",
        value_name = "COUNT",
        default_value = "8",
        value_parser = password_min_length
    )]
    pub(super) password_min_length: usize,

    /// Limit wrong passwords and refreshes per session: a client over a limit must wait; use false
    /// only for load tests, or if another component limits clients
    #[arg(
        long,
        env = "SALLYPORT_THROTTLE",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) throttle: Switch,

    /// Memory for hashing a password (Argon2id), in KiB
    #[arg(
        long,
        env = "SALLYPORT_HASHING_MEMORY",
        value_name = "KIB",
        default_value = "19456",
        value_parser = clap::value_parser!(u32).range(8..=4_194_304)
    )]
    pub(super) hashing_memory: u32,

    /// Number of passes for hashing a password (Argon2id)
    #[arg(
        long,
        env = "SALLYPORT_HASHING_PASSES",
        value_name = "COUNT",
        default_value = "2",
        value_parser = clap::value_parser!(u32).range(1..=100)
    )]
    pub(super) hashing_passes: u32,
}

fn password_min_length(text: &str) -> Result<usize, String> {
    let length =
        text.parse::<usize>().ok().filter(|length| (LOWEST_MINIMUM..=MAX_CHARS).contains(length));
    length.ok_or_else(|| format!("expected {LOWEST_MINIMUM} to {MAX_CHARS}"))
}
