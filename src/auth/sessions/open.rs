//! Opening of a session by a proof: the only place where a session begins.

use super::Sessions;
use super::token_issuer::SignedIn;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::proof::{Proof, Sufficiency};
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::{RefreshGrant, SessionName};
use crate::domain::user::User;
use crate::store::{NameTaken, NewEvent, NewSession, NotOpened, OpenSession};

impl Sessions {
    /// Opens a session of the user that the proof is of, and issues its first tokens.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` or `RATE_LIMITED` where the proof does not hold any more, `USERNAME_TAKEN` and
    /// `EMAIL_TAKEN` where it is a registration.
    pub(in crate::auth) async fn open(
        &self,
        proof: Proof,
        name: Option<SessionName>,
        origin: &Origin,
    ) -> Result<(User, SignedIn), Error> {
        // Fails to compile once there is another answer than "enough", which is then dealt with here.
        let Sufficiency::Enough = proof.sufficiency();
        let now = self.now();
        self.tokens.check_signing(now)?;
        let session = self.new_session(proof.user_id(), name, origin.clone(), now);
        let event = NewEvent {
            kind: match proof {
                Proof::Password(_) => AuditKind::LoginSucceeded,
                Proof::Registration(_) => AuditKind::Registered,
            },
            at: now,
            user: Some(session.user_id),
            actor: Some(session.user_id),
            session: Some(session.id),
            origin: origin.clone(),
            detail: None,
        };
        // A registration is no login: the account's last login stays empty. It has no other sessions.
        let is_login = !matches!(proof, Proof::Registration(_));
        let open = OpenSession {
            session,
            grounds: proof.grounds(),
            record_login: is_login && self.policy.record_login,
            max_sessions: self.policy.max_sessions.filter(|_| is_login),
        };
        let opened = match self.store.open_session(open, event).await? {
            Ok(opened) => opened,
            Err(NotOpened::NameTaken(name)) => return Err(name_taken(name).into()),
            Err(NotOpened::GroundsChanged) => return Err(self.outdated(proof, origin).await),
        };
        self.ends.note(&opened.ended);
        let signed_in = self.tokens.issue(opened.session, opened.user.role, now, true)?;
        Ok((opened.user, signed_in))
    }

    /// The error for a proof that does not hold any more.
    async fn outdated(&self, proof: Proof, origin: &Origin) -> Error {
        match proof {
            Proof::Password(verified) => {
                self.passwords.refuse_outdated(verified, origin.clone()).await
            }
            Proof::Registration(_) => {
                Error::Internal("a new account has no grounds that change".into())
            }
        }
    }

    fn new_session(
        &self,
        user_id: UserId,
        name: Option<SessionName>,
        origin: Origin,
        now: Timestamp,
    ) -> NewSession {
        let issued_at = now.floor_to_second();
        let absolute_expires_at = self.policy.session_lifetime.map(|lifetime| issued_at + lifetime);
        let expires_at = issued_at + self.policy.refresh_token_lifetime;
        NewSession {
            id: SessionId::new(now, &*self.entropy),
            user_id,
            name,
            origin,
            created_at: now,
            token: RefreshGrant {
                id: TokenId::new(now, &*self.entropy),
                issued_at,
                expires_at: absolute_expires_at.unwrap_or(expires_at).min(expires_at),
            },
            access_expires_at: self.tokens.access_expiry(now),
            absolute_expires_at,
        }
    }
}

pub(in crate::auth) fn parse_session_name(
    text: Option<&str>,
) -> Result<Option<SessionName>, UserError> {
    text.map(SessionName::parse)
        .transpose()
        .map_err(|error| UserError::invalid(Field::SessionName, error))
}

/// The error for a name that another account has.
pub(in crate::auth) fn name_taken(taken: NameTaken) -> UserError {
    match taken {
        NameTaken::Username => UserError::new(
            UserErrorCode::UsernameTaken,
            Field::Username,
            "The username is taken, or it looks like a taken one. Choose another username.",
        ),
        NameTaken::Email => UserError::new(
            UserErrorCode::EmailTaken,
            Field::Email,
            "Another account has this e-mail address. Choose another address, or log in.",
        ),
    }
}
