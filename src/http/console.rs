//! The console: the pages at `/console` for administrators and for everybody's own account.
//!
//! It owns where they are and what they may load. What stands on them is built from `src/console`,
//! and goes by the GraphQL of this service alone: nothing here knows who asks.
//!
//! Rule: its pages run no script and show no style but the files that are served here.

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use rust_embed::Embed;

use super::{assets, not_found};

/// Nothing in a page is code: neither a script, nor a style, nor a text that a script made one of.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; trusted-types 'none'; require-trusted-types-for 'script'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

#[derive(Embed)]
#[folder = "src/console/dist"]
struct Files;

/// Where they are. Which page an address below `/console` means, the one page there decides.
pub(super) fn routes<State: Clone + Send + Sync + 'static>() -> Router<State> {
    Router::new()
        .route("/console", get(page))
        .route("/console/", get(page))
        .route("/console/{*page}", get(page))
        .route("/console/assets/{*name}", get(file))
}

/// What the console asks for, text by text.
///
/// # Panics
/// Where the build wrote no list of texts.
#[must_use]
pub fn documents() -> Vec<String> {
    let file = Files::get("documents.json").map(|file| file.data).unwrap_or_default();
    serde_json::from_slice(&file).expect("the build writes a list of texts")
}

async fn page(asked: HeaderMap) -> Response {
    match assets::page::<Files>(&asked, POLICY).await {
        Some(page) => page,
        None => not_found().await,
    }
}

async fn file(Path(name): Path<String>, asked: HeaderMap) -> Response {
    match assets::file::<Files>(&asked, &name).await {
        Some(file) => file,
        None => not_found().await,
    }
}
