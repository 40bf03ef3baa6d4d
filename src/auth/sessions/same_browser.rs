//! Whether a request comes from the browser that registered an account.
//!
//! The first proof of an address ends what was there before it, unless the proof comes from where the account
//! was registered. That is shown by a session of the account, or by the token of a challenge in the cookie or
//! beside the proof: that of the registration, or of a login whose password was right. That such a challenge
//! exists shows nothing: somebody else may have registered the address, and have caused the mail.

use super::Sessions;
use crate::auth::caller::Viewer;
use crate::auth::error::Error;
use crate::auth::transport::Cookies;
use crate::crypto::secret_token::TokenDigest;
use crate::domain::challenge::ChallengePurpose;
use crate::domain::id::UserId;

impl Sessions {
    /// `tokens` are those of challenges that the client gave beside its proof.
    pub(in crate::auth) async fn is_same_browser(
        &self,
        user: UserId,
        viewer: Option<Viewer>,
        tokens: &[&str],
        cookie: &Cookies,
    ) -> Result<bool, Error> {
        if viewer.is_some_and(|viewer| viewer.user_id() == user) {
            return Ok(true);
        }
        let tokens = tokens.iter().copied().chain(cookie.trusted_login_token());
        for digest in tokens.filter_map(TokenDigest::of) {
            let found = self.store.challenge_by_token(digest).await?;
            let is_shown = found.is_some_and(|found| {
                let began = found.purpose == ChallengePurpose::Register || !found.shown.is_empty();
                began && found.user == Some(user)
            });
            if is_shown {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
