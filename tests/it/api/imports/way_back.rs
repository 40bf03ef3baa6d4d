//! The way back: what must not live again in the other system, and what goes on there.

use sallyport::domain::id::UserId;
use sallyport::domain::origin::Origin;
use sallyport::store::Scope;

use super::*;

on_both!(
    deleted_accounts_and_their_tokens_are_ended_there_too,
    tokens_that_were_ended_here_are_blacklisted_there,
    clients_of_a_site_that_does_not_rotate_keep_their_tokens,
    names_that_only_the_import_altered_stay_as_they_are_there,
);

async fn id_of(service: &Service, external_id: &str) -> UserId {
    let source = Source::parse("django").unwrap();
    service.core.store.present_accounts(&source, &[external_id]).await.unwrap()[0].id
}

fn of(records: &[Value], kind: &str) -> Vec<Value> {
    records.iter().filter(|record| record["kind"] == kind).cloned().collect()
}

fn jtis(records: &[Value]) -> Vec<Value> {
    of(records, "blacklisted").iter().map(|record| record["jti"].clone()).collect()
}

fn token(jti: &str, id: u32) -> Value {
    json!({ "kind": "outstanding", "jti": jti, "user_id": id, "created_at": "2026-01-01T00:00:00Z",
        "expires_at": "2100-01-01T00:00:00Z" })
}

async fn deleted_accounts_and_their_tokens_are_ended_there_too(database: Database) {
    let service = Service::start(&database, "").await;
    let lines =
        [user(1, "ada", json!({})), user(3, "cleo", json!({})), token("a", 1), token("c", 3)];
    import(&service, &lines).await;
    let deleted = id_of(&service, "3").await;
    let accounts = &service.core.auth.accounts;
    accounts.delete_user(Admin::operator(), deleted, Origin::default()).await.unwrap();
    let (records, _) = export(&service).await;
    let expected = json!({ "kind": "user", "id": "3", "is_active": false });
    assert_eq!(of(&records, "user"), [expected]);
    assert_eq!(jtis(&records), ["c"]);
}

async fn tokens_that_were_ended_here_are_blacklisted_there(database: Database) {
    let service = Service::start(&database, "").await;
    let lines = [
        user(1, "ada", json!({})),
        user(2, "bob", json!({})),
        token("a", 1),
        token("b", 2),
        json!({ "kind": "outstanding", "jti": "later", "user_id": 2,
            "created_at": "2100-01-01T00:00:00Z", "expires_at": "2101-01-01T00:00:00Z" }),
    ];
    import(&service, &lines).await;
    assert_eq!(jtis(&export(&service).await.0), Vec::<Value>::new());
    let session = service.login("bob").await;
    service.logout(Some(&session.access), None, "ALL").await;
    assert_eq!(jtis(&export(&service).await.0), ["b"]);
    let sessions = &service.core.auth.sessions;
    sessions.end_scope(Admin::operator(), Scope::All, Origin::default()).await.unwrap();
    assert_eq!(jtis(&export(&service).await.0), ["a", "b"]);
}

async fn clients_of_a_site_that_does_not_rotate_keep_their_tokens(database: Database) {
    let service = Service::start(&database, "").await;
    let lines = [user(1, "ada", json!({})), token("kept", 1), token("left", 1), token("used", 1)];
    let file =
        |rotates: bool| file_of("django", &json!({ "rotate_refresh_tokens": rotates }), &lines);
    let import = async |rotates| {
        let staged = read_text(&service, file(rotates), ImportOptions::default()).await;
        apply(&service, staged).await
    };
    import(false).await;
    let mut logins = Vec::new();
    for _ in 0..4 {
        service.clock.advance(Duration::from_secs(1));
        logins.push(service.login("ada").await);
    }
    let [kept, left, used] = &logins[..3] else { panic!("four logins") };
    let mut raw = database.raw().await;
    let sessions = "SELECT id FROM sessions ORDER BY created_at, id LIMIT 1 OFFSET";
    for (place, jti) in ["kept", "left", "used"].iter().enumerate() {
        raw.execute(format!(
            "UPDATE foreign_tokens SET session_id = ({sessions} {place}), exchanged_at = 1 \
             WHERE jti = '{jti}'"
        ))
        .await;
    }
    service.logout(None, Some(&left.refresh), "CURRENT").await;
    service.refresh(&used.refresh, None).await;
    let (records, _) = export(&service).await;
    assert_eq!(jtis(&records), ["left", "used"]);
    // That of the login, and that of the client which has refreshed.
    assert_eq!(of(&records, "session").len(), 2);
    assert_eq!(service.refusal(&kept.access).await, None);
    // A client of a site that rotates has the new token only.
    import(true).await;
    let (records, _) = export(&service).await;
    assert_eq!((jtis(&records).len(), of(&records, "session").len()), (3, 3));
}

async fn names_that_only_the_import_altered_stay_as_they_are_there(database: Database) {
    let service = Service::start(&database, "").await;
    let lines = [
        user(1, "Ada Lovelace", json!({ "email": "ada@example.com", "email_verified": true })),
        user(2, "bob@x.org", json!({ "email": "bob@example.com" })),
    ];
    import(&service, &lines).await;
    let set = "UPDATE password_credentials SET changed_at = 1";
    database.raw().await.execute(set).await;
    let other = "UPDATE users SET email = 'new@example.com', email_key = 'new@example.com' \
                 WHERE external_id = '2'";
    database.raw().await.execute(other).await;
    let (records, _) = export(&service).await;
    let members = |user: &Value| user.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let users = of(&records, "user");
    let mut both: Vec<_> = users.iter().map(members).collect();
    for names in &mut both {
        names.sort();
    }
    both.sort_by_key(Vec::len);
    assert_eq!(both[0], ["id", "kind", "password"]);
    assert_eq!(both[1], ["email", "email_verified", "id", "kind", "password"]);
}
