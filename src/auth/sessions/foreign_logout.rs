//! Logout by a refresh token of another system: it is blacklisted, or the session that it was exchanged for ends.

use super::Sessions;
use super::logout::{LoggedOut, LogoutScope, forbid_another_user, nothing};
use super::refresh::MAX_READS;
use super::refresh_errors::{refused, unverified};
use crate::auth::caller::Caller;
use crate::auth::error::Error;
use crate::auth::foreign_tokens::VerifiedForeignToken;
use crate::auth::user_error::UserErrorCode;
use crate::crypto::TokenError;
use crate::domain::foreign_token::ForeignTokenDecision;
use crate::domain::session::EndReason;
use crate::store::{self, EndSessions, Scope};

impl Sessions {
    /// Logs out by the token alone. To end other sessions it has to be exchanged first.
    ///
    /// # Errors
    /// `REFRESH_TOKEN_INVALID`; `FORBIDDEN` for a token of another user than the bearer.
    pub(super) async fn log_out_foreign(
        &self,
        verified: Result<VerifiedForeignToken, TokenError>,
        scope: LogoutScope,
        caller: &Caller,
    ) -> Result<LoggedOut, Error> {
        let verified = match verified {
            Ok(verified) => verified,
            Err(TokenError::Expired) => return Ok(nothing(None)),
            Err(error) => return Err(unverified(error)),
        };
        if scope != LogoutScope::Current {
            return Err(refused(UserErrorCode::RefreshTokenInvalid));
        }
        let token = verified.token();
        for _ in 0..MAX_READS {
            let known =
                self.store.foreign_token(verified.source(), &token.id, &token.external_id).await?;
            let Some(known) = known else {
                return Err(refused(UserErrorCode::RefreshTokenInvalid));
            };
            let user = known.owner.user;
            forbid_another_user(user, caller)?;
            match verified.decide(&known) {
                ForeignTokenDecision::Exchanged(session, _) => {
                    let end = EndSessions {
                        scope: Scope::Own { user, session },
                        reason: EndReason::Logout,
                        at: self.now(),
                        actor: Some(user),
                        origin: caller.origin().clone(),
                        note: None,
                    };
                    let ended = self.ends.end(end, None).await?;
                    return Ok(nothing(Some((user, session))).with_ended(ended));
                }
                // It may be dead only for as long as its account is deactivated.
                decision @ (ForeignTokenDecision::Exchange | ForeignTokenDecision::Ended) => {
                    let (source, now) = (verified.source().clone(), self.now());
                    let is_refused =
                        self.store.refuse_foreign_token(source, token.clone(), now).await?;
                    if is_refused || decision == ForeignTokenDecision::Ended {
                        return Ok(nothing(None));
                    }
                }
                ForeignTokenDecision::Invalid => {
                    return Err(refused(UserErrorCode::RefreshTokenInvalid));
                }
            }
        }
        Err(Error::Unavailable(store::Error::Contended))
    }
}
