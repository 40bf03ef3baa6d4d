//! GraphiQL, the query editor that browsers get at `/graphql`.
//!
//! It is built from `src/graphiql`; see there.

use axum::extract::{Path, Request};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use rust_embed::Embed;

use super::not_found::not_found;
use super::{assets, media_type};

/// `data:` for fonts in its style sheet; `unsafe-inline` for the style elements that its editor adds.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
     style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Embed)]
#[folder = "src/graphiql/dist"]
struct Files;

/// The page, which names its other files.
const PAGE: &str = "index.html";

pub(super) const FILES_PATH: &str = "/graphiql/{name}";

/// Whether a browser requests the page. Browsers that open a WebSocket do not accept HTML.
pub(super) fn is_requested(request: &Request) -> bool {
    request.method() == Method::GET && media_type::accepts_html(request.headers())
}

pub(super) async fn page(headers: &HeaderMap) -> Response {
    match assets::page::<Files>(headers, PAGE, POLICY).await {
        Some(page) => page,
        None => not_found().await,
    }
}

pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match assets::file::<Files>(&headers, &name).await {
        Some(file) => file,
        None => not_found().await,
    }
}
