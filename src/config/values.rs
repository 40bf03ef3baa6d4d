//! Types of values that several flags share.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

/// A switch with a value, so that an environment variable can turn it off too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    True,
    False,
}

impl Switch {
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::True
    }
}

/// A duration of 1 s or more, e.g. `15m`, `2h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(pub Duration);

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let duration = duration(text)?;
        if duration < Duration::from_secs(1) {
            return Err("expected at least 1s".to_owned());
        }
        Ok(Self(duration))
    }
}

/// A duration that may be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(pub Duration);

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Zero needs no unit.
        if text == "0" { Ok(Self(Duration::ZERO)) } else { duration(text).map(Self) }
    }
}

/// Longest duration: well before the end of the calendar, however often it is added to a time.
const MAX_DURATION: Duration = Duration::from_hours(24 * 3650);

fn duration(text: &str) -> Result<Duration, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("needs a unit, such as {text}s"));
    }
    let duration = humantime::parse_duration(text)
        .map_err(|_| "expected a duration such as 15m, 2h or 7d".to_owned())?;
    if duration > MAX_DURATION { Err("expected at most 3650d".to_owned()) } else { Ok(duration) }
}

/// A value, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl FromStr for Optional<Duration> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        text.parse::<Lifetime>().map(|lifetime| Self(Some(lifetime.0)))
    }
}

impl FromStr for Optional<u32> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let count = text.parse::<u32>().ok().filter(|count| (1..=1_000_000).contains(count));
        count
            .map(|count| Self(Some(count)))
            .ok_or_else(|| "expected 1 to 1000000, or off".to_owned())
    }
}

impl FromStr for Optional<SocketAddr> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(None));
        }
        let address = text
            .parse()
            .map_err(|_| "expected an address and port such as 127.0.0.1:9000, or off")?;
        Ok(Self(Some(address)))
    }
}
