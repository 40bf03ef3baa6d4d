//! PostgreSQL URLs in the dialects of libpq, JDBC, Prisma and hosting providers.
//!
//! Each part is used, deliberately ignored, or refused by its name. A request for TLS is never dropped.
//! No message repeats a part of the URL that may be a password.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::store::backend::percent_encoding::{decode, encode};
use crate::store::backend::postgres_url_error::PostgresUrlError;
use crate::store::backend::url_parameters::{Parameter, nearest, option};
use crate::store::backend::url_servers::{servers, split_hosts};

#[derive(Clone)]
pub(in crate::store) struct PostgresUrl {
    /// In the order of preference; never empty.
    pub servers: Vec<PgConnectOptions>,
    /// Whether the URL itself has a password.
    pub has_password: bool,
    /// Whether it requires channel binding, which sqlx does not support.
    pub asks_for_binding: bool,
    /// The schema, with the name of its parameter.
    schema: Option<(&'static str, String)>,
}

type Result<T> = std::result::Result<T, PostgresUrlError>;

/// The components of a URL, before they become options of sqlx.
#[derive(Default)]
struct Parts {
    hosts: Option<String>,
    ports: Option<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    ssl_mode: Option<&'static str>,
    /// The mode that follows from a boolean parameter.
    ssl: Option<&'static str>,
    root_certificate: Option<String>,
    schema: Option<(&'static str, String)>,
    asks_for_binding: bool,
    /// Parameters that sqlx reads by the same names.
    others: Vec<(&'static str, String)>,
    options: Vec<String>,
}

impl PostgresUrl {
    /// `rest` follows the scheme. `variable` looks up environment variables for what the URL omits.
    pub(in crate::store) fn parse(
        rest: &str,
        is_jdbc: bool,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        // URLs of databases have no fragment, so a # belongs to a password that is not encoded.
        if rest.contains('#') || rest.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(PostgresUrlError::Encoding);
        }
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_once('/').unwrap_or((before, ""));
        // An @ in the path belongs to a password with a slash that is not encoded.
        if path.contains('@') {
            return Err(PostgresUrlError::Encoding);
        }
        let mut parts = Parts::default();
        let place = match authority.rsplit_once('@') {
            None => authority,
            Some((user, place)) => {
                let (name, password) = user.split_once(':').unzip();
                parts.user = Some(decode(name.unwrap_or(user))?);
                parts.password = password.map(decode).transpose()?;
                place
            }
        };
        if !place.is_empty() {
            let (hosts, numbers) = split_hosts(place)?;
            (parts.hosts, parts.ports) = (Some(hosts).filter(|hosts| !hosts.is_empty()), numbers);
        }
        if !path.is_empty() {
            parts.database = Some(decode(path)?);
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(PostgresUrlError::Encoding)?;
            let parameter = Parameter::of(name).ok_or_else(|| unknown(name, query))?;
            parts.read(parameter, name, value, is_jdbc)?;
        }
        parts.fill_in(variable)?;
        parts.build()
    }

    /// Whether the connection to another machine is unencrypted, or may be.
    pub(in crate::store) fn is_in_the_clear(&self) -> bool {
        self.servers.iter().any(|server| {
            let may_be = matches!(
                server.get_ssl_mode(),
                PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer
            );
            may_be && !is_local(server)
        })
    }
}

/// Whether a server is on this machine.
fn is_local(server: &PgConnectOptions) -> bool {
    let host = server.get_host();
    server.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

impl Parts {
    fn read(&mut self, parameter: Parameter, name: &str, value: &str, is_jdbc: bool) -> Result<()> {
        // A plus sign is a space in JDBC and in form encoding, but not in libpq, and a plus sign is
        // likelier in a password than a space.
        let is_literal = matches!(parameter, Parameter::User | Parameter::Password) && !is_jdbc;
        let value = if is_literal { decode(value)? } else { decode(&value.replace('+', "%20"))? };
        let wrong = |expected| PostgresUrlError::Value { name: name.to_owned(), expected };
        match parameter {
            Parameter::Host if value.is_empty() => {}
            Parameter::Host => self.hosts = Some(value),
            Parameter::Port => self.ports = Some(value).filter(|ports| !ports.is_empty()),
            Parameter::Database => self.database = Some(value).filter(|name| !name.is_empty()),
            Parameter::User => self.user = Some(value),
            Parameter::Password => self.password = Some(value),
            Parameter::SslMode => self.ssl_mode = Some(ssl_mode(&value).ok_or(wrong(SSL_MODES))?),
            Parameter::Ssl => {
                self.ssl = match value.as_str() {
                    // JDBC's driver then verifies certificates; libpq does not.
                    "" | "true" | "1" if is_jdbc => Some("verify-full"),
                    "" | "true" | "1" => Some("require"),
                    "false" | "0" => None,
                    mode => Some(ssl_mode(mode).ok_or(wrong("true, false or a value of sslmode"))?),
                };
            }
            Parameter::RootCertificate => self.root_certificate = Some(value),
            Parameter::Schema(name) => self.schema = Some((name, value)),
            Parameter::ChannelBinding => match value.as_str() {
                "disable" | "prefer" => {}
                "require" => self.asks_for_binding = true,
                _ => return Err(wrong("disable, prefer or require")),
            },
            Parameter::Session => match value.as_str() {
                // The service writes, so all these mean the same.
                "any" | "read-write" | "primary" | "master" => {}
                _ => return Err(wrong("any, read-write or primary, because the service writes")),
            },
            Parameter::Options => self.options.push(value),
            Parameter::Option(setting) => self.options.push(option(&setting, &value)),
            Parameter::Capacity => {
                let capacity =
                    value.parse::<u16>().map_err(|_| wrong("a number from 0 to 65535"))?;
                self.others.push(("statement-cache-capacity", capacity.to_string()));
            }
            Parameter::Passed(name) => self.others.push((name, value)),
            Parameter::Ignored => {}
            Parameter::Only(supported, _) if value == supported => {}
            Parameter::Only(_, instead) | Parameter::Unsupported(instead) => {
                return Err(PostgresUrlError::Unsupported { name: name.to_owned(), instead });
            }
        }
        Ok(())
    }

    /// Takes from the environment what the URL omits, and refuses variables that libpq would use and
    /// sqlx would ignore.
    fn fill_in(&mut self, variable: &dyn Fn(&str) -> Option<String>) -> Result<()> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let wrong =
            |name: &str, expected| PostgresUrlError::Value { name: name.to_owned(), expected };
        if self.ssl_mode.is_none()
            && self.ssl.is_none()
            && let Some(value) = variable("PGSSLMODE")
        {
            self.ssl_mode = Some(ssl_mode(&value).ok_or_else(|| wrong("PGSSLMODE", SSL_MODES))?);
        }
        if self.hosts.is_none() {
            self.hosts = variable("PGHOSTADDR").or_else(|| variable("PGHOST"));
        }
        if self.ports.is_none() {
            self.ports = variable("PGPORT");
        }
        if self.root_certificate.is_none() {
            self.root_certificate = variable("PGSSLROOTCERT");
        }
        if self.user.is_none() {
            // libpq asks the system for the user's name; a shell has it in these variables.
            self.user = ["PGUSER", "USER", "LOGNAME"].into_iter().find_map(variable);
        }
        if variable("PGSERVICE").is_some() {
            let instead = "give host, user and database in the URL";
            return Err(PostgresUrlError::Unsupported { name: "PGSERVICE".to_owned(), instead });
        }
        Ok(())
    }

    /// The TLS mode, never weaker than one that was asked for.
    fn ssl_mode(&self) -> Result<Option<&'static str>> {
        let mode = match (self.ssl_mode, self.ssl) {
            (
                Some("disable" | "allow" | "prefer"),
                Some("require" | "verify-ca" | "verify-full"),
            ) => {
                let expected = "consistent with ssl; give only sslmode";
                return Err(PostgresUrlError::Value { name: "sslmode".to_owned(), expected });
            }
            (mode, ssl) => mode.or(ssl),
        };
        Ok(match (mode, self.root_certificate.as_deref()) {
            // As libpq: a root certificate is given to be verified against.
            (None | Some("require" | "verify-full"), Some("system")) => Some("verify-full"),
            (_, Some("system")) => {
                let expected = "verify-full if sslrootcert is system";
                return Err(PostgresUrlError::Value { name: "sslmode".to_owned(), expected });
            }
            (Some("require"), Some(_)) => Some("verify-ca"),
            (mode, _) => mode,
        })
    }

