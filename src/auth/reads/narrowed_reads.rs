//! Lists, counts and objects that a reader may see.
//!
//! What belongs to others looks exactly like what does not exist: a list that the reader may not see is
//! empty, and an object is `None`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::auth::authority::{Admin, Reader};
use crate::auth::error::Error;
use crate::auth::sessions::SessionEnds;
use crate::auth::user_cache::UserCache;
use crate::clock::{Clock, Timestamp};
use crate::crypto::passkey::RelyingParty;
use crate::domain::audit::{AuditEvent, AuditEventId};
use crate::domain::blacklist::BlacklistEntry;
use crate::domain::filter::{AuditFilter, BlacklistFilter, SessionFilter, UserFilter};
use crate::domain::id::{PasskeyId, SessionId, TokenId, TrustedDeviceId, UserId};
use crate::domain::login_name::LoginName;
use crate::domain::pagination::{Page, PageRequest};
use crate::domain::passkey::UserHandle;
use crate::domain::second_factor::SecondFactorPolicy;
use crate::domain::session::Session;
use crate::domain::user::{Email, Role, User};
use crate::store::{Store, StoredPasskey, TrustedDevice, WaysIn};

/// Everything that can be read.
pub struct Reads {
    pub(in crate::auth) store: Arc<Store>,
    pub(in crate::auth) ends: Arc<SessionEnds>,
    pub(in crate::auth) users: Arc<UserCache>,
    pub(in crate::auth) second_factor: SecondFactorPolicy,
    pub(in crate::auth) relying_party: Option<RelyingParty>,
    pub(in crate::auth) clock: Arc<dyn Clock>,
}

impl Reads {
    /// The accounts with these ids that exist. Who may see them is for the caller to decide.
    pub async fn users_by_id(&self, ids: &[UserId]) -> Result<HashMap<UserId, Arc<User>>, Error> {
        let now = self.clock.monotonic();
        let users = self.store.users_by_id(ids).await?.into_iter();
        let users: HashMap<_, _> = users.map(|(id, user)| (id, Arc::new(user))).collect();
        for user in users.values() {
            self.users.put(user, now);
        }
        Ok(users)
    }

    /// The account as it was read within the last two seconds: only its id, names, role and time of creation
    /// are valid.
    #[must_use]
    pub fn cached_user(&self, id: UserId) -> Option<Arc<User>> {
        self.users.get(id, self.clock.monotonic())
    }

    /// The sessions with these ids that exist. Who may see them is for the caller to decide.
    pub async fn sessions_by_id(
        &self,
        ids: &[SessionId],
    ) -> Result<HashMap<SessionId, Session>, Error> {
        self.ends.sessions_by_id(ids).await
    }

    pub async fn session(
        &self,
        reader: impl Into<Reader>,
        id: SessionId,
    ) -> Result<Option<Session>, Error> {
        let reader = reader.into();
        let found = self.ends.sessions_by_id(&[id]).await?.remove(&id);
        Ok(found.filter(|session| reader.may_see(session.user_id)))
    }

    /// The blacklist entries of these tokens that exist. Who may see them is for the caller to decide.
    pub async fn blacklist_entries_by_id(
        &self,
        ids: &[TokenId],
    ) -> Result<HashMap<TokenId, BlacklistEntry>, Error> {
        Ok(self.store.blacklist_entries_by_id(ids).await?)
    }

    /// The account with this username or e-mail address.
    pub async fn user_named(
        &self,
        reader: impl Into<Reader>,
        name: &str,
    ) -> Result<Option<User>, Error> {
        let reader = reader.into();
        let Some(name) = LoginName::parse(name) else { return Ok(None) };
        let found = self.store.credentials_by_name(&name).await?.map(|found| found.user);
        Ok(found.filter(|user| reader.may_see(user.id) && !user.is_deleted()))
    }

    /// What the accounts with these ids can log in with. Who may see it is for the caller to decide.
    pub async fn ways_in_by_user(&self, ids: &[UserId]) -> Result<HashMap<UserId, WaysIn>, Error> {
        Ok(self.store.ways_in_by_user(ids).await?)
    }

    /// The passkeys of an account that the reader may see, the oldest first.
    pub async fn passkeys(
        &self,
        reader: impl Into<Reader>,
        user: UserId,
    ) -> Result<Vec<StoredPasskey>, Error> {
        if !reader.into().may_see(user) {
            return Ok(Vec::new());
        }
        Ok(self.store.passkeys(&[user]).await?)
    }

    pub async fn passkey(
        &self,
        reader: impl Into<Reader>,
        id: PasskeyId,
    ) -> Result<Option<StoredPasskey>, Error> {
        let (reader, found) = (reader.into(), self.store.passkey(id).await?);
        Ok(found.filter(|passkey| reader.may_see(passkey.user)))
    }

    /// What browsers know an account's passkeys by: the domain of the service, and the account's user handle.
    pub async fn passkey_names(
        &self,
        reader: impl Into<Reader>,
        user: UserId,
    ) -> Result<Option<(String, UserHandle)>, Error> {
        let Some(relying_party) = &self.relying_party else { return Ok(None) };
        if !reader.into().may_see(user) {
            return Ok(None);
        }
        let handle = self.store.passkey_handle(user).await?;
        Ok(handle.map(|handle| (relying_party.id().to_string(), handle)))
    }

