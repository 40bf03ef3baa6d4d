//! Lines of an import file.
//!
//! The first one is a header, the last one has counts, so that a file that was cut off is noticed.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::domain::external_account::{ExternalId, ForeignTokenId, Source};
use crate::redacted::redacted_debug;

/// Longest line in bytes, without its end.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// The word that a header's `format` has.
const FORMAT: &str = "sallyport-import";

/// The only version of the format.
const VERSION: u64 = 1;

/// Longest text of a header's settings in bytes.
const MAX_SETTINGS_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub enum Line {
    Header(Header),
    User(Box<ForeignUser>),
    Outstanding(OutstandingToken),
    Blacklisted(BlacklistedToken),
    End(Counts),
    /// Of a kind that this version does not know.
    Unknown,
}

/// First line of an import.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub source: Source,
    pub exported_at: Option<Timestamp>,
    /// Settings of the other system, without any key.
    pub settings: Map<String, Value>,
}

/// An account of the other system.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the format")]
pub struct ForeignUser {
    pub id: ExternalId,
    pub username: String,
    pub email: Option<String>,
    pub email_verified: bool,
    /// The hash as the other system stores it; `None` if it stores none.
    pub password: Option<String>,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub groups: Vec<String>,
    pub date_joined: Option<Timestamp>,
    pub last_login: Option<Timestamp>,
}

redacted_debug!(ForeignUser);

/// A refresh token that the other system issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutstandingToken {
    pub jti: ForeignTokenId,
    /// `None`: its account was deleted.
    pub user_id: Option<ExternalId>,
    pub created_at: Option<Timestamp>,
    pub expires_at: Timestamp,
}

/// A refresh token that the other system refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlacklistedToken {
    pub jti: ForeignTokenId,
    pub blacklisted_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// Numbers of lines by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub users: u64,
    pub outstanding: u64,
    pub blacklisted: u64,
}

/// Reason why a line cannot be read. It never contains the line, which may have a password hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("The line is not a JSON object of the format.")]
    NotAnObject,
    #[error("The line has more than 65536 bytes.")]
    TooLong,
    #[error("The line is not UTF-8.")]
    NotUtf8,
    #[error("The line has no {0}.")]
    Missing(&'static str),
    #[error("The member {0} of the line is not valid.")]
    Invalid(&'static str),
    #[error(
        "The file has another version of the format than 1. Use the exporter of this version, sallyport \
         import --print-exporter."
    )]
    Version,
}

/// Text, or a number that stands for it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(serde_json::Number),
}

impl Text {
    /// `None` for a number that is no integer of 64 bits: it was rounded, so that others would be the same.
    fn into_string(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => {
                (number.is_i64() || number.is_u64()).then(|| number.to_string())
            }
        }
    }
}

/// All members that a line of any kind may have. Others are ignored.
#[derive(Deserialize)]
struct Members {
    kind: Option<String>,
    format: Option<String>,
    version: Option<Value>,
    source: Option<String>,
    exported_at: Option<String>,
    settings: Option<Map<String, Value>>,
    id: Option<Text>,
    username: Option<Text>,
    email: Option<String>,
    email_verified: Option<bool>,
    password: Option<String>,
    is_active: Option<bool>,
    is_staff: Option<bool>,
    is_superuser: Option<bool>,
    groups: Option<Vec<String>>,
    date_joined: Option<String>,
    last_login: Option<String>,
    jti: Option<String>,
    user_id: Option<Text>,
    created_at: Option<String>,
    expires_at: Option<String>,
    blacklisted_at: Option<String>,
    users: Option<u64>,
    outstanding: Option<u64>,
    blacklisted: Option<u64>,
}

