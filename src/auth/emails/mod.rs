//! E-mails of accounts: composed, limited, and queued in the transaction of what they are about.
//!
//! [`Emails`] makes a mail's code and tokens and never sends anything: a sender takes mails from the outbox.
//! So the time of a request does not tell whether a mail is sent.

mod compose;
mod notices;
mod reads;
mod state;

pub(super) use compose::{MailRequest, OrderedMail};
pub(super) use notices::NoticeKind;
pub use reads::Email;
pub use state::{EmailSettings, Emails};
