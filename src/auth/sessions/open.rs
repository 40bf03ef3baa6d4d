//! Opening of a session by a proof: the only place where a session begins.

use super::Sessions;
use super::token_issuer::SignedIn;
use crate::auth::challenges::{LoginChallenge, challenge_expired};
use crate::auth::emails::OrderedMail;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::proof::{Proof, Sufficiency};
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::locale::Locale;
use crate::domain::origin::Origin;
use crate::domain::session::{RefreshGrant, SessionName};
use crate::domain::user::User;
use crate::store::{NameTaken, NewEvent, NewMail, NewSession, NotOpened, OpenSession, Scope};

/// What a way in comes to.
#[derive(Debug)]
pub enum LoginOutcome {
    Session(User, Box<SignedIn>),
    /// The proof is not enough: the challenge asks for another one.
    Challenge(LoginChallenge),
}

/// The client of a way in, for mails and the name of its session.
pub(in crate::auth) struct OpenFor<'a> {
    pub name: Option<SessionName>,
    pub origin: &'a Origin,
    /// Languages of the request, by preference.
    pub languages: &'a [Locale],
    /// The name that was entered.
    pub entered: &'a str,
    /// The mail that verifies the address of a registration.
    pub verification: Option<OrderedMail>,
    /// Mails that are queued with the session.
    pub mails: Vec<NewMail>,
}

impl<'a> OpenFor<'a> {
    /// For a step that needs nothing else.
    pub(in crate::auth) fn step(name: Option<SessionName>, origin: &'a Origin) -> Self {
        Self { name, origin, languages: &[], entered: "", verification: None, mails: Vec::new() }
    }
}

impl Sessions {
    /// Opens a session of the user that the proof is of, and issues its first tokens; or begins the next step
    /// where the policy asks for one.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS`, `RATE_LIMITED` or `CHALLENGE_EXPIRED` where the proof does not hold any more,
    /// `USERNAME_TAKEN` and `EMAIL_TAKEN` where it is a registration.
    pub(in crate::auth) async fn open(
        &self,
        proof: Proof,
        client: OpenFor<'_>,
    ) -> Result<LoginOutcome, Error> {
        match proof.sufficiency(&self.policy) {
            Sufficiency::NeedsEmail => {
                Ok(LoginOutcome::Challenge(self.begin_verification(proof, client).await?))
            }
            Sufficiency::Enough => {
                let (user, signed_in) = self.open_session(proof, client).await?;
                Ok(LoginOutcome::Session(user, Box::new(signed_in)))
            }
        }
    }

    async fn open_session(
        &self,
        proof: Proof,
        client: OpenFor<'_>,
    ) -> Result<(User, SignedIn), Error> {
        let (now, origin) = (self.now(), client.origin);
        self.tokens.check_signing(now)?;
        let mut mails = client.mails;
        mails.extend(self.login_notice(&proof, origin, now).await?);
        let session = self.new_session(&proof, client.name, origin.clone(), now);
        let event = NewEvent {
            kind: proof.event(),
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
            grounds: proof.grounds(now, origin),
            record_login: is_login && self.policy.record_login,
            max_sessions: self.policy.max_sessions.filter(|_| is_login),
            mails,
            verification: client.verification.map(|mail| mail.order),
        };
        let opened = match self.store.open_session(open, event).await? {
            Ok(opened) => opened,
            Err(NotOpened::NameTaken(name)) => return Err(name_taken(name).into()),
            Err(NotOpened::GroundsChanged | NotOpened::FactorUsed) => {
                return Err(self.outdated(proof, origin).await);
            }
        };
        // Other grounds end nothing, and the note costs a read.
        if matches!(proof, Proof::Email(_)) {
            let scope = Scope::User(opened.user.id);
            self.ends.note_ending(&scope, now, &opened.ending).await?;
        }
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
            Proof::Email(_) => challenge_expired().into(),
            Proof::Registration(_) => {
                Error::Internal("a new account has no grounds that change".into())
            }
        }
    }

    fn new_session(
        &self,
        proof: &Proof,
        name: Option<SessionName>,
        origin: Origin,
        now: Timestamp,
    ) -> NewSession {
        let issued_at = now.floor_to_second();
        let absolute_expires_at = self.policy.session_lifetime.map(|lifetime| issued_at + lifetime);
        let expires_at = issued_at + self.policy.refresh_token_lifetime;
        NewSession {
            id: SessionId::new(now, &*self.entropy),
            user_id: proof.user_id(),
            name,
            origin,
            created_at: now,
            authentication: proof.shown(now),
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
