//! Sample mails, with which templates are tried when they are loaded.

use std::net::IpAddr;
use std::time::Duration;

use super::code::MailCode;
use super::content::{
    AccountDeletion, AccountName, CodeAndLink, CodeOnly, EmailChange, EmailTaken, FactorChange,
    HiddenAddress, Mail, Notice, RecoveryCodeUse, TestMail,
};
use super::links::{Link, LinkPage, Links};
use super::requested_from::RequestedFrom;
use crate::clock::Timestamp;
use crate::domain::mail::{MailPurpose, ShortenedEmail};
use crate::domain::origin::{Origin, UserAgent};
use crate::domain::second_factor::FactorKind;
use crate::domain::user::{Email, Username};

/// A token as long as a real one.
const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Two mails of each purpose: one of a request with known origin, one of unknown origin. The other values
/// that templates may distinguish differ too.
pub(super) fn samples(purpose: MailPurpose, links: &Links) -> [Mail; 2] {
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    let origin =
        Origin { ip: Some(IpAddr::from([192, 0, 2, 7])), user_agent: UserAgent::parse(agent) };
    let first = (origin, FactorKind::AuthenticatorApp, 9);
    let second = (Origin::default(), FactorKind::Passkey, 0);
    [first, second].map(|(origin, factor, codes_left)| {
        let requested = RequestedFrom::new(&origin, Timestamp::from_seconds(1_796_000_000));
        sample(purpose, links, requested, factor, codes_left)
    })
}

fn sample(
    purpose: MailPurpose,
    links: &Links,
    requested: RequestedFrom,
    factor: FactorKind,
    codes_left: i64,
) -> Mail {
    match purpose {
        MailPurpose::Verify => {
            let link = links.link(LinkPage::Verify, TOKEN);
            let mail = code_and_link(link, requested);
            Mail::Verify(CodeAndLink { link_validity: Duration::from_hours(24).into(), ..mail })
        }
        MailPurpose::Reset => {
            Mail::Reset(code_and_link(links.link(LinkPage::Reset, TOKEN), requested))
        }
        MailPurpose::Login => {
            Mail::Login(code_and_link(links.link(LinkPage::Login, TOKEN), requested))
        }
        MailPurpose::Change => {
            Mail::Change(code_and_link(links.link(LinkPage::Verify, TOKEN), requested))
        }
        MailPurpose::EmailTaken => {
            Mail::EmailTaken(EmailTaken { link: links.page(LinkPage::Reset), requested })
        }
        MailPurpose::NoticePasswordChanged => Mail::NoticePasswordChanged(notice(links, requested)),
        MailPurpose::NoticePasswordReset => Mail::NoticePasswordReset(notice(links, requested)),
        MailPurpose::NoticeEmailChange => Mail::NoticeEmailChange(EmailChange {
            username: username(),
            new_address: new_address(),
            link: links.link(LinkPage::Revert, TOKEN),
            link_validity: Duration::from_hours(7 * 24).into(),
            requested,
        }),
        MailPurpose::NoticeNewLogin => Mail::NoticeNewLogin(notice(links, requested)),
        MailPurpose::NoticeRefreshReused => Mail::NoticeRefreshReused(notice(links, requested)),
        MailPurpose::NoticeAccountDeleted => {
            Mail::NoticeAccountDeleted(AccountDeletion { username: username(), requested })
        }
        MailPurpose::NoticeFactorAdded => {
            Mail::NoticeFactorAdded(factor_change(links, requested, factor))
        }
        MailPurpose::NoticeFactorRemoved => {
            Mail::NoticeFactorRemoved(factor_change(links, requested, factor))
        }
        MailPurpose::NoticeRecoveryCodes => Mail::NoticeRecoveryCodes(notice(links, requested)),
        MailPurpose::NoticeRecoveryCodeUsed => {
            let Notice { username, link, requested } = notice(links, requested);
            Mail::NoticeRecoveryCodeUsed(RecoveryCodeUse { username, codes_left, link, requested })
        }
        MailPurpose::NoticeFactorsReset => Mail::NoticeFactorsReset(notice(links, requested)),
        MailPurpose::Reauthenticate => Mail::Reauthenticate(CodeOnly {
            code: MailCode::sample(),
            code_validity: Duration::from_mins(10).into(),
            requested,
        }),
        MailPurpose::Test => Mail::Test(TestMail { link: links.page(LinkPage::Login) }),
    }
}

fn code_and_link(link: Link, requested: RequestedFrom) -> CodeAndLink {
    let validity = Duration::from_mins(10).into();
    CodeAndLink {
        code: MailCode::sample(),
        code_validity: validity,
        link,
        link_validity: validity,
        requested,
    }
}

fn notice(links: &Links, requested: RequestedFrom) -> Notice {
    Notice { username: username(), link: links.page(LinkPage::Reset), requested }
}

fn factor_change(links: &Links, requested: RequestedFrom, factor: FactorKind) -> FactorChange {
    let Notice { username, link, requested } = notice(links, requested);
    FactorChange { username, factor, link, requested }
}

fn username() -> AccountName {
    AccountName::from(&Username::from_stored("ada".to_owned(), "ada".to_owned()))
}

fn new_address() -> HiddenAddress {
    let address = "grace@example.com".to_owned();
    HiddenAddress::from(&ShortenedEmail::of(&Email::from_stored(address.clone(), address)))
}
