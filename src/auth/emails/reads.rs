//! The outbox for administrators: mails with their texts, and their repetition.

use super::Emails;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::clock::Timestamp;
use crate::domain::id::EmailId;
use crate::domain::mail::{EmailState, MailLanguage};
use crate::domain::pagination::{Page, PageRequest};
use crate::mail::{MailText, open_mail};
use crate::store::StoredMail;

/// A mail of the outbox with its text.
#[derive(Clone, Debug)]
pub struct Email {
    pub id: EmailId,
    pub purpose: String,
    pub to: String,
    /// Language of the text.
    pub locale: String,
    /// `None` if the master secret or the templates of this process do not give it.
    pub text: Option<MailText>,
    pub state: EmailState,
    pub attempts: i32,
    /// Error of the latest attempt.
    pub last_error: Option<String>,
    pub created_at: Timestamp,
}

impl Emails {
    /// Mails that are not sent, newest first. Mails that were sent are deleted at once.
    pub async fn outbox(
        &self,
        _by: Admin,
        page: &PageRequest<(Timestamp, EmailId)>,
    ) -> Result<Page<Email>, Error> {
        Ok(self.store.mails(page).await?.map(|mail| self.shown(mail)))
    }

    /// The number of mails that are not sent; `None` above its cap.
    pub async fn count_outbox(&self, _by: Admin) -> Result<Option<i64>, Error> {
        Ok(self.store.count_mails().await?)
    }

    /// A mail that is not sent.
    pub async fn outbox_mail(&self, _by: Admin, id: EmailId) -> Result<Option<Email>, Error> {
        Ok(self.store.mail(id).await?.map(|mail| self.shown(mail)))
    }

    /// Makes waiting and failed mails due at once, and returns their number.
    pub async fn retry(&self, _by: Admin) -> Result<u64, Error> {
        let count = self.store.retry_mails(self.now()).await?;
        self.mail_queued();
        Ok(count)
    }

    fn shown(&self, mail: StoredMail) -> Email {
        let language = MailLanguage::parse(&mail.language).unwrap_or(MailLanguage::En);
        let content = open_mail(&self.secrets, mail.id, &mail.content).ok();
        let text = content.and_then(|content| self.templates.render(&content, language).ok());
        Email {
            id: mail.id,
            purpose: mail.purpose,
            to: mail.address,
            locale: mail.language,
            text,
            state: EmailState::read(&mail.state),
            attempts: mail.attempts,
            last_error: mail.last_error,
            created_at: mail.created_at,
        }
    }
}
