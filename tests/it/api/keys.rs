//! Rotation of signing keys, with several processes and external verifiers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::join_all;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use sallyport::auth::Admin;
use sallyport::clock::{Clock, ManualClock, Timestamp};
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_key_is_published_then_signs_then_verifies_then_is_gone,
    a_rotation_under_load_refuses_nothing,
    a_process_that_starts_amid_a_rotation_takes_part_in_it,
    of_rotations_at_once_one_is_done_and_the_others_are_told,
    a_key_is_kept_for_as_long_as_the_longest_lived_of_its_tokens,
    another_algorithm_at_the_start_is_a_rotation_too,
    only_administrators_rotate_and_it_is_written_down,
    the_private_part_of_a_retired_key_is_destroyed,
);

/// How long a new key is published before it signs.
const PUBLICATION: Duration = Duration::from_mins(10);

/// How long an access token can be alive here: its lifetime and the leeway.
const ALIVE: Duration = Duration::from_secs(15 * 60 + 2);

/// The shortest time there is.
const MOMENT: Duration = Duration::from_micros(1);

/// The payload of a rotation.
pub async fn rotate(service: &Service, bearer: &str, input: Value) -> Value {
    const ROTATE: &str = "mutation($i: RotateSigningKeyInput) { rotateSigningKey(input: $i) {
        signingKey { id kid algorithm state createdAt activatesAt retireSafeAt }
        errors { code message path } } }";
    let answer = service.send(Some(bearer), ROTATE, json!({ "i": input })).await;
    answer["data"]["rotateSigningKey"].clone()
}

/// The states of the keys, by name.
pub async fn states(service: &Service) -> BTreeMap<String, &'static str> {
    let keys = service.core.auth.keys.list(Admin::operator()).await.unwrap();
    keys.into_iter().map(|key| (key.kid, key.state.as_str())).collect()
}

/// The name of the key that a token says it is signed with.
pub fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

/// An access token of somebody who just logged in as an administrator.
pub async fn admin(service: &Service) -> String {
    service.login("root").await.access
}

/// Two processes over one database, with an administrator.
pub async fn two(database: &Database) -> (Service, Service) {
    let one = Service::start(database, "").await;
    one.make("root", Role::Admin).await;
    let two = Service::start_at(database, "", one.clock.clone()).await;
    (one, two)
}

/// Lets time pass for both.
async fn pass(one: &mut Service, two: &mut Service, time: Duration) {
    one.pass(time).await;
    two.feed.read().await.unwrap();
}

async fn published(service: &Service) -> JwkSet {
    let request = Request::get("/.well-known/jwks.json").body(Body::empty()).unwrap();
    let (status, keys) = service.call(request).await;
    assert_eq!(status, StatusCode::OK);
    serde_json::from_value(keys).unwrap()
}

/// A resource server: it reads the public keys and keeps them for as long as it may, and does not
/// look again for a key that it does not know.
struct Verifier {
    keys: JwkSet,
    read_at: Timestamp,
}

impl Verifier {
    async fn new(service: &Service) -> Self {
        Self { keys: published(service).await, read_at: service.clock.now() }
    }

    async fn wake(&mut self, service: &Service) {
        if service.clock.now() - Duration::from_mins(5) >= self.read_at {
            *self = Self::new(service).await;
        }
    }

    fn accepts(&self, token: &str) -> bool {
        let Some(key) = self.keys.find(&kid(token)) else { return false };
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["sallyport"]);
        // The clock of the test is not the machine's.
        rules.validate_exp = false;
        let key = DecodingKey::from_jwk(key).unwrap();
        jsonwebtoken::decode::<Value>(token, &key, &rules).is_ok()
    }
}

async fn a_key_is_published_then_signs_then_verifies_then_is_gone(database: Database) {
    let (mut one, mut two) = two(&database).await;
    let root = admin(&one).await;
    let old = kid(&root);
    let payload = rotate(&one, &root, Value::Null).await;
    let key = &payload["signingKey"];
    assert_eq!((&key["state"], &key["algorithm"]), (&json!("NEXT"), &json!("ES256")), "{payload}");
    let new = key["kid"].as_str().unwrap().to_owned();
    two.feed.read().await.unwrap();
    let expect = |before, after| BTreeMap::from([(old.clone(), before), (new.clone(), after)]);

    assert_eq!(states(&one).await, expect("ACTIVE", "NEXT"));
    for service in [&one, &two] {
        assert!(published(service).await.find(&new).is_some());
        assert_eq!(kid(&admin(service).await), old);
    }
    pass(&mut one, &mut two, PUBLICATION.saturating_sub(MOMENT)).await;
    let last = admin(&two).await;
    assert_eq!(kid(&last), old);

    // At the moment itself, whether or not the database was read since.
    one.clock.advance(MOMENT);
    assert_eq!(states(&two).await, expect("RETIRING", "ACTIVE"));
    for (service, other) in [(&one, &two), (&two, &one)] {
        let token = admin(service).await;
        assert_eq!(kid(&token), new);
        assert_eq!(other.refusal(&token).await, None);
        assert_eq!(other.refusal(&last).await, None);
        assert!(published(service).await.find(&old).is_some());
    }
    pass(&mut one, &mut two, ALIVE.saturating_sub(MOMENT)).await;
    assert_eq!(states(&one).await, expect("RETIRING", "ACTIVE"));
    pass(&mut one, &mut two, MOMENT).await;
    assert_eq!(states(&one).await, expect("RETIRED", "ACTIVE"));
    for service in [&one, &two] {
        assert!(published(service).await.find(&old).is_none());
        assert_eq!(service.refusal(&last).await.as_deref(), Some("INVALID"));
    }
}

