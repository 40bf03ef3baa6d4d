//! URL of the SMTP server: `smtp://[USER[:PASSWORD]@]HOST[:PORT]` and two more schemes.
//!
//! No message and no form for people or developers has the user or the password: at some providers the
//! user is a secret, too.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::ascii_domain::ascii_domain;

#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    security: SmtpSecurity,
    host: String,
    port: u16,
    user: Option<Zeroizing<String>>,
    password: Option<Zeroizing<String>>,
}

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// `smtp://` without a user: by STARTTLS if the server offers it. The certificate is not verified,
    /// because an attacker who can present a false one can also remove the offer.
    Opportunistic,
    /// `smtp+starttls://`, and `smtp://` with a user: by STARTTLS, always.
    StartTls,
    /// `smtps://`: TLS from the first byte on.
    Tls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    #[error(
        "expected smtp://HOST, smtps://HOST or smtp+starttls://HOST, with USER:PASSWORD@ before \
         the host if the server requires a login"
    )]
    Scheme,
    #[error(
        "the host or the port is invalid: expected a form like mail.example.com:587 or [::1]:587; \
         special characters in the user and the password must be percent-encoded (# is %23, / is \
         %2F, ? is %3F, @ is %40, : is %3A, % is %25)"
    )]
    Host,
    #[error(
        "special characters in the user and the password must be percent-encoded (# is %23, / is \
         %2F, ? is %3F, @ is %40, : is %3A, % is %25)"
    )]
    Encoding,
    #[error(
        "parameters are not supported; the scheme chooses the encryption: smtps:// is TLS, \
         smtp+starttls:// is STARTTLS, smtp:// is STARTTLS if the server offers it"
    )]
    Parameters,
    #[error("a path is not supported; remove it")]
    Path,
    #[error("the user is missing; use smtps://USER:PASSWORD@HOST")]
    NoUser,
    #[error("the password is given twice, in the URL and in a file; remove one of them")]
    TwoPasswords,
    #[error("the password is empty, or has characters that no password has")]
    Password,
}

type Result<T> = std::result::Result<T, SmtpUrlError>;

impl FromStr for SmtpUrl {
    type Err = SmtpUrlError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl SmtpUrl {
    pub fn parse(text: &str) -> Result<Self> {
        // A URL that is read from a file ends in a line feed.
        let (scheme, rest) = text.trim().split_once("://").ok_or(SmtpUrlError::Scheme)?;
        let (security, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "smtp" => (SmtpSecurity::Opportunistic, 25),
            "smtp+starttls" => (SmtpSecurity::StartTls, 587),
            "smtps" => (SmtpSecurity::Tls, 465),
            _ => return Err(SmtpUrlError::Scheme),
        };
        // The URL has no fragment, so a # belongs to a password that is not encoded.
        if rest.contains('#') || rest.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(SmtpUrlError::Encoding);
        }
        let (authority, path) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
        // An @ behind them belongs to a password with a slash or a question mark that is not encoded.
        if path.contains('@') {
            return Err(SmtpUrlError::Encoding);
        }
        if rest.contains('?') {
            return Err(SmtpUrlError::Parameters);
        }
        if !path.is_empty() {
            return Err(SmtpUrlError::Path);
        }
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        let (user, password) = match login {
            None => (None, None),
            Some(login) => {
                let (user, password) = login.split_once(':').unzip();
                let user = decode(user.unwrap_or(login))?;
                if user.is_empty() {
                    return Err(SmtpUrlError::NoUser);
                }
                (Some(user), password.map(decode).transpose()?)
            }
        };
        if password.as_ref().is_some_and(|password| password.is_empty()) {
            return Err(SmtpUrlError::Password);
        }
        let security = match (security, &user) {
            // Credentials are never sent unencrypted.
            (SmtpSecurity::Opportunistic, Some(_)) => SmtpSecurity::StartTls,
            (security, _) => security,
        };
        Ok(Self { security, host, port: port.unwrap_or(default_port), user, password })
    }

    /// The same with the password of a file, which may end in a line end.
    pub fn with_password(self, password: &str) -> Result<Self> {
        if self.user.is_none() {
            return Err(SmtpUrlError::NoUser);
        }
        if self.password.is_some() {
            return Err(SmtpUrlError::TwoPasswords);
        }
        let password = password.strip_suffix('\n').unwrap_or(password);
        let password = password.strip_suffix('\r').unwrap_or(password);
        if password.is_empty() || password.contains(char::is_control) {
            return Err(SmtpUrlError::Password);
        }
        Ok(Self { password: Some(Zeroizing::new(password.to_owned())), ..self })
    }

    /// A name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    #[must_use]
    pub fn security(&self) -> SmtpSecurity {
        self.security
    }

    /// Whether the URL itself has a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether a login is required, and its password is missing.
    #[must_use]
    pub fn needs_password(&self) -> bool {
        self.user.is_some() && self.password.is_none()
    }

    /// Whether the connection to another machine may be unencrypted.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        let is_local = self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        self.security == SmtpSecurity::Opportunistic && !is_local
    }

    /// User and password; `None` without both.
    pub(super) fn credentials(&self) -> Option<(&str, &str)> {
        Some((self.user.as_ref()?.as_str(), self.password.as_ref()?.as_str()))
    }
}

fn host_and_port(place: &str) -> Result<(String, Option<u16>)> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(SmtpUrlError::Host)?;
        host.parse::<Ipv6Addr>().map_err(|_| SmtpUrlError::Host)?;
        let port = match after.strip_prefix(':') {
            None if !after.is_empty() => return Err(SmtpUrlError::Host),
            port => port,
        };
        (host.to_owned(), port)
    } else {
        let (host, port) = place.split_once(':').unzip();
        (host_name(host.unwrap_or(place))?, port)
    };
    let Some(port) = port else { return Ok((host, None)) };
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if is_number && port != 0 => Ok((host, Some(port))),
        _ => Err(SmtpUrlError::Host),
    }
}

/// A DNS name in ASCII, or an IPv4 address.
fn host_name(text: &str) -> Result<String> {
    let name = ascii_domain(text).ok_or(SmtpUrlError::Host)?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_name = name.bytes().all(is_allowed) && name.split('.').all(|label| !label.is_empty());
    // A name of numbers alone is an IPv4 address or none.
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_host = is_name && (!is_number || name.parse::<Ipv4Addr>().is_ok());
    if is_host { Ok(name) } else { Err(SmtpUrlError::Host) }
}

fn decode(text: &str) -> Result<Zeroizing<String>> {
    let begins_encoded = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    // The library leaves invalid sequences as they are.
    if !text.split('%').skip(1).all(begins_encoded) {
        return Err(SmtpUrlError::Encoding);
    }
    // A zero byte separates user and password in the protocol (RFC 4616).
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(Zeroizing::new(text.into_owned())),
        _ => Err(SmtpUrlError::Encoding),
    }
}

/// For people: the scheme that is in force, host and port.
impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.security {
            SmtpSecurity::Opportunistic => "smtp",
            SmtpSecurity::StartTls => "smtp+starttls",
            SmtpSecurity::Tls => "smtps",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// Redacted: without user and password.
impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpUrl({self})")
    }
}
