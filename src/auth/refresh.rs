//! Refresh: the outstanding refresh token becomes the next pair.
//!
//! Rule: the store's compare-and-swap decides who moves the chain on. Only where it changed nothing
//! is the session read, to say why, and whatever follows from that is again a conditional write. A
//! failure of the database is never "invalid": the client keeps its token and tries again.

use std::ops::RangeInclusive;

use super::ending::order;
use super::error::{Refusal, RefusalCode};
use super::{Actor, Auth, Error, SignedIn};
use crate::clock::Timestamp;
use crate::crypto::TokenRefusal;
use crate::crypto::digest::attempt_hash;
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::audit::AuditKind;
use crate::domain::id::TokenId;
use crate::domain::origin::Origin;
use crate::domain::session::{AttemptHash, EndReason, Presentation, Presented, RefreshGrant};
use crate::metrics::RefreshOutcome;
use crate::store::{self, EndSessions, Known, NewEvent, Refreshed, Rotate, Scope, Touch};

/// How often a refresh looks again when the session changed between two looks.
const LOOKS: usize = 4;

/// How many bytes an `attemptId` has. It opens a retry however late, so nobody may guess it: 64 random
/// bits are 16 hexadecimal digits.
const ATTEMPT: RangeInclusive<usize> = 16..=200;

const TOKEN: &[&str] = &["input", "refreshToken"];

impl Auth {
    pub(super) async fn try_refresh(
        &self,
        token: &str,
        attempt_id: Option<&str>,
        origin: Origin,
    ) -> Result<(SignedIn, RefreshOutcome), Error> {
        let now = self.clock.now();
        let presented = self.verify_refresh(token, now)?;
        let attempt = parse_attempt(attempt_id, &presented)?;
        store::together(Box::pin(self.settle(presented, attempt, origin, now))).await
    }

    /// Does what a token of ours is good for.
    async fn settle(
        &self,
        presented: RefreshToken,
        attempt: Option<AttemptHash>,
        origin: Origin,
        now: Timestamp,
    ) -> Result<(SignedIn, RefreshOutcome), Error> {
        for _ in 0..LOOKS {
            if let Some(done) = self.advance(&presented, attempt, &origin, now).await? {
                let rotates = self.policy.rotate;
                let outcome =
                    if rotates { RefreshOutcome::Rotated } else { RefreshOutcome::Unrotated };
                return Ok((self.sign_in(done.session, done.role, now, rotates)?, outcome));
            }
            let RefreshToken { user_id, session_id, id, .. } = presented;
            let Some(known) = self.store.known_token(user_id, session_id, id).await? else {
                return Err(refused(RefusalCode::SessionEnded));
            };
            let presentation = Presentation { token_id: id, attempt, rotated_at: known.rotated_at };
            match known.session.judge(&presentation, self.policy.retry_window, now) {
                // It changed since the swap was tried: once more.
                Presented::Outstanding => {}
                Presented::Retry => {
                    if let Some(done) = self.retry(&presented, &origin, now).await? {
                        let signed_in = self.sign_in(done.session, done.role, now, true)?;
                        return Ok((signed_in, RefreshOutcome::Retried));
                    }
                }
                Presented::Stale => return Err(refused(RefusalCode::RefreshTokenStale)),
                Presented::Reused => {
                    self.end_reused(&known, origin, now).await?;
                    return Err(refused(RefusalCode::RefreshTokenReused));
                }
                Presented::Newer => {
                    self.end_outlived(&known, origin, now).await?;
                    return Err(refused(RefusalCode::SessionEnded));
                }
                Presented::Ended => {
                    self.note_end_of(&known.session);
                    return Err(refused(RefusalCode::SessionEnded));
                }
                Presented::Expired => return Err(refused(RefusalCode::RefreshTokenExpired)),
            }
        }
        Err(Error::Unavailable(store::Error::Contended))
    }

