//! A change of the factors that an account has: its order, its audit event and its mail.

use super::Enrollments;
use super::state::event;
use crate::auth::caller::Viewer;
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::domain::second_factor::FactorKind;
use crate::domain::user::User;
use crate::entropy::random;
use crate::store::{ChangeFactors, FactorChange, FactorsMark};

/// A change, and how it is reported.
pub(super) struct Change {
    pub factors: FactorChange,
    pub event: AuditKind,
    pub detail: &'static str,
    pub notice: NoticeKind,
}

impl Change {
    /// The removal of a factor of this kind.
    pub(super) fn removal(kind: FactorKind, factors: FactorChange) -> Self {
        Self {
            factors,
            event: AuditKind::FactorRemoved,
            detail: kind.as_str(),
            notice: NoticeKind::FactorRemoved(kind),
        }
    }
}

impl Enrollments {
    /// Changes the viewer's factors. `None`, and nothing is changed, if the session ended, or the factors were
    /// changed by another request since their mark was read.
    pub(super) async fn change_factors(
        &self,
        viewer: Viewer,
        (user, mark): (&User, Option<FactorsMark>),
        change: Change,
        origin: Origin,
    ) -> Result<Option<User>, Error> {
        let at = self.now();
        let order = ChangeFactors {
            user: user.id,
            current: mark,
            next: FactorsMark(random(&*self.entropy)),
            change: change.factors,
            mails: self.notice(change.notice, user, &origin, at),
            at,
        };
        let session = Some(viewer.session_id());
        let event = event(change.event, user.id, session, origin, change.detail, at);
        Ok(self.store.change_factors(order, event).await?)
    }
}
