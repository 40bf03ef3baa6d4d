//! Removal of second factors.

use crate::clock::Timestamp;
use crate::crypto::recovery_code::RecoveryCodeDigest;
use crate::domain::id::{PasskeyId, UserId};
use crate::domain::user::User;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::error::Result;
use crate::store::factors::enroll::Enroll;
use crate::store::factors::mark::{FactorsMark, Marks};
use crate::store::handle::Store;
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::EndSessions;
use crate::store::sessions::live::LiveSession;

/// Order to change the second factors that an account has.
#[derive(Clone, Debug)]
pub struct ChangeFactors {
    pub user: UserId,
    /// The mark that the account must still have.
    pub current: Option<FactorsMark>,
    pub next: FactorsMark,
    pub change: FactorChange,
    pub mails: Vec<NewMail>,
    pub at: Timestamp,
}

#[derive(Clone, Debug)]
pub enum FactorChange {
    /// Of the last factor: the recovery codes and the trusted devices, which stood for it, are removed, too.
    RemoveAll,
    RemoveTotp,
    RemovePasskey(PasskeyId),
    RenewRecoveryCodes(Vec<RecoveryCodeDigest>),
}

/// Order of an administrator to remove all second factors of an account.
#[derive(Clone, Debug)]
pub struct ResetFactors {
    pub user: UserId,
    pub mark: FactorsMark,
    pub end: EndSessions,
    pub mails: Vec<NewMail>,
}

steps! {
    pub(in crate::store) trait Remove {
        /// Deletes all second factors of an account, whose row with the mark stays.
        async fn delete_factors(&mut self, user: UserId) -> Result<()> {
            for delete in [
                "DELETE FROM totp WHERE user_id = $1",
                "DELETE FROM recovery_codes WHERE user_id = $1",
                "DELETE FROM passkeys WHERE user_id = $1",
                "DELETE FROM trusted_devices WHERE user_id = $1",
            ] {
                metered::query(delete).bind(user.as_uuid()).execute(&mut *self).await?;
            }
            Ok(())
        }
    }
}

impl Store {
    /// Changes the factors in a session, which the event names. `None`, and nothing is changed, if that has ended,
    /// or the factors were changed since.
    pub async fn change_factors(
        &self,
        order: ChangeFactors,
        event: NewEvent,
    ) -> Result<Option<User>> {
        transact!(self, conn => {
            let Some(user) = conn.lock_factors(order.user, order.current).await? else {
                return Ok(None);
            };
            if let Some(session) = event.session
                && !conn.is_live_session(session, order.user, order.at).await?
            {
                return Ok(None);
            }
            match &order.change {
                FactorChange::RemoveAll => conn.delete_factors(order.user).await?,
                FactorChange::RemoveTotp => {
                    metered::query("DELETE FROM totp WHERE user_id = $1")
                        .bind(order.user.as_uuid())
                        .execute(&mut *conn)
                        .await?;
                }
                FactorChange::RemovePasskey(id) => {
                    metered::query("DELETE FROM passkeys WHERE user_id = $1 AND id = $2")
                        .bind(order.user.as_uuid())
                        .bind(id.as_uuid())
                        .execute(&mut *conn)
                        .await?;
                }
                FactorChange::RenewRecoveryCodes(codes) => {
                    conn.replace_recovery_codes(order.user, codes, order.at).await?;
                }
            }
            conn.mark_factors(order.user, order.next, None).await?;
            conn.record_event(&event).await?;
            conn.queue_mails(&order.mails).await?;
            Ok(Some(user))
        })
    }

    /// Removes all factors and ends all sessions. `None` if the account does not exist.
    pub async fn reset_factors(
        &self,
        order: ResetFactors,
        event: NewEvent,
    ) -> Result<Option<(User, Ending)>> {
        transact!(self, conn => {
            let Some(user) = conn.lock_user(order.user).await?.filter(|user| !user.is_deleted()) else {
                return Ok(None);
            };
            conn.delete_factors(order.user).await?;
            conn.mark_factors(order.user, order.mark, Some(order.end.at)).await?;
            conn.record_event(&event).await?;
            conn.queue_mails(&order.mails).await?;
            let ending = conn.end_all(&order.end).await?;
            Ok(Some((user, ending)))
        })
    }
}
