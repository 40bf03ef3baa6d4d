//! Sessions: one login and the chain of refresh tokens that grew from it.
//!
//! Rule: a session has one outstanding refresh token. What any other token of it may still do
//! follows from this row alone ([`Session::judge`]), so no list has to be complete for a refusal.

use std::net::IpAddr;
use std::time::Duration;

use super::id::{SessionId, TokenId, UserId};
use super::origin::UserAgent;
use super::shown::cannot_be_shown;
use super::words;
use crate::clock::Timestamp;

words! {
    /// How a session stands.
    SessionState {
        /// It can be refreshed.
        Active = "ACTIVE",
        /// Its outstanding refresh token ran out.
        Expired = "EXPIRED",
        /// Somebody or something ended it.
        Ended = "ENDED",
    }
}

words! {
    /// What ended a session.
    EndReason {
        /// Its user logged it out.
        Logout = "LOGOUT",
        /// Its user logged out of several sessions at once.
        LogoutAll = "LOGOUT_ALL",
        /// An administrator ended it.
        Admin = "ADMIN",
        /// The password was changed from another session.
        PasswordChanged = "PASSWORD_CHANGED",
        /// A refresh token that was rotated away long before was used again.
        RefreshReused = "REFRESH_REUSED",
        /// The account was deactivated.
        UserDeactivated = "USER_DEACTIVATED",
        /// A newer session took its place under the limit of sessions a user.
        SessionLimit = "SESSION_LIMIT",
    }
}

/// One login and its chain of refresh tokens.
#[derive(Clone, Debug)]
pub struct Session {
    /// The claim `sid`.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its user calls it.
    pub name: Option<SessionName>,
    /// What the client called itself at login.
    pub user_agent: Option<UserAgent>,
    /// The address of the login.
    pub ip: Option<IpAddr>,
    /// The address of the last refresh.
    pub last_ip: Option<IpAddr>,
    /// The moment of the login, the claim `auth_time`.
    pub created_at: Timestamp,
    /// The last login or refresh.
    pub last_used_at: Timestamp,
    /// The outstanding refresh token.
    pub token: RefreshGrant,
    /// The token rotated away last, and when.
    pub previous: Option<Rotation>,
    /// Rotations so far.
    pub generation: i32,
    /// The last moment at which an access token of it could be alive.
    pub access_expires_at: Timestamp,
    /// How it ended, where it did.
    pub end: Option<End>,
}

/// The three facts of which a refresh token is made anew, byte for byte; with the session's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshGrant {
    /// The claim `jti`.
    pub id: TokenId,
    /// The claim `iat`: a whole second.
    pub issued_at: Timestamp,
    /// The claim `exp`: a whole second.
    pub expires_at: Timestamp,
}

/// The step from one refresh token to the next.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The token rotated away.
    pub token_id: TokenId,
    /// When.
    pub at: Timestamp,
    /// The digest of the `attemptId` the client sent, where it sent one.
    pub attempt: Option<AttemptHash>,
}

/// SHA-256 of an `attemptId`: the proof that a retry comes from whoever made the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptHash(pub [u8; 32]);

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// What ended it.
    pub reason: EndReason,
    /// Who ended it, where somebody did.
    pub by: Option<UserId>,
}

/// A name a user gives a session: 1 to 100 characters that can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName(String);

/// A text that cannot name a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session's name has 1 to 100 characters and no control characters")]
pub struct SessionNameError;

