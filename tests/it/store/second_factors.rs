//! Second factors in the store: each use counts once, and a decision by outdated factors has no effect.

use futures_util::future::join_all;
use sallyport::crypto::recovery_code::RecoveryCodeDigest;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::challenge::ChallengePurpose;
use sallyport::domain::session::EndReason;
use sallyport::domain::user::User;
use sallyport::store::{
    AddTotp, ChangeFactors, FactorChange, FactorsMark, Grounds, NewChallenge, NotOpened,
    OpenSession, ResetFactors, Scope, SpendChallenge, SpendToken, Store, UseFactor,
};

use super::mail_orders::{challenge, order, spend};
use super::support::{at, by_password, ending, event, hash, new_session, new_user, opening};
use crate::databases::{Database, on_both};

on_both!(
    an_app_is_enrolled_once_and_makes_what_was_decided_before_worthless,
    a_code_of_an_app_and_a_recovery_code_are_used_once_on_any_replica,
    a_factor_that_was_used_already_spends_no_challenge,
    a_reset_removes_all_factors_and_ends_all_sessions,
);

const FIRST: FactorsMark = FactorsMark([1; 16]);
const SECOND: FactorsMark = FactorsMark([2; 16]);

fn code(n: u8) -> RecoveryCodeDigest {
    RecoveryCodeDigest([n; 32])
}

async fn ada(store: &Store) -> User {
    let new = new_user("ada", Some("ada@example.com"));
    store.create_user(new, event(AuditKind::UserCreated, at(0))).await.unwrap().unwrap()
}

fn add(user: &User, current: Option<FactorsMark>, next: FactorsMark, token: u8) -> AddTotp {
    AddTotp {
        user: user.id,
        token: SpendToken { digest: [token; 32], expires_at: at(600) },
        current,
        next,
        sealed_secret: vec![1],
        step: 10,
        recovery_codes: (0..10).map(code).collect(),
        notice: None,
        at: at(1),
    }
}

async fn enroll(store: &Store, order: AddTotp) -> bool {
    store.enroll_totp(order, event(AuditKind::FactorAdded, at(1))).await.unwrap().is_some()
}

fn session_by(user: &User, grounds: Grounds) -> OpenSession {
    OpenSession { grounds, ..opening(new_session(user.id, at(2))) }
}

async fn an_app_is_enrolled_once_and_makes_what_was_decided_before_worthless(database: Database) {
    let store = database.store().await;
    let ada = ada(&store).await;
    let before = session_by(&ada, by_password(hash('a')));
    let asked = NewChallenge { ..challenge(Some(&ada), ChallengePurpose::Login) };
    let id = asked.id;
    store.request_mail(order(asked), None).await.unwrap();
    let orders = (0..8).map(|_| enroll(&store, add(&ada, None, FIRST, 1)));
    assert_eq!(join_all(orders).await.iter().filter(|done| **done).count(), 1);
    let factors = store.factors(ada.id).await.unwrap();
    assert_eq!((factors.mark, factors.totp_since), (Some(FIRST), Some(at(1))));
    assert_eq!(factors.recovery_codes_left, 10);
    // Decided while there was no factor.
    let login = event(AuditKind::LoginSucceeded, at(2));
    let refused = store.open_session(before, login.clone()).await.unwrap();
    assert_eq!(refused.map(drop), Err(NotOpened::GroundsChanged));
    let by_mail = session_by(&ada, Grounds::Challenge(spend(&ada, id, at(2))));
    let refused = store.open_session(by_mail, login).await.unwrap();
    assert_eq!(refused.map(drop), Err(NotOpened::GroundsChanged));
    // Another app, with another token, in place of the first one; its token is good once.
    assert!(!enroll(&store, add(&ada, None, SECOND, 2)).await, "the account has other factors");
    assert!(!enroll(&store, add(&ada, Some(FIRST), SECOND, 1)).await, "the token was used");
    assert!(enroll(&store, add(&ada, Some(FIRST), SECOND, 2)).await);
}

#[tokio::test]
async fn of_data_keys_that_are_stored_at_once_all_processes_read_one() {
    let database = Database::sqlite();
    let store = database.store().await;
    assert_eq!(store.data_key().await.unwrap(), None);
    join_all((1..4).map(|n| store.insert_data_key(vec![n]))).await;
    let stored = store.data_key().await.unwrap().unwrap();
    store.renew_data_key(vec![9], vec![8]).await.unwrap();
    assert_eq!(store.data_key().await.unwrap(), Some(stored.clone()));
    store.renew_data_key(stored, vec![8]).await.unwrap();
    assert_eq!(store.data_key().await.unwrap(), Some(vec![8]));
}

