//! Why a socket is closed, as its client is told.
//!
//! Rule: the code says what the client is to do. Clients of the protocol give up at 4400, 4401, 4409
//! and 4429, and come back after 1012, 1013, 4403 and 4408.

use axum::extract::ws::CloseFrame;

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// A message is not one of the protocol.
    BadMessage(String),
    /// An operation was asked for before the beginning.
    NotBegun,
    /// The session has ended: log in.
    SessionEnded(String),
    /// The access token is none, or is good no more: come back with another one.
    Forbidden(String),
    /// Nothing was heard for too long after the socket was opened.
    InitTimeout,
    /// An id is in use.
    IdInUse(String),
    /// It began twice.
    InitTwice,
    /// A message is too large.
    TooLarge,
    /// The service stops.
    Restart,
    /// Not now: come back later.
    TryAgainLater(&'static str),
}

/// The longest reason that fits into a close frame.
const MAX_REASON: usize = 123;

impl Close {
    /// What is sent.
    pub(super) fn frame(&self) -> CloseFrame {
        let (code, reason): (u16, &str) = match self {
            Self::BadMessage(reason) => (4400, reason),
            Self::NotBegun => (4401, "Unauthorized"),
            Self::SessionEnded(reason) => (4401, reason),
            Self::Forbidden(reason) => (4403, reason),
            Self::InitTimeout => (4408, "Connection initialisation timeout"),
            Self::IdInUse(reason) => (4409, reason),
            Self::InitTwice => (4429, "Too many initialisation requests"),
            Self::TooLarge => (1009, "Message too large"),
            Self::Restart => (1012, "Service restart"),
            Self::TryAgainLater(reason) => (1013, reason),
        };
        let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
        CloseFrame { code, reason: reason.into() }
    }

    /// An id is in use.
    pub(super) fn id_in_use(id: &str) -> Self {
        Self::IdInUse(format!("Subscriber for {id} already exists"))
    }
}
