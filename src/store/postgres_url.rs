//! URLs of PostgreSQL, as libpq, JDBC, Prisma and providers write them.
//!
//! Rule: every part is used, has no meaning here, or is refused by its name. What asks for TLS is never
//! dropped. Nothing that is said about a URL repeats what might be its password.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::percent_encoding::{NotEncoded, decode, encode};
use super::url_parameters::{Parameter, nearest, option};
use super::url_servers::{servers, split_places};

/// Where a PostgreSQL is, and how it is connected to.
#[derive(Clone)]
pub(super) struct PostgresUrl {
    /// The servers, in the order in which they are tried; one at least.
    pub servers: Vec<PgConnectOptions>,
    /// Whether the URL itself has a password.
    pub has_password: bool,
    /// Whether it asks for what TLS is not asked for here: a binding of the login to the channel.
    pub asks_for_binding: bool,
    /// The schema, as the URL names it.
    schema: Option<(&'static str, String)>,
}

/// A URL that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostgresUrlError {
    /// A character has a meaning where it stands.
    #[error(
        "the database URL cannot be read: write special characters of user and password \
         percent-encoded (# is %23, / is %2F, ? is %3F, @ is %40, : is %3A, % is %25)"
    )]
    Encoding,
    /// Not a host, or not a port.
    #[error(
        "host and port of the database URL cannot be read: they are like db.example.com:5432 or \
         [::1]:5432, and special characters of the password are percent-encoded (# is %23, / is \
         %2F, ? is %3F, @ is %40, : is %3A, % is %25)"
    )]
    Host,
    /// A parameter that nobody knows.
    #[error("the database URL has a parameter that is not known: {name}{}", .nearest.map(|it| format!("; did you mean {it}?")).unwrap_or_default())]
    Unknown {
        /// Its name.
        name: String,
        /// One that is known.
        nearest: Option<&'static str>,
    },
    /// A parameter with a value that it cannot have.
    #[error("{name} of the database URL is {expected}")]
    Value {
        /// Its name.
        name: String,
        /// What it can be.
        expected: &'static str,
    },
    /// A parameter that means something that is not done here.
    #[error("{name} of the database URL is not supported: {instead}")]
    Unsupported {
        /// Its name.
        name: String,
        /// What to do.
        instead: &'static str,
    },
}

impl From<NotEncoded> for PostgresUrlError {
    fn from(_: NotEncoded) -> Self {
        Self::Encoding
    }
}

type Result<T> = std::result::Result<T, PostgresUrlError>;

/// What is read from a URL before it becomes options.
#[derive(Default)]
struct Parts {
    hosts: Option<String>,
    ports: Option<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    ssl_mode: Option<&'static str>,
    /// From a parameter that only says whether.
    ssl: Option<&'static str>,
    root_certificate: Option<String>,
    schema: Option<(&'static str, String)>,
    asks_for_binding: bool,
    /// What sqlx reads in the same words.
    others: Vec<(&'static str, String)>,
    options: Vec<String>,
}

impl PostgresUrl {
    /// Reads what follows the scheme. `variable` is the environment, for what the URL leaves out.
    pub(super) fn parse(
        rest: &str,
        is_jdbc: bool,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        // A fragment has no meaning, so what begins one is part of a password.
        if rest.contains('#') || rest.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(PostgresUrlError::Encoding);
        }
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_once('/').unwrap_or((before, ""));
        // What stands behind the user cannot be the path.
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
            let (hosts, numbers) = split_places(place)?;
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

    /// Whether a password and all else travel to another machine in the clear, or may.
    pub(super) fn is_in_the_clear(&self) -> bool {
        self.servers.iter().any(|server| {
            let may_be = matches!(
                server.get_ssl_mode(),
                PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer
            );
            may_be && !is_here(server)
        })
    }
}

/// Whether a server is on this machine.
fn is_here(server: &PgConnectOptions) -> bool {
    let host = server.get_host();
    server.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

impl Parts {
    /// Reads a parameter.
    fn read(&mut self, parameter: Parameter, name: &str, value: &str, is_jdbc: bool) -> Result<()> {
        // Forms write a space so, and libpq does not; a password has plus signs rather than spaces.
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
                    // Without a word more JDBC's driver looks at certificates, and libpq does not.
                    "" | "true" | "1" if is_jdbc => Some("verify-full"),
                    "" | "true" | "1" => Some("require"),
                    "false" | "0" => None,
                    mode => Some(ssl_mode(mode).ok_or(wrong("true, false or a mode of sslmode"))?),
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
                // A server that only reads is of no use here, so the others mean the same.
                "any" | "read-write" | "primary" | "master" => {}
                _ => return Err(wrong("any, read-write or primary: the service writes")),
            },
            Parameter::Options => self.options.push(value),
            Parameter::Option(setting) => self.options.push(option(&setting, &value)),
            Parameter::Capacity => {
                let capacity = value.parse::<u16>().map_err(|_| wrong("a number up to 65535"))?;
                self.others.push(("statement-cache-capacity", capacity.to_string()));
            }
            Parameter::Passed(name) => self.others.push((name, value)),
            Parameter::Meaningless => {}
            Parameter::Only(supported, _) if value == supported => {}
            Parameter::Only(_, instead) | Parameter::Unsupported(instead) => {
                return Err(PostgresUrlError::Unsupported { name: name.to_owned(), instead });
            }
        }
        Ok(())
    }

    /// Takes from the environment what the URL leaves out, and refuses there what libpq would use and
    /// sqlx would pass over.
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
            // libpq asks the system for the name of the account; a shell keeps it here.
            self.user = ["PGUSER", "USER", "LOGNAME"].into_iter().find_map(variable);
        }
        if variable("PGSERVICE").is_some() {
            let instead = "give host, user and database in the URL";
            return Err(PostgresUrlError::Unsupported { name: "PGSERVICE".to_owned(), instead });
        }
        Ok(())
    }

    /// The mode of TLS, none weaker than any that was asked for.
    fn ssl_mode(&self) -> Result<Option<&'static str>> {
        let mode = match (self.ssl_mode, self.ssl) {
            (
                Some("disable" | "allow" | "prefer"),
                Some("require" | "verify-ca" | "verify-full"),
            ) => {
                let expected = "at odds with ssl: give sslmode alone";
                return Err(PostgresUrlError::Value { name: "sslmode".to_owned(), expected });
            }
            (mode, ssl) => mode.or(ssl),
        };
        Ok(match (mode, self.root_certificate.as_deref()) {
            // As libpq has it: who names the roots wants them looked at.
            (None | Some("require" | "verify-full"), Some("system")) => Some("verify-full"),
            (_, Some("system")) => {
                let expected = "verify-full where sslrootcert is system";
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
        // As drivers for Node.js call it: encrypted, and nobody looks at the certificate.
        "require" | "no-verify" => "require",
        "verify-ca" => "verify-ca",
        "verify-full" => "verify-full",
        _ => return None,
    })
}

/// A parameter that nobody knows. Where it may be a piece of a password it is not repeated.
fn unknown(name: &str, query: &str) -> PostgresUrlError {
    let is_name = !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte));
    if !is_name || query.contains('@') {
        return PostgresUrlError::Encoding;
    }
    PostgresUrlError::Unknown { name: name.to_owned(), nearest: nearest(name) }
}

/// For people: where, and which database and schema; neither user nor password.
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
