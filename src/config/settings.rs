//! Validated settings of the service.
//!
//! A [`Config`] that exists has no contradictions.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::accounts::{AccountArguments, Registration};
use super::consistency::{check_addresses, check_lifetimes};
use super::database::DatabaseArguments;
use super::email::{EmailArguments, EmailConfig};
use super::error::ConfigError;
use super::factors::FactorArguments;
use super::file::ConfigFileInfo;
use super::flag_value::first_line;
use super::moving::ForeignTokenSource;
use super::secret::{Secret, SecretArguments, SecretSource};
use super::serve::ServeArguments;
use super::service::LogFormat;
use super::sessions::SessionArguments;
use super::sources::Sources;
use super::tokens::TokenArguments;
use crate::auth::Policy;
use crate::crypto::access_token::Issuer;
use crate::crypto::algorithm::SigningAlgorithm;
use crate::crypto::passkey::RelyingParty;
use crate::graphql::Supergraph;
use crate::http;
use crate::store::{ConnectionOptions, DatabaseUrl};

#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// Address of the metrics; `None` if they are off.
    pub metrics_listen: Option<SocketAddr>,
    pub database: DatabaseUrl,
    pub connections: ConnectionOptions,
    pub secret: SecretSource,
    pub issuer: Issuer,
    /// Algorithm of the signing key; `None` keeps that of the existing keys.
    pub algorithm: Option<SigningAlgorithm>,
    /// Maximum age of the revocation list.
    pub revocation_staleness: Duration,
    pub policy: Policy,
    pub email: EmailConfig,
    /// `None`: there are no passkeys, because browsers have none for the issuer.
    pub relying_party: Option<RelyingParty>,
    /// Acceptance of another system's refresh tokens.
    pub foreign_tokens: Option<ForeignTokenSource>,
    /// Argon2id: KiB of memory and passes.
    pub hashing: (u32, u32),
    pub introspection: bool,
    pub federation: Option<Supergraph>,
    pub trusted_documents: Option<PathBuf>,
    pub trusted_documents_only: bool,
    pub http: http::Options,
    pub server: http::server::ConnectionLimits,
    /// `None` chooses by whether standard error is a terminal.
    pub log_format: Option<LogFormat>,
    /// Password of the first administrator; `None` generates one.
    pub admin_password: Option<Secret>,
    pub config_file: Option<ConfigFileInfo>,
}

impl Config {
    /// Settings of `serve`, and of the commands that have all its flags.
    pub fn of_serve(arguments: ServeArguments, sources: &Sources) -> Result<Self, ConfigError> {
        Ok(Self { config_file: sources.file().cloned(), ..Self::parse(arguments)? })
    }

    pub fn parse(arguments: ServeArguments) -> Result<Self, ConfigError> {
        let config = Self::combine(arguments)?;
        if matches!(config.secret, SecretSource::Missing) {
            const MESSAGE: &str = "PostgreSQL requires --secret or --secret-file, the same for every \
                                   replica; create a secret with openssl rand -base64 32";
            return Err(ConfigError(MESSAGE.into()));
        }
        Ok(config)
    }

