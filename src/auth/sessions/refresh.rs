//! Refresh: the outstanding refresh token becomes the next pair of tokens.
//!
//! The store's compare-and-swap replaces the outstanding token. Only where it changed nothing is the
//! session read, to decide by [`Session::decide_refresh`](crate::domain::session::Session::decide_refresh) what the token is;
//! whatever follows from that is again a conditional write. A failure of the database is never "invalid":
//! the client keeps its token and tries again.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Sessions;
use super::refresh_errors::{is_final, refused, unverified};
use super::token_issuer::SignedIn;
use crate::auth::client_disconnect::disconnected;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::transport::{CookieChange, Cookies, TokenTransport};
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::crypto::digest::attempt_hash;
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::id::TokenId;
use crate::domain::origin::Origin;
use crate::domain::refresh_decision::{PresentedToken, RefreshDecision};
use crate::domain::session::{AttemptHash, RefreshGrant};
use crate::domain::throttle::{self, Bucket, Limit, Tally};
use crate::metrics::RefreshOutcome;
use crate::redacted::redacted_debug;
use crate::store::{self, KnownToken, Refreshed, Reissue, Rotate};

/// Reads of a session that changed between two reads, before the refresh gives up.
pub(super) const MAX_READS: usize = 4;

/// Most refreshes of one session under way, with those that wait for its lock.
pub(super) const MAX_AT_ONCE: usize = 256;

/// `retryAfterSeconds` of a client beyond [`MAX_AT_ONCE`].
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// Length of an `attemptId` in bytes. It authorizes a retry however late, so it must not be guessable: 64
/// random bits are 16 hexadecimal digits.
const ATTEMPT_ID: RangeInclusive<usize> = 16..=200;

#[derive(Clone, Copy)]
pub struct Refresh<'a> {
    /// `None`: the cookie's token.
    pub token: Option<&'a str>,
    /// Transport of the next token; `None`: that of this one.
    pub transport: Option<TokenTransport>,
    pub attempt_id: Option<&'a str>,
    /// Whether the refresh token is replaced; `None`: as the policy says.
    pub rotate: Option<bool>,
}

