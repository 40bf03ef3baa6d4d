//! Loaders by ID: one query for all rows of a type that a page refers to.
//!
//! Loaders are made for each request and keep nothing between batches, so that a field after a
//! mutation in the same document sees its effect. Whether the caller may see a loaded row is checked
//! where it is used.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use async_graphql::Error;
use async_graphql::dataloader::{DataLoader, Loader};

use super::error::expose;
use crate::auth::Auth;
use crate::domain::audit::{AuditEvent, AuditEventId};
use crate::domain::blacklist::BlacklistEntry;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::store::{QueryCost, WaysIn};

/// Key of what an account can log in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfUser(UserId);

/// Reads rows by their IDs.
pub struct ById(Arc<Auth>);

/// Loaders of one request. They are made at the first use, since most requests need none.
pub struct Loaders {
    auth: Arc<Auth>,
    made: OnceLock<DataLoader<ById>>,
}

impl Loaders {
    #[must_use]
    pub fn new(auth: &Arc<Auth>) -> Self {
        Self { auth: Arc::clone(auth), made: OnceLock::new() }
    }

    fn by_id(&self) -> &DataLoader<ById> {
        self.made.get_or_init(|| {
            // The queries of a batch count as queries of the request.
            let spawn = |batch| tokio::spawn(QueryCost::inherited(batch));
            DataLoader::new(ById(Arc::clone(&self.auth)), spawn)
        })
    }

    pub(super) async fn user(&self, id: UserId) -> Result<Option<Arc<User>>, Error> {
        self.by_id().load_one(id).await
    }

    pub(super) async fn ways_in(&self, id: UserId) -> Result<Option<Arc<WaysIn>>, Error> {
        self.by_id().load_one(OfUser(id)).await
    }

    pub(super) async fn session(&self, id: SessionId) -> Result<Option<Arc<Session>>, Error> {
        self.by_id().load_one(id).await
    }

    pub(super) async fn blacklist_entry(
        &self,
        id: TokenId,
    ) -> Result<Option<Arc<BlacklistEntry>>, Error> {
        self.by_id().load_one(id).await
    }

    pub(super) async fn audit_event(
        &self,
        id: AuditEventId,
    ) -> Result<Option<Arc<AuditEvent>>, Error> {
        self.by_id().load_one(id).await
    }
}

fn shared<K: std::hash::Hash + Eq, V>(found: HashMap<K, V>) -> HashMap<K, Arc<V>> {
    found.into_iter().map(|(id, value)| (id, Arc::new(value))).collect()
}

impl Loader<UserId> for ById {
    type Value = Arc<User>;
    type Error = Error;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, Self::Value>, Error> {
        self.0.reads.users_by_id(ids).await.map_err(expose)
    }
}

impl Loader<OfUser> for ById {
    type Value = Arc<WaysIn>;
    type Error = Error;

    async fn load(&self, keys: &[OfUser]) -> Result<HashMap<OfUser, Self::Value>, Error> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let found = self.0.reads.ways_in_by_user(&ids).await.map_err(expose)?;
        Ok(found.into_iter().map(|(id, ways)| (OfUser(id), Arc::new(ways))).collect())
    }
}

impl Loader<SessionId> for ById {
    type Value = Arc<Session>;
    type Error = Error;

    async fn load(&self, ids: &[SessionId]) -> Result<HashMap<SessionId, Self::Value>, Error> {
        self.0.reads.sessions_by_id(ids).await.map(shared).map_err(expose)
    }
}

impl Loader<TokenId> for ById {
    type Value = Arc<BlacklistEntry>;
    type Error = Error;

    async fn load(&self, ids: &[TokenId]) -> Result<HashMap<TokenId, Self::Value>, Error> {
        self.0.reads.blacklist_entries_by_id(ids).await.map(shared).map_err(expose)
    }
}

impl Loader<AuditEventId> for ById {
    type Value = Arc<AuditEvent>;
    type Error = Error;

    async fn load(
        &self,
        ids: &[AuditEventId],
    ) -> Result<HashMap<AuditEventId, Self::Value>, Error> {
        self.0.reads.audit_events_by_id(ids).await.map(shared).map_err(expose)
    }
}
