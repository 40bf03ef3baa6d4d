//! Caller of a request: bearer token, client address and user agent.
//!
//! Only `Authorization: Bearer` is accepted (RFC 6750, section 2.1): a token in the URL or the body
//! would end up in logs. Reading the caller never fails. An invalid token is an error only where a
//! protected field is requested.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, USER_AGENT};

use super::client_address::ClientAddress;
use crate::auth::{Auth, Caller};
use crate::domain::origin::{Origin, UserAgent};

/// Longest value of `Accept-Language` that is kept. Browsers send less than half as much.
const MAX_LANGUAGES: usize = 200;

/// The caller by the head of a request.
pub(super) fn caller<'a>(
    auth: &'a Auth,
    request: &Request,
) -> impl Future<Output = Caller> + use<'a> {
    // Copied here: the future must not borrow the request, whose body is not `Sync`.
    let bearer = bearer(request.headers()).map(str::to_owned);
    let origin = origin(request);
    let languages = languages(request);
    async move {
        let caller = auth.guard.caller(bearer.as_deref(), origin).await;
        caller.accepting(languages.as_deref())
    }
}

/// The sender of a request to an endpoint that takes no bearer token.
pub(super) fn without_bearer<'a>(
    auth: &'a Auth,
    request: &Request,
) -> impl Future<Output = Caller> + use<'a> {
    let (origin, languages) = (origin(request), languages(request));
    async move { auth.guard.caller(None, origin).await.accepting(languages.as_deref()) }
}

/// The bearer token. A header that is sent twice or is not text counts as an invalid token.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let first = sent.next()?;
    if sent.next().is_some() {
        return Some("");
    }
    let Ok(text) = first.to_str() else { return Some("") };
    bearer_in(text)
}

/// The bearer token in the value of an `Authorization` header.
pub(super) fn bearer_in(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn languages(request: &Request) -> Option<String> {
    let languages = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    languages.filter(|text| text.len() <= MAX_LANGUAGES).map(str::to_owned)
}

fn origin(request: &Request) -> Origin {
    let address = request.extensions().get::<ClientAddress>();
    let user_agent = request.headers().get(USER_AGENT);
    Origin {
        ip: address.map(|ClientAddress(address)| *address),
        user_agent: user_agent
            .and_then(|value| UserAgent::parse(&String::from_utf8_lossy(value.as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_read_whatever_its_case() {
        assert_eq!(read(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(read(&["bearer  abc "]).as_deref(), Some("abc"));
    }

    #[test]
    fn another_scheme_brings_no_token() {
        assert_eq!(read(&["Basic abc"]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn two_tokens_are_none_of_ours() {
        assert_eq!(read(&["Bearer abc", "Bearer def"]).as_deref(), Some(""));
        assert_eq!(read(&["Bearer"]).as_deref(), Some(""));
    }
}
