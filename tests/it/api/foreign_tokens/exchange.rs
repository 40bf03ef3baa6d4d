//! What a token of another system is exchanged for, and which are not.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::super::service::{Service, code, tokens};
use super::old_site::{
    MINUTE, OldSite, SECRET, blacklist, claims_of, fingerprint, imported, sign, sign_with,
};
use crate::databases::{Database, on_both};

on_both!(
    a_token_becomes_a_session_of_the_old_login,
    a_lost_answer_is_given_again_until_the_new_token_is_used,
    a_token_is_stale_for_a_while_after_its_exchange_and_then_reused,
    a_token_that_is_not_one_is_refused,
    a_token_that_the_import_does_not_name_is_refused_unless_it_may_be,
    after_the_cut_over_the_old_key_makes_no_session,
    nothing_is_accepted_after_the_end,
    a_token_that_names_another_password_is_dead,
    a_service_that_accepts_none_refuses_all,
    the_status_of_a_token_says_that_it_is_foreign,
    an_account_with_a_second_factor_goes_on_as_it_does_with_a_refresh,
    access_tokens_name_the_user_by_the_old_id,
);

async fn a_token_becomes_a_session_of_the_old_login(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    let token = site.outstanding(&database, "one").await;
    let payload = service.refresh(&token, None).await;
    let new = tokens(&payload).unwrap_or_else(|| panic!("{payload}"));
    assert_eq!(payload["session"]["generation"], 0);
    assert_eq!(service.refusal(&new.access).await, None);
    let claims = claims_of(&new.access);
    assert_eq!(
        (&claims["user_id"], &claims["auth_time"]),
        (&json!("42"), &json!(site.began - 3_600))
    );
    assert_eq!(claims["amr"], json!(["pwd"]));
    const SESSION: &str = "{ viewer { externalId lastLoginAt
        sessions(first: 1) { nodes { createdAt authenticatedAt } }
        auditEvents(first: 5) { nodes { kind session { sid } } } } }";
    let viewer =
        service.send(Some(&new.access), SESSION, Value::Null).await["data"]["viewer"].clone();
    assert_eq!(viewer["externalId"], "42");
    assert!(viewer["lastLoginAt"].is_null(), "the login was there");
    let session = &viewer["sessions"]["nodes"][0];
    assert!(session["authenticatedAt"].as_str() < session["createdAt"].as_str(), "{session}");
    let event = &viewer["auditEvents"]["nodes"][0];
    assert_eq!(event["kind"], "TOKEN_EXCHANGED");
    assert!(event["session"]["sid"].is_string());
    // An old login is not a fresh one.
    const CHANGE: &str =
        "mutation { changeUsername(input: { username: \"grace\" }) { errors { code } } }";
    let refused = service.send(Some(&new.access), CHANGE, Value::Null).await;
    assert_eq!(refused["errors"][0]["extensions"]["reason"], "REAUTHENTICATION_REQUIRED");
    // The session goes on as any other.
    let next = service.refresh(&new.refresh, None).await;
    assert_eq!(next["session"]["generation"], 1);
}

async fn a_lost_answer_is_given_again_until_the_new_token_is_used(database: Database) {
    let site = OldSite::new("");
    let mut service = site.service(&database, "").await;
    let token = site.outstanding(&database, "one").await;
    let first = tokens(&service.refresh(&token, None).await).unwrap();
    for _ in 0..3 {
        service.pass(20 * MINUTE).await;
        let again = tokens(&service.refresh(&token, None).await).unwrap();
        assert_eq!(again.refresh, first.refresh, "byte for byte");
        assert_eq!(service.refusal(&again.access).await, None);
    }
    const COUNT: &str = "SELECT count(*) FROM sessions";
    assert_eq!(database.raw().await.number(COUNT).await, 1);
}

