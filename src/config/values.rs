//! Values as operators write them.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

use crate::graphql::Supergraph;
use crate::http::ProxyHeader;

/// A switch that takes a value, so that a variable of the environment can turn it off too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    True,
    /// Off.
    False,
}

impl Switch {
    /// Whether it is on.
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::True
    }
}

/// What the service is a subgraph of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Federation {
    /// Nothing.
    Off,
    /// Apollo Router.
    Router,
    /// Apollo's gateway for Node.
    Gateway,
}

impl From<Federation> for Option<Supergraph> {
    fn from(federation: Federation) -> Self {
        match federation {
            Federation::Off => None,
            Federation::Router => Some(Supergraph::Router),
            Federation::Gateway => Some(Supergraph::Gateway),
        }
    }
}

/// The header in which a proxy tells where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ForwardingHeader {
    /// Most proxies'.
    XForwardedFor,
    /// That of RFC 7239.
    Forwarded,
}

impl From<ForwardingHeader> for ProxyHeader {
    fn from(header: ForwardingHeader) -> Self {
        match header {
            ForwardingHeader::XForwardedFor => Self::XForwardedFor,
            ForwardingHeader::Forwarded => Self::Forwarded,
        }
    }
}

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// A JSON object a line, for machines.
    Json,
}

/// A length of time, e.g. `15m`, `2h`, `7d`; not none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(pub Duration);

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let duration = duration(text)?;
        if duration < Duration::from_secs(1) {
            return Err("this is 1s at least".to_owned());
        }
        Ok(Self(duration))
    }
}

/// A length of time that may be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(pub Duration);

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Zero needs no unit.
        if text == "0" { Ok(Self(Duration::ZERO)) } else { duration(text).map(Self) }
    }
}

/// The longest time there is: long before the end of the calendar, however often it is added.
const LONGEST: Duration = Duration::from_hours(24 * 3650);

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|_| "a length of time is written like 15m, 2h or 7d".to_owned())?;
    if duration > LONGEST { Err("this is 3650d at most".to_owned()) } else { Ok(duration) }
}

/// A limit, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<T>(pub Option<T>);

impl FromStr for Limit<Duration> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        text.parse::<Lifetime>().map(|lifetime| Self(Some(lifetime.0)))
    }
}

impl FromStr for Limit<u32> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let count = text.parse::<u32>().ok().filter(|count| (1..=1_000_000).contains(count));
        count.map(|count| Self(Some(count))).ok_or_else(|| "this is 1 or more, or off".to_owned())
    }
}

/// An issuer: an http or https URL as tokens carry it, letter by letter.
pub(super) fn issuer(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_url = host.is_some_and(|host| {
        !host.is_empty()
            && !host.starts_with('/')
            && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte))
    });
    if !is_url {
        return Err("an issuer is a URL like https://auth.example.com".to_owned());
    }
    if text.ends_with('/') {
        return Err("an issuer has no slash at its end".to_owned());
    }
    Ok(text.to_owned())
}

/// An audience or a client id: something that is not empty.
pub(super) fn name(text: &str) -> Result<String, String> {
    let sound = !text.is_empty() && text.len() <= 200 && !text.chars().any(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err("this has 1 to 200 characters".to_owned()) }
}

/// The name of an algorithm.
pub(crate) fn algorithm(text: &str) -> Result<crate::crypto::algorithm::SigningAlgorithm, String> {
    let found = crate::crypto::algorithm::SigningAlgorithm::parse(text);
    found.ok_or_else(|| "an algorithm is ES256, EdDSA or RS256".to_owned())
}

/// The fewest characters of a password.
pub(super) fn password_min_length(text: &str) -> Result<usize, String> {
    use crate::domain::password::{FLOOR, MAX_CHARS};
    let length = text.parse::<usize>().ok().filter(|length| (FLOOR..=MAX_CHARS).contains(length));
    length.ok_or_else(|| format!("this is {FLOOR} to {MAX_CHARS}"))
}
