//! What a viewer may read.
//!
//! Rule: what belongs to others looks exactly like what does not exist. A list of what the viewer may
//! not see is an empty list, and a single thing is `None`.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Auth, Error, Viewer};
use crate::clock::Timestamp;
use crate::domain::audit::{AuditEvent, AuditEventId};
use crate::domain::blacklist::BlacklistEntry;
use crate::domain::filter::{AuditFilter, BlacklistFilter, SessionFilter, UserFilter};
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::login_name::LoginName;
use crate::domain::page::{Page, PageRequest};
use crate::domain::session::Session;
use crate::domain::user::User;

/// Narrows a list to what the viewer may see; `None` where that is nothing of what was asked for.
fn narrow<F>(viewer: Viewer, mut filter: F, owner: fn(&mut F) -> &mut Option<UserId>) -> Option<F> {
    let asked = owner(&mut filter);
    if !viewer.is_admin() && *asked.get_or_insert(viewer.user_id) != viewer.user_id {
        return None;
    }
    Some(filter)
}

fn session_owner(filter: &mut SessionFilter) -> &mut Option<UserId> {
    &mut filter.user_id
}

fn entry_owner(filter: &mut BlacklistFilter) -> &mut Option<UserId> {
    &mut filter.user_id
}

fn event_owner(filter: &mut AuditFilter) -> &mut Option<UserId> {
    &mut filter.user_id
}

fn nothing<T>() -> Page<T> {
    Page { items: Vec::new(), has_next: false, has_previous: false }
}

impl Auth {
    /// The accounts with these ids that exist. Who may see them is the caller's to judge.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn users_by_id(&self, ids: &[UserId]) -> Result<HashMap<UserId, Arc<User>>, Error> {
        let now = self.clock.monotonic();
        let users = self.store.users_by_id(ids).await?.into_iter();
        let users: HashMap<_, _> = users.map(|(id, user)| (id, Arc::new(user))).collect();
        for user in users.values() {
            self.users.put(user, now);
        }
        Ok(users)
    }

    /// The account as it was read within the last minute: good for its id, its names, its role and
    /// when it was made, which nothing changes.
    #[must_use]
    pub fn remembered_user(&self, id: UserId) -> Option<Arc<User>> {
        self.users.get(id, self.clock.monotonic())
    }

    /// The sessions with these ids that exist. Who may see them is the caller's to judge.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn sessions_by_id(
        &self,
        ids: &[SessionId],
    ) -> Result<HashMap<SessionId, Session>, Error> {
        let found = self.store.sessions_by_id(ids).await?.into_iter();
        Ok(found.map(|(id, session)| (id, self.as_it_stands(session))).collect())
    }

    /// One session.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn session(&self, viewer: Viewer, id: SessionId) -> Result<Option<Session>, Error> {
        let found = self.sessions_by_id(&[id]).await?.remove(&id);
        Ok(found.filter(|session| viewer.may_see(session.user_id)))
    }

    /// The blacklist entries of these tokens that exist. Who may see them is the caller's to judge.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn blacklist_entries_by_id(
        &self,
        ids: &[TokenId],
    ) -> Result<HashMap<TokenId, BlacklistEntry>, Error> {
        Ok(self.store.blacklist_entries_by_id(ids).await?)
    }

    /// The account that a username or an address names.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn user_named(&self, viewer: Viewer, name: &str) -> Result<Option<User>, Error> {
        let Some(name) = LoginName::parse(name) else { return Ok(None) };
        let found = self.store.credentials_by_name(&name).await?.map(|found| found.user);
        Ok(found.filter(|user| viewer.may_see(user.id)))
    }

    /// Accounts, for administrators.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn users(
        &self,
        viewer: Viewer,
        filter: &UserFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<User>, Error> {
        if !viewer.is_admin() {
            return Ok(nothing());
        }
        Ok(self.store.users(filter, page).await?)
    }

    /// How many accounts; `None` past the cap.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn count_users(
        &self,
        viewer: Viewer,
        filter: &UserFilter,
    ) -> Result<Option<i64>, Error> {
        if !viewer.is_admin() {
            return Ok(Some(0));
        }
        Ok(self.store.count_users(filter).await?)
    }

    /// Sessions, the newest first.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn sessions(
        &self,
        viewer: Viewer,
        filter: SessionFilter,
        page: &PageRequest<SessionId>,
    ) -> Result<Page<Session>, Error> {
        let Some(filter) = narrow(viewer, filter, session_owner) else { return Ok(nothing()) };
        let found = self.store.sessions(&filter, page, self.now()).await?;
        Ok(found.map(|session| self.as_it_stands(session)))
    }

    /// How many sessions; `None` past the cap.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn count_sessions(
        &self,
        viewer: Viewer,
        filter: SessionFilter,
    ) -> Result<Option<i64>, Error> {
        let Some(filter) = narrow(viewer, filter, session_owner) else { return Ok(Some(0)) };
        Ok(self.store.count_sessions(&filter, self.now()).await?)
    }

    /// Blacklist entries, the newest first.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn blacklist_entries(
        &self,
        viewer: Viewer,
        filter: BlacklistFilter,
        page: &PageRequest<(Timestamp, TokenId)>,
    ) -> Result<Page<BlacklistEntry>, Error> {
        let Some(filter) = narrow(viewer, filter, entry_owner) else { return Ok(nothing()) };
        Ok(self.store.blacklist_entries(&filter, page).await?)
    }

    /// How many blacklist entries; `None` past the cap.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn count_blacklist_entries(
        &self,
        viewer: Viewer,
        filter: BlacklistFilter,
    ) -> Result<Option<i64>, Error> {
        let Some(filter) = narrow(viewer, filter, entry_owner) else { return Ok(Some(0)) };
        Ok(self.store.count_blacklist_entries(&filter).await?)
    }

    /// The audit events with these numbers that exist. Who may see them is the caller's to judge.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn audit_events_by_id(
        &self,
        ids: &[AuditEventId],
    ) -> Result<HashMap<AuditEventId, AuditEvent>, Error> {
        Ok(self.store.audit_events_by_id(ids).await?)
    }

    /// Audit events, the newest first.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn audit_events(
        &self,
        viewer: Viewer,
        filter: AuditFilter,
        page: &PageRequest<(Timestamp, AuditEventId)>,
    ) -> Result<Page<AuditEvent>, Error> {
        let Some(filter) = narrow(viewer, filter, event_owner) else { return Ok(nothing()) };
        Ok(self.store.audit_events(&filter, page).await?)
    }

    /// How many audit events; `None` past the cap.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn count_audit_events(
        &self,
        viewer: Viewer,
        filter: AuditFilter,
    ) -> Result<Option<i64>, Error> {
        let Some(filter) = narrow(viewer, filter, event_owner) else { return Ok(Some(0)) };
        Ok(self.store.count_audit_events(&filter).await?)
    }
}
