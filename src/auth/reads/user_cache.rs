//! Cache of accounts, for the field `viewer`.
//!
//! A cached account answers only for what no operation changes: its id, names, role and time of creation.
//! So no process has to invalidate another one's cache. Logins, passwords and deactivation change, and are
//! read each time. A row that is changed by hand is seen everywhere within a minute.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;

use crate::domain::id::UserId;
use crate::domain::user::User;

const TTL: Duration = Duration::from_mins(1);

/// Most accounts, at about 400 bytes each.
const MAX_ENTRIES: usize = 10_000;

/// Accounts, each with the monotonic time at which it was read.
pub(in crate::auth) struct UserCache(Mutex<LruCache<UserId, (Arc<User>, Duration)>>);

impl Default for UserCache {
    fn default() -> Self {
        // Bounded below: a cache that is told its bound takes the room for it at once.
        Self(Mutex::new(LruCache::unbounded()))
    }
}

impl UserCache {
    pub fn get(&self, id: UserId, now: Duration) -> Option<Arc<User>> {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (user, read_at) = users.get(&id)?;
        (now < *read_at + TTL).then(|| Arc::clone(user))
    }

    pub fn put(&self, user: &Arc<User>, now: Duration) {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        users.put(user.id, (Arc::clone(user), now));
        while users.len() > MAX_ENTRIES {
            users.pop_lru();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::user::{Names, Role};
    use crate::entropy::SeededEntropy;

    fn user(seed: u64) -> Arc<User> {
        let now = Timestamp::from_seconds(1);
        Arc::new(User {
            id: UserId::new(now, &SeededEntropy::new(seed)),
            names: Names::parse("ada", None).unwrap(),
            role: Role::User,
            created_at: now,
            last_login_at: None,
            password_changed_at: None,
            deactivated_at: None,
        })
    }

    #[test]
    fn an_account_is_remembered_for_a_minute() {
        let (users, ada) = (UserCache::default(), user(1));
        users.put(&ada, Duration::from_secs(5));
        assert!(users.get(ada.id, Duration::from_secs(64)).is_some());
        assert!(users.get(ada.id, Duration::from_secs(65)).is_none());
        assert!(users.get(user(2).id, Duration::from_secs(5)).is_none());
    }

    #[test]
    fn the_accounts_asked_for_longest_ago_make_room() {
        let (users, ada) = (UserCache::default(), user(0));
        users.put(&ada, Duration::ZERO);
        for seed in 1..=MAX_ENTRIES as u64 {
            assert!(users.get(ada.id, Duration::ZERO).is_some());
            users.put(&user(seed), Duration::ZERO);
        }
        assert!(users.get(ada.id, Duration::ZERO).is_some());
        assert!(users.get(user(1).id, Duration::ZERO).is_none());
    }
}
