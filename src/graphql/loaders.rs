//! One statement for all the users, and one for all the sessions, that a page refers to.
//!
//! Rule: loaders are made for each request and remember nothing between batches, so that a query
//! behind a mutation in the same document sees what it did. Who may see what is loaded is asked where
//! it is used.

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
use crate::store::QueryCost;

/// Reads rows by their ids.
pub struct ById(Arc<Auth>);

/// A request's loaders, made for the first that asks: most requests need none.
pub struct Loaders {
    auth: Arc<Auth>,
    made: OnceLock<DataLoader<ById>>,
}

impl Loaders {
    /// Loaders for one request.
    #[must_use]
    pub fn new(auth: &Arc<Auth>) -> Self {
        Self { auth: Arc::clone(auth), made: OnceLock::new() }
    }

    fn by_id(&self) -> &DataLoader<ById> {
        self.made.get_or_init(|| {
            // What a batch costs the database is part of what the request costs.
            let spawn = |batch| tokio::spawn(QueryCost::inherited(batch));
            DataLoader::new(ById(Arc::clone(&self.auth)), spawn)
        })
    }

    /// An account.
    pub(super) async fn user(&self, id: UserId) -> Result<Option<Arc<User>>, Error> {
        self.by_id().load_one(id).await
    }

    /// A session.
    pub(super) async fn session(&self, id: SessionId) -> Result<Option<Arc<Session>>, Error> {
        self.by_id().load_one(id).await
    }

    /// A blacklist entry.
    pub(super) async fn blacklist_entry(
        &self,
        id: TokenId,
    ) -> Result<Option<Arc<BlacklistEntry>>, Error> {
        self.by_id().load_one(id).await
    }

    /// An audit event.
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
