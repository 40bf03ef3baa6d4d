//! E-mails of the outbox.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::EmailState;
use crate::auth::{self, Admin};
use crate::clock::Timestamp;
use crate::domain;
use crate::domain::id::EmailId;
use crate::domain::pagination::PageRequest;
use crate::graphql::connection::connection;
use crate::graphql::error::expose;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::{auth, read_page};

/// An e-mail of the outbox, as administrators see it.
#[derive(Clone, Debug)]
pub struct Email(Arc<auth::Email>);

impl Email {
    /// The e-mail, unless it was sent.
    pub(in crate::graphql) async fn load(
        context: &Context<'_>,
        by: Admin,
        id: EmailId,
    ) -> Result<Option<Self>> {
        let mail = auth(context).emails.outbox_mail(by, id).await.map_err(expose)?;
        Ok(mail.map(|mail| Self(Arc::new(mail))))
    }

    /// A page of e-mails.
    pub(in crate::graphql) async fn list(
        context: &Context<'_>,
        by: Admin,
        page: &PageRequest<(Timestamp, EmailId)>,
    ) -> Result<EmailConnection> {
        let emails = &auth(context).emails;
        let (count, page) = (emails.count_outbox(by), emails.outbox(by, page));
        let (page, count) = read_page(context, count, page).await?;
        let key = |mail: &auth::Email| (mail.created_at, mail.id);
        Ok(EmailConnection::new(page, count, key, |mail| Self(Arc::new(mail))))
    }

    /// Only of an e-mail that is kept to be read: the code and the link of others log in as the recipient.
    fn may_be_read(&self) -> bool {
        self.0.state == domain::mail::EmailState::Kept
    }
}

/// E-mail of the outbox. An e-mail that was sent is deleted; without an SMTP server it is kept for a
/// day.
#[Object]
impl Email {
    /// Global object ID (Relay Node).
    pub(super) async fn id(&self) -> ID {
        GlobalId::Email(self.0.id).into()
    }

    /// Purpose, as in the names of the templates, e.g. `verify` or `notice-new-login`.
    async fn purpose(&self) -> &str {
        &self.0.purpose
    }

    /// Address of the recipient.
    async fn to(&self) -> &str {
        &self.0.to
    }

    /// Language of the e-mail: a language tag (BCP 47), e.g. `ko`.
    async fn locale(&self) -> &str {
        &self.0.locale
    }

    /// Subject; null in the same cases as `text`.
    async fn subject(&self) -> Option<&str> {
        self.0.text.as_ref().filter(|_| self.may_be_read()).map(|text| text.subject.as_str())
    }

    /// Text part. Null unless the e-mail is kept: its code and link log in as the recipient.
    async fn text(&self) -> Option<&str> {
        self.0.text.as_ref().filter(|_| self.may_be_read()).map(|text| text.text.as_str())
    }

    /// Current state: waiting, kept or failed.
    async fn state(&self) -> EmailState {
        self.0.state.into()
    }

    /// Number of attempts to send the e-mail so far.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// Error of the last attempt, in English; null if none failed.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// When the e-mail was queued.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

connection!(Email: EmailConnection of EmailEdge);
