//! Second factors in the store: each use counts once, and a decision by outdated factors has no effect.

use futures_util::future::join_all;
use sallyport::crypto::recovery_code::RecoveryCodeDigest;
use sallyport::crypto::secret_token::TokenDigest;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::challenge::ChallengePurpose;
use sallyport::domain::id::{PasskeyId, TrustedDeviceId};
use sallyport::domain::passkey::{Passkey, PasskeyColumns, PasskeyUse};
use sallyport::domain::session::EndReason;
use sallyport::domain::user::{Role, User};
use sallyport::store::{
    AddFactor, BeginStep, ChangeFactors, FactorChange, FactorsMark, Grounds, NewChallenge,
    NewFactor, NewTrustedDevice, NotOpened, OpenSession, PasswordMark, ResetFactors, Scope,
    Settlement, SpendChallenge, SpendToken, Store, UseFactor,
};

use uuid::Uuid;

use super::mail_orders::{challenge, order, spend};
use super::support::{
    at, by_password, ending, event, hash, new_session, new_user, opening, verified,
};
use crate::databases::{Database, on_both};

on_both!(
    an_app_is_enrolled_once_and_makes_what_was_decided_before_worthless,
    a_code_of_an_app_and_a_recovery_code_are_used_once_on_any_replica,
    a_factor_that_was_used_already_spends_no_challenge,
    a_reset_removes_all_factors_and_ends_all_sessions,
    a_version_that_knows_no_second_factors_opens_no_session_of_an_account_with_one,
    the_next_step_begins_with_what_the_first_one_left,
    a_passkey_is_stored_once_over_all_accounts_and_its_count_moves_forward,
    a_device_is_trusted_by_what_the_account_was,
    a_role_that_changed_since_the_decision_opens_nothing,
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

fn add(user: &User, current: Option<FactorsMark>, next: FactorsMark, token: u8) -> AddFactor {
    AddFactor {
        user: user.id,
        token: Some(SpendToken { digest: [token; 32], expires_at: at(600) }),
        current,
        next,
        factor: NewFactor::Totp { sealed_secret: vec![1], step: 10 },
        recovery_codes: (0..10).map(code).collect(),
        at: at(1),
    }
}

async fn enroll(store: &Store, order: AddFactor) -> bool {
    let event = event(AuditKind::FactorAdded, at(1));
    store.enroll(order, event, Vec::new()).await.unwrap().is_some()
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

fn second_step(spend: SpendChallenge, used: UseFactor) -> Grounds {
    Grounds::SecondStep { spend, factor: used, settlement: Settlement::default() }
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
    for used in [UseFactor::Totp { step: 11, since: at(1) }, UseFactor::RecoveryCode(code(3))] {
        let mut challenges = Vec::new();
        for _ in 0..8 {
            challenges.push(first_step(&stores[0], &ada).await);
        }
        let logins = challenges.into_iter().enumerate().map(async |(n, spend)| {
            let open = session_by(&ada, second_step(spend, used));
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
        let grounds = second_step(spend.clone(), UseFactor::Totp { step, since: at(1) });
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
        mails: Vec::new(),
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
    let reset = ResetFactors { user: ada.id, mark: FIRST, end, mails: Vec::new() };
    let reset = store.reset_factors(reset, event(AuditKind::FactorRemoved)).await.unwrap();
    assert_eq!(reset.unwrap().1.ended.len(), 1);
    let factors = store.factors(ada.id).await.unwrap();
    assert_eq!((factors.exist(), factors.recovery_codes_left), (false, 0));
    assert_eq!(factors.reset_at, Some(at(3)));
}

/// The release before writes no methods: neither while replicas of both versions run, nor after a roll-back,
/// may it log such an account in.
async fn a_version_that_knows_no_second_factors_opens_no_session_of_an_account_with_one(
    database: Database,
) {
    let store = database.store().await;
    let ada = ada(&store).await;
    let opened = async |open: OpenSession| {
        store.open_session(open, event(AuditKind::LoginSucceeded, at(0))).await.unwrap().unwrap()
    };
    let session = opened(session_by(&ada, by_password(hash('a')))).await.session;
    let mut raw = database.raw().await;
    let copy = |id: &str| {
        let id = if database.is_sqlite() { format!("x'{id}'") } else { format!("'{id}'") };
        format!(
            "INSERT INTO sessions (id, user_id, created_at, last_used_at, token_id, token_issued_at, \
             token_expires_at, generation, access_expires_at) \
             SELECT {id}, user_id, created_at, last_used_at, {id}, token_issued_at, \
             token_expires_at, generation, access_expires_at FROM sessions LIMIT 1"
        )
    };
    raw.execute(copy("018f0000000070008000000000000001")).await;
    assert!(enroll(&store, add(&ada, None, FIRST, 1)).await);
    let refused = raw.try_execute(copy("018f0000000070008000000000000002")).await.unwrap_err();
    assert!(refused.contains("the account has a second factor"), "{refused}");
    // Its sessions go on.
    let known = store.sessions_by_id(&[session.id]).await.unwrap();
    assert!(known[&session.id].end.is_none());
}

async fn the_next_step_begins_with_what_the_first_one_left(database: Database) {
    let store = database.store().await;
    let ada = ada(&store).await;
    assert!(enroll(&store, add(&ada, None, FIRST, 1)).await);
    // A mail that sets a new password is the first step.
    let asked =
        NewChallenge { factors: Some(FIRST), ..challenge(Some(&ada), ChallengePurpose::Reset) };
    let id = asked.id;
    store.request_mail(order(asked), None).await.unwrap();
    let by_mail = SpendChallenge {
        factors: Some(FIRST),
        is_same_browser: true,
        new_password: Some(hash('b')),
        ..spend(&ada, id, at(2))
    };
    let next = NewChallenge {
        token: None,
        link: None,
        code: None,
        ..challenge(None, ChallengePurpose::SecondStep)
    };
    let order = BeginStep {
        user: ada.id,
        grounds: Grounds::Challenge(by_mail),
        challenge: next.clone(),
        events: Vec::new(),
        mails: Vec::new(),
        verification: None,
    };
    store.begin_step(order.clone()).await.unwrap().unwrap();
    let stored = store.challenge(next.id).await.unwrap().unwrap();
    assert_eq!((stored.user, stored.factors), (Some(ada.id), Some(FIRST)));
    assert_eq!(stored.password, Some(PasswordMark::of(&hash('b'))));
    assert_eq!(stored.bound_email_key.as_deref(), Some("ada@example.com"));
    // The mail was used up, and nothing of a second use stays.
    let again = BeginStep { challenge: challenge(None, ChallengePurpose::SecondStep), ..order };
    let refused = store.begin_step(again.clone()).await.unwrap();
    assert_eq!(refused.map(drop), Err(NotOpened::GroundsChanged));
    assert!(store.challenge(again.challenge.id).await.unwrap().is_none());
    // Attempts are taken until none is left.
    let mut left = Vec::new();
    while let Some(n) = store.take_attempt(next.id, at(3)).await.unwrap() {
        left.push(n);
    }
    assert_eq!(left, [4, 3, 2, 1, 0]);
    assert!(store.has_recovery_code(ada.id, code(1)).await.unwrap());
    assert!(!store.has_recovery_code(ada.id, code(99)).await.unwrap());
    let ways = store.ways_in_by_user(&[ada.id]).await.unwrap().remove(&ada.id).unwrap();
    assert!(ways.has_password && ways.factors.exist());
    assert_eq!(ways.factors.recovery_codes_left, 10);
}

fn passkey(id: u8) -> Passkey {
    Passkey::of_columns(PasskeyColumns {
        credential_id: vec![id; 20],
        user_handle: vec![7; 32],
        public_key: vec![1],
        algorithm: -7,
        sign_count: 3,
        is_backup_eligible: true,
        is_backed_up: false,
        aaguid: Uuid::from_u128(5),
        transports: "internal".to_owned(),
    })
    .unwrap()
}

fn passkey_id(n: u128) -> PasskeyId {
    PasskeyId::from_uuid(Uuid::from_u128(n))
}

fn add_passkey(user: &User, mark: FactorsMark, of: u8) -> AddFactor {
    let id = passkey_id(u128::from(of));
    let factor = NewFactor::Passkey { id, passkey: Box::new(passkey(of)), name: "Phone".into() };
    AddFactor { token: None, factor, ..add(user, None, mark, 1) }
}

async fn a_passkey_is_stored_once_over_all_accounts_and_its_count_moves_forward(
    database: Database,
) {
    let store = database.store().await;
    let ada = ada(&store).await;
    let new = new_user("bob", None);
    let bob = store.create_user(new, event(AuditKind::UserCreated, at(0))).await.unwrap().unwrap();
    assert!(store.passkey_handle(ada.id).await.unwrap().is_none());
    assert!(enroll(&store, add_passkey(&ada, FIRST, 9)).await);
    assert!(!enroll(&store, add_passkey(&bob, SECOND, 9)).await, "it is ada's");
    assert!(store.factors(bob.id).await.unwrap().mark.is_none());
    let stored = store.passkeys(&[ada.id, bob.id]).await.unwrap();
    assert_eq!((stored.len(), stored[0].user, &stored[0].passkey), (1, ada.id, &passkey(9)));
    let known = store.passkey_by_credential(&passkey(9).credential_id).await.unwrap().unwrap();
    assert_eq!((known.id, known.created_at, known.last_used_at), (passkey_id(9), at(1), None));
    let handle = store.passkey_handle(ada.id).await.unwrap().unwrap();
    assert_eq!(handle, passkey(9).user_handle);
    let renamed = store.rename_passkey(ada.id, passkey_id(9), "Key".into()).await.unwrap();
    assert_eq!(renamed.unwrap().name, "Key");
    assert!(store.rename_passkey(bob.id, passkey_id(9), "Mine".into()).await.unwrap().is_none());
    // Of logins that were verified by the same count one opens a session.
    let used = PasskeyUse { sign_count: 4, is_backed_up: true };
    let factor = UseFactor::Passkey { id: passkey_id(9), counted: 3, used, at: at(2) };
    let logins = (0..6).map(async |_| {
        let open = session_by(&ada, Grounds::Passkey(factor));
        store.open_session(open, event(AuditKind::LoginSucceeded, at(2))).await.unwrap().is_ok()
    });
    assert_eq!(join_all(logins).await.iter().filter(|done| **done).count(), 1);
    let after = store.passkey(passkey_id(9)).await.unwrap().unwrap();
    assert_eq!((after.passkey.sign_count, after.passkey.is_backed_up), (4, true));
    assert_eq!(after.last_used_at, Some(at(2)));
    // A token without a row is good once.
    let token = SpendToken { digest: [8; 32], expires_at: at(600) };
    assert!(store.use_up(token).await.unwrap());
    assert!(!store.use_up(token).await.unwrap());
}

async fn a_device_is_trusted_by_what_the_account_was(database: Database) {
    let store = database.store().await;
    let ada = ada(&store).await;
    assert!(enroll(&store, add(&ada, None, FIRST, 1)).await);
    let device = |n: u8| NewTrustedDevice {
        id: TrustedDeviceId::from_uuid(Uuid::from_u128(u128::from(n))),
        token: TokenDigest([n; 32]),
        name: Some("Laptop".into()),
        created_at: at(2) + std::time::Duration::from_secs(n.into()),
        expires_at: at(1_000),
    };
    for n in 1..=21 {
        let spend = first_step(&store, &ada).await;
        let used = UseFactor::Totp { step: 10 + i64::from(n), since: at(1) };
        let trust = Some(device(n));
        let open = OpenSession { trust, ..session_by(&ada, second_step(spend, used)) };
        store.open_session(open, event(AuditKind::LoginSucceeded, at(2))).await.unwrap().unwrap();
    }
    let devices = store.trusted_devices(ada.id, at(3)).await.unwrap();
    assert_eq!(devices.len(), 20, "the oldest one is forgotten");
    assert!(store.trusted_devices(ada.id, at(1_000)).await.unwrap().is_empty());
    let found = store.device_by_token(TokenDigest([21; 32])).await.unwrap().unwrap();
    assert_eq!((found.user, found.factors), (ada.id, FIRST));
    assert_eq!(found.password, Some(PasswordMark::of(&hash('a'))));
    let login = async |by: Option<TrustedDeviceId>| {
        let grounds = Grounds::Password {
            verified: verified('a'),
            upgraded: None,
            factors: Some(FIRST),
            settlement: Settlement::default(),
        };
        let open = OpenSession { trusted_device: by, ..session_by(&ada, grounds) };
        store.open_session(open, event(AuditKind::LoginSucceeded, at(3))).await.unwrap().is_ok()
    };
    assert!(login(Some(found.id)).await);
    assert!(store.forget_device(ada.id, found.id).await.unwrap().is_some());
    assert!(store.forget_device(ada.id, found.id).await.unwrap().is_none());
    assert!(store.trusted_device(found.id).await.unwrap().is_none());
    assert!(!login(Some(found.id)).await, "forgotten in the meantime");
}

async fn a_role_that_changed_since_the_decision_opens_nothing(database: Database) {
    let store = database.store().await;
    let ada = ada(&store).await;
    let login = async |judged_role| {
        let open = OpenSession { judged_role, ..session_by(&ada, by_password(hash('a'))) };
        store.open_session(open, event(AuditKind::LoginSucceeded, at(1))).await
    };
    let refused = login(Some(Role::Admin)).await.unwrap_err();
    assert!(refused.is_temporary(), "{refused:?}");
    let sessions = database.raw().await.number("SELECT count(*) FROM sessions").await;
    assert_eq!(sessions, 0);
    for judged in [None, Some(Role::User)] {
        login(judged).await.unwrap().unwrap();
    }
}
