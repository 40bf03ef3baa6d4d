//! Flags of `sallyport serve`.

use clap::{Args, CommandFactory, FromArgMatches, Parser};

use super::accounts::AccountArguments;
use super::database::DatabaseArguments;
use super::environment::without_empty;
use super::limits::LimitArguments;
use super::secret::{Secret, SecretArguments};
use super::service::{ServiceArguments, TrustedDocumentArguments};
use super::sessions::SessionArguments;
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
    pub(super) limits: LimitArguments,

    #[arg(
        long,
        env = "SALLYPORT_ADMIN_PASSWORD",
        hide_env_values = true,
        hide = true,
        value_name = "PASSWORD"
    )]
    pub(super) admin_password: Option<Secret>,
}

impl ServeArguments {
    /// Reads all flags from the environment.
    pub(super) fn of_environment() -> Result<Self, clap::Error> {
        #[derive(Parser)]
        struct Environment {
            #[command(flatten)]
            serve: ServeArguments,
        }
        let matches = without_empty(Environment::command()).try_get_matches_from(["sallyport"])?;
        Environment::from_arg_matches(&matches).map(|environment| environment.serve)
    }
}
