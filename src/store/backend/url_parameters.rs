//! Parameters of PostgreSQL URLs, by the names of libpq, JDBC, Prisma and other drivers.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Parameter {
    /// Host names, IP addresses or the directory of a Unix socket.
    Host,
    Port,
    Database,
    User,
    Password,
    SslMode,
    /// Whether to use TLS.
    Ssl,
    RootCertificate,
    /// The schema of the tables, by this name.
    Schema(&'static str),
    ChannelBinding,
    /// Which of several servers to select.
    Session,
    /// Session settings, as a command line.
    Options,
    /// A single session setting.
    Option(String),
    Capacity,
    /// Passed to sqlx by this name.
    Passed(&'static str),
    /// Ignored: other programs' own settings and timeouts.
    Ignored,
    /// Supported with the first value only; the second says what to do instead.
    Only(&'static str, &'static str),
    /// Not supported; says what to do instead.
    Unsupported(&'static str),
}

const NAMED: &[(&str, Parameter)] = &[
    ("host", Parameter::Host),
    ("hostaddr", Parameter::Host),
    ("port", Parameter::Port),
    ("dbname", Parameter::Database),
    ("database", Parameter::Database),
    ("user", Parameter::User),
    ("password", Parameter::Password),
    ("sslmode", Parameter::SslMode),
    ("ssl-mode", Parameter::SslMode),
    ("ssl", Parameter::Ssl),
    ("sslrootcert", Parameter::RootCertificate),
    ("ssl-root-cert", Parameter::RootCertificate),
    ("ssl-ca", Parameter::RootCertificate),
    ("sslcert", Parameter::Passed("sslcert")),
    ("ssl-cert", Parameter::Passed("sslcert")),
    ("sslkey", Parameter::Passed("sslkey")),
    ("ssl-key", Parameter::Passed("sslkey")),
    ("application_name", Parameter::Passed("application_name")),
    ("schema", Parameter::Schema("schema")),
    ("currentSchema", Parameter::Schema("currentSchema")),
    ("search_path", Parameter::Schema("search_path")),
    ("channel_binding", Parameter::ChannelBinding),
    ("target_session_attrs", Parameter::Session),
    ("targetServerType", Parameter::Session),
    ("options", Parameter::Options),
    ("statement-cache-capacity", Parameter::Capacity),
    ("gssencmode", Parameter::Only("disable", "use gssencmode=disable, and sslmode for TLS")),
    ("sslnegotiation", Parameter::Only("postgres", "remove it; TLS is negotiated")),
    ("sslaccept", Parameter::Unsupported("use sslmode=verify-full or sslmode=require")),
    ("sslcrl", Parameter::Unsupported("revocation of certificates is not checked; remove it")),
    ("sslcrldir", Parameter::Unsupported("revocation of certificates is not checked; remove it")),
    ("sslpassword", Parameter::Unsupported("use an sslkey without a password")),
    ("sslidentity", Parameter::Unsupported("use sslcert and sslkey, in PEM format")),
    ("sslfactory", Parameter::Unsupported("use sslmode and sslrootcert")),
    (
        "ssl_min_protocol_version",
        Parameter::Only("TLSv1.2", "TLS 1.2 or later is always used; remove it"),
    ),
    (
        "ssl_max_protocol_version",
        Parameter::Only("TLSv1.3", "TLS 1.2 or later is always used; remove it"),
    ),
    ("requirepeer", Parameter::Unsupported("the owner of a socket is not checked; remove it")),
    (
        "require_auth",
        Parameter::Unsupported("use sslmode=verify-full, which authenticates the server"),
    ),
    ("sslcertmode", Parameter::Only("allow", "remove it; sslcert enables client certificates")),
    ("service", Parameter::Unsupported("give host, user and database in the URL")),
    ("passfile", Parameter::Unsupported("use the environment variable PGPASSFILE")),
];

/// Timeouts, pools, and other drivers' handling of statements and values: the service has limits of its
/// own.
const IGNORED: &[&str] = &[
    "ApplicationName",
    "autosave",
    "binary_parameters",
    "binaryTransfer",
    "cancelSignalTimeout",
    "client_encoding",
    "command_timeout",
    "connect_timeout",
    "connection_limit",
    "connectTimeout",
    "default_query_exec_mode",
    "defaultRowFetchSize",
    "fallback_application_name",
    "hostRecheckSeconds",
    "idle_timeout",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "loadBalanceHosts",
    "loginTimeout",
    "max_idle_connection_lifetime",
    "pgbouncer",
    "pool_max_conn_idle_time",
    "pool_max_conn_lifetime",
    "pool_max_conns",
    "pool_min_conns",
    "pool_timeout",
    "preferQueryMode",
    "prepared_statement_cache_size",
    "prepareThreshold",
    "reWriteBatchedInserts",
    "socket_timeout",
    "socketTimeout",
    "sslcompression",
    "sslsni",
    "statement_cache_size",
    "statement_timeout",
    "stringtype",
    "supa",
    "tcp_user_timeout",
    "tcpKeepAlive",
    "TimeZone",
    "timezone",
    "uselibpqcompat",
];

impl Parameter {
    pub(in crate::store) fn of(name: &str) -> Option<Self> {
        if let Some(setting) = name.strip_prefix("options[").and_then(|it| it.strip_suffix(']')) {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
            return setting.bytes().all(is_name).then(|| Self::Option(setting.to_owned()));
        }
        let named = NAMED.iter().find(|(known, _)| *known == name);
        let named = named.map(|(_, parameter)| parameter.clone());
        named.or_else(|| IGNORED.contains(&name).then_some(Self::Ignored))
    }
}

/// The known name that is most similar, if any is similar.
pub(in crate::store) fn nearest(name: &str) -> Option<&'static str> {
    let names = NAMED.iter().map(|(name, _)| *name).chain(IGNORED.iter().copied());
    let far =
        |known: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
    let (distance, nearest) = names.map(|known| (far(known), known)).min()?;
    (distance <= 2 || distance * 3 <= name.len()).then_some(nearest)
}

/// A session setting as an argument of the server's command line.
pub(in crate::store) fn option(name: &str, value: &str) -> String {
    format!("-c {name}={}", value.replace('\\', "\\\\").replace(' ', "\\ "))
}
