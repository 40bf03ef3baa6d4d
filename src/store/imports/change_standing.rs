//! Deactivation and roles of accounts that were imported before.

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::import::FieldDigests;
use crate::domain::user::Role;
use crate::store::accounts::activation::{Activation, LastAdministrator, LockAdministrators};
use crate::store::accounts::update::UpdateNames;
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::email::challenges::Challenges;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::imports::source_lease::{CheckLease, ImportLease, LeaseLost};
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::EndSessions;

/// Change of an account's standing.
#[derive(Clone, Debug)]
pub struct ChangedStanding {
    pub id: UserId,
    /// Id in the other system.
    pub external_id: String,
    pub is_active: Option<bool>,
    pub role: Option<Role>,
    pub imported: FieldDigests,
    pub written: FieldDigests,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum StandingChange {
    /// The sessions that ended.
    Changed(Ending),
    /// Nobody else could administer: the account stays as it is.
    Refused(LastAdministrator),
    Missing,
}

impl Store {
    /// Activates or deactivates an account, or sets its role. A deactivation and another role end the sessions of
    /// `end`.
    pub async fn change_standing(
        &self,
        lease: ImportLease,
        change: ChangedStanding,
        end: EndSessions,
        now: Timestamp,
    ) -> Result<Result<StandingChange, LeaseLost>> {
        transact!(self, conn => {
            if !conn.holds_lease(&lease).await? {
                return Ok(Err(LeaseLost));
            }
            let ChangedStanding { id, is_active, role, .. } = change.clone();
            if is_active == Some(false) || role.is_some_and(|role| role != Role::Admin) {
                conn.lock_administrators(id).await?;
            }
            let Some(found) = conn.lock_user(id).await?.filter(|user| !user.is_deleted()) else {
                return Ok(Ok(StandingChange::Missing));
            };
            // First a deactivation, which may be refused: nothing is written then. Without one the role may be,
            // and an activation never is.
            let refused = Ok(Ok(StandingChange::Refused(LastAdministrator)));
            if is_active == Some(false) {
                let updated = conn.update_active(id, false, now).await?;
                if updated.is_none_or(|(user, _)| user.is_active()) {
                    return refused;
                }
            }
            if role.is_some()
                && conn.update_standing(id, found.email_verified_at, role).await?.is_none()
            {
                // The role of an inactive account may always change.
                return if is_active == Some(false) { Err(Error::LostRace) } else { refused };
            }
            if is_active == Some(true) {
                conn.update_active(id, true, now).await?;
            }
            if is_active.is_some() {
                // They stay worthless when the account is activated again.
                conn.delete_challenges(id).await?;
            }
            // Access tokens have the role in them.
            let is_other_role = role.is_some_and(|role| role != found.role);
            let ending = if is_active == Some(false) || is_other_role {
                conn.end_all(&end).await?
            } else {
                Ending::default()
            };
            metered::query(
                "UPDATE external_accounts SET imported = $3, written = $4, imported_at = $5 \
                 WHERE source = $1 AND external_id = $2",
            )
            .bind(lease.source.as_str().to_owned())
            .bind(change.external_id.clone())
            .bind(change.imported.as_bytes().to_vec())
            .bind(change.written.as_bytes().to_vec())
            .bind(now.as_micros())
            .execute(conn)
            .await?;
            Ok(Ok(StandingChange::Changed(ending)))
        })
    }
}
