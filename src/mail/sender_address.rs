//! Address from which mails are sent.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use lettre::Address;
use lettre::message::{Mailbox, Mailboxes};

use super::ascii_domain::ascii_domain;

/// `Name <address>`, or an address alone.
///
/// Name and address are one line, so neither can add a header to a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender(Mailbox);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an address such as noreply@example.com or Example <noreply@example.com>, with ASCII \
     before the @, and a name of at most 100 characters"
)]
pub struct SenderError;

impl FromStr for Sender {
    type Err = SenderError;

    fn from_str(text: &str) -> Result<Self, SenderError> {
        Self::parse(text)
    }
}

impl Sender {
    pub fn parse(text: &str) -> Result<Self, SenderError> {
        // White space beyond the space would be a line end or look like nothing.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() && c != ' ') {
            return Err(SenderError);
        }
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>') {
            Some(text) => text.rsplit_once('<').ok_or(SenderError)?,
            None => ("", text),
        };
        let mailbox = Mailbox::new(display_name(name)?, parse_address(address)?);
        // The library reads the header again when it builds a mail.
        let is_read_again = mailbox.to_string().parse::<Mailboxes>().is_ok();
        if is_read_again { Ok(Self(mailbox)) } else { Err(SenderError) }
    }

    /// `Sallyport <noreply@HOST>` with the host of a URL. A host that is an IP address has no mail domain:
    /// then it is `noreply@localhost`, which servers on the same machine accept.
    #[must_use]
    pub fn default_for(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = host_and_port.split(':').next().unwrap_or_default();
        let is_ip = host_and_port.starts_with('[') || host.parse::<IpAddr>().is_ok();
        let own = (!is_ip).then(|| Self::parse(&format!("Sallyport <noreply@{host}>")));
        own.and_then(Result::ok).unwrap_or_else(Self::local)
    }

    fn local() -> Self {
        let address = Address::new_dangerous("noreply", "localhost");
        Self(Mailbox::new(Some("Sallyport".to_owned()), address))
    }

    /// The domain of the address, in ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }

    /// Whether the domain is a name of this machine or network only. Other mail servers refuse its mails.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let domain = self.domain();
        !domain.contains('.') || domain.to_ascii_lowercase().ends_with(".localhost")
    }

    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.0
    }
}

/// The name before an address, without the quotation marks around it; `None` if there is none.
fn display_name(text: &str) -> Result<Option<String>, SenderError> {
    const MAX_CHARS: usize = 100;
    let text = text.trim();
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let words: Vec<_> = quoted.unwrap_or(text).split_whitespace().collect();
    let name = words.join(" ");
    if name.chars().count() > MAX_CHARS || name.contains(['"', '\\', '<', '>', '@']) {
        return Err(SenderError);
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}

fn parse_address(text: &str) -> Result<Address, SenderError> {
    const MAX_BYTES: usize = 254;
    let (local, domain) = text.rsplit_once('@').ok_or(SenderError)?;
    let domain = ascii_domain(domain).ok_or(SenderError)?;
    // A domain that is an IP address in brackets is an address of RFC 5321, but few servers accept it. A
    // quoted local part may have spaces and angle brackets.
    let is_plain = local.is_ascii() && !local.contains(['"', ' ']) && !domain.starts_with('[');
    let address = Address::new(local, domain).map_err(|_| SenderError)?;
    let is_short = address.to_string().len() <= MAX_BYTES;
    if is_plain && is_short { Ok(address) } else { Err(SenderError) }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(text: &str) -> Sender {
        Sender::parse(text).unwrap()
    }

    #[test]
    fn a_sender_has_a_name_or_none() {
        for (text, shown, domain) in [
            ("noreply@example.com", "noreply@example.com", "example.com"),
            (" <noreply@example.com> ", "noreply@example.com", "example.com"),
            ("Acme <noreply@example.com>", "Acme <noreply@example.com>", "example.com"),
            ("Acme   Shop<a@b.example>", "Acme Shop <a@b.example>", "b.example"),
            ("\"Acme, Inc.\" <a@b.example>", "\"Acme, Inc.\" <a@b.example>", "b.example"),
            ("Acme, Inc. <a@b.example>", "\"Acme, Inc.\" <a@b.example>", "b.example"),
            ("샐리포트 팀 <a@b.example>", "샐리포트 팀 <a@b.example>", "b.example"),
            ("a.b+c@localhost", "a.b+c@localhost", "localhost"),
            ("a@пример.example", "a@xn--e1afmkfd.example", "xn--e1afmkfd.example"),
        ] {
            let sender = sender(text);
            assert_eq!((sender.to_string().as_str(), sender.domain()), (shown, domain));
        }
    }

    #[test]
    fn no_sender_adds_a_header_or_a_recipient() {
        for text in [
            "",
            "Acme",
            "@example.com",
            "a@",
            "Acme <>",
            "Acme <a@b.example",
            "Acme a@b.example>",
            "a@b.example\r\nBcc: c@d.example",
            "Acme\r\nBcc: c@d.example <a@b.example>",
            "Acme\n <a@b.example>",
            "Acme\u{0} <a@b.example>",
            "Acme\u{2028}Bcc: c <a@b.example>",
            "Acme\u{85}Bcc: c <a@b.example>",
            "<c@d.example>, Acme <a@b.example>",
            "c@d.example, a@b.example",
            "c@d.example <a@b.example>",
            "Acme <a@b.example>, <c@d.example>",
            "Acme <a b@c.example>",
            "\"a b\"@c.example",
            "Acme <\"<x>\"@c.example>",
            "A\"c\"me <a@b.example>",
            "a@[127.0.0.1]",
            "a@b..example",
            ".a@b.example",
            "маша@b.example",
        ] {
            assert_eq!(Sender::parse(text), Err(SenderError), "{text:?}");
        }
        let long = format!("{} <a@b.example>", "n".repeat(101));
        assert_eq!(Sender::parse(&long), Err(SenderError));
        let long = format!("a@{}", ["b".repeat(60).as_str(); 5].join("."));
        assert_eq!(Sender::parse(&long), Err(SenderError));
    }

    #[test]
    fn the_default_sender_has_the_host_of_the_issuer() {
        for (url, shown, is_local) in [
            ("https://auth.example.com", "Sallyport <noreply@auth.example.com>", false),
            ("https://auth.example.com:8443/p", "Sallyport <noreply@auth.example.com>", false),
            ("http://localhost:8000", "Sallyport <noreply@localhost>", true),
            ("http://app.localhost", "Sallyport <noreply@app.localhost>", true),
            ("http://sallyport:8000", "Sallyport <noreply@sallyport>", true),
            ("http://127.0.0.1:8000", "Sallyport <noreply@localhost>", true),
            ("http://[::1]:8000", "Sallyport <noreply@localhost>", true),
            ("http://-b.example", "Sallyport <noreply@localhost>", true),
            ("", "Sallyport <noreply@localhost>", true),
        ] {
            let sender = Sender::default_for(url);
            assert_eq!(sender.to_string(), shown, "{url}");
            assert_eq!(sender.is_local(), is_local, "{url}");
            assert_eq!(Sender::parse(shown), Ok(sender));
        }
    }
}
