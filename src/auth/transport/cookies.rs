//! Cookies of one request: those of the refresh token, of a login which waits for its next step, of a login by
//! a passkey, and of a trusted device.
//!
//! A browser sends its cookies with every request, whichever page made it. So a cookie is read
//! and set only where a page of this service or of a listed origin sent the request: else a page of an
//! attacker could log its visitor in as the attacker. A token in the input counts before the cookie.

use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::token_transport::{TokenTransport, Untrusted};
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::redacted::redacted_debug;

/// Change of a cookie by an answer.
#[derive(Clone)]
pub enum CookieChange {
    /// The token, and when it expires.
    Set(Zeroizing<String>, Timestamp),
    Clear,
}

/// One cookie of a request, and its change.
#[derive(Default)]
pub struct CookieSlot {
    /// Empty where the cookie cannot be a token.
    token: Option<Zeroizing<String>>,
    /// Kept here rather than in a use case's result, because failures change the cookie too.
    change: Mutex<Option<CookieChange>>,
}

/// The cookies of one request.
pub struct Cookies {
    /// The refresh token.
    pub(in crate::auth) refresh: CookieSlot,
    /// The token of a challenge. It also shows that a browser registered an account.
    pub(in crate::auth) login: CookieSlot,
    /// The token of a login by a passkey, which a page begins as soon as it is open. Not in the cookie above: a
    /// login that waits for its next step, in another tab, would lose its token.
    pub(in crate::auth) passkey: CookieSlot,
    /// The token of a trusted device.
    pub(in crate::auth) device: CookieSlot,
    /// `Ok` if an allowed page sent the request.
    sender: Result<(), Untrusted>,
}

redacted_debug!(Cookies);

impl CookieSlot {
    #[must_use]
    pub fn new(token: Option<String>) -> Self {
        Self { token: token.map(Zeroizing::new), change: Mutex::default() }
    }

    pub(in crate::auth) fn change(&self, change: CookieChange) {
        *self.change.lock() = Some(change);
    }

    /// The token, without a check of the page that sent the request.
    pub(in crate::auth) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }

    fn take_change(&self) -> Option<CookieChange> {
        self.change.lock().take()
    }
}

impl Cookies {
    #[must_use]
    pub fn new(
        [refresh, login, passkey, device]: [CookieSlot; 4],
        sender: Result<(), Untrusted>,
    ) -> Self {
        Self { refresh, login, passkey, device, sender }
    }

    /// Of a request whose answer cannot set a cookie; `reason` says why.
    #[must_use]
    pub fn unavailable(reason: &'static str) -> Self {
        Self::new(Default::default(), Err(Untrusted(reason)))
    }

    /// The changes that the answer has to make, if any, in the order of [`new`](Self::new).
    pub fn take_changes(&self) -> [Option<CookieChange>; 4] {
        [&self.refresh, &self.login, &self.passkey, &self.device].map(CookieSlot::take_change)
    }

    /// # Errors
    /// `FORBIDDEN`, about this field, where no allowed page sent the request.
    pub(in crate::auth) fn trust(&self, field: Field) -> Result<(), UserError> {
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

    /// The token of the challenge in the cookie, if an allowed page sent the request.
    pub(in crate::auth) fn trusted_login_token(&self) -> Option<&str> {
        self.login.token().filter(|_| self.sender.is_ok())
    }

    /// The token of the device in the cookie, if an allowed page sent the request.
    pub(in crate::auth) fn trusted_device_token(&self) -> Option<&str> {
        self.device.token().filter(|_| self.sender.is_ok())
    }
}
