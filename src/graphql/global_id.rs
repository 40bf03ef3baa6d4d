//! Global object IDs (Relay): the name of the type and the ID of the row.
//!
//! They are readable on purpose, and grant no access. Whether the caller may see an object is checked
//! at each use.

use async_graphql::ID;

use super::error::bad_input;
use crate::auth::{Field, UserError};
use crate::domain::audit::AuditEventId;
use crate::domain::id::{EmailId, KeyId, PasskeyId, SessionId, TokenId, TrustedDeviceId, UserId};

/// Global object ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlobalId {
    User(UserId),
    Session(SessionId),
    /// Entry of a refused refresh token.
    BlacklistEntry(TokenId),
    SigningKey(KeyId),
    AuditEvent(AuditEventId),
    Email(EmailId),
    Passkey(PasskeyId),
    TrustedDevice(TrustedDeviceId),
}

impl GlobalId {
    /// The ID; `None` if it is not one of this service.
    #[must_use]
    pub fn parse(id: &ID) -> Option<Self> {
        let (name, id) = id.split_once(':')?;
        match name {
            "User" => UserId::parse(id).map(Self::User),
            "Session" => SessionId::parse(id).map(Self::Session),
            "BlacklistEntry" => TokenId::parse(id).map(Self::BlacklistEntry),
            "SigningKey" => KeyId::parse(id).map(Self::SigningKey),
            "AuditEvent" => AuditEventId::parse(id).map(Self::AuditEvent),
            "Email" => EmailId::parse(id).map(Self::Email),
            "Passkey" => PasskeyId::parse(id).map(Self::Passkey),
            "TrustedDevice" => TrustedDeviceId::parse(id).map(Self::TrustedDevice),
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
            GlobalId::Email(id) => format!("Email:{id}"),
            GlobalId::Passkey(id) => format!("Passkey:{id}"),
            GlobalId::TrustedDevice(id) => format!("TrustedDevice:{id}"),
        })
    }
}

/// The user ID in an input.
pub(super) fn user(id: &ID, field: Field) -> Result<UserId, UserError> {
    match GlobalId::parse(id) {
        Some(GlobalId::User(id)) => Ok(id),
        _ => Err(UserError::invalid(field, "Expected the global ID of a user.")),
    }
}

/// The session ID in an input.
pub(super) fn session(id: &ID, field: Field) -> Result<SessionId, UserError> {
    match GlobalId::parse(id) {
        Some(GlobalId::Session(id)) => Ok(id),
        _ => Err(UserError::invalid(field, "Expected the global ID of a session.")),
    }
}

/// The passkey ID in an input.
pub(super) fn passkey(id: &ID, field: Field) -> Result<PasskeyId, UserError> {
    match GlobalId::parse(id) {
        Some(GlobalId::Passkey(id)) => Ok(id),
        _ => Err(UserError::invalid(field, "Expected the global ID of a passkey.")),
    }
}

/// The ID of a trusted device in an input.
pub(super) fn trusted_device(id: &ID, field: Field) -> Result<TrustedDeviceId, UserError> {
    match GlobalId::parse(id) {
        Some(GlobalId::TrustedDevice(id)) => Ok(id),
        _ => Err(UserError::invalid(field, "Expected the global ID of a trusted device.")),
    }
}

/// The user ID in a filter.
pub(super) fn filtered_user(id: Option<&ID>) -> async_graphql::Result<Option<UserId>> {
    id.map(|id| user(id, Field::UserId).map_err(|refusal| bad_input(refusal.to_string())))
        .transpose()
}

/// The session ID in a filter.
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
    fn an_id_survives_a_round_trip() {
        let id = UserId::new(Timestamp::from_seconds(1), &SeededEntropy::new(1));
        let global = ID::from(GlobalId::User(id));
        assert_eq!(GlobalId::parse(&global), Some(GlobalId::User(id)));
        assert!(session(&global, Field::SessionId).is_err());
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in ["", ":", "User:", "User:1", "user:00000000-0000-7000-8000-000000000000"] {
            assert_eq!(GlobalId::parse(&ID::from(text)), None, "{text}");
        }
    }
}
