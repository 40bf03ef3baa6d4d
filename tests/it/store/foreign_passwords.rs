//! Password hashes of other systems, and logins that replace them at the same time.

use sallyport::clock::Timestamp;
use sallyport::crypto::password::{PasswordHash, PasswordScheme};
use sallyport::domain::audit::AuditKind;
use sallyport::domain::user::User;
use sallyport::store::{
    FreshProof, Grounds, OpenSession, Reauthenticate, Settlement, Store, VerifiedHash,
};

use super::account_changes::{order, prove};
use super::support::{at, event, hash, make, new_session, opening, try_open, verified};
use crate::databases::{Database, on_both};

on_both!(
    a_login_that_was_verified_by_a_foreign_hash_holds_after_another_has_replaced_it,
    a_login_that_was_verified_by_a_foreign_hash_comes_to_nothing_after_a_change,
    a_change_and_a_proof_by_a_foreign_hash_hold_after_a_login_has_replaced_it,
    foreign_hashes_are_counted_by_their_scheme_and_parameters,
);

/// A hash with this salt of 22 characters.
fn foreign(salt: char, iterations: u32) -> PasswordHash {
    let (salt, output) = (salt.to_string().repeat(22), "A".repeat(43));
    let text = format!("pbkdf2_sha256${iterations}${salt}${output}=");
    PasswordHash::parse(PasswordScheme::Pbkdf2, &text).unwrap()
}

async fn give(database: &Database, user: &User, hash: &PasswordHash) {
    let (scheme, hash) = (hash.scheme().as_str(), hash.as_str());
    let user = database.literal(user.id.as_uuid());
    let give = format!(
        "UPDATE password_credentials SET scheme = '{scheme}', hash = '{hash}' WHERE user_id = {user}"
    );
    database.raw().await.execute(give).await;
}

fn login(user: &User, verified: VerifiedHash, upgraded: char) -> OpenSession {
    let upgraded = Some(hash(upgraded));
    let settlement = Settlement::default();
    let grounds = Grounds::Password { verified, upgraded, factors: None, settlement };
    OpenSession { grounds, ..opening(new_session(user.id, at(1))) }
}

async fn stored(store: &Store, user: &User) -> String {
    let found = store.credentials(user.id).await.unwrap().unwrap();
    found.password_hash.unwrap().as_str().to_owned()
}

async fn change(store: &Store, user: &User, new: char, now: Timestamp) {
    let changed = event(AuditKind::PasswordChanged, now);
    let set = store.set_password(user.id, None, hash(new), changed, None, Vec::new()).await;
    set.unwrap().unwrap();
}

async fn a_login_that_was_verified_by_a_foreign_hash_holds_after_another_has_replaced_it(
    database: Database,
) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    give(&database, &ada, &foreign('a', 1000)).await;
    let by = || VerifiedHash::new(foreign('a', 1000), None);
    for upgraded in ['b', 'c', 'd'] {
        let opened = try_open(&store, login(&ada, by(), upgraded)).await.unwrap();
        assert_eq!(opened.user.password_changed_at, None, "it is the same password");
        // Who verified it with the first one is not disturbed either.
        assert_eq!(stored(&store, &ada).await, hash('b').as_str());
    }
    let other = VerifiedHash::new(foreign('a', 1000), Some(at(7)));
    assert!(try_open(&store, login(&ada, other, 'e')).await.is_none());
    // A hash of this service has to be the same.
    assert!(try_open(&store, login(&ada, verified('x'), 'e')).await.is_none());
}

async fn a_login_that_was_verified_by_a_foreign_hash_comes_to_nothing_after_a_change(
    database: Database,
) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let by = || VerifiedHash::new(foreign('a', 1000), None);
    // As a second import finds it.
    give(&database, &ada, &foreign('b', 1000)).await;
    assert!(try_open(&store, login(&ada, by(), 'b')).await.is_none());
    give(&database, &ada, &foreign('a', 1000)).await;
    change(&store, &ada, 'c', at(2)).await;
    assert!(try_open(&store, login(&ada, by(), 'b')).await.is_none());
    assert_eq!(stored(&store, &ada).await, hash('c').as_str());
    store.credentials(ada.id).await.unwrap().unwrap();
    let sessions = "SELECT count(*) FROM sessions";
    assert_eq!(database.raw().await.number(sessions).await, 0);
}

async fn a_change_and_a_proof_by_a_foreign_hash_hold_after_a_login_has_replaced_it(
    database: Database,
) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    give(&database, &ada, &foreign('a', 1000)).await;
    let by = || VerifiedHash::new(foreign('a', 1000), None);
    let opened = try_open(&store, login(&ada, by(), 'b')).await.unwrap().session;
    let set = async |new, now| {
        let changed = event(AuditKind::PasswordChanged, now);
        store.set_password(ada.id, Some(by()), hash(new), changed, None, Vec::new()).await.unwrap()
    };
    let proof = FreshProof::Password { verified: by(), settlement: Settlement::default() };
    let proved = prove(&store, Reauthenticate { proof, ..order(&opened, at(400)) }).await;
    assert_eq!(proved.unwrap().authentication.at, at(400));
    assert_eq!(set('c', at(2)).await.unwrap().0.password_changed_at, Some(at(2)));
    assert!(set('d', at(3)).await.is_none(), "it is another password now");
    let proof = FreshProof::Password { verified: by(), settlement: Settlement::default() };
    let proved = prove(&store, Reauthenticate { proof, ..order(&opened, at(500)) }).await;
    assert!(proved.is_none(), "it is another password now");
    assert_eq!(stored(&store, &ada).await, hash('c').as_str());
}

async fn foreign_hashes_are_counted_by_their_scheme_and_parameters(database: Database) {
    let store = database.store().await;
    let bcrypt = format!("bcrypt$$2b$04${}", ".".repeat(53));
    let bcrypt = PasswordHash::parse(PasswordScheme::Bcrypt, &bcrypt).unwrap();
    let hashes = [
        ("ada", foreign('a', 1000)),
        ("bob", foreign('b', 2000)),
        ("cleo", foreign('c', 1000)),
        ("dora", bcrypt),
        ("eve", foreign('e', 1000)),
        ("finn", foreign('f', 2000)),
    ];
    for (name, hash) in &hashes {
        give(&database, &make(&store, name).await, hash).await;
    }
    let kinds = store.sample_password_hashes().await.unwrap().kinds();
    let expected = [(&hashes[0].1, 3), (&hashes[1].1, 2), (&hashes[3].1, 1)];
    let expected = expected.map(|(hash, accounts)| (hash.dummy(), accounts));
    assert!(
        kinds == expected,
        "{:?}",
        kinds.iter().map(|(hash, n)| (hash.as_str(), n)).collect::<Vec<_>>()
    );
}