    /// Reads a refresh token of ours.
    pub(super) fn verify_refresh(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<RefreshToken, Error> {
        let read = self.refresh_keys.verify(&self.issuer.issuer, token, now);
        read.map_err(|refusal| match refusal {
            TokenRefusal::Expired => refused(RefusalCode::RefreshTokenExpired),
            _ => refused(RefusalCode::RefreshTokenInvalid),
        })
    }

    /// The swap, or its counterpart where refresh tokens do not rotate.
    async fn advance(
        &self,
        presented: &RefreshToken,
        attempt: Option<AttemptHash>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<Refreshed>, Error> {
        let access_expires_at = self.access_expiry(now);
        if !self.policy.rotate {
            let touch = Touch {
                session_id: presented.session_id,
                presented: presented.id,
                is_retry: false,
                access_expires_at,
                at: now,
                origin: origin.clone(),
                event: None,
            };
            return Ok(self.store.touch(touch).await?);
        }
        let rotate = Rotate {
            session_id: presented.session_id,
            presented: RefreshGrant {
                id: presented.id,
                issued_at: presented.issued_at,
                expires_at: presented.expires_at,
            },
            next: TokenId::new(now, &*self.entropy),
            lifetime: self.policy.refresh_token_lifetime,
            access_expires_at,
            attempt,
            at: now,
            origin: origin.clone(),
        };
        Ok(self.store.rotate(rotate).await?)
    }

    /// The successor again, for a client that never saw it.
    async fn retry(
        &self,
        presented: &RefreshToken,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<Refreshed>, Error> {
        let event = NewEvent {
            kind: AuditKind::RefreshRetried,
            at: now,
            user: Some(presented.user_id),
            actor: Some(presented.user_id),
            session: Some(presented.session_id),
            origin: origin.clone(),
            detail: None,
        };
        let touch = Touch {
            session_id: presented.session_id,
            presented: presented.id,
            is_retry: true,
            access_expires_at: self.access_expiry(now),
            at: now,
            origin: origin.clone(),
            event: Some(event),
        };
        Ok(self.store.touch(touch).await?)
    }

    /// Ends a session of which an old token came back: one of the two who have it is a thief, and
    /// nobody can tell which.
    async fn end_reused(&self, known: &Known, origin: Origin, now: Timestamp) -> Result<(), Error> {
        let event = NewEvent {
            kind: AuditKind::RefreshReused,
            at: now,
            user: Some(known.session.user_id),
            actor: None,
            session: Some(known.session.id),
            origin: origin.clone(),
            detail: None,
        };
        let end = EndSessions {
            scope: Scope::One(known.session.id),
            reason: EndReason::RefreshReused,
            at: now,
            actor: None,
            origin,
            note: None,
        };
        self.end(end, Some(event)).await?;
        Ok(())
    }

    /// Ends a session whose token the database has not heard of. Nobody stole it: an older copy of the
    /// database was restored. The outstanding token of that copy may be in anybody's hands by now.
    async fn end_outlived(
        &self,
        known: &Known,
        origin: Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        tracing::warn!(
            session = %known.session.id,
            "a refresh token is newer than its session in the database: if an older copy was \
             restored, run sallyport recover"
        );
        let end = order(Actor::Operator, Scope::One(known.session.id), now, origin);
        self.end(end, None).await?;
        Ok(())
    }
}

fn parse_attempt(
    attempt_id: Option<&str>,
    presented: &RefreshToken,
) -> Result<Option<AttemptHash>, Refusal> {
    let Some(text) = attempt_id else { return Ok(None) };
    if !ATTEMPT.contains(&text.len()) {
        let (least, most) = (ATTEMPT.start(), ATTEMPT.end());
        let message = format!("an attempt id has {least} to {most} bytes: send a random UUID");
        return Err(Refusal::invalid(&["input", "attemptId"], message));
    }
    Ok(Some(attempt_hash(presented.session_id, text)))
}

/// The refusal of a refresh token.
pub(super) fn refused(code: RefusalCode) -> Error {
    let message = match code {
        RefusalCode::RefreshTokenExpired => "this refresh token has expired: log in",
        RefusalCode::RefreshTokenStale => {
            "this refresh token was used a moment ago: use the one that came in its place"
        }
        RefusalCode::RefreshTokenReused => {
            "this refresh token was used before, so its session was ended: log in"
        }
        RefusalCode::SessionEnded => "this session has ended: log in",
        _ => "this is not a valid refresh token",
    };
    Refusal::new(code, TOKEN, message).into()
}
