//! Limit of exports, which read thousands of rows each.

use super::Passwords;
use crate::auth::error::Error;
use crate::domain::id::UserId;
use crate::domain::throttle::EXPORT;

impl Passwords {
    /// Counts an export of this account.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(in crate::auth) async fn charge_export(&self, user: UserId) -> Result<(), Error> {
        if !self.limits.is_on {
            return Ok(());
        }
        let charges = vec![self.limits.charge(EXPORT, &[user.as_uuid().as_bytes()])];
        self.refuse_known(&charges)?;
        self.charge_or_refuse(charges).await
    }
}
