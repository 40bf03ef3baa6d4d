//! Close codes and reasons of a WebSocket.
//!
//! The code determines what the client does: clients of the protocol give up at 4400, 4401, 4409 and
//! 4429, and reconnect after 1012, 1013, 4403 and 4408.

use axum::extract::ws::CloseFrame;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// A message that is invalid by the protocol.
    BadMessage(String),
    /// A subscription before `connection_init`.
    NotInitialized,
    /// The session has ended; the client has to log in.
    SessionEnded(String),
    /// The access token is not valid, or no longer; the client reconnects with another one.
    Forbidden(String),
    /// No `connection_init` in time.
    InitTimeout,
    IdInUse(String),
    /// A second `connection_init`.
    InitTwice,
    TooLarge,
    /// The service stops.
    Restart,
    TryAgainLater(&'static str),
}

/// Bytes of the reason that fit into a close frame (RFC 6455, section 5.5).
const MAX_REASON_BYTES: usize = 123;

impl CloseReason {
    pub(super) fn frame(&self) -> CloseFrame {
        let (code, reason): (u16, &str) = match self {
            Self::BadMessage(reason) => (4400, reason),
            Self::NotInitialized => (4401, "Unauthorized"),
            Self::SessionEnded(reason) => (4401, reason),
            Self::Forbidden(reason) => (4403, reason),
            Self::InitTimeout => (4408, "Connection initialisation timeout"),
            Self::IdInUse(reason) => (4409, reason),
            Self::InitTwice => (4429, "Too many initialisation requests"),
            Self::TooLarge => (1009, "Message too large"),
            Self::Restart => (1012, "Service restart"),
            Self::TryAgainLater(reason) => (1013, reason),
        };
        let reason = &reason[..reason.floor_char_boundary(MAX_REASON_BYTES)];
        CloseFrame { code, reason: reason.into() }
    }

    pub(super) fn id_in_use(id: &str) -> Self {
        Self::IdInUse(format!("Subscriber for {id} already exists"))
    }
}
