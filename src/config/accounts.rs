//! Flags about accounts: registration, passwords, attempt limits.

use clap::{Args, ValueEnum};

use super::values::Switch;
use crate::domain::password::{LOWEST_MINIMUM, MAX_CHARS};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    Closed,
    Open,
}

/// The flags about accounts.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Accounts")]
pub struct AccountArguments {
    /// Whether anybody may register
    #[arg(
        long,
        env = "SALLYPORT_REGISTRATION",
        value_enum,
        value_name = "closed|open",
        hide_possible_values = true,
        default_value = "closed"
    )]
    pub(super) registration: Registration,

    /// Whether an account remembers its last login
    #[arg(
        long,
        env = "SALLYPORT_UPDATE_LAST_LOGIN",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) update_last_login: Switch,

    /// The fewest characters of a password, 8 at least
    #[arg(
        long,
        env = "SALLYPORT_PASSWORD_MIN_LENGTH",
        value_name = "COUNT",
        default_value = "8",
        value_parser = password_min_length
    )]
    pub(super) password_min_length: usize,

    /// Whether wrong passwords and many refreshes of a session make whoever tries them wait; false is
    /// for load tests, or behind something else that limits
    #[arg(
        long,
        env = "SALLYPORT_THROTTLE",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) throttle: Switch,

    /// Memory of a password's hash (argon2id), in KiB
    #[arg(
        long,
        env = "SALLYPORT_HASHING_MEMORY",
        value_name = "KIB",
        default_value = "19456",
        value_parser = clap::value_parser!(u32).range(8..=4_194_304)
    )]
    pub(super) hashing_memory: u32,

    /// Passes of a password's hash
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
    length.ok_or_else(|| format!("this is {LOWEST_MINIMUM} to {MAX_CHARS}"))
}
