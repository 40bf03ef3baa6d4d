//! Change of one's own username.
//!
//! The former username stays reserved for the user, so that nobody takes it and is mistaken for the user.

use std::time::Duration;

use super::Accounts;
use crate::auth::caller::Viewer;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::input_field::Field;
use crate::auth::sessions::name_taken;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::domain::user::{Email, NAME_RESERVATION, Names, NamesError, User};
use crate::store::{self, ChangeUsername, NewEvent, NotRenamed};

/// How often the account is read again, if it changes meanwhile.
const MAX_READS: usize = 5;

impl Accounts {
    /// Changes the viewer's username. The current one, spelled in the same way, changes nothing.
    ///
    /// # Errors
    /// `INVALID_INPUT`, `USERNAME_TAKEN`; `RATE_LIMITED` within 30 days after the last change.
    pub async fn change_username(
        &self,
        viewer: Viewer,
        username: &str,
        origin: Origin,
    ) -> Result<User, Error> {
        let user = viewer.user_id();
        let gone = || Denial::Unauthenticated(UnauthenticatedReason::SessionEnded);
        for _ in 0..MAX_READS {
            let found = self.store.users_by_id(&[user]).await?.remove(&user).ok_or_else(gone)?;
            let new = new_names(&found.names, username)?;
            if new == found.names {
                return Ok(found);
            }
            match self.rename(viewer, found.names, new, origin.clone()).await? {
                Ok(renamed) => {
                    self.note_change(&renamed);
                    return Ok(renamed);
                }
                Err(NotRenamed::Changed) => {}
                Err(NotRenamed::NameTaken(name)) => return Err(name_taken(name).into()),
                Err(NotRenamed::TooSoon(until)) => {
                    let wait = until.as_micros().abs_diff(self.now().as_micros());
                    return Err(too_soon(Duration::from_micros(wait)).into());
                }
                Err(NotRenamed::Missing) => return Err(gone().into()),
            }
        }
        Err(Error::Unavailable(store::Error::Contended))
    }

    async fn rename(
        &self,
        viewer: Viewer,
        current: Names,
        new: Names,
        origin: Origin,
    ) -> Result<Result<User, NotRenamed>, Error> {
        let (user, now) = (viewer.user_id(), self.now());
        let change =
            ChangeUsername { user, current, new, at: now, reserve_until: now + NAME_RESERVATION };
        let event = NewEvent {
            kind: AuditKind::UsernameChanged,
            at: now,
            user: Some(user),
            actor: Some(user),
            session: Some(viewer.session_id()),
            origin,
            detail: None,
        };
        Ok(self.store.change_username(change, event).await?)
    }
}

/// The names with this username. A username that is an e-mail address has to be that of the account, which
/// has ways of its own to change.
fn new_names(current: &Names, username: &str) -> Result<Names, UserError> {
    let email = current.email().map(Email::as_str);
    let invalid = |error| UserError::invalid(Field::Username, error);
    let new = Names::parse(username, email).map_err(invalid)?;
    if new.email() != current.email() {
        return Err(invalid(NamesError::UsernameIsNotTheEmail));
    }
    Ok(new)
}

fn too_soon(wait: Duration) -> UserError {
    const MESSAGE: &str = "The username was changed less than 30 days ago. Change it later.";
    let error = UserError::new(UserErrorCode::RateLimited, Field::Username, MESSAGE);
    UserError { retry_after: Some(wait), ..error }
}
