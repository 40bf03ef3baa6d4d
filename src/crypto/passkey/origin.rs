//! Origins in which ceremonies may take place: of web pages, and of Android apps.

use std::fmt;
use std::str::FromStr;

use super::domain_name::{DomainName, DomainNameError};
use crate::crypto::encoding::from_base64url;

/// An origin in the form in which browsers put it into the signed client data. It is compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyOrigin {
    text: String,
    /// `None` for an app.
    host: Option<DomainName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyOriginError {
    #[error(
        "expected an origin as browsers send it, such as https://app.example.com: lower case, no \
         path, and a port only if it is not the default one; or that of an Android app"
    )]
    Syntax,
    #[error("expected an origin with a domain: browsers have no passkeys for IP addresses")]
    IpAddress,
    #[error("expected https: browsers have passkeys for http only at localhost")]
    Unencrypted,
    #[error(
        "expected android:apk-key-hash: and the SHA-256 digest of the app's certificate in base64url, \
         43 characters"
    )]
    App,
}

/// Beginning of the origin of an Android app; the digest of its signing certificate follows.
const APP: &str = "android:apk-key-hash:";

impl PasskeyOrigin {
    pub fn parse(text: &str) -> Result<Self, PasskeyOriginError> {
        if let Some(digest) = text.strip_prefix(APP) {
            let is_digest = from_base64url(digest).is_some_and(|bytes| bytes.len() == 32);
            let app = Self { text: text.to_owned(), host: None };
            return if is_digest { Ok(app) } else { Err(PasskeyOriginError::App) };
        }
        let (scheme, authority) = text.split_once("://").ok_or(PasskeyOriginError::Syntax)?;
        let default_port = default_port(scheme).ok_or(PasskeyOriginError::Syntax)?;
        let host = match authority.rsplit_once(':') {
            // An IPv6 address.
            _ if authority.starts_with('[') => return Err(PasskeyOriginError::IpAddress),
            Some((host, port)) if is_port(port) && port != default_port => host,
            Some(_) => return Err(PasskeyOriginError::Syntax),
            None => authority,
        };
        let host = DomainName::parse(host).map_err(|error| match error {
            DomainNameError::Syntax => PasskeyOriginError::Syntax,
            DomainNameError::IpAddress => PasskeyOriginError::IpAddress,
        })?;
        if scheme == "http" && !host.is_local() {
            return Err(PasskeyOriginError::Unencrypted);
        }
        Ok(Self { text: text.to_owned(), host: Some(host) })
    }

    /// The origin of the pages below a URL.
    pub fn of_url(url: &str) -> Result<Self, PasskeyOriginError> {
        let (scheme, rest) = url.split_once("://").ok_or(PasskeyOriginError::Syntax)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let port = default_port(scheme).map(|port| format!(":{port}")).unwrap_or_default();
        let authority = authority.strip_suffix(&*port).unwrap_or(authority);
        Self::parse(&format!("{scheme}://{}", authority.to_ascii_lowercase()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host of its pages; `None` for an app.
    #[must_use]
    pub fn host(&self) -> Option<&DomainName> {
        self.host.as_ref()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        !self.text.starts_with("http://")
    }
}

impl FromStr for PasskeyOrigin {
    type Err = PasskeyOriginError;

    fn from_str(text: &str) -> Result<Self, PasskeyOriginError> {
        Self::parse(text)
    }
}

impl fmt::Display for PasskeyOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "https" => Some("443"),
        "http" => Some("80"),
        _ => None,
    }
}

/// Whether it is a port as browsers write it: without zeros at its beginning.
fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use PasskeyOriginError::{App, IpAddress, Syntax, Unencrypted};

    #[test]
    fn an_origin_is_what_browsers_send() {
        for (text, host) in [
            ("https://app.example.com", Some("app.example.com")),
            ("https://example.com:8443", Some("example.com")),
            ("http://localhost:3000", Some("localhost")),
            ("http://localhost", Some("localhost")),
            ("http://app.localhost:5173", Some("app.localhost")),
            ("https://localhost:80", Some("localhost")),
            ("android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck", None),
        ] {
            let origin = PasskeyOrigin::parse(text).unwrap();
            assert_eq!((origin.as_str(), origin.host().map(DomainName::as_str)), (text, host));
        }
        for (text, error) in [
            ("", Syntax),
            ("null", Syntax),
            ("*", Syntax),
            ("app.example.com", Syntax),
            ("ftp://app.example.com", Syntax),
            ("https://", Syntax),
            ("https://*.example.com", Syntax),
            ("https://App.example.com", Syntax),
            ("HTTPS://app.example.com", Syntax),
            ("https://app.example.com/", Syntax),
            ("https://app.example.com.", Syntax),
            ("https://app.example.com:443", Syntax),
            ("http://localhost:80", Syntax),
            ("https://app.example.com:0443", Syntax),
            ("https://app.example.com:", Syntax),
            ("https://app.example.com:65536", Syntax),
            ("https://me@app.example.com", Syntax),
            ("https://127.0.0.1:8000", IpAddress),
            ("http://127.0.0.1", IpAddress),
            ("http://[::1]:3000", IpAddress),
            ("http://example.com", Unencrypted),
            ("http://notlocalhost", Unencrypted),
            ("android:apk-key-hash:", App),
            ("android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLc", App),
            ("android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck=", App),
            ("android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS+0H1xKCQcfIoGLck", App),
        ] {
            assert_eq!(PasskeyOrigin::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn the_origin_of_a_url_has_neither_path_nor_default_port() {
        let of_url = |url| PasskeyOrigin::of_url(url).map(|origin| origin.to_string());
        for (url, origin) in [
            ("https://auth.example.com", "https://auth.example.com"),
            ("https://Auth.Example.com:443/auth", "https://auth.example.com"),
            ("https://auth.example.com:8443/a/b", "https://auth.example.com:8443"),
            ("http://localhost:8000", "http://localhost:8000"),
            ("http://localhost:80/a", "http://localhost"),
        ] {
            assert_eq!(of_url(url).as_deref(), Ok(origin), "{url}");
        }
        assert_eq!(of_url("http://127.0.0.1:8000"), Err(IpAddress));
        assert_eq!(of_url("http://auth.example.com"), Err(Unencrypted));
        assert_eq!(of_url("https://me@auth.example.com"), Err(Syntax));
    }
}
