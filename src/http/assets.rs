//! Static files of the web pages, embedded in the binary.
//!
//! A page loads nothing from other servers, so it works offline, and no other server can run a script
//! beside a password field. Files are stored gzipped, and sent so to clients that accept gzip, as all
//! browsers do. For other clients a file is decompressed once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};

use axum::body::Bytes;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use rust_embed::RustEmbed;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::quality_values::QualityValue;
use super::server::StaticContent;

static DECOMPRESSED: DecompressedFiles = Mutex::const_new(BTreeMap::new());

/// A page of these files, with this content security policy. Browsers revalidate it each time, because it
/// names the other files.
pub(super) async fn page<Files: RustEmbed>(
    request_headers: &HeaderMap,
    name: &str,
    policy: &'static str,
) -> Option<Response> {
    let mut response = file::<Files>(request_headers, name).await?;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.append(VARY, HeaderValue::from_static("Accept"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Some(response)
}

/// A file that the page names. Its name changes with its content, so it may be cached forever.
pub(super) async fn file<Files: RustEmbed>(
    request_headers: &HeaderMap,
    name: &str,
) -> Option<Response> {
    let file = Files::get(&format!("{name}.gz"))?;
    let headers = [
        (CONTENT_TYPE, content_type(name)),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (VARY, "Accept-Encoding"),
    ];
    let mut response = if accepts_gzip(request_headers) {
        (headers, [(CONTENT_ENCODING, "gzip")], file.data).into_response()
    } else {
        let plain = decompressed(file.metadata.sha256_hash(), file.data, &DECOMPRESSED).await;
        let plain = plain.inspect_err(|error| {
            tracing::error!(%error, name, "decompression of an embedded file failed");
        });
        (headers, plain.ok()?).into_response()
    };
    response.extensions_mut().insert(StaticContent);
    Some(response)
}

/// Whether `Accept-Encoding` accepts gzip (RFC 9110, section 12.5.3). Not where it is missing: a proxy
/// may have removed it to read the page.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut any) = (None, None);
    for QualityValue { name, quality } in QualityValue::all(headers, &ACCEPT_ENCODING) {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(quality > 0),
            "*" => any = Some(quality > 0),
            _ => {}
        }
    }
    gzip.or(any).unwrap_or(false)
}

/// Decompressed files by the digest of the compressed file.
type DecompressedFiles = Mutex<BTreeMap<[u8; 32], Bytes>>;

/// Decompresses a file, one at a time and each once. The thread holds the lock and stores the result,
/// so the work is not repeated where the client disconnects meanwhile.
async fn decompressed(
    digest: [u8; 32],
    packed: Cow<'static, [u8]>,
    known: &'static DecompressedFiles,
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
        static KNOWN: DecompressedFiles = Mutex::const_new(BTreeMap::new());
        let mut packed = Vec::new();
        GzEncoder::new(&b"a page"[..], Compression::fast()).read_to_end(&mut packed).unwrap();
        // Polled once, which starts the thread, and dropped.
        let _ = decompressed([1; 32], packed.into(), &KNOWN).now_or_never();
        assert_eq!(KNOWN.lock().await.get(&[1; 32]), Some(&Bytes::from_static(b"a page")));
    }
}
