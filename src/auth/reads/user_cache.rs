//! Cache of user accounts, for `viewer`.
//!
//! Only fields that no operation changes are read from a cached account: the id, the names, the role and
//! the time of creation. So no replica has to invalidate another one's cache. The last login, the
//! password's change and deactivation do change, and are read from the database each time. A row that
//! is changed by hand is seen everywhere within a minute.

use std::sync::Arc;
use std::time::Duration;

use crate::bounded_cache::BoundedCache;
use crate::domain::id::UserId;
use crate::domain::user::User;

/// How long a cached account is used.
const MAX_AGE: Duration = Duration::from_mins(1);

/// About 4 MB when full, at 400 bytes an account.
const MAX_ENTRIES: usize = 10_000;

/// Accounts, each with the monotonic time at which it was read.
pub(in crate::auth) struct UserCache(BoundedCache<UserId, (Arc<User>, Duration)>);

impl Default for UserCache {
    fn default() -> Self {
        Self(BoundedCache::new(MAX_ENTRIES))
    }
}

impl UserCache {
    /// The account, if it was read less than a minute ago.
    pub fn get(&self, id: UserId, now: Duration) -> Option<Arc<User>> {
        let (user, _) = self.0.get_if(&id, |(_, read_at)| now < *read_at + MAX_AGE)?;
        Some(user)
    }

    /// Caches an account that was read just now.
    pub fn put(&self, user: &Arc<User>, now: Duration) {
        self.0.insert(user.id, (Arc::clone(user), now));
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
