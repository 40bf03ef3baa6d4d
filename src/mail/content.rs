//! Content of mails: for each purpose the values that its templates may use.
//!
//! A mail waits in a database row as JSON, sealed, until it is sent. The row may be written by another
//! version than the one that reads it: unknown members are ignored, and an unknown purpose is an error of
//! its own.
//!
//! Mails that a stranger can cause (`verify`, `reset`, `login`, `change`, `email-taken`) contain no text
//! that a person entered. Otherwise a registration form would send spam.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::code::MailCode;
use super::links::Link;
use super::requested_from::RequestedFrom;
use crate::domain::mail::{MailPurpose, ShortenedEmail};
use crate::domain::second_factor::FactorKind;
use crate::domain::user::Username;

/// A mail before it is rendered, with the values of its templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "kebab-case")]
pub enum Mail {
    Verify(CodeAndLink),
    Reset(CodeAndLink),
    Login(CodeAndLink),
    Change(CodeAndLink),
    EmailTaken(EmailTaken),
    NoticePasswordChanged(Notice),
    NoticePasswordReset(Notice),
    NoticeEmailChange(EmailChange),
    NoticeNewLogin(Notice),
    NoticeRefreshReused(Notice),
    NoticeAccountDeleted(AccountDeletion),
    NoticeFactorAdded(FactorChange),
    NoticeFactorRemoved(FactorChange),
    NoticeRecoveryCodes(Notice),
    NoticeRecoveryCodeUsed(RecoveryCodeUse),
    NoticeFactorsReset(Notice),
    Reauthenticate(CodeOnly),
    Test(TestMail),
}

/// A code and a link, which are one proof: each alone is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeAndLink {
    pub code: MailCode,
    pub code_validity: Validity,
    pub link: Link,
    pub link_validity: Validity,
    pub requested: RequestedFrom,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeOnly {
    pub code: MailCode,
    pub code_validity: Validity,
    pub requested: RequestedFrom,
}

/// To the owner of an address that was entered for another account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailTaken {
    /// The page on which the owner can set a new password. It has no token.
    pub link: Link,
    pub requested: RequestedFrom,
}

/// An event of the account that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub username: AccountName,
    /// The page on which the owner can set a new password. It has no token.
    pub link: Link,
    pub requested: RequestedFrom,
}

/// To the old address of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailChange {
    pub username: AccountName,
    pub new_address: HiddenAddress,
    /// Takes the change back.
    pub link: Link,
    pub link_validity: Validity,
    pub requested: RequestedFrom,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDeletion {
    pub username: AccountName,
    pub requested: RequestedFrom,
}

/// A second factor that was added or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorChange {
    pub username: AccountName,
    #[serde(with = "factor_word")]
    pub factor: FactorKind,
    /// The page on which the owner can set a new password. It has no token.
    pub link: Link,
    pub requested: RequestedFrom,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodeUse {
    pub username: AccountName,
    /// Count of the recovery codes that were not used.
    pub codes_left: i64,
    /// The page on which the owner can set a new password. It has no token.
    pub link: Link,
    pub requested: RequestedFrom,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestMail {
    /// A page of the application: it shows where the links of mails lead.
    pub link: Link,
}

/// Time for which a code or a link is valid, in whole minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Validity(u64);

/// Username of the recipient's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountName(String);

/// An address of which the local part is hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HiddenAddress(String);

/// A stored mail that cannot be read. The messages do not repeat the mail, which has a code and a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredMailError {
    #[error("the stored mail has the unknown purpose {0:?}; a newer version wrote it")]
    Purpose(String),
    #[error("the stored mail is damaged")]
    Damaged,
}

impl Mail {
    #[must_use]
    pub fn purpose(&self) -> MailPurpose {
        match self {
            Self::Verify(_) => MailPurpose::Verify,
            Self::Reset(_) => MailPurpose::Reset,
            Self::Login(_) => MailPurpose::Login,
            Self::Change(_) => MailPurpose::Change,
            Self::EmailTaken(_) => MailPurpose::EmailTaken,
            Self::NoticePasswordChanged(_) => MailPurpose::NoticePasswordChanged,
            Self::NoticePasswordReset(_) => MailPurpose::NoticePasswordReset,
            Self::NoticeEmailChange(_) => MailPurpose::NoticeEmailChange,
            Self::NoticeNewLogin(_) => MailPurpose::NoticeNewLogin,
            Self::NoticeRefreshReused(_) => MailPurpose::NoticeRefreshReused,
            Self::NoticeAccountDeleted(_) => MailPurpose::NoticeAccountDeleted,
            Self::NoticeFactorAdded(_) => MailPurpose::NoticeFactorAdded,
            Self::NoticeFactorRemoved(_) => MailPurpose::NoticeFactorRemoved,
            Self::NoticeRecoveryCodes(_) => MailPurpose::NoticeRecoveryCodes,
            Self::NoticeRecoveryCodeUsed(_) => MailPurpose::NoticeRecoveryCodeUsed,
            Self::NoticeFactorsReset(_) => MailPurpose::NoticeFactorsReset,
            Self::Reauthenticate(_) => MailPurpose::Reauthenticate,
            Self::Test(_) => MailPurpose::Test,
        }
    }

