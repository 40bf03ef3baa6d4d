//! Refresh: the outstanding refresh token becomes the next pair.
//!
//! Rule: the store's compare-and-swap decides who moves the chain on. Only where it changed nothing
//! is the session read, to say why, and whatever follows from that is again a conditional write. A
//! failure of the database is never "invalid": the client keeps its token and tries again.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::ending::order;
use super::error::{UserError, UserErrorCode};
use super::{Actor, Auth, Error, SignedIn, presence};
use crate::clock::Timestamp;
use crate::crypto::TokenError;
use crate::crypto::digest::attempt_hash;
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::audit::AuditKind;
use crate::domain::filter::IpBlock;
use crate::domain::id::TokenId;
use crate::domain::origin::Origin;
use crate::domain::presented::{Presentation, Presented};
use crate::domain::session::{AttemptHash, EndReason, RefreshGrant};
use crate::domain::throttle::{self, Bucket, Limit, Tally};
use crate::metrics::RefreshOutcome;
use crate::store::{
    self, EndSessions, Known, NewEvent, Noted, Refreshed, Repeat, Rotate, Scope, Touch,
};

/// How often a refresh looks again when the session changed between two looks.
const LOOKS: usize = 4;

/// How many refreshes of one session are under way, those included that wait for their turn.
const MOST_AT_ONCE: usize = 256;

/// When to come again where they are.
const TOO_MANY: Duration = Duration::from_secs(1);

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
        // One at a time of a session, or clients that repeat one refresh would hold every connection to
        // the database, and keep all others waiting.
        let visit = self.refreshes.enter(Bucket(*presented.session_id.as_uuid().as_bytes()));
        let too_many = || UserError { path: TOKEN, ..UserError::rate_limited(TOO_MANY) };
        if visit.others() >= MOST_AT_ONCE {
            return Err(too_many().into());
        }
        store::together(Box::pin(async move {
            let _turn = tokio::select! {
                turn = visit.turn() => turn,
                () = presence::gone() => return Err(too_many().into()),
            };
            self.settle(presented, attempt, origin, now).await
        }))
        .await
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
                return Err(refused(UserErrorCode::SessionEnded));
            };
            if !known.user_is_active {
                return Err(refused(UserErrorCode::SessionEnded));
            }
            let presentation = Presentation { token_id: id, attempt, rotated_at: known.rotated_at };
            match known.session.judge(&presentation, self.policy.retry_window, now) {
                // It changed since the swap was tried, unless there were too many: once more.
                Presented::Outstanding => self.admit_refresh(&known, now)?,
                Presented::Retry => {
                    if let Some(done) = self.repeat(&presented, known, &origin, now).await? {
                        let signed_in = self.sign_in(done.session, done.role, now, true)?;
                        return Ok((signed_in, RefreshOutcome::Retried));
                    }
                }
                Presented::Stale => return Err(refused(UserErrorCode::RefreshTokenStale)),
                Presented::Reused => {
                    self.end_reused(&known, origin, now).await?;
                    return Err(refused(UserErrorCode::RefreshTokenReused));
                }
                Presented::Newer => {
                    self.end_outlived(&known, origin, now).await?;
                    return Err(refused(UserErrorCode::SessionEnded));
                }
                Presented::Ended => {
                    self.note_end_of(&known.session);
                    return Err(refused(UserErrorCode::SessionEnded));
                }
                Presented::Expired => return Err(refused(UserErrorCode::RefreshTokenExpired)),
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
            TokenError::Expired => refused(UserErrorCode::RefreshTokenExpired),
            _ => refused(UserErrorCode::RefreshTokenInvalid),
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
                access_expires_at,
                at: now,
                origin: origin.clone(),
                limit: self.refresh_limit(),
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
            limit: self.refresh_limit(),
        };
        Ok(self.store.rotate(rotate).await?)
    }

    /// How fast a session may be refreshed. Without a limit one session fills the disk: each rotation
    /// is kept as long as its token could be presented.
    fn refresh_limit(&self) -> Option<Limit> {
        self.policy.throttle.then(|| throttle::refresh(self.policy.access_token_lifetime))
    }

    /// Refuses a refresh that the store did not do because there were too many before it.
    fn admit_refresh(&self, known: &Known, now: Timestamp) -> Result<(), UserError> {
        const MESSAGE: &str = "this session was refreshed too often: wait, and use the same token";
        let (Some(limit), Some(until)) = (self.refresh_limit(), known.limit_until) else {
            return Ok(());
        };
        if !limit.refusing(now).contains(&until) {
            return Ok(());
        }
        let wait = limit.wait(Some(&Tally { failures: 0, until }), 0, now).unwrap_or_default();
        Err(UserError { message: MESSAGE.into(), path: TOKEN, ..UserError::rate_limited(wait) })
    }

    /// The successor again, for a client that never saw it. Nothing is written where its event is
    /// already, so that many repeats neither fill the disk nor wait for one another.
    async fn repeat(
        &self,
        presented: &RefreshToken,
        known: Known,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<Refreshed>, Error> {
        let access_expires_at = self.access_expiry(now);
        let difference = difference(origin, &known.rotated_from);
        let noted = difference.map_or(Noted::SameClient, |_| Noted::AnotherClient);
        let is_noted = known.noted >= noted;
        let lasts = known.session.access_expires_at + self.policy.access_token_lifetime / 10
            >= access_expires_at;
        if is_noted && lasts {
            return Ok(Some(Refreshed { session: known.session, role: known.role }));
        }
        let event = NewEvent {
            kind: AuditKind::RefreshRetried,
            at: now,
            user: Some(presented.user_id),
            actor: Some(presented.user_id),
            session: Some(presented.session_id),
            origin: origin.clone(),
            detail: difference,
        };
        let repeat = Repeat {
            session_id: presented.session_id,
            presented: presented.id,
            access_expires_at,
            at: now,
            origin: origin.clone(),
            noted: known.noted,
            note: (!is_noted).then_some((noted, event)),
        };
        Ok(self.store.note_repeat(repeat).await?)
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
) -> Result<Option<AttemptHash>, UserError> {
    let Some(text) = attempt_id else { return Ok(None) };
    if !ATTEMPT.contains(&text.len()) {
        let (least, most) = (ATTEMPT.start(), ATTEMPT.end());
        let message = format!("an attempt id has {least} to {most} bytes: send a random UUID");
        return Err(UserError::invalid(&["input", "attemptId"], message));
    }
    Ok(Some(attempt_hash(presented.session_id, text)))
}

/// What tells the client that repeats a refresh from the one that made it. Where address and user agent
/// of that one are forgotten, as they are after a while, nothing does.
fn difference(repeated: &Origin, made: &Origin) -> Option<&'static str> {
    if *made == Origin::default() {
        return None;
    }
    let network = |origin: &Origin| origin.ip.map(|ip| IpBlock::around(ip, 24, 64));
    match (network(repeated) != network(made), repeated.user_agent != made.user_agent) {
        (false, false) => None,
        (true, false) => Some("from another network"),
        (false, true) => Some("by another client"),
        (true, true) => Some("by another client, from another network"),
    }
}

