//! Error of sending a mail, in a text that may be stored, logged and shown.
//!
//! Servers repeat in their replies what they were sent. So a reply to the credentials is not shown, and of
//! another reply no word that could be a code or a token.

use std::error::Error;
use std::fmt;

use super::template_error::TemplateError;

/// Whether sending may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendErrorKind {
    /// Of the network, of the server, or of the settings, which get corrected.
    Temporary,
    /// The server refuses this recipient or this message.
    Permanent,
}

/// A mail that was not sent. The text is a sentence of at most 200 printable characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    kind: SendErrorKind,
    text: String,
}

/// Step of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    StartTls,
    Login,
    Sender,
    Recipient,
    Content,
}

impl Step {
    /// The step as the subject of "failed".
    fn name(self) -> &'static str {
        match self {
            Self::Connect => "The connection",
            Self::StartTls => "STARTTLS",
            Self::Login => "The login",
            Self::Sender => "The sender",
            Self::Recipient => "The recipient",
            Self::Content => "The message",
        }
    }
}

impl SendError {
    const MAX_CHARS: usize = 200;

    pub(super) fn new(kind: SendErrorKind, text: &str) -> Self {
        Self { kind, text: printable(text) }
    }

    pub(super) fn temporary(text: &str) -> Self {
        Self::new(SendErrorKind::Temporary, text)
    }

    /// The error of one step. `password` must not be in the text, though a server repeats it.
    pub(super) fn of_step(
        step: Step,
        error: &lettre::transport::smtp::Error,
        password: Option<&str>,
    ) -> Self {
        let Some(code) = error.status().map(u16::from) else {
            let cause = without_secrets(&deepest(error).to_string(), password);
            return Self::temporary(&sentence(&format!("{} failed: {cause}", step.name())));
        };
        let kind = match step {
            // 530 and 538: the server requires a login or encryption first (RFC 4954, section 6).
            Step::Recipient | Step::Content if code >= 500 && ![530, 538].contains(&code) => {
                SendErrorKind::Permanent
            }
            _ => SendErrorKind::Temporary,
        };
        let reply = match step {
            Step::Login => String::new(),
            _ => without_secrets(&deepest(error).to_string(), password),
        };
        let text = format!("{} was refused by the server: {code} {reply}", step.name());
        Self::new(kind, &sentence(&text))
    }

    /// Temporary, because the template gets corrected.
    pub(super) fn of_template(error: &TemplateError) -> Self {
        let cause = without_secrets(&error.to_string(), None);
        Self::temporary(&sentence(&format!("The template failed: {cause}")))
    }

    #[must_use]
    pub fn kind(&self) -> SendErrorKind {
        self.kind
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for SendError {}

/// With one full stop.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches([' ', '.']))
}

/// The first cause: the errors above it only repeat that there was one.
fn deepest<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest
}

/// The words of a text, without those that could be a code, a token or credentials. A text with the
/// password is left out.
fn without_secrets(text: &str, password: Option<&str>) -> String {
    const HIDDEN: &str = "[…]";
    if password.is_some_and(|password| text.contains(password)) {
        return HIDDEN.to_owned();
    }
    let words = text.split_whitespace().map(|word| if is_secret(word) { HIDDEN } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// Eight digits in a row, or 24 characters in a row of which tokens are made.
fn is_secret(word: &str) -> bool {
    let has_run = |is_part: fn(char) -> bool, length: usize| {
        word.split(|c| !is_part(c)).any(|run| run.len() >= length)
    };
    has_run(|c| c.is_ascii_digit(), 8)
        || has_run(|c| c.is_ascii_alphanumeric() || "-_+/=".contains(c), 24)
}

/// At most 200 characters, each with a shape of its own.
fn printable(text: &str) -> String {
    let is_shown = |c: char| c.is_ascii_graphic() || c.is_alphanumeric() || " …".contains(c);
    let shown = text.chars().map(|c| if is_shown(c) { c } else { '?' });
    let mut text: String = shown.take(SendError::MAX_CHARS + 1).collect();
    if text.chars().count() > SendError::MAX_CHARS {
        text = text.chars().take(SendError::MAX_CHARS - 1).chain(['…']).collect();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_may_be_a_secret_is_left_out() {
        for (reply, shown) in [
            ("5.1.1 User unknown in local table", "5.1.1 User unknown in local table"),
            ("spam: code 01234567 seen", "spam: code […] seen"),
            ("queued as 4cXyZ31Qmz1, 2026-11-30", "queued as 4cXyZ31Qmz1, 2026-11-30"),
            (
                "see https://a.example/account/reset#token=AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
                "see […]",
            ),
            ("AUTH PLAIN AGFkYQBodW50ZXIyLWh1bnRlcjI=", "AUTH PLAIN […]"),
            ("a\r\nb\tc", "a b c"),
        ] {
            assert_eq!(without_secrets(reply, None), shown);
        }
        assert_eq!(without_secrets("why pw? because", Some("pw")), "[…]");
    }

    #[test]
    fn a_text_is_short_and_printable() {
        let error = SendError::temporary("a\u{1b}[31m\u{202e}\u{0} 한국어 é");
        assert_eq!(error.text(), "a?[31m?? 한국어 é");
        for length in [199, 200, 201, 10_000] {
            let error = SendError::temporary(&"é".repeat(length));
            assert_eq!(error.text().chars().count(), length.min(200));
            assert_eq!(error.text().ends_with('…'), length > 200);
        }
    }
}
