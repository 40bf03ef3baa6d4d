//! Change of a username by its user.

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::user::{Names, User};
use crate::store::accounts::create::NameTaken;
use crate::store::accounts::names::UserNames;
use crate::store::accounts::update::UpdateNames;
use crate::store::audit::{Audit, NewEvent};
use crate::store::credentials::Passwords;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;

/// Order to change a username.
#[derive(Clone, Debug)]
pub struct ChangeUsername {
    pub user: UserId,
    /// Names that the account must still have.
    pub current: Names,
    pub new: Names,
    pub at: Timestamp,
    /// Until when the former username is reserved.
    pub reserve_until: Timestamp,
}

/// Reason why a username was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRenamed {
    NameTaken(NameTaken),
    /// The username was changed before; the next change is possible at this time.
    TooSoon(Timestamp),
    /// The account has other names than [`ChangeUsername::current`].
    Changed,
    /// The account does not exist or was deleted.
    Missing,
}

impl Store {
    /// Changes a username and reserves the former one. No second change is possible until the reservation
    /// ends, not even to another spelling: each change writes an event.
    pub async fn change_username(
        &self,
        change: ChangeUsername,
        event: NewEvent,
    ) -> Result<Result<User, NotRenamed>> {
        transact!(self, conn => {
            let ChangeUsername { user, current, new, at, reserve_until } = &change;
            let Some(found) = conn.lock_user(*user).await?.filter(|found| !found.is_deleted()) else {
                return Ok(Err(NotRenamed::Missing));
            };
            if found.names != *current {
                return Ok(Err(NotRenamed::Changed));
            }
            let (former, username) = (current.username(), new.username());
            if let Some(until) = conn.reserved_until(*user, *at).await? {
                return Ok(Err(NotRenamed::TooSoon(until)));
            }
            let is_other = former.key() != username.key();
            if is_other
                && (conn.has_username(username, *user).await?
                    || conn.is_reserved(username, *user, *at).await?)
            {
                return Ok(Err(NotRenamed::NameTaken(NameTaken::Username)));
            }
            let renamed = conn.update_names(*user, new).await?;
            if is_other && conn.is_reserved(username, *user, *at).await? {
                return Err(Error::LostRace);
            }
            conn.reserve(*user, former, username, *reserve_until).await?;
            conn.record_event(&event).await?;
            Ok(renamed.ok_or(NotRenamed::Missing))
        })
    }
}
