//! `sallyport check`: what is wrong or risky, in plain words.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Result, bail};

use super::table::{count, print};
use crate::app::{self, Examination};
use crate::auth::Policy;
use crate::config::{Config, ServeArguments};
use crate::http::{TransportOptions, TrustedProxies, server};
use crate::store::DatabaseUrl;
use crate::telemetry::{self, Format};

/// Beyond this an access token that a resource server checks by itself lives long after a logout.
const LONG: std::time::Duration = std::time::Duration::from_hours(1);

pub(super) async fn run(arguments: ServeArguments, unknown: &[String]) -> Result<()> {
    telemetry::start(Some(Format::Pretty));
    let config = Config::parse(arguments)?;
    let Examination { wrong, mut risky, fine } = app::examine(&config).await;
    let lines = |kind: &str, found: &[String]| {
        found.iter().map(|found| format!("{kind:<6} {found}\n")).collect::<Vec<_>>().concat()
    };
    let line: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    risky.extend(risks_of_line(&line));
    risky.extend(risks_of_database(&config));
    risky.extend(risks(&config));
    risky.extend(risks_of_transport(&config));
    let ignored = |name| format!("unknown setting {name}: ignored; see --help");
    risky.extend(unknown.iter().map(ignored));
    print(&[lines("fine", &fine), lines("risky", &risky), lines("wrong", &wrong)].concat())?;
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("{}: mend what is called wrong, and check again", count(wrong.len(), "thing"))
}

/// What on the command line everybody on the machine can read.
fn risks_of_line(line: &[String]) -> Vec<String> {
    let value = |flag: &str| {
        line.iter().enumerate().find_map(|(at, word)| match word.strip_prefix(flag)? {
            "" => Some(line.get(at + 1).map_or("", String::as_str)),
            rest => rest.strip_prefix('='),
        })
    };
    let mut risks = Vec::new();
    if value("--secret").is_some() {
        risks.push(
            "a secret on the command line can be read by everybody on this machine; use \
             SALLYPORT_SECRET or --secret-file"
                .to_owned(),
        );
    }
    for (flag, variable) in [
        ("--database-url", "SALLYPORT_DATABASE_URL"),
        ("--database-direct-url", "SALLYPORT_DATABASE_DIRECT_URL"),
    ] {
        let url = value(flag).and_then(|text| text.parse::<DatabaseUrl>().ok());
        if url.is_some_and(|url| url.has_password()) {
            risks.push(format!(
                "a password in {flag} on the command line can be read by everybody on this machine; \
                 use {variable}, or a file named by PGPASSFILE"
            ));
        }
    }
    risks
}

/// The same of the way to the database.
fn risks_of_database(config: &Config) -> Vec<String> {
    let mut risks = Vec::new();
    let direct = config.connections.direct.as_ref();
    for (flag, url) in
        [("--database-url", Some(&config.database)), ("--database-direct-url", direct)]
    {
        let Some(url) = url else { continue };
        if url.is_in_the_clear() {
            risks.push(format!(
                "the database is elsewhere, and {flag} demands no TLS: whoever is on the way may read \
                 passwords' hashes and change rows; add sslmode=verify-full and sslrootcert"
            ));
        }
        if url.asks_for_binding() {
            risks.push(format!(
                "channel_binding=require in {flag} is not done: sslmode=verify-full makes sure of \
                 the server"
            ));
        }
    }
    risks
}

/// What works and is still worth a thought.
fn risks(config: &Config) -> Vec<String> {
    let mut risks = Vec::new();
    let is_local = config.listen.ip().is_loopback();
    if !is_local && config.issuer.issuer.starts_with("http://") {
        risks.push(format!(
            "it serves others, and --issuer is {}: tokens need HTTPS on their way",
            config.issuer.issuer
        ));
    }
    if let Some(address) = config.metrics_listen
        && !address.ip().is_loopback()
    {
        risks.push(format!(
            "whoever reaches {address} reads the metrics (--metrics-listen): let only your \
             monitoring reach it"
        ));
    }
    let Policy { session_lifetime, refresh_token_lifetime, .. } = config.policy;
    if session_lifetime.is_some_and(|session| session < refresh_token_lifetime) {
        risks.push(
            "--session-lifetime is shorter than --refresh-token-lifetime: no refresh renews a \
             session for that long"
                .to_owned(),
        );
    }
    if config.issuer.leeway >= config.policy.access_token_lifetime {
        risks.push(
            "--leeway is as long as --access-token-lifetime: access tokens live twice as long as \
             they say"
                .to_owned(),
        );
    }
    if !config.policy.throttle {
        risks.push("nobody waits after wrong passwords (--throttle false)".to_owned());
    }
    if config.policy.registration_open {
        risks.push("anybody may register (--registration open)".to_owned());
    }
    if config.policy.access_token_lifetime > LONG {
        risks.push(
            "--access-token-lifetime is over an hour: whoever checks tokens by the public keys \
             alone accepts them for so long after a logout"
                .to_owned(),
        );
    }
    if !config.policy.rotate {
        risks.push("refresh tokens do not rotate (--rotate-refresh-tokens false): a stolen one is not noticed"
                .to_owned(),);
    }
    risks
}

/// Addresses that are for documents, where no proxy stands: who trusts one trusts everybody.
const NOBODYS: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// The same of who may call from where, and by what way.
fn risks_of_transport(config: &Config) -> Vec<String> {
    let mut risks = Vec::new();
    let TransportOptions { origins, proxies, insecure_cookies, .. } = &config.http.transport;
    let TrustedProxies { blocks: proxies, header } = proxies;
    if *insecure_cookies {
        risks.push(
            "cookies go without TLS (--insecure-cookies true): for work on this machine only"
                .to_owned(),
        );
    }
    for origin in origins.iter().filter(|origin| !origin.is_secure()) {
        risks.push(format!(
            "pages of {origin} come without TLS (--cors-origin): whoever is on their way calls in \
             their name"
        ));
    }
    if proxies.iter().any(|block| NOBODYS.iter().any(|nobody| block.contains(*nobody))) {
        risks.push(
            "--trusted-proxy trusts everybody: each client says where it comes from, and no limit \
             on guessing by address holds; name your proxies alone"
                .to_owned(),
        );
    }
    if !proxies.is_empty() && header.is_none() {
        risks.push(
            "no --trusted-proxy-header is given: where your proxies write Forwarded alone, a \
             client's own X-Forwarded-For says where it comes from; name the header that they write"
                .to_owned(),
        );
    }
    if proxies.is_empty() && config.issuer.issuer.starts_with("https://") {
        risks.push(
            "--issuer is https, so a proxy ends the TLS, and no --trusted-proxy is given: all \
             clients seem to come from the proxy and share its limits on guessing and on sockets"
                .to_owned(),
        );
    }
    let server::ConnectionLimits { max_connections, max_per_address, .. } = config.server;
    if max_per_address >= max_connections && proxies.is_empty() && !config.listen.ip().is_loopback()
    {
        risks.push(
            "one address may take all connections (--max-connections-per-address is no less than \
             --max-connections)"
                .to_owned(),
        );
    }
    risks
}
