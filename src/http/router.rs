//! Routes of the service.

use std::future::ready;
use std::sync::Arc;

use async_graphql::ObjectType;
use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};

use super::graphql::{Engine, GraphqlEndpoint, PersistedDocuments, Subscribers};
use super::middleware::{self, MiddlewareState, RESPONSE_TIMEOUT};
use super::not_found::not_found;
use super::options::Options;
use super::{account_pages, console, cors, graphiql, health, simplejwt, well_known};
use crate::auth::Auth;
use crate::entropy::Entropy;
use crate::graphql::Schema;
use crate::telemetry::RequestIds;

/// State that lives as long as the service, beside that of its use cases.
#[derive(Clone, Debug)]
pub struct SharedState {
    pub documents: Arc<PersistedDocuments>,
    pub subscribers: Arc<Subscribers>,
}

/// All routes, with the middleware around them.
pub fn router<Root: ObjectType + 'static>(
    auth: Arc<Auth>,
    schema: Schema<Root>,
    entropy: Arc<dyn Entropy>,
    options: &Options,
    state: SharedState,
) -> Router {
    let transport = &options.transport;
    let url = auth.guard.issuer().issuer.clone();
    let origins = transport.allowed_origins(&url);
    let middleware_state = MiddlewareState {
        ids: RequestIds::new(entropy),
        metrics: Arc::clone(auth.system.metrics()),
        proxies: transport.proxies.clone(),
        origins: origins.clone(),
        tls: url.starts_with("https://"),
        timeout: RESPONSE_TIMEOUT,
    };
    let endpoint = Arc::new(GraphqlEndpoint {
        engine: Arc::new(Engine::new(schema, options.limits.clone(), state.documents)),
        auth: Arc::clone(&auth),
        subscribers: state.subscribers,
        cookies: transport.token_cookies(origins.clone()),
        origins: origins.clone(),
        graphiql: options.graphiql,
    });
    // Boxed at once, because axum passes the future of a handler on by value.
    let graphql = move |request: Request| Box::pin(Arc::clone(&endpoint).handle(request));
    let (mut graphql, mut fallback) = (any(graphql), any(not_found));
    let simplejwt = options.simplejwt.as_ref();
    let mut simplejwt = simplejwt.map(|path| simplejwt::routes(path, &auth)).unwrap_or_default();
    if let Some(cors) = cors::layer(&origins, &transport.headers) {
        graphql = graphql.layer(cors.clone());
        if options.simplejwt.is_some() {
            simplejwt = simplejwt.layer(cors.clone());
        }
        fallback = fallback.layer(cors);
    }
    let mut pages = account_pages::routes();
    if options.graphiql {
        pages = pages.route(graphiql::FILES_PATH, get(graphiql::file));
    }
    if options.console {
        pages = pages.merge(console::routes());
    }
    if !options.related_origins.is_empty() {
        let origins = options.related_origins.clone();
        let document = move || ready(well_known::related_origins(&origins));
        pages = pages.route("/.well-known/webauthn", get(document));
    }
    Router::new()
        .route("/graphql", graphql.clone())
        // Other servers have the path with a slash, and many front ends request it so.
        .route("/graphql/", graphql)
        .merge(pages)
        .merge(simplejwt)
        .route("/.well-known/jwks.json", get(well_known::jwks))
        .route("/.well-known/oauth-authorization-server", get(well_known::authorization_server))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback_service(fallback.with_state(()))
        .with_state(auth)
        .layer(from_fn_with_state(Arc::new(middleware_state), middleware::run))
}
