//! Which web pages may call: those of this service's own origin, and those that the operator lists.
//!
//! Rule: origins are compared whole, letter by letter, with what was listed; nothing that a request
//! says is ever repeated as allowed. A browser's cookie is a page's to use only where the request
//! shows two things that a stranger's page cannot make it show: a header that forms and images do
//! not have, and where it was sent from.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::response::Response;
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer};

use super::page_headers::{PageHeader, USUAL_HEADERS};
use super::passage::REQUEST_ID;
use crate::auth::Untrusted;

/// The headers that say "a script sent this": one of ours, and Apollo's, which its users know.
pub(super) const CSRF_HEADERS: [HeaderName; 2] = [
    HeaderName::from_static("x-sallyport-csrf"),
    HeaderName::from_static("apollo-require-preflight"),
];

/// What a browser says of where a request was sent from (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// How long a browser remembers what it may send.
const PREFLIGHT_AGE: Duration = Duration::from_hours(1);

/// The origin of web pages, as browsers write it: `https://app.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(String);

/// A text that is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is written as browsers send it: https://app.example.com, in lower case, with a port \
     where it is not the usual one, and no path"
)]
pub struct WebOriginError;

impl FromStr for WebOrigin {
    type Err = WebOriginError;

    /// Neither `null`, which every sandboxed frame is, nor a pattern.
    fn from_str(text: &str) -> Result<Self, WebOriginError> {
        let (host, usual) = match text.split_once("://") {
            Some(("https", host)) => (host, ":443"),
            Some(("http", host)) => (host, ":80"),
            _ => return Err(WebOriginError),
        };
        let uri: Uri = text.parse().map_err(|_| WebOriginError)?;
        let is_bare = uri.authority().is_some_and(|authority| authority == host)
            && !host.bytes().any(|byte| byte.is_ascii_uppercase() || b"@*".contains(&byte))
            && !host.ends_with([':', '.'])
            && !host.ends_with(usual);
        if is_bare { Ok(Self(text.to_owned())) } else { Err(WebOriginError) }
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl WebOrigin {
    /// Whether nobody can change its pages on their way: they come by TLS, or from this machine.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("http://") else { return true };
        let host = rest.split(':').next().unwrap_or_default();
        host == "localhost"
            || host.ends_with(".localhost")
            || rest.starts_with("[::1]")
            || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The origin of this URL.
    fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        let usual = if scheme == "https" { ":443" } else { ":80" };
        let host = host.strip_suffix(usual).unwrap_or(host).to_ascii_lowercase();
        format!("{scheme}://{host}").parse().ok()
    }
}

/// The origins whose pages may call.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    listed: Arc<[WebOrigin]>,
    /// Headers that their pages may send beside the usual ones.
    headers: Arc<[PageHeader]>,
    /// This service's, as its clients know it.
    own: Option<WebOrigin>,
}

impl Origins {
    /// The listed ones, and the one of the service at `url`.
    pub(super) fn new(listed: &[WebOrigin], headers: &[PageHeader], url: &str) -> Self {
        Self { listed: listed.into(), headers: headers.into(), own: WebOrigin::of_url(url) }
    }

    /// Whether this is one of the listed.
    fn lists(&self, origin: &HeaderValue) -> bool {
        self.listed.iter().any(|listed| listed.0.as_bytes() == origin.as_bytes())
    }

    /// Whether a page of this origin is one of ours, at whichever name it found this service.
    pub(super) fn trusts(&self, origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
        let is_own = |own: &WebOrigin| own.0.as_bytes() == origin.as_bytes();
        self.lists(origin)
            || self.own.as_ref().is_some_and(is_own)
            || is_of_host(origin, headers, uri)
    }

    /// Whether a socket may be opened: a browser asks nobody before a page opens one, and says in
    /// `Origin` which page it is. Other programs say nothing, and are no page to be lured to.
    pub(super) fn may_open_sockets(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        only(headers, &ORIGIN)
            .is_ok_and(|origin| origin.is_none_or(|origin| self.trusts(origin, headers, uri)))
    }

