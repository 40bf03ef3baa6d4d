//! The floors under sessions that are known, as the guard asks for them.
//!
//! Rule: a floor is forgotten once no access token below it could be alive, and that is known only once
//! the rows of all its sessions are ended. Until then each read that still finds it keeps it for another
//! lifetime of a token.

use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::store::{EndedSession, Floor};

#[derive(Default)]
pub(super) struct Floors {
    everybodys: Vec<Held>,
    of_users: HashMap<UserId, Vec<Held>>,
}

struct Held {
    floor: Floor,
    /// When it is forgotten.
    until: Timestamp,
}

impl Floors {
    /// The floor that this session is below, if any.
    pub(super) fn over(&self, user: UserId, session: SessionId) -> Option<&Floor> {
        if self.everybodys.is_empty() && self.of_users.is_empty() {
            return None;
        }
        let of_user = self.of_users.get(&user).into_iter().flatten();
        let mut all = self.everybodys.iter().chain(of_user).map(|held| &held.floor);
        all.find(|floor| floor.covers(user, session))
    }

    /// Whether an end need not be remembered, because a floor is for longer.
    pub(super) fn stand_for(&self, ended: &EndedSession) -> bool {
        let floor = self.over(ended.user_id, ended.id);
        floor.is_some_and(|floor| floor.until.is_none_or(|until| until >= ended.until))
    }

    /// Adds a floor, or what became of it; whether it is new. One whose end is not known stays until
    /// `otherwise`.
    pub(super) fn put(&mut self, floor: Floor, otherwise: Timestamp) -> bool {
        let until = floor.until.unwrap_or(otherwise);
        let floors = match floor.user {
            None => &mut self.everybodys,
            Some(user) => self.of_users.entry(user).or_default(),
        };
        let Some(held) = floors.iter_mut().find(|held| held.floor.id == floor.id) else {
            floors.push(Held { floor, until });
            return true;
        };
        // What was read before the last row was ended may arrive after it.
        if held.floor.until.is_none() {
            *held = Held { floor, until };
        }
        false
    }

    /// Forgets those that can cover no live token.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let is_needed = |held: &Held| held.until > now;
        self.everybodys.retain(is_needed);
        self.of_users.retain(|_, floors| {
            floors.retain(is_needed);
            !floors.is_empty()
        });
    }

    /// All of a user and of everybody, or of everybody alone.
    pub(super) fn of(&self, user: Option<UserId>) -> impl Iterator<Item = Floor> {
        let of_user = user.and_then(|user| self.of_users.get(&user)).into_iter().flatten();
        self.everybodys.iter().chain(of_user).map(|held| held.floor)
    }

    /// Those below which rows may not be ended yet.
    pub(super) fn unfinished(&self) -> Vec<Floor> {
        let all = self.everybodys.iter().chain(self.of_users.values().flatten());
        all.map(|held| held.floor).filter(|floor| floor.until.is_none()).collect()
    }
}
