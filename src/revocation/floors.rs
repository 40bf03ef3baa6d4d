//! Floors in memory: each ends all sessions with a smaller id, of one user or of all users.
//!
//! A floor is removed once no access token of its sessions can be valid. That time is known only after the
//! rows of all its sessions are ended. Until then each read that still finds the floor keeps it for
//! another lifetime of an access token.

use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::store::{EndedSession, Floor};

#[derive(Default)]
pub(super) struct Floors {
    of_all: Vec<StoredFloor>,
    of_users: HashMap<UserId, Vec<StoredFloor>>,
}

struct StoredFloor {
    floor: Floor,
    /// When the floor is removed.
    until: Timestamp,
}

impl Floors {
    /// A floor that ends this session.
    pub(super) fn over(&self, user: UserId, session: SessionId) -> Option<&Floor> {
        if self.of_all.is_empty() && self.of_users.is_empty() {
            return None;
        }
        let of_user = self.of_users.get(&user).into_iter().flatten();
        let mut all = self.of_all.iter().chain(of_user).map(|held| &held.floor);
        all.find(|floor| floor.covers(user, session))
    }

    /// Whether a floor covers this end for at least as long, so that the end need not be stored.
    pub(super) fn cover(&self, ended: &EndedSession) -> bool {
        let floor = self.over(ended.user_id, ended.id);
        floor.is_some_and(|floor| floor.until.is_none_or(|until| until >= ended.until))
    }

    /// Adds or updates a floor; whether it is new. A floor without a known end is kept until `default_end`.
    pub(super) fn put(&mut self, floor: Floor, default_end: Timestamp) -> bool {
        let until = floor.until.unwrap_or(default_end);
        let floors = match floor.user {
            None => &mut self.of_all,
            Some(user) => self.of_users.entry(user).or_default(),
        };
        let Some(held) = floors.iter_mut().find(|held| held.floor.id == floor.id) else {
            floors.push(StoredFloor { floor, until });
            return true;
        };
        // A floor that was read before its last row was ended may arrive later; a known end stays.
        if held.floor.until.is_none() {
            *held = StoredFloor { floor, until };
        }
        false
    }

    /// Removes floors that no valid token can be of.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let is_needed = |held: &StoredFloor| held.until > now;
        self.of_all.retain(is_needed);
        self.of_users.retain(|_, floors| {
            floors.retain(is_needed);
            !floors.is_empty()
        });
    }

    /// Floors of all users, and those of this user if one is given.
    pub(super) fn of(&self, user: Option<UserId>) -> impl Iterator<Item = Floor> {
        let of_user = user.and_then(|user| self.of_users.get(&user)).into_iter().flatten();
        self.of_all.iter().chain(of_user).map(|held| held.floor)
    }

    /// Floors whose sessions' rows may not all be ended yet.
    pub(super) fn unfinished(&self) -> Vec<Floor> {
        let all = self.of_all.iter().chain(self.of_users.values().flatten());
        all.map(|held| held.floor).filter(|floor| floor.until.is_none()).collect()
    }
}
