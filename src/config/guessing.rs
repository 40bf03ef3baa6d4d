//! The flags about guessing at passwords.

use clap::Args;

use super::values::Switch;

/// How guessing is slowed down.
#[derive(Args, Clone, Debug)]
pub struct GuessingArguments {
    /// Whether wrong passwords and many refreshes of a session make whoever tries them wait; false is
    /// for load tests, or behind something else that limits
    #[arg(
        long,
        env = "SALLYPORT_THROTTLE",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true",
        help_heading = "Accounts"
    )]
    pub throttle: Switch,
}
