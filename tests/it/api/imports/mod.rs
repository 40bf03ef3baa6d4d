//! Imports of accounts and refresh tokens of another system, and the way back.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use sallyport::auth::{
    Admin, Error, ExportLine, ImportError, ImportInput, ImportSummary, StagedImport,
};
use sallyport::clock::Clock;
use sallyport::domain::external_account::Source;
use sallyport::domain::id::TokenId;
use sallyport::domain::import::{ImportOptions, ProblemKind};
use sallyport::domain::user::Role;
use sallyport::entropy::SystemEntropy;
use sallyport::store::ImportLease;
use serde_json::{Value, json};

mod collisions;
mod way_back;
mod what_is_here;

use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_repeated_import_changes_nothing,
    an_import_of_one_half_and_then_of_all_is_as_one_of_all,
    what_changed_there_comes_over_unless_it_changed_here,
    a_password_that_was_changed_here_stays,
    an_account_that_is_deactivated_there_is_logged_out_here,
    the_last_administrator_stays_one,
    of_names_that_collide_the_last_to_log_in_keeps_its_own,
    accounts_of_this_service_keep_their_names,
    no_name_means_the_address_of_another,
    a_fast_hash_is_wrapped_and_logs_in,
    a_token_stays_blacklisted_in_whatever_order_it_is_read,
    the_session_of_a_token_that_is_blacklisted_later_ends,
    of_two_imports_one_waits_or_is_refused,
    names_that_are_taken_between_reading_and_writing_are_chosen_anew,
    accounts_that_are_gone_there_are_reported_and_stay,
    the_way_back_has_what_changed_and_nothing_else,
);

/// Hashes of [`PASSWORD`] by Django.
const SLOW: &str =
    "pbkdf2_sha256$1000$u8jzPde0IgxLd6GncfBAep$SP8H8aMYKVv/PVcHg4fxsOA7CYZzGYNyjMY6xueX4zE=";
const OTHER_SLOW: &str = "pbkdf2_sha1$1000$fJBd0Kh8oOOL8dKLzdocJ2$UDT3HsjN0btIrRZdy3CWnkEPihI=";
const FAST: &str = "bed0e811051601bf5e40378eef6d7b10";

/// A line of an account; `more` overrides its members.
#[expect(clippy::needless_pass_by_value, reason = "a literal is given")]
fn user(id: u32, username: &str, more: Value) -> Value {
    let mut user = json!({
        "kind": "user", "id": id.to_string(), "username": username, "email": null,
        "password": SLOW, "is_active": true, "is_staff": false, "is_superuser": false,
        "date_joined": "2024-01-01T00:00:00Z", "last_login": null,
    });
    let more = more.as_object().unwrap().clone();
    user.as_object_mut().unwrap().extend(more);
    user
}

fn file(lines: &[Value]) -> String {
    file_of("django", &json!({ "username_field": "username" }), lines)
}

