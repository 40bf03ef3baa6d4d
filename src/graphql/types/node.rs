//! Interface of objects with a global ID.

use async_graphql::{Context, ID, Interface, Result};

use super::{AuditEvent, BlacklistEntry, Email, Passkey, Session, SigningKey, TrustedDevice, User};
use crate::auth::Viewer;
use crate::graphql::error::expose;
use crate::graphql::global_id::GlobalId;
use crate::graphql::{auth, loaders};

/// Object with a global ID, by which `Query.node` fetches it again (Relay Node).
#[derive(Clone, Debug, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Global object ID (Relay Node)."))]
pub enum Node {
    /// An account.
    User(User),
    /// A session.
    Session(Session),
    /// A blacklist entry.
    BlacklistEntry(BlacklistEntry),
    /// A signing key.
    SigningKey(SigningKey),
    /// An audit event.
    AuditEvent(AuditEvent),
    /// An e-mail of the outbox.
    Email(Email),
    /// A passkey.
    Passkey(Passkey),
    /// A trusted device.
    TrustedDevice(TrustedDevice),
}

impl Node {
    /// The object with this ID, if the viewer may see it.
    pub(in crate::graphql) async fn load(
        context: &Context<'_>,
        viewer: Viewer,
        id: &ID,
    ) -> Result<Option<Self>> {
        let loaders = loaders(context);
        Ok(match GlobalId::parse(id) {
            None => None,
            Some(GlobalId::User(id)) => User::load(context, viewer, id).await?.map(Self::User),
            Some(GlobalId::Session(id)) => {
                Session::load(context, viewer, id).await?.map(Self::Session)
            }
            Some(GlobalId::AuditEvent(id)) => {
                AuditEvent::load(context, viewer, id).await?.map(Self::AuditEvent)
            }
            Some(GlobalId::BlacklistEntry(id)) => {
                let entry = loaders.blacklist_entry(id).await?;
                let seen = entry.filter(|entry| viewer.may_see(entry.user_id));
                seen.map(|entry| Self::BlacklistEntry(BlacklistEntry::shared(entry, viewer)))
            }
            Some(GlobalId::Passkey(id)) => {
                Passkey::load(context, viewer, id).await?.map(Self::Passkey)
            }
            Some(GlobalId::TrustedDevice(id)) => {
                TrustedDevice::load(context, viewer, id).await?.map(Self::TrustedDevice)
            }
            Some(GlobalId::Email(id)) => {
                let Ok(admin) = viewer.admin() else { return Ok(None) };
                Email::load(context, admin, id).await?.map(Self::Email)
            }
            Some(GlobalId::SigningKey(id)) => {
                let Ok(admin) = viewer.admin() else { return Ok(None) };
                let keys = auth(context).keys.list(admin).await.map_err(expose)?;
                let key = keys.into_iter().find(|key| key.id == id);
                key.map(|key| Self::SigningKey(SigningKey::new(key)))
            }
        })
    }
}
