//! Cursors of lists: the sort key of a row, encoded so that clients do not depend on its form.

use async_graphql::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::bad_input;
use crate::clock::Timestamp;
use crate::domain::audit::AuditEventId;
use crate::domain::id::{EmailId, SessionId, TokenId};
use crate::domain::pagination::PageRequest;
use crate::store::FeedCursor;

/// Sort key of a list.
pub trait SortKey: Sized {
    fn to_text(&self) -> String;
    /// The key with this text; `None` if it is the text of no key.
    fn from_text(text: &str) -> Option<Self>;
}

/// Bytes of the longest folded username: 150 characters of four bytes, some of which fold to several.
const MAX_NAME_BYTES: usize = 4_000;

/// Key of users: the folded username.
impl SortKey for String {
    fn to_text(&self) -> String {
        self.clone()
    }

    fn from_text(text: &str) -> Option<Self> {
        (text.len() <= MAX_NAME_BYTES && !text.contains('\0')).then(|| text.to_owned())
    }
}

/// Key of sessions.
impl SortKey for SessionId {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

/// Key of blacklist entries: microseconds and token ID.
impl SortKey for (Timestamp, TokenId) {
    fn to_text(&self) -> String {
        format!("{} {}", self.0.as_micros(), self.1)
    }

    fn from_text(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once(' ')?;
        Some((Timestamp::from_micros(micros.parse().ok()?), TokenId::parse(id)?))
    }
}

/// Key of e-mails: microseconds and ID.
impl SortKey for (Timestamp, EmailId) {
    fn to_text(&self) -> String {
        format!("{} {}", self.0.as_micros(), self.1)
    }

    fn from_text(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once(' ')?;
        Some((Timestamp::from_micros(micros.parse().ok()?), EmailId::parse(id)?))
    }
}

/// Key of ended sessions: a position in the feed.
impl SortKey for FeedCursor {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

/// Key of audit events: microseconds and number.
impl SortKey for (Timestamp, AuditEventId) {
    fn to_text(&self) -> String {
        format!("{} {}", self.0.as_micros(), self.1.0)
    }

    fn from_text(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once(' ')?;
        Some((Timestamp::from_micros(micros.parse().ok()?), AuditEventId::parse(id)?))
    }
}

#[must_use]
pub fn encode(key: &impl SortKey) -> String {
    URL_SAFE_NO_PAD.encode(key.to_text())
}

/// The key of a cursor; `BAD_USER_INPUT` if it is not a cursor of this list.
pub fn decode<K: SortKey>(cursor: Option<String>) -> Result<Option<K>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let key = text.and_then(|text| K::from_text(&text));
    key.map(Some).ok_or_else(|| bad_input("The cursor is invalid or belongs to another list."))
}

/// The page that the arguments of a connection ask for (Cursor Connections Specification).
pub(super) fn page<K: SortKey>(
    after: Option<String>,
    before: Option<String>,
    first: Option<i32>,
    last: Option<i32>,
) -> Result<PageRequest<K>> {
    PageRequest::parse(first, last, decode(after)?, decode(before)?)
        .map_err(|error| bad_input(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_cursor_survives_a_round_trip() {
        let key = (
            Timestamp::from_micros(-7),
            TokenId::new(Timestamp::from_seconds(1), &SeededEntropy::new(1)),
        );
        let read: Option<(Timestamp, TokenId)> = decode(Some(encode(&key))).unwrap();
        assert_eq!(read, Some(key));
        let name: Option<String> = decode(Some(encode(&"ada".to_owned()))).unwrap();
        assert_eq!(name.as_deref(), Some("ada"));
    }

    #[test]
    fn a_forged_cursor_is_refused() {
        for text in ["", "x", "!!", "AAAA", "MSAy", "\u{0}"] {
            assert!(decode::<(Timestamp, TokenId)>(Some(text.to_owned())).is_err(), "{text}");
            assert!(decode::<SessionId>(Some(text.to_owned())).is_err(), "{text}");
        }
        for name in ["a\0".to_owned(), "a".repeat(MAX_NAME_BYTES + 1)] {
            assert!(decode::<String>(Some(URL_SAFE_NO_PAD.encode(name))).is_err());
        }
    }
}
