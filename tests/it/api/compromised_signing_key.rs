//! Immediate replacement of a compromised signing key, without a logout.

use std::time::Duration;

use futures_util::future::join_all;
use sallyport::auth::{Admin, KeyRotation};
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::keys::{admin, kid, rotate, states, two};
use super::service::{Service, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_removed_key_is_refused_everywhere_and_nobody_is_logged_out,
    a_token_of_a_key_made_a_moment_ago_is_accepted_before_the_next_read,
    an_emergency_removes_the_key_that_waits_and_the_one_that_retires,
    emergencies_at_once_leave_one_key,
    made_up_keys_do_not_reach_the_database,
    a_removed_key_is_never_sealed_again,
    keys_that_cannot_be_read_make_no_token_invalid,
);

/// What an order looks like.
fn immediately() -> Value {
    json!({ "immediately": true })
}

async fn a_removed_key_is_refused_everywhere_and_nobody_is_logged_out(database: Database) {
    let (one, mut two) = two(&database).await;
    one.make("ada", Role::User).await;
    let (ada, root) = (one.login("ada").await, admin(&one).await);
    let payload = rotate(&one, &root, immediately()).await;
    assert_eq!(payload["signingKey"]["state"], "ACTIVE", "{payload}");
    // This process obeys before it answers, the other one after its next read.
    assert_eq!(one.refusal(&ada.access).await.as_deref(), Some("INVALID"));
    assert_eq!(two.refusal(&ada.access).await, None);
    two.feed.read().await.unwrap();
    assert_eq!(two.refusal(&ada.access).await.as_deref(), Some("INVALID"));
    for service in [&one, &two] {
        let jwks = &service.core.auth.keys.ring().jwks().body.clone();
        assert!(jwks.matches("kid").count() == 1 && !jwks.contains(&kid(&ada.access)), "{jwks}");
    }
    let next = tokens(&two.refresh(&ada.refresh, None).await).unwrap();
    assert_eq!((one.refusal(&next.access).await, two.refusal(&next.access).await), (None, None));
    // One that starts later knows of no other.
    let three = Service::start_at(&database, "", one.clock.clone()).await;
    assert_eq!(three.refusal(&ada.access).await.as_deref(), Some("INVALID"));
    assert_eq!(three.refusal(&next.access).await, None);
    let event = "SELECT count(*) FROM audit_events WHERE detail = 'immediately'";
    assert_eq!(database.raw().await.number(event).await, 1);
    let private = "SELECT count(*) FROM signing_keys WHERE length(sealed_private) > 0";
    assert_eq!(database.raw().await.number(private).await, 1);
}

async fn a_token_of_a_key_made_a_moment_ago_is_accepted_before_the_next_read(database: Database) {
    let (one, two) = two(&database).await;
    for _ in 0..3 {
        let root = admin(&one).await;
        assert_eq!(rotate(&one, &root, immediately()).await["errors"], json!([]));
        // The other process has read nothing since, and is asked by many at once.
        let fresh = join_all((0..20).map(|_| one.login("root"))).await;
        let answers = join_all(fresh.iter().map(|tokens| two.refusal(&tokens.access))).await;
        assert!(answers.iter().all(Option::is_none), "{answers:?}");
        let new = admin(&two).await;
        assert_eq!((kid(&new), one.refusal(&new).await), (kid(&fresh[0].access), None));
    }
}

async fn an_emergency_removes_the_key_that_waits_and_the_one_that_retires(database: Database) {
    let (mut one, _) = two(&database).await;
    let first = admin(&one).await;
    rotate(&one, &first, Value::Null).await;
    one.pass(Duration::from_mins(10)).await;
    let second = admin(&one).await;
    rotate(&one, &second, Value::Null).await;
    assert_eq!(one.refusal(&first).await, None);
    let payload = rotate(&one, &second, immediately()).await;
    let new = payload["signingKey"]["kid"].as_str().unwrap();
    let states = states(&one).await;
    assert_eq!(states.len(), 4);
    for (kid, state) in states {
        assert_eq!(state, if kid == new { "ACTIVE" } else { "RETIRED" });
    }
    for token in [&first, &second] {
        assert_eq!(one.refusal(token).await.as_deref(), Some("INVALID"));
    }
    // The time at which the one that waited was to begin brings nothing back.
    one.pass(Duration::from_mins(10)).await;
    assert_eq!(kid(&admin(&one).await), new);
    // And the next rotation is one like any other.
    let root = admin(&one).await;
    assert_eq!(rotate(&one, &root, Value::Null).await["signingKey"]["state"], "NEXT");
}

