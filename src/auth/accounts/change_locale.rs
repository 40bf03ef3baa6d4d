//! Change of one's own locale.

use super::Accounts;
use crate::auth::caller::Viewer;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::input_field::Field;
use crate::auth::user_error::UserError;
use crate::domain::locale::Locale;
use crate::domain::user::User;

impl Accounts {
    /// Sets the viewer's locale; `None` removes it.
    ///
    /// # Errors
    /// `INVALID_INPUT`.
    pub async fn change_locale(&self, viewer: Viewer, locale: Option<&str>) -> Result<User, Error> {
        let locale = locale.map(Locale::parse).transpose();
        let locale = locale.map_err(|error| UserError::invalid(Field::Locale, error))?;
        let changed = self.store.set_locale(viewer.user_id(), locale).await?;
        // Deleted meanwhile, with its sessions.
        let gone = || Denial::Unauthenticated(UnauthenticatedReason::SessionEnded);
        Ok(changed.ok_or_else(gone)?)
    }
}
