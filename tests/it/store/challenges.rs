//! Challenges: found, attempted, and spent once.

use std::time::Duration;

use futures_util::future::join_all;
use sallyport::clock::Timestamp;
use sallyport::crypto::one_time_code::CodeMac;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::challenge::ChallengePurpose;
use sallyport::domain::session::EndReason;
use sallyport::domain::user::{Names, User};
use sallyport::store::{CodeAttempt, NewChallenge, Store};

use super::mail_orders::{LINK, RIGHT, TOKEN, challenge, order, spend};
use super::support::{at, event, hash, new_user, open, session, set_active};
use crate::databases::{Database, on_both};

on_both!(
    a_challenge_is_found_by_its_tokens_and_by_its_session,
    five_wrong_codes_are_counted_whoever_tries,
    of_many_uses_at_once_one_spends_a_challenge,
    a_challenge_of_another_account_state_is_worthless,
    the_first_proof_strips_the_account_unless_it_comes_from_the_same_browser,
    a_new_password_ends_everything,
);

const WRONG: [CodeMac; 2] = [CodeMac([8; 16]), CodeMac([9; 16])];

/// An account with an address that is not verified.
async fn ada(store: &Store) -> User {
    let new = new_user("ada", Some("ada@example.com"));
    store.create_user(new, event(AuditKind::UserCreated, at(0))).await.unwrap().unwrap()
}

async fn insert(store: &Store, challenge: NewChallenge) {
    store.request_mail(order(challenge), None).await.unwrap();
}

async fn a_challenge_is_found_by_its_tokens_and_by_its_session(database: Database) {
    let store = database.store().await;
    let ada = ada(&store).await;
    let here = open(&store, ada.id, at(0)).await.id;
    let new =
        NewChallenge { session: Some(here), ..challenge(Some(&ada), ChallengePurpose::Verify) };
    let id = new.id;
    insert(&store, new).await;
    let by_token = store.challenge_by_token(TOKEN).await.unwrap().unwrap();
    let by_link = store.challenge_by_link(LINK).await.unwrap().unwrap();
    for found in [by_token, by_link] {
        assert_eq!((found.id, found.purpose), (id, ChallengePurpose::Verify));
        assert_eq!((found.user, found.session), (Some(ada.id), Some(here)));
        assert_eq!((found.attempts_left, found.used_at), (5, None));
        assert_eq!(found.email.unwrap().as_str(), "ada@example.com");
    }
    assert!(store.challenge_by_token(LINK).await.unwrap().is_none());
    assert!(store.challenge_by_link(TOKEN).await.unwrap().is_none());
    let of_session = async |purpose, now: Timestamp| {
        store.challenge_of_session(ada.id, here, purpose, now).await.unwrap().map(|found| found.id)
    };
    assert_eq!(of_session(ChallengePurpose::Verify, at(0)).await, Some(id));
    assert_eq!(of_session(ChallengePurpose::Reset, at(0)).await, None);
    assert_eq!(of_session(ChallengePurpose::Verify, at(86_400)).await, None);
}

async fn five_wrong_codes_are_counted_whoever_tries(database: Database) {
    let (one, two) = (database.store().await, database.connect().await);
    let ada = ada(&one).await;
    let new = challenge(Some(&ada), ChallengePurpose::Login);
    let id = new.id;
    insert(&one, new).await;
    let right = [WRONG[0], RIGHT];
    assert_eq!(one.try_code(id, right, at(599)).await.unwrap(), CodeAttempt::Right);
    assert_eq!(one.try_code(id, right, at(600)).await.unwrap(), CodeAttempt::Expired);
    let tries = join_all((0..9).map(|n| {
        let store = if n % 2 == 0 { &one } else { &two };
        store.try_code(id, WRONG, at(1))
    }))
    .await;
    let mut left: Vec<_> = tries
        .into_iter()
        .filter_map(|attempt| match attempt.unwrap() {
            CodeAttempt::Wrong { left } => Some(left),
            CodeAttempt::Right | CodeAttempt::Expired => None,
        })
        .collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
    assert_eq!(one.try_code(id, right, at(1)).await.unwrap(), CodeAttempt::Expired);
    let spent = one.spend_challenge(spend(&ada, id, at(1))).await.unwrap();
    assert!(spent.is_none(), "nor does the link work");
}

