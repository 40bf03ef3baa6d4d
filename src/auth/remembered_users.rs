//! Accounts that were read a moment ago: what `viewer` is mostly asked for.
//!
//! Rule: what is remembered answers only for what no operation changes, the id, the names, the role and
//! when the account was made, so that no process has to tell another one to forget. Logins, passwords
//! and deactivation change, and are read each time. Whoever changes a row by hand sees it everywhere
//! within a minute.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;

use crate::domain::id::UserId;
use crate::domain::user::User;

/// How long an account is remembered.
const FOR: Duration = Duration::from_mins(1);

/// The most accounts that are remembered, at about 400 bytes each.
const MOST: usize = 10_000;

/// Accounts, each with the monotonic time at which it was read.
pub(super) struct RememberedUsers(Mutex<LruCache<UserId, (Arc<User>, Duration)>>);

impl Default for RememberedUsers {
    fn default() -> Self {
        // Bounded below: a cache that is told its bound takes the room for it at once.
        Self(Mutex::new(LruCache::unbounded()))
    }
}

impl RememberedUsers {
    /// The account as it was read lately.
    pub fn get(&self, id: UserId, now: Duration) -> Option<Arc<User>> {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (user, read_at) = users.get(&id)?;
        (now < *read_at + FOR).then(|| Arc::clone(user))
    }

    /// Remembers an account that was read just now.
    pub fn put(&self, user: &Arc<User>, now: Duration) {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        users.put(user.id, (Arc::clone(user), now));
        while users.len() > MOST {
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
        let (users, ada) = (RememberedUsers::default(), user(1));
        users.put(&ada, Duration::from_secs(5));
        assert!(users.get(ada.id, Duration::from_secs(64)).is_some());
        assert!(users.get(ada.id, Duration::from_secs(65)).is_none());
        assert!(users.get(user(2).id, Duration::from_secs(5)).is_none());
    }

    #[test]
    fn the_accounts_asked_for_longest_ago_make_room() {
        let (users, ada) = (RememberedUsers::default(), user(0));
        users.put(&ada, Duration::ZERO);
        for seed in 1..=MOST as u64 {
            assert!(users.get(ada.id, Duration::ZERO).is_some());
            users.put(&user(seed), Duration::ZERO);
        }
        assert!(users.get(ada.id, Duration::ZERO).is_some());
        assert!(users.get(user(1).id, Duration::ZERO).is_none());
    }
}
