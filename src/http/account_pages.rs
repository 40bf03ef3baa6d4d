//! Routes of the service's own pages for the links in mails.
//!
//! They are served whether or not the console is: the mails lead here unless the operator names pages of
//! another application. Serving a page has no effect, whatever its URL. The token of a link is in its fragment,
//! which browsers do not send, and the script of the page uses it when a button is pressed.

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use super::assets;
use super::console::{self, Files};
use super::not_found::not_found;

/// Paths of the pages, which have one document. Its script selects the view by the path.
const PATHS: [&str; 4] = ["/account/verify", "/account/reset", "/account/login", "/account/revert"];

const PAGE: &str = "account.html";

/// The build of the console gives the files of these pages names with this beginning.
const PREFIX: &str = "account-";

pub(super) fn routes<State: Clone + Send + Sync + 'static>() -> Router<State> {
    let router = Router::new().route("/account/assets/{name}", get(file));
    PATHS.iter().fold(router, |router, path| router.route(path, get(page)))
}

/// The GraphQL documents of the pages.
///
/// # Panics
/// Where the build of the console wrote no list of documents.
#[must_use]
pub fn documents() -> Vec<String> {
    console::documents_in("account-documents.json")
}

async fn page(headers: HeaderMap) -> Response {
    match assets::page::<Files>(&headers, PAGE, console::POLICY).await {
        Some(page) => page,
        None => not_found().await,
    }
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    if !name.starts_with(PREFIX) {
        return not_found().await;
    }
    match assets::file::<Files>(&headers, &name).await {
        Some(file) => file,
        None => not_found().await,
    }
}