async fn of_many_uses_at_once_one_spends_a_challenge(database: Database) {
    let (one, two) = (database.store().await, database.connect().await);
    let ada = ada(&one).await;
    let new = challenge(Some(&ada), ChallengePurpose::Login);
    let id = new.id;
    insert(&one, new).await;
    let uses = join_all((0..16).map(|n| {
        let store = if n % 2 == 0 { &one } else { &two };
        store.spend_challenge(spend(&ada, id, at(1)))
    }))
    .await;
    assert_eq!(uses.iter().filter(|spent| spent.as_ref().unwrap().is_some()).count(), 1);
    let verified = "SELECT count(*) FROM audit_events WHERE kind = 'EMAIL_VERIFIED'";
    assert_eq!(database.raw().await.number(verified).await, 1);
}

async fn a_challenge_of_another_account_state_is_worthless(database: Database) {
    let store = database.store().await;
    let ada = ada(&store).await;
    let new = challenge(Some(&ada), ChallengePurpose::Login);
    let id = new.id;
    insert(&store, new).await;
    let right = spend(&ada, id, at(1));
    let other = Names::parse("ada", Some("other@example.com")).unwrap();
    for wrong in [
        sallyport::store::SpendChallenge { password: None, ..right.clone() },
        sallyport::store::SpendChallenge { at: at(600), ..right.clone() },
        sallyport::store::SpendChallenge {
            email_key: other.email().map(|email| email.key().to_owned()),
            ..right.clone()
        },
    ] {
        assert!(store.spend_challenge(wrong).await.unwrap().is_none());
    }
    set_active(&store, ada.id, false, at(1)).await;
    assert!(store.spend_challenge(right.clone()).await.unwrap().is_none());
    set_active(&store, ada.id, true, at(1)).await;
    assert!(store.spend_challenge(right).await.unwrap().is_none(), "it stays dead");
}

async fn the_first_proof_strips_the_account_unless_it_comes_from_the_same_browser(
    database: Database,
) {
    for (same_browser, name) in [(true, "ada"), (false, "bob")] {
        let store = database.store().await;
        let new = new_user(name, Some(&format!("{name}@example.com")));
        let user =
            store.create_user(new, event(AuditKind::UserCreated, at(0))).await.unwrap().unwrap();
        let here = open(&store, user.id, at(0)).await.id;
        let mut new = challenge(Some(&user), ChallengePurpose::Login);
        // Another challenge than that of the other round.
        new.token = None;
        new.link = None;
        let id = new.id;
        insert(&store, new).await;
        let mut order = spend(&user, id, at(1));
        order.is_same_browser = same_browser;
        let spent = store.spend_challenge(order).await.unwrap().unwrap();
        assert!(spent.is_first_proof && spent.user.email_verified_at == Some(at(1)));
        assert_eq!(spent.ending.ended.len(), usize::from(!same_browser));
        let end = session(&store, here).await.end.map(|end| end.reason);
        assert_eq!(end, (!same_browser).then_some(EndReason::EmailVerified));
        let kept = store.credentials(user.id).await.unwrap().unwrap();
        assert_eq!(kept.password_hash.is_some(), same_browser);
    }
}

async fn a_new_password_ends_everything(database: Database) {
    let store = database.store().await;
    let ada = ada(&store).await;
    let here = open(&store, ada.id, at(0)).await.id;
    let new = challenge(Some(&ada), ChallengePurpose::Reset);
    let id = new.id;
    insert(&store, new).await;
    let mut other = challenge(Some(&ada), ChallengePurpose::Login);
    (other.token, other.link) = (None, None);
    let other_id = other.id;
    insert(&store, other).await;
    let mut order = spend(&ada, id, at(1));
    (order.is_same_browser, order.new_password) = (true, Some(hash('b')));
    let spent = store.spend_challenge(order).await.unwrap().unwrap();
    assert_eq!(spent.user.password_changed_at, Some(at(1)));
    let end = session(&store, here).await.end.unwrap();
    assert_eq!((end.reason, end.by), (EndReason::PasswordReset, Some(ada.id)));
    let attempt = store.try_code(other_id, [RIGHT; 2], at(1) + Duration::from_secs(1)).await;
    assert_eq!(attempt.unwrap(), CodeAttempt::Expired);
}
