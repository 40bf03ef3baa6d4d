//! Options of the HTTP interface.

use super::client_address::TrustedProxies;
use super::cookie::TokenCookies;
use super::cors_headers::CorsHeader;
use super::origin_check::AllowedOrigins;
use super::simplejwt::EndpointPath;
use super::web_origin::WebOrigin;
use crate::crypto::passkey::PasskeyOrigin;
use crate::graphql::document::Limits;

#[derive(Clone, Debug)]
pub struct Options {
    /// Whether GraphiQL is served to browsers at `/graphql`.
    pub graphiql: bool,
    /// Whether the console is served at `/console`.
    pub console: bool,
    /// Origins of other domains whose pages may use passkeys of this one.
    pub related_origins: Vec<PasskeyOrigin>,
    /// Path of the endpoints of SimpleJWT; `None`: there are none.
    pub simplejwt: Option<EndpointPath>,
    /// Limits of GraphQL documents.
    pub limits: Limits,
    pub transport: TransportOptions,
}

/// Options of clients: browsers and proxies.
#[derive(Clone, Debug, Default)]
pub struct TransportOptions {
    /// Origins whose pages may call, beside the own origin of the service.
    pub origins: Vec<WebOrigin>,
    /// Headers that these pages may send, beside the common ones.
    pub headers: Vec<CorsHeader>,
    pub proxies: TrustedProxies,
    /// Whether cookies are also sent without TLS.
    pub insecure_cookies: bool,
}

impl TransportOptions {
    /// The allowed origins of the service with this URL.
    pub(super) fn allowed_origins(&self, url: &str) -> AllowedOrigins {
        AllowedOrigins::new(&self.origins, url)
    }

    pub(super) fn token_cookies(&self, origins: AllowedOrigins) -> TokenCookies {
        TokenCookies::new(self.insecure_cookies, origins)
    }
}
