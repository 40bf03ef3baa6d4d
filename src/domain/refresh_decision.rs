//! Decision about a presented refresh token: rotate, retry, refuse as stale, or treat as reused.
//!
//! The decision is a pure function of the session's row, the token's blacklist entry and the time.

use std::time::Duration;

use super::id::TokenId;
use super::session::{AttemptHash, Session, SessionState};
use crate::clock::{MAX_SKEW, Timestamp};

/// Decision about a refresh token whose signature is valid and that has not expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshDecision {
    /// The outstanding token of the session.
    Outstanding,
    /// The previous token, sent again by the client that did not receive the answer.
    Retry,
    /// Rotated away within the retry window by another attempt, or its successor was used since: another
    /// tab was faster.
    Stale,
    /// Rotated away before the retry window: somebody has a copy of the token.
    Reused,
    /// Issued after the outstanding token, and without a blacklist entry: the database was restored from
    /// a backup, or is a standby that lacks the last commits.
    Newer,
    /// The session has ended.
    Ended,
    /// The session has expired.
    Expired,
}

/// A presented refresh token, with its blacklist entry.
#[derive(Clone, Copy, Debug)]
pub struct PresentedToken {
    /// The claim `jti`.
    pub token_id: TokenId,
    /// Digest of the `attemptId` sent with it.
    pub attempt: Option<AttemptHash>,
    /// When the token was rotated away, from its blacklist entry.
    pub rotated_at: Option<Timestamp>,
}

