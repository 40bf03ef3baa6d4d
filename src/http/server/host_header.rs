//! Validation of the host of a request (RFC 9112, section 3.2; RFC 9113, section 8.3.1).
//!
//! A request names exactly one well formed host, or none on HTTP/1.0, which does not require the
//! header. Of two hosts a proxy might use one and this service the other, and the check of the origin
//! of a page depends on the host.

use std::net::Ipv6Addr;

use axum::http::header::HOST;
use axum::http::{HeaderValue, Request, Version};

/// Marks a request without exactly one valid host, in its extensions.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct InvalidHost;

/// Whether the request names one valid host; on HTTP/1.0 also where it names none.
pub(super) fn names_one_host<Body>(request: &Request<Body>) -> bool {
    let authority = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let mut headers = request.headers().get_all(HOST).iter();
    let header = headers.next().map(HeaderValue::as_bytes);
    if headers.next().is_some() || ![authority, header].into_iter().flatten().all(is_host) {
        return false;
    }
    match request.version() {
        Version::HTTP_2 => match (authority, header) {
            (Some(authority), Some(header)) => authority.eq_ignore_ascii_case(header),
            (one, other) => one.or(other).is_some(),
        },
        Version::HTTP_11 => header.is_some(),
        _ => true,
    }
}

/// Whether the text is a name or an address, with or without a port.
fn is_host(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else { return false };
    let (is_valid, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, port))) => {
            let bare = address.split('%').next().unwrap_or_default();
            (bare.parse::<Ipv6Addr>().is_ok(), port)
        }
        Some(None) => return false,
        None => {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            (!name.is_empty() && name.bytes().all(is_name_byte), port)
        }
    };
    let is_port = |digits: &str| {
        digits.is_empty()
            || digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
    };
    is_valid && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(version: Version, uri: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header(HOST, host.as_bytes());
        }
        names_one_host(&request.body(()).unwrap())
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for host in [
            "a",
            "auth.example.com",
            "auth.example.com.",
            "auth_1:8000",
            "a:",
            "192.0.2.1:80",
            "[::1]",
            "[2001:db8::1]:65535",
            "[fe80::1%25eth0]:80",
        ] {
            assert!(is_accepted(Version::HTTP_11, "/", &[host]), "{host}");
        }
        for host in [
            "", " ", ":80", "a b", "a,b", "a, b", "a/b", "a@b", "http://a", "a:b", "a:65536",
            "a:+1", "a:1:2", "::1", "[::1", "[a]", "[::1]a", "a\tb", "größe", "a?b", "a#b", "<a>",
            "a\\b",
        ] {
            assert!(!is_accepted(Version::HTTP_11, "/", &[host]), "{host}");
            assert!(!is_accepted(Version::HTTP_10, "/", &[host]), "{host}");
        }
    }

    #[test]
    fn there_is_one_and_none_only_where_the_version_has_none() {
        assert!(!is_accepted(Version::HTTP_11, "/", &[]));
        assert!(!is_accepted(Version::HTTP_11, "/", &["a", "a"]));
        assert!(!is_accepted(Version::HTTP_11, "http://a/", &[]));
        // The host of the target counts, whatever the header (RFC 9112, section 3.2.2).
        assert!(is_accepted(Version::HTTP_11, "http://a/", &["b"]));
        assert!(is_accepted(Version::HTTP_10, "/", &[]));
        assert!(!is_accepted(Version::HTTP_10, "/", &["a", "b"]));
        assert!(is_accepted(Version::HTTP_2, "http://a/", &[]));
        assert!(is_accepted(Version::HTTP_2, "http://a/", &["A"]));
        assert!(is_accepted(Version::HTTP_2, "/", &["a"]));
        assert!(!is_accepted(Version::HTTP_2, "http://a/", &["b"]));
        assert!(!is_accepted(Version::HTTP_2, "http://a/", &["a", "a"]));
        assert!(!is_accepted(Version::HTTP_2, "http://me@a/", &[]));
        assert!(!is_accepted(Version::HTTP_2, "/", &[]));
    }
}
