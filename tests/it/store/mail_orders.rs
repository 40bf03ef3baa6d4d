//! Orders of mails with their challenges: within the limits, for registrations, and for changes of addresses.

use std::time::Duration;

use sallyport::clock::Timestamp;
use sallyport::crypto::one_time_code::CodeMac;
use sallyport::crypto::secret_token::TokenDigest;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::authentication::Methods;
use sallyport::domain::challenge::{CODE_VALIDITY, ChallengePurpose};
use sallyport::domain::id::{ChallengeId, EmailId};
use sallyport::domain::mail_limit::{MailCharge, RECIPIENT, SOURCE, ceiling};
use sallyport::domain::session::EndReason;
use sallyport::domain::throttle::Bucket;
use sallyport::domain::user::{Email, Names, User};
use sallyport::entropy::SystemEntropy;
use sallyport::store::{
    ChangeEmail, Charge, EndSessions, MailContent, MailOrder, NameTaken, NewChallenge, NewMail,
    NotChanged, Ordered, PasswordMark, RegisterUnverified, Registered, RequestChange, RevertEmail,
    Scope, SpendChallenge, Store,
};

use super::support::{
    at, ending, event, hash, make, new_session, new_user, open, opening, origin, session, try_open,
};
use crate::databases::{Database, on_both};

on_both!(
    mails_to_one_recipient_are_limited_and_challenges_are_stored_all_the_same,
    beyond_the_limit_of_a_source_nothing_is_stored,
    a_registration_creates_the_account_or_tells_the_owner_of_the_address,
    an_address_is_changed_and_taken_back,
    a_change_to_a_taken_address_tells_its_owner,
    a_session_that_ends_tells_its_user_once,
    the_latest_sessions_say_where_they_are_from,
);

pub const TOKEN: TokenDigest = TokenDigest([1; 32]);
pub const LINK: TokenDigest = TokenDigest([2; 32]);
pub const RIGHT: CodeMac = CodeMac([7; 16]);

const BUCKET: Bucket = Bucket([1; 16]);

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

/// A challenge that began at the beginning, for an account whose hash is `hash('a')`.
pub fn challenge(user: Option<&User>, purpose: ChallengePurpose) -> NewChallenge {
    let address = user.and_then(|user| user.names.email());
    NewChallenge {
        id: ChallengeId::new(at(0), &SystemEntropy),
        token: Some(TOKEN),
        purpose,
        user: user.map(|user| user.id),
        account: BUCKET,
        session: None,
        email: address.cloned(),
        bound_email_key: address.map(|email| email.key().to_owned()),
        shown: Methods::default(),
        password: user.map(|_| PasswordMark::of(&hash('a'))),
        factors: None,
        session_name: None,
        code: Some(RIGHT),
        code_expires_at: at(0) + CODE_VALIDITY,
        link: Some(LINK),
        created_at: at(0),
        expires_at: at(0) + CODE_VALIDITY,
    }
}

fn mail(to: Option<&Email>, purpose: &'static str) -> NewMail {
    NewMail {
        id: EmailId::new(at(0), &SystemEntropy),
        purpose,
        user: None,
        address: to.map(|email| email.as_str().to_owned()),
        language: "en",
        content: MailContent::Plain("{}".to_owned()),
        created_at: at(0),
        expires_at: at(0) + CODE_VALIDITY,
    }
}

/// The order of a mail that is counted against limits of its own challenge only.
pub fn order(challenge: NewChallenge) -> MailOrder {
    let own = Bucket(*challenge.id.as_uuid().as_bytes());
    MailOrder {
        sources: Vec::new(),
        recipient: MailCharge { bucket: own, limit: RECIPIENT },
        ceiling: Charge { bucket: BUCKET, limit: ceiling(1_000), account: None },
        mail: mail(challenge.email.as_ref(), "login"),
        challenge,
    }
}

/// Spends a challenge of [`challenge`].
pub fn spend(user: &User, id: ChallengeId, now: Timestamp) -> SpendChallenge {
    SpendChallenge {
        id,
        user: user.id,
        password: Some(PasswordMark::of(&hash('a'))),
        factors: None,
        is_login: true,
        must_strip: false,
        email_key: user.names.email().map(|email| email.key().to_owned()),
        is_by_mail: true,
        is_same_browser: false,
        has_attempt: false,
        new_password: None,
        at: now,
        origin: origin(),
    }
}

/// Without the tokens, which are unique.
fn anonymous(challenge: NewChallenge) -> NewChallenge {
    NewChallenge { token: None, link: None, ..challenge }
}

async fn purposes(database: &Database) -> Vec<String> {
    database.raw().await.texts("SELECT purpose FROM emails ORDER BY purpose").await
}

