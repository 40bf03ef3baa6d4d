//! Exchange of another system's refresh token for a session, by `refresh`.
//!
//! The token is exchanged once. It is answered with the same pair again for as long as nobody has used the new
//! refresh token: the answer was lost. Afterwards it is stale for a grace period, since front ends of systems
//! without rotation share one token among tabs and servers, and then reused, which ends that session only.

use super::Sessions;
use super::open::{LoginOutcome, OpenFor};
use super::refresh::{MAX_AT_ONCE, MAX_READS, busy};
use super::refresh_errors::{refused, unverified};
use super::token_issuer::SignedIn;
use crate::auth::client_disconnect::disconnected;
use crate::auth::error::Error;
use crate::auth::foreign_tokens::VerifiedForeignToken;
use crate::auth::proof::Proof;
use crate::auth::user_error::UserErrorCode;
use crate::clock::Timestamp;
use crate::crypto::TokenError;
use crate::domain::foreign_token::ForeignTokenDecision;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::{Session, SessionState};
use crate::domain::user::User;
use crate::domain::user_claims::UserClaims;
use crate::metrics::RefreshOutcome;
use crate::store::{self, Refreshed, Reissue};

impl Sessions {
    /// The token, if it is one of another system that is accepted.
    pub(super) fn foreign_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Option<Result<VerifiedForeignToken, TokenError>> {
        self.foreign.as_ref()?.verify(token, now)
    }

    /// Exchanges the token, or answers it again. `stays`: the client goes on with it instead of the new one.
    ///
    /// # Errors
    /// `REFRESH_TOKEN_INVALID`, `_EXPIRED`, `_STALE` or `_REUSED`, `SESSION_ENDED`, `RATE_LIMITED`.
    pub(super) async fn exchange(
        &self,
        verified: Result<VerifiedForeignToken, TokenError>,
        stays: bool,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(SignedIn, RefreshOutcome), Error> {
        let verified = verified.map_err(unverified)?;
        let entry = self.refreshes.enter(verified.lock());
        if entry.others() >= MAX_AT_ONCE {
            return Err(busy().into());
        }
        store::with_timeout(Box::pin(async move {
            let _lock = tokio::select! {
                lock = entry.lock() => lock,
                () = disconnected() => return Err(busy().into()),
            };
            self.exchange_in_turn(&verified, stays, origin, now).await
        }))
        .await
    }

    async fn exchange_in_turn(
        &self,
        verified: &VerifiedForeignToken,
        stays: bool,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(SignedIn, RefreshOutcome), Error> {
        let token = verified.token();
        self.tokens.check_signing(now)?;
        for _ in 0..MAX_READS {
            let known =
                self.store.foreign_token(verified.source(), &token.id, &token.external_id).await?;
            let Some(known) = known else {
                return Err(refused(UserErrorCode::RefreshTokenInvalid));
            };
            match verified.decide(&known) {
                ForeignTokenDecision::Exchange => {
                    let proof = verified.clone().into_proof(&known, stays);
                    let proof = proof.ok_or_else(|| refused(UserErrorCode::RefreshTokenInvalid))?;
                    let proof = Proof::ForeignToken(Box::new(proof));
                    match self.open(proof, OpenFor::step(None, origin)).await {
                        Ok(LoginOutcome::Session(_, mut signed_in)) => {
                            signed_in.tokens.refresh_token.take_if(|_| stays);
                            return Ok((*signed_in, RefreshOutcome::Exchanged));
                        }
                        Ok(LoginOutcome::Challenge(_)) => {
                            return Err(Error::Internal("an exchange asks for no step".into()));
                        }
                        // Another replica was faster, or the token has died meanwhile: read again.
                        Err(Error::Refused(error)) if error.code == UserErrorCode::SessionEnded => {
                        }
                        Err(error) => return Err(error),
                    }
                }
                ForeignTokenDecision::Exchanged(session, at) => {
                    let user = known.owner.user;
                    if let Some(done) =
                        self.exchange_again((user, session), at, origin, now).await?
                    {
                        let signed_in =
                            self.tokens.issue(done.session, done.claims, now, !stays)?;
                        return Ok((signed_in, RefreshOutcome::Retried));
                    }
                }
                ForeignTokenDecision::Ended => return Err(refused(UserErrorCode::SessionEnded)),
                ForeignTokenDecision::Invalid => {
                    return Err(refused(UserErrorCode::RefreshTokenInvalid));
                }
            }
        }
        Err(Error::Unavailable(store::Error::Contended))
    }

    /// The session of a token that was exchanged, while nobody has used its refresh token. `None` if the session
    /// changed meanwhile.
    async fn exchange_again(
        &self,
        (user, session): (UserId, SessionId),
        exchanged_at: Timestamp,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<Refreshed>, Error> {
        let found = self.ends.sessions_by_id(&[session]).await?.remove(&session);
        let account = self.store.users_by_id(&[user]).await?.remove(&user);
        let account = account.filter(User::is_active);
        let Some((session, account)) = found.zip(account) else {
            return Err(refused(UserErrorCode::SessionEnded));
        };
        match session.state(now) {
            SessionState::Active => {}
            SessionState::Ended => {
                self.ends.note_end_of(&session);
                return Err(refused(UserErrorCode::SessionEnded));
            }
            SessionState::Expired => return Err(refused(UserErrorCode::RefreshTokenExpired)),
        }
        if session.generation > 0 {
            return Err(self.exchanged_before(&session, exchanged_at, origin, now).await?);
        }
        let access_expires_at = self.tokens.access_expiry(now);
        // Nothing is written while the access tokens may last: many retries do not wait for one another.
        if session.access_expires_at + self.policy.access_token_lifetime / 10 >= access_expires_at {
            return Ok(Some(Refreshed { session, claims: UserClaims::of(&account) }));
        }
        let reissue = Reissue {
            session_id: session.id,
            presented: session.token.id,
            access_expires_at,
            at: now,
            origin: origin.clone(),
            // Writes have the pace above.
            limit: None,
        };
        Ok(self.store.reissue(reissue).await?)
    }

    /// The error for a token whose session goes on with its own.
    async fn exchanged_before(
        &self,
        session: &Session,
        exchanged_at: Timestamp,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Error, Error> {
        let grace = self.foreign.as_ref().map(|foreign| foreign.grace).unwrap_or_default();
        if now < exchanged_at + grace {
            return Ok(refused(UserErrorCode::RefreshTokenStale));
        }
        self.end_reused(session, origin.clone(), now).await?;
        Ok(refused(UserErrorCode::RefreshTokenReused))
    }
}
