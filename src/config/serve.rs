//! Flags of `sallyport serve`.

use clap::{Args, CommandFactory, FromArgMatches, Parser};

use super::accounts::AccountArguments;
use super::database::DatabaseArguments;
use super::email::EmailArguments;
use super::factors::FactorArguments;
use super::limits::LimitArguments;
use super::moving::MoveArguments;
use super::secret::{Secret, SecretArguments};
use super::service::{ServiceArguments, TrustedDocumentArguments};
use super::sessions::SessionArguments;
use super::sources::Sources;
use super::tokens::TokenArguments;
use super::transport::TransportArguments;

/// The flags of `sallyport serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeArguments {
    #[command(flatten)]
    pub(super) database: DatabaseArguments,

    #[command(flatten)]
    pub(super) secret: SecretArguments,

    #[command(flatten)]
    pub(super) service: ServiceArguments,

    #[command(flatten)]
    pub(super) tokens: TokenArguments,

    #[command(flatten)]
    pub(super) sessions: SessionArguments,

    #[command(flatten)]
    pub(super) transport: TransportArguments,

    #[command(flatten)]
    pub(super) documents: TrustedDocumentArguments,

    #[command(flatten)]
    pub(super) accounts: AccountArguments,

    #[command(flatten)]
    pub(super) email: EmailArguments,

    #[command(flatten)]
    pub(super) factors: FactorArguments,

    #[command(flatten)]
    pub(super) moving: MoveArguments,

    #[command(flatten)]
    pub(super) limits: LimitArguments,

    // Hidden, since others on the machine can read a command line.
    #[arg(
        long,
        env = "SALLYPORT_ADMIN_PASSWORD",
        hide_env_values = true,
        hide = true,
        help_heading = "Accounts",
        value_name = "PASSWORD"
    )]
    pub(super) admin_password: Option<Secret>,
}

impl ServeArguments {
    /// Reads all flags from the environment and the configuration file. Flags on the command line have their
    /// defaults, whatever the environment has.
    pub(super) fn of_sources(sources: &Sources) -> Result<Self, clap::Error> {
        #[derive(Parser)]
        struct Environment {
            #[command(flatten)]
            serve: ServeArguments,
        }
        let command = sources.apply(Environment::command());
        let matches = command.try_get_matches_from(["sallyport"])?;
        Environment::from_arg_matches(&matches).map(|environment| environment.serve)
    }
}
