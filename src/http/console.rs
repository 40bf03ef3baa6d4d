//! Routes of the console, the web application at `/console` for administrators and account owners.
//!
//! The application is built from `src/console` and uses the GraphQL API alone, so these routes need
//! no authentication. Its pages load scripts and styles from these routes only.

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use rust_embed::Embed;

use super::assets;
use super::not_found::not_found;

/// No inline scripts or styles, and no script from a string (Trusted Types).
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; trusted-types 'none'; require-trusted-types-for 'script'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

#[derive(Embed)]
#[folder = "src/console/dist"]
pub(super) struct Files;

/// The page, which names its other files.
const PAGE: &str = "index.html";

/// All paths below `/console` have the same page, whose script selects the view by the path.
pub(super) fn routes<State: Clone + Send + Sync + 'static>() -> Router<State> {
    Router::new()
        .route("/console", get(page))
        .route("/console/", get(page))
        .route("/console/{*page}", get(page))
        .route("/console/assets/{*name}", get(file))
}

/// The GraphQL documents of the console.
///
/// # Panics
/// Where the build of the console wrote no list of documents.
#[must_use]
pub fn documents() -> Vec<String> {
    documents_in("documents.json")
}

/// # Panics
/// Where the build wrote no such list.
pub(super) fn documents_in(list: &str) -> Vec<String> {
    let file = Files::get(list).map(|file| file.data).unwrap_or_default();
    serde_json::from_slice(&file).expect("the build writes a list of texts")
}

async fn page(headers: HeaderMap) -> Response {
    match assets::page::<Files>(&headers, PAGE, POLICY).await {
        Some(page) => page,
        None => not_found().await,
    }
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match assets::file::<Files>(&headers, &name).await {
        Some(file) => file,
        None => not_found().await,
    }
}
