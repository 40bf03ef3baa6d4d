//! Grounds of a session: what the transaction that opens it checks and uses up.

use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::store::accounts::create::{Accounts, NameTaken, NewUser};
use crate::store::credentials::Passwords;
use crate::store::email::spend::{Spend, SpendChallenge};
use crate::store::error::Result;
use crate::store::factors::enroll::{AddFactor, Enroll};
use crate::store::factors::mark::{FactorsMark, Marks};
use crate::store::factors::trusted_devices::TrustDevices;
use crate::store::factors::use_factor::{Use, UseFactor};
use crate::store::foreign_tokens::exchange::{ExchangeToken, ExchangeTokens};
use crate::store::session_ends::end_all::Ending;
use crate::store::throttle::Settlement;
use crate::store::verified_hash::VerifiedHash;

/// What entitles the user to a session, or to the next step of a login. The transaction that opens it checks
/// that it still holds.
#[derive(Clone, Debug)]
pub enum Grounds {
    /// A password that was verified a moment ago.
    Password {
        /// If it does not hold any more, the password was changed meanwhile.
        verified: VerifiedHash,
        /// The same password hashed with the current parameters, if the old hash is weaker.
        upgraded: Option<PasswordHash>,
        /// The mark of the second factors by which it was decided that the password is enough.
        factors: Option<FactorsMark>,
        settlement: Settlement,
    },
    /// A passkey, which is used in the same transaction.
    Passkey(UseFactor),
    /// A new account, which is created in the same transaction.
    Registration(NewUser),
    /// A code or a link of a mail, which is spent in the same transaction.
    Challenge(SpendChallenge),
    /// A second factor for the challenge of a first step. Both are used in the same transaction.
    SecondStep { spend: SpendChallenge, factor: UseFactor, settlement: Settlement },
    /// A refresh token of another system, which is exchanged in the same transaction.
    ForeignToken(Box<ExchangeToken>),
    /// A factor that is enrolled for the challenge of a first step, in the same transaction.
    Enrollment(SpendChallenge, Box<AddFactor>),
}

/// The reason why no session was opened, and nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Since the password was verified it or the second factors were changed, the account was deactivated, or
    /// another login has upgraded the hash.
    GroundsChanged,
    /// The second factor was used before. The challenge has not been spent.
    FactorUsed,
    NameTaken(NameTaken),
}

impl Grounds {
    /// Counters to correct once the session is open, or the next step has begun.
    pub(in crate::store) fn settlement(&self) -> Option<&Settlement> {
        match self {
            Self::Password { settlement, .. } | Self::SecondStep { settlement, .. } => {
                Some(settlement)
            }
            Self::Passkey(_)
            | Self::Registration(_)
            | Self::Challenge(_)
            | Self::ForeignToken(_)
            | Self::Enrollment(..) => None,
        }
    }
}

steps! {
    pub(in crate::store) trait CheckGrounds {
        /// Locks or creates the account, and uses up what the grounds name. `last_login`: recorded in the
        /// account.
        async fn check_grounds(
            &mut self,
            user_id: UserId,
            grounds: &Grounds,
            last_login: Option<Timestamp>,
        ) -> Result<Result<(User, Ending), NotOpened>> {
            match grounds {
                Grounds::Password { verified, upgraded, factors, .. } => {
                    let user = self.confirm_password(user_id, verified, last_login).await?;
                    let Some(user) = user else { return Ok(Err(NotOpened::GroundsChanged)) };
                    if self.factors_mark(user_id).await? != *factors {
                        return Ok(Err(NotOpened::GroundsChanged));
                    }
                    if let Some(upgraded) = upgraded {
                        let is_upgraded = self.upgrade_hash(user_id, verified, upgraded).await?;
                        if is_upgraded && factors.is_some() {
                            self.keep_devices(user_id, upgraded).await?;
                        }
                    }
                    Ok(Ok((user, Ending::default())))
                }
                Grounds::Passkey(passkey) => {
                    let Some((user, _)) = self.lock_account(user_id).await? else {
                        return Ok(Err(NotOpened::GroundsChanged));
                    };
                    if !self.use_factor(user_id, passkey).await? {
                        return Ok(Err(NotOpened::FactorUsed));
                    }
                    let user = match last_login {
                        Some(at) => self.record_login(user_id, at).await?.unwrap_or(user),
                        None => user,
                    };
                    Ok(Ok((user, Ending::default())))
                }
                Grounds::ForeignToken(exchange) => {
                    let owner = self.exchange_token(user_id, exchange).await?;
                    Ok(owner.map(|user| (user, Ending::default())).ok_or(NotOpened::GroundsChanged))
                }
                Grounds::Registration(new) => {
                    let created = self.create_account(new).await?;
                    Ok(created.map(|user| (user, Ending::default())).map_err(NotOpened::NameTaken))
                }
                Grounds::Challenge(order)
                | Grounds::SecondStep { spend: order, .. }
                | Grounds::Enrollment(order, _) => {
                    // A factor is used only for a challenge that is worth something, and a challenge is spent
                    // only by a factor that was not used before. Other uses of either wait for the account's
                    // lock, which the first check takes.
                    if let Grounds::SecondStep { factor, .. } = grounds {
                        if self.may_spend(order).await?.is_none() {
                            return Ok(Err(NotOpened::GroundsChanged));
                        }
                        if !self.use_factor(user_id, factor).await? {
                            return Ok(Err(NotOpened::FactorUsed));
                        }
                    }
                    let Some(spent) = self.spend(order).await? else {
                        return Ok(Err(NotOpened::GroundsChanged));
                    };
                    if let Grounds::Enrollment(_, add) = grounds
                        && self.add_factor(add).await?.is_none()
                    {
                        return Ok(Err(NotOpened::GroundsChanged));
                    }
                    if order.is_by_mail && order.factors.is_some() {
                        self.forget_reset(user_id).await?;
                    }
                    let user = match last_login {
                        Some(at) => self.record_login(user_id, at).await?.unwrap_or(spent.user),
                        None => spent.user,
                    };
                    Ok(Ok((user, spent.ending)))
                }
            }
        }
    }
}