impl Session {
    /// Decides about a token of this session. The rotation of an outstanding token itself is decided by
    /// the compare-and-swap in the store.
    ///
    /// The window begins with the rotation; a retry does not extend it. A retry has the `attemptId` of the
    /// rotation, or none if the rotation had none. With a different `attemptId` it is not the client that
    /// made the rotation: a thief who follows a client that sends attempt ids, or precedes it, would
    /// otherwise get the same successor as the client, again and again, and nobody would notice.
    #[must_use]
    pub fn decide_refresh(
        &self,
        presented: &PresentedToken,
        window: Duration,
        now: Timestamp,
    ) -> RefreshDecision {
        match self.state(now) {
            SessionState::Ended => return RefreshDecision::Ended,
            SessionState::Expired => return RefreshDecision::Expired,
            SessionState::Active => {}
        }
        if presented.token_id == self.token.id {
            return RefreshDecision::Outstanding;
        }
        // If the clock was set back, the window must not become longer than the tolerated skew.
        let within = |at: Timestamp| now < at + window && at <= now + MAX_SKEW;
        if let Some(previous) = &self.previous
            && previous.token_id == presented.token_id
            && previous.attempt == presented.attempt
            && (previous.attempt.is_some() || within(previous.at))
        {
            return RefreshDecision::Retry;
        }
        match presented.rotated_at {
            Some(at) if within(at) => RefreshDecision::Stale,
            // Independent of clocks: each rotation in this database has left a blacklist entry.
            None if presented.token_id.is_newer_than(self.token.id) => RefreshDecision::Newer,
            _ => RefreshDecision::Reused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authentication::{Authentication, Methods};
    use crate::domain::id::{SessionId, UserId};
    use crate::domain::session::{End, EndReason, RefreshGrant, Rotation};
    use crate::entropy::SeededEntropy;

    const WINDOW: Duration = Duration::from_secs(10);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn token(seed: u64) -> TokenId {
        TokenId::new(at(0), &SeededEntropy::new(seed))
    }

    /// Token 2 is outstanding, token 1 was rotated away at second 100, token 0 before that.
    fn session() -> Session {
        let entropy = SeededEntropy::new(9);
        Session {
            id: SessionId::new(at(0), &entropy),
            user_id: UserId::new(at(0), &entropy),
            name: None,
            user_agent: None,
            ip: None,
            last_ip: None,
            created_at: at(0),
            authentication: Authentication::single(Methods::default(), at(0)),
            last_used_at: at(100),
            token: RefreshGrant { id: token(2), issued_at: at(100), expires_at: at(1_000) },
            previous: Some(Rotation {
                token_id: token(1),
                at: at(100),
                attempt: Some(AttemptHash([7; 32])),
            }),
            generation: 2,
            access_expires_at: at(400),
            end: None,
        }
    }

    fn judge(seed: u64, attempt: Option<u8>, rotated_at: Option<i64>, now: i64) -> RefreshDecision {
        let presentation = PresentedToken {
            token_id: token(seed),
            attempt: attempt.map(|byte| AttemptHash([byte; 32])),
            rotated_at: rotated_at.map(at),
        };
        session().decide_refresh(&presentation, WINDOW, at(now))
    }

    #[test]
    fn the_outstanding_token_is_good_until_it_expires() {
        assert_eq!(judge(2, None, None, 999), RefreshDecision::Outstanding);
        assert_eq!(judge(2, None, None, 1_000), RefreshDecision::Expired);
    }

    #[test]
    fn a_clock_that_was_set_back_opens_no_window() {
        let mut session = session();
        session.previous.as_mut().unwrap().attempt = None;
        let judge = |id, rotated_at, now| {
            let rotated_at = Some(at(rotated_at));
            let presented = PresentedToken { token_id: token(id), attempt: None, rotated_at };
            session.decide_refresh(&presented, WINDOW, at(now))
        };
        assert_eq!(judge(1, 100, 40), RefreshDecision::Retry);
        assert_eq!(judge(1, 100, 39), RefreshDecision::Reused);
        assert_eq!(judge(0, 99, 39), RefreshDecision::Stale);
        assert_eq!(judge(0, 99, 38), RefreshDecision::Reused);
    }

    #[test]
    fn the_attempt_that_made_the_rotation_may_retry_whatever_the_clock() {
        assert_eq!(judge(1, Some(7), Some(100), 39), RefreshDecision::Retry);
    }

    #[test]
    fn without_an_attempt_the_token_before_is_a_retry_within_the_window_only() {
        let mut session = session();
        session.previous.as_mut().unwrap().attempt = None;
        let judge = |attempt, now| {
            let presented =
                PresentedToken { token_id: token(1), attempt, rotated_at: Some(at(100)) };
            session.decide_refresh(&presented, WINDOW, at(now))
        };
        assert_eq!(judge(None, 109), RefreshDecision::Retry);
        assert_eq!(judge(None, 110), RefreshDecision::Reused);
        assert_eq!(judge(None, 900), RefreshDecision::Reused);
        assert_eq!(judge(Some(AttemptHash([7; 32])), 109), RefreshDecision::Stale);
        assert_eq!(judge(Some(AttemptHash([7; 32])), 110), RefreshDecision::Reused);
    }

    #[test]
    fn the_attempt_that_made_the_rotation_alone_may_retry_however_late() {
        assert_eq!(judge(1, Some(7), Some(100), 101), RefreshDecision::Retry);
        assert_eq!(judge(1, Some(7), Some(100), 900), RefreshDecision::Retry);
        for other in [Some(8), None] {
            assert_eq!(judge(1, other, Some(100), 109), RefreshDecision::Stale);
            assert_eq!(judge(1, other, Some(100), 110), RefreshDecision::Reused);
        }
    }

    #[test]
    fn an_older_token_is_stale_for_a_moment_and_then_reused() {
        assert_eq!(judge(0, None, Some(99), 105), RefreshDecision::Stale);
        assert_eq!(judge(0, None, Some(99), 109), RefreshDecision::Reused);
        assert_eq!(judge(0, Some(7), None, 101), RefreshDecision::Reused);
    }

    #[test]
    fn a_token_that_the_database_has_not_heard_of_yet_is_no_theft() {
        let newer =
            |millis| TokenId::new(at(100) + Duration::from_millis(millis), &SeededEntropy::new(1));
        let mut session = session();
        session.token.id = newer(0);
        let judge = |token_id, rotated_at| {
            let presentation = PresentedToken { token_id, attempt: None, rotated_at };
            session.decide_refresh(&presentation, WINDOW, at(200))
        };
        assert_eq!(judge(newer(1), None), RefreshDecision::Newer);
        // By a clock that was set back: it was seen when it was rotated away.
        assert_eq!(judge(newer(1), Some(at(101))), RefreshDecision::Reused);
        assert_eq!(
            judge(TokenId::new(at(99), &SeededEntropy::new(1)), None),
            RefreshDecision::Reused
        );
    }

    #[test]
    fn nothing_of_an_ended_session_is_good() {
        let mut session = session();
        session.end = Some(End { at: at(101), reason: EndReason::Logout, by: None });
        for seed in 0..=2 {
            let presented =
                PresentedToken { token_id: token(seed), attempt: None, rotated_at: Some(at(100)) };
            assert_eq!(session.decide_refresh(&presented, WINDOW, at(102)), RefreshDecision::Ended);
        }
    }
}
