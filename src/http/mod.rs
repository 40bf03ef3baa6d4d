//! HTTP: the doors of the service, and what every answer says about itself.
//!
//! Rule: every answer has a request id, which the log has too, and the headers that keep it from
//! being used for anything else. A path that is not served is answered in JSON like everything else.

pub mod graphql;
pub mod server;

mod assets;
mod caller;
mod client_address;
mod console;
mod cookie;
mod counts;
mod graphiql;
mod head;
mod health;
mod metrics;
mod origins;
mod page_headers;
mod passage;
mod record;
mod security_headers;
mod transport;
mod weighted;
mod well_known;

pub use client_address::{ProxyHeader, TrustedProxies};
pub use console::documents as console_documents;
pub use metrics::metrics_router;
pub use origins::{WebOrigin, WebOriginError};
pub use page_headers::{PageHeader, PageHeaderError};
pub use transport::Transport;

use std::sync::Arc;

use async_graphql::ObjectType;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router, middleware};
use serde_json::json;

use self::graphql::{Documents, GraphqlEndpoint, Subscribers};
use self::passage::{PATIENCE, Passage};
use crate::auth::Auth;
use crate::entropy::Entropy;
use crate::graphql::document::Limits;
use crate::graphql::{Schema, attach};
use crate::telemetry::RequestIds;

/// What an operator decides of the doors.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether browsers find GraphiQL at `/graphql`.
    pub graphiql: bool,
    /// Whether people find the console at `/console`.
    pub console: bool,
    /// What a document may hold.
    pub limits: Limits,
    /// Who may call from where, and by what way.
    pub transport: Transport,
}

/// What the doors remember between requests.
#[derive(Clone, Debug)]
pub struct Live {
    /// The documents that requests need not send.
    pub documents: Arc<Documents>,
    /// Who has a socket or an event stream open.
    pub subscribers: Arc<Subscribers>,
}

/// The routes.
pub fn router<Root: ObjectType + 'static>(
    auth: Arc<Auth>,
    schema: Schema<Root>,
    entropy: Arc<dyn Entropy>,
    options: &Options,
    live: Live,
) -> Router {
    let with_graphiql = options.graphiql;
    let transport = &options.transport;
    let url = auth.guard.issuer().issuer.clone();
    let origins = transport.origins(&url);
    let cookies = transport.cookies(origins.clone());
    let pages_of = origins.clone();
    let Live { documents, subscribers } = live;
    let endpoint = GraphqlEndpoint::new(schema, options.limits.clone(), documents);
    let endpoint = Arc::new(endpoint);
    let callers = Arc::clone(&auth);
    let passage = Passage {
        ids: RequestIds::new(entropy),
        metrics: Arc::clone(auth.system.metrics()),
        proxies: transport.proxies.clone(),
        origins: origins.clone(),
        tls: url.starts_with("https://"),
        patience: PATIENCE,
    };
    let graphql = move |request: Request| {
        let (endpoint, auth) = (Arc::clone(&endpoint), Arc::clone(&callers));
        let (subscribers, cookies) = (Arc::clone(&subscribers), cookies.clone());
        let may_open = pages_of.may_open_sockets(request.headers(), request.uri());
        // On the heap from the start: axum hands it on by value.
        Box::pin(async move {
            if with_graphiql && graphiql::is_asked_for(&request) {
                return graphiql::page(request.headers()).await;
            }
            let caller = caller::caller(&auth, &request).await;
            let admit = || subscribers.admit(&auth, caller.clone());
            if graphql::is_socket_asked_for(&request) {
                return graphql::open_socket(endpoint, request, may_open, admit).await;
            }
            let cookie = Arc::new(cookies.read(&request));
            let attach = |request| attach(request, &auth, caller.clone(), Arc::clone(&cookie));
            let mut response = endpoint.answer(request, attach, admit).await;
            cookies.write(&cookie, &auth, &mut response);
            response
        })
    };
    let (mut graphql, mut nothing) = (any(graphql), any(not_found));
    if let Some(cross_origin) = origins.layer() {
        graphql = graphql.layer(cross_origin.clone());
        nothing = nothing.layer(cross_origin);
    }
    let mut pages = Router::new();
    if with_graphiql {
        pages = pages.route(graphiql::FILES, get(graphiql::file));
    }
    if options.console {
        pages = pages.merge(console::routes());
    }
    let routes = Router::new()
        .route("/graphql", graphql.clone())
        // Where other servers have it, and with them many front ends.
        .route("/graphql/", graphql)
        .merge(pages)
        .route("/.well-known/jwks.json", get(well_known::jwks))
        .route("/.well-known/oauth-authorization-server", get(well_known::authorization_server))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback_service(nothing.with_state(()))
        .with_state(auth);
    routes.layer(middleware::from_fn_with_state(Arc::new(passage), passage::pass))
}

async fn not_found() -> Response {
    let body =
        json!({ "errors": [{ "message": "there is nothing here; GraphQL is at /graphql" }] });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}
