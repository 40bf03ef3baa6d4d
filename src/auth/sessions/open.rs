//! Opening of a session by a proof: the only place where a session begins.

use super::Sessions;
use super::refresh_errors::refused;
use super::token_issuer::SignedIn;
use crate::auth::challenges::{LoginChallenge, challenge_expired};
use crate::auth::emails::OrderedMail;
use crate::auth::error::Error;
use crate::auth::factors::unknown_passkey;
use crate::auth::input_field::Field;
use crate::auth::proof::{Proof, Sufficiency};
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::challenge::{ChallengePurpose, LoginStep};
use crate::domain::id::{SessionId, TokenId, TrustedDeviceId};
use crate::domain::locale::Locale;
use crate::domain::origin::Origin;
use crate::domain::session::{RefreshGrant, SessionName};
use crate::domain::user::{Role, User};
use crate::domain::user_claims::UserClaims;
use crate::store::{
    Ending, NameTaken, NewEvent, NewMail, NewSession, NotOpened, OpenSession, Scope,
};

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
    /// The token of a device that may be trusted.
    pub device: Option<&'a str>,
    /// Whether to trust the device from now on.
    pub trusts_device: bool,
    /// The role by which the proof was judged, where the policy depends on it.
    pub judged_role: Option<Role>,
    /// The device on which the second factor is not asked for.
    pub trusted_device: Option<TrustedDeviceId>,
    /// Whether an administrator removed the second factors, and nobody logged in since.
    pub is_after_reset: bool,
    /// Events beside that of the login.
    pub events: Vec<NewEvent>,
    /// Mails that are queued with the session.
    pub mails: Vec<NewMail>,
}

impl<'a> OpenFor<'a> {
    /// For a step that needs nothing else.
    pub(in crate::auth) fn step(name: Option<SessionName>, origin: &'a Origin) -> Self {
        Self {
            name,
            origin,
            languages: &[],
            entered: "",
            verification: None,
            device: None,
            trusts_device: false,
            judged_role: None,
            trusted_device: None,
            is_after_reset: false,
            events: Vec::new(),
            mails: Vec::new(),
        }
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
        let (sufficiency, proof, client) = self.judge(proof, client).await?;
        let challenge = match sufficiency {
            Sufficiency::Enough => {
                let (user, signed_in) = self.open_session(proof, client).await?;
                return Ok(LoginOutcome::Session(user, Box::new(signed_in)));
            }
            Sufficiency::NeedsEmail => self.begin_verification(proof, client).await?,
            Sufficiency::NeedsFactor(steps) => {
                self.begin_step(proof, client, ChallengePurpose::SecondStep, steps).await?
            }
            Sufficiency::NeedsEnrollment => {
                let steps = vec![LoginStep::EnrollFactor];
                self.begin_step(proof, client, ChallengePurpose::EnrollFactor, steps).await?
            }
        };
        Ok(LoginOutcome::Challenge(challenge))
    }

    async fn open_session(
        &self,
        proof: Proof,
        client: OpenFor<'_>,
    ) -> Result<(User, SignedIn), Error> {
        let (now, origin) = (self.now(), client.origin);
        self.tokens.check_signing(now)?;
        let (device_token, trust) = self.new_trusted_device(&proof, &client, now).unzip();
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
            // An administrator removed the factors: without a verified address the password is enough.
            detail: (client.is_after_reset && matches!(proof, Proof::Password(_)))
                .then_some("second factors were reset, no verified address"),
        };
        let mut events = client.events;
        if trust.is_some() {
            events.push(NewEvent { kind: AuditKind::DeviceTrusted, detail: None, ..event.clone() });
        }
        // A registration is no login: the account's last login stays empty. It has no other sessions.
        let is_login = !matches!(proof, Proof::Registration(_));
        let is_login_now = is_login && !matches!(proof, Proof::ForeignToken(_));
        let open = OpenSession {
            session,
            grounds: proof.grounds(now, origin),
            record_login: is_login_now && self.policy.record_login,
            max_sessions: self.policy.max_sessions.filter(|_| is_login),
            judged_role: client.judged_role,
            trusted_device: client.trusted_device,
            events,
            trust,
            mails,
            verification: client.verification.map(|mail| mail.order),
        };
        let opened = match self.store.open_session(open, event).await? {
            Ok(opened) => opened,
            Err(reason) => return Err(self.not_opened(reason, proof, origin).await),
        };
        self.note_ending(&proof, now, &opened.ending).await?;
        self.ends.note(&opened.ended);
        let signed_in =
            self.tokens.issue(opened.session, UserClaims::of(&opened.user), now, true)?;
        Ok((opened.user, signed_in.on_device(device_token)))
    }

    /// Notes the sessions that a proof by mail ended. Other grounds end nothing, and the note costs a read.
    pub(super) async fn note_ending(
        &self,
        proof: &Proof,
        now: Timestamp,
        ending: &Ending,
    ) -> Result<(), Error> {
        if matches!(proof, Proof::Email(_)) {
            self.ends.note_ending(&Scope::User(proof.user_id()), now, ending).await?;
        }
        Ok(())
    }

    /// The error for a proof that does not hold any more.
    pub(super) async fn not_opened(
        &self,
        reason: NotOpened,
        proof: Proof,
        origin: &Origin,
    ) -> Error {
        match (reason, proof) {
            (NotOpened::NameTaken(name), _) => name_taken(name).into(),
            (_, Proof::Passkey(_)) => unknown_passkey().into(),
            // The factor was right, and is not used up.
            (NotOpened::GroundsChanged, Proof::SecondStep(step)) => {
                match self.factors.refund(step.into_factor()).await {
                    Ok(()) => challenge_expired().into(),
                    Err(error) => error,
                }
            }
            (_, Proof::SecondStep(step)) => {
                let (user, factor) = (step.user_id(), step.into_factor());
                match self.factors.refuse_used(factor, user, None, origin).await {
                    Ok(()) => used_factor().into(),
                    Err(error) => error,
                }
            }
            (_, Proof::Password(verified)) => {
                self.passwords.refuse_outdated(*verified, origin.clone()).await
            }
            (_, Proof::Email(_) | Proof::Enrollment(_)) => challenge_expired().into(),
            (_, Proof::ForeignToken(_)) => refused(UserErrorCode::SessionEnded),
            (_, Proof::Registration(_)) => {
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
        let mut expires_at = issued_at + self.policy.refresh_token_lifetime;
        if let Proof::ForeignToken(token) = proof {
            // The client has no other token, and its own lasts until then.
            expires_at = token.stays_until().map_or(expires_at, |until| expires_at.max(until));
        }
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

/// The error for a code of a second factor that was used before.
fn used_factor() -> UserError {
    const MESSAGE: &str = "The code was used before. Enter the next one.";
    UserError::new(UserErrorCode::InvalidProof, Field::Proof, MESSAGE)
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
