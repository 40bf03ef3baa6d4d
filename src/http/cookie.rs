//! Cookies of tokens, in requests and responses: those of the refresh token, of a login which waits for its next
//! step, of a login by a passkey, and of a trusted device.
//!
//! Their names have the prefix `__Host-`: browsers accept such a cookie from this very host only, over
//! TLS, so neither another subdomain nor a page without TLS can replace it. A cookie is removed with
//! the same attributes with which it is set; otherwise browsers would keep it.

use axum::extract::Request;
use axum::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use axum::response::Response;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use super::origin_check::AllowedOrigins;
use crate::auth::{Auth, CookieChange, CookieSlot, Cookies};
use crate::clock::Timestamp;

/// The cookies of browsers.
#[derive(Clone, Debug)]
pub(super) struct TokenCookies {
    /// In the order of [`Cookies::new`].
    names: [CookieName; 4],
    origins: AllowedOrigins,
}

impl TokenCookies {
    /// With `insecure` the cookies are also sent without TLS.
    pub(super) fn new(insecure: bool, origins: AllowedOrigins) -> Self {
        let names = if insecure { CookieName::ALL_INSECURE } else { CookieName::ALL_SECURE };
        Self { names, origins }
    }

    /// The cookies of a request, and whether the sender of the request may use them.
    pub(super) fn read(&self, request: &Request) -> Cookies {
        let (headers, uri) = (request.headers(), request.uri());
        let slot = |name: CookieName| CookieSlot::new(name.token_in(headers));
        let sender = self.origins.check_sender(headers, uri);
        Cookies::new(self.names.map(slot), sender)
    }

    /// Writes the changes that the request made to the cookies, if any.
    pub(super) fn write(&self, cookies: &Cookies, auth: &Auth, response: &mut Response) {
        for (name, change) in self.names.into_iter().zip(cookies.take_changes()) {
            if let Some(change) = change {
                name.write(&change, auth.system.now(), response);
            }
        }
    }
}

/// Name of the cookie, and whether it requires TLS.
#[derive(Clone, Copy, Debug)]
struct CookieName {
    name: &'static str,
    secure: bool,
}

impl CookieName {
    const SECURE: Self = Self { name: "__Host-sallyport-refresh", secure: true };

    /// For development without TLS. Another name, so that a secure and an insecure cookie are never
    /// taken for each other.
    const INSECURE: Self = Self { name: "sallyport-refresh", secure: false };

    const ALL_SECURE: [Self; 4] = [
        Self::SECURE,
        Self { name: "__Host-sallyport-login", secure: true },
        Self { name: "__Host-sallyport-passkey", secure: true },
        Self { name: "__Host-sallyport-device", secure: true },
    ];

    const ALL_INSECURE: [Self; 4] = [
        Self::INSECURE,
        Self { name: "sallyport-login", secure: false },
        Self { name: "sallyport-passkey", secure: false },
        Self { name: "sallyport-device", secure: false },
    ];

    /// The token in the cookie. Of two cookies with this name one may be planted, so they count as an
    /// invalid token.
    fn token_in(self, headers: &HeaderMap) -> Option<String> {
        let is_ours = |cookie: &Cookie<'_>| cookie.name() == self.name;
        let mut found = None;
        for value in headers.get_all(COOKIE) {
            // Lossy: other cookies of the domain may contain any bytes, as browsers store them.
            let text = String::from_utf8_lossy(value.as_bytes());
            for cookie in Cookie::split_parse(&*text).filter_map(Result::ok).filter(is_ours) {
                if found.replace(cookie.value().to_owned()).is_some() {
                    return Some(String::new());
                }
            }
        }
        found
    }

    fn write(self, change: &CookieChange, now: Timestamp, response: &mut Response) {
        let (value, age) = match change {
            CookieChange::Set(token, until) => {
                (token.as_str(), until.as_seconds() - now.as_seconds())
            }
            CookieChange::Clear => ("", 0),
        };
        let cookie = Cookie::build((self.name, value))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Strict)
            .max_age(Duration::seconds(age.max(0)));
        // Never an error: a token has no characters that are invalid in a header.
        if let Ok(mut value) = HeaderValue::try_from(cookie.to_string()) {
            value.set_sensitive(true);
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn read<Line: AsRef<[u8]>>(lines: &[Line]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line.as_ref()).unwrap());
        }
        CookieName::SECURE.token_in(&headers)
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        for lines in [
            &["__Host-sallyport-refresh=a.b.c"][..],
            &["theme=dark; __Host-sallyport-refresh=a.b.c; x=y"],
            &["theme=dark", "__Host-sallyport-refresh=a.b.c"],
            &["; =; broken; __Host-sallyport-refresh=a.b.c"],
        ] {
            assert_eq!(read(lines).as_deref(), Some("a.b.c"), "{lines:?}");
        }
    }

    #[test]
    fn the_token_is_found_beside_any_bytes_of_others() {
        let ours = b"__Host-sallyport-refresh=a.b.c".as_slice();
        for other in [
            "city=Zürich".as_bytes(),
            b"city=Z\xfcrich",
            "mood=😀".as_bytes(),
            "Größe=1".as_bytes(),
            b"\xff=\xfe",
            b"broken\xc3",
            b"json={\"a\":\"b, c\"}",
            b"tab=\ta",
            b"",
            b"=",
        ] {
            let first = [other, ours].join(b"; ".as_slice());
            let last = [ours, other].join(b";".as_slice());
            let between = [other, ours, other].join(b"; ".as_slice());
            for lines in [&[first][..], &[last], &[between], &[other.to_vec(), ours.to_vec()]] {
                assert_eq!(read(lines).as_deref(), Some("a.b.c"), "{lines:?}");
            }
            assert_eq!(read(&[other]), None);
        }
    }

    #[test]
    fn a_cookie_of_another_name_is_none() {
        for line in
            ["", "sallyport-refresh=a", "__host-sallyport-refresh=a", "x=__Host-sallyport-refresh"]
        {
            assert_eq!(read(&[line]), None, "{line}");
        }
    }

    #[test]
    fn of_two_cookies_none_counts() {
        let two = "__Host-sallyport-refresh=a; __Host-sallyport-refresh=b";
        assert_eq!(read(&[two]).as_deref(), Some(""));
        let lines = ["__Host-sallyport-refresh=a", "__Host-sallyport-refresh=a"];
        assert_eq!(read(&lines).as_deref(), Some(""));
    }

    #[test]
    fn what_removes_a_cookie_has_the_attributes_of_what_sets_it() {
        let now = Timestamp::from_seconds(1000);
        let written = |name: CookieName, change| {
            let mut response = Response::new(Body::empty());
            name.write(&change, now, &mut response);
            response.headers()[SET_COOKIE].to_str().unwrap().to_owned()
        };
        let set = CookieChange::Set("a.b.c".to_owned().into(), Timestamp::from_seconds(1060));
        assert_eq!(
            written(CookieName::SECURE, set.clone()),
            "__Host-sallyport-refresh=a.b.c; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=60"
        );
        assert_eq!(
            written(CookieName::SECURE, CookieChange::Clear),
            "__Host-sallyport-refresh=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0"
        );
        assert_eq!(
            written(CookieName::INSECURE, set),
            "sallyport-refresh=a.b.c; HttpOnly; SameSite=Strict; Path=/; Max-Age=60"
        );
    }
}
