//! `sallyport check`: errors and risks of the configuration, in sentences.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use anyhow::{Result, bail};

use super::error_report::sentence;
use super::table::{count, print};
use crate::app::{self, CheckReport};
use crate::config::{Config, ServeArguments, Sources};
use crate::domain::filter::IpBlock;
use crate::http::{TransportOptions, TrustedProxies, server};
use crate::mail::SmtpUrl;
use crate::store::DatabaseUrl;
use crate::telemetry::{self, Format};

/// A resource server that verifies access tokens only with the public keys accepts them after a logout until
/// they expire.
const MAX_ADVISABLE_LIFETIME: Duration = Duration::from_hours(1);

pub(super) async fn run(
    arguments: ServeArguments,
    sources: &Sources,
    unknown: &[String],
) -> Result<()> {
    telemetry::start(Some(Format::Pretty));
    let config = Config::of_serve(arguments, sources)?;
    let CheckReport { errors, mut warnings, passed } = app::check(&config).await;
    let lines = |kind: &str, messages: &[String]| {
        let lines = messages.iter().map(|message| format!("{kind:<9}{}\n", sentence(message)));
        lines.collect::<Vec<_>>().concat()
    };
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    warnings.extend(risks_of_command_line(&words.collect::<Vec<_>>()));
    warnings.extend(risks_of_database(&config));
    warnings.extend(risks_of_service(&config));
    warnings.extend(risks_of_transport(&config));
    let ignored =
        |name| format!("The environment variable {name} is unknown and has no effect. See --help.");
    warnings.extend(unknown.iter().map(ignored));
    let report = [lines("ok", &passed), lines("warning", &warnings), lines("error", &errors)];
    print(&report.concat())?;
    if errors.is_empty() {
        return Ok(());
    }
    bail!("the check found {}; correct and run the check again", count(errors.len(), "error"))
}

/// Secrets on the command line, which every user of the machine can read.
fn risks_of_command_line(words: &[String]) -> Vec<String> {
    let value = |flag: &str| {
        words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix(flag)? {
            "" => Some(words.get(at + 1).map_or("", String::as_str)),
            rest => rest.strip_prefix('='),
        })
    };
    let has_password = |flag| {
        let url = value(flag).and_then(|text| text.parse::<DatabaseUrl>().ok());
        url.is_some_and(|url| url.has_password())
    };
    let password = |flag: &str, variable: &str| {
        format!(
            "A password in {flag} on the command line is visible to all users of this machine. Use \
             {variable}, the configuration file, or a password file (PGPASSFILE)."
        )
    };
    sentences([
        (
            value("--secret").is_some(),
            "A secret on the command line is visible to all users of this machine. Use \
             SALLYPORT_SECRET or --secret-file."
                .into(),
        ),
        (
            value("--admin-password").is_some(),
            "A password in --admin-password on the command line is visible to all users of this \
             machine. Use SALLYPORT_ADMIN_PASSWORD or the configuration file."
                .into(),
        ),
        (
            has_password("--database-url"),
            password("--database-url", "SALLYPORT_DATABASE_URL").into(),
        ),
        (
            has_password("--database-direct-url"),
            password("--database-direct-url", "SALLYPORT_DATABASE_DIRECT_URL").into(),
        ),
        (
            value("--smtp-url")
                .and_then(|text| SmtpUrl::parse(text).ok())
                .is_some_and(|url| url.has_password()),
            "A password in --smtp-url on the command line is visible to all users of this machine. Use \
             SALLYPORT_SMTP_URL, the configuration file, or --smtp-password-file."
                .into(),
        ),
    ])
}

fn risks_of_database(config: &Config) -> Vec<String> {
    let direct = config.connections.direct.as_ref().map(|url| ("--database-direct-url", url));
    let urls = [("--database-url", &config.database)].into_iter().chain(direct);
    let risks = |(flag, url): (&str, &DatabaseUrl)| {
        sentences([
            (
                url.is_in_the_clear(),
                format!(
                    "The database is on another machine, and {flag} does not require TLS: an attacker \
                     on the network can read password hashes and change rows. Add \
                     sslmode=verify-full and sslrootcert."
                )
                .into(),
            ),
            (
                url.asks_for_binding(),
                format!(
                    "channel_binding=require in {flag} is not supported. Use sslmode=verify-full, which \
                     authenticates the server."
                )
                .into(),
            ),
        ])
    };
    urls.flat_map(risks).collect()
}

