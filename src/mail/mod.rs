//! E-mail: the texts of mails, their messages, the SMTP server that takes them, and the delivery.
//!
//! A mail is a [`Mail`]: its purpose and the values for its template. [`Templates`] renders it in a
//! language, [`Message`] gives it its headers, and [`SmtpClient`] sends it; [`Mailer`] does all three.
//! [`Delivery`] takes mails from the outbox of the store, and decides how often each is tried. Which mails
//! are queued is decided elsewhere.
//!
//! No text that a stranger enters becomes part of a mail to another person, all links are made by
//! [`Links`] of configuration, and no value can add a header or markup.

mod ascii_domain;
mod code;
mod content;
mod delivery;
mod links;
mod mailer;
mod message;
mod outcome;
mod queue_signal;
mod requested_from;
mod retry;
mod samples;
mod sealed;
mod send_error;
mod sender_address;
mod smtp;
mod smtp_stream;
mod smtp_url;
#[cfg(test)]
mod smtp_url_tests;
mod template_error;
mod template_files;
mod templates;
#[cfg(test)]
mod templates_tests;
mod variables;

pub use code::{MailCode, MailCodeError};
pub use content::{
    AccountDeletion, AccountName, CodeAndLink, CodeOnly, EmailChange, EmailTaken, FactorChange,
    HiddenAddress, Mail, Notice, RecoveryCodeUse, StoredMailError, TestMail, Validity,
};
pub use delivery::Delivery;
pub use links::{Link, LinkPage, Links, LinksError, PageUrls};
pub use mailer::Mailer;
pub use message::{Message, MessageError};
pub use queue_signal::QueueSignal;
pub use requested_from::RequestedFrom;
pub use sealed::{UnreadableMail, open_mail, seal_context};
pub use send_error::{SendError, SendErrorKind};
pub use sender_address::{Sender, SenderError};
pub use smtp::{SmtpClient, SmtpSetupError};
pub use smtp_url::{SmtpSecurity, SmtpUrl, SmtpUrlError};
pub use template_error::TemplateError;
pub use templates::{MailText, Templates};
