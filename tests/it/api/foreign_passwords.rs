//! Accounts whose password hash came from another system.

use std::time::Instant;

use futures_util::future::join_all;
use sallyport::crypto::password::{ForeignHash, Hashing, PasswordHash};
use sallyport::domain::user::Role;
use sallyport::entropy::SystemEntropy;
use serde_json::{Value, json};

use super::reauthentication::reauthenticate;
use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    every_foreign_hash_logs_in_and_is_made_anew_then,
    whatever_is_wrong_about_a_foreign_hash_the_refusal_is_the_same,
    fifty_first_logins_at_once_all_succeed,
    a_password_changes_and_is_proved_by_a_foreign_hash,
    a_password_that_is_too_long_here_goes_on_with_its_foreign_hash,
    a_password_that_was_hashed_decomposed_is_found,
    nobody_changes_a_password_unseen_by_what_bcrypt_does_not_read,
    a_name_that_nobody_has_takes_what_foreign_hashes_take,
);

/// Hashes of [`PASSWORD`] in every form, made by Django 4.2 and `hashlib`.
const HASHES: [&str; 19] = [
    "pbkdf2_sha256$1000$u8jzPde0IgxLd6GncfBAep$SP8H8aMYKVv/PVcHg4fxsOA7CYZzGYNyjMY6xueX4zE=",
    "pbkdf2_sha1$1000$fJBd0Kh8oOOL8dKLzdocJ2$UDT3HsjN0btIrRZdy3CWnkEPihI=",
    "pbkdf2_sha256$1000$isAjIhKtJ0Rl$MrD7rZfENL8v40Z/O1mD7kB7j2uJJIu0MMqV740Aioo=",
    "argon2$argon2id$v=19$m=64,t=2,p=8$Z0xLT214Z0pUZUtkTm5GUklCWHVETA$NX+k7wUsOicYatOoAW+su/Bgx23s19vJRZqCwwRVYR4",
    "argon2$argon2i$v=19$m=512,t=2,p=2$N0R4dHBZbFNYcGZL$QatUx2nLdxxteoUcEbBq3BZ1C8W7CTmdBb2euDEp4cs",
    "argon2$argon2i$m=512,t=2,p=2$dEhGNHZVQ3NNZWhH$0/Xe6UJgmU0Ecbf55BR8Nw",
    "bcrypt_sha256$$2b$04$vet//jJ9uwbVgp1273MxPeIgHU2JmySNQfUHv25DgzzikQHcz7U9O",
    "bcrypt$$2b$04$3.uio/HnVQJaOSHziepRa.vzm.tip4vCKqMMP97HmhO8u9.BA4rvC",
    "scrypt$16$AkWvj7FAc9QeWJKY40uvSw$8$1$BisuBfOERZ4RwNZAwc6+g5eklB0EweN6ZkDcmnt2ymOKvE98sAbo7slpSv9KKcrf1OesAJUW3WPp9hmEh72Ysw==",
    "scrypt$32$MFLZDe1f8rESQedUStPKR0$2$5$yfUAen6goSnkHx/rfFY7R0U+c5mDOYw7J583OcLjYcmtssFbCXqWKTZMjiLrg82U+uDG9mHVgr0QZlcS0lY4hA==",
    "sha1$CsTy4Qwb8DwkNhFdnXsiVp$9d7c5508d2c32e181a2d603be20abb7525ecfb77",
    "md5$zz63FfkCzJr4i0B3JrTAwR$164fb194b8956feec34de1df2652b2dc",
    "sha1$$d09b9c3a533a90c13a9b5e934abb3d6215fe160a",
    "bed0e811051601bf5e40378eef6d7b10",
    "md5$$bed0e811051601bf5e40378eef6d7b10",
    "bcrypt:$2y$04$VkjOeyw4t0fZ4j6J3w50KuRyl686Y1SCN33nho.d1Lv3QGphrBzoy",
    "better-auth-scrypt:00112233445566778899aabbccddeeff:9af6cb70969e5f22812e403022ee801ca6503d08affbafb7491538023c6001fcd9f9fc38d714edc587edae690c398ca15fb0fded14d8502c7199410050135ae9",
    "keycloak-pbkdf2-sha512:1000:AAECAwQFBgcICQoLDA0ODw==:HKa/RUgw3Iw8e0Cx2bmQZbT4ZFsJnMbLlhHDWiZxHnoDDGQ2IVElgdCM3XTtS+TBw57ul91jFyzTcJPGOtnrTQ==",
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$RbTW2qlJUuK4SMObGMGfxjk1NvAJFHFkGYwaCq+qotQ",
];

