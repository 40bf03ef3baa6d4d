//! Who may add a factor, and who may change those that an account has.

use std::time::Duration;

use super::Enrollments;
use crate::auth::authority::is_recent;
use crate::auth::caller::Viewer;
use crate::auth::challenges::challenge_expired;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::factors::EnrolledIn;
use crate::auth::input_field::Field;
use crate::auth::transport::Cookies;
use crate::clock::Timestamp;
use crate::crypto::secret_token::TokenDigest;
use crate::domain::assurance::Assurance;
use crate::domain::challenge::ChallengePurpose;
use crate::domain::user::User;
use crate::store::{Challenge, Factors};

/// Longest time since a proof that changes factors.
const FRESH: Duration = Duration::from_mins(5);

/// An account to which a factor may be added, and its factors.
pub(super) struct MayEnroll {
    pub user: User,
    pub factors: Factors,
    pub enrolled_in: EnrolledIn,
}

impl Enrollments {
    /// Who may add a factor: a login that waits for it, by its token; or a session, by a recent proof, and where
    /// the account has a factor by one of these.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`; `FORBIDDEN` for the cookie; [`Denial`] where there is neither.
    pub(super) async fn may_enroll(
        &self,
        viewer: Result<Viewer, Denial>,
        challenge_token: Option<&str>,
        cookie: &Cookies,
    ) -> Result<MayEnroll, Error> {
        if let Some(token) = challenge_token {
            return self.of_login(token, false).await;
        }
        match (viewer, cookie.login.token()) {
            (Ok(viewer), _) => self.of_session(viewer).await,
            // A bearer token that was sent and is not valid is refused: the cookie may be of another login.
            (Err(Denial::Unauthenticated(UnauthenticatedReason::NoToken)), Some(token)) => {
                cookie.trust(Field::ChallengeToken)?;
                self.of_login(token, true).await
            }
            (Err(denial), _) => Err(denial.into()),
        }
    }

    async fn of_login(&self, token: &str, by_cookie: bool) -> Result<MayEnroll, Error> {
        let (challenge, user) = self.waiting_login(token).await?;
        let factors = self.store.factors(user.id).await?;
        let enrolled_in = EnrolledIn::Login { challenge: challenge.id, by_cookie };
        Ok(MayEnroll { user, factors, enrolled_in })
    }

    /// The login of this token, which waits for a factor to be added.
    async fn waiting_login(&self, token: &str) -> Result<(Challenge, User), Error> {
        let digest = TokenDigest::of(token).ok_or_else(challenge_expired)?;
        let found = self.store.challenge_by_token(digest).await?;
        self.open_login(found).await
    }

    /// Checks that a login still waits for a factor to be added.
    pub(super) async fn open_login(
        &self,
        found: Option<Challenge>,
    ) -> Result<(Challenge, User), Error> {
        let now = self.now();
        let waits = |found: &Challenge| {
            found.purpose == ChallengePurpose::EnrollFactor && found.is_open(now)
        };
        let challenge = found.filter(waits).ok_or_else(challenge_expired)?;
        let id = challenge.user.ok_or_else(challenge_expired)?;
        let user = self.store.users_by_id(&[id]).await?.remove(&id);
        let user = user.filter(User::is_active).ok_or_else(challenge_expired)?;
        Ok((challenge, user))
    }

    async fn of_session(&self, viewer: Viewer) -> Result<MayEnroll, Error> {
        if !is_recent(viewer.proved_at(), Some(FRESH), self.now()) {
            return Err(required(None).into());
        }
        let (user, factors) = self.account(viewer).await?;
        if factors.exist() {
            self.require_strong_factor(viewer).await?;
        }
        let enrolled_in = EnrolledIn::Session(viewer.session_id());
        Ok(MayEnroll { user, factors, enrolled_in })
    }

    /// The viewer's account, if the session may change the factors that it has.
    pub(super) async fn may_change(&self, viewer: Viewer) -> Result<(User, Factors), Error> {
        let account = self.account(viewer).await?;
        self.require_strong_factor(viewer).await?;
        Ok(account)
    }

    async fn account(&self, viewer: Viewer) -> Result<(User, Factors), Error> {
        let id = viewer.user_id();
        let user = self.store.users_by_id(&[id]).await?.remove(&id).filter(User::is_active);
        let ended = || Denial::Unauthenticated(UnauthenticatedReason::SessionEnded);
        let user = user.ok_or_else(ended)?;
        Ok((user, self.store.factors(id).await?))
    }

    /// A second factor that was shown recently and is no recovery code. Its time is in the session's row: the
    /// access token tells only when any second factor was shown.
    async fn require_strong_factor(&self, viewer: Viewer) -> Result<(), Error> {
        let id = viewer.session_id();
        let session = self.store.sessions_by_id(&[id]).await?.remove(&id);
        let shown_at = session.and_then(|session| session.authentication.strong_factor_at);
        let is_recent = |at: Timestamp| is_recent(at, Some(FRESH), self.now());
        if shown_at.is_some_and(is_recent) {
            return Ok(());
        }
        Err(required(Some(Assurance::MultiFactor)).into())
    }
}

fn required(assurance: Option<Assurance>) -> Denial {
    Denial::ReauthenticationRequired { max_age: Some(FRESH), assurance }
}
