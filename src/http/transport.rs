//! How requests come here and answers leave: whose they are, what browsers are told of them, and
//! the cookie that goes along.

use axum::extract::Request;
use axum::response::Response;

use super::client_address::TrustedProxies;
use super::cookie::CookieName;
use super::origins::{Origins, WebOrigin};
use super::page_headers::PageHeader;
use crate::auth::{Auth, RefreshCookie};

/// What an operator decides of it.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// Origins whose pages may call, beside this service's own.
    pub origins: Vec<WebOrigin>,
    /// Headers that these pages may send, beside the usual ones.
    pub headers: Vec<PageHeader>,
    /// Whose word on the client's address counts.
    pub proxies: TrustedProxies,
    /// Whether cookies do without TLS.
    pub insecure_cookies: bool,
}

impl Transport {
    /// Who may call the service at `url`.
    pub(super) fn origins(&self, url: &str) -> Origins {
        Origins::new(&self.origins, &self.headers, url)
    }

    /// The cookies of browsers.
    pub(super) fn cookies(&self, origins: Origins) -> Cookies {
        let insecure = self.insecure_cookies;
        let name = if insecure { CookieName::INSECURE } else { CookieName::SECURE };
        Cookies { name, origins }
    }
}

/// The cookies of browsers, from the request to the answer.
#[derive(Clone, Debug)]
pub(super) struct Cookies {
    name: CookieName,
    origins: Origins,
}

impl Cookies {
    /// The cookie that a request brings, and whether it may count.
    pub(super) fn read(&self, request: &Request) -> RefreshCookie {
        let headers = request.headers();
        RefreshCookie::new(self.name.read(headers), self.origins.sender(headers, request.uri()))
    }

    /// Writes what became of it into the answer.
    pub(super) fn write(&self, cookie: &RefreshCookie, auth: &Auth, response: &mut Response) {
        if let Some(change) = cookie.take_change() {
            self.name.write(&change, auth.system.now(), response);
        }
    }
}