impl Line {
    /// Parses a line without its end.
    pub fn parse(line: &[u8]) -> Result<Self, LineError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(LineError::TooLong);
        }
        let text = std::str::from_utf8(line).map_err(|_| LineError::NotUtf8)?;
        // PostgreSQL stores no NUL, and no name, id or hash has one.
        if text.contains("\\u0000") {
            return Err(LineError::NotAnObject);
        }
        let members: Members = serde_json::from_str(text).map_err(|_| LineError::NotAnObject)?;
        if members.format.as_deref() == Some(FORMAT) {
            return members.header().map(Self::Header);
        }
        match members.kind.as_deref().ok_or(LineError::Missing("kind"))? {
            "user" => members.user().map(|user| Self::User(Box::new(user))),
            "outstanding" => members.outstanding().map(Self::Outstanding),
            "blacklisted" => members.blacklisted().map(Self::Blacklisted),
            "end" => members.end().map(Self::End),
            _ => Ok(Self::Unknown),
        }
    }

    /// Whether a line is a header, whatever is wrong with it. What precedes the header is ignored: shells
    /// print banners.
    #[must_use]
    pub fn is_header(line: &[u8]) -> bool {
        // Before it is parsed: a banner may have any length.
        line.first() == Some(&b'{')
            && line.windows(FORMAT.len()).take(MAX_LINE_BYTES).any(|part| part == FORMAT.as_bytes())
    }
}

impl Members {
    fn header(self) -> Result<Header, LineError> {
        if self.version.as_ref().and_then(Value::as_u64) != Some(VERSION) {
            return Err(LineError::Version);
        }
        let source = self.source.ok_or(LineError::Missing("source"))?;
        let settings = self.settings.unwrap_or_default();
        if Value::Object(settings.clone()).to_string().len() > MAX_SETTINGS_BYTES {
            return Err(LineError::Invalid("settings"));
        }
        Ok(Header {
            source: Source::parse(&source).map_err(|_| LineError::Invalid("source"))?,
            exported_at: time("exported_at", self.exported_at)?,
            settings,
        })
    }

    fn user(self) -> Result<ForeignUser, LineError> {
        Ok(ForeignUser {
            id: external_id("id", self.id)?.ok_or(LineError::Missing("id"))?,
            username: text("username", self.username)?.unwrap_or_default(),
            email: self.email.filter(|email| !email.is_empty()),
            email_verified: self.email_verified.unwrap_or(false),
            password: self.password.filter(|hash| !hash.is_empty()),
            is_active: self.is_active.unwrap_or(true),
            is_staff: self.is_staff.unwrap_or(false),
            is_superuser: self.is_superuser.unwrap_or(false),
            groups: self.groups.unwrap_or_default(),
            date_joined: time("date_joined", self.date_joined)?,
            last_login: time("last_login", self.last_login)?,
        })
    }

    fn outstanding(self) -> Result<OutstandingToken, LineError> {
        Ok(OutstandingToken {
            jti: jti(self.jti)?,
            user_id: external_id("user_id", self.user_id)?,
            created_at: time("created_at", self.created_at)?,
            expires_at: time("expires_at", self.expires_at)?
                .ok_or(LineError::Missing("expires_at"))?,
        })
    }

    fn blacklisted(self) -> Result<BlacklistedToken, LineError> {
        Ok(BlacklistedToken {
            jti: jti(self.jti)?,
            blacklisted_at: time("blacklisted_at", self.blacklisted_at)?
                .ok_or(LineError::Missing("blacklisted_at"))?,
            expires_at: time("expires_at", self.expires_at)?,
        })
    }

    fn end(self) -> Result<Counts, LineError> {
        let number = |name, value: Option<u64>| value.ok_or(LineError::Missing(name));
        Ok(Counts {
            users: number("users", self.users)?,
            outstanding: self.outstanding.unwrap_or(0),
            blacklisted: self.blacklisted.unwrap_or(0),
        })
    }
}

fn time(name: &'static str, text: Option<String>) -> Result<Option<Timestamp>, LineError> {
    text.map(|text| Timestamp::parse(&text).ok_or(LineError::Invalid(name))).transpose()
}

fn external_id(name: &'static str, text: Option<Text>) -> Result<Option<ExternalId>, LineError> {
    let id = self::text(name, text)?;
    id.map(|id| ExternalId::parse(&id).map_err(|_| LineError::Invalid(name))).transpose()
}

fn text(name: &'static str, text: Option<Text>) -> Result<Option<String>, LineError> {
    text.map(|text| text.into_string().ok_or(LineError::Invalid(name))).transpose()
}

fn jti(text: Option<String>) -> Result<ForeignTokenId, LineError> {
    let jti = text.ok_or(LineError::Missing("jti"))?;
    ForeignTokenId::parse(&jti).map_err(|_| LineError::Invalid("jti"))
}
