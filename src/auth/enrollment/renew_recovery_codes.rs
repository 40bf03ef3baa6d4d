//! New recovery codes in place of the old ones.

use super::Enrollments;
use super::change::Change;
use super::recovery_codes::RecoveryCodes;
use crate::auth::caller::Viewer;
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::UserError;
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::store::FactorChange;

impl Enrollments {
    /// Replaces the recovery codes. They are told this once.
    ///
    /// # Errors
    /// `NOT_FOUND` without a second factor; [`Denial::ReauthenticationRequired`](crate::auth::Denial).
    pub async fn renew_recovery_codes(
        &self,
        viewer: Viewer,
        origin: Origin,
    ) -> Result<RecoveryCodes, Error> {
        self.require_on()?;
        let (user, factors) = self.may_change(viewer).await?;
        if !factors.exist() {
            return Err(UserError::not_found(Field::Caller).into());
        }
        let codes = self.new_recovery_codes();
        let change = Change {
            factors: FactorChange::RenewRecoveryCodes(codes.digests()),
            event: AuditKind::FactorAdded,
            detail: "recovery codes",
            notice: NoticeKind::RecoveryCodesRenewed,
        };
        let changed = self.change_factors(viewer, (&user, factors.mark), change, origin).await?;
        changed.ok_or_else(|| UserError::not_found(Field::Caller))?;
        Ok(codes)
    }
}
