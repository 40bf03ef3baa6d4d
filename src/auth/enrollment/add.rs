//! A confirmed factor is added: in a live session, or in a login that waits for it.

use super::Enrollments;
use super::recovery_codes::RecoveryCodes;
use super::state::event;
use crate::auth::caller::Viewer;
use crate::auth::challenges::challenge_expired;
use crate::auth::emails::NoticeKind;
use crate::auth::error::{Denial, Error};
use crate::auth::factors::{EnrolledIn, EnrollmentProof};
use crate::auth::proof::Proof;
use crate::auth::sessions::{LoginOutcome, OpenFor};
use crate::auth::transport::{CookieChange, Cookies, TokenTransport};
use crate::crypto::secret_token::TokenDigest;
use crate::domain::audit::AuditKind;
use crate::domain::authentication::FactorUsed;
use crate::domain::id::ChallengeId;
use crate::domain::origin::Origin;
use crate::domain::second_factor::FactorKind;
use crate::domain::user::User;
use crate::store::{AddFactor, Challenge};

/// A factor that was added.
#[derive(Debug)]
pub struct Enrolled {
    pub user: User,
    /// With the first factor, told this once.
    pub recovery_codes: RecoveryCodes,
    /// The login that waited for it.
    pub login: Option<LoginOutcome>,
}

/// A factor that was confirmed, and is to be added.
pub(super) struct NewlyAdded {
    pub order: AddFactor,
    pub kind: FactorUsed,
    /// In the audit and in the notice.
    pub told_as: FactorKind,
    pub enrolled_in: EnrolledIn,
}

impl Enrollments {
    /// # Errors
    /// `CHALLENGE_EXPIRED` where the factors were changed meanwhile; [`Denial`] in another session than the one
    /// that began.
    pub(super) async fn add(
        &self,
        added: NewlyAdded,
        viewer: Result<Viewer, Denial>,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<(User, Option<LoginOutcome>), Error> {
        match added.enrolled_in {
            EnrolledIn::Session(session) => {
                let viewer = viewer?;
                if viewer.session_id() != session {
                    return Err(challenge_expired().into());
                }
                Ok((self.add_in_session(added, viewer, origin).await?, None))
            }
            EnrolledIn::Login { challenge, by_cookie } => {
                let (user, login) =
                    self.add_in_login(added, challenge, by_cookie, cookie, origin).await?;
                Ok((user, Some(login)))
            }
        }
    }

    async fn add_in_session(
        &self,
        added: NewlyAdded,
        viewer: Viewer,
        origin: Origin,
    ) -> Result<User, Error> {
        let NewlyAdded { order, told_as, .. } = added;
        let (id, at) = (viewer.user_id(), order.at);
        let user =
            self.store.users_by_id(&[id]).await?.remove(&id).ok_or_else(challenge_expired)?;
        let mails = self.notice(NoticeKind::FactorAdded(told_as), &user, &origin, at);
        let (session, detail) = (Some(viewer.session_id()), told_as.as_str());
        let event = event(AuditKind::FactorAdded, id, session, origin, detail, at);
        let added = self.store.enroll(order, event, mails).await?;
        Ok(added.ok_or_else(challenge_expired)?)
    }

    async fn add_in_login(
        &self,
        added: NewlyAdded,
        challenge: ChallengeId,
        by_cookie: bool,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<(User, LoginOutcome), Error> {
        let NewlyAdded { order, told_as, kind, .. } = added;
        let found = self.store.challenge(challenge).await?;
        let (challenge, user) = self.open_login(found).await?;
        // A login whose token no script can read goes on in the browser that has it.
        if by_cookie && !self.is_in_cookie(&challenge, cookie).await? {
            return Err(challenge_expired().into());
        }
        let transport = if by_cookie { TokenTransport::Cookie } else { TokenTransport::Body };
        let (at, detail) = (order.at, told_as.as_str());
        let event = event(AuditKind::FactorAdded, user.id, None, origin.clone(), detail, at);
        let client = OpenFor {
            events: vec![event],
            mails: self.notice(NoticeKind::FactorAdded(told_as), &user, &origin, at),
            ..OpenFor::step(challenge.session_name.clone(), &origin)
        };
        let proof = EnrollmentProof::new(challenge, user.clone(), order, kind);
        let opened = self.sessions.open(Proof::Enrollment(Box::new(proof)), client).await?;
        if by_cookie {
            cookie.login.change(CookieChange::Clear);
        }
        let login = self.sessions.deliver_outcome(opened, transport, cookie, origin).await?;
        Ok((user, login))
    }

    /// Whether the token of this challenge is in the cookie, and an allowed page sent the request.
    async fn is_in_cookie(&self, challenge: &Challenge, cookie: &Cookies) -> Result<bool, Error> {
        let digest = cookie.trusted_login_token().and_then(TokenDigest::of);
        let Some(digest) = digest else { return Ok(false) };
        let held = self.store.challenge_by_token(digest).await?;
        Ok(held.is_some_and(|held| held.id == challenge.id))
    }
}
