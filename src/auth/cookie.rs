//! The refresh token that a browser keeps in a cookie, where no script can read it.
//!
//! Rule: a cookie comes with every request of the browser, whoever made it send the request. So it
//! counts only where a page of ours sent it, and so does the wish to be given one: else a stranger's
//! page could log somebody in as the stranger. What the caller says itself counts before what its
//! browser says by itself.

use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::error::{UserError, UserErrorCode};
use crate::clock::Timestamp;

/// How a refresh token travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTransport {
    /// In the input and in the answer.
    Body,
    /// In the browser's cookie.
    Cookie,
}

/// Why nothing is done with a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// The header that a form or an image cannot send is missing.
    #[error("with cookies this needs the header x-sallyport-csrf, with any value")]
    NoHeader,
    /// The page that sent the request is none of ours.
    #[error("cookies are for pages of this origin, and of this site where they are listed")]
    ForeignPage,
    /// Whatever carried the request gives no cookies.
    #[error("cookies are given in answers to POST only")]
    NoCookies,
}

/// What becomes of a browser's cookie.
#[derive(Clone)]
pub enum CookieChange {
    /// It holds this token until then.
    Set(Zeroizing<String>, Timestamp),
    /// It goes.
    Clear,
}

/// The cookie of one request.
pub struct RefreshCookie {
    /// The token in it. What cannot be one is empty.
    token: Option<Zeroizing<String>>,
    /// Whether a page of ours sent the request.
    sender: Result<(), Untrusted>,
    /// Kept here and not in what a use case comes back with: it has to be told of failures, too.
    change: Mutex<Option<CookieChange>>,
}

/// Redacted.
impl std::fmt::Debug for RefreshCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshCookie(…)")
    }
}

impl RefreshCookie {
    /// What a request brings.
    #[must_use]
    pub fn new(token: Option<String>, sender: Result<(), Untrusted>) -> Self {
        Self { token: token.map(Zeroizing::new), sender, change: Mutex::default() }
    }

    /// That of a request whose answer can bring none.
    #[must_use]
    pub fn none() -> Self {
        Self::new(None, Err(Untrusted::NoCookies))
    }

    /// What is to become of it, if anything.
    pub fn take_change(&self) -> Option<CookieChange> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn change(&self, change: CookieChange) {
        *self.change.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }

    /// The token in it, whoever sent it.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }

    /// Whether a page of ours sent the request; about the input at `path`.
    pub(super) fn trust(&self, path: &'static [&'static str]) -> Result<(), UserError> {
        self.sender.map_err(|untrusted| {
            UserError::new(UserErrorCode::Forbidden, path, untrusted.to_string())
        })
    }
}
