//! Sending of one mail: rendered, made a message, and given to the SMTP server.

use std::sync::Arc;

use super::content::Mail;
use super::message::Message;
use super::send_error::{SendError, SendErrorKind};
use super::sender_address::Sender;
use super::smtp::SmtpClient;
use super::templates::Templates;
use crate::clock::Timestamp;
use crate::domain::id::EmailId;
use crate::domain::mail::MailLanguage;
use crate::domain::user::Email;

/// An SMTP server, with the texts and the sender of the mails that it gets.
pub struct Mailer {
    pub templates: Arc<Templates>,
    pub sender: Sender,
    pub client: SmtpClient,
}

impl Mailer {
    /// Sends a mail, in at most 27 s. With the same `id` and `composed_at` each attempt sends the same
    /// message, of which a mailbox can drop the second copy.
    pub async fn send(
        &self,
        mail: &Mail,
        language: MailLanguage,
        recipient: &Email,
        id: EmailId,
        composed_at: Timestamp,
    ) -> Result<(), SendError> {
        let text = self.templates.render(mail, language);
        let text = text.map_err(|error| SendError::of_template(&error))?;
        let message = Message::new(&self.sender, recipient, &text, id.as_uuid(), composed_at);
        let message = message
            .map_err(|error| SendError::new(SendErrorKind::Permanent, &error.to_string()))?;
        self.client.send(&message).await
    }
}
