//! Subscribers: clients with an open WebSocket or event stream.
//!
//! Each holds a permit of the quotas in total, per address and network, and per user. All of them are
//! notified when the service stops.

use std::sync::Arc;

use tokio::sync::watch;

use crate::auth::{Auth, Caller, Denial, UnauthenticatedReason};
use crate::domain::id::UserId;
use crate::http::quota::{KeyPermit, KeyQuota, Permit, Quota};

const MAX_TOTAL: usize = 10_000;

/// Many people may share an address.
const MAX_PER_ADDRESS: usize = 1000;

const MAX_PER_USER: usize = 50;

/// Seconds for the last events of a session after it has ended. The database may be slow, or
/// unavailable for a moment.
pub(super) const MAX_SECONDS_AFTER_END: u8 = 10;

#[derive(Debug)]
pub struct Subscribers {
    quota: Arc<Quota>,
    user_quota: Arc<KeyQuota<UserId>>,
    open: watch::Sender<usize>,
    stopping: watch::Sender<bool>,
}

/// The permit of a subscriber, returned on drop, and the caller that it was given to.
pub(in crate::http) struct SubscriberPermit {
    subscribers: Arc<Subscribers>,
    stopping: watch::Receiver<bool>,
    auth: Arc<Auth>,
    caller: Caller,
    user_permit: Option<KeyPermit<UserId>>,
    _permit: Permit,
}

/// Whether the caller of a subscription may still receive events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authorization {
    Valid,
    /// The access token has expired, or its signing key was removed.
    TokenRejected(UnauthenticatedReason),
    SessionEnded,
}

impl Default for Subscribers {
    fn default() -> Self {
        Self {
            quota: Arc::new(Quota::new(MAX_TOTAL, MAX_PER_ADDRESS)),
            user_quota: Arc::new(KeyQuota::new(MAX_PER_USER)),
            open: watch::Sender::default(),
            stopping: watch::Sender::default(),
        }
    }
}

impl Subscribers {
    /// Number of open sockets and event streams.
    #[must_use]
    pub fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Notifies all subscribers that the service stops. No permit is given afterwards.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until no WebSocket and no event stream is open.
    pub async fn all_closed(&self) {
        // No error: `self` holds the sender.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    /// A permit for a caller; `None` where a quota is used up or the service stops. The quota of the
    /// user is acquired separately, once the token is known to be valid.
    pub(in crate::http) fn acquire(
        self: &Arc<Self>,
        auth: &Arc<Auth>,
        caller: Caller,
    ) -> Option<SubscriberPermit> {
        if *self.stopping.borrow() {
            return None;
        }
        let permit = self.quota.acquire(caller.origin().ip)?;
        self.open.send_modify(|open| *open += 1);
        Some(SubscriberPermit {
            subscribers: Arc::clone(self),
            stopping: self.stopping.subscribe(),
            auth: Arc::clone(auth),
            caller,
            user_permit: None,
            _permit: permit,
        })
    }
}

impl SubscriberPermit {
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(super) fn auth(&self) -> &Arc<Auth> {
        &self.auth
    }

    /// Replaces the caller by that of another access token.
    pub(super) async fn set_token(&mut self, token: &str) {
        self.caller = self.auth.guard.caller(Some(token), self.caller.origin().clone()).await;
    }

    /// Acquires the quota of the user; `false` where it is used up.
    ///
    /// # Errors
    /// [`Denial`] where the caller is not authenticated.
    pub(super) fn acquire_for_user(&mut self) -> Result<bool, Denial> {
        let user = self.auth.guard.authenticate(&self.caller)?.user_id();
        self.user_permit = self.subscribers.user_quota.acquire(user);
        Ok(self.user_permit.is_some())
    }

    /// Whether the caller may still receive events. Valid, too, where that cannot be determined at
    /// the moment.
    pub(super) fn authorization(&self) -> Authorization {
        match self.auth.guard.authenticate_again(&self.caller) {
            Err(Denial::Unauthenticated(
                reason @ (UnauthenticatedReason::Expired | UnauthenticatedReason::Invalid),
            )) => Authorization::TokenRejected(reason),
            Err(Denial::Unauthenticated(
                UnauthenticatedReason::SessionEnded | UnauthenticatedReason::UserInactive,
            )) => Authorization::SessionEnded,
            _ => Authorization::Valid,
        }
    }

    /// Waits until the service stops.
    pub(super) async fn stopping(&mut self) {
        let _ = self.stopping.wait_for(|stopping| *stopping).await;
    }
}

impl Drop for SubscriberPermit {
    fn drop(&mut self) {
        self.subscribers.open.send_modify(|open| *open -= 1);
    }
}
