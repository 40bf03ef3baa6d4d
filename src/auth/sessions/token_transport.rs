//! Transport of refresh tokens: in the body, or in a cookie that no script can read.
//!
//! A browser sends its cookies with every request, whichever page made it. So a cookie is read
//! and set only where a page of this service or of a listed origin sent the request: else a page of an
//! attacker could log its visitor in as the attacker. A token in the input counts before the cookie.

use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::redacted::redacted_debug;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTransport {
    /// In the input and in the answer.
    Body,
    Cookie,
}

/// Reason why the cookie of a request is not used, in the words of the transport, which knows its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untrusted(pub &'static str);

/// Change of the browser's cookie by an answer.
#[derive(Clone)]
pub enum CookieChange {
    /// The token, and when it expires.
    Set(Zeroizing<String>, Timestamp),
    Clear,
}

/// The refresh cookie of one request.
pub struct RefreshCookie {
    /// Empty where the cookie cannot be a token.
    token: Option<Zeroizing<String>>,
    /// `Ok` if an allowed page sent the request.
    sender: Result<(), Untrusted>,
    /// Kept here rather than in a use case's result, because failures change the cookie too.
    change: Mutex<Option<CookieChange>>,
}

redacted_debug!(RefreshCookie);

impl RefreshCookie {
    #[must_use]
    pub fn new(token: Option<String>, sender: Result<(), Untrusted>) -> Self {
        Self { token: token.map(Zeroizing::new), sender, change: Mutex::default() }
    }

    /// Of a request whose answer cannot set a cookie; `reason` says why.
    #[must_use]
    pub fn unavailable(reason: &'static str) -> Self {
        Self::new(None, Err(Untrusted(reason)))
    }

    /// The change that the answer has to make, if any.
    pub fn take_change(&self) -> Option<CookieChange> {
        self.change.lock().take()
    }

    pub(super) fn change(&self, change: CookieChange) {
        *self.change.lock() = Some(change);
    }

    /// The token, without a check of the page that sent the request.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }

    /// # Errors
    /// `FORBIDDEN`, about this field, where no allowed page sent the request.
    pub(super) fn trust(&self, field: Field) -> Result<(), UserError> {
        self.sender.map_err(|untrusted| {
            UserError::new(UserErrorCode::Forbidden, field, untrusted.to_string())
        })
    }

    /// # Errors
    /// `FORBIDDEN` where the transport is the cookie and no allowed page sent the request.
    pub(in crate::auth) fn allow(&self, transport: TokenTransport) -> Result<(), UserError> {
        match transport {
            TokenTransport::Body => Ok(()),
            TokenTransport::Cookie => self.trust(Field::Transport),
        }
    }
}
