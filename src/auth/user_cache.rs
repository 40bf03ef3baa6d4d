//! Cache of user accounts, for `viewer`.
//!
//! Only fields that change rarely are read from a cached account: the id, the names, the role and the time
//! of creation. A change by this process replaces the cached account at once; a change by another replica
//! is seen after two seconds. Nothing is decided by a cached account. All other fields are read from the
//! database each time.

use std::sync::Arc;
use std::time::Duration;

use crate::bounded_cache::BoundedCache;
use crate::domain::id::UserId;
use crate::domain::user::User;

/// How long a cached account is used.
const MAX_AGE: Duration = Duration::from_secs(2);

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
    /// The account, if it was read less than two seconds ago.
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
    use crate::domain::role_names::RoleNames;
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
            email_verified_at: None,
            locale: None,
            deleted_at: None,
            external_id: None,
            roles: RoleNames::default(),
        })
    }

    #[test]
    fn an_account_is_remembered_for_two_seconds() {
        let (users, ada) = (UserCache::default(), user(1));
        users.put(&ada, Duration::from_secs(5));
        assert!(users.get(ada.id, Duration::from_millis(6_999)).is_some());
        assert!(users.get(ada.id, Duration::from_secs(7)).is_none());
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