async fn emergencies_at_once_leave_one_key(database: Database) {
    let (mut one, mut two) = two(&database).await;
    let root = one.login("root").await;
    let at_once = (0..8).map(|number| {
        let service = if number % 2 == 0 { &one } else { &two };
        let by = Admin::operator();
        let rotation = KeyRotation { algorithm: None, immediately: true };
        service.core.auth.keys.rotate(by, rotation, Origin::default())
    });
    let outcomes = join_all(at_once).await;
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let events = "SELECT count(*) FROM audit_events WHERE kind = 'KEY_ROTATED'";
    assert!(done >= 1);
    assert!(database.raw().await.number(events).await >= i64::try_from(done).unwrap());
    let alive = states(&one).await.into_values().filter(|&state| state != "RETIRED").count();
    assert_eq!(alive, 1);
    // Whose key was removed at once learns of that with its next read.
    one.pass(Duration::ZERO).await;
    two.pass(Duration::ZERO).await;
    let next = tokens(&one.refresh(&root.refresh, None).await).unwrap();
    assert_eq!((one.refusal(&next.access).await, two.refusal(&next.access).await), (None, None));
}

async fn made_up_keys_do_not_reach_the_database(database: Database) {
    let (one, _) = two(&database).await;
    let token = admin(&one).await;
    let (_, rest) = token.split_once('.').unwrap();
    let made_up = |number: u32| {
        use base64::Engine;
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let mut name = [0; 32];
        name[..4].copy_from_slice(&number.to_be_bytes());
        let kid = engine.encode(name);
        let header = json!({ "alg": "ES256", "kid": kid, "typ": "at+jwt" }).to_string();
        format!("{}.{rest}", engine.encode(header))
    };
    let before = one.core.store.operations();
    let tokens: Vec<String> = (0..500).map(made_up).collect();
    let refused = join_all(tokens.iter().map(|token| one.refusal(token))).await;
    assert!(refused.iter().all(|refusal| refusal.as_deref() == Some("INVALID")));
    let asked = one.core.store.operations() - before;
    assert!(asked <= 5, "{asked} operations for 500 tokens");
    // What can be no key of ours is not looked for, and neither is one that was removed.
    rotate(&one, &token, immediately()).await;
    let before = one.core.store.operations();
    assert_eq!(one.refusal(&token).await.as_deref(), Some("INVALID"));
    let foreign = made_up(1).replacen('e', "f", 1);
    assert!(one.refusal(&foreign).await.is_some());
    assert_eq!(one.core.store.operations(), before);
}

async fn a_removed_key_is_never_sealed_again(database: Database) {
    let (one, _) = two(&database).await;
    let store = &one.core.store;
    let before = store.signing_keys().await.unwrap().remove(0);
    let root = admin(&one).await;
    rotate(&one, &root, immediately()).await;
    // Another process had read the row to seal it anew, and is late.
    store.reseal_key(before.id, before.sealed.clone(), before.sealed.clone()).await.unwrap();
    let after = store.signing_keys().await.unwrap();
    let after = after.iter().find(|key| key.id == before.id).unwrap();
    assert!(after.sealed.is_empty() && after.life.is_destroyed);
}

async fn keys_that_cannot_be_read_make_no_token_invalid(database: Database) {
    let (one, mut two) = two(&database).await;
    let root = admin(&one).await;
    rotate(&one, &root, immediately()).await;
    let token = admin(&one).await;
    let mut raw = database.raw().await;
    raw.execute("ALTER TABLE signing_keys RENAME TO elsewhere").await;
    // It cannot tell whether the key was just made; nor, as time passes, whether one was removed.
    assert_eq!(two.refusal(&token).await.as_deref(), Some("SERVICE_UNAVAILABLE"));
    assert!(two.feed.read().await.is_err());
    assert_eq!(two.refusal(&root).await, None);
    two.clock.advance_monotonic(Duration::from_secs(6));
    assert_eq!(two.refusal(&root).await.as_deref(), Some("SERVICE_UNAVAILABLE"));
    raw.execute("ALTER TABLE elsewhere RENAME TO signing_keys").await;
    assert_eq!(two.refusal(&token).await.as_deref(), Some("SERVICE_UNAVAILABLE"));
    two.pass(Duration::ZERO).await;
    assert_eq!(two.refusal(&token).await, None);
    assert_eq!(two.refusal(&root).await.as_deref(), Some("INVALID"));
}
