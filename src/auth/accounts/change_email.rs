//! Change of one's own address.
//!
//! The address changes only when the new one is proved. The old one, if it was proved, is told at the request,
//! with a link that takes the change back for seven days and ends all sessions: a thief of a session must not
//! be able to take the account away.

use super::Accounts;
use super::request_by_name::parse_locale;
use super::reset_password::EmailProofInput;
use crate::auth::caller::Viewer;
use crate::auth::challenges::{Answer, ChallengeAnswer, LoginChallenge, challenge_expired};
use crate::auth::emails::MailRequest;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::input_field::Field;
use crate::auth::sessions::name_taken;
use crate::auth::transport::Cookies;
use crate::auth::user_error::UserError;
use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::authentication::Methods;
use crate::domain::challenge::ChallengePurpose;
use crate::domain::id::UserId;
use crate::domain::locale::Locale;
use crate::domain::mail::{MailLanguage, ShortenedEmail};
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::{Email, Names, User};
use crate::store::{
    ChangeEmail, EndSessions, NewEvent, NotChanged, PasswordMark, RequestChange, RevertEmail, Scope,
};

impl Accounts {
    /// Mails a code and a link to the new address, and word to the old one. A new address that another
    /// account has is answered alike, and its owner is told.
    ///
    /// # Errors
    /// `INVALID_INPUT` for the address or the locale.
    pub async fn request_email_change(
        &self,
        viewer: Viewer,
        email: &str,
        locale: Option<&str>,
        languages: &[Locale],
        origin: Origin,
    ) -> Result<LoginChallenge, Error> {
        let locale = parse_locale(locale)?;
        let new = Email::parse(email).map_err(|error| UserError::invalid(Field::Email, error))?;
        let ended = || Denial::Unauthenticated(UnauthenticatedReason::SessionEnded);
        let found = self.store.credentials(viewer.user_id()).await?.ok_or_else(ended)?;
        let old = found.user.names.email();
        if old.is_some_and(|old| old.key() == new.key()) {
            const MESSAGE: &str = "The account has this e-mail address already. Enter another one.";
            return Err(UserError::invalid(Field::Email, MESSAGE).into());
        }
        let language = MailLanguage::choose(locale.as_ref(), found.user.locale.as_ref(), languages);
        let mail = self.emails.compose(MailRequest {
            purpose: ChallengePurpose::Change,
            recipient: new.key(),
            name: found.user.names.username().key(),
            bound_to: old,
            user: Some(found.user.id),
            address: Some(&new),
            session: Some(viewer.session_id()),
            shown: Methods::default(),
            password: found.password_hash.as_ref().map(PasswordMark::of),
            factors: found.factors,
            session_name: None,
            language,
            origin: &origin,
        })?;
        let taken = self.emails.address_taken(&mail, &new, language, &origin)?;
        let revert = self.emails.revert(&found.user, &new, language, &origin)?;
        let order = RequestChange { change: mail.order, address_taken: taken, revert };
        self.store.request_change(order, &new).await?;
        self.emails.mail_queued();
        let sent_to = Some(ShortenedEmail::of(&new));
        Ok(LoginChallenge::mailed(Some(mail.token), mail.expires_at, sent_to))
    }

    /// Changes the address by the code or link that went to the new one. A link that is opened in another
    /// browser than the account's is a first proof, which ends what was there before.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `INVALID_PROOF`, `RATE_LIMITED`; `EMAIL_TAKEN` where another account took it
    /// meanwhile.
    pub async fn confirm_email_change(
        &self,
        proof: EmailProofInput<'_>,
        viewer: Option<Viewer>,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<User, Error> {
        let purposes = [ChallengePurpose::Change];
        let verified = self.answer_proof(proof, &purposes, viewer, cookie, &origin).await?;
        let user = verified.user_id();
        let found = self.store.users_by_id(&[user]).await?.remove(&user);
        let found = found.ok_or_else(challenge_expired)?;
        let new = verified.challenge().email.clone().ok_or_else(challenge_expired)?;
        let now = self.now();
        // A code needs the token of the challenge, or the session that asked for it.
        let is_same_browser = matches!(proof, EmailProofInput::Code { .. })
            || self.sessions.is_same_browser(user, viewer, &[], cookie).await?;
        let order = ChangeEmail {
            spend: verified.spend(is_same_browser, now, &origin),
            current: found.names.clone(),
            new: with_email(&found.names, &new)?,
        };
        let event = event(AuditKind::EmailChanged, user, now, origin);
        let (changed, ending) = match self.store.change_email(order, event).await? {
            Ok(changed) => changed,
            Err(NotChanged::NameTaken(name)) => return Err(name_taken(name).into()),
            Err(NotChanged::Expired) => return Err(challenge_expired().into()),
        };
        self.note_change(&changed);
        self.ends.finish(&Scope::User(user), now, ending).await?;
        Ok(changed)
    }

    /// Takes a change of the address back and ends all sessions; returns their number.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`; `EMAIL_TAKEN`.
    pub async fn revert_email_change(
        &self,
        link_token: &str,
        origin: Origin,
    ) -> Result<usize, Error> {
        let purposes = [ChallengePurpose::Revert];
        let answer = Answer::Link(link_token);
        let ChallengeAnswer::Right(verified) =
            self.challenges.answer(answer, &purposes, &origin).await?
        else {
            return Err(challenge_expired().into());
        };
        let user = verified.user_id();
        let found = self.store.users_by_id(&[user]).await?.remove(&user);
        let found = found.ok_or_else(challenge_expired)?;
        let former = verified.challenge().email.clone().ok_or_else(challenge_expired)?;
        let now = self.now();
        let order = RevertEmail {
            challenge: verified.challenge().id,
            user,
            current: found.names.clone(),
            former: with_email(&found.names, &former)?,
            end: EndSessions {
                scope: Scope::User(user),
                reason: EndReason::EmailChangeReverted,
                at: now,
                actor: Some(user),
                origin: origin.clone(),
                note: None,
            },
        };
        let event = NewEvent {
            detail: Some("taken back"),
            ..event(AuditKind::EmailChanged, user, now, origin)
        };
        let (changed, ending) = match self.store.revert_email(order, event).await? {
            Ok(reverted) => reverted,
            Err(NotChanged::NameTaken(name)) => return Err(name_taken(name).into()),
            Err(NotChanged::Expired) => return Err(challenge_expired().into()),
        };
        self.note_change(&changed);
        Ok(self.ends.finish(&Scope::User(user), now, ending).await?.count)
    }
}

/// The names with another address. A username that is the address changes with it.
fn with_email(names: &Names, email: &Email) -> Result<Names, Error> {
    let is_email = names.username().key().contains('@');
    let username = if is_email { email.as_str() } else { names.username().as_str() };
    Names::parse(username, Some(email.as_str()))
        .map_err(|error| UserError::invalid(Field::Email, error).into())
}

fn event(kind: AuditKind, user: UserId, at: Timestamp, origin: Origin) -> NewEvent {
    NewEvent { kind, at, user: Some(user), actor: Some(user), session: None, origin, detail: None }
}
