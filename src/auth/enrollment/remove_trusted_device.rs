//! A device is not trusted any more.

use super::Enrollments;
use crate::auth::caller::Viewer;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::UserError;
use crate::domain::id::TrustedDeviceId;
use crate::domain::user::User;

impl Enrollments {
    /// Forgets a device of the viewer, whose next login needs a second factor again.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn remove_trusted_device(
        &self,
        viewer: Viewer,
        device: TrustedDeviceId,
    ) -> Result<User, Error> {
        let forgotten = self.store.forget_device(viewer.user_id(), device).await?;
        Ok(forgotten.ok_or_else(|| UserError::not_found(Field::TrustedDeviceId))?)
    }
}