/// The challenge of a first step, and its order.
async fn first_step(store: &Store, user: &User) -> SpendChallenge {
    let asked = NewChallenge {
        token: None,
        link: None,
        factors: Some(FIRST),
        ..challenge(Some(user), ChallengePurpose::Login)
    };
    let id = asked.id;
    store.request_mail(order(asked), None).await.unwrap();
    SpendChallenge { factors: Some(FIRST), is_by_mail: false, ..spend(user, id, at(2)) }
}

async fn a_code_of_an_app_and_a_recovery_code_are_used_once_on_any_replica(database: Database) {
    let stores = [database.store().await, database.store().await];
    let ada = ada(&stores[0]).await;
    assert!(enroll(&stores[0], add(&ada, None, FIRST, 1)).await);
    for used in [UseFactor::Totp { step: 11 }, UseFactor::RecoveryCode(code(3))] {
        let mut challenges = Vec::new();
        for _ in 0..8 {
            challenges.push(first_step(&stores[0], &ada).await);
        }
        let logins = challenges.into_iter().enumerate().map(async |(n, spend)| {
            let open = session_by(&ada, Grounds::SecondStep(spend, used));
            let event = event(AuditKind::LoginSucceeded, at(2));
            stores[n % 2].open_session(open, event).await.is_ok_and(|opened| opened.is_ok())
        });
        assert_eq!(join_all(logins).await.iter().filter(|done| **done).count(), 1, "{used:?}");
    }
    let factors = stores[0].factors(ada.id).await.unwrap();
    assert_eq!(factors.recovery_codes_left, 9);
    assert_eq!(stores[0].totp(ada.id).await.unwrap().unwrap().last_step, 11);
}

async fn a_factor_that_was_used_already_spends_no_challenge(database: Database) {
    let store = database.store().await;
    let ada = ada(&store).await;
    assert!(enroll(&store, add(&ada, None, FIRST, 1)).await);
    let spend = first_step(&store, &ada).await;
    let login = async |step| {
        let grounds = Grounds::SecondStep(spend.clone(), UseFactor::Totp { step });
        let event = event(AuditKind::LoginSucceeded, at(2));
        store.open_session(session_by(&ada, grounds), event).await
    };
    // The code that confirmed the app.
    assert_eq!(login(10).await.unwrap().map(drop), Err(NotOpened::FactorUsed));
    assert!(login(11).await.unwrap().is_ok());
    assert_eq!(login(12).await.unwrap().map(drop), Err(NotOpened::GroundsChanged));
}

async fn a_reset_removes_all_factors_and_ends_all_sessions(database: Database) {
    let store = database.store().await;
    let ada = ada(&store).await;
    let login = event(AuditKind::LoginSucceeded, at(0));
    let open = session_by(&ada, by_password(hash('a')));
    store.open_session(open, login).await.unwrap().unwrap();
    assert!(enroll(&store, add(&ada, None, FIRST, 1)).await);
    let renew = ChangeFactors {
        user: ada.id,
        current: Some(FIRST),
        next: SECOND,
        change: FactorChange::RenewRecoveryCodes(vec![code(77)]),
        notice: None,
        at: at(2),
    };
    let event = |kind| event(kind, at(3));
    let renewed = store.change_factors(renew.clone(), event(AuditKind::FactorAdded)).await.unwrap();
    assert!(renewed.is_some());
    assert!(store.change_factors(renew, event(AuditKind::FactorAdded)).await.unwrap().is_none());
    assert_eq!(store.factors(ada.id).await.unwrap().recovery_codes_left, 1);
    let end = sallyport::store::EndSessions {
        reason: EndReason::FactorsReset,
        ..ending(Scope::User(ada.id), at(3))
    };
    let reset = ResetFactors { user: ada.id, mark: FIRST, end, notice: None };
    let reset = store.reset_factors(reset, event(AuditKind::FactorRemoved)).await.unwrap();
    assert_eq!(reset.unwrap().1.ended.len(), 1);
    let factors = store.factors(ada.id).await.unwrap();
    assert_eq!((factors.exist(), factors.recovery_codes_left), (false, 0));
    assert_eq!(factors.reset_at, Some(at(3)));
}
