//! New recovery codes in place of the old ones.

use super::Enrollments;
use super::recovery_codes::RecoveryCodes;
use super::state::event;
use crate::auth::caller::Viewer;
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::UserError;
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::entropy::random;
use crate::store::{ChangeFactors, FactorChange, FactorsMark};

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
        let (codes, at) = (self.new_recovery_codes(), self.now());
        let order = ChangeFactors {
            user: user.id,
            current: factors.mark,
            next: FactorsMark(random(&*self.entropy)),
            change: FactorChange::RenewRecoveryCodes(codes.digests()),
            mails: self.notice(NoticeKind::RecoveryCodesRenewed, &user, &origin, at),
            at,
        };
        let session = Some(viewer.session_id());
        let event = event(AuditKind::FactorAdded, user.id, session, origin, "recovery codes", at);
        // Changed by another request since they were read.
        let changed = self.store.change_factors(order, event).await?;
        changed.ok_or_else(|| UserError::not_found(Field::Caller))?;
        Ok(codes)
    }
}
