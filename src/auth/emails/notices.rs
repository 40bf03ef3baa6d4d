//! Notices: mails without a code, about changes of an account, to its verified address.

use std::time::Duration;

use super::Emails;
use crate::auth::error::Error;
use crate::auth::passwords::account_bucket;
use crate::clock::Timestamp;
use crate::crypto::secret_token::SecretToken;
use crate::domain::authentication::Methods;
use crate::domain::challenge::ChallengePurpose;
use crate::domain::id::{ChallengeId, EmailId};
use crate::domain::mail::{MailLanguage, ShortenedEmail};
use crate::domain::origin::Origin;
use crate::domain::user::{Email, User};
use crate::mail::{AccountDeletion, EmailChange, LinkPage, Mail, Notice, RequestedFrom};
use crate::store::{MailContent, NewChallenge, NewMail};

/// A notice that could not be sent for so long is dropped.
const VALIDITY: Duration = Duration::from_hours(24);

/// Events that the owner of an account is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum NoticeKind {
    PasswordChanged,
    PasswordReset,
    NewLogin,
    RefreshReused,
    AccountDeleted,
}

impl Emails {
    /// The notice to the user; `None` where no address is verified.
    pub(in crate::auth) fn notice(
        &self,
        kind: NoticeKind,
        user: &User,
        origin: &Origin,
        now: Timestamp,
    ) -> Option<NewMail> {
        user.email_verified_at?;
        let address = user.names.email()?.as_str().to_owned();
        let requested = RequestedFrom::new(origin, now);
        let username = user.names.username().into();
        let mail = if kind == NoticeKind::AccountDeleted {
            Mail::NoticeAccountDeleted(AccountDeletion { username, requested })
        } else {
            let link = self.settings.links.page(LinkPage::Reset);
            let notice = Notice { username, link, requested };
            match kind {
                NoticeKind::PasswordChanged => Mail::NoticePasswordChanged(notice),
                NoticeKind::PasswordReset => Mail::NoticePasswordReset(notice),
                NoticeKind::NewLogin => Mail::NoticeNewLogin(notice),
                NoticeKind::RefreshReused | NoticeKind::AccountDeleted => {
                    Mail::NoticeRefreshReused(notice)
                }
            }
        };
        Some(NewMail {
            id: EmailId::new(now, &*self.entropy),
            purpose: mail.purpose().as_str(),
            user: Some(user.id),
            address: Some(address),
            language: MailLanguage::choose(None, user.locale.as_ref(), &[]).as_str(),
            // There is no secret in it, and commands queue it without the master secret.
            content: MailContent::Plain(mail.to_json()),
            created_at: now,
            expires_at: now + VALIDITY,
        })
    }

    /// Word to the old address of an account about the request of a change, with the challenge that takes it
    /// back; `None` where the old address is not verified.
    pub(in crate::auth) fn revert(
        &self,
        user: &User,
        new: &Email,
        language: MailLanguage,
        origin: &Origin,
    ) -> Result<Option<(NewChallenge, NewMail)>, Error> {
        let now = self.now();
        let Some(old) = user.names.email().filter(|_| user.email_verified_at.is_some()) else {
            return Ok(None);
        };
        let purpose = ChallengePurpose::Revert;
        let (link, validity) = (SecretToken::generate(&*self.entropy), purpose.link_validity());
        let id = EmailId::new(now, &*self.entropy);
        let mail = Mail::NoticeEmailChange(EmailChange {
            username: user.names.username().into(),
            new_address: (&ShortenedEmail::of(new)).into(),
            link: self.settings.links.link(LinkPage::Revert, link.as_str()),
            link_validity: validity.into(),
            requested: RequestedFrom::new(origin, now),
        });
        let challenge = NewChallenge {
            id: ChallengeId::new(now, &*self.entropy),
            token: None,
            purpose,
            user: Some(user.id),
            account: account_bucket(&self.buckets, user.names.username().key()),
            session: None,
            email: Some(old.clone()),
            bound_email_key: None,
            shown: Methods::default(),
            password: None,
            factors: None,
            session_name: None,
            code: None,
            code_expires_at: now,
            link: Some(link.digest()),
            created_at: now,
            expires_at: now + validity,
        };
        let mail = NewMail {
            id,
            purpose: mail.purpose().as_str(),
            user: Some(user.id),
            address: Some(old.as_str().to_owned()),
            language: language.as_str(),
            content: self.sealed(id, &mail)?,
            created_at: now,
            expires_at: now + validity,
        };
        Ok(Some((challenge, mail)))
    }
}