redacted_debug!(Refresh<'_>);

impl Sessions {
    /// Refreshes with the input's token or else the cookie's.
    ///
    /// # Errors
    /// `REFRESH_TOKEN_INVALID`, `_EXPIRED`, `_STALE` or `_REUSED`, `SESSION_ENDED`; `RATE_LIMITED`;
    /// `INVALID_INPUT` for the attempt's id or the transport; `FORBIDDEN` for a cookie that does not count.
    pub async fn refresh(
        &self,
        input: Refresh<'_>,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<SignedIn, Error> {
        let (token, came_by) = match (input.token, cookie.refresh.token()) {
            (Some(token), _) => (token, TokenTransport::Body),
            (None, Some(token)) => (token, TokenTransport::Cookie),
            (None, None) => return Err(no_token().into()),
        };
        let transport = input.transport.unwrap_or(came_by);
        match (came_by, transport) {
            (TokenTransport::Body, transport) => cookie.allow(transport)?,
            (TokenTransport::Cookie, TokenTransport::Cookie) => {
                cookie.trust(Field::RefreshToken)?;
            }
            (TokenTransport::Cookie, TokenTransport::Body) => return Err(stays_in_cookie().into()),
        }
        let done = self.refresh_by_token(token, input.attempt_id, input.rotate, &origin).await;
        self.metrics.refresh(outcome(&done));
        if came_by == TokenTransport::Cookie && done.as_ref().is_err_and(is_final) {
            cookie.refresh.change(CookieChange::Clear);
        }
        let (mut signed_in, _) = done?;
        if (came_by, transport) == (TokenTransport::Body, TokenTransport::Cookie) {
            // Where refresh tokens do not rotate, the same one moves into the cookie.
            signed_in.tokens.refresh_token.get_or_insert_with(|| token.to_owned());
        }
        self.deliver(signed_in, transport, cookie, origin).await
    }

    async fn refresh_by_token(
        &self,
        token: &str,
        attempt_id: Option<&str>,
        rotate: Option<bool>,
        origin: &Origin,
    ) -> Result<(SignedIn, RefreshOutcome), Error> {
        let now = self.now();
        if let Some(foreign) = self.foreign_token(token, now) {
            return self.exchange(foreign, rotate == Some(false), origin, now).await;
        }
        let rotates = rotate.unwrap_or(self.policy.rotate);
        let presented = self.tokens.verify_refresh(token, now).map_err(unverified)?;
        let attempt = parse_attempt(attempt_id, &presented)?;
        // One at a time of a session: clients that repeat one refresh would else hold every connection to
        // the database, and keep all others waiting.
        let entry = self.refreshes.enter(Bucket(*presented.session_id.as_uuid().as_bytes()));
        if entry.others() >= MAX_AT_ONCE {
            return Err(busy().into());
        }
        // On the heap: the future of every mutation is as large as the largest.
        store::with_timeout(Box::pin(async move {
            let _lock = tokio::select! {
                lock = entry.lock() => lock,
                () = disconnected() => return Err(busy().into()),
            };
            self.decide(presented, attempt, rotates, origin, now).await
        }))
        .await
    }

    /// Advances the chain, or decides why it cannot.
    async fn decide(
        &self,
        presented: RefreshToken,
        attempt: Option<AttemptHash>,
        rotates: bool,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(SignedIn, RefreshOutcome), Error> {
        self.tokens.check_signing(now)?;
        for _ in 0..MAX_READS {
            if let Some(done) = self.advance(&presented, attempt, rotates, origin, now).await? {
                let outcome =
                    if rotates { RefreshOutcome::Rotated } else { RefreshOutcome::Unrotated };
                return Ok((self.tokens.issue(done.session, done.claims, now, rotates)?, outcome));
            }
            let RefreshToken { user_id, session_id, id, .. } = presented;
            let Some(known) = self.store.known_token(user_id, session_id, id).await? else {
                return Err(refused(UserErrorCode::SessionEnded));
            };
            if !known.user_is_active {
                return Err(refused(UserErrorCode::SessionEnded));
            }
            let presentation =
                PresentedToken { token_id: id, attempt, rotated_at: known.rotated_at };
            match known.session.decide_refresh(&presentation, self.policy.retry_window, now) {
                // The session changed since the swap, unless its limit refused it: try again.
                RefreshDecision::Outstanding => self.refuse_over_limit(&known, now)?,
                RefreshDecision::Retry => {
                    if let Some(done) = self.retry(&presented, known, origin, now).await? {
                        let signed_in = self.tokens.issue(done.session, done.claims, now, true)?;
                        return Ok((signed_in, RefreshOutcome::Retried));
                    }
                }
                RefreshDecision::Stale => return Err(refused(UserErrorCode::RefreshTokenStale)),
                RefreshDecision::Reused => {
                    self.end_reused(&known.session, origin.clone(), now).await?;
                    return Err(refused(UserErrorCode::RefreshTokenReused));
                }
                RefreshDecision::Newer => {
                    self.end_outlived(&known, origin.clone(), now).await?;
                    return Err(refused(UserErrorCode::SessionEnded));
                }
                RefreshDecision::Ended => {
                    self.ends.note_end_of(&known.session);
                    return Err(refused(UserErrorCode::SessionEnded));
                }
                RefreshDecision::Expired => {
                    return Err(refused(UserErrorCode::RefreshTokenExpired));
                }
            }
        }
        Err(Error::Unavailable(store::Error::Contended))
    }

    /// Rotates the refresh token by compare-and-swap, or only marks the session as used where refresh
    /// tokens do not rotate. `None` where the token is not the outstanding one, or a limit refuses.
    async fn advance(
        &self,
        presented: &RefreshToken,
        attempt: Option<AttemptHash>,
        rotates: bool,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<Refreshed>, Error> {
        let access_expires_at = self.tokens.access_expiry(now);
        if !rotates {
            let reissue = Reissue {
                session_id: presented.session_id,
                presented: presented.id,
                access_expires_at,
                at: now,
                origin: origin.clone(),
                limit: self.refresh_limit(),
            };
            return Ok(self.store.reissue(reissue).await?);
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
            limit: self.refresh_limit(),
        };
        Ok(self.store.rotate(rotate).await?)
    }

    /// Limit on refreshes of one session. Without it one session could fill the disk: each rotation is
    /// kept as long as its token could be presented.
    fn refresh_limit(&self) -> Option<Limit> {
        self.policy.throttle.then(|| throttle::refresh(self.policy.access_token_lifetime))
    }

    /// Refuses a refresh that the store did not do because of the limit.
    fn refuse_over_limit(&self, known: &KnownToken, now: Timestamp) -> Result<(), UserError> {
        const MESSAGE: &str =
            "The session was refreshed too often. Wait, then use the same refresh token.";
        let (Some(limit), Some(until)) = (self.refresh_limit(), known.limit_until) else {
            return Ok(());
        };
        if !limit.refusing(now).contains(&until) {
            return Ok(());
        }
        let wait = limit.wait(Some(&Tally { failures: 0, until }), 0, now).unwrap_or_default();
        Err(UserError {
            message: MESSAGE.into(),
            field: Field::RefreshToken,
            ..UserError::rate_limited(wait)
        })
    }
}

/// The error for one refresh too many at a time.
pub(super) fn busy() -> UserError {
    UserError { field: Field::RefreshToken, ..UserError::rate_limited(BUSY_WAIT) }
}

fn parse_attempt(
    attempt_id: Option<&str>,
    presented: &RefreshToken,
) -> Result<Option<AttemptHash>, UserError> {
    let Some(text) = attempt_id else { return Ok(None) };
    if !ATTEMPT_ID.contains(&text.len()) {
        let (least, most) = (ATTEMPT_ID.start(), ATTEMPT_ID.end());
        let message = format!("`attemptId` must have {least} to {most} bytes. Send a random UUID.");
        return Err(UserError::invalid(Field::AttemptId, message));
    }
    Ok(Some(attempt_hash(presented.session_id, text)))
}

fn no_token() -> UserError {
    const MESSAGE: &str = "The refresh token is missing. Send it in the input or in the cookie.";
    UserError::new(UserErrorCode::RefreshTokenInvalid, Field::RefreshToken, MESSAGE)
}

/// A cookie keeps its token from scripts: no script in the page may ask for it.
fn stays_in_cookie() -> UserError {
    const MESSAGE: &str = "A refresh token from the cookie cannot be moved to the response body.";
    UserError::invalid(Field::Transport, MESSAGE)
}

fn outcome(done: &Result<(SignedIn, RefreshOutcome), Error>) -> RefreshOutcome {
    match done {
        Ok((_, outcome)) => *outcome,
        Err(Error::Refused(error)) => match error.code {
            UserErrorCode::RefreshTokenStale => RefreshOutcome::Stale,
            UserErrorCode::RefreshTokenReused => RefreshOutcome::Reused,
            UserErrorCode::SessionEnded => RefreshOutcome::Ended,
            UserErrorCode::RefreshTokenExpired => RefreshOutcome::Expired,
            UserErrorCode::RateLimited => RefreshOutcome::RateLimited,
            _ => RefreshOutcome::Invalid,
        },
        Err(_) => RefreshOutcome::Failed,
    }
}
