//! `sallyport check`: errors and risks of the configuration, in sentences.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use anyhow::{Result, bail};

use super::table::{count, print};
use crate::app::{self, CheckReport};
use crate::config::{Config, ServeArguments};
use crate::domain::filter::IpBlock;
use crate::http::{TransportOptions, TrustedProxies, server};
use crate::store::DatabaseUrl;
use crate::telemetry::{self, Format};

/// A resource server that verifies access tokens by the public keys alone accepts them after a logout for as
/// long as they live.
const MAX_ADVISABLE_LIFETIME: Duration = Duration::from_hours(1);

pub(super) async fn run(arguments: ServeArguments, unknown: &[String]) -> Result<()> {
    telemetry::start(Some(Format::Pretty));
    let config = Config::parse(arguments)?;
    let CheckReport { wrong, mut risky, fine } = app::check(&config).await;
    let lines = |kind: &str, sentences: &[String]| {
        let lines = sentences.iter().map(|sentence| format!("{kind:<6} {sentence}\n"));
        lines.collect::<Vec<_>>().concat()
    };
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    risky.extend(risks_of_command_line(&words.collect::<Vec<_>>()));
    risky.extend(risks_of_database(&config));
    risky.extend(risks_of_service(&config));
    risky.extend(risks_of_transport(&config));
    let ignored = |name| format!("unknown setting {name}: ignored; see --help");
    risky.extend(unknown.iter().map(ignored));
    print(&[lines("fine", &fine), lines("risky", &risky), lines("wrong", &wrong)].concat())?;
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("{}: mend what is called wrong, and check again", count(wrong.len(), "thing"))
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
            "a password in {flag} on the command line can be read by everybody on this machine; \
             use {variable}, or a file named by PGPASSFILE"
        )
    };
    sentences([
        (
            value("--secret").is_some(),
            "a secret on the command line can be read by everybody on this machine; use \
             SALLYPORT_SECRET or --secret-file"
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
                    "the database is elsewhere, and {flag} demands no TLS: whoever is on the way may \
                     read passwords' hashes and change rows; add sslmode=verify-full and sslrootcert"
                )
                .into(),
            ),
            (
                url.asks_for_binding(),
                format!(
                    "channel_binding=require in {flag} is not done: sslmode=verify-full makes sure of \
                     the server"
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
        format!("it serves others, and --issuer is {issuer}: tokens need HTTPS on their way")
    });
    let metrics = config.metrics_listen.filter(|address| !address.ip().is_loopback());
    let public_metrics = metrics.map(|address| {
        format!(
            "whoever reaches {address} reads the metrics (--metrics-listen): let only your \
             monitoring reach it"
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
            "--session-lifetime is shorter than --refresh-token-lifetime: no refresh renews a session \
             for that long"
                .into(),
        ),
        (
            config.issuer.leeway >= policy.access_token_lifetime,
            "--leeway is as long as --access-token-lifetime: access tokens live twice as long as they \
             say"
            .into(),
        ),
        (!policy.throttle, "nobody waits after wrong passwords (--throttle false)".into()),
        (policy.registration_open, "anybody may register (--registration open)".into()),
        (
            policy.access_token_lifetime > MAX_ADVISABLE_LIFETIME,
            "--access-token-lifetime is over an hour: whoever checks tokens by the public keys alone \
             accepts them for so long after a logout"
                .into(),
        ),
        (
            !policy.rotate,
            "refresh tokens do not rotate (--rotate-refresh-tokens false): a stolen one is not noticed"
                .into(),
        ),
    ])
}

/// Addresses reserved for documentation (RFC 5737, RFC 3849): a block that contains one contains everybody.
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
        "cookies go without TLS (--insecure-cookies true): for work on this machine only".into(),
    )];
    let of_origins = origins.iter().map(|origin| {
        let message = format!(
            "pages of {origin} come without TLS (--cors-origin): whoever is on their way calls in \
             their name"
        );
        (!origin.is_secure(), message.into())
    });
    let of_proxies = [
        (
            proxies.iter().any(trusts_all),
            "--trusted-proxy trusts everybody: each client says where it comes from, and no limit on \
             guessing by address holds; name your proxies alone"
                .into(),
        ),
        (
            !proxies.is_empty() && header.is_none(),
            "no --trusted-proxy-header is given: where your proxies write Forwarded alone, a client's \
             own X-Forwarded-For says where it comes from; name the header that they write"
                .into(),
        ),
        (
            proxies.is_empty() && config.issuer.issuer.starts_with("https://"),
            "--issuer is https, so a proxy ends the TLS, and no --trusted-proxy is given: all clients \
             seem to come from the proxy and share its limits on guessing and on sockets"
                .into(),
        ),
        (
            max_per_address >= max_connections && proxies.is_empty() && !config.listen.ip().is_loopback(),
            "one address may take all connections (--max-connections-per-address is no less than \
             --max-connections)"
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
