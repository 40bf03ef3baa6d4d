//! One attempt to send a leased mail, and its outcome.

use super::mailer::Mailer;
use super::retry::{FailureKind, MailTimes, next_attempt};
use super::sealed::{UnreadableMail, open_mail};
use crate::clock::{Clock, Timestamp};
use crate::crypto::secret::MasterSecrets;
use crate::domain::mail::{MailLanguage, MailPurpose};
use crate::domain::user::Email;
use crate::metrics::EmailOutcome;
use crate::store::LeasedMail;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A mail without a recipient, which is never sent.
    Decoy,
    /// Its code and link are worthless, or the notice is out of date.
    Expired,
    /// There is no SMTP server.
    Kept,
    Sent,
    Failed {
        kind: FailureKind,
        text: String,
        /// `None`: it has failed for good.
        retry_at: Option<Timestamp>,
    },
}

impl Outcome {
    /// The value of the metric's label; `None` for decoys, which are not counted.
    pub(super) fn label(&self) -> Option<EmailOutcome> {
        Some(match self {
            Self::Decoy => return None,
            Self::Expired => EmailOutcome::Expired,
            Self::Kept => EmailOutcome::Kept,
            Self::Sent => EmailOutcome::Sent,
            Self::Failed { retry_at: Some(_), .. } => EmailOutcome::Retried,
            Self::Failed { retry_at: None, .. } => EmailOutcome::Failed,
        })
    }
}

/// The purpose of a mail; `None` for one of a newer version.
pub(super) fn purpose(mail: &LeasedMail) -> Option<MailPurpose> {
    MailPurpose::parse(&mail.purpose)
}

/// Sends a mail if it is to be sent.
pub(super) async fn attempt(
    mail: &LeasedMail,
    mailer: Option<&Mailer>,
    secrets: &MasterSecrets,
    clock: &dyn Clock,
) -> Outcome {
    let Some(address) = mail.address.clone() else { return Outcome::Decoy };
    if mail.expires_at <= clock.now() {
        return Outcome::Expired;
    }
    let Some(mailer) = mailer else { return Outcome::Kept };
    let failed = |kind: FailureKind, text: String| {
        let times = MailTimes { created_at: mail.created_at, expires_at: mail.expires_at };
        let retry_at = next_attempt(kind, mail.attempts, times, clock.now());
        Outcome::Failed { kind, text, retry_at }
    };
    let content = match open_mail(secrets, mail.id, &mail.content) {
        Ok(content) => content,
        Err(error) => return failed(kind_of(error), error.to_string()),
    };
    // A language of a newer version: a mail in English is better than none.
    let language = MailLanguage::parse(&mail.language).unwrap_or(MailLanguage::En);
    let recipient = Email::from_stored(address.clone(), address);
    match mailer.send(&content, language, &recipient, mail.id, mail.created_at).await {
        Ok(()) => Outcome::Sent,
        Err(error) => failed(error.kind().into(), error.text().to_owned()),
    }
}

/// While the master secret is replaced, some replicas do not have the new one yet.
fn kind_of(error: UnreadableMail) -> FailureKind {
    match error {
        UnreadableMail::Sealed => FailureKind::Temporary,
        UnreadableMail::Newer => FailureKind::NewerVersion,
        UnreadableMail::Damaged => FailureKind::Permanent,
    }
}
