//! Export of one's own account as one document.

use serde_json::{Map, Value, json};

use super::Accounts;
use crate::auth::caller::Viewer;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::clock::Timestamp;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::authentication::Method;
use crate::domain::blacklist::BlacklistEntry;
use crate::domain::external_account::ExternalId;
use crate::domain::filter::{AuditFilter, BlacklistFilter, SessionFilter};
use crate::domain::id::UserId;
use crate::domain::locale::Locale;
use crate::domain::origin::{Origin, UserAgent};
use crate::domain::pagination::{MAX_SIZE, PageRequest};
use crate::domain::session::{Session, SessionName};
use crate::domain::user::{Email, User};
use crate::store::NewEvent;

/// Largest number of sessions, of blacklist entries and of audit events in a document.
const MAX_ITEMS: usize = 1_000;

impl Accounts {
    /// All that is stored about the viewer's account, with the names of the schema; of each list at most the
    /// newest thousand, and `isComplete` false if there are more. No secret is in it.
    ///
    /// # Errors
    /// `RATE_LIMITED`: an export reads much, and writes an event.
    pub async fn export(
        &self,
        viewer: Viewer,
        origin: Origin,
    ) -> Result<Map<String, Value>, Error> {
        let user = viewer.user_id();
        self.passwords.charge_export(user).await?;
        let gone = || Denial::Unauthenticated(UnauthenticatedReason::SessionEnded);
        let account = self.store.users_by_id(&[user]).await?.remove(&user).ok_or_else(gone)?;
        let now = self.now();
        let event = NewEvent {
            kind: AuditKind::AccountExported,
            at: now,
            user: Some(user),
            actor: Some(user),
            session: Some(viewer.session_id()),
            origin,
            detail: None,
        };
        // First, so that the document has it, too.
        self.store.record(event).await?;
        let sessions = self.all_sessions(viewer, now).await?;
        let entries = self.all_blacklist_entries(viewer).await?;
        let events = self.all_audit_events(viewer).await?;
        let is_complete = sessions.1 && entries.1 && events.1;
        let mut document = Map::new();
        document.insert("exportedAt".to_owned(), time(now));
        document.insert("isComplete".to_owned(), is_complete.into());
        document.insert("account".to_owned(), account_value(&account));
        let former = self.store.former_usernames(user).await?.into_iter();
        let former = former
            .map(|(username, until)| json!({ "username": username, "reservedUntil": time(until) }));
        document.insert("formerUsernames".to_owned(), former.collect::<Vec<_>>().into());
        document.insert("secondFactors".to_owned(), self.second_factors_value(user, now).await?);
        document.insert("sessions".to_owned(), sessions.0.into());
        document.insert("blacklistEntries".to_owned(), entries.0.into());
        document.insert("auditEvents".to_owned(), events.0.into());
        Ok(document)
    }

    /// What is stored of second factors, without secrets.
    async fn second_factors_value(&self, user: UserId, now: Timestamp) -> Result<Value, Error> {
        let factors = self.store.factors(user).await?;
        let passkeys = self.store.passkeys(&[user]).await?.into_iter().map(|passkey| {
            json!({
                "name": passkey.name,
                "createdAt": time(passkey.created_at),
                "lastUsedAt": optional_time(passkey.last_used_at),
            })
        });
        let devices = self.store.trusted_devices(user, now).await?.into_iter().map(|device| {
            json!({
                "name": device.name,
                "createdAt": time(device.created_at),
                "expiresAt": time(device.expires_at),
            })
        });
        Ok(json!({
            "totpSince": optional_time(factors.totp_since),
            "recoveryCodesLeft": factors.recovery_codes_left,
            "passkeys": passkeys.collect::<Vec<_>>(),
            "trustedDevices": devices.collect::<Vec<_>>(),
        }))
    }

