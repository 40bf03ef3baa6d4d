//! Outcomes, counted where they are decided.

use std::sync::Arc;

use super::error::UserErrorCode;
use super::{Auth, Error, Login, SignedIn};
use crate::domain::origin::Origin;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::metrics::{LoginResult, Metrics, Observed, RefreshOutcome};
use crate::store::EndedSession;

impl Auth {
    /// Logs in.
    ///
    /// # Errors
    /// [`UserErrorCode::InvalidCredentials`], [`UserErrorCode::InvalidInput`] for the session's name,
    /// [`UserErrorCode::RateLimited`], [`UserErrorCode::Overloaded`], or a failure of the service.
    pub async fn login(&self, login: Login<'_>, origin: Origin) -> Result<(User, SignedIn), Error> {
        let outcome = self.try_login(login, origin).await;
        self.metrics.login(match &outcome {
            Ok(_) => LoginResult::Succeeded,
            Err(Error::Refused(refusal)) => match refusal.code {
                UserErrorCode::InvalidCredentials => LoginResult::InvalidCredentials,
                UserErrorCode::RateLimited => LoginResult::RateLimited,
                UserErrorCode::Overloaded => LoginResult::Overloaded,
                _ => LoginResult::InvalidInput,
            },
            Err(_) => LoginResult::Failed,
        });
        outcome
    }

    /// Refreshes.
    ///
    /// # Errors
    /// One of the refresh token's refusals, [`UserErrorCode::RateLimited`], or a failure of the service.
    pub async fn refresh(
        &self,
        token: &str,
        attempt_id: Option<&str>,
        origin: Origin,
    ) -> Result<SignedIn, Error> {
        let outcome = self.try_refresh(token, attempt_id, origin).await;
        self.metrics.refresh(match &outcome {
            Ok((_, outcome)) => *outcome,
            Err(Error::Refused(refusal)) => match refusal.code {
                UserErrorCode::RefreshTokenStale => RefreshOutcome::Stale,
                UserErrorCode::RefreshTokenReused => RefreshOutcome::Reused,
                UserErrorCode::SessionEnded => RefreshOutcome::Ended,
                UserErrorCode::RefreshTokenExpired => RefreshOutcome::Expired,
                UserErrorCode::RateLimited => RefreshOutcome::RateLimited,
                _ => RefreshOutcome::Invalid,
            },
            Err(_) => RefreshOutcome::Failed,
        });
        outcome.map(|(signed_in, _)| signed_in)
    }

    /// Takes note of sessions that this process ended: the guard refuses them from now on.
    pub(super) fn note_ends(&self, ended: &[EndedSession]) {
        self.revocations.add(ended);
        for session in ended {
            self.metrics.session_end(session.reason);
        }
    }

    /// Takes note of the end of a session that was read, if it has ended.
    pub(super) fn note_end_of(&self, session: &Session) {
        self.revocations.add(EndedSession::of(session).as_slice());
    }

    /// Where outcomes are counted.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// What was counted so far and how things are, as Prometheus reads it. It asks no database.
    #[must_use]
    pub fn metrics_text(&self, open_sockets: usize) -> String {
        let (pool, hashing) = (self.store.pool(), self.hashing_load());
        self.metrics.text(Observed {
            staleness: self.revocations.age(),
            ended_sessions: self.revocations.len(),
            connections: (pool.idle, pool.in_use),
            connections_max: pool.most,
            hashing: (hashing.running, hashing.waiting),
            open_sockets,
            clock_correction: self.clock.correction_micros(),
            uptime: self.clock.monotonic(),
        })
    }
}