impl SessionName {
    /// Reads a name, trimmed.
    ///
    /// # Errors
    /// [`SessionNameError`] where it cannot be one.
    pub fn parse(text: &str) -> Result<Self, SessionNameError> {
        let text = text.trim();
        let length = if text.len() <= 400 { text.chars().count() } else { usize::MAX };
        if !(1..=100).contains(&length) || text.chars().any(cannot_be_shown) {
            return Err(SessionNameError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a refresh token that is well signed and not expired means to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// It is the outstanding one.
    Outstanding,
    /// It is the one before, sent again by the client that never saw the answer.
    Retry,
    /// It was rotated away a moment ago, and by another attempt or its successor was used since:
    /// another tab was faster.
    Stale,
    /// It was rotated away long before: a copy is in other hands.
    Reused,
    /// It was issued after the outstanding one, and nothing is known of a rotation: the database is an
    /// older copy, or a standby without the last commits.
    Newer,
    /// The session is over.
    Ended,
    /// The session ran out.
    Expired,
}

/// The most that the clocks of replicas may be apart.
const MAX_SKEW: Duration = Duration::from_mins(1);

/// A token that is presented, beside what is known of how it got there.
#[derive(Clone, Copy, Debug)]
pub struct Presentation {
    /// Its `jti`.
    pub token_id: TokenId,
    /// The digest of the `attemptId` sent with it.
    pub attempt: Option<AttemptHash>,
    /// When that token was rotated away, where its blacklist entry says so.
    pub rotated_at: Option<Timestamp>,
}

impl Session {
    /// How the session stands at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> SessionState {
        if self.end.is_some() {
            SessionState::Ended
        } else if self.token.expires_at <= now {
            SessionState::Expired
        } else {
            SessionState::Active
        }
    }

    /// Whether it can be refreshed at `now`, as far as the session itself is concerned.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state(now) == SessionState::Active
    }

    /// The session without what is only for its user to see: its name, its client and its addresses.
    #[must_use]
    pub fn outline(self) -> Self {
        Self { name: None, user_agent: None, ip: None, last_ip: None, ..self }
    }

    /// Says what a token of this session means: the table of the refresh, less the rotation itself,
    /// which only the compare-and-swap in the store decides.
    ///
    /// The window is counted from the rotation and never slides: a retry moves nothing. A retry
    /// brings the `attemptId` of the rotation, or none where the rotation had none. With another, or
    /// with one where the rotation had none, it is not the client that made the rotation: a thief who
    /// follows a client that names its attempts, or goes ahead of it, would be given the same
    /// successor as the client, again and again, and nobody would notice.
    #[must_use]
    pub fn judge(&self, presented: &Presentation, window: Duration, now: Timestamp) -> Presented {
        match self.state(now) {
            SessionState::Ended => return Presented::Ended,
            SessionState::Expired => return Presented::Expired,
            SessionState::Active => {}
        }
        if presented.token_id == self.token.id {
            return Presented::Outstanding;
        }
        // A clock that was set back makes no window longer than clocks may be apart.
        let within = |at: Timestamp| now < at + window && at <= now + MAX_SKEW;
        if let Some(previous) = &self.previous
            && previous.token_id == presented.token_id
            && previous.attempt == presented.attempt
            && (previous.attempt.is_some() || within(previous.at))
        {
            return Presented::Retry;
        }
        match presented.rotated_at {
            Some(at) if within(at) => Presented::Stale,
            // Whatever the clocks were: a rotation that this database saw has an entry.
            None if presented.token_id.is_newer_than(self.token.id) => Presented::Newer,
            _ => Presented::Reused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn judge(seed: u64, attempt: Option<u8>, rotated_at: Option<i64>, now: i64) -> Presented {
        let presentation = Presentation {
            token_id: token(seed),
            attempt: attempt.map(|byte| AttemptHash([byte; 32])),
            rotated_at: rotated_at.map(at),
        };
        session().judge(&presentation, WINDOW, at(now))
    }

    #[test]
    fn the_outstanding_token_is_good_until_it_expires() {
        assert_eq!(judge(2, None, None, 999), Presented::Outstanding);
        assert_eq!(judge(2, None, None, 1_000), Presented::Expired);
    }

    #[test]
    fn a_clock_that_was_set_back_opens_no_window() {
        let mut session = session();
        session.previous.as_mut().unwrap().attempt = None;
        let judge = |id, rotated_at, now| {
            let rotated_at = Some(at(rotated_at));
            let presented = Presentation { token_id: token(id), attempt: None, rotated_at };
            session.judge(&presented, WINDOW, at(now))
        };
        assert_eq!(judge(1, 100, 40), Presented::Retry);
        assert_eq!(judge(1, 100, 39), Presented::Reused);
        assert_eq!(judge(0, 99, 39), Presented::Stale);
        assert_eq!(judge(0, 99, 38), Presented::Reused);
    }

    #[test]
    fn the_attempt_that_made_the_rotation_may_retry_whatever_the_clock() {
        assert_eq!(judge(1, Some(7), Some(100), 39), Presented::Retry);
    }

    #[test]
    fn without_an_attempt_the_token_before_is_a_retry_within_the_window_only() {
        let mut session = session();
        session.previous.as_mut().unwrap().attempt = None;
        let judge = |attempt, now| {
            let presented = Presentation { token_id: token(1), attempt, rotated_at: Some(at(100)) };
            session.judge(&presented, WINDOW, at(now))
        };
        assert_eq!(judge(None, 109), Presented::Retry);
        assert_eq!(judge(None, 110), Presented::Reused);
        assert_eq!(judge(None, 900), Presented::Reused);
        assert_eq!(judge(Some(AttemptHash([7; 32])), 109), Presented::Stale);
        assert_eq!(judge(Some(AttemptHash([7; 32])), 110), Presented::Reused);
    }

    #[test]
    fn the_attempt_that_made_the_rotation_alone_may_retry_however_late() {
        assert_eq!(judge(1, Some(7), Some(100), 101), Presented::Retry);
        assert_eq!(judge(1, Some(7), Some(100), 900), Presented::Retry);
        for other in [Some(8), None] {
            assert_eq!(judge(1, other, Some(100), 109), Presented::Stale);
            assert_eq!(judge(1, other, Some(100), 110), Presented::Reused);
        }
    }

    #[test]
    fn an_older_token_is_stale_for_a_moment_and_then_reused() {
        assert_eq!(judge(0, None, Some(99), 105), Presented::Stale);
        assert_eq!(judge(0, None, Some(99), 109), Presented::Reused);
        assert_eq!(judge(0, Some(7), None, 101), Presented::Reused);
    }

    #[test]
    fn a_token_that_the_database_has_not_heard_of_yet_is_no_theft() {
        let newer =
            |millis| TokenId::new(at(100) + Duration::from_millis(millis), &SeededEntropy::new(1));
        let mut session = session();
        session.token.id = newer(0);
        let judge = |token_id, rotated_at| {
            let presentation = Presentation { token_id, attempt: None, rotated_at };
            session.judge(&presentation, WINDOW, at(200))
        };
        assert_eq!(judge(newer(1), None), Presented::Newer);
        // By a clock that was set back: it was seen when it was rotated away.
        assert_eq!(judge(newer(1), Some(at(101))), Presented::Reused);
        assert_eq!(judge(TokenId::new(at(99), &SeededEntropy::new(1)), None), Presented::Reused);
    }

    #[test]
    fn a_name_that_cannot_be_shown_is_none() {
        for name in ["", " ", "a\u{7}", "a\u{202e}b", "a\u{2066}b", "a\u{61c}b", "a\u{2028}b"] {
            assert_eq!(SessionName::parse(name), Err(SessionNameError), "{name:?}");
        }
        assert_eq!(SessionName::parse(" Ada's \u{1f4bb} ").unwrap().as_str(), "Ada's \u{1f4bb}");
    }

    #[test]
    fn nothing_of_an_ended_session_is_good() {
        let mut session = session();
        session.end = Some(End { at: at(101), reason: EndReason::Logout, by: None });
        for seed in 0..=2 {
            let presented =
                Presentation { token_id: token(seed), attempt: None, rotated_at: Some(at(100)) };
            assert_eq!(session.judge(&presented, WINDOW, at(102)), Presented::Ended);
        }
    }
}
