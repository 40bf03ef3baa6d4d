//! E-mail: purposes, the choice of a language, and shortened addresses.

use super::locale::Locale;
use super::user::Email;
use super::words::{extensible_words, words};

words! {
    /// Purpose of a mail. The word is the first part of the names of its templates.
    MailPurpose {
        /// Code and link that prove an address.
        Verify = "verify",
        /// Code and link that set a new password.
        Reset = "reset",
        /// Code and link that log in.
        Login = "login",
        /// Code and link to the new address of an account.
        Change = "change",
        /// To the owner of an address that was entered for another account.
        EmailTaken = "email-taken",
        NoticePasswordChanged = "notice-password-changed",
        NoticePasswordReset = "notice-password-reset",
        /// To the old address, with the link that takes the change back.
        NoticeEmailChange = "notice-email-change",
        NoticeNewLogin = "notice-new-login",
        NoticeRefreshReused = "notice-refresh-reused",
        NoticeAccountDeleted = "notice-account-deleted",
        NoticeFactorAdded = "notice-factor-added",
        NoticeFactorRemoved = "notice-factor-removed",
        /// New recovery codes replaced the old ones.
        NoticeRecoveryCodes = "notice-recovery-codes",
        NoticeRecoveryCodeUsed = "notice-recovery-code-used",
        /// An administrator removed all second factors.
        NoticeFactorsReset = "notice-factors-reset",
        /// Code that confirms an action of a user who is logged in.
        Reauthenticate = "reauthenticate",
        /// Sent by `sallyport email test`.
        Test = "test",
    }
}

words! {
    /// State of a mail in the outbox.
    EmailState {
        /// It waits for its next attempt.
        Pending = "PENDING",
        /// It is shown to administrators, since there is no SMTP server.
        Kept = "KEPT",
        /// It was refused, or all attempts failed.
        Failed = "FAILED",
        /// Written by a newer version, whose word this one does not know. Only read, never written.
        Unknown = "UNKNOWN",
    }
}
extensible_words!(EmailState);

words! {
    /// Language that mails are written in.
    MailLanguage {
        En = "en",
        Ko = "ko",
    }
}

impl MailLanguage {
    /// The first language of mails among the language of this request, that of the account, and the
    /// languages that the browser accepts, in the order of preference; English if there is none.
    #[must_use]
    pub fn choose(
        requested: Option<&Locale>,
        account: Option<&Locale>,
        accepted: &[Locale],
    ) -> Self {
        let mut locales = requested.into_iter().chain(account).chain(accepted);
        locales.find_map(|locale| Self::parse(locale.language())).unwrap_or(Self::En)
    }
}

/// An address of which the local part is hidden but for its first character, such as
/// `a***@example.com`: its owner recognizes it, other readers do not learn it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortenedEmail(String);

impl ShortenedEmail {
    #[must_use]
    pub fn of(email: &Email) -> Self {
        let (local, host) = email.as_str().split_once('@').unwrap_or_default();
        let first = local.chars().next().map(String::from).unwrap_or_default();
        Self(format!("{first}***@{host}"))
    }

    /// The address of a stored row, which is shortened already.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locale(text: &str) -> Locale {
        Locale::parse(text).unwrap()
    }

    #[test]
    fn the_request_comes_before_the_account_and_the_account_before_the_browser() {
        let (en, ko, de, kok) = (locale("en-GB"), locale("ko-KR"), locale("de"), locale("kok"));
        let accepted = [de.clone(), ko.clone(), en.clone()];
        let choose = MailLanguage::choose;
        assert_eq!(choose(Some(&en), Some(&ko), &accepted), MailLanguage::En);
        assert_eq!(choose(Some(&ko), Some(&en), &[]), MailLanguage::Ko);
        assert_eq!(choose(None, Some(&en), &accepted), MailLanguage::En);
        assert_eq!(choose(None, None, &accepted), MailLanguage::Ko);
        // A language without texts is passed over.
        assert_eq!(choose(Some(&de), Some(&ko), &[]), MailLanguage::Ko);
        assert_eq!(choose(Some(&kok), Some(&de), std::slice::from_ref(&de)), MailLanguage::En);
        assert_eq!(choose(None, None, &[]), MailLanguage::En);
    }

    #[test]
    fn a_shortened_address_shows_one_character_of_the_local_part() {
        for (address, shortened) in [
            ("ada@example.com", "a***@example.com"),
            ("a@example.com", "a***@example.com"),
            ("маша@example.com", "м***@example.com"),
        ] {
            let email = Email::parse(address).unwrap();
            assert_eq!(ShortenedEmail::of(&email).as_str(), shortened);
        }
    }
}
