//! GraphiQL: the page that a browser finds at `/graphql`, to try things out.
//!
//! What it is built from, and how, stands in `src/graphiql`.

use axum::extract::{Path, Request};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use rust_embed::Embed;

use super::{assets, not_found};

/// Scripts, workers and fonts of its own; some fonts stand in its style sheet. Its editor makes style
/// elements, hence the one exception.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
     style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Embed)]
#[folder = "src/graphiql/dist"]
struct Files;

/// Where its files are.
pub(super) const FILES: &str = "/graphiql/{name}";

/// Whether a browser asks for the page. One that opens a socket says so with `Upgrade` instead.
pub(super) fn is_asked_for(request: &Request) -> bool {
    request.method() == Method::GET && assets::wants_page(request.headers())
}

/// The page.
pub(super) async fn page(asked: &HeaderMap) -> Response {
    match assets::page::<Files>(asked, POLICY).await {
        Some(page) => page,
        None => not_found().await,
    }
}

/// One of its files.
pub(super) async fn file(Path(name): Path<String>, asked: HeaderMap) -> Response {
    match assets::file::<Files>(&asked, &name).await {
        Some(file) => file,
        None => not_found().await,
    }
}