    /// The form in which it is stored. It contains code and token, so it has to be sealed.
    ///
    /// # Panics
    /// Never: serialization of texts and numbers does not fail.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers have a form in JSON")
    }

    pub fn from_json(text: &str) -> Result<Self, StoredMailError> {
        #[derive(Deserialize)]
        struct Tag<'a> {
            #[serde(borrow)]
            purpose: Cow<'a, str>,
        }
        let tag: Tag = serde_json::from_str(text).map_err(|_| StoredMailError::Damaged)?;
        if MailPurpose::parse(&tag.purpose).is_none() {
            let purpose = tag.purpose.chars().take(40).collect();
            return Err(StoredMailError::Purpose(purpose));
        }
        serde_json::from_str(text).map_err(|_| StoredMailError::Damaged)
    }
}

impl Validity {
    #[must_use]
    pub fn minutes(self) -> u64 {
        self.0
    }
}

impl From<Duration> for Validity {
    fn from(duration: Duration) -> Self {
        Self((duration.as_secs() / 60).max(1))
    }
}

impl From<&Username> for AccountName {
    fn from(username: &Username) -> Self {
        Self(username.as_str().to_owned())
    }
}

impl AccountName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&ShortenedEmail> for HiddenAddress {
    fn from(email: &ShortenedEmail) -> Self {
        Self(email.as_str().to_owned())
    }
}

impl HiddenAddress {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A kind of second factor, stored as its word.
mod factor_word {
    use std::borrow::Cow;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::second_factor::FactorKind;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde demands this signature")]
    pub(super) fn serialize<S: Serializer>(kind: &FactorKind, to: S) -> Result<S::Ok, S::Error> {
        kind.as_str().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<FactorKind, D::Error> {
        let word: Cow<'de, str> = Deserialize::deserialize(from)?;
        FactorKind::parse(&word).ok_or_else(|| D::Error::custom("unknown kind of second factor"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::links::{Links, PageUrls};
    use super::super::samples::samples;
    use super::*;

    fn all() -> Vec<Mail> {
        let links = Links::new("https://app.example.com", PageUrls::default()).unwrap();
        MailPurpose::ALL.iter().flat_map(|purpose| samples(*purpose, &links)).collect()
    }

    #[test]
    fn a_mail_is_stored_under_its_purpose_and_read_again() {
        for mail in all() {
            let json = mail.to_json();
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(value["purpose"], mail.purpose().as_str());
            assert_eq!(Mail::from_json(&json), Ok(mail));
            assert!(json.len() < 1_000, "{json}");
        }
    }

    #[test]
    fn a_mail_of_a_newer_version_is_read_if_its_purpose_is_known() {
        let newer = r#"{"purpose":"test","link":"https://a","colour":"red"}"#;
        assert!(Mail::from_json(newer).is_ok());
        let unknown = Mail::from_json(r#"{"purpose":"invite","team":7}"#).unwrap_err();
        assert_eq!(unknown, StoredMailError::Purpose("invite".to_owned()));
        let escaped = Mail::from_json(r#"{"purpose":"in\u0076ite"}"#).unwrap_err();
        assert_eq!(escaped, unknown);
    }

    #[test]
    fn a_damaged_mail_is_an_error_that_does_not_repeat_it() {
        for text in [
            "",
            "secret",
            "{}",
            r#"{"purpose":7}"#,
            r#"{"purpose":"test"}"#,
            r#"{"purpose":"test","link":"secret"}"#,
            r#"{"purpose":"login","code":"secret"}"#,
            r#"{"purpose":"notice-factor-added","username":"ada","factor":"secret"}"#,
        ] {
            let error = Mail::from_json(text).unwrap_err();
            assert_eq!(error, StoredMailError::Damaged, "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn neither_code_nor_link_is_printed_for_developers() {
        for mail in all() {
            let text = format!("{mail:?}");
            assert!(!text.contains("01234567") && !text.contains("https"), "{text}");
        }
    }
}
