//! Registration of an account that gets no session before its address is verified.
//!
//! Invariant: nothing that a stranger can ask afterwards tells whether the address was taken. So the account is
//! created in any case, without the address if another account has it: its password is right and its
//! username taken, as they would be. Both cases write the same rows.

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::mail::ShortenedEmail;
use crate::domain::user::Email;
use crate::store::accounts::create::{Accounts, NameTaken, NewUser};
use crate::store::accounts::names::UserNames;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::email::order::{MailOrder, Order, Ordered};
use crate::store::error::Result;
use crate::store::handle::Store;

/// Order to register an account, with the mail that verifies its address.
#[derive(Clone, Debug)]
pub struct RegisterUnverified {
    pub new: NewUser,
    pub verification: MailOrder,
    /// What is stored and queued instead if another account has the address: a challenge that nothing
    /// completes, and a mail to the owner.
    pub address_taken: MailOrder,
}

/// What became of the registration. The answer to the client is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    Created(Ordered),
    AddressTaken(Ordered),
}

steps! {
    trait Register {
        /// Whether another account has the address, or can take it back.
        async fn is_address_taken(&mut self, new: &NewUser) -> Result<bool> {
            let Some(email) = new.names.email() else { return Ok(false) };
            let is_used = self.has_email(email, new.id).await?;
            let is_revertible = self.is_revertible(email, new.id, new.created_at).await?;
            Ok(is_used || is_revertible)
        }

        /// Creates the account without its address. Not if the username is the address: that is its owner's
        /// name, and a login by it means the owner.
        async fn create_without_address(
            &mut self,
            new: &NewUser,
            event: &NewEvent,
        ) -> Result<std::result::Result<(), NameTaken>> {
            if new.names.username().key().contains('@') {
                return Ok(Ok(()));
            }
            let without = NewUser { names: new.names.without_email(), ..new.clone() };
            if let Err(taken) = self.create_account(&without).await? {
                return Ok(Err(taken));
            }
            self.record_event(event).await?;
            self.note_unproved(new.id, new.names.email(), new.created_at).await?;
            Ok(Ok(()))
        }

        /// Notes which address the account was registered with.
        async fn note_unproved(
            &mut self,
            user: UserId,
            email: Option<&Email>,
            at: Timestamp,
        ) -> Result<()> {
            let Some(email) = email else { return Ok(()) };
            metered::query(
                "INSERT INTO unproved_registrations (user_id, sent_to, registered_at) \
                 VALUES ($1, $2, $3)",
            )
            .bind(user.as_uuid())
            .bind(ShortenedEmail::of(email).as_str().to_owned())
            .bind(at.as_micros())
            .execute(self)
            .await?;
            Ok(())
        }
    }
}

impl Store {
    /// Creates the account; if another account has the address, without it, and tells its owner. The error is
    /// a username that is taken.
    pub async fn register_unverified(
        &self,
        order: RegisterUnverified,
        event: NewEvent,
    ) -> Result<std::result::Result<Registered, NameTaken>> {
        transact!(self, conn => {
            let new = &order.new;
            // Asked first, so that each case makes one attempt to insert. Another registration may still take
            // the address in between: then the insertion says so.
            let created = if conn.is_address_taken(new).await? {
                Err(NameTaken::Email)
            } else {
                conn.create_account(new).await?
            };
            match created {
                Ok(_) => {
                    conn.record_event(&event).await?;
                    conn.note_unproved(new.id, new.names.email(), new.created_at).await?;
                    let ordered = conn.order_mail(&order.verification).await?;
                    Ok(Ok(Registered::Created(ordered)))
                }
                Err(NameTaken::Username) => Ok(Err(NameTaken::Username)),
                Err(NameTaken::Email) => {
                    if let Err(taken) = conn.create_without_address(new, &event).await? {
                        return Ok(Err(taken));
                    }
                    let ordered = conn.order_mail(&order.address_taken).await?;
                    Ok(Ok(Registered::AddressTaken(ordered)))
                }
            }
        })
    }
}