fn file_of(source: &str, settings: &Value, lines: &[Value]) -> String {
    let count = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    let header = json!({ "format": "sallyport-import", "version": 1, "source": source,
        "settings": settings });
    let end = json!({ "kind": "end", "users": count("user"), "outstanding": count("outstanding"),
        "blacklisted": count("blacklisted") });
    let all = [&[header], lines, &[end]].concat();
    all.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

async fn read_with(service: &Service, lines: &[Value], options: ImportOptions) -> StagedImport {
    read_text(service, file(lines), options).await
}

async fn read_text(service: &Service, text: String, options: ImportOptions) -> StagedImport {
    let content = Box::new(Cursor::new(text));
    let input = ImportInput { content, size: None, source: None, options };
    service.core.auth.imports.read(input, &|_| {}).await.unwrap()
}

async fn read(service: &Service, lines: &[Value]) -> StagedImport {
    read_with(service, lines, ImportOptions::default()).await
}

async fn apply(service: &Service, mut staged: StagedImport) -> ImportSummary {
    service.core.auth.imports.apply(Admin::operator(), &mut staged, &|_| {}).await.unwrap()
}

async fn import(service: &Service, lines: &[Value]) -> ImportSummary {
    apply(service, read(service, lines).await).await
}

/// New, changed and unchanged accounts.
fn users(summary: &ImportSummary) -> (u64, u64, u64) {
    (summary.users.new, summary.users.changed, summary.users.unchanged)
}

/// Ids there, names and addresses of imported accounts, in the order of their ids there.
async fn accounts(database: &Database) -> Vec<String> {
    let sql = "SELECT external_id || ' ' || username || ' ' || COALESCE(email, '-') || \
               CASE WHEN deactivated_at IS NULL THEN '' ELSE ' off' END \
               FROM users WHERE external_id IS NOT NULL ORDER BY length(external_id), external_id";
    database.raw().await.texts(sql).await
}

/// Kinds and outcomes of everything that is reported.
async fn reported(staged: &mut StagedImport) -> Vec<String> {
    let (problems, _) = staged.problems(None, 0, 1_000).await.unwrap();
    let told = |problem: sallyport::domain::import::Problem| {
        let [id, value, outcome] =
            [problem.id, problem.value, problem.outcome].map(Option::unwrap_or_default);
        format!("{} {id} {value} {outcome}", problem.kind.as_str()).trim_end().to_owned()
    };
    problems.into_iter().map(told).collect()
}

fn some_lines() -> Vec<Value> {
    vec![
        user(1, "ada", json!({ "email": "ada@example.com", "email_verified": true })),
        user(2, "bob", json!({ "password": "!unusable", "is_staff": true })),
        user(3, "cleo", json!({ "is_active": false, "password": FAST })),
        json!({ "kind": "outstanding", "jti": "a", "user_id": "1",
            "created_at": "2026-01-01T00:00:00Z", "expires_at": "2100-01-01T00:00:00Z" }),
    ]
}

/// Everything that an import writes, but for the time.
async fn written(database: &Database) -> Vec<String> {
    let mut raw = database.raw().await;
    let mut rows = raw
        .texts(
            "SELECT users.external_id || username || username_key || username_skeleton || \
             COALESCE(email_key, '-') || role || COALESCE(roles, '-') || created_at || \
             COALESCE(last_login_at, 0) || COALESCE(scheme, '-') FROM users LEFT JOIN \
             password_credentials ON user_id = id WHERE external_id IS NOT NULL \
             ORDER BY users.external_id",
        )
        .await;
    let tokens = "SELECT jti || external_id || expires_at FROM foreign_tokens ORDER BY jti";
    rows.extend(raw.texts(tokens).await);
    rows
}

async fn a_repeated_import_changes_nothing(database: Database) {
    let service = Service::start(&database, "").await;
    let first = import(&service, &some_lines()).await;
    assert_eq!((users(&first), first.active, first.inactive), ((3, 0, 0), 2, 1));
    assert_eq!((first.outstanding, first.problems.len()), (1, 0));
    let before = written(&database).await;
    assert_eq!(before.len(), 4);
    let again = import(&service, &some_lines()).await;
    assert_eq!(users(&again), (0, 0, 3));
    assert_eq!(written(&database).await, before);
    let status = service.core.auth.imports.status(Admin::operator()).await.unwrap();
    assert_eq!(
        (status[0].users, status[0].legacy_passwords, status[0].exchanged_tokens),
        (3, 2, 0)
    );
    assert!(tokens(&service.try_login("ada@example.com", PASSWORD).await).is_some());
    assert_eq!(code(&service.try_login("bob", PASSWORD).await), "INVALID_CREDENTIALS");
    assert_eq!(code(&service.try_login("cleo", PASSWORD).await), "INVALID_CREDENTIALS");
    // A hash that a login has upgraded, and the time of that login, are no change.
    assert_eq!(users(&import(&service, &some_lines()).await), (0, 0, 3));
    // The status before is answered for ten seconds.
    service.clock.advance_monotonic(Duration::from_secs(10));
    let status = service.core.auth.imports.status(Admin::operator()).await.unwrap();
    assert_eq!(status[0].legacy_passwords, 1);
    let events = "SELECT detail FROM audit_events WHERE kind = 'USERS_IMPORTED' ORDER BY id";
    let events = database.raw().await.texts(events).await;
    assert_eq!(
        events[..2],
        ["django: 3 new, 0 changed, 0 unchanged", "django: 0 new, 0 changed, 3 unchanged"]
    );
}

/// Accounts whose names and addresses collide.
fn colliding_lines() -> Vec<Value> {
    let login = |second: u32| format!("2026-01-01T00:00:{second:02}Z");
    let mut lines: Vec<Value> = (1..=40)
        .map(|id| {
            let name = ["Ada", "ada", "ADA", "aDa", "ada-2"][id as usize % 5];
            let email = format!("a{}@example.com", id % 7);
            user(id, name, json!({ "email": email, "last_login": login(id * 7 % 40) }))
        })
        .collect();
    lines.push(user(41, "раураӏ", json!({ "last_login": login(1) })));
    lines.push(user(42, "paypal", json!({})));
    lines
}

async fn an_import_of_one_half_and_then_of_all_is_as_one_of_all(database: Database) {
    let service = Service::start(&database, "").await;
    let lines = colliding_lines();
    apply(&service, read(&service, &lines[20..]).await).await;
    let half = accounts(&database).await;
    assert_eq!(half.len(), 22);
    let all = import(&service, &lines).await;
    assert_eq!(users(&all), (20, 0, 22));
    let whole = accounts(&database).await;
    assert_eq!(whole.len(), 42);
    // What is here keeps its names.
    assert!(half.iter().all(|account| whole.contains(account)), "{half:?} {whole:?}");
    assert_eq!(users(&import(&service, &lines).await), (0, 0, 42));
    assert_eq!(accounts(&database).await, whole);
}

async fn what_changed_there_comes_over_unless_it_changed_here(database: Database) {
    let service = Service::start(&database, "").await;
    let old = [
        user(1, "ada", json!({ "email": "ada@example.com" })),
        user(2, "bob", json!({ "email": "bob@example.com" })),
        user(3, "cleo", json!({ "groups": ["night"] })),
    ];
    let options = ImportOptions {
        groups_are_roles: true,
        superusers_are_admins: true,
        ..ImportOptions::default()
    };
    apply(&service, read_with(&service, &old, options).await).await;
    let mut raw = database.raw().await;
    raw.execute("UPDATE users SET email = 'new@example.com', email_key = 'new@example.com' WHERE username = 'bob'").await;
    let new = [
        user(
            1,
            "ada.l",
            json!({ "email": "ada.l@example.com", "last_login": "2026-05-01T00:00:00Z" }),
        ),
        user(2, "robert", json!({ "email": "robert@example.com", "is_active": false })),
        user(3, "cleo", json!({ "groups": ["day"], "is_superuser": true })),
    ];
    let mut staged = read_with(&service, &new, options).await;
    assert_eq!(users(staged.summary()), (0, 3, 0));
    assert_eq!(reported(&mut staged).await, ["CHANGED_ON_BOTH_SIDES 2 email"]);
    apply(&service, staged).await;
    let expected = ["1 ada.l ada.l@example.com", "2 robert new@example.com off", "3 cleo -"];
    assert_eq!(accounts(&database).await, expected);
    let roles = raw.texts("SELECT role || roles FROM users WHERE username = 'cleo'").await;
    assert_eq!(roles, [r#"ADMIN["superuser","day"]"#]);
    // A conflict is reported again, and changes nothing.
    let mut staged = read_with(&service, &new, options).await;
    assert_eq!(users(staged.summary()), (0, 0, 3));
    assert_eq!(reported(&mut staged).await, ["CHANGED_ON_BOTH_SIDES 2 email"]);
    // Only a login there.
    let mut later = new.clone();
    later[2] = user(
        3,
        "cleo",
        json!({ "groups": ["day"], "is_superuser": true,
        "last_login": "2026-06-01T00:00:00Z" }),
    );
    apply(&service, read_with(&service, &later, options).await).await;
    let logins = raw.number("SELECT last_login_at FROM users WHERE username = 'cleo'").await;
    assert_eq!(logins, 1_780_272_000_000_000);
}

async fn a_password_that_was_changed_here_stays(database: Database) {
    let service = Service::start(&database, "").await;
    import(&service, &[user(1, "ada", json!({})), user(2, "bob", json!({}))]).await;
    let scheme = async |name: &str| {
        let sql = format!(
            "SELECT scheme FROM password_credentials JOIN users ON user_id = id WHERE username = '{name}'"
        );
        database.raw().await.texts(sql).await.join(" ")
    };
    // An upgrade is no change; a change is.
    service.login("ada").await;
    database
        .raw()
        .await
        .execute(
            "UPDATE password_credentials SET changed_at = 1 WHERE user_id = \
        (SELECT id FROM users WHERE username = 'bob')",
        )
        .await;
    assert_eq!(
        (scheme("ada").await.as_str(), scheme("bob").await.as_str()),
        ("ARGON2ID", "PBKDF2")
    );
    let new = [
        user(1, "ada", json!({ "password": OTHER_SLOW })),
        user(2, "bob", json!({ "password": "!no" })),
    ];
    let mut staged = read(&service, &new).await;
    assert_eq!(users(staged.summary()), (0, 1, 1));
    assert_eq!(reported(&mut staged).await, ["CHANGED_ON_BOTH_SIDES 2 password"]);
    apply(&service, staged).await;
    assert_eq!((scheme("ada").await.as_str(), scheme("bob").await.as_str()), ("PBKDF2", "PBKDF2"));
    service.login("ada").await;
    import(&service, &[user(1, "ada", json!({ "password": "!no" }))]).await;
    assert_eq!(scheme("ada").await, "");
}

async fn an_account_that_is_deactivated_there_is_logged_out_here(database: Database) {
    let mut service = Service::start(&database, "").await;
    let other = Service::start(&database, "").await;
    import(&service, &[user(1, "ada", json!({})), user(2, "bob", json!({}))]).await;
    let (ada, bob) = (service.login("ada").await, service.login("bob").await);
    let off = [user(1, "ada", json!({ "is_active": false })), user(2, "bob", json!({}))];
    // By another process, as the command is one.
    let summary = import(&other, &off).await;
    assert_eq!(summary.ended_sessions, 1);
    service.pass(Duration::from_secs(1)).await;
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("USER_INACTIVE"));
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    assert_eq!(code(&service.try_login("ada", PASSWORD).await), "INVALID_CREDENTIALS");
    assert_eq!(service.refusal(&bob.access).await, None);
    import(&other, &[user(1, "ada", json!({})), user(2, "bob", json!({}))]).await;
    service.login("ada").await;
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("USER_INACTIVE"));
}

async fn the_last_administrator_stays_one(database: Database) {
    let service = Service::start(&database, "").await;
    let options = ImportOptions { superusers_are_admins: true, ..ImportOptions::default() };
    let boss = |more: Value| [user(1, "boss", more)];
    let superuser = boss(json!({ "is_superuser": true }));
    apply(&service, read_with(&service, &superuser, options).await).await;
    for line in [json!({ "is_superuser": true, "is_active": false }), json!({})] {
        let summary = apply(&service, read_with(&service, &boss(line), options).await).await;
        assert_eq!(summary.count(ProblemKind::ChangedOnBothSides), 1);
        let sql = "SELECT count(*) FROM users WHERE role = 'ADMIN' AND deactivated_at IS NULL";
        assert_eq!(database.raw().await.number(sql).await, 1);
    }
    service.make("root", Role::Admin).await;
    apply(&service, read_with(&service, &boss(json!({ "is_active": false })), options).await).await;
    let sql = "SELECT role FROM users WHERE external_id = '1' AND deactivated_at IS NOT NULL";
    assert_eq!(database.raw().await.texts(sql).await, ["USER"]);
}

async fn of_names_that_collide_the_last_to_log_in_keeps_its_own(database: Database) {
    let service = Service::start(&database, "").await;
    let login = |day: u32| format!("2026-01-{day:02}T00:00:00Z");
    let lines = [
        user(1, "Ada", json!({ "email": "a@example.com", "last_login": login(1) })),
        user(2, "ada", json!({ "email": "A@example.com", "last_login": login(2) })),
        user(3, "ADA", json!({ "email": "a3@example.com" })),
        user(4, "ada-2", json!({})),
        user(5, "p\u{430}ypal", json!({})),
        user(6, "paypal", json!({ "last_login": login(1) })),
        user(7, "Bob Smith", json!({ "email": "bob" })),
    ];
    let mut staged = read(&service, &lines).await;
    let told = [
        "INVALID_EMAIL 7 bob",
        "DUPLICATE_EMAIL 1 a@example.com account 2 keeps it",
        "DUPLICATE_NAME 1 Ada Ada-3",
        "DUPLICATE_NAME 3 ADA ADA-4",
        "INVALID_NAME 7 Bob Smith Bob-Smith",
        "DUPLICATE_NAME 5 p\u{430}ypal p\u{430}ypal-2",
    ];
    assert_eq!(reported(&mut staged).await, told);
    assert_eq!(staged.summary().problem_count(), 6);
    apply(&service, staged).await;
    let expected = [
        "1 Ada-3 -",
        "2 ada A@example.com",
        "3 ADA-4 a3@example.com",
        "4 ada-2 -",
        "5 p\u{430}ypal-2 -",
        "6 paypal -",
        "7 Bob-Smith -",
    ];
    assert_eq!(accounts(&database).await, expected);
}

async fn accounts_of_this_service_keep_their_names(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("admin", Role::Admin).await;
    service.make("mine@example.com", Role::User).await;
    let lines = [
        user(1, "Admin", json!({})),
        user(2, "mine", json!({ "email": "MINE@example.com" })),
        user(3, "mine@example.com", json!({ "email": "mine@example.com" })),
    ];
    let summary = import(&service, &lines).await;
    assert_eq!(summary.count(ProblemKind::NameTaken), 1);
    assert_eq!(summary.count(ProblemKind::EmailTaken), 2);
    let expected = ["1 Admin-2 -", "2 mine -", "3 mine-example.com -"];
    assert_eq!(accounts(&database).await, expected);
    assert_eq!(users(&import(&service, &lines).await), (0, 0, 3));
}

async fn no_name_means_the_address_of_another(database: Database) {
    let service = Service::start(&database, "").await;
    let lines = [
        user(1, "eve", json!({ "email": "eve@example.com" })),
        // Of nobody's address, and of that of another.
        user(2, "carl@example.com", json!({ "email": "carl@work.example" })),
        user(3, "eve@example.com", json!({ "email": "other@example.com" })),
        user(4, "dora@example.com", json!({ "email": "dora@example.com" })),
        user(5, "finn@example.com", json!({})),
    ];
    import(&service, &lines).await;
    let expected = [
        "1 eve eve@example.com",
        "2 carl-example.com carl@work.example",
        "3 eve-example.com other@example.com",
        "4 dora@example.com dora@example.com",
        "5 finn@example.com finn@example.com",
    ];
    assert_eq!(accounts(&database).await, expected);
    let eve = service.try_login("eve@example.com", PASSWORD).await;
    assert_eq!(eve["user"]["username"], "eve");
    // The address changes there, and the name with it or not.
    let mut later = lines.to_vec();
    later[3] = user(4, "dora@example.com", json!({ "email": "dora@work.example" }));
    later[4] = user(5, "finn@work.example", json!({ "email": "finn@work.example" }));
    import(&service, &later).await;
    let now = accounts(&database).await;
    assert_eq!(
        now[3..],
        ["4 dora-example.com dora@work.example", "5 finn@work.example finn@work.example"]
    );
}

async fn a_fast_hash_is_wrapped_and_logs_in(database: Database) {
    let service = Service::start(&database, "").await;
    let lines: Vec<Value> =
        (1..=150).map(|id| user(id, &format!("user{id}"), json!({ "password": FAST }))).collect();
    import(&service, &lines).await;
    let schemes = "SELECT DISTINCT scheme FROM password_credentials";
    assert_eq!(database.raw().await.texts(schemes).await, ["WRAPPED_DIGEST"]);
    let hashes = "SELECT count(*) FROM password_credentials WHERE hash LIKE '%bed0e811051601bf5e40378eef6d7b10%'";
    assert_eq!(database.raw().await.number(hashes).await, 0);
    service.login("user150").await;
    assert_eq!(code(&service.try_login("user149", "wrong").await), "INVALID_CREDENTIALS");
}

fn outstanding(jti: &str) -> Value {
    json!({ "kind": "outstanding", "jti": jti, "user_id": 1, "created_at": "2026-01-01T00:00:00Z",
        "expires_at": "2100-01-01T00:00:00Z" })
}

fn blacklisted(jti: &str) -> Value {
    json!({ "kind": "blacklisted", "jti": jti, "blacklisted_at": "2026-01-02T00:00:00Z" })
}

async fn a_token_stays_blacklisted_in_whatever_order_it_is_read(database: Database) {
    let service = Service::start(&database, "").await;
    let gone = json!({ "kind": "outstanding", "jti": "gone", "user_id": 1,
        "expires_at": "2020-01-01T00:00:00Z" });
    let nobody = json!({ "kind": "outstanding", "jti": "nobody", "user_id": null,
        "expires_at": "2100-01-01T00:00:00Z" });
    let lines = [
        user(1, "ada", json!({})),
        blacklisted("before"),
        outstanding("before"),
        outstanding("after"),
        blacklisted("after"),
        blacklisted("alone"),
        outstanding("free"),
        gone,
        nobody,
    ];
    let summary = import(&service, &lines).await;
    assert_eq!((summary.outstanding, summary.blacklisted), (1, 3));
    let rows = "SELECT jti || CASE WHEN blacklisted_at IS NULL THEN '' ELSE ' off' END || ' ' || \
                COALESCE(external_id, '-') FROM foreign_tokens ORDER BY jti";
    let expected = ["after off 1", "alone off -", "before off 1", "free 1"];
    assert_eq!(database.raw().await.texts(rows).await, expected);
    // A file that does not know it any more takes nothing back.
    let later = [user(1, "ada", json!({})), outstanding("after"), outstanding("alone")];
    import(&service, &later).await;
    let expected = ["after off 1", "alone off 1", "before off 1", "free 1"];
    assert_eq!(database.raw().await.texts(rows).await, expected);
}

async fn the_session_of_a_token_that_is_blacklisted_later_ends(database: Database) {
    let service = Service::start(&database, "").await;
    import(&service, &[user(1, "ada", json!({})), outstanding("a"), outstanding("b")]).await;
    let (one, other) = (service.login("ada").await, service.login("ada").await);
    let sessions = "SELECT id FROM sessions ORDER BY id LIMIT 1";
    let exchange = format!(
        "UPDATE foreign_tokens SET session_id = ({sessions}), exchanged_at = 1 WHERE jti = 'a'"
    );
    database.raw().await.execute(exchange).await;
    let lines = [user(1, "ada", json!({})), outstanding("a"), blacklisted("a"), blacklisted("b")];
    assert_eq!(import(&service, &lines).await.ended_sessions, 1);
    let refusals = [service.refusal(&one.access).await, service.refusal(&other.access).await];
    let ended = refusals.iter().filter(|refusal| refusal.as_deref() == Some("SESSION_ENDED"));
    assert_eq!(ended.count(), 1, "{refusals:?}");
    let kept = "SELECT count(*) FROM foreign_tokens WHERE jti = 'a' AND exchanged_at = 1";
    assert_eq!(database.raw().await.number(kept).await, 1);
    assert_eq!(import(&service, &lines).await.ended_sessions, 0);
}

async fn of_two_imports_one_waits_or_is_refused(database: Database) {
    let service = Arc::new(Service::start(&database, "").await);
    let now = service.clock.now();
    let source = Source::parse("django").unwrap();
    let lease =
        |_| ImportLease { source: source.clone(), worker: TokenId::new(now, &SystemEntropy) };
    let [running, late] = [0, 1].map(lease);
    let store = &service.core.store;
    let until = now + Duration::from_mins(1);
    assert!(store.lease_import(running.clone(), now, until).await.unwrap());
    assert!(!store.lease_import(late, now, until).await.unwrap());
    assert!(store.lease_import(running.clone(), now, until).await.unwrap());
    let begin = || {
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            let mut staged = read(&service, &some_lines()).await;
            service.core.auth.imports.apply(Admin::operator(), &mut staged, &|_| {}).await
        })
    };
    let refused = begin();
    // It goes on waiting until a killed process would have lost its lease.
    while !refused.is_finished() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        service.clock.advance_monotonic(Duration::from_secs(1));
    }
    assert!(
        matches!(refused.await.unwrap(), Err(ImportError::Running(source)) if source == "django")
    );
    assert_eq!(accounts(&database).await.len(), 0);
    let waiting = begin();
    store.finish_import(running, None).await.unwrap();
    assert_eq!(users(&waiting.await.unwrap().unwrap()), (3, 0, 0));
}

