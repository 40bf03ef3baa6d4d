//! Flags about second factors.

use clap::{Args, ValueEnum};

use crate::domain::second_factor::SecondFactorPolicy;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SecondFactor {
    Off,
    Optional,
    Admins,
    Required,
}

/// Flags about second factors.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Second factors")]
pub struct FactorArguments {
    /// Who needs a second factor at the login: nobody, not even who has one (`off`), accounts that have one
    /// (`optional`), administrators in any case (`admins`), or everybody (`required`)
    #[arg(
        long,
        env = "SALLYPORT_SECOND_FACTOR",
        value_enum,
        value_name = "off|optional|admins|required",
        hide_possible_values = true,
        default_value = "optional"
    )]
    second_factor: SecondFactor,
}

impl FactorArguments {
    pub(super) fn policy(&self) -> SecondFactorPolicy {
        match self.second_factor {
            SecondFactor::Off => SecondFactorPolicy::Off,
            SecondFactor::Optional => SecondFactorPolicy::Optional,
            SecondFactor::Admins => SecondFactorPolicy::Admins,
            SecondFactor::Required => SecondFactorPolicy::Required,
        }
    }
}
