//! Message of a mail (RFC 5322), ready for SMTP.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{Header, HeaderName, HeaderValue, MessageId};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use uuid::Uuid;

use super::ascii_domain::ascii_domain;
use super::sender_address::Sender;
use super::templates::MailText;
use crate::clock::Timestamp;
use crate::domain::user::Email;
use crate::redacted::redacted_debug;

/// A message and the addresses of its envelope.
pub struct Message {
    pub(super) from: Address,
    pub(super) to: Address,
    /// Headers and body.
    pub(super) content: Vec<u8>,
}

redacted_debug!(Message);

/// The recipient's address has no form in the protocol, such as a local part of more than 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The address of the recipient cannot be used for email.")]
pub struct MessageError;

impl Message {
    /// `id` is the same each time that this mail is sent, so that a mailbox drops the second copy.
    pub fn new(
        sender: &Sender,
        recipient: &Email,
        text: &MailText,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Self, MessageError> {
        let from = sender.mailbox().clone();
        let to = address(recipient)?;
        let builder = lettre::Message::builder()
            .from(from.clone())
            .to(Mailbox::from(to.clone()))
            .subject(text.subject.as_str())
            .date(system_time(now))
            .header(MessageId::from(format!("<{id}@{}>", sender.domain())))
            .header(AutoSubmitted);
        // Without an envelope, the library would read the headers again, which fails for some addresses.
        let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()]);
        let builder = builder.envelope(envelope.map_err(|_| MessageError)?);
        let plain = SinglePart::plain(text.text.clone());
        let message = match &text.html {
            Some(html) => {
                // The last part is the one that mail programs prefer (RFC 2046, section 5.1.4).
                let html = SinglePart::html(html.clone());
                builder.multipart(MultiPart::alternative().singlepart(plain).singlepart(html))
            }
            None => builder.singlepart(plain),
        };
        let content = message.map_err(|_| MessageError)?.formatted();
        Ok(Self { from: from.email, to, content })
    }

    /// Headers and body, as sent after the command `DATA`.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Whether only servers with SMTPUTF8 take it: an address has a local part beyond ASCII.
    pub(super) fn needs_utf8(&self) -> bool {
        let address: &str = self.to.as_ref();
        !address.is_ascii()
    }
}

/// The address in the form of SMTP: the domain in ASCII, the local part in quotation marks if it has dots
/// in places where RFC 5321 has none, as addresses of Japanese carriers do.
fn address(email: &Email) -> Result<Address, MessageError> {
    let (local, domain) = email.as_str().split_once('@').ok_or(MessageError)?;
    let domain = ascii_domain(domain).ok_or(MessageError)?;
    let address = Address::new(local, &domain);
    address.or_else(|_| Address::new(format!("\"{local}\""), &domain)).map_err(|_| MessageError)
}