async fn names_that_are_taken_between_reading_and_writing_are_chosen_anew(database: Database) {
    let service = Service::start(&database, "").await;
    let lines = [
        user(1, "ada", json!({})),
        user(2, "bob@example.com", json!({ "email": "bob@example.com" })),
        user(3, "cleo", json!({})),
    ];
    let staged = read(&service, &lines).await;
    service.make("ADA", Role::User).await;
    service.make("bob@example.com", Role::User).await;
    let summary = apply(&service, staged).await;
    assert_eq!(summary.problem_count(), 3, "{summary:?}");
    assert_eq!(accounts(&database).await, ["1 ada-2 -", "2 bob-example.com -", "3 cleo -"]);
}

async fn accounts_that_are_gone_there_are_reported_and_stay(database: Database) {
    let service = Service::start(&database, "").await;
    import(&service, &[user(1, "ada", json!({})), user(2, "bob", json!({}))]).await;
    let mut staged = read(&service, &[user(2, "bob", json!({}))]).await;
    assert_eq!(reported(&mut staged).await, ["GONE 1"]);
    assert_eq!(staged.summary().problem_count(), 0);
    apply(&service, staged).await;
    service.login("ada").await;
}

async fn export(service: &Service) -> (Vec<Value>, Vec<String>) {
    let (mut records, mut without) = (Vec::new(), Vec::new());
    let source = Source::parse("django").unwrap();
    let pass_on = |line| {
        match line {
            ExportLine::Record(record) => records.push(record),
            ExportLine::WithoutPassword(name) => without.push(name),
        }
        Ok::<(), Error>(())
    };
    service.core.auth.imports.export(Admin::operator(), &source, pass_on).await.unwrap();
    (records, without)
}

