//! Who has a socket or an event stream open.
//!
//! Rule: each has a seat, and seats are bounded: in all, for an address and its network, for a user.
//! Whoever has one is told when the service stops.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::auth::{Auth, Caller, Denial, UnauthenticatedReason};
use crate::domain::id::UserId;
use crate::http::counts::{BySource, free, take};

/// The most in all.
const MAX_OPEN: usize = 10_000;

/// The most from one address. Many people may share one.
const MAX_OF_ADDRESS: usize = 1000;

/// The most of one user.
const MAX_OF_USER: usize = 50;

/// How many ticks of a second the last events may take of a session that has ended. The database may
/// be slow, or away for a moment.
pub(super) const PARTING: u8 = 10;

/// All seats that are taken.
#[derive(Debug, Default)]
pub struct Subscribers {
    taken: Mutex<Taken>,
    open: watch::Sender<usize>,
    stopping: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Taken {
    by_source: BySource,
    by_user: HashMap<UserId, usize>,
}

/// A seat, which is free again once this is dropped; and who sits there.
pub(in crate::http) struct Seat {
    subscribers: Arc<Subscribers>,
    ip: Option<IpAddr>,
    user: Option<UserId>,
    stopping: watch::Receiver<bool>,
    auth: Arc<Auth>,
    caller: Caller,
}

/// How somebody with a seat stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// As before.
    Good,
    /// The access token is good no more: it has run out, or its key was removed.
    TokenOver(UnauthenticatedReason),
    /// The session has ended.
    Ended,
}

impl Subscribers {
    /// How many sockets and event streams are open.
    #[must_use]
    pub fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Tells all of them that the service stops.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until none is open.
    pub async fn gone(&self) {
        // The sender is right here.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    /// A seat for a caller; `None` where there is none left.
    pub(in crate::http) fn admit(
        self: &Arc<Self>,
        auth: &Arc<Auth>,
        caller: Caller,
    ) -> Option<Seat> {
        let ip = caller.origin().ip;
        let mut taken = self.lock();
        if self.open() >= MAX_OPEN || *self.stopping.borrow() {
            return None;
        }
        if let Some(ip) = ip {
            taken.by_source.take(ip, MAX_OF_ADDRESS)?;
        }
        self.open.send_modify(|open| *open += 1);
        drop(taken);
        let (subscribers, auth) = (Arc::clone(self), Arc::clone(auth));
        let stopping = self.stopping.subscribe();
        Some(Seat { subscribers, ip, user: None, stopping, auth, caller })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Who sits here.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The rules that judge them.
    pub(super) fn auth(&self) -> &Arc<Auth> {
        &self.auth
    }

    /// Another token for the same seat.
    pub(super) async fn present(&mut self, token: &str) {
        self.caller = self.auth.guard.caller(Some(token), self.caller.origin().clone()).await;
    }

    /// Counts the seat for its user; `false` where that one has too many.
    ///
    /// # Errors
    /// [`Denial`] where it is nobody's.
    pub(super) fn count(&mut self) -> Result<bool, Denial> {
        let user = self.auth.guard.authenticate(&self.caller)?.user_id();
        let counted = take(&mut self.subscribers.lock().by_user, user, MAX_OF_USER).is_some();
        if counted {
            self.user = Some(user);
        }
        Ok(counted)
    }

    /// How whoever sits here stands now. Where it cannot be told, nothing has changed.
    pub(super) fn standing(&self) -> Standing {
        match self.auth.guard.authenticate_again(&self.caller) {
            Err(Denial::Unauthenticated(
                reason @ (UnauthenticatedReason::Expired | UnauthenticatedReason::Invalid),
            )) => Standing::TokenOver(reason),
            Err(Denial::Unauthenticated(
                UnauthenticatedReason::SessionEnded | UnauthenticatedReason::UserInactive,
            )) => Standing::Ended,
            _ => Standing::Good,
        }
    }

    /// Waits until the service stops.
    pub(super) async fn stopping(&mut self) {
        let _ = self.stopping.wait_for(|stopping| *stopping).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.subscribers.lock();
        if let Some(ip) = self.ip {
            taken.by_source.free(ip);
        }
        if let Some(user) = &self.user {
            free(&mut taken.by_user, user);
        }
        self.subscribers.open.send_modify(|open| *open -= 1);
    }
}
