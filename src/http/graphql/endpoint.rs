//! Endpoint `/graphql`: GraphiQL, WebSocket and GraphQL requests.

use std::sync::Arc;

use async_graphql::Executor;
use axum::extract::Request;
use axum::response::Response;

use super::engine::Engine;
use super::http_request;
use super::subscribers::Subscribers;
use super::websocket;
use crate::auth::Auth;
use crate::graphql::attach;
use crate::http::caller::caller;
use crate::http::cookie::TokenCookies;
use crate::http::graphiql;
use crate::http::origin_check::AllowedOrigins;

pub(in crate::http) struct GraphqlEndpoint<E> {
    pub(in crate::http) engine: Arc<Engine<E>>,
    pub(in crate::http) auth: Arc<Auth>,
    pub(in crate::http) subscribers: Arc<Subscribers>,
    pub(in crate::http) cookies: TokenCookies,
    pub(in crate::http) origins: AllowedOrigins,
    /// Whether GraphiQL is served to browsers.
    pub(in crate::http) graphiql: bool,
}

impl<E: Executor> GraphqlEndpoint<E> {
    pub(in crate::http) async fn handle(self: Arc<Self>, request: Request) -> Response {
        if self.graphiql && graphiql::is_requested(&request) {
            return graphiql::page(request.headers()).await;
        }
        let caller = caller(&self.auth, &request).await;
        let acquire_permit = || self.subscribers.acquire(&self.auth, caller.clone());
        if websocket::is_requested(&request) {
            let may_open = self.origins.may_open_socket(request.headers(), request.uri());
            let engine = Arc::clone(&self.engine);
            return websocket::open(engine, request, may_open, acquire_permit).await;
        }
        let cookies = Arc::new(self.cookies.read(&request));
        let attach = |request| attach(request, &self.auth, caller.clone(), Arc::clone(&cookies));
        let mut response =
            http_request::respond(&self.engine, request, attach, acquire_permit).await;
        self.cookies.write(&cookies, &self.auth, &mut response);
        response
    }
}