/// Of a password of 360 characters.
const LONG: &str =
    "pbkdf2_sha256$1000$longSaltOf22Characters$2g4tVIZm9bb/w7xd1I7y0D8rVoRugIyoux3KU3AiSeo=";

/// Of `cafe\u{301} tangerine-orbit`.
const DECOMPOSED: &str =
    "pbkdf2_sha256$1000$longSaltOf22Characters$Dn82qHMmpvIR3yP5R8XkXbYhU/47oCIjMh570RujDWY=";

/// The hash as an import stores it.
fn stored(text: &str) -> PasswordHash {
    let foreign = ForeignHash::parse(text).unwrap();
    Hashing::new(8, 1, 1).unwrap().wrap(&foreign, &SystemEntropy).unwrap()
}

/// Gives an account this hash.
async fn give(database: &Database, username: &str, text: &str) {
    let hash = stored(text);
    let (scheme, hash) = (hash.scheme().as_str(), hash.as_str());
    let give = format!(
        "UPDATE password_credentials SET scheme = '{scheme}', hash = '{hash}' WHERE user_id = \
         (SELECT id FROM users WHERE username_key = '{username}')"
    );
    database.raw().await.execute(give).await;
}

async fn schemes(database: &Database) -> Vec<String> {
    database.raw().await.texts("SELECT scheme FROM password_credentials").await
}

async fn every_foreign_hash_logs_in_and_is_made_anew_then(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    service.make("ada", Role::User).await;
    for text in HASHES {
        give(&database, "ada", text).await;
        let before = stored(text).scheme().as_str();
        assert_eq!(code(&service.try_login("ada", "wrong").await), "INVALID_CREDENTIALS", "{text}");
        assert_eq!(schemes(&database).await, [before], "{text}");
        service.login("ada").await;
        assert_eq!(schemes(&database).await, ["ARGON2ID"], "{text}");
        service.login("ada").await;
        assert_eq!(code(&service.try_login("ada", "wrong").await), "INVALID_CREDENTIALS", "{text}");
    }
    let changed = "SELECT count(*) FROM password_credentials WHERE changed_at IS NOT NULL";
    assert_eq!(database.raw().await.number(changed).await, 0, "it is the same password");
}

async fn whatever_is_wrong_about_a_foreign_hash_the_refusal_is_the_same(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    service.make("ada", Role::User).await;
    let refused = service.try_login("nobody", PASSWORD).await;
    assert_eq!(code(&refused), "INVALID_CREDENTIALS");
    for text in HASHES {
        give(&database, "ada", text).await;
        let longest = "x".repeat(4_096);
        let right_and_more = format!("{PASSWORD}x");
        for wrong in ["", "e\u{301}", &right_and_more, &longest, &format!("{longest}x")] {
            assert_eq!(service.try_login("ada", wrong).await, refused, "{text}");
        }
    }
}

async fn fifty_first_logins_at_once_all_succeed(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    service.make("ada", Role::User).await;
    // One that is stored as it is, one that is wrapped.
    for text in [HASHES[0], HASHES[10]] {
        give(&database, "ada", text).await;
        let all = join_all((0..50).map(|_| service.try_login("ada", PASSWORD))).await;
        for payload in &all {
            assert!(tokens(payload).is_some(), "{payload}");
        }
        assert_eq!(schemes(&database).await, ["ARGON2ID"]);
    }
}