async fn mails_to_one_recipient_are_limited_and_challenges_are_stored_all_the_same(
    database: Database,
) {
    let (one, two) = (database.store().await, database.connect().await);
    let new = new_user("ada", Some("ada@example.com"));
    let ada = one.create_user(new, event(AuditKind::UserCreated, at(0))).await.unwrap().unwrap();
    let recipient = MailCharge { bucket: BUCKET, limit: RECIPIENT };
    let ask = async |store: &Store| {
        let challenge = anonymous(challenge(Some(&ada), ChallengePurpose::Login));
        let order = MailOrder { recipient, ..order(challenge) };
        store.request_mail(order, None).await.unwrap()
    };
    let (left, right) =
        tokio::join!(async { [ask(&one).await, ask(&one).await, ask(&one).await] }, async {
            [ask(&two).await, ask(&two).await, ask(&two).await]
        },);
    let queued = left.iter().chain(&right).filter(|ordered| **ordered == Ordered::Queued);
    assert_eq!(queued.count(), 3);
    assert!(left.iter().chain(&right).all(|ordered| *ordered != Ordered::SourceLimited));
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM emails").await, 3);
    assert_eq!(raw.number("SELECT count(*) FROM challenges").await, 6);
    let open = "SELECT count(*) FROM challenges WHERE code_mac IS NOT NULL";
    assert_eq!(raw.number(open).await, 3, "the others are completed by nothing");
}

async fn beyond_the_limit_of_a_source_nothing_is_stored(database: Database) {
    let store = database.store().await;
    let source = MailCharge { bucket: Bucket([3; 16]), limit: SOURCE };
    for n in 0..25 {
        let challenge = anonymous(challenge(None, ChallengePurpose::Login));
        let order = MailOrder { sources: vec![source], ..order(challenge) };
        let expected = if n < 20 { Ordered::Queued } else { Ordered::SourceLimited };
        assert_eq!(store.request_mail(order, None).await.unwrap(), expected, "{n}");
    }
    assert_eq!(database.raw().await.number("SELECT count(*) FROM challenges").await, 20);
}

async fn a_registration_creates_the_account_or_tells_the_owner_of_the_address(database: Database) {
    let store = database.store().await;
    let register = async |username: &str, address: &str| {
        let new = new_user(username, Some(address));
        let blank = anonymous(challenge(None, ChallengePurpose::Register));
        let verification = order(NewChallenge { user: Some(new.id), ..blank.clone() });
        let order = RegisterUnverified {
            verification: MailOrder { mail: mail(Some(&email(address)), "verify"), ..verification },
            address_taken: MailOrder {
                mail: mail(Some(&email(address)), "email-taken"),
                ..order(NewChallenge { id: ChallengeId::new(at(0), &SystemEntropy), ..blank })
            },
            new,
        };
        let registered = event(AuditKind::Registered, at(0));
        store.register_unverified(order, registered).await.unwrap()
    };
    let created = register("ada", "ada@example.com").await;
    assert_eq!(created, Ok(Registered::Created(Ordered::Queued)));
    let taken = register("eve", "ada@example.com").await;
    assert_eq!(taken, Ok(Registered::AddressTaken(Ordered::Queued)));
    assert_eq!(register("ada", "new@example.com").await, Err(NameTaken::Username));
    assert_eq!(purposes(&database).await, ["email-taken", "verify"]);
    let mut raw = database.raw().await;
    // Without the address, and with as many rows as the other.
    let accounts = "SELECT username || ' ' || COALESCE(email, '-') FROM users ORDER BY username";
    assert_eq!(raw.texts(accounts).await, ["ada ada@example.com", "eve -"]);
    for table in ["audit_events", "password_credentials", "unproved_registrations"] {
        assert_eq!(raw.number(format!("SELECT count(*) FROM {table}")).await, 2, "{table}");
    }
}

/// Requests the change of Ada's address in a new session, and returns the challenges of the change and of
/// taking it back.
async fn request(store: &Store, ada: &User, to: &str) -> (Ordered, ChallengeId, ChallengeId) {
    let new = NewChallenge {
        session: Some(open(store, ada.id, at(0)).await.id),
        email: Some(email(to)),
        ..anonymous(challenge(Some(ada), ChallengePurpose::Change))
    };
    let revert = NewChallenge {
        expires_at: at(0) + Duration::from_hours(7 * 24),
        password: None,
        ..anonymous(challenge(Some(ada), ChallengePurpose::Revert))
    };
    let taken =
        NewChallenge { id: ChallengeId::new(at(0), &SystemEntropy), user: None, ..new.clone() };
    let ids = (new.id, revert.id);
    let word = mail(ada.names.email(), "notice-email-change");
    let address_taken =
        MailOrder { mail: mail(Some(&email(to)), "email-taken"), ..order(taken.without_proof()) };
    let change = MailOrder { mail: mail(Some(&email(to)), "change"), ..order(new) };
    let request = RequestChange { change, address_taken, revert: Some((revert, word)) };
    (store.request_change(request, &email(to)).await.unwrap(), ids.0, ids.1)
}

