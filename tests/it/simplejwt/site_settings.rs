//! Settings of the site that accounts were imported from.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::json;

use super::client::{
    BLACKLISTED, DONE, ENDPOINTS, NO_ACCOUNT, OBTAIN, blacklist, log_in, pair, post, refresh,
    verify,
};
use crate::api::foreign_tokens::old_site::OldSite;
use crate::api::service::{PASSWORD, Service};
use crate::databases::{Database, on_both};

on_both!(
    a_site_without_rotation_keeps_its_refresh_tokens,
    the_login_field_is_that_of_the_site_and_username,
    settings_are_those_of_the_site_and_not_of_other_sources,
);

/// Stores what an import says, at a time in seconds.
async fn import(database: &Database, source: &str, at: i64, settings: &str) {
    let insert = format!(
        "INSERT INTO import_sources (source, imported_at, settings) \
         VALUES ('{source}', {at}000000, '{settings}')"
    );
    database.raw().await.execute(insert).await;
}

async fn a_site_without_rotation_keeps_its_refresh_tokens(database: Database) {
    import(&database, "django", 1, r#"{"rotate_refresh_tokens":false}"#).await;
    let mut service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    for _ in 0..3 {
        service.pass(Duration::from_mins(1)).await;
        let answer = refresh(&service, &tokens.refresh).await;
        let access = answer.text("access");
        assert_eq!(answer.body, format!(r#"{{"access":"{access}"}}"#));
        answer.has_headers();
        assert_eq!(service.refusal(&access).await, None);
        verify(&service, &tokens.refresh).await.is(DONE);
    }
    // The mutation does as the policy of this service says.
    let payload = service.refresh(&tokens.refresh, None).await;
    let next = payload["tokens"]["refreshToken"].as_str().unwrap();
    assert_ne!(next, tokens.refresh);
    blacklist(&service, next).await.is(DONE);
    refresh(&service, next).await.is(BLACKLISTED);
}

async fn the_login_field_is_that_of_the_site_and_username(database: Database) {
    import(&database, "django", 1, r#"{"username_field":"email"}"#).await;
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada@example.com", Role::User).await;
    for field in ["email", "username"] {
        let fields = json!({ field: "ada@example.com", "password": PASSWORD });
        pair(&post(&service, OBTAIN, fields).await);
    }
    let both = json!({ "username": "ada@example.com", "email": "nobody", "password": PASSWORD });
    post(&service, OBTAIN, both).await.is(NO_ACCOUNT);
    let missing = r#"{"email":["This field is required."],"password":["This field is required."]}"#;
    post(&service, OBTAIN, json!({})).await.is((400, missing));
    let blank = r#"{"email":["This field may not be blank."]}"#;
    post(&service, OBTAIN, json!({ "email": "", "password": "x" })).await.is((400, blank));
}

async fn settings_are_those_of_the_site_and_not_of_other_sources(database: Database) {
    import(&database, "django", 1, r#"{"username_field":"phone","rotate_refresh_tokens":false}"#)
        .await;
    import(&database, "shop", 2, r#"{"username_field":"email","rotate_refresh_tokens":true}"#)
        .await;
    let mut service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    assert!(refresh(&service, &tokens.refresh).await.json()["refresh"].is_null());
    let missing = r#"{"phone":["This field is required."]}"#;
    post(&service, OBTAIN, json!({ "password": "x" })).await.is((400, missing));
    // An import while the service runs.
    let login = r#"{"username_field":"login","rotate_refresh_tokens":true}"#;
    let mut raw = database.raw().await;
    raw.execute(format!("UPDATE import_sources SET settings = '{login}' WHERE source = 'django'"))
        .await;
    service.pass(Duration::from_secs(11)).await;
    let missing = r#"{"login":["This field is required."]}"#;
    post(&service, OBTAIN, json!({ "password": "x" })).await.is((400, missing));
    pair(&refresh(&service, &tokens.refresh).await);
    // The site whose tokens are exchanged is another one.
    let site = OldSite::new("source = \"shop\"\n");
    let service = Service::start(&database, &format!("{ENDPOINTS} {}", site.flags())).await;
    let missing = r#"{"email":["This field is required."]}"#;
    post(&service, OBTAIN, json!({ "password": "x" })).await.is((400, missing));
}