async fn a_password_changes_and_is_proved_by_a_foreign_hash(database: Database) {
    const NEW: &str = "velvet-kayak-hyphen-77";
    const CHANGE: &str = "mutation($c: String!, $n: String!) {
        changePassword(input: { currentPassword: $c, newPassword: $n }) { errors { code } } }";
    let service = Service::start(&database, "--throttle false").await;
    service.make("ada", Role::User).await;
    let change = async |access: &str, current: &str| {
        let variables = json!({ "c": current, "n": NEW });
        let answer = service.send(Some(access), CHANGE, variables).await;
        answer["data"]["changePassword"]["errors"].clone()
    };
    for text in HASHES {
        give(&database, "ada", text).await;
        let ada = service.login("ada").await;
        give(&database, "ada", text).await;
        let proved = reauthenticate(&service, &ada.access, PASSWORD).await;
        assert!(proved["tokens"]["accessToken"].is_string(), "{text}: {proved}");
        let refused = reauthenticate(&service, &ada.access, "wrong").await;
        assert_eq!(code(&refused), "INVALID_PROOF", "{text}");
        let wrong = change(&ada.access, "wrong").await;
        assert_eq!(wrong[0]["code"], "INVALID_CREDENTIALS", "{text}");
        assert_eq!(change(&ada.access, PASSWORD).await, json!([]), "{text}");
        assert_eq!(schemes(&database).await, ["ARGON2ID"], "{text}");
        let old = service.try_login("ada", PASSWORD).await;
        assert_eq!(code(&old), "INVALID_CREDENTIALS", "{text}");
        assert!(tokens(&service.try_login("ada", NEW).await).is_some(), "{text}");
    }
}

/// Passwords of this service have 256 characters at most.
async fn a_password_that_is_too_long_here_goes_on_with_its_foreign_hash(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    give(&database, "ada", LONG).await;
    let long = "long and ".repeat(40);
    for _ in 0..2 {
        assert!(tokens(&service.try_login("ada", &long).await).is_some());
        assert_eq!(schemes(&database).await, ["PBKDF2"]);
    }
    let head: String = long.chars().take(256).collect();
    assert_eq!(code(&service.try_login("ada", &head).await), "INVALID_CREDENTIALS");
}

/// Once it is hashed anew both forms are one password.
async fn a_password_that_was_hashed_decomposed_is_found(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    service.make("ada", Role::User).await;
    give(&database, "ada", DECOMPOSED).await;
    let (composed, decomposed) = ("caf\u{e9} tangerine-orbit", "cafe\u{301} tangerine-orbit");
    assert_eq!(code(&service.try_login("ada", composed).await), "INVALID_CREDENTIALS");
    for form in [decomposed, composed, decomposed] {
        let payload = service.try_login("ada", form).await;
        assert!(tokens(&payload).is_some(), "{payload}");
    }
}

async fn nobody_changes_a_password_unseen_by_what_bcrypt_does_not_read(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    service.make("ada", Role::User).await;
    // Of the digits ten times over.
    let hash = "bcrypt$$2b$04$.ADmVlYeDGxXAnnWOy.SduNBp//qcEPQhrmS/bSrwOhviuQJ14RBW";
    give(&database, "ada", hash).await;
    let password = "0123456789".repeat(9);
    let of_a_thief = format!("{}{}", &password[..72], "a tail of the thief's");
    for text in [of_a_thief.as_str(), &password[..72], &password] {
        let payload = service.try_login("ada", text).await;
        assert!(tokens(&payload).is_some(), "{payload}");
        assert_eq!(schemes(&database).await, ["BCRYPT"]);
    }
}

/// As in the test of other parameters: the time itself cannot be measured beside other tests.
async fn a_name_that_nobody_has_takes_what_foreign_hashes_take(database: Database) {
    let cheap = Service::start(&database, "").await;
    for name in ["ada", "bob", "eve"] {
        cheap.make(name, Role::User).await;
    }
    for (name, hash) in ["ada", "bob", "eve"].into_iter().zip([HASHES[0], HASHES[7], HASHES[8]]) {
        give(&database, name, hash).await;
    }
    let dear = Service::start(&database, "--hashing-memory 524288").await;
    let mut raw = database.raw().await;
    let unusable = "DELETE FROM password_credentials WHERE user_id = \
                    (SELECT id FROM users WHERE username_key = 'eve')";
    raw.execute(unusable).await;
    let began = Instant::now();
    for name in (0..20).map(|n| format!("nobody{n}")).chain(["ada", "eve"].map(str::to_owned)) {
        let payload = dear.try_login(&name, "wrong").await;
        assert_eq!(code(&payload), "INVALID_CREDENTIALS");
    }
    let refused = began.elapsed();
    let began = Instant::now();
    dear.make("zoe", Role::User).await;
    let one_of_today = began.elapsed();
    assert!(refused < 4 * one_of_today, "{refused:?}, {one_of_today:?}");
    let unchanged: Vec<Value> = schemes(&database).await.into_iter().map(Value::from).collect();
    assert_eq!(unchanged.iter().filter(|scheme| **scheme == json!("ARGON2ID")).count(), 1);
}
