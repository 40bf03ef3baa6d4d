//! Pairs of tokens: their claims, and their rows in the database.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sallyport::clock::Clock;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, Tokens, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_pair_is_of_one_moment_and_each_of_the_two_has_an_id_of_its_own,
    the_refresh_token_alone_is_recorded_and_by_what_it_says,
    what_is_missing_is_refused_before_anything_is_done,
    a_well_signed_token_that_is_not_recorded_is_refused,
);

/// What a token says.
fn claims(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// Both of a pair, which live for as long as the defaults say.
fn both(pair: &Tokens, now: i64) -> (Value, Value) {
    let (access, refresh) = (claims(&pair.access), claims(&pair.refresh));
    for (token, kind, lifetime) in
        [(&access, "access", 15 * 60), (&refresh, "refresh", 7 * 24 * 60 * 60)]
    {
        assert_eq!(token["token_type"], kind);
        assert_eq!((&token["iat"], &token["exp"]), (&json!(now), &json!(now + lifetime)));
    }
    assert_eq!((&access["sub"], &access["sid"]), (&refresh["sub"], &refresh["sid"]));
    assert_ne!(access["jti"], refresh["jti"]);
    (access, refresh)
}

async fn a_pair_is_of_one_moment_and_each_of_the_two_has_an_id_of_its_own(database: Database) {
    let mut service = Service::start(&database, "").await;
    let id = service.make("ada", Role::User).await;
    let payload = service.try_login("ada", PASSWORD).await;
    let began = service.clock.now().as_seconds();
    let first = tokens(&payload).unwrap();
    let (access, refresh) = both(&first, began);
    assert_eq!(id, format!("User:{}", access["sub"].as_str().unwrap()));
    let answer = service.send(Some(&first.access), "{ viewer { id username } }", Value::Null).await;
    assert_eq!(answer["data"]["viewer"], payload["user"]);

    service.pass(Duration::from_mins(1)).await;
    let second = tokens(&service.refresh(&first.refresh, None).await).unwrap();
    let (next_access, next_refresh) = both(&second, began + 60);
    assert_ne!(next_access["jti"], access["jti"]);
    assert_ne!(next_refresh["jti"], refresh["jti"]);
    assert_eq!((&next_access["sid"], &next_access["auth_time"]), (&access["sid"], &json!(began)));
}

async fn the_refresh_token_alone_is_recorded_and_by_what_it_says(database: Database) {
    let mut service = Service::start(&database, "--rotate-refresh-tokens false").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let refresh = claims(&ada.refresh);
    let id = database.literal(refresh["jti"].as_str().unwrap().parse().unwrap());
    let micros = |claim: &str| refresh[claim].as_i64().unwrap() * 1_000_000;
    let recorded = format!(
        "SELECT count(*) FROM sessions WHERE token_id = {id} AND token_issued_at = {} \
         AND token_expires_at = {}",
        micros("iat"),
        micros("exp")
    );
    let all = "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM blacklist_entries)";
    let mut raw = database.raw().await;
    for _ in 0..3 {
        assert_eq!((raw.number(&*recorded).await, raw.number(all).await), (1, 1));
        service.pass(Duration::from_mins(1)).await;
        // One more access token, which is used.
        let payload = service.refresh(&ada.refresh, None).await;
        let access = payload["tokens"]["accessToken"].as_str().unwrap();
        assert_eq!(service.refusal(access).await, None);
    }
}

async fn what_is_missing_is_refused_before_anything_is_done(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    for (input, missing) in [
        ("{ username: \"ada\" }", &["password"][..]),
        ("{ password: \"x\" }", &["username"]),
        ("{}", &["username", "password"]),
        ("{ username: \"ada\", password: null }", &["password"]),
    ] {
        let query = format!("mutation {{ login(input: {input}) {{ errors {{ code }} }} }}");
        let answer = service.send(None, &query, Value::Null).await;
        assert!(answer.get("data").is_none(), "{answer}");
        let errors = answer["errors"].to_string();
        assert!(errors.contains("GRAPHQL_VALIDATION_FAILED"), "{answer}");
        assert!(missing.iter().any(|field| errors.contains(field)), "{answer}");
    }
    let tried = "SELECT count(*) FROM audit_events WHERE kind LIKE 'LOGIN%'";
    assert_eq!(database.raw().await.number(tried).await, 0);
}

async fn a_well_signed_token_that_is_not_recorded_is_refused(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    database.raw().await.execute("DELETE FROM sessions").await;
    for _ in 0..2 {
        assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    }
    assert_eq!(service.logout(None, Some(&ada.refresh), "CURRENT").await["endedCount"], 0);
}
