//! [`Store::begin_step`]: a proof that was right, but is not enough, becomes a challenge for the next step.

use crate::domain::challenge::ChallengePurpose;
use crate::domain::id::UserId;
use crate::domain::user::{Email, User};
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::email::challenge_row::NewChallenge;
use crate::store::email::challenges::Challenges;
use crate::store::email::order::{MailOrder, Order};
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::email::spend::Spend;
use crate::store::error::{Error, Result};
use crate::store::factors::mark::Marks;
use crate::store::handle::Store;
use crate::store::session_ends::end_all::Ending;
use crate::store::sessions::grounds::{CheckGrounds, Grounds, NotOpened};
use crate::store::throttle::Throttle;

/// Most logins of an account that wait for their next step.
const MAX_STEPS: i64 = 50;

/// Order to begin the next step of a login.
#[derive(Clone, Debug)]
pub struct BeginStep {
    pub user: UserId,
    /// What entitles the user to it. It is used up as if it opened a session.
    pub grounds: Grounds,
    /// Its account, password, factors and address are set by what they are after the grounds were used up.
    pub challenge: NewChallenge,
    pub events: Vec<NewEvent>,
    pub mails: Vec<NewMail>,
    /// A challenge for the verification of the address of a new account, with its mail.
    pub verification: Option<MailOrder>,
}

steps! {
    trait ForgetSteps {
        /// Whoever has the password may begin logins without end: the oldest ones are forgotten.
        async fn forget_old_steps(&mut self, user: UserId) -> Result<()> {
            metered::query(
                "DELETE FROM challenges WHERE user_id = $1 AND purpose IN ($2, $3) AND id NOT IN \
                 (SELECT id FROM challenges WHERE user_id = $1 AND purpose IN ($2, $3) \
                 ORDER BY created_at DESC, id DESC LIMIT $4)",
            )
            .bind(user.as_uuid())
            .bind(ChallengePurpose::SecondStep.as_str())
            .bind(ChallengePurpose::EnrollFactor.as_str())
            .bind(MAX_STEPS)
            .execute(self)
            .await?;
            Ok(())
        }
    }
}

impl Store {
    /// Uses up the grounds and stores the challenge. Also returns the sessions that ended by it.
    pub async fn begin_step(
        &self,
        order: BeginStep,
    ) -> Result<std::result::Result<(User, Ending), NotOpened>> {
        transact!(self, conn => {
            let (user, ending) = match conn.check_grounds(order.user, &order.grounds, None).await? {
                Ok(grounds) => grounds,
                Err(not_opened) => return Ok(Err(not_opened)),
            };
            let Some((_, password)) = conn.lock_account(order.user).await? else {
                return Err(Error::LostRace);
            };
            let challenge = NewChallenge {
                user: Some(user.id),
                password,
                factors: conn.factors_mark(user.id).await?,
                bound_email_key: user.names.email().map(Email::key).map(str::to_owned),
                ..order.challenge.clone()
            };
            conn.insert_challenge(&challenge).await?;
            conn.forget_old_steps(user.id).await?;
            for event in &order.events {
                conn.record_event(event).await?;
            }
            conn.queue_mails(&order.mails).await?;
            if let Some(verification) = &order.verification {
                conn.order_mail(verification).await?;
            }
            if let Some(settlement) = order.grounds.settlement() {
                conn.settle(settlement).await?;
            }
            Ok(Ok((user, ending)))
        })
    }
}
