//! The files of the pages that this service shows to people: built beforehand, compressed, and a part
//! of the binary.
//!
//! Rule: a page comes from here whole. Nothing of it is loaded from elsewhere, so it works offline,
//! and nobody else's server can put a script beside a password. Files are kept and sent in gzip only:
//! every browser reads it, and nobody else asks for them.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// The page itself, which names the files that it needs. It is asked for anew each time.
const PAGE: &str = "index.html";

/// Whether the client is a browser that wants to show something: no client of GraphQL asks for HTML.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = values.flat_map(|value| value.split(','));
    ranges.any(|range| {
        let essence = range.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/html")
    })
}

/// The page of these files, under this content security policy.
pub(super) fn page<Files: RustEmbed>(policy: &'static str) -> Option<Response> {
    let mut response = file::<Files>(PAGE)?;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Some(response)
}

/// A file that the page names. Its name changes with its content.
pub(super) fn file<Files: RustEmbed>(name: &str) -> Option<Response> {
    let file = Files::get(&format!("{name}.gz"))?;
    let headers = [
        (CONTENT_TYPE, content_type(name)),
        (CONTENT_ENCODING, "gzip"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Some((headers, file.data).into_response())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("ttf") => "font/ttf",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(accept: &'static str) -> bool {
        wants_page(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn browsers_want_a_page_and_clients_do_not() {
        assert!(wants("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(wants("application/json, Text/HTML;q=0.5"));
        assert!(!wants("*/*"));
        assert!(!wants(
            "application/graphql-response+json, application/json;q=0.9, text/event-stream"
        ));
        assert!(!wants_page(&HeaderMap::new()));
    }
}