    /// The devices that an account trusts, the newest first.
    pub async fn trusted_devices(
        &self,
        reader: impl Into<Reader>,
        user: UserId,
    ) -> Result<Vec<TrustedDevice>, Error> {
        if !reader.into().may_see(user) {
            return Ok(Vec::new());
        }
        Ok(self.store.trusted_devices(user, self.clock.now()).await?)
    }

    pub async fn trusted_device(
        &self,
        reader: impl Into<Reader>,
        id: TrustedDeviceId,
    ) -> Result<Option<TrustedDevice>, Error> {
        let (reader, found) = (reader.into(), self.store.trusted_device(id).await?);
        let now = self.clock.now();
        Ok(found.filter(|device| reader.may_see(device.user) && device.expires_at > now))
    }

    /// Whether an account of this role must have a second factor.
    #[must_use]
    pub fn requires_second_factor(&self, role: Role) -> bool {
        self.second_factor.requires(role)
    }

    /// The address that an account is about to change to.
    pub async fn pending_email(
        &self,
        reader: impl Into<Reader>,
        user: UserId,
    ) -> Result<Option<Email>, Error> {
        if !reader.into().may_see(user) {
            return Ok(None);
        }
        Ok(self.store.pending_email(user, self.clock.now()).await?)
    }

    pub async fn users(
        &self,
        _by: Admin,
        filter: &UserFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<User>, Error> {
        Ok(self.store.users(filter, page).await?)
    }

    /// Whether there is any account.
    pub async fn has_users(&self, _by: Admin) -> Result<bool, Error> {
        Ok(self.store.has_users().await?)
    }

    /// The count of accounts; `None` above its cap. So the other counts.
    pub async fn count_users(&self, _by: Admin, filter: &UserFilter) -> Result<Option<i64>, Error> {
        Ok(self.store.count_users(filter).await?)
    }

    /// The newest first; so the lists below.
    pub async fn sessions(
        &self,
        reader: impl Into<Reader>,
        filter: SessionFilter,
        page: &PageRequest<SessionId>,
    ) -> Result<Page<Session>, Error> {
        let Some(filter) = narrow(reader.into(), filter, session_owner) else {
            return Ok(nothing());
        };
        let found = self.store.sessions(&filter, page, self.clock.now()).await?;
        Ok(found.map(|session| self.ends.with_end(session)))
    }

    pub async fn count_sessions(
        &self,
        reader: impl Into<Reader>,
        filter: SessionFilter,
    ) -> Result<Option<i64>, Error> {
        let Some(filter) = narrow(reader.into(), filter, session_owner) else { return Ok(Some(0)) };
        Ok(self.store.count_sessions(&filter, self.clock.now()).await?)
    }

    pub async fn blacklist_entries(
        &self,
        reader: impl Into<Reader>,
        filter: BlacklistFilter,
        page: &PageRequest<(Timestamp, TokenId)>,
    ) -> Result<Page<BlacklistEntry>, Error> {
        let Some(filter) = narrow(reader.into(), filter, entry_owner) else { return Ok(nothing()) };
        Ok(self.store.blacklist_entries(&filter, page).await?)
    }

    pub async fn count_blacklist_entries(
        &self,
        reader: impl Into<Reader>,
        filter: BlacklistFilter,
    ) -> Result<Option<i64>, Error> {
        let Some(filter) = narrow(reader.into(), filter, entry_owner) else { return Ok(Some(0)) };
        Ok(self.store.count_blacklist_entries(&filter).await?)
    }

    /// The audit events with these numbers that exist. Who may see them is for the caller to decide.
    pub async fn audit_events_by_id(
        &self,
        ids: &[AuditEventId],
    ) -> Result<HashMap<AuditEventId, AuditEvent>, Error> {
        Ok(self.store.audit_events_by_id(ids).await?)
    }

    pub async fn audit_events(
        &self,
        reader: impl Into<Reader>,
        filter: AuditFilter,
        page: &PageRequest<(Timestamp, AuditEventId)>,
    ) -> Result<Page<AuditEvent>, Error> {
        let Some(filter) = narrow(reader.into(), filter, event_owner) else { return Ok(nothing()) };
        Ok(self.store.audit_events(&filter, page).await?)
    }

    pub async fn count_audit_events(
        &self,
        reader: impl Into<Reader>,
        filter: AuditFilter,
    ) -> Result<Option<i64>, Error> {
        let Some(filter) = narrow(reader.into(), filter, event_owner) else { return Ok(Some(0)) };
        Ok(self.store.count_audit_events(&filter).await?)
    }
}

/// Narrows a filter to what the reader may see; `None` where that excludes all that was asked for.
fn narrow<F>(reader: Reader, mut filter: F, owner: fn(&mut F) -> &mut Option<UserId>) -> Option<F> {
    let Some(only) = reader.only() else { return Some(filter) };
    let asked = owner(&mut filter);
    (*asked.get_or_insert(only) == only).then_some(filter)
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
