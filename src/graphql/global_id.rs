//! Global ids: the type's name and the row's id, readable on purpose. They are no secret and give no
//! right; who may see what they name is asked each time.

use async_graphql::ID;

use super::error::bad_input;
use crate::auth::{Field, UserError};
use crate::domain::audit::AuditEventId;
use crate::domain::id::{KeyId, SessionId, TokenId, UserId};

/// What a global id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlobalId {
    /// An account.
    User(UserId),
    /// A session.
    Session(SessionId),
    /// A refused refresh token.
    BlacklistEntry(TokenId),
    /// A signing key.
    SigningKey(KeyId),
    /// An audit event.
    AuditEvent(AuditEventId),
}

impl GlobalId {
    /// What the id names; `None` where it is none of ours.
    #[must_use]
    pub fn parse(id: &ID) -> Option<Self> {
        let (name, id) = id.split_once(':')?;
        match name {
            "User" => UserId::parse(id).map(Self::User),
            "Session" => SessionId::parse(id).map(Self::Session),
            "BlacklistEntry" => TokenId::parse(id).map(Self::BlacklistEntry),
            "SigningKey" => KeyId::parse(id).map(Self::SigningKey),
            "AuditEvent" => AuditEventId::parse(id).map(Self::AuditEvent),
            _ => None,
        }
    }
}

impl From<GlobalId> for ID {
    fn from(id: GlobalId) -> Self {
        Self(match id {
            GlobalId::User(id) => format!("User:{id}"),
            GlobalId::Session(id) => format!("Session:{id}"),
            GlobalId::BlacklistEntry(id) => format!("BlacklistEntry:{id}"),
            GlobalId::SigningKey(id) => format!("SigningKey:{id}"),
            GlobalId::AuditEvent(id) => format!("AuditEvent:{}", id.0),
        })
    }
}

/// The user that an input names.
pub(super) fn user(id: &ID, field: Field) -> Result<UserId, UserError> {
    match GlobalId::parse(id) {
        Some(GlobalId::User(id)) => Ok(id),
        _ => Err(UserError::invalid(field, "this is not the id of a user")),
    }
}

/// The session that an input names.
pub(super) fn session(id: &ID, field: Field) -> Result<SessionId, UserError> {
    match GlobalId::parse(id) {
        Some(GlobalId::Session(id)) => Ok(id),
        _ => Err(UserError::invalid(field, "this is not the id of a session")),
    }
}

/// The user that a filter names.
pub(super) fn filtered_user(id: Option<&ID>) -> async_graphql::Result<Option<UserId>> {
    id.map(|id| user(id, Field::UserId).map_err(|refusal| bad_input(refusal.to_string())))
        .transpose()
}

/// The session that a filter names.
pub(super) fn filtered_session(id: Option<&ID>) -> async_graphql::Result<Option<SessionId>> {
    id.map(|id| session(id, Field::SessionId).map_err(|refusal| bad_input(refusal.to_string())))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::entropy::SeededEntropy;

    #[test]
    fn an_id_comes_back_as_what_it_names() {
        let id = UserId::new(Timestamp::from_seconds(1), &SeededEntropy::new(1));
        let global = ID::from(GlobalId::User(id));
        assert_eq!(GlobalId::parse(&global), Some(GlobalId::User(id)));
        assert!(session(&global, Field::SessionId).is_err());
    }

    #[test]
    fn what_names_nothing_is_none() {
        for text in ["", ":", "User:", "User:1", "user:00000000-0000-7000-8000-000000000000"] {
            assert_eq!(GlobalId::parse(&ID::from(text)), None, "{text}");
        }
    }
}