    async fn all_sessions(
        &self,
        viewer: Viewer,
        now: Timestamp,
    ) -> Result<(Vec<Value>, bool), Error> {
        let filter = SessionFilter { user_id: Some(viewer.user_id()), ..SessionFilter::default() };
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let page = PageRequest { after, before: None, size: MAX_SIZE, from_end: false };
            let page = self.store.sessions(&filter, &page, now).await?;
            after = page.items.last().map(|session| session.id);
            let sessions = page.items.into_iter().map(|session| self.ends.with_end(session));
            items.extend(sessions.map(|session| session_value(&session, now)));
            if !page.has_next || items.len() >= MAX_ITEMS {
                return Ok((items, !page.has_next));
            }
        }
    }

    async fn all_blacklist_entries(&self, viewer: Viewer) -> Result<(Vec<Value>, bool), Error> {
        let filter =
            BlacklistFilter { user_id: Some(viewer.user_id()), ..BlacklistFilter::default() };
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let page = PageRequest { after, before: None, size: MAX_SIZE, from_end: false };
            let page = self.store.blacklist_entries(&filter, &page).await?;
            after = page.items.last().map(|entry| (entry.blacklisted_at, entry.token_id));
            items.extend(page.items.iter().map(|entry| entry_value(entry, viewer)));
            if !page.has_next || items.len() >= MAX_ITEMS {
                return Ok((items, !page.has_next));
            }
        }
    }

    async fn all_audit_events(&self, viewer: Viewer) -> Result<(Vec<Value>, bool), Error> {
        let filter = AuditFilter { user_id: Some(viewer.user_id()), ..AuditFilter::default() };
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let page = PageRequest { after, before: None, size: MAX_SIZE, from_end: false };
            let page = self.store.audit_events(&filter, &page).await?;
            after = page.items.last().map(|event| (event.occurred_at, event.id));
            items.extend(page.items.iter().map(|event| event_value(event, viewer)));
            if !page.has_next || items.len() >= MAX_ITEMS {
                return Ok((items, !page.has_next));
            }
        }
    }
}

fn time(at: Timestamp) -> Value {
    at.to_string().into()
}

fn optional_time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, time)
}

fn account_value(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "username": user.names.username().as_str(),
        "email": user.names.email().map(Email::as_str),
        "emailVerifiedAt": optional_time(user.email_verified_at),
        "role": user.role.as_str(),
        "roles": user.roles.as_slice(),
        "externalId": user.external_id.as_ref().map(ExternalId::as_str),
        "locale": user.locale.as_ref().map(Locale::as_str),
        "createdAt": time(user.created_at),
        "lastLoginAt": optional_time(user.last_login_at),
        "passwordChangedAt": optional_time(user.password_changed_at),
    })
}

fn session_value(session: &Session, now: Timestamp) -> Value {
    let methods = session.authentication.methods.iter();
    json!({
        "sid": session.id.to_string(),
        "state": session.state(now).as_str(),
        "name": session.name.as_ref().map(SessionName::as_str),
        "userAgent": session.user_agent.as_ref().map(UserAgent::as_str),
        "ip": session.ip.map(|ip| ip.to_string()),
        "lastIp": session.last_ip.map(|ip| ip.to_string()),
        "createdAt": time(session.created_at),
        "authenticatedAt": time(session.authentication.at),
        "amr": methods.map(Method::as_str).collect::<Vec<_>>(),
        "assurance": session.authentication.assurance.as_str(),
        "lastUsedAt": time(session.last_used_at),
        "expiresAt": time(session.token.expires_at),
        "endedAt": optional_time(session.end.map(|end| end.at)),
        "endReason": session.end.map(|end| end.reason.as_str()),
    })
}

/// As [`event_value`] shows address and user agent.
fn entry_value(entry: &BlacklistEntry, viewer: Viewer) -> Value {
    let is_visible = viewer.may_see_origin_of(entry.actor);
    let user_agent = entry.user_agent.as_ref().filter(|_| is_visible);
    json!({
        "tokenId": entry.token_id.to_string(),
        "sid": entry.session_id.to_string(),
        "reason": entry.reason.as_str(),
        "issuedAt": time(entry.issued_at),
        "blacklistedAt": time(entry.blacklisted_at),
        "expiresAt": time(entry.expires_at),
        "ip": entry.ip.filter(|_| is_visible).map(|ip| ip.to_string()),
        "userAgent": user_agent.map(UserAgent::as_str),
    })
}

/// Without the address and the user agent of another user, such as an administrator.
fn event_value(event: &AuditEvent, viewer: Viewer) -> Value {
    let is_visible = viewer.may_see_origin_of(event.actor);
    let user_agent = event.user_agent.as_ref().filter(|_| is_visible);
    json!({
        "kind": event.kind.as_str(),
        "occurredAt": time(event.occurred_at),
        "sid": event.session_id.map(|session| session.to_string()),
        "ip": event.ip.filter(|_| is_visible).map(|ip| ip.to_string()),
        "userAgent": user_agent.map(UserAgent::as_str),
        "detail": event.detail.as_deref(),
    })
}
