//! Check of the web page that sent a request, against cross-site request forgery.
//!
//! Pages of this service's own origin and of the origins that the operator lists may call. Origins
//! are compared as a whole and byte by byte. A request may use the cookie of a browser only if it has
//! two properties that a foreign page cannot give it: a header that forms and images cannot send, and
//! `Origin` and `Sec-Fetch-Site` values of an allowed page.

use std::sync::Arc;

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::header_names::{CSRF_HEADERS, SEC_FETCH_SITE};
use super::web_origin::WebOrigin;
use crate::auth::Untrusted;

/// The origins whose pages may call.
#[derive(Clone, Debug)]
pub(super) struct AllowedOrigins {
    listed: Arc<[WebOrigin]>,
    /// The origin of this service by its configured URL.
    own: Option<WebOrigin>,
}

impl AllowedOrigins {
    /// The listed origins, and that of this service, which has this URL.
    pub(super) fn new(listed: &[WebOrigin], url: &str) -> Self {
        Self { listed: listed.into(), own: WebOrigin::of_url(url) }
    }

    pub(super) fn has_listed(&self) -> bool {
        !self.listed.is_empty()
    }

    pub(super) fn is_listed(&self, origin: &HeaderValue) -> bool {
        self.listed.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
    }

    /// Whether a page of this origin may call: the origin is listed, or that of this service, by its
    /// configured URL or by the host of the request.
    fn is_allowed(&self, origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
        self.is_listed(origin)
            || self.own.as_ref().is_some_and(|own| own.as_bytes() == origin.as_bytes())
            || is_same_host(origin, headers, uri)
    }

    /// Whether the request may open a WebSocket. Browsers send no preflight request before a page
    /// opens one, so `Origin` is checked here. Programs other than browsers send no `Origin`, and
    /// cannot be lured to a foreign page.
    pub(super) fn may_open_socket(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        single(headers, &ORIGIN)
            .is_ok_and(|origin| origin.is_none_or(|origin| self.is_allowed(origin, headers, uri)))
    }

    /// Checks that an allowed page, or a program other than a browser, sent the request.
    pub(super) fn check_sender(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Untrusted> {
        let is_present = |name| headers.get(name).is_some_and(|value| !value.is_empty());
        if !CSRF_HEADERS.iter().any(is_present) {
            return Err(NO_HEADER);
        }
        let origin = single(headers, &ORIGIN)?;
        let is_allowed = match single(headers, &SEC_FETCH_SITE)?.map(HeaderValue::as_bytes) {
            Some(b"same-origin") => true,
            // Another origin of the same site, such as another subdomain, must be listed.
            Some(b"same-site") => origin.is_some_and(|origin| self.is_listed(origin)),
            // No browser, an old browser, or a request that no page caused.
            None | Some(b"none") => {
                origin.is_none_or(|origin| self.is_allowed(origin, headers, uri))
            }
            Some(_) => false,
        };
        if is_allowed { Ok(()) } else { Err(FOREIGN_PAGE) }
    }

    /// The origin of the request, if it is listed.
    pub(super) fn listed_sender(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.listed.is_empty() {
            return None;
        }
        single(headers, &ORIGIN).ok()?.filter(|origin| self.is_listed(origin)).cloned()
    }
}

/// A form or an image cannot send this header.
const NO_HEADER: Untrusted =
    Untrusted("Requests with cookies require the header x-sallyport-csrf, with any value.");

const FOREIGN_PAGE: Untrusted =
    Untrusted("Only pages of this origin, and of allowed origins of this site, may use cookies.");

/// The only value of a header. Browsers send these headers once; a request with two is refused.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Untrusted> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(FOREIGN_PAGE) } else { Ok(first) }
}

/// Whether the origin has the host that the request names.
fn is_same_host(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(Authority::as_str).or(host);
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<WebOrigin>().ok());
    host.zip(origin).is_some_and(|(host, origin)| origin.has_host(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> AllowedOrigins {
        let listed = ["https://app.example.com".parse().unwrap()];
        AllowedOrigins::new(&listed, "https://auth.example.com/v1")
    }

    fn checked(headers: &[(&str, &str)]) -> Result<(), Untrusted> {
        let pairs = headers.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
        });
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name, value);
        }
        origins().check_sender(&map, &Uri::from_static("/graphql"))
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
            // No page: a program with a cookie store.
            &[ours],
            &[ours, ("sec-fetch-site", "none")],
        ] {
            assert_eq!(checked(headers), Ok(()), "{headers:?}");
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
            assert_eq!(checked(headers), Err(NO_HEADER), "{headers:?}");
        }
        for headers in [
            &[ours, ("sec-fetch-site", "cross-site")][..],
            // Browsers send no `SameSite=Strict` cookie from another site, even from a listed origin.
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
            assert_eq!(checked(headers), Err(FOREIGN_PAGE), "{headers:?}");
        }
    }
}
