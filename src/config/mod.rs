//! What an operator decides: flags and environment variables, validated once.
//!
//! Rule: every flag has the variable `SALLYPORT_…` of its name, and a [`Config`] that exists is one
//! that works together. Secrets are neither shown in the help nor printed.

mod arguments;
mod connections;
mod contradictions;
mod database;
mod documents;
mod environment;
mod guessing;
mod limits;
mod operation;
mod transport;
mod values;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::auth::Policy;
use crate::crypto::access_token::Issuer;
use crate::crypto::algorithm::SigningAlgorithm;
use crate::graphql::Supergraph;
use crate::http;
use crate::store::{ConnectionOptions, DatabaseUrl};

use contradictions::{FRESHEST, check, check_places};

pub use arguments::{Registration, ServeArguments};
pub use connections::ConnectionArguments;
pub use database::{DatabaseArguments, RetentionArguments, SecretArguments};
pub use documents::DocumentArguments;
pub use environment::{unknown_variables, without_empty};
pub use limits::LimitArguments;
pub use operation::OperationArguments;
pub use transport::TransportArguments;
pub(crate) use values::algorithm;
pub use values::{Federation, LogFormat, Switch};

/// The window of a retry and the bound on that view's age where nothing else is said.
const RETRY: Duration = Duration::from_secs(10);
const STALENESS: Duration = Duration::from_secs(5);

/// Decisions that work together.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it serves.
    pub listen: SocketAddr,
    /// Where it shows metrics, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The database.
    pub database: DatabaseUrl,
    /// How a PostgreSQL is connected to.
    pub connections: ConnectionOptions,
    /// Where the master secret comes from.
    pub secret: SecretSource,
    /// On whose behalf tokens are issued.
    pub issuer: Issuer,
    /// How access tokens are signed; as the keys there are do, where nothing is said.
    pub algorithm: Option<SigningAlgorithm>,
    /// How old the view of ended sessions may be.
    pub revocation_staleness: Duration,
    /// The rules of logins, refreshes and accounts.
    pub policy: Policy,
    /// How passwords are hashed: KiB of memory and passes.
    pub hashing: (u32, u32),
    /// Whether the schema can be asked for.
    pub introspection: bool,
    /// What it is a subgraph of, if of anything.
    pub federation: Option<Supergraph>,
    /// The file of trusted documents.
    pub trusted_documents: Option<PathBuf>,
    /// Whether only these may run.
    pub trusted_documents_only: bool,
    /// What is served beside GraphQL, and to whom.
    pub http: http::Options,
    /// How much of the service one client may hold.
    pub server: http::server::ConnectionLimits,
    /// How the log looks; as it fits, where nothing is said.
    pub log_format: Option<LogFormat>,
    /// The first administrator's password, where it is not to be made up.
    pub admin_password: Option<Secret>,
}

/// Where the master secret comes from.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// It was given.
    Given(Secret),
    /// It is in this file.
    File(PathBuf),
    /// It is in this file, which is made where it is not there.
    Made(PathBuf),
    /// Nowhere: PostgreSQL with neither flag. Commands that give no tokens do without.
    Missing,
}

