//! [`Store::request_mail`]: a challenge and its mail, within the limits.

use crate::domain::mail_limit::MailCharge;
use crate::store::audit::{Audit, NewEvent};
use crate::store::email::challenge_row::NewChallenge;
use crate::store::email::challenges::Challenges;
use crate::store::email::limits::MailLimits;
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::throttle::{Charge, Throttle};

/// A challenge, the mail with its code and link, and the limits that the mail counts against.
#[derive(Clone, Debug)]
pub struct MailOrder {
    /// Limits on the sender of the request. Beyond them nothing is stored, so that rows are bounded.
    pub sources: Vec<MailCharge>,
    /// Limit on the recipient. Beyond it the challenge is stored, which no code completes.
    pub recipient: MailCharge,
    /// Limit on all mails of the deployment, likewise.
    pub ceiling: Charge,
    pub challenge: NewChallenge,
    pub mail: NewMail,
}

/// What became of an order. The answer to the client is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordered {
    Queued,
    /// By the limit on the recipient, or on all mails.
    Limited,
    /// By the limits on the sender of the request.
    SourceLimited,
}

steps! {
    pub(in crate::store) trait Order {
        /// Counts, and stores what the limits allow.
        async fn order_mail(&mut self, order: &MailOrder) -> Result<Ordered> {
            let now = order.challenge.created_at;
            for source in &order.sources {
                if !self.charge_mail(source, now).await? {
                    return Ok(Ordered::SourceLimited);
                }
            }
            let slack = order.ceiling.limit.slack;
            let is_allowed = self.charge_mail(&order.recipient, now).await?
                && self.charge_one(&order.ceiling, slack, now).await?.is_some();
            if !is_allowed {
                self.insert_challenge(&order.challenge.clone().without_proof()).await?;
                return Ok(Ordered::Limited);
            }
            self.insert_challenge(&order.challenge).await?;
            self.queue_mail(&order.mail).await?;
            Ok(Ordered::Queued)
        }
    }
}

impl Store {
    /// Stores a challenge and queues its mail, as far as the limits allow.
    pub async fn request_mail(&self, order: MailOrder, event: Option<NewEvent>) -> Result<Ordered> {
        transact!(self, conn => {
            let ordered = conn.order_mail(&order).await?;
            if let Some(event) = &event {
                conn.record_event(event).await?;
            }
            Ok(ordered)
        })
    }
}
