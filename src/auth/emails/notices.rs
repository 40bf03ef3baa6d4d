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
use crate::domain::second_factor::FactorKind;
use crate::domain::user::{Email, User};
use crate::mail::{
    AccountDeletion, AccountName, EmailChange, FactorChange, Link, LinkPage, Mail, Notice,
    RecoveryCodeUse, RequestedFrom,
};
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
    FactorAdded(FactorKind),
    FactorRemoved(FactorKind),
    RecoveryCodesRenewed,
    RecoveryCodeUsed {
        /// Count of the account's other recovery codes.
        left: i64,
    },
    /// An administrator removed all second factors and ended all sessions.
    FactorsReset,
}

impl NoticeKind {
    fn mail(self, username: AccountName, link: Link, origin: &Origin, now: Timestamp) -> Mail {
        let requested = match self {
            // The owner does not learn the address of the administrator.
            Self::FactorsReset => RequestedFrom::new(&Origin::default(), now),
            _ => RequestedFrom::new(origin, now),
        };
        let notice = Notice { username, link, requested };
        match self {
            Self::PasswordChanged => Mail::NoticePasswordChanged(notice),
            Self::PasswordReset => Mail::NoticePasswordReset(notice),
            Self::NewLogin => Mail::NoticeNewLogin(notice),
            Self::RefreshReused => Mail::NoticeRefreshReused(notice),
            Self::AccountDeleted => {
                let Notice { username, requested, .. } = notice;
                Mail::NoticeAccountDeleted(AccountDeletion { username, requested })
            }
            Self::FactorAdded(factor) => Mail::NoticeFactorAdded(factor_change(notice, factor)),
            Self::FactorRemoved(factor) => Mail::NoticeFactorRemoved(factor_change(notice, factor)),
            Self::RecoveryCodesRenewed => Mail::NoticeRecoveryCodes(notice),
            Self::RecoveryCodeUsed { left: codes_left } => {
                let Notice { username, link, requested } = notice;
                let mail = RecoveryCodeUse { username, codes_left, link, requested };
                Mail::NoticeRecoveryCodeUsed(mail)
            }
            Self::FactorsReset => Mail::NoticeFactorsReset(notice),
        }
    }
}

fn factor_change(notice: Notice, factor: FactorKind) -> FactorChange {
    let Notice { username, link, requested } = notice;
    FactorChange { username, factor, link, requested }
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
        let link = self.settings.links.page(LinkPage::Reset);
        let mail = kind.mail(user.names.username().into(), link, origin, now);
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::domain::user::Username;
    use crate::mail::{Links, PageUrls};

    /// The mail of a notice about a request from 192.0.2.7, as it is stored.
    fn stored(kind: NoticeKind) -> serde_json::Value {
        let links = Links::new("https://app.example.com", PageUrls::default()).unwrap();
        let username = Username::from_stored("ada".to_owned(), "ada".to_owned());
        let origin = Origin { ip: Some(IpAddr::from([192, 0, 2, 7])), ..Origin::default() };
        let link = links.page(LinkPage::Reset);
        let mail = kind.mail((&username).into(), link, &origin, Timestamp::from_seconds(0));
        serde_json::from_str(&mail.to_json()).unwrap()
    }

    #[test]
    fn a_notice_has_the_purpose_and_the_values_of_its_event() {
        let (app, passkey) = (FactorKind::AuthenticatorApp, FactorKind::Passkey);
        for (kind, purpose, name, value) in [
            (NoticeKind::FactorAdded(app), "notice-factor-added", "factor", app.as_str().into()),
            (
                NoticeKind::FactorRemoved(passkey),
                "notice-factor-removed",
                "factor",
                "passkey".into(),
            ),
            (NoticeKind::RecoveryCodesRenewed, "notice-recovery-codes", "username", "ada".into()),
            (
                NoticeKind::RecoveryCodeUsed { left: 4 },
                "notice-recovery-code-used",
                "codes_left",
                serde_json::Value::from(4),
            ),
        ] {
            let mail = stored(kind);
            assert_eq!((&mail["purpose"], &mail[name]), (&purpose.into(), &value));
            assert_eq!(mail["link"], "https://app.example.com/account/reset");
            assert_eq!(mail["requested"]["ip"], "192.0.2.7", "{purpose}");
        }
    }

    #[test]
    fn a_notice_about_a_reset_of_factors_does_not_show_the_address_of_the_administrator() {
        let mail = stored(NoticeKind::FactorsReset);
        assert_eq!(mail["purpose"], "notice-factors-reset");
        assert!(mail["requested"]["ip"].is_null(), "{mail}");
    }
}