/// The refusal of a refresh token.
pub(super) fn refused(code: UserErrorCode) -> Error {
    let message = match code {
        UserErrorCode::RefreshTokenExpired => "this refresh token has expired: log in",
        UserErrorCode::RefreshTokenStale => {
            "this refresh token was used a moment ago: use the one that came in its place"
        }
        UserErrorCode::RefreshTokenReused => {
            "this refresh token was used before, so its session was ended: log in"
        }
        UserErrorCode::SessionEnded => "this session has ended: log in",
        _ => "this is not a valid refresh token",
    };
    UserError::new(code, TOKEN, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::origin::UserAgent;

    #[test]
    fn clients_are_told_apart_by_network_and_user_agent() {
        let origin = |ip: &str, agent: &str| Origin {
            ip: ip.parse().ok(),
            user_agent: UserAgent::parse(agent),
        };
        let made = origin("192.0.2.7", "Browser/1.0");
        assert_eq!(difference(&origin("192.0.2.250", "Browser/1.0"), &made), None);
        for (ip, agent, expected) in [
            ("198.51.100.7", "Browser/1.0", "from another network"),
            ("2001:db8::1", "Browser/1.0", "from another network"),
            ("192.0.2.7", "", "by another client"),
            ("198.51.100.7", "curl/8.14.1", "by another client, from another network"),
        ] {
            assert_eq!(difference(&origin(ip, agent), &made), Some(expected));
        }
        assert_eq!(difference(&made, &Origin::default()), None);
    }
}
