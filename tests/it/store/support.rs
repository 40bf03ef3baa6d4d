//! Fixtures of the store tests: accounts, sessions and orders.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use sallyport::clock::Timestamp;
use sallyport::crypto::password::{PasswordHash, PasswordScheme};
use sallyport::domain::audit::AuditKind;
use sallyport::domain::authentication::{Authentication, Method, Methods};
use sallyport::domain::blacklist::BlacklistEntry;
use sallyport::domain::filter::BlacklistFilter;
use sallyport::domain::id::{SessionId, TokenId, UserId};
use sallyport::domain::origin::{Origin, UserAgent};
use sallyport::domain::pagination::PageRequest;
use sallyport::domain::session::{EndReason, RefreshGrant, Session};
use sallyport::domain::user::{Names, Role, User};
use sallyport::entropy::SystemEntropy;
use sallyport::store::{
    EndSessions, EndedSession, Grounds, NewEvent, NewSession, NewUser, OpenSession, Opened, Rotate,
    Scope, Settlement, Store, VerifiedHash,
};

use crate::proof::rounds;

/// How long a refresh token lives here.
pub const REFRESH: Duration = Duration::from_hours(1);

/// How long an access token lives here.
pub const ACCESS: Duration = Duration::from_mins(5);

/// So many seconds after the moment at which every test begins.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

/// One of many hashes. No password is known to have it.
pub fn hash(letter: char) -> PasswordHash {
    let output = format!("{}A", letter.to_string().repeat(42));
    PasswordHash::parse(
        PasswordScheme::Argon2id,
        &format!("$argon2id$v=19$m=8,t=1,p=1${}${output}", "A".repeat(22)),
    )
    .unwrap()
}

/// Runs operations of two replicas, as many at once as they have connections. More would wait for one, and
/// time out on a busy machine; the long run starts all at once.
pub async fn at_once<F: Future>(operations: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    stream::iter(operations).buffered(rounds(2 * 16, 1_000)).collect().await
}

/// From one address, with one browser.
pub fn origin() -> Origin {
    Origin { ip: Some("192.0.2.7".parse().unwrap()), user_agent: UserAgent::parse("Browser/1.0") }
}

pub fn event(kind: AuditKind, now: Timestamp) -> NewEvent {
    NewEvent {
        kind,
        at: now,
        user: None,
        actor: None,
        session: None,
        origin: origin(),
        detail: None,
    }
}

/// An account to be made at the beginning, whose hash is `hash('a')`.
pub fn new_user(username: &str, email: Option<&str>) -> NewUser {
    NewUser {
        id: UserId::new(at(0), &SystemEntropy),
        names: Names::parse(username, email).unwrap(),
        password: Some(hash('a')),
        role: Role::User,
        locale: None,
        created_at: at(0),
    }
}

/// Makes an account.
pub async fn make(store: &Store, username: &str) -> User {
    let event = event(AuditKind::UserCreated, at(0));
    store.create_user(new_user(username, None), event).await.unwrap().unwrap()
}

/// Makes an administrator.
pub async fn make_admin(store: &Store, username: &str) -> User {
    let new = NewUser { role: Role::Admin, ..new_user(username, None) };
    let made = store.create_user(new, event(AuditKind::UserCreated, at(0))).await;
    made.unwrap().unwrap()
}

/// A session to be opened.
pub fn new_session(user: UserId, now: Timestamp) -> NewSession {
    let issued_at = now.floor_to_second();
    NewSession {
        id: SessionId::new(now, &SystemEntropy),
        user_id: user,
        name: None,
        origin: origin(),
        created_at: now,
        authentication: Authentication::single(Methods::of(&[Method::Password]), now),
        token: RefreshGrant {
            id: TokenId::new(now, &SystemEntropy),
            issued_at,
            expires_at: issued_at + REFRESH,
        },
        access_expires_at: now + ACCESS,
        absolute_expires_at: None,
    }
}

/// [`hash`], verified when the password had never been changed.
pub fn verified(letter: char) -> VerifiedHash {
    VerifiedHash::new(hash(letter), None)
}

/// A login by a password that was verified with this hash.
pub fn by_password(verified: PasswordHash) -> Grounds {
    let (verified, settlement) = (VerifiedHash::new(verified, None), Settlement::default());
    Grounds::Password { verified, upgraded: None, factors: None, settlement }
}

/// A login with the hash that [`new_user`] gives.
pub fn opening(session: NewSession) -> OpenSession {
    OpenSession {
        session,
        grounds: by_password(hash('a')),
        record_login: false,
        max_sessions: None,
        mails: Vec::new(),
        events: Vec::new(),
        judged_role: None,
        trusted_device: None,
        trust: None,
        verification: None,
    }
}

pub async fn try_open(store: &Store, open: OpenSession) -> Option<Opened> {
    let event = event(AuditKind::LoginSucceeded, open.session.created_at);
    store.open_session(open, event).await.unwrap().ok()
}

/// Opens a session.
pub async fn open(store: &Store, user: UserId, now: Timestamp) -> Session {
    try_open(store, opening(new_session(user, now))).await.unwrap().session
}

/// An order to rotate, with the token that the session has outstanding.
pub fn rotation(session: &Session, now: Timestamp) -> Rotate {
    Rotate {
        session_id: session.id,
        presented: session.token,
        next: TokenId::new(now, &SystemEntropy),
        lifetime: REFRESH,
        access_expires_at: now + ACCESS,
        attempt: None,
        at: now,
        origin: origin(),
        limit: None,
    }
}

/// The session after a rotation, if there was one.
pub async fn rotate(store: &Store, session: &Session, now: Timestamp) -> Option<Session> {
    store.rotate(rotation(session, now)).await.unwrap().map(|refreshed| refreshed.session)
}

/// An order of an administrator's to end sessions.
pub fn ending(scope: Scope, now: Timestamp) -> EndSessions {
    EndSessions {
        scope,
        reason: EndReason::Admin,
        at: now,
        actor: None,
        origin: origin(),
        note: None,
    }
}

/// The session as it is now.
pub async fn session(store: &Store, id: SessionId) -> Session {
    store.sessions_by_id(&[id]).await.unwrap().remove(&id).unwrap()
}

/// Deactivates or activates an account.
pub async fn set_active(
    store: &Store,
    user: UserId,
    active: bool,
    now: Timestamp,
) -> Option<(User, Vec<EndedSession>)> {
    let kind = if active { AuditKind::UserActivated } else { AuditKind::UserDeactivated };
    let mut end = ending(Scope::User(user), now);
    end.reason = EndReason::UserDeactivated;
    let done = store.set_active(user, active, event(kind, now), end).await.unwrap().unwrap();
    done.map(|(user, ending)| (user, ending.ended))
}

/// Ends sessions as an administrator.
pub async fn end(store: &Store, scope: Scope, now: Timestamp) -> Vec<EndedSession> {
    store.end_sessions(ending(scope, now), None).await.unwrap().ended
}

/// The first hundred blacklist entries, the newest first.
pub async fn entries(store: &Store, filter: BlacklistFilter) -> Vec<BlacklistEntry> {
    let page = PageRequest { after: None, before: None, size: 100, from_end: false };
    store.blacklist_entries(&filter, &page).await.unwrap().items
}