/// A text that is not printed.
#[derive(Clone)]
pub struct Secret(pub Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

/// Decisions that do not work together. The message says which, and what would.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; see --help")]
pub struct ConfigError(Cow<'static, str>);

impl Config {
    /// Reads what was given.
    ///
    /// # Errors
    /// [`ConfigError`] where two things do not go together.
    pub fn parse(arguments: ServeArguments) -> Result<Self, ConfigError> {
        let config = Self::combine(arguments)?;
        if matches!(config.secret, SecretSource::Missing) {
            const MESSAGE: &str = "PostgreSQL needs --secret or --secret-file, the same for every \
                                   replica: make one with openssl rand -base64 32";
            return Err(ConfigError(MESSAGE.into()));
        }
        Ok(config)
    }

    fn combine(arguments: ServeArguments) -> Result<Self, ConfigError> {
        let connections = arguments.database.connections.to(&arguments.database.database_url)?;
        let database = arguments.database.database_url;
        let secret = arguments.secret.source(&database);
        // What was not decided gives way to what was.
        let lifetime = arguments.access_token_lifetime.0;
        let retry_window =
            arguments.refresh_retry_window.map_or(RETRY.min(lifetime / 2), |it| it.0);
        let staleness = STALENESS.min(lifetime).max(FRESHEST);
        let staleness = arguments.revocation_staleness.map_or(staleness, |it| it.0);
        let policy = Policy {
            access_token_lifetime: arguments.access_token_lifetime.0,
            refresh_token_lifetime: arguments.refresh_token_lifetime.0,
            session_lifetime: arguments.session_lifetime.0,
            max_sessions: arguments.max_sessions_per_user.0,
            retry_window,
            rotate: arguments.rotate_refresh_tokens.is_on(),
            record_login: arguments.update_last_login.is_on(),
            registration_open: arguments.registration == Registration::Open,
            password_min_length: arguments.password_min_length,
            throttle: arguments.guessing.throttle.is_on(),
            audit_retention: arguments.retention.audit(),
            metadata_retention: arguments.retention.metadata(),
        };
        let leeway = arguments.leeway.0;
        let (transport, server) = arguments.transport.combine(arguments.listen)?;
        check(&policy, leeway, staleness)?;
        let metrics_listen = arguments.operation.metrics_listen();
        check_places(arguments.listen, metrics_listen)?;
        Ok(Self {
            listen: arguments.listen,
            metrics_listen,
            database,
            connections,
            secret,
            issuer: Issuer {
                issuer: arguments.issuer,
                audience: arguments.audience,
                client_id: arguments.client_id,
                leeway,
            },
            algorithm: arguments.algorithm,
            revocation_staleness: staleness,
            policy,
            hashing: (arguments.hashing_memory, arguments.hashing_passes),
            introspection: arguments.introspection.is_on(),
            federation: arguments.federation.into(),
            trusted_documents: arguments.documents.trusted_documents,
            trusted_documents_only: arguments.documents.trusted_documents_only.is_on(),
            http: http::Options {
                graphiql: arguments.graphiql.is_on(),
                console: arguments.console.is_on(),
                limits: arguments.limits.into(),
                transport,
            },
            server,
            log_format: arguments.log_format,
            admin_password: arguments.admin_password,
        })
    }

    /// The configuration of a command that gives no tokens: the environment's, with the database
    /// that the command was given.
    ///
    /// # Errors
    /// [`ConfigError`] where two things do not go together.
    pub fn of_command(database: DatabaseArguments) -> Result<Self, ConfigError> {
        Self::combine(ServeArguments { database, ..environment()? })
    }

    /// The same for a command that opens the signing keys.
    ///
    /// # Errors
    /// [`ConfigError`] where two things do not go together.
    pub fn of_key_command(
        database: DatabaseArguments,
        secret: SecretArguments,
    ) -> Result<Self, ConfigError> {
        Self::parse(ServeArguments { database, secret, ..environment()? })
    }
}

/// What the environment says of everything.
fn environment() -> Result<ServeArguments, ConfigError> {
    // The command line was read with the same variables, so this has been understood once.
    let message = |error: clap::Error| error.render().to_string().replace('\n', " ");
    ServeArguments::of_environment().map_err(|error| ConfigError(message(error).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Pooler;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        serve: ServeArguments,
    }

    fn parse(line: &str) -> Result<Config, String> {
        let line = std::iter::once("sallyport").chain(line.split_whitespace());
        let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
        Config::parse(line.serve).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_what_the_contract_says() {
        let config = parse("").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.database.to_string(), "SQLite, sallyport.db");
        assert_eq!(config.policy.access_token_lifetime, Duration::from_mins(15));
        assert_eq!(config.policy.refresh_token_lifetime, Duration::from_hours(7 * 24));
        assert_eq!(config.policy.session_lifetime, None);
        assert_eq!(config.policy.retry_window, Duration::from_secs(10));
        assert_eq!(config.issuer.leeway, Duration::from_secs(2));
        assert!(config.policy.rotate && config.policy.record_login && config.introspection);
        assert!(config.policy.throttle && !config.policy.registration_open);
        assert!(
            matches!(config.secret, SecretSource::Made(path) if path.ends_with("sallyport.db.secret"))
        );
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for line in [
            "--access-token-lifetime 30s --refresh-retry-window 31s",
            "--access-token-lifetime 1m --revocation-staleness 61s",
            "--listen 127.0.0.1:9000 --metrics-listen 127.0.0.1:9000",
            "--listen 0.0.0.0:9000 --metrics-listen 127.0.0.1:9000",
            "--metrics-listen 9000",
            "--access-token-lifetime 8d",
            "--session-lifetime 1m",
            "--refresh-retry-window 61s",
            "--leeway 61s",
            "--revocation-staleness 1s",
            "--database-url postgres://localhost/a",
            "--secret x --secret-file y",
            "--database-url mysql://localhost/a",
            "--access-token-lifetime 0s",
            "--password-min-length 7",
            "--issuer ftp://example.com",
            "--issuer https://example.com/",
            "--algorithm HS256",
            "--max-sessions-per-user 0",
            "--database-connections 0",
            "--database-direct-url postgres://localhost/a",
            "--database-url postgres://localhost/a --secret x --database-direct-url sqlite://a.db",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_was_not_decided_gives_way_to_what_was() {
        let config = parse("--access-token-lifetime 4s").unwrap();
        assert_eq!(config.policy.retry_window, Duration::from_secs(2));
        assert_eq!(config.revocation_staleness, Duration::from_secs(4));
        let config = parse("--access-token-lifetime 1s").unwrap();
        assert_eq!(config.revocation_staleness, Duration::from_secs(2));
    }

    #[test]
    fn off_switches_a_limit_off() {
        let config = parse("--session-lifetime off --max-sessions-per-user off").unwrap();
        assert_eq!((config.policy.session_lifetime, config.policy.max_sessions), (None, None));
        assert_eq!(parse("").unwrap().policy.max_sessions, Some(1_000));
        let config = parse("--session-lifetime 30d --max-sessions-per-user 3").unwrap();
        assert_eq!(config.policy.session_lifetime, Some(Duration::from_hours(720)));
        assert_eq!(config.policy.max_sessions, Some(3));
    }

    #[test]
    fn a_pooler_can_stand_before_the_database() {
        let line = "--secret x --database-url postgres://pooler/a --database-pooler transaction \
                    --database-direct-url postgres://server/a --database-connections 4";
        let connections = parse(line).unwrap().connections;
        assert_eq!((connections.max, connections.pooler), (4, Pooler::Transaction));
        assert_eq!(connections.direct.unwrap().to_string(), "PostgreSQL, server:5432/a");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let config = parse("--secret 0123456789abcdefghijklmnopqrstuv").unwrap();
        assert!(!format!("{config:?}").contains("0123456789"));
    }
}