async fn a_token_is_stale_for_a_while_after_its_exchange_and_then_reused(database: Database) {
    let site = OldSite::new("");
    let mut service = site.service(&database, "").await;
    let token = site.outstanding(&database, "one").await;
    let other = site.outstanding(&database, "two").await;
    let bystander = tokens(&service.refresh(&other, None).await).unwrap();
    let first = tokens(&service.refresh(&token, None).await).unwrap();
    let second = tokens(&service.refresh(&first.refresh, None).await).unwrap();
    assert_eq!(code(&service.refresh(&token, None).await), "REFRESH_TOKEN_STALE");
    service.pass(9 * MINUTE).await;
    assert_eq!(code(&service.refresh(&token, None).await), "REFRESH_TOKEN_STALE");
    assert_eq!(service.refusal(&second.access).await, None);
    service.pass(2 * MINUTE).await;
    assert_eq!(code(&service.refresh(&token, None).await), "REFRESH_TOKEN_REUSED");
    assert_eq!(service.refusal(&second.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(code(&service.refresh(&second.refresh, None).await), "SESSION_ENDED");
    assert_eq!(code(&service.refresh(&token, None).await), "SESSION_ENDED");
    assert_eq!(service.refusal(&bystander.access).await, None, "only this session ends");
}

async fn a_token_that_is_not_one_is_refused(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    let good = site.outstanding(&database, "one").await;
    site.outstanding(&database, "two").await;
    let claims = site.claims("one");
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        sign(&claims)
    };
    let (message, signature) = good.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    for (why, token) in [
        ("forged", format!("{message}.{flipped}{}", &signature[1..])),
        ("another key", sign_with(&claims, "another-secret-of-thirty-two-bytes", Algorithm::HS256)),
        ("another size", sign_with(&claims, SECRET, Algorithm::HS512)),
        ("issued in the future", changed("iat", json!(site.began + 3_600))),
        ("an access token", changed("token_type", json!("access"))),
        ("without an id", changed("jti", json!(null))),
        ("of another user", changed("user_id", json!("43"))),
        ("of nobody", changed("user_id", json!(null))),
        ("not named by the import", changed("jti", json!("three"))),
    ] {
        assert_eq!(code(&service.refresh(&token, None).await), "REFRESH_TOKEN_INVALID", "{why}");
    }
    let expired = changed("exp", json!(site.began - 1));
    assert_eq!(code(&service.refresh(&expired, None).await), "REFRESH_TOKEN_EXPIRED");
    // The user of another account cannot take the token over.
    service.make("bob", sallyport::domain::user::Role::User).await;
    imported(&database, "bob", "43").await;
    let of_bob = changed("user_id", json!("43"));
    assert_eq!(code(&service.refresh(&of_bob, None).await), "REFRESH_TOKEN_INVALID");
    blacklist(&database, "two").await;
    let mut dead = claims.clone();
    dead["jti"] = json!("two");
    assert_eq!(code(&service.refresh(&sign(&dead), None).await), "SESSION_ENDED");
    assert!(tokens(&service.refresh(&good, None).await).is_some());
}

async fn a_token_that_the_import_does_not_name_is_refused_unless_it_may_be(database: Database) {
    let site = OldSite::new("");
    let strict = site.service(&database, "").await;
    let token = sign(&site.claims("unknown"));
    assert_eq!(code(&strict.refresh(&token, None).await), "REFRESH_TOKEN_INVALID");
    let lax = OldSite::new("require-outstanding = false");
    let service = Service::start(&database, &lax.flags()).await;
    // A number, as versions before 5.5.1 write it.
    let mut claims = site.claims("unknown");
    claims["user_id"] = json!(42);
    let first = tokens(&service.refresh(&sign(&claims), None).await).unwrap();
    let again = tokens(&service.refresh(&sign(&claims), None).await).unwrap();
    assert_eq!(again.refresh, first.refresh);
    // Without a time of its own it is not known how old it is.
    let mut timeless = site.claims("timeless");
    timeless.as_object_mut().unwrap().remove("iat");
    assert_eq!(code(&service.refresh(&sign(&timeless), None).await), "REFRESH_TOKEN_INVALID");
    site.outstanding(&database, "timeless").await;
    assert!(tokens(&strict.refresh(&sign(&timeless), None).await).is_some());
}

async fn after_the_cut_over_the_old_key_makes_no_session(database: Database) {
    let site = OldSite::new("");
    let until = Duration::from_hours(2);
    let cut_over = sallyport::clock::Timestamp::from_seconds(site.began) - until;
    let late = OldSite::new(&format!(
        "require-outstanding = false\nissued-before = \"{}\"",
        text(cut_over)
    ));
    let service = site.service(&database, "").await;
    let strict = Service::start(&database, &late.flags()).await;
    let token = sign(&site.claims("made-now"));
    assert_eq!(code(&strict.refresh(&token, None).await), "REFRESH_TOKEN_INVALID");
    let mut old = site.claims("old");
    old["iat"] = json!(site.began - 7_200);
    assert!(tokens(&strict.refresh(&sign(&old), None).await).is_some());
    drop(service);
}

fn text(time: sallyport::clock::Timestamp) -> String {
    jiff::Timestamp::from_microsecond(time.as_micros()).unwrap().to_string()
}

async fn nothing_is_accepted_after_the_end(database: Database) {
    let begin = sallyport::clock::SystemClock::new();
    let now = sallyport::clock::Clock::now(&begin);
    let site = OldSite::new(&format!("until = \"{}\"", text(now + Duration::from_hours(1))));
    let mut service = site.service(&database, "").await;
    let (one, two) =
        (site.outstanding(&database, "one").await, site.outstanding(&database, "two").await);
    assert!(tokens(&service.refresh(&one, None).await).is_some());
    service.pass(Duration::from_hours(1)).await;
    for token in [one, two] {
        assert_eq!(code(&service.refresh(&token, None).await), "REFRESH_TOKEN_INVALID");
    }
}

async fn a_token_that_names_another_password_is_dead(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    fingerprint(&database, "0f0e0d0c0b0a09080706050403020100").await;
    let mut claims = site.claims("one");
    site.outstanding(&database, "one").await;
    claims["hash_password"] = json!("1F0E0D0C0B0A09080706050403020100");
    assert_eq!(code(&service.refresh(&sign(&claims), None).await), "SESSION_ENDED");
    claims["hash_password"] = json!("0F0E0D0C0B0A09080706050403020100");
    assert!(tokens(&service.refresh(&sign(&claims), None).await).is_some());
}

async fn a_service_that_accepts_none_refuses_all(database: Database) {
    let site = OldSite::new("");
    let service = Service::start(&database, "").await;
    service.make("ada", sallyport::domain::user::Role::User).await;
    imported(&database, "ada", "42").await;
    let token = site.outstanding(&database, "one").await;
    assert_eq!(code(&service.refresh(&token, None).await), "REFRESH_TOKEN_INVALID");
}

async fn the_status_of_a_token_says_that_it_is_foreign(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    let status = async |token: &str| {
        const STATUS: &str = "query($t: String!) { tokenStatus(token: $t) { active reason tokenType expiresAt session { id } } }";
        let answer = service.send(None, STATUS, json!({ "t": token })).await;
        let status = answer["data"]["tokenStatus"].clone();
        assert_eq!(status["active"], false, "{answer}");
        assert!(status["tokenType"].is_null() && status["expiresAt"].is_null());
        status["reason"].clone()
    };
    let token = site.outstanding(&database, "one").await;
    assert_eq!(status(&token).await, "FOREIGN");
    let mut access = site.claims("two");
    access["token_type"] = json!("access");
    assert_eq!(status(&sign(&access)).await, "FOREIGN");
    let forged = sign_with(&access, "another-secret-of-thirty-two-bytes", Algorithm::HS256);
    assert_eq!(status(&forged).await, "INVALID");
}

async fn an_account_with_a_second_factor_goes_on_as_it_does_with_a_refresh(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "--second-factor required").await;
    let token = site.outstanding(&database, "one").await;
    let payload = service.refresh(&token, None).await;
    assert!(tokens(&payload).is_some(), "{payload}");
    let login = service.try_login("ada", super::super::service::PASSWORD).await;
    assert!(login["challenge"]["challengeToken"].is_string(), "{login}");
}

async fn access_tokens_name_the_user_by_the_old_id(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    let login = service.login("ada").await;
    let refreshed = tokens(&service.refresh(&login.refresh, None).await).unwrap();
    let repeated = tokens(&service.refresh(&login.refresh, None).await).unwrap();
    for token in [&login, &refreshed, &repeated] {
        assert_eq!(claims_of(&token.access)["user_id"], "42");
        assert_eq!(service.refusal(&token.access).await, None);
    }
    service.make("bob", sallyport::domain::user::Role::User).await;
    let bob = service.login("bob").await;
    assert!(claims_of(&bob.access)["user_id"].is_null());
}