    /// Whether a page of ours sent this request, by its own account and the browser's.
    pub(super) fn sender(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Untrusted> {
        let is_said = |name| headers.get(name).is_some_and(|value| !value.is_empty());
        if !CSRF_HEADERS.iter().any(is_said) {
            return Err(NO_HEADER);
        }
        let origin = only(headers, &ORIGIN)?;
        let is_ours = match only(headers, &SEC_FETCH_SITE)?.map(HeaderValue::as_bytes) {
            Some(b"same-origin") => true,
            // Another origin of the same site, such as a neighbour's subdomain.
            Some(b"same-site") => origin.is_some_and(|origin| self.lists(origin)),
            // No browser, an old one, or one whose user sent this without a page.
            None | Some(b"none") => origin.is_none_or(|origin| self.trusts(origin, headers, uri)),
            Some(_) => false,
        };
        if is_ours { Ok(()) } else { Err(FOREIGN_PAGE) }
    }

    /// What browsers are told of who may call; `None` where nobody is listed.
    pub(super) fn layer(&self) -> Option<CorsLayer> {
        if self.listed.is_empty() {
            return None;
        }
        let (origins, credentials) = (self.clone(), self.clone());
        let needed = [AUTHORIZATION, CONTENT_TYPE].into_iter().chain(CSRF_HEADERS);
        let usual = USUAL_HEADERS.map(HeaderName::from_static);
        let more = self.headers.iter().map(|PageHeader(name)| name.clone());
        let allowed: Vec<_> = needed.chain(usual).chain(more).collect();
        Some(
            CorsLayer::new()
                .allow_origin(AllowOrigin::predicate(move |origin, _| origins.lists(origin)))
                .allow_credentials(AllowCredentials::predicate(move |origin, _| {
                    credentials.lists(origin)
                }))
                .allow_methods([Method::GET, Method::POST])
                .allow_headers(allowed)
                .expose_headers(EXPOSED)
                .max_age(PREFLIGHT_AGE),
        )
    }
}

impl Origins {
    /// The origin of this request, where it is a listed one.
    pub(super) fn listed_sender(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.listed.is_empty() {
            return None;
        }
        only(headers, &ORIGIN).ok()?.filter(|origin| self.lists(origin)).cloned()
    }
}

/// Lets a page of a listed origin read an answer that was given before the routes, or beside them.
pub(super) fn let_read(origin: HeaderValue, response: &mut Response) {
    let headers = response.headers_mut();
    if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(VARY, HeaderValue::from_static("origin"));
    for name in EXPOSED {
        headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, name.into());
    }
}

/// What pages may read of the head of an answer, beside what they always may.
const EXPOSED: [HeaderName; 2] = [REQUEST_ID, RETRY_AFTER];

/// For what is everybody's to read, with nobody's credentials.
pub(super) const ANYBODY: (HeaderName, HeaderValue) =
    (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// A form or an image cannot send this header.
const NO_HEADER: Untrusted =
    Untrusted("with cookies this needs the header x-sallyport-csrf, with any value");

const FOREIGN_PAGE: Untrusted =
    Untrusted("cookies are for pages of this origin, and of this site where they are listed");

/// The only value of a header; two of it are nobody's who plays by the rules.
fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Untrusted> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(FOREIGN_PAGE) } else { Ok(first) }
}

/// Whether the origin is that of the host which the request names. The scheme is not known behind a
/// proxy that speaks TLS.
fn is_of_host(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(axum::http::uri::Authority::as_str).or(host);
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<WebOrigin>().ok());
    let Some((host, WebOrigin(origin))) = host.zip(origin) else { return false };
    let Some((scheme, page)) = origin.split_once("://") else { return false };
    let usual = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(usual).unwrap_or(host).eq_ignore_ascii_case(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        let listed = ["https://app.example.com".parse().unwrap()];
        Origins::new(&listed, &[], "https://auth.example.com/v1")
    }

    fn judged(headers: &[(&str, &str)]) -> Result<(), Untrusted> {
        let pairs = headers.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
        });
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name, value);
        }
        origins().sender(&map, &Uri::from_static("/graphql"))
    }

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

    #[test]
    fn pages_of_ours_are_trusted() {
        let ours = ("x-sallyport-csrf", "1");
        for headers in [
            &[ours, ("sec-fetch-site", "same-origin"), ("origin", "https://auth.example.com")][..],
            &[("apollo-require-preflight", "true"), ("sec-fetch-site", "same-origin")],
            &[ours, ("sec-fetch-site", "same-site"), ("origin", "https://app.example.com")],
            &[ours, ("origin", "https://app.example.com")],
            &[ours, ("origin", "https://auth.example.com")],
            &[ours, ("origin", "http://10.0.0.1:8000"), ("host", "10.0.0.1:8000")],
            &[ours, ("origin", "https://other.example"), ("host", "other.example:443")],
            // No page at all: a client with a jar of its own.
            &[ours],
            &[ours, ("sec-fetch-site", "none")],
        ] {
            assert_eq!(judged(headers), Ok(()), "{headers:?}");
        }
    }

    #[test]
    fn everybody_elses_are_not() {
        let ours = ("x-sallyport-csrf", "1");
        for headers in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("x-sallyport-csrf", ""), ("sec-fetch-site", "same-origin")],
        ] {
            assert_eq!(judged(headers), Err(NO_HEADER), "{headers:?}");
        }
        for headers in [
            &[ours, ("sec-fetch-site", "cross-site")][..],
            // A cookie of the strict kind would not come along from there, listed or not.
            &[ours, ("sec-fetch-site", "cross-site"), ("origin", "https://app.example.com")],
            &[ours, ("sec-fetch-site", "same-site"), ("origin", "https://evil.example.com")],
            &[ours, ("sec-fetch-site", "same-site")],
            &[ours, ("sec-fetch-site", "Same-Origin")],
            &[ours, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[ours, ("sec-fetch-site", "none"), ("origin", "https://evil.example")],
            &[ours, ("origin", "null"), ("host", "null")],
            &[ours, ("origin", "https://evil.example"), ("host", "auth.example.com")],
            &[ours, ("origin", "https://app.example.com.evil.example")],
            &[ours, ("origin", "https://evil-app.example.com")],
            &[ours, ("origin", "https://app.example.com"), ("origin", "https://evil.example")],
        ] {
            assert_eq!(judged(headers), Err(FOREIGN_PAGE), "{headers:?}");
        }
    }
}
