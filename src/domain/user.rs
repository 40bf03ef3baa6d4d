//! Users: usernames, e-mail addresses, roles.
//!
//! Three rules keep one text from naming two accounts. Names and addresses are compared by a folded key
//! (NFKC, lower case). A username with an `@` must be the account's own e-mail address, so that a login by
//! an e-mail address can only mean the account that has it. And no two usernames look alike if one of them
//! has a letter beyond ASCII.

use std::time::Duration;

use unicode_normalization::UnicodeNormalization;

use super::external_account::ExternalId;
use super::id::UserId;
use super::locale::Locale;
use super::name_comparison::{fold, has_scripts_of_one_language, is_mark};
use super::role_names::RoleNames;
pub use super::username::{Username, UsernameError};
use super::words::{extensible_words, words};
use crate::clock::Timestamp;

words! {
    /// Permissions of a user.
    Role {
        /// Own account and own sessions.
        User = "USER",
        /// All accounts, sessions and keys.
        Admin = "ADMIN",
        /// Written by a newer version, whose word this one does not know: the least privilege. Only read,
        /// never given to an account.
        Unknown = "UNKNOWN",
    }
}
extensible_words!(Role);

/// E-mail address: a local part and a host, at most 254 bytes (RFC 5321, section 4.5.3.1.3). It is not
/// verified that mail arrives there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    text: String,
    key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("An e-mail address must look like name@example.com and have at most 254 characters.")]
pub struct EmailError;

impl Email {
    /// Parses an address and keeps its NFC form.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        if text.len() > 254 {
            return Err(EmailError);
        }
        let text: String = text.nfc().collect();
        let (local, host) = text.split_once('@').ok_or(EmailError)?;
        let allowed = |c: char| {
            c.is_ascii_graphic() && !"\"(),:;<>[]\\@".contains(c)
                || c.is_alphanumeric()
                || is_mark(c)
        };
        let host_is_sound = host.split('.').all(|label| !label.is_empty()) && host.contains('.');
        let sound =
            !local.is_empty() && host_is_sound && local.chars().chain(host.chars()).all(allowed);
        if !sound
            || !has_scripts_of_one_language(local)
            || !host.split('.').all(has_scripts_of_one_language)
        {
            return Err(EmailError);
        }
        let key = fold(&text);
        Ok(Self { text, key })
    }

    /// The address of a stored row, without checking it again.
    #[must_use]
    pub fn from_stored(text: String, key: String) -> Self {
        Self { text, key }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Folded key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Names of an account: its username and, optionally, its e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    username: Username,
    email: Option<Email>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    #[error(transparent)]
    Username(#[from] UsernameError),
    #[error(transparent)]
    Email(#[from] EmailError),
    /// The username has an `@` and is not the account's e-mail address.
    #[error("A username with an @ must be the e-mail address of the account.")]
    UsernameIsNotTheEmail,
}

impl Names {
    /// Parses both. If no address is given and the username is one, it becomes the address.
    pub fn parse(username: &str, email: Option<&str>) -> Result<Self, NamesError> {
        let username = Username::parse(username)?;
        let email = email.map(Email::parse).transpose()?;
        if !username.key().contains('@') {
            return Ok(Self { username, email });
        }
        let same = Email::parse(username.as_str())
            .ok()
            .filter(|own| email.as_ref().is_none_or(|email| email.key == own.key))
            .ok_or(NamesError::UsernameIsNotTheEmail)?;
        Ok(Self { username, email: Some(email.unwrap_or(same)) })
    }

    /// The names of a stored row, without checking them again.
    #[must_use]
    pub fn from_stored(username: Username, email: Option<Email>) -> Self {
        Self { username, email }
    }

    /// The same username without the address.
    #[must_use]
    pub fn without_email(&self) -> Self {
        Self { username: self.username.clone(), email: None }
    }

    #[must_use]
    pub fn username(&self) -> &Username {
        &self.username
    }

    #[must_use]
    pub fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }

    /// Words that make a password of this account easier to guess.
    #[must_use]
    pub fn known_words(&self) -> Vec<&str> {
        let email = self.email.iter().flat_map(|email| {
            let parts = email.text.split(['@', '.']).filter(|part| part.len() > 2);
            parts.chain([email.text.as_str()])
        });
        [self.username.as_str(), self.username.key()].into_iter().chain(email).collect()
    }
}

/// A user account.
#[derive(Clone, Debug)]
pub struct User {
    /// The claim `sub`.
    pub id: UserId,
    pub names: Names,
    pub role: Role,
    pub created_at: Timestamp,
    /// Time of the last login, if logins are recorded.
    pub last_login_at: Option<Timestamp>,
    /// Time of the last change of the password; `None` for the first password.
    pub password_changed_at: Option<Timestamp>,
    /// Since when the user may not log in.
    pub deactivated_at: Option<Timestamp>,
    /// When the e-mail address was verified; `None` if it is not.
    pub email_verified_at: Option<Timestamp>,
    /// Language that the user chose.
    pub locale: Option<Locale>,
    /// When the account was deleted: it has no personal data any more.
    pub deleted_at: Option<Timestamp>,
    /// Id of the account in the system that it was imported from.
    pub external_id: Option<ExternalId>,
    /// Roles of other programs.
    pub roles: RoleNames,
}

impl User {
    /// Whether the user may log in and have sessions.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.deactivated_at.is_none()
    }

    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    #[must_use]
    pub fn has_unverified_email(&self) -> bool {
        self.names.email().is_some() && self.email_verified_at.is_none()
    }
}

/// How long the names of a deleted account, and a former username, are reserved: nobody is mistaken for
/// their former owner. The next change of a username has to wait as long.
pub const NAME_RESERVATION: Duration = Duration::from_hours(30 * 24);

/// Username that deleted accounts are shown with. Its key is not reserved by it.
pub const DELETED_USERNAME: &str = "deleted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_with_an_at_sign_is_the_accounts_address() {
        let names = Names::parse("ada@example.com", None).unwrap();
        assert_eq!(names.email().unwrap().as_str(), "ada@example.com");
        assert!(Names::parse("ada@example.com", Some("ADA@example.com")).is_ok());
        let other = Names::parse("ada@example.com", Some("bob@example.com"));
        assert_eq!(other, Err(NamesError::UsernameIsNotTheEmail));
        assert_eq!(Names::parse("ada@", None), Err(NamesError::UsernameIsNotTheEmail));
    }

    #[test]
    fn addresses_need_both_sides() {
        for text in ["", "@", "a@", "@b.c", "a@b", "a@@b.c", "a b@c.d", "a@b..c", "a\u{0}@b.c"] {
            assert_eq!(Email::parse(text), Err(EmailError), "{text}");
        }
        for text in ["o'hara+x@mail.example.com", "маша@example.com", "山田taro@пример.com"]
        {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
        for text in ["pаypal@example.com", "ada@exаmple.com"] {
            assert_eq!(Email::parse(text), Err(EmailError), "{text}");
        }
    }
}
