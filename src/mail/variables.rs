//! Variables of templates, from the content of a mail.

use super::code::MailCode;
use super::content::{
    AccountDeletion, AccountName, CodeAndLink, CodeOnly, EmailChange, EmailTaken, FactorChange,
    HiddenAddress, Mail, Notice, RecoveryCodeUse, TestMail, Validity,
};
use super::links::Link;
use super::requested_from::RequestedFrom;
use crate::domain::mail::MailLanguage;
use crate::domain::second_factor::FactorKind;

/// Name of a variable and its value; `None` where the value is unknown.
pub(super) type Variable = (&'static str, Option<String>);

pub(super) type Variables = Vec<Variable>;

/// The values that a mail has, as one form for all purposes.
#[derive(Default)]
struct Values<'a> {
    username: Option<&'a AccountName>,
    new_address: Option<&'a HiddenAddress>,
    factor: Option<FactorKind>,
    codes_left: Option<i64>,
    code: Option<(&'a MailCode, Validity)>,
    link: Option<&'a Link>,
    link_validity: Option<Validity>,
    requested: Option<&'a RequestedFrom>,
}

impl<'a> Values<'a> {
    fn of(mail: &'a Mail) -> Self {
        match mail {
            Mail::Verify(mail) | Mail::Reset(mail) | Mail::Login(mail) | Mail::Change(mail) => {
                let CodeAndLink { code, code_validity, link, link_validity, requested } = mail;
                Self {
                    code: Some((code, *code_validity)),
                    link: Some(link),
                    link_validity: Some(*link_validity),
                    requested: Some(requested),
                    ..Self::default()
                }
            }
            Mail::EmailTaken(EmailTaken { link, requested }) => {
                Self { link: Some(link), requested: Some(requested), ..Self::default() }
            }
            Mail::NoticePasswordChanged(mail)
            | Mail::NoticePasswordReset(mail)
            | Mail::NoticeNewLogin(mail)
            | Mail::NoticeRefreshReused(mail)
            | Mail::NoticeRecoveryCodes(mail)
            | Mail::NoticeFactorsReset(mail) => {
                let Notice { username, link, requested } = mail;
                Self {
                    username: Some(username),
                    link: Some(link),
                    requested: Some(requested),
                    ..Self::default()
                }
            }
            Mail::NoticeEmailChange(mail) => {
                let EmailChange { username, new_address, link, link_validity, requested } = mail;
                Self {
                    username: Some(username),
                    new_address: Some(new_address),
                    link: Some(link),
                    link_validity: Some(*link_validity),
                    requested: Some(requested),
                    ..Self::default()
                }
            }
            Mail::NoticeAccountDeleted(AccountDeletion { username, requested }) => {
                Self { username: Some(username), requested: Some(requested), ..Self::default() }
            }
            Mail::NoticeFactorAdded(mail) | Mail::NoticeFactorRemoved(mail) => {
                let FactorChange { username, factor, link, requested } = mail;
                Self {
                    username: Some(username),
                    factor: Some(*factor),
                    link: Some(link),
                    requested: Some(requested),
                    ..Self::default()
                }
            }
            Mail::NoticeRecoveryCodeUsed(mail) => {
                let RecoveryCodeUse { username, codes_left, link, requested } = mail;
                Self {
                    username: Some(username),
                    codes_left: Some(*codes_left),
                    link: Some(link),
                    requested: Some(requested),
                    ..Self::default()
                }
            }
            Mail::Reauthenticate(CodeOnly { code, code_validity, requested }) => Self {
                code: Some((code, *code_validity)),
                requested: Some(requested),
                ..Self::default()
            },
            Mail::Test(TestMail { link }) => Self { link: Some(link), ..Self::default() },
        }
    }
}

/// The variables of a mail's own templates, but for those that are templates themselves.
pub(super) fn of_mail(mail: &Mail, language: MailLanguage) -> Variables {
    let Values { username, new_address, factor, codes_left, code, link, .. } = Values::of(mail);
    let codes_left = codes_left.map(|count| count.to_string());
    let values = [
        ("username", username.map(AccountName::as_str)),
        ("new_address", new_address.map(HiddenAddress::as_str)),
        ("factor", factor.map(|factor| factor_name(factor, language))),
        ("codes_left", codes_left.as_deref()),
        ("code", code.map(|(code, _)| code.as_str())),
        ("link", link.map(Link::as_str)),
    ];
    let known = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
    known.map(|(name, value)| (name, Some(plain(value)))).collect()
}

/// The variables of the template about the validity of code and link; `None` for a mail that has neither.
pub(super) fn of_validity(mail: &Mail, language: MailLanguage) -> Option<Variables> {
    let Values { code, link_validity, .. } = Values::of(mail);
    let code_validity = code.map(|(_, validity)| validity);
    code_validity.or(link_validity)?;
    let words = |validity: Option<Validity>| validity.map(|validity| in_words(validity, language));
    Some(vec![("code_valid_for", words(code_validity)), ("link_valid_for", words(link_validity))])
}

/// The variables of the template about the origin of the request; `None` for a mail without one.
pub(super) fn of_request(mail: &Mail) -> Option<Variables> {
    let requested = Values::of(mail).requested?;
    Some(vec![
        ("browser", requested.browser().map(plain)),
        ("system", requested.system().map(plain)),
        ("ip_address", requested.ip().map(|ip| ip.to_string())),
        ("time", Some(requested.minute())),
    ])
}

/// A value without control characters. No value has any, but a line end would be a new line of the text
/// around it.
fn plain(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A validity such as `10 minutes`, `24 hours` or `7 days`.
fn in_words(validity: Validity, language: MailLanguage) -> String {
    const HOUR: u64 = 60;
    const DAY: u64 = 24 * HOUR;
    let minutes = validity.minutes();
    // One day is 24 hours: "valid for 1 day" could mean until midnight.
    let (count, english, korean) = if minutes > DAY && minutes.is_multiple_of(DAY) {
        (minutes / DAY, "day", "일")
    } else if minutes >= HOUR && minutes.is_multiple_of(HOUR) {
        (minutes / HOUR, "hour", "시간")
    } else {
        (minutes, "minute", "분")
    };
    match language {
        MailLanguage::En if count == 1 => format!("{count} {english}"),
        MailLanguage::En => format!("{count} {english}s"),
        MailLanguage::Ko => format!("{count}{korean}"),
    }
}

/// The name of a kind of second factor, without an article.
fn factor_name(factor: FactorKind, language: MailLanguage) -> &'static str {
    match (language, factor) {
        (MailLanguage::En, FactorKind::AuthenticatorApp) => "authenticator app",
        (MailLanguage::En, FactorKind::Passkey) => "passkey",
        (MailLanguage::Ko, FactorKind::AuthenticatorApp) => "인증 앱",
        (MailLanguage::Ko, FactorKind::Passkey) => "패스키",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::super::links::{Links, PageUrls};
    use super::super::samples::samples;
    use super::*;
    use crate::domain::mail::MailPurpose;

    /// The variables of a purpose in the table of the help; `None` if its row is missing.
    fn in_help(help: &str, purpose: MailPurpose) -> Option<Vec<&str>> {
        help.lines().find_map(|line| {
            let (purposes, variables) = line.strip_prefix("| `")?.split_once(" | ")?;
            let is_row = format!("`{purposes}").contains(&format!("`{}`", purpose.as_str()));
            is_row.then(|| variables.split('`').skip(1).step_by(2).collect())
        })
    }

    #[test]
    fn the_help_lists_each_purpose_with_its_variables() {
        let help = fs::read_to_string("src/help/email.md").unwrap();
        let links = Links::new("https://app.example.com", PageUrls::default()).unwrap();
        for purpose in MailPurpose::ALL {
            for mail in samples(*purpose, &links) {
                let variables = of_mail(&mail, MailLanguage::En);
                let mut names: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
                names.extend(of_validity(&mail, MailLanguage::En).map(|_| "validity"));
                assert_eq!(in_help(&help, *purpose), Some(names), "{}", purpose.as_str());
            }
        }
    }

    #[test]
    fn a_validity_is_told_in_the_largest_whole_unit() {
        for (minutes, english, korean) in [
            (0, "1 minute", "1분"),
            (10, "10 minutes", "10분"),
            (60, "1 hour", "1시간"),
            (90, "90 minutes", "90분"),
            (24 * 60, "24 hours", "24시간"),
            (25 * 60, "25 hours", "25시간"),
            (7 * 24 * 60, "7 days", "7일"),
        ] {
            let validity = Validity::from(Duration::from_mins(minutes));
            assert_eq!(in_words(validity, MailLanguage::En), english);
            assert_eq!(in_words(validity, MailLanguage::Ko), korean);
        }
    }

    #[test]
    fn a_value_is_one_line() {
        assert_eq!(plain("a\r\nBcc: b\u{0}\u{85}"), "a  Bcc: b  ");
    }
}