    fn combine(arguments: ServeArguments) -> Result<Self, ConfigError> {
        arguments.documents.check()?;
        let ServeArguments { database, service, tokens, sessions, accounts, .. } = arguments;
        let connections = database.connections()?;
        let secret = arguments.secret.source(&database.database_url);
        let policy = policy(&tokens, &sessions, &accounts, &arguments.email, &arguments.factors);
        let revocation_staleness = sessions.staleness(policy.access_token_lifetime);
        let (transport, server) = arguments.transport.combine(service.listen)?;
        let email = arguments.email.combine(&tokens.issuer)?;
        let relying_party = arguments.factors.relying_party(&tokens.issuer)?;
        let related_origins = relying_party.iter().flat_map(RelyingParty::related_origins);
        let related_origins = related_origins.cloned().collect();
        let metrics_listen = service.metrics_listen.0;
        check_lifetimes(&policy, tokens.leeway.0, revocation_staleness)?;
        check_addresses(service.listen, metrics_listen)?;
        Ok(Self {
            listen: service.listen,
            metrics_listen,
            database: database.database_url,
            connections,
            secret,
            algorithm: tokens.algorithm,
            issuer: tokens.into(),
            revocation_staleness,
            policy,
            email,
            relying_party,
            foreign_tokens: arguments.moving.foreign_tokens(),
            hashing: (accounts.hashing_memory, accounts.hashing_passes),
            introspection: service.introspection.is_on(),
            federation: service.federation.into(),
            trusted_documents: arguments.documents.trusted_documents,
            trusted_documents_only: arguments.documents.trusted_documents_only.is_on(),
            http: http::Options {
                graphiql: service.graphiql.is_on(),
                console: service.console.is_on(),
                related_origins,
                simplejwt: arguments.moving.simplejwt_endpoints,
                limits: arguments.limits.into(),
                transport,
            },
            server,
            log_format: service.log_format,
            admin_password: arguments.admin_password,
            config_file: None,
        })
    }

    /// Settings of a command that issues no tokens: those of the environment and the configuration file, with
    /// the database of the command line.
    pub fn of_command(database: DatabaseArguments, sources: &Sources) -> Result<Self, ConfigError> {
        Self::combine(ServeArguments { database, ..of_sources(sources)? })
    }

    /// As [`Config::of_command`], for a command that sends a mail and opens no database.
    pub fn of_email_command(email: EmailArguments, sources: &Sources) -> Result<Self, ConfigError> {
        Self::combine(ServeArguments { email, ..of_sources(sources)? })
    }

    /// As [`Config::of_command`], for a command that opens the signing keys.
    pub fn of_key_command(
        database: DatabaseArguments,
        secret: SecretArguments,
        sources: &Sources,
    ) -> Result<Self, ConfigError> {
        Self::parse(ServeArguments { database, secret, ..of_sources(sources)? })
    }
}

fn policy(
    tokens: &TokenArguments,
    sessions: &SessionArguments,
    accounts: &AccountArguments,
    email: &EmailArguments,
    factors: &FactorArguments,
) -> Policy {
    Policy {
        access_token_lifetime: tokens.access_token_lifetime.0,
        refresh_token_lifetime: tokens.refresh_token_lifetime.0,
        session_lifetime: sessions.session_lifetime.0,
        max_sessions: sessions.max_sessions_per_user.0,
        retry_window: tokens.retry_window(),
        rotate: tokens.rotate_refresh_tokens.is_on(),
        record_login: accounts.update_last_login.is_on(),
        registration_open: accounts.registration == Registration::Open,
        refuse_unverified_email: email.refuses_unverified(),
        second_factor: factors.policy(),
        trusted_device_lifetime: factors.trusted_device_lifetime(),
        password_min_length: accounts.password_min_length,
        throttle: accounts.throttle.is_on(),
        audit_retention: sessions.retention.audit(),
        metadata_retention: sessions.retention.metadata(),
    }
}

fn of_sources(sources: &Sources) -> Result<ServeArguments, ConfigError> {
    // The sources have been checked, so an error here is unlikely.
    ServeArguments::of_sources(sources).map_err(|error| ConfigError(first_line(&error).into()))
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
        assert!(!config.policy.refuse_unverified_email);
        assert!(parse("--unverified-email refuse").unwrap().policy.refuse_unverified_email);
        assert!(
            matches!(config.secret, SecretSource::CreatedFile(path) if path.ends_with("sallyport.db.secret"))
        );
    }

    #[test]
    fn contradictory_settings_are_refused() {
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
            "--simplejwt-endpoints api/token",
            "--simplejwt-endpoints /console/token",
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
    fn defaults_give_way_to_settings() {
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
