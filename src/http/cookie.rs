//! The refresh token's cookie, as HTTP has it.
//!
//! Rule: its name begins with `__Host-`, so a browser takes it from this very host only, over TLS,
//! and neither a neighbouring subdomain nor a page without TLS can put another in its place. What
//! removes it has the same attributes as what sets it, or a browser would keep it.

use axum::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use axum::response::Response;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::auth::CookieChange;
use crate::clock::Timestamp;

/// What the cookie is called, and whether it is for TLS only.
#[derive(Clone, Copy, Debug)]
pub(super) struct CookieName {
    name: &'static str,
    secure: bool,
}

impl CookieName {
    /// The name under which browsers keep the rule of the module.
    pub(super) const SECURE: Self = Self { name: "__Host-sallyport-refresh", secure: true };

    /// Another, for work on one's own machine without TLS: a cookie of the one is none of the other.
    pub(super) const INSECURE: Self = Self { name: "sallyport-refresh", secure: false };

    /// The token in the cookie. Two cookies of one name, of which one was planted, are a token that
    /// is none.
    pub(super) fn read(self, headers: &HeaderMap) -> Option<String> {
        let is_ours = |cookie: &Cookie<'_>| cookie.name() == self.name;
        let mut found = None;
        for value in headers.get_all(COOKIE) {
            // Other cookies of the domain may have any bytes, as browsers store them.
            let text = String::from_utf8_lossy(value.as_bytes());
            for cookie in Cookie::split_parse(&*text).filter_map(Result::ok).filter(is_ours) {
                if found.replace(cookie.value().to_owned()).is_some() {
                    return Some(String::new());
                }
            }
        }
        found
    }

    /// Tells the browser what becomes of its cookie.
    pub(super) fn write(self, change: &CookieChange, now: Timestamp, response: &mut Response) {
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
        // A token is of characters that a header may have.
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
        CookieName::SECURE.read(&headers)
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
