//! Mails in rows of the outbox, which are sealed if a code or a token is among their values.
//!
//! A row may be of a newer version than this one, and the master secret may be under replacement: what this
//! process cannot read, another replica may be able to.

use std::str::from_utf8;

use super::content::{Mail, StoredMailError};
use crate::crypto::secret::MasterSecrets;
use crate::domain::id::EmailId;
use crate::store::MailContent;

/// A mail of a row that this process cannot read. The messages do not repeat the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableMail {
    #[error("The master secret does not open the mail.")]
    Sealed,
    #[error("A newer version wrote the mail, and this version cannot read it.")]
    Newer,
    #[error("The stored mail is damaged.")]
    Damaged,
}

/// Context of the seal, so that a sealed mail opens in its own row only.
#[must_use]
pub fn seal_context(id: EmailId) -> String {
    format!("mail {id}")
}

/// Opens the mail of a row.
pub fn open_mail(
    secrets: &MasterSecrets,
    id: EmailId,
    content: &MailContent,
) -> Result<Mail, UnreadableMail> {
    match content {
        MailContent::Plain(json) => read(json),
        // A row without content has it in a column of a newer version.
        MailContent::Sealed(sealed) if sealed.is_empty() => Err(UnreadableMail::Newer),
        MailContent::Sealed(sealed) => {
            let opened = secrets.open(&seal_context(id), sealed);
            let opened = opened.ok_or(UnreadableMail::Sealed)?;
            read(from_utf8(&opened.plain).map_err(|_| UnreadableMail::Damaged)?)
        }
    }
}

fn read(json: &str) -> Result<Mail, UnreadableMail> {
    Mail::from_json(json).map_err(|error| match error {
        StoredMailError::Purpose(_) => UnreadableMail::Newer,
        StoredMailError::Damaged => UnreadableMail::Damaged,
    })
}

#[cfg(test)]
mod tests {
    use super::super::content::TestMail;
    use super::super::links::{LinkPage, Links, PageUrls};
    use super::*;
    use crate::clock::Timestamp;
    use crate::crypto::secret::MasterSecret;
    use crate::entropy::SeededEntropy;

    fn secrets(seed: u64) -> MasterSecrets {
        MasterSecrets::parse(&MasterSecret::generate(&SeededEntropy::new(seed))).unwrap()
    }

    fn id(seed: u64) -> EmailId {
        EmailId::new(Timestamp::from_seconds(1_796_000_000), &SeededEntropy::new(seed))
    }

    fn mail() -> Mail {
        let links = Links::new("https://app.example.com", PageUrls::default()).unwrap();
        Mail::Test(TestMail { link: links.page(LinkPage::Login) })
    }

    fn sealed(secrets: &MasterSecrets, id: EmailId, json: &str) -> MailContent {
        let context = seal_context(id);
        let sealed = secrets.seal(&context, json.as_bytes(), &SeededEntropy::new(1)).unwrap();
        MailContent::Sealed(sealed)
    }

    #[test]
    fn a_mail_is_opened_in_its_own_row_by_the_secret_that_sealed_it() {
        let content = sealed(&secrets(1), id(1), &mail().to_json());
        assert_eq!(open_mail(&secrets(1), id(1), &content), Ok(mail()));
        assert_eq!(open_mail(&secrets(1), id(2), &content), Err(UnreadableMail::Sealed));
        assert_eq!(open_mail(&secrets(2), id(1), &content), Err(UnreadableMail::Sealed));
        let plain = MailContent::Plain(mail().to_json());
        assert_eq!(open_mail(&secrets(2), id(2), &plain), Ok(mail()));
    }

    #[test]
    fn a_mail_of_a_newer_version_is_not_a_damaged_one() {
        let open = |content: MailContent| open_mail(&secrets(1), id(1), &content).unwrap_err();
        let newer = r#"{"purpose":"invite"}"#;
        assert_eq!(open(MailContent::Plain(newer.to_owned())), UnreadableMail::Newer);
        assert_eq!(open(sealed(&secrets(1), id(1), newer)), UnreadableMail::Newer);
        assert_eq!(open(MailContent::Sealed(Vec::new())), UnreadableMail::Newer);
        assert_eq!(open(MailContent::Plain("{}".to_owned())), UnreadableMail::Damaged);
        assert_eq!(open(sealed(&secrets(1), id(1), "{")), UnreadableMail::Damaged);
    }
}