async fn the_way_back_has_what_changed_and_nothing_else(database: Database) {
    let service = Service::start(&database, "").await;
    let lines = [
        user(1, "ada", json!({})),
        user(2, "bob", json!({ "password": FAST })),
        user(3, "cleo", json!({})),
        outstanding("a"),
        outstanding("b"),
        blacklisted("b"),
    ];
    import(&service, &lines).await;
    let (records, _) = export(&service).await;
    assert_eq!(records[0]["source"], "sallyport");
    let end = json!({ "kind": "end", "users": 0, "sessions": 0, "blacklisted": 1 });
    assert_eq!(records.last(), Some(&end));
    // An upgraded hash is no change, a changed password is; and so is an account that was made here.
    service.login("ada").await;
    service.make("dora", Role::User).await;
    service.login("dora").await;
    let changed = "UPDATE password_credentials SET changed_at = 1 WHERE user_id IN \
                   (SELECT id FROM users WHERE username IN ('bob', 'cleo'))";
    database.raw().await.execute(changed).await;
    let (records, without) = export(&service).await;
    let of =
        |kind: &str| records.iter().filter(|record| record["kind"] == kind).collect::<Vec<_>>();
    let mut names: Vec<_> =
        of("user").iter().map(|user| (user["id"].clone(), user["username"].clone())).collect();
    names.sort_by_key(|(id, _)| id.to_string());
    assert_eq!(json!(names), json!([["2", null], ["3", null], [null, "dora"]]));
    assert_eq!(without, ["bob"]);
    let password = |id: Value| {
        let user = of("user").into_iter().find(|user| user["id"] == id).unwrap().clone();
        user["password"]
            .as_str()
            .map(|text| text.split(['$', '=']).take(3).collect::<Vec<_>>().join("$"))
    };
    assert_eq!(password(json!("2")), None);
    assert_eq!(password(json!("3")).as_deref(), Some("pbkdf2_sha256$1000$u8jzPde0IgxLd6GncfBAep"));
    assert_eq!(password(Value::Null).as_deref(), Some("argon2$argon2id$v"));
    let mut owners: Vec<_> =
        of("session").iter().map(|session| session["user_id"].clone()).collect();
    owners.sort_by_key(Value::to_string);
    assert_eq!(json!(owners), json!(["1", null]));
    assert_eq!(of("blacklisted").len(), 1);
}
