//! Use of a second factor, in the transaction of what it leads to.
//!
//! Each use is one conditional statement, so that of any number of uses at once, on any replica, one succeeds.

use crate::crypto::recovery_code::RecoveryCodeDigest;
use crate::domain::id::UserId;
use crate::store::backend::metered;
use crate::store::error::Result;

/// A second factor that was verified a moment ago.
#[derive(Clone, Copy, Debug)]
pub enum UseFactor {
    /// The code of this step of the authenticator app.
    Totp {
        step: i64,
    },
    RecoveryCode(RecoveryCodeDigest),
}

steps! {
    pub(in crate::store) trait Use {
        /// `false` if it was used before, or the account does not have it.
        async fn use_factor(&mut self, user: UserId, used: &UseFactor) -> Result<bool> {
            let query = match used {
                UseFactor::Totp { step } => {
                    metered::query("UPDATE totp SET last_step = $2 WHERE user_id = $1 AND last_step < $2")
                        .bind(user.as_uuid())
                        .bind(*step)
                }
                UseFactor::RecoveryCode(digest) => {
                    metered::query("DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2")
                        .bind(user.as_uuid())
                        .bind(digest.0.to_vec())
                }
            };
            Ok(query.execute(self).await?.rows_affected() > 0)
        }
    }
}