async fn an_address_is_changed_and_taken_back(database: Database) {
    let store = database.store().await;
    let new = new_user("ada", Some("ada@example.com"));
    let ada = store.create_user(new, event(AuditKind::UserCreated, at(0))).await.unwrap().unwrap();
    let here = open(&store, ada.id, at(0)).await.id;
    let (ordered, change, revert) = request(&store, &ada, "new@example.com").await;
    assert_eq!(ordered, Ordered::Queued);
    assert_eq!(purposes(&database).await, ["change", "notice-email-change"]);
    let pending = async |now| store.pending_email(ada.id, now).await.unwrap();
    assert_eq!(pending(at(599)).await.unwrap().as_str(), "new@example.com");
    assert!(pending(at(600)).await.is_none());
    let (current, new) = (ada.names.clone(), Names::parse("ada", Some("new@example.com")).unwrap());
    let confirm = async || {
        let (current, new) = (current.clone(), new.clone());
        let spend = SpendChallenge { is_same_browser: true, ..spend(&ada, change, at(1)) };
        let order = ChangeEmail { spend, current, new };
        store.change_email(order, event(AuditKind::EmailChanged, at(1))).await
    };
    let changed = confirm().await.unwrap().unwrap();
    assert_eq!(changed.0.names, new);
    assert_eq!(changed.0.email_verified_at, Some(at(1)));
    assert!(confirm().await.is_err(), "the account has other names by now");
    assert!(pending(at(2)).await.is_none() && session(&store, here).await.end.is_none());
    let take_back = async |from: &Names| {
        let end = EndSessions {
            reason: EndReason::EmailChangeReverted,
            ..ending(Scope::User(ada.id), at(90_000))
        };
        let (former, current) = (current.clone(), from.clone());
        let order = RevertEmail { challenge: revert, user: ada.id, current, former, end };
        store.revert_email(order, event(AuditKind::EmailChanged, at(90_000))).await
    };
    let (reverted, ending) = take_back(&new).await.unwrap().unwrap();
    assert_eq!((&reverted.names, ending.ended.len()), (&current, 0), "the session has expired");
    assert_eq!(take_back(&current).await.unwrap().map(drop), Err(NotChanged::Expired));
}

async fn a_change_to_a_taken_address_tells_its_owner(database: Database) {
    let store = database.store().await;
    let users = ["ada", "bob"].map(|name| new_user(name, Some(&format!("{name}@example.com"))));
    let mut made = Vec::new();
    for new in users {
        let created = event(AuditKind::UserCreated, at(0));
        made.push(store.create_user(new, created).await.unwrap().unwrap());
    }
    let (ordered, _, _) = request(&store, &made[0], "bob@example.com").await;
    assert_eq!(ordered, Ordered::Queued);
    // The user sees no difference: word goes to the old address, too.
    assert_eq!(purposes(&database).await, ["email-taken", "notice-email-change"]);
    // Bob changes his address: until he cannot take that back any more, the former one is his.
    let bob = &made[1];
    let (_, change, _) = request(&store, bob, "bob2@example.com").await;
    let order = ChangeEmail {
        spend: spend(bob, change, at(1)),
        current: bob.names.clone(),
        new: Names::parse("bob", Some("bob2@example.com")).unwrap(),
    };
    let changed = event(AuditKind::EmailChanged, at(1));
    store.change_email(order, changed).await.unwrap().unwrap();
    request(&store, &made[0], "bob@example.com").await;
    let taken = "SELECT count(*) FROM emails WHERE purpose = 'email-taken'";
    assert_eq!(database.raw().await.number(taken).await, 2);
}

async fn a_session_that_ends_tells_its_user_once(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let here = open(&store, ada.id, at(0)).await.id;
    for _ in 0..2 {
        let end =
            EndSessions { reason: EndReason::RefreshReused, ..ending(Scope::One(here), at(1)) };
        let reused = event(AuditKind::RefreshReused, at(1));
        let notice = mail(Some(&email("ada@example.com")), "notice-refresh-reused");
        store.end_sessions_and_tell(end, Some(reused), vec![notice]).await.unwrap();
    }
    assert_eq!(purposes(&database).await, ["notice-refresh-reused"]);
    let events = "SELECT count(*) FROM audit_events WHERE kind = 'REFRESH_REUSED'";
    assert_eq!(database.raw().await.number(events).await, 1);
}

async fn the_latest_sessions_say_where_they_are_from(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    assert!(store.latest_origins(ada.id).await.unwrap().is_empty());
    open(&store, ada.id, at(0)).await;
    let mut other = new_session(ada.id, at(1));
    other.origin = sallyport::domain::origin::Origin::default();
    try_open(&store, opening(other)).await.unwrap();
    let found = store.latest_origins(ada.id).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found[0].ip.is_none() && found[0].user_agent.is_none(), "the latest is first");
    assert_eq!((found[1].ip, &found[1].user_agent), (origin().ip, &origin().user_agent));
}
