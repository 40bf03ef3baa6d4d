//! The flags, as the command line and the environment have them.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, ValueEnum};

use super::Secret;
use super::database::{DatabaseArguments, RetentionArguments, SecretArguments};
use super::documents::DocumentArguments;
use super::environment::without_empty;
use super::guessing::GuessingArguments;
use super::limits::LimitArguments;
use super::operation::OperationArguments;
use super::transport::TransportArguments;
use super::values::{
    Federation, Lifetime, Limit, LogFormat, Switch, Window, algorithm, issuer, name,
    password_min_length,
};
use crate::crypto::algorithm::SigningAlgorithm;

/// Whether anybody may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Accounts are made by administrators.
    Closed,
    /// Anybody may register.
    Open,
}

/// The flags of `sallyport serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeArguments {
    #[command(flatten)]
    pub database: DatabaseArguments,

    #[command(flatten)]
    pub secret: SecretArguments,

    /// Where to serve; port 0 takes one that is free
    #[arg(
        long,
        env = "SALLYPORT_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8000",
        help_heading = "Service"
    )]
    pub listen: SocketAddr,

    #[command(flatten)]
    pub operation: OperationArguments,

    /// Whether clients may ask for the schema
    #[arg(
        long,
        env = "SALLYPORT_INTROSPECTION",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true",
        help_heading = "Service"
    )]
    pub introspection: Switch,

    /// Whether browsers find GraphiQL at `/graphql`
    #[arg(
        long,
        env = "SALLYPORT_GRAPHIQL",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true",
        help_heading = "Service"
    )]
    pub graphiql: Switch,

    /// Whether people find the console at `/console`
    #[arg(
        long,
        env = "SALLYPORT_CONSOLE",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true",
        help_heading = "Service"
    )]
    pub console: Switch,

    /// Serve as a subgraph of an Apollo Federation 2, of a router or of the gateway for Node
    #[arg(
        long,
        env = "SALLYPORT_FEDERATION",
        value_enum,
        value_name = "router|gateway",
        hide_possible_values = true,
        num_args = 0..=1,
        default_missing_value = "router",
        default_value = "off",
        help_heading = "Service"
    )]
    pub federation: Federation,

    /// How the log looks [default: pretty on a terminal, else json]
    #[arg(
        long,
        env = "SALLYPORT_LOG_FORMAT",
        value_enum,
        value_name = "pretty|json",
        hide_possible_values = true,
        help_heading = "Service"
    )]
    pub log_format: Option<LogFormat>,

    /// The URL of this service as its clients know it: the claim `iss`
    #[arg(
        long,
        env = "SALLYPORT_ISSUER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8000",
        value_parser = issuer,
        help_heading = "Tokens"
    )]
    pub issuer: String,

    /// Whom access tokens are for: the claim `aud`
    #[arg(
        long,
        env = "SALLYPORT_AUDIENCE",
        value_name = "NAME",
        default_value = "sallyport",
        value_parser = name,
        help_heading = "Tokens"
    )]
    pub audience: String,

    /// The claim `client_id`, which RFC 9068 demands
    #[arg(
        long,
        env = "SALLYPORT_CLIENT_ID",
        value_name = "NAME",
        default_value = "sallyport",
        value_parser = name,
        help_heading = "Tokens"
    )]
    pub client_id: String,

    /// How access tokens are signed: `ES256`, `EdDSA` or `RS256`; another than before rotates the keys
    /// [default: ES256, or what the keys there are sign with]
    #[arg(
        long,
        env = "SALLYPORT_ALGORITHM",
        value_name = "NAME",
        value_parser = algorithm,
        help_heading = "Tokens"
    )]
    pub algorithm: Option<SigningAlgorithm>,

    /// How long an access token lives
    #[arg(
        long,
        env = "SALLYPORT_ACCESS_TOKEN_LIFETIME",
        value_name = "TIME",
        default_value = "15m",
        help_heading = "Tokens"
    )]
    pub access_token_lifetime: Lifetime,

    /// How long a refresh token lives; each rotation gives as much again
    #[arg(
        long,
        env = "SALLYPORT_REFRESH_TOKEN_LIFETIME",
        value_name = "TIME",
        default_value = "7d",
        help_heading = "Tokens"
    )]
    pub refresh_token_lifetime: Lifetime,

    /// Whether a refresh puts a new refresh token in the place of the old one
    #[arg(
        long,
        env = "SALLYPORT_ROTATE_REFRESH_TOKENS",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true",
        help_heading = "Tokens"
    )]
    pub rotate_refresh_tokens: Switch,

    /// How long the refresh token just rotated away still gets the same successor; 0 is never, 60s
    /// at most [default: 10s, or half of a shorter --access-token-lifetime]
    #[arg(
        long,
        env = "SALLYPORT_REFRESH_RETRY_WINDOW",
        value_name = "TIME",
        help_heading = "Tokens"
    )]
    pub refresh_retry_window: Option<Window>,

    /// How far clocks may be apart, 60s at most
    #[arg(
        long,
        env = "SALLYPORT_LEEWAY",
        value_name = "TIME",
        default_value = "2s",
        help_heading = "Tokens"
    )]
    pub leeway: Window,

    /// How long a session lives at most, however often it is refreshed
    #[arg(
        long,
        env = "SALLYPORT_SESSION_LIFETIME",
        value_name = "TIME",
        default_value = "off",
        help_heading = "Sessions"
    )]
    pub session_lifetime: Limit<Duration>,

    /// How many live sessions a user may have, or off; the oldest end beyond it
    #[arg(
        long,
        env = "SALLYPORT_MAX_SESSIONS_PER_USER",
        value_name = "COUNT",
        default_value = "1000",
        help_heading = "Sessions"
    )]
    pub max_sessions_per_user: Limit<u32>,

    /// How old the view of sessions ended elsewhere may be before protected fields answer
    /// `SERVICE_UNAVAILABLE` [default: 5s, or a shorter --access-token-lifetime]
    #[arg(
        long,
        env = "SALLYPORT_REVOCATION_STALENESS",
        value_name = "TIME",
        help_heading = "Sessions"
    )]
    pub revocation_staleness: Option<Lifetime>,

    #[command(flatten)]
    pub retention: RetentionArguments,

    #[command(flatten)]
    pub transport: TransportArguments,

    #[command(flatten)]
    pub documents: DocumentArguments,

    /// Whether anybody may register
    #[arg(
        long,
        env = "SALLYPORT_REGISTRATION",
        value_enum,
        value_name = "closed|open",
        hide_possible_values = true,
        default_value = "closed",
        help_heading = "Accounts"
    )]
    pub registration: Registration,

    /// Whether an account remembers its last login
    #[arg(
        long,
        env = "SALLYPORT_UPDATE_LAST_LOGIN",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true",
        help_heading = "Accounts"
    )]
    pub update_last_login: Switch,

    /// The fewest characters of a password, 8 at least
    #[arg(
        long,
        env = "SALLYPORT_PASSWORD_MIN_LENGTH",
        value_name = "COUNT",
        default_value = "8",
        value_parser = password_min_length,
        help_heading = "Accounts"
    )]
    pub password_min_length: usize,

    #[command(flatten)]
    pub guessing: GuessingArguments,

    /// Memory of a password's hash (argon2id), in KiB
    #[arg(
        long,
        env = "SALLYPORT_HASHING_MEMORY",
        value_name = "KIB",
        default_value = "19456",
        value_parser = clap::value_parser!(u32).range(8..=4_194_304),
        help_heading = "Accounts"
    )]
    pub hashing_memory: u32,

    /// Passes of a password's hash
    #[arg(
        long,
        env = "SALLYPORT_HASHING_PASSES",
        value_name = "COUNT",
        default_value = "2",
        value_parser = clap::value_parser!(u32).range(1..=100),
        help_heading = "Accounts"
    )]
    pub hashing_passes: u32,

    #[command(flatten)]
    pub limits: LimitArguments,

    #[arg(
        long,
        env = "SALLYPORT_ADMIN_PASSWORD",
        hide_env_values = true,
        hide = true,
        value_name = "PASSWORD"
    )]
    pub admin_password: Option<Secret>,
}

impl ServeArguments {
    /// What the environment says.
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
