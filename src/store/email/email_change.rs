//! Changes of addresses: requested, confirmed, and taken back.

use crate::clock::Timestamp;
use crate::domain::id::{ChallengeId, UserId};
use crate::domain::session::EndReason;
use crate::domain::user::{Email, Names, User};
use crate::store::accounts::create::NameTaken;
use crate::store::accounts::names::UserNames;
use crate::store::accounts::update::UpdateNames;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::email::challenge_row::NewChallenge;
use crate::store::email::challenges::Challenges;
use crate::store::email::order::{MailOrder, Order, Ordered};
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::email::spend::{Spend, SpendChallenge};
use crate::store::error::{Error, Result};
use crate::store::factors::strip::Strip;
use crate::store::handle::Store;
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::EndSessions;

/// Order to change an address.
#[derive(Clone, Debug)]
pub struct RequestChange {
    pub change: MailOrder,
    /// What is stored and queued instead if another account has the new address.
    pub address_taken: MailOrder,
    /// Word to the old address, with the challenge that takes the change back; `None` where the old address
    /// is not verified.
    pub revert: Option<(NewChallenge, NewMail)>,
}

/// Order to change an address that is proved.
#[derive(Clone, Debug)]
pub struct ChangeEmail {
    pub spend: SpendChallenge,
    /// Names that the account must still have.
    pub current: Names,
    pub new: Names,
}

/// Order to take a change back.
#[derive(Clone, Debug)]
pub struct RevertEmail {
    pub challenge: ChallengeId,
    pub user: UserId,
    /// Names that the account must still have.
    pub current: Names,
    pub former: Names,
    pub end: EndSessions,
}

/// Reason why an address was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotChanged {
    NameTaken(NameTaken),
    /// The challenge is worthless.
    Expired,
}

steps! {
    trait ChangeSteps {
        /// The name that another account has, if any.
        async fn taken_name(
            &mut self,
            user: UserId,
            names: &Names,
            now: Timestamp,
        ) -> Result<Option<NameTaken>> {
            if self.has_username(names.username(), user).await?
                || self.is_reserved(names.username(), user, now).await?
            {
                return Ok(Some(NameTaken::Username));
            }
            let Some(email) = names.email() else { return Ok(None) };
            let is_taken = self.has_email(email, user).await?
                || self.is_revertible(email, user, now).await?;
            Ok(is_taken.then_some(NameTaken::Email))
        }

        /// Deletes what was set since this challenge: the password, second factors, and challenges that would
        /// take back a later change.
        async fn delete_later(&mut self, user: UserId, challenge: ChallengeId) -> Result<()> {
            for delete in [
                "DELETE FROM password_credentials WHERE user_id = $1 AND changed_at >= \
                 (SELECT created_at FROM challenges WHERE id = $2)",
                "DELETE FROM challenges WHERE user_id = $1 AND purpose = 'REVERT' AND id <> $2 \
                 AND created_at >= (SELECT created_at FROM challenges WHERE id = $2)",
            ] {
                metered::query(delete)
                    .bind(user.as_uuid())
                    .bind(challenge.as_uuid())
                    .execute(&mut *self)
                    .await?;
            }
            let since: Option<i64> =
                metered::query_scalar("SELECT created_at FROM challenges WHERE id = $1")
                    .bind(challenge.as_uuid())
                    .fetch_optional(&mut *self)
                    .await?;
            if let Some(since) = since.map(Timestamp::from_micros) {
                self.strip_later_factors(user, since).await?;
            }
            Ok(())
        }
    }
}

