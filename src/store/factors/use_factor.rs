//! Use of a second factor, in the transaction of what it leads to.
//!
//! Each use is one conditional statement, so that of any number of uses at once, on any replica, one succeeds.

use crate::clock::Timestamp;
use crate::crypto::recovery_code::RecoveryCodeDigest;
use crate::domain::id::{PasskeyId, UserId};
use crate::domain::passkey::PasskeyUse;
use crate::store::backend::metered;
use crate::store::error::Result;

/// A second factor that was verified a moment ago.
#[derive(Clone, Copy, Debug)]
pub enum UseFactor {
    /// The code of this step of the authenticator app that was confirmed at that time: it may have been
    /// replaced since.
    Totp {
        step: i64,
        since: Timestamp,
    },
    RecoveryCode(RecoveryCodeDigest),
    Passkey {
        id: PasskeyId,
        /// The counter that it was verified against.
        counted: u32,
        used: PasskeyUse,
        at: Timestamp,
    },
}

steps! {
    pub(in crate::store) trait Use {
        /// `false` if it was used before, or the account does not have it.
        async fn use_factor(&mut self, user: UserId, used: &UseFactor) -> Result<bool> {
            let query = match used {
                UseFactor::Totp { step, since } => metered::query(
                    "UPDATE totp SET last_step = $2 \
                     WHERE user_id = $1 AND last_step < $2 AND confirmed_at = $3",
                )
                .bind(user.as_uuid())
                .bind(*step)
                .bind(since.as_micros()),
                UseFactor::RecoveryCode(digest) => {
                    metered::query("DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2")
                        .bind(user.as_uuid())
                        .bind(digest.0.to_vec())
                }
                UseFactor::Passkey { id, counted, used, at } => metered::query(
                    "UPDATE passkeys SET sign_count = $4, is_backed_up = $5, last_used_at = $6 \
                     WHERE user_id = $1 AND id = $2 AND sign_count = $3",
                )
                .bind(user.as_uuid())
                .bind(id.as_uuid())
                .bind(i64::from(*counted))
                .bind(i64::from(used.sign_count))
                .bind(used.is_backed_up)
                .bind(at.as_micros()),
            };
            Ok(query.execute(self).await?.rows_affected() > 0)
        }
    }
}
