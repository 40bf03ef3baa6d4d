//! Logged out means out, for tokens of another system, too.

use serde_json::{Value, json};

use super::super::service::{PASSWORD, Service, Tokens, code, tokens};
use super::old_site::{MINUTE, OldSite, sign};
use crate::databases::{Database, on_both};

on_both!(
    whatever_ends_all_sessions_refuses_the_tokens_that_were_not_exchanged,
    the_end_of_everybodys_sessions_refuses_them_too,
    a_logout_by_a_token_is_its_end,
    a_logout_of_the_session_is_the_end_of_the_token,
    a_token_alone_ends_no_other_sessions,
    a_deactivated_account_exchanges_nothing_ever_again,
    a_logout_while_the_account_is_deactivated_lasts,
);

/// Logs in by password, ends all sessions by this mutation, and returns what a token of before is answered with.
async fn after(database: &Database, document: &str, variables: Value) -> String {
    let site = OldSite::new("");
    let service = site.service(database, "").await;
    let token = site.outstanding(database, "one").await;
    let login = service.login("ada").await;
    let done = service.send(Some(&login.access), document, variables).await;
    assert!(done["errors"].is_null(), "{done}");
    code(&service.refresh(&token, None).await).to_owned()
}

async fn whatever_ends_all_sessions_refuses_the_tokens_that_were_not_exchanged(database: Database) {
    const LOGOUT: &str = "mutation { logout(input: { scope: ALL }) { errors { code } } }";
    assert_eq!(after(&database, LOGOUT, Value::Null).await, "SESSION_ENDED");
    for (name, document) in [
        ("bob", "mutation { logout(input: { scope: OTHERS }) { errors { code } } }"),
        (
            "eve",
            "mutation($p: String!, $n: String!) {
            changePassword(input: { currentPassword: $p, newPassword: $n }) { errors { code } } }",
        ),
    ] {
        let site = OldSite::new("");
        let service = Service::start(&database, &site.flags()).await;
        service.make(name, sallyport::domain::user::Role::User).await;
        super::old_site::imported(&database, name, name).await;
        let mut claims = site.claims(name);
        claims["user_id"] = json!(name);
        site.outstanding(&database, name).await;
        let owner =
            format!("UPDATE foreign_tokens SET external_id = '{name}' WHERE jti = '{name}'");
        database.raw().await.execute(owner).await;
        let login = service.login(name).await;
        let variables = json!({ "p": PASSWORD, "n": "granite-lantern-orchard-58" });
        let done = service.send(Some(&login.access), document, variables).await;
        assert!(done["errors"].is_null(), "{done}");
        assert_eq!(code(&service.refresh(&sign(&claims), None).await), "SESSION_ENDED", "{name}");
    }
}

async fn the_end_of_everybodys_sessions_refuses_them_too(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    let (one, two) =
        (site.outstanding(&database, "one").await, site.outstanding(&database, "two").await);
    let exchanged = tokens(&service.refresh(&one, None).await).unwrap();
    service.make("root", sallyport::domain::user::Role::Admin).await;
    let root = service.login("root").await;
    const END: &str = "mutation { endSessions(input: { filter: { state: ACTIVE }, dryRun: false }) { endedCount errors { code } } }";
    let done = service.send(Some(&root.access), END, Value::Null).await;
    assert!(done["data"]["endSessions"]["errors"] == json!([]), "{done}");
    assert_eq!(service.refusal(&exchanged.access).await.as_deref(), Some("SESSION_ENDED"));
    for token in [one, two] {
        assert_eq!(code(&service.refresh(&token, None).await), "SESSION_ENDED");
    }
}

async fn a_logout_by_a_token_is_its_end(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    // Before its exchange.
    let token = site.outstanding(&database, "one").await;
    for _ in 0..2 {
        let done = service.logout(None, Some(&token), "CURRENT").await;
        assert_eq!((&done["errors"], &done["endedCount"]), (&json!([]), &json!(0)));
    }
    assert_eq!(code(&service.refresh(&token, None).await), "SESSION_ENDED");
    // After it.
    let token = site.outstanding(&database, "two").await;
    let session = tokens(&service.refresh(&token, None).await).unwrap();
    let done = service.logout(None, Some(&token), "CURRENT").await;
    assert_eq!((&done["errors"], &done["endedCount"]), (&json!([]), &json!(1)));
    assert_eq!(service.refusal(&session.access).await.as_deref(), Some("SESSION_ENDED"));
    let again = service.logout(None, Some(&token), "CURRENT").await;
    assert_eq!((&again["errors"], &again["endedCount"]), (&json!([]), &json!(0)));
    // Of another user.
    service.make("bob", sallyport::domain::user::Role::User).await;
    let bob: Tokens = service.login("bob").await;
    let token = site.outstanding(&database, "three").await;
    let refused = service.logout(Some(&bob.access), Some(&token), "CURRENT").await;
    assert_eq!(code(&refused), "FORBIDDEN");
    assert!(tokens(&service.refresh(&token, None).await).is_some());
}

async fn a_logout_of_the_session_is_the_end_of_the_token(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    let token = site.outstanding(&database, "one").await;
    let session = tokens(&service.refresh(&token, None).await).unwrap();
    service.logout(Some(&session.access), None, "CURRENT").await;
    assert_eq!(code(&service.refresh(&token, None).await), "SESSION_ENDED");
}

async fn a_token_alone_ends_no_other_sessions(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    let token = site.outstanding(&database, "one").await;
    let login = service.login("ada").await;
    for scope in ["OTHERS", "ALL"] {
        let refused = service.logout(None, Some(&token), scope).await;
        assert_eq!(code(&refused), "REFRESH_TOKEN_INVALID");
    }
    assert_eq!(service.refusal(&login.access).await, None);
    assert!(tokens(&service.refresh(&token, None).await).is_some());
}

async fn a_deactivated_account_exchanges_nothing_ever_again(database: Database) {
    let site = OldSite::new("");
    let mut service = site.service(&database, "").await;
    let token = site.outstanding(&database, "one").await;
    service.make("root", sallyport::domain::user::Role::Admin).await;
    let root = service.login("root").await;
    const FIND: &str = "{ users(filter: { search: \"ada\" }) { nodes { id } } }";
    let found = service.send(Some(&root.access), FIND, Value::Null).await;
    let ada = found["data"]["users"]["nodes"][0]["id"].clone();
    for active in [false, true] {
        const SET: &str = "mutation($u: ID!, $a: Boolean!) {
            setUserActive(input: { userId: $u, active: $a }) { errors { code } } }";
        let done = service.send(Some(&root.access), SET, json!({ "u": ada, "a": active })).await;
        assert!(done["errors"].is_null(), "{done}");
        assert_eq!(code(&service.refresh(&token, None).await), "SESSION_ENDED", "{active}");
        service.pass(MINUTE).await;
    }
}

async fn a_logout_while_the_account_is_deactivated_lasts(database: Database) {
    let site = OldSite::new("");
    let service = site.service(&database, "").await;
    let token = site.outstanding(&database, "one").await;
    // As an import leaves an account that was deactivated there.
    let mut raw = database.raw().await;
    raw.execute("UPDATE users SET deactivated_at = 1 WHERE username = 'ada'").await;
    let done = service.logout(None, Some(&token), "CURRENT").await;
    assert_eq!(done["errors"], json!([]));
    raw.execute("UPDATE users SET deactivated_at = NULL WHERE username = 'ada'").await;
    assert_eq!(code(&service.refresh(&token, None).await), "SESSION_ENDED");
}