/// A time before 1970 would make the library panic.
fn system_time(now: Timestamp) -> SystemTime {
    let seconds = u64::try_from(now.as_seconds()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Programs that answer mails, such as a notice of absence, leave these out (RFC 3834, section 5).
#[derive(Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0198_c5a0_1234_7abc_8def_0123_4567_89ab);

    fn text(subject: &str) -> MailText {
        MailText { subject: subject.to_owned(), text: "Text.\n".to_owned(), html: None }
    }

    fn message(sender: &str, recipient: &str, text: &MailText) -> Message {
        let now = Timestamp::from_seconds(1_796_000_000);
        let recipient = Email::from_stored(recipient.to_owned(), recipient.to_owned());
        Message::new(&Sender::parse(sender).unwrap(), &recipient, text, ID, now).unwrap()
    }

    /// Headers and body, as text.
    fn parts(message: &Message) -> (String, String) {
        let content = String::from_utf8(message.content().to_vec()).unwrap();
        let (head, body) = content.split_once("\r\n\r\n").unwrap();
        (head.replace("\r\n ", " "), body.to_owned())
    }

    fn header<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
        let of_line = |line: &'a str| line.split_once(": ").filter(|(found, _)| *found == name);
        head.lines().filter_map(of_line).map(|(_, value)| value).collect()
    }

    #[test]
    fn a_message_has_the_headers_of_a_notice() {
        let message = message("Acme <noreply@a.example>", "ada@b.example", &text("Hello"));
        let (head, body) = parts(&message);
        for (name, value) in [
            ("From", "Acme <noreply@a.example>"),
            ("To", "ada@b.example"),
            ("Subject", "Hello"),
            ("Date", "Mon, 30 Nov 2026 00:53:20 +0000"),
            ("Message-ID", "<0198c5a0-1234-7abc-8def-0123456789ab@a.example>"),
            ("Auto-Submitted", "auto-generated"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
        ] {
            assert_eq!(header(&head, name), [value], "{name}");
        }
        assert_eq!(head.lines().count(), 9, "{head}");
        assert_eq!(body.trim_end(), "Text.");
        assert_eq!(message.from.to_string(), "noreply@a.example");
        assert_eq!(message.to.to_string(), "ada@b.example");
        assert_eq!(format!("{message:?}"), "Message(…)");
    }

    #[test]
    fn a_message_with_html_has_the_text_first() {
        let text = MailText { html: Some("<p>비밀번호</p>".to_owned()), ..text("Hello") };
        let (head, body) = parts(&message("noreply@a.example", "ada@b.example", &text));
        let kind = header(&head, "Content-Type")[0];
        assert!(kind.starts_with("multipart/alternative; boundary="), "{kind}");
        let plain = body.find("Content-Type: text/plain; charset=utf-8").unwrap();
        assert!(plain < body.find("Content-Type: text/html; charset=utf-8").unwrap());
        assert!(body.is_ascii() && head.is_ascii());
        assert!(body.lines().all(|line| line.len() <= 78));
    }

    #[test]
    fn a_subject_and_a_name_beyond_ascii_are_encoded_words() {
        let subject =
            "비밀번호를 재설정하려면 이 이메일을 열어 주십시오. 이 제목은 한 줄보다 깁니다.";
        let message = message("샐리포트 팀 <a@b.example>", "ada@b.example", &text(subject));
        let content = String::from_utf8(message.content().to_vec()).unwrap();
        assert!(content.is_ascii());
        assert!(content.split("\r\n").all(|line| line.len() <= 78), "{content}");
        let (head, _) = parts(&message);
        let subject = header(&head, "Subject")[0];
        assert!(subject.starts_with("=?utf-8?b?") && subject.ends_with("?="), "{subject}");
        assert_eq!(header(&head, "From"), ["=?utf-8?b?7IOQ66as7Y+s7Yq4IO2MgA==?= <a@b.example>"]);
    }

    #[test]
    fn no_part_of_a_message_adds_a_header() {
        let subject = "a\r\nBcc: c@d.example\r\n\r\nb";
        let (head, _) = parts(&message("a@b.example", "ada@b.example", &text(subject)));
        assert_eq!(header(&head, "Bcc"), Vec::<&str>::new());
        assert_eq!(head.lines().count(), 9, "{head}");
        for recipient in ["a\r\nBcc: c@d.example", "a\"b@d.example", "a@d.example\r\nBcc: c", "a"] {
            let email = Email::from_stored(recipient.to_owned(), String::new());
            let sender = Sender::parse("a@b.example").unwrap();
            let now = Timestamp::from_seconds(0);
            let message = Message::new(&sender, &email, &text("a"), ID, now);
            assert!(message.is_err(), "{recipient}");
        }
    }

    #[test]
    fn a_line_that_is_a_dot_is_text() {
        // The client doubles the dot when it sends the message.
        let text = MailText { text: "a\n.\nb\n".to_owned(), ..text("a") };
        let (_, body) = parts(&message("a@b.example", "ada@b.example", &text));
        assert_eq!(body.trim_end(), "a\r\n.\r\nb");
    }

    #[test]
    fn every_address_of_an_account_has_a_form_in_the_protocol_or_none() {
        for (address, form, needs_utf8) in [
            ("o'hara+x@mail.example.com", "o'hara+x@mail.example.com", false),
            ("a..b.@docomo.example", "\"a..b.\"@docomo.example", false),
            ("ada@пример.example", "ada@xn--e1afmkfd.example", false),
            ("маша@пример.example", "маша@xn--e1afmkfd.example", true),
        ] {
            let email = Email::parse(address).unwrap();
            let message = message("a@b.example", email.as_str(), &text("a"));
            assert_eq!((message.to.to_string().as_str(), message.needs_utf8()), (form, needs_utf8));
        }
        let long = Email::parse(&format!("{}@example.com", "a".repeat(65))).unwrap();
        assert_eq!(address(&long), Err(MessageError));
    }

    #[test]
    fn any_time_is_a_date() {
        for now in [Timestamp::from_micros(-1), Timestamp::MAX] {
            let (sender, recipient) = (Sender::parse("a@b.example"), Email::parse("a@b.example"));
            let (sender, recipient) = (sender.unwrap(), recipient.unwrap());
            assert!(Message::new(&sender, &recipient, &text("a"), ID, now).is_ok());
        }
    }
}