async fn a_rotation_under_load_refuses_nothing(database: Database) {
    let (mut one, mut two) = two(&database).await;
    let mut verifiers = [Verifier::new(&one).await, Verifier::new(&two).await];
    let mut clients = join_all((0..8).map(|_| one.login("root"))).await;
    let mut signed_by = BTreeMap::new();
    // 30 s a step, past the end of the old key; the clients are in the middle of something always.
    for step in 0..60 {
        let work = clients.iter().enumerate().map(|(number, client)| {
            let (one, two, verifiers) = (&one, &two, &verifiers);
            async move {
                let (here, there) = if (number + step) % 2 == 0 { (one, two) } else { (two, one) };
                let next = tokens(&here.refresh(&client.refresh, None).await).unwrap();
                // What was given 30 s ago, and what was given just now, by the other process.
                for token in [&client.access, &next.access] {
                    assert_eq!(there.refusal(token).await, None, "step {step}");
                    assert!(verifiers.iter().all(|one| one.accepts(token)), "step {step}");
                }
                next
            }
        });
        let rotation = async {
            if step == 3 {
                let root = admin(&two).await;
                assert_eq!(rotate(&two, &root, Value::Null).await["errors"], json!([]));
            }
        };
        let (next, ()) = tokio::join!(join_all(work), rotation);
        for client in &next {
            *signed_by.entry(kid(&client.access)).or_insert(0) += 1;
        }
        clients = next;
        pass(&mut one, &mut two, Duration::from_secs(30)).await;
        verifiers[0].wake(&two).await;
        verifiers[1].wake(&one).await;
    }
    assert_eq!(signed_by.len(), 2, "{signed_by:?}");
    assert!(states(&one).await.values().any(|&state| state == "RETIRED"));
}

async fn a_process_that_starts_amid_a_rotation_takes_part_in_it(database: Database) {
    let first = Service::start(&database, "").await;
    first.make("root", Role::Admin).await;
    let (clock, root) = (Arc::clone(&first.clock), admin(&first).await);
    let old = kid(&root);
    assert_eq!(rotate(&first, &root, Value::Null).await["errors"], json!([]));
    drop(first);
    let start = |clock: &Arc<ManualClock>| Service::start_at(&database, "", Arc::clone(clock));
    let second = start(&clock).await;
    assert_eq!((kid(&admin(&second).await), second.refusal(&root).await), (old.clone(), None));
    drop(second);
    clock.advance(PUBLICATION);
    let third = start(&clock).await;
    let token = admin(&third).await;
    assert_ne!(kid(&token), old);
    assert_eq!(third.refusal(&root).await, None);
    drop(third);
    clock.advance(ALIVE);
    let fourth = start(&clock).await;
    assert_eq!(fourth.core.auth.keys.ring().jwks().body.matches("kid").count(), 1);
    assert_eq!(kid(&admin(&fourth).await), kid(&token));
}

async fn of_rotations_at_once_one_is_done_and_the_others_are_told(database: Database) {
    let (mut one, mut two) = two(&database).await;
    for round in 1..=2 {
        let root = admin(&one).await;
        let at_once = (0..12).map(|number| {
            let service = if number % 2 == 0 { &one } else { &two };
            rotate(service, &root, Value::Null)
        });
        let payloads = join_all(at_once).await;
        let (done, told): (Vec<_>, Vec<_>) =
            payloads.iter().partition(|payload| payload["errors"] == json!([]));
        assert_eq!((done.len(), told.len()), (1, 11), "{payloads:?}");
        assert!(told.iter().all(|payload| code(payload) == "FORBIDDEN"), "{told:?}");
        assert_eq!(states(&one).await.len(), 1 + round);
        let events = "SELECT count(*) FROM audit_events WHERE kind = 'KEY_ROTATED'";
        assert_eq!(database.raw().await.number(events).await, i64::try_from(round).unwrap());
        pass(&mut one, &mut two, PUBLICATION).await;
    }
}