    fn build(self) -> Result<PostgresUrl> {
        let mut common: Vec<(&str, String)> = self.others.clone();
        let named =
            [("user", &self.user), ("password", &self.password), ("dbname", &self.database)];
        for (name, value) in named {
            common.extend(value.clone().map(|value| (name, value)));
        }
        common.extend(self.ssl_mode()?.map(|mode| ("sslmode", mode.to_owned())));
        let root = self.root_certificate.clone().filter(|root| root != "system");
        common.extend(root.map(|root| ("sslrootcert", root)));
        let mut options = self.options.clone();
        options.extend(self.schema.as_ref().map(|(_, schema)| option("search_path", schema)));
        if !options.is_empty() {
            common.push(("options", options.join(" ")));
        }
        let places = servers(self.hosts.as_deref(), self.ports.as_deref())?;
        let servers = places.into_iter().map(|(host, port)| {
            let place = [("host", host), ("port", port.map(|port| port.to_string()))];
            let place = place.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let pairs = common.iter().cloned().chain(place);
            let pairs: Vec<_> =
                pairs.map(|(name, value)| format!("{name}={}", encode(&value))).collect();
            let url = format!("postgres:///?{}", pairs.join("&"));
            PgConnectOptions::from_str(&url).map_err(|_| PostgresUrlError::Encoding)
        });
        Ok(PostgresUrl {
            servers: servers.collect::<Result<_>>()?,
            has_password: self.password.is_some(),
            asks_for_binding: self.asks_for_binding,
            schema: self.schema,
        })
    }
}

const SSL_MODES: &str = "disable, allow, prefer, require, verify-ca or verify-full";

fn ssl_mode(text: &str) -> Option<&'static str> {
    Some(match text {
        "disable" => "disable",
        "allow" => "allow",
        "prefer" => "prefer",
        // Node.js drivers: encrypted, without verification of the certificate.
        "require" | "no-verify" => "require",
        "verify-ca" => "verify-ca",
        "verify-full" => "verify-full",
        _ => return None,
    })
}

/// The error of an unknown parameter. A name that may be a piece of a password is not repeated.
fn unknown(name: &str, query: &str) -> PostgresUrlError {
    let is_name = !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte));
    if !is_name || query.contains('@') {
        return PostgresUrlError::Encoding;
    }
    PostgresUrlError::Unknown { name: name.to_owned(), nearest: nearest(name) }
}

/// For people: servers, database and schema, without user and password.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgreSQL, ")?;
        for (at, server) in self.servers.iter().enumerate() {
            let socket = server.get_socket().map(|path| path.display().to_string());
            let host = socket.unwrap_or_else(|| server.get_host().to_owned());
            let comma = if at == 0 { "" } else { "," };
            if host.contains(':') && !host.starts_with('/') {
                write!(f, "{comma}[{host}]:{}", server.get_port())?;
            } else {
                write!(f, "{comma}{host}:{}", server.get_port())?;
            }
        }
        let database = self.servers.first().and_then(|server| server.get_database());
        write!(f, "/{}", database.unwrap_or_default())?;
        match &self.schema {
            Some((name, schema)) => write!(f, " ({name} {schema})"),
            None => Ok(()),
        }
    }
}
