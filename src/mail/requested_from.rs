//! Origin of the request that caused a mail: program, IP address and time.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::origin::{Origin, Program, UserAgent};

/// Everything but the time may be unknown. No part of it is text that the sender of the request chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedFrom {
    #[serde(default)]
    browser: Option<String>,
    #[serde(default)]
    system: Option<String>,
    #[serde(default)]
    ip: Option<IpAddr>,
    #[serde(with = "micros")]
    at: Timestamp,
}

impl RequestedFrom {
    #[must_use]
    pub fn new(origin: &Origin, at: Timestamp) -> Self {
        let program = origin.user_agent.as_ref().map(UserAgent::program);
        let Program { browser, os } = program.unwrap_or_default();
        Self { browser, system: os, ip: origin.ip, at }
    }

    #[must_use]
    pub fn browser(&self) -> Option<&str> {
        self.browser.as_deref()
    }

    #[must_use]
    pub fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// Time in UTC, to the minute, e.g. `2026-11-30 02:53`.
    #[must_use]
    pub fn minute(&self) -> String {
        let text = format!("{:.0}", self.at);
        text.get(..16).unwrap_or(&text).replace('T', " ")
    }
}

/// Timestamps as microseconds since the epoch.
mod micros {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::clock::Timestamp;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(super) fn serialize<S: Serializer>(
        at: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.as_micros())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_described_by_program_address_and_minute() {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        let origin = Origin { ip: "192.0.2.7".parse().ok(), user_agent: UserAgent::parse(agent) };
        let at = Timestamp::parse("2026-11-30T02:53:59.999Z").unwrap();
        let requested = RequestedFrom::new(&origin, at);
        assert_eq!(requested.browser(), Some("Firefox"));
        assert_eq!(requested.system(), Some("Linux"));
        assert_eq!(requested.ip(), origin.ip);
        assert_eq!(requested.minute(), "2026-11-30 02:53");
        let json = serde_json::to_string(&requested).unwrap();
        assert_eq!(serde_json::from_str::<RequestedFrom>(&json).unwrap(), requested);
    }

    #[test]
    fn a_request_of_unknown_origin_has_its_time_only() {
        let requested = RequestedFrom::new(&Origin::default(), Timestamp::from_seconds(0));
        assert_eq!((requested.browser(), requested.system(), requested.ip()), (None, None, None));
        assert_eq!(requested.minute(), "1970-01-01 00:00");
        let json = "{\"at\": 0, \"added_by_a_newer_version\": true}";
        assert_eq!(serde_json::from_str::<RequestedFrom>(json).unwrap(), requested);
    }
}