impl Store {
    /// Stores the challenge of a change and queues its mails; or, if another account has the new address, a
    /// challenge that nothing completes, and a mail to its owner.
    pub async fn request_change(&self, order: RequestChange, new: &Email) -> Result<Ordered> {
        let new = new.clone();
        transact!(self, conn => {
            let user = order.change.challenge.user.unwrap_or(UserId::NOBODY);
            let now = order.change.challenge.created_at;
            let is_taken = conn.has_email(&new, user).await?
                || conn.is_revertible(&new, user, now).await?;
            let ordered = if is_taken {
                conn.order_mail(&order.address_taken).await?
            } else {
                conn.order_mail(&order.change).await?
            };
            // In both cases: whether there is word to the old address would tell.
            if ordered == Ordered::Queued
                && let Some((challenge, mail)) = &order.revert
            {
                conn.insert_challenge(challenge).await?;
                conn.queue_mail(mail).await?;
            }
            Ok(ordered)
        })
    }

    /// Spends the challenge and changes the address, which is verified from then on. A challenge is worthless
    /// once the session that asked for it has ended. If another browser than
    /// that of the account proves the address, what was there before ends: whoever has the address may not be
    /// who asked for the change.
    pub async fn change_email(
        &self,
        order: ChangeEmail,
        event: NewEvent,
    ) -> Result<Result<(User, Ending), NotChanged>> {
        transact!(self, conn => {
            let ChangeEmail { spend, current, new } = &order;
            let Some((user, mark)) = conn.lock_account(spend.user).await? else {
                return Ok(Err(NotChanged::Expired));
            };
            if user.names != *current {
                return Err(Error::LostRace);
            }
            let email_key = user.names.email().map(Email::key);
            if email_key != spend.email_key.as_deref() || mark != spend.password {
                return Ok(Err(NotChanged::Expired));
            }
            // Whoever ended that session, by a logout everywhere, took from a thief what it was about to do.
            if !conn.is_asked_by_live_session(spend.id, spend.user, spend.at).await? {
                return Ok(Err(NotChanged::Expired));
            }
            if let Some(taken) = conn.taken_name(spend.user, new, spend.at).await? {
                return Ok(Err(NotChanged::NameTaken(taken)));
            }
            if !conn.mark_used(spend.id, 1, spend.at).await? {
                return Ok(Err(NotChanged::Expired));
            }
            if conn.update_names(spend.user, new).await?.is_none() {
                return Err(Error::LostRace);
            }
            let verified = conn.verify_address(spend.user, spend.at).await?;
            conn.delete_challenges(spend.user).await?;
            conn.record_event(&event).await?;
            let ending = if spend.is_same_browser {
                Ending::default()
            } else {
                // The link that takes the change back stays: a thief may have caused this, too.
                conn.delete_password(spend.user).await?;
                conn.strip_factors(spend.user).await?;
                conn.end_by_proof(spend, EndReason::EmailVerified).await?
            };
            Ok(verified.map(|user| (user, ending)).ok_or(NotChanged::Expired))
        })
    }

    /// Spends the challenge, sets the former address again, and ends all sessions. It works whatever was
    /// changed in the account meanwhile, since a thief may have changed it: a password that was set since is
    /// deleted, so are second factors that were added since, and later changes of the address cannot be taken back, which would be the thief's to do.
    pub async fn revert_email(
        &self,
        order: RevertEmail,
        event: NewEvent,
    ) -> Result<Result<(User, Ending), NotChanged>> {
        transact!(self, conn => {
            let RevertEmail { challenge, user, current, former, end } = &order;
            let Some((found, _)) = conn.lock_account(*user).await? else {
                return Ok(Err(NotChanged::Expired));
            };
            if found.names != *current {
                return Err(Error::LostRace);
            }
            if let Some(taken) = conn.taken_name(*user, former, end.at).await? {
                return Ok(Err(NotChanged::NameTaken(taken)));
            }
            if !conn.mark_used(*challenge, 1, end.at).await? {
                return Ok(Err(NotChanged::Expired));
            }
            if conn.update_names(*user, former).await?.is_none() {
                return Err(Error::LostRace);
            }
            let verified = conn.verify_address(*user, end.at).await?;
            conn.delete_later(*user, *challenge).await?;
            conn.delete_challenges(*user).await?;
            conn.record_event(&event).await?;
            let ending = conn.end_all(end).await?;
            Ok(verified.map(|user| (user, ending)).ok_or(NotChanged::Expired))
        })
    }
}
