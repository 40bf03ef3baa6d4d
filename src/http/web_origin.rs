//! Origin of web pages (RFC 6454), in the form in which browsers send it.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use axum::http::Uri;

/// Such as `https://app.example.com`. Never `null`, which is the origin of every sandboxed frame, and
/// never a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an origin as browsers send it, such as https://app.example.com: lower case, no path, \
     and a port only if it is not the default one"
)]
pub struct WebOriginError;

impl FromStr for WebOrigin {
    type Err = WebOriginError;

    fn from_str(text: &str) -> Result<Self, WebOriginError> {
        let (host, default_port) = match text.split_once("://") {
            Some(("https", host)) => (host, ":443"),
            Some(("http", host)) => (host, ":80"),
            _ => return Err(WebOriginError),
        };
        let uri: Uri = text.parse().map_err(|_| WebOriginError)?;
        let is_normal = uri.authority().is_some_and(|authority| authority == host)
            && !host.bytes().any(|byte| byte.is_ascii_uppercase() || b"@*".contains(&byte))
            && !host.ends_with([':', '.'])
            && !host.ends_with(default_port);
        if is_normal { Ok(Self(text.to_owned())) } else { Err(WebOriginError) }
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl WebOrigin {
    /// Whether its pages are protected in transit: by TLS, or because they come from this machine.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("http://") else { return true };
        let host = rest.split(':').next().unwrap_or_default();
        host == "localhost"
            || host.ends_with(".localhost")
            || rest.starts_with("[::1]")
            || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The origin of this URL.
    pub(super) fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        let host = host.strip_suffix(default_port(scheme)).unwrap_or(host).to_ascii_lowercase();
        format!("{scheme}://{host}").parse().ok()
    }

    /// Whether the origin is that of a service which was requested under this host, in the form of a
    /// `Host` header. The scheme is not compared: behind a proxy that ends TLS it is not known.
    pub(super) fn has_host(&self, host: &str) -> bool {
        let Some((scheme, own)) = self.0.split_once("://") else { return false };
        host.strip_suffix(default_port(scheme)).unwrap_or(host).eq_ignore_ascii_case(own)
    }
}

fn default_port(scheme: &str) -> &'static str {
    if scheme == "https" { ":443" } else { ":80" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send() {
        for text in
            ["https://app.example.com", "http://localhost:3000", "http://[::1]:3000", "https://a"]
        {
            assert_eq!(text.parse::<WebOrigin>().unwrap().to_string(), text);
        }
        for text in [
            "null",
            "*",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com/page",
            "https://App.example.com",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com.",
            "https://me@app.example.com",
            "https://",
            "https://a b",
            "app.example.com",
            "file:///etc",
            "ftp://app.example.com",
            "",
        ] {
            assert!(text.parse::<WebOrigin>().is_err(), "{text}");
        }
    }
}
