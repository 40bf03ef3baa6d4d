//! `sallyport check`: what is wrong or risky, in plain words.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Result, bail};

use super::table::{count, print};
use crate::app::{self, Examination, is_exposed};
use crate::auth::Policy;
use crate::config::{Config, SecretSource, ServeArguments};
use crate::http::{Transport, server};
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
    risky.extend(risks(&config, std::env::args_os()));
    risky.extend(risks_of_transport(&config));
    let ignored = |variable| format!("{variable} is no setting and is ignored; see --help");
    risky.extend(unknown.iter().map(ignored));
    print(&[lines("fine", &fine), lines("risky", &risky), lines("wrong", &wrong)].concat())?;
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("{}: mend what is called wrong, and check again", count(wrong.len(), "thing"))
}

/// What works and is still worth a thought.
fn risks(config: &Config, line: impl Iterator<Item = OsString>) -> Vec<String> {
    let mut risks = Vec::new();
    let is_secret = |word: &OsString| {
        let word = word.to_string_lossy();
        word == "--secret" || word.starts_with("--secret=")
    };
    if line.into_iter().any(|word| is_secret(&word)) {
        risks.push(
            "a secret on the command line can be read by everybody on this machine; use \
             SALLYPORT_SECRET or --secret-file"
                .to_owned(),
        );
    }
    let is_local = config.listen.ip().is_loopback();
    if !is_local && config.issuer.issuer.starts_with("http://") {
        risks.push(format!(
            "it serves others, and --issuer is {}: tokens need HTTPS on their way",
            config.issuer.issuer
        ));
    }
    if let SecretSource::File(path) | SecretSource::Made(path) = &config.secret
        && is_exposed(path)
    {
        risks.push(format!("others can read {}; chmod 600 it", path.display()));
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
    let Transport { origins, proxies, insecure_cookies } = &config.http.transport;
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
    if proxies.is_empty() && config.issuer.issuer.starts_with("https://") {
        risks.push(
            "--issuer is https, so a proxy ends the TLS, and no --trusted-proxy is given: all \
             clients seem to come from the proxy and share its limits on guessing and on sockets"
                .to_owned(),
        );
    }
    let server::Limits { connections, of_address, .. } = config.server;
    if of_address >= connections && proxies.is_empty() && !config.listen.ip().is_loopback() {
        risks.push(
            "one address may take all connections (--max-connections-per-address is no less than \
             --max-connections)"
                .to_owned(),
        );
    }
    risks
}