fn risks_of_service(config: &Config) -> Vec<String> {
    let issuer = &config.issuer.issuer;
    let is_local = config.listen.ip().is_loopback();
    let public_http = (!is_local && issuer.starts_with("http://")).then(|| {
        format!(
            "The service is reachable from other machines, and --issuer is {issuer}: tokens must be \
             sent over HTTPS."
        )
    });
    let metrics = config.metrics_listen.filter(|address| !address.ip().is_loopback());
    let public_metrics = metrics.map(|address| {
        format!(
            "The metrics at {address} are readable without authentication (--metrics-listen). Allow \
             only your monitoring to connect."
        )
    });
    public_http.into_iter().chain(public_metrics).chain(risks_of_policy(config)).collect()
}

fn risks_of_policy(config: &Config) -> Vec<String> {
    let policy = &config.policy;
    let session = policy.session_lifetime;
    sentences([
        (
            session.is_some_and(|session| session < policy.refresh_token_lifetime),
            "--session-lifetime is shorter than --refresh-token-lifetime: sessions end before their \
             refresh tokens expire."
                .into(),
        ),
        (
            config.issuer.leeway >= policy.access_token_lifetime,
            "--leeway is as long as --access-token-lifetime: access tokens are accepted for twice their \
             lifetime."
            .into(),
        ),
        (!policy.throttle, "Login attempts are not limited (--throttle false).".into()),
        (policy.registration_open, "Anyone can register (--registration open).".into()),
        (
            policy.access_token_lifetime > MAX_ADVISABLE_LIFETIME,
            "--access-token-lifetime is over an hour: services that verify tokens only with the public \
             keys accept them for that long after a logout."
                .into(),
        ),
        (
            !policy.rotate,
            "Refresh tokens are not rotated (--rotate-refresh-tokens false): a stolen refresh token is \
             not detected."
                .into(),
        ),
    ])
}

/// Addresses reserved for documentation (RFC 5737, RFC 3849): a block that contains one contains every client.
const RESERVED_ADDRESSES: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

fn risks_of_transport(config: &Config) -> Vec<String> {
    let TransportOptions { origins, proxies, insecure_cookies, .. } = &config.http.transport;
    let TrustedProxies { blocks: proxies, header } = proxies;
    let server::ConnectionLimits { max_connections, max_per_address, .. } = config.server;
    let trusts_all =
        |block: &IpBlock| RESERVED_ADDRESSES.iter().any(|address| block.contains(*address));
    let of_cookies = [(
        *insecure_cookies,
        "Cookies are sent without TLS (--insecure-cookies true). Use this for local development only.".into(),
    )];
    let of_origins = origins.iter().map(|origin| {
        let message = format!(
            "Pages of {origin} are loaded without TLS (--cors-origin): an attacker on the network can \
             send requests in their name."
        );
        (!origin.is_secure(), message.into())
    });
    let of_proxies = [
        (
            proxies.iter().any(trusts_all),
            "--trusted-proxy trusts every address: clients can forge their address and bypass all \
             limits per address. List only your proxies."
                .into(),
        ),
        (
            !proxies.is_empty() && header.is_none(),
            "--trusted-proxy-header is not set: if your proxies write only Forwarded, a client can forge \
             its address with X-Forwarded-For. Set the header that your proxies write."
                .into(),
        ),
        (
            proxies.is_empty() && config.issuer.issuer.starts_with("https://"),
            "--issuer is https, so a proxy terminates TLS, but --trusted-proxy is not set: all clients \
             appear to have the proxy's address, and share its limits on login attempts and \
             connections."
                .into(),
        ),
        (
            max_per_address >= max_connections && proxies.is_empty() && !config.listen.ip().is_loopback(),
            "A single address can use all connections (--max-connections-per-address is not lower than \
             --max-connections)."
                .into(),
        ),
    ];
    sentences(of_cookies.into_iter().chain(of_origins).chain(of_proxies))
}

/// The sentences whose condition holds.
fn sentences<'a>(table: impl IntoIterator<Item = (bool, Cow<'a, str>)>) -> Vec<String> {
    let true_ones = table.into_iter().filter(|(is_risk, _)| *is_risk);
    true_ones.map(|(_, sentence)| sentence.into_owned()).collect()
}
