//! The files of the pages that this service shows to people: built beforehand, compressed, and a part
//! of the binary.
//!
//! Rule: a page comes from here whole. Nothing of it is loaded from elsewhere, so it works offline,
//! and nobody else's server can put a script beside a password. Files are kept in gzip, and sent so to
//! who accepts it, as every browser does; what another client asks for is decompressed once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};

use axum::body::Bytes;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use rust_embed::RustEmbed;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::server::InBinary;
use super::weighted::Weighted;

/// The page itself, which names the files that it needs. It is asked for anew each time.
const PAGE: &str = "index.html";

/// What was decompressed in this process.
static KNOWN: Decompressed = Mutex::const_new(BTreeMap::new());

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
pub(super) async fn page<Files: RustEmbed>(
    asked: &HeaderMap,
    policy: &'static str,
) -> Option<Response> {
    let mut response = file::<Files>(asked, PAGE).await?;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.append(VARY, HeaderValue::from_static("Accept"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Some(response)
}

/// A file that the page names. Its name changes with its content.
pub(super) async fn file<Files: RustEmbed>(asked: &HeaderMap, name: &str) -> Option<Response> {
    let file = Files::get(&format!("{name}.gz"))?;
    let headers = [
        (CONTENT_TYPE, content_type(name)),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (VARY, "Accept-Encoding"),
    ];
    let mut response = if accepts_gzip(asked) {
        (headers, [(CONTENT_ENCODING, "gzip")], file.data).into_response()
    } else {
        let plain = decompressed(file.metadata.sha256_hash(), file.data, &KNOWN).await;
        let plain = plain.inspect_err(|error| tracing::error!(%error, name, "a file is broken"));
        (headers, plain.ok()?).into_response()
    };
    response.extensions_mut().insert(InBinary);
    Some(response)
}

/// Whether these headers accept gzip (RFC 9110, section 12.5.3). Where they say nothing, a proxy may
/// want to read the page.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut any) = (None, None);
    for Weighted { name, quality } in Weighted::all(headers, &ACCEPT_ENCODING) {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(quality > 0),
            "*" => any = Some(quality > 0),
            _ => {}
        }
    }
    gzip.or(any).unwrap_or(false)
}

/// The decompressed files by their digests.
type Decompressed = Mutex<BTreeMap<[u8; 32], Bytes>>;

/// The file as it was. One is decompressed at a time, and each once, whether or not the client that
/// asked for it waits: the thread holds the guard and keeps what it made.
async fn decompressed(
    digest: [u8; 32],
    packed: Cow<'static, [u8]>,
    known: &'static Decompressed,
) -> io::Result<Bytes> {
    let mut known = known.lock().await;
    if let Some(bytes) = known.get(&digest) {
        return Ok(bytes.clone());
    }
    let work = move || {
        let mut bytes = Vec::new();
        GzDecoder::new(&*packed).read_to_end(&mut bytes)?;
        let bytes = Bytes::from(bytes);
        known.insert(digest, bytes.clone());
        Ok(bytes)
    };
    spawn_blocking(work).await.map_err(io::Error::other)?
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
    use flate2::Compression;
    use flate2::read::GzEncoder;
    use futures_util::FutureExt;

    fn wants(accept: &'static str) -> bool {
        wants_page(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn gzip_is_for_those_who_accept_it() {
        let accepts = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(ACCEPT_ENCODING, HeaderValue::from_static(line));
            }
            accepts_gzip(&headers)
        };
        for lines in [
            &["gzip"][..],
            &["gzip, deflate, br, zstd"],
            &["br", "GZIP;q=0.5"],
            &["x-gzip"],
            &["*"],
            &["identity;q=0, *;q=0.1"],
            &["*;q=0, gzip ; q=1.0"],
        ] {
            assert!(accepts(lines), "{lines:?}");
        }
        for lines in [
            &[][..],
            &[""],
            &["identity"],
            &["br, deflate"],
            &["gzip;q=0"],
            &["gzip; q=0.000, *"],
            &["*;q=0"],
            &["gzipped"],
            &["gzip;q=x"],
            &["gzip;q=inf"],
        ] {
            assert!(!accepts(lines), "{lines:?}");
        }
    }

    #[tokio::test]
    async fn what_is_decompressed_for_a_client_that_hangs_up_is_kept() {
        static KNOWN: Decompressed = Mutex::const_new(BTreeMap::new());
        let mut packed = Vec::new();
        GzEncoder::new(&b"a page"[..], Compression::fast()).read_to_end(&mut packed).unwrap();
        // Begun at its first poll, and dropped.
        let _ = decompressed([1; 32], packed.into(), &KNOWN).now_or_never();
        assert_eq!(KNOWN.lock().await.get(&[1; 32]), Some(&Bytes::from_static(b"a page")));
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