async fn a_key_is_kept_for_as_long_as_the_longest_lived_of_its_tokens(database: Database) {
    let (mut one, _) = two(&database).await;
    let root = admin(&one).await;
    let payload = rotate(&one, &root, Value::Null).await;
    assert_eq!(payload["errors"], json!([]));
    // Its flag was changed after the order, and it still signs with the old key.
    let longer = "--access-token-lifetime 1h --leeway 5s";
    let three = Service::start_at(&database, longer, one.clock.clone()).await;
    let token = admin(&three).await;
    assert_eq!(kid(&token), kid(&root));
    drop(three);
    let keys = one.core.auth.keys.list(Admin::operator()).await.unwrap();
    let hour = Duration::from_secs(3_605);
    assert_eq!(keys[0].retire_safe_at, Some(keys[1].activates_at + hour));
    one.pass(PUBLICATION + Duration::from_mins(49)).await;
    assert_eq!(one.refusal(&token).await, None);
    // The next key's tokens may live as long: it was in the row before it signed.
    let root = admin(&one).await;
    assert_eq!(rotate(&one, &root, Value::Null).await["errors"], json!([]));
    let keys = one.core.auth.keys.list(Admin::operator()).await.unwrap();
    assert_eq!(keys[1].retire_safe_at, Some(keys[2].activates_at + hour));
}

async fn another_algorithm_at_the_start_is_a_rotation_too(database: Database) {
    let (mut one, mut two) = two(&database).await;
    let flags = "--algorithm EdDSA";
    let three = Service::start_at(&database, flags, one.clock.clone()).await;
    // One that is started with yet another flag does not start a second one.
    let _four = Service::start_at(&database, "--algorithm RS256", one.clock.clone()).await;
    assert_eq!(states(&one).await.len(), 2);
    let algorithm = |token: &str| jsonwebtoken::decode_header(token).unwrap().alg;
    assert_eq!(algorithm(&admin(&three).await), Algorithm::ES256);
    pass(&mut one, &mut two, PUBLICATION).await;
    for service in [&one, &two, &three] {
        let token = admin(service).await;
        assert_eq!(algorithm(&token), Algorithm::EdDSA);
        assert_eq!(one.refusal(&token).await, None);
    }
    // Whoever says nothing takes what there is; whoever says the same changes nothing.
    for flags in ["", flags] {
        let five = Service::start_at(&database, flags, one.clock.clone()).await;
        assert_eq!(algorithm(&admin(&five).await), Algorithm::EdDSA);
    }
    assert_eq!(states(&one).await.len(), 2);
}

async fn only_administrators_rotate_and_it_is_written_down(database: Database) {
    let (one, _) = two(&database).await;
    one.make("ada", Role::User).await;
    let ada = one.login("ada").await.access;
    const ROTATE: &str = "mutation { rotateSigningKey(input: { immediately: true }) {
        signingKey { kid } errors { code } } }";
    for (bearer, expected) in [(None, "UNAUTHENTICATED"), (Some(&*ada), "FORBIDDEN")] {
        let answer = one.send(bearer, ROTATE, Value::Null).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], expected, "{answer}");
    }
    let root = admin(&one).await;
    let payload = rotate(&one, &root, json!({ "algorithm": "HS256" })).await;
    assert_eq!(code(&payload), "INVALID_INPUT");
    assert_eq!(payload["errors"][0]["path"], json!(["input", "algorithm"]));
    assert_eq!(states(&one).await.len(), 1);
    let payload = rotate(&one, &root, json!({ "algorithm": "RS256" })).await;
    assert_eq!(payload["signingKey"]["algorithm"], "RS256", "{payload}");
    let waiting = rotate(&one, &root, Value::Null).await;
    assert_eq!(code(&waiting), "FORBIDDEN");
    let events = "SELECT count(*) FROM audit_events JOIN users ON users.id = actor_id \
                  WHERE kind = 'KEY_ROTATED' AND username = 'root' AND detail IS NULL";
    assert_eq!(database.raw().await.number(events).await, 1);
}

async fn the_private_part_of_a_retired_key_is_destroyed(database: Database) {
    let (mut one, mut two) = two(&database).await;
    let root = admin(&one).await;
    rotate(&one, &root, Value::Null).await;
    pass(&mut one, &mut two, PUBLICATION + ALIVE).await;
    let private = "SELECT count(*) FROM signing_keys WHERE length(sealed_private) > 0";
    // A minute more, for clocks that are apart.
    assert_eq!(one.core.auth.system.purge().await.unwrap().signing_keys, 0);
    pass(&mut one, &mut two, Duration::from_mins(1)).await;
    assert_eq!(one.core.auth.system.expired().await.unwrap().signing_keys, 1);
    assert_eq!(one.core.auth.system.purge().await.unwrap().signing_keys, 1);
    assert_eq!(database.raw().await.number(private).await, 1);
    assert_eq!(states(&one).await.into_values().filter(|&state| state == "RETIRED").count(), 1);
    // Its tokens are refused by processes that were there and by those that start now.
    pass(&mut one, &mut two, Duration::ZERO).await;
    let three = Service::start_at(&database, "", one.clock.clone()).await;
    for service in [&one, &two, &three] {
        assert_eq!(service.refusal(&root).await.as_deref(), Some("INVALID"));
        assert_eq!(service.refusal(&admin(&one).await).await, None);
    }
}
