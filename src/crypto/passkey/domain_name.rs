//! Domains: IDs of relying parties (RP ID), and hosts of origins.

use std::fmt;
use std::str::FromStr;

/// A domain in the form in which browsers have it: lower case, labels of letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainNameError {
    #[error("expected a domain such as example.com, in lower case, without scheme, port and path")]
    Syntax,
    #[error("expected a domain such as example.com: browsers have no passkeys for IP addresses")]
    IpAddress,
}

impl DomainName {
    pub fn parse(text: &str) -> Result<Self, DomainNameError> {
        const MAX_BYTES: usize = 253;
        if is_ip_address(text) {
            return Err(DomainNameError::IpAddress);
        }
        let is_domain = text.len() <= MAX_BYTES && text.split('.').all(is_label);
        if is_domain { Ok(Self(text.to_owned())) } else { Err(DomainNameError::Syntax) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a host is this domain or below it. Not a comparison of endings: `notexample.com` is not below
    /// `example.com`.
    pub(super) fn covers(&self, host: &Self) -> bool {
        let above = host.0.strip_suffix(&self.0);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }

    /// Whether it is a name of this machine, for whose pages browsers need no TLS.
    pub(super) fn is_local(&self) -> bool {
        self.0 == "localhost" || self.0.ends_with(".localhost")
    }
}

impl FromStr for DomainName {
    type Err = DomainNameError;

    fn from_str(text: &str) -> Result<Self, DomainNameError> {
        Self::parse(text)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_label(label: &str) -> bool {
    const MAX_BYTES: usize = 63;
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_BYTES).contains(&label.len())
        && label.bytes().all(is_letter)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether browsers take a host for an IP address: in brackets, or with a number at its end (WHATWG URL,
/// section 3.5).
fn is_ip_address(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_decimal = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    host.starts_with('[') || host.contains("::") || is_decimal || is_hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_labels_and_is_no_ip_address() {
        for text in ["example.com", "auth.example.com", "localhost", "a", "xn--e1afmkfd.example"] {
            assert_eq!(DomainName::parse(text).unwrap().as_str(), text);
        }
        let long = ["a".repeat(64), "com".to_owned()].join(".");
        let many = vec!["abcdefg"; 32].join(".");
        for text in [
            "",
            ".",
            "example.com.",
            ".example.com",
            "a..b",
            "Example.com",
            "https://example.com",
            "example.com:443",
            "example.com/",
            "*.example.com",
            "-a.com",
            "a-.com",
            "a_b.com",
            "пример.example",
            "a b",
            &long,
            &many,
        ] {
            assert_eq!(DomainName::parse(text), Err(DomainNameError::Syntax), "{text}");
        }
        for text in ["127.0.0.1", "[::1]", "::1", "1", "10.1", "0x7f000001", "a.0x1", "1.2.3.4"] {
            assert_eq!(DomainName::parse(text), Err(DomainNameError::IpAddress), "{text}");
        }
    }

    #[test]
    fn a_domain_covers_itself_and_those_below_it() {
        let covers = |domain: &str, host: &str| {
            let [domain, host] = [domain, host].map(|text| DomainName::parse(text).unwrap());
            domain.covers(&host)
        };
        assert!(covers("example.com", "example.com"));
        assert!(covers("example.com", "a.b.example.com"));
        for host in ["notexample.com", "com", "example.org", "example.com.evil.org"] {
            assert!(!covers("example.com", host), "{host}");
        }
    }
}
