//! PostgreSQL servers with other defaults of transactions, and URLs of several servers.

use futures_util::future::join_all;
use sallyport::app;
use sallyport::domain::user::Role;
use sallyport::store::{DatabaseUrl, Store};
use serde_json::Value;

use crate::api::service::{Service, tokens};
use crate::databases::{Database, on_postgres};

on_postgres!(a_database_that_is_read_only_by_default_is_told_from_one_that_is_not);

on_postgres!(
    empty:
    serializable_transactions_by_default_keep_nobody_from_a_refresh,
    repeatable_reads_by_default_keep_nobody_from_a_refresh,
    of_several_servers_one_that_answers_and_writes_is_used,
    a_schema_in_the_url_is_where_the_tables_are,
);

/// Sets what sessions of the database begin with.
async fn set_default(database: &Database, name: &str, value: &str) {
    let mut raw = database.raw().await;
    raw.execute(format!(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {name} = %L', current_database(), \
         '{value}'); END $$"
    ))
    .await;
}

async fn serializable_transactions_by_default_keep_nobody_from_a_refresh(database: Database) {
    refresh_where_the_default_is("serializable", database).await;
}

async fn repeatable_reads_by_default_keep_nobody_from_a_refresh(database: Database) {
    refresh_where_the_default_is("repeatable read", database).await;
}

async fn refresh_where_the_default_is(isolation: &str, database: Database) {
    set_default(&database, "default_transaction_isolation", isolation).await;
    set_default(&database, "default_transaction_deferrable", "on").await;
    for (flags, name) in [("", "ada"), ("--database-pooler transaction", "grace")] {
        let service = Service::start(&database, flags).await;
        service.make(name, Role::User).await;
        for _ in 0..5 {
            // Of one session, and of others at the same time.
            let mine = service.login(name).await;
            let others = join_all((0..4).map(|_| service.login(name))).await;
            let all = (0..6).map(|_| &mine).chain(&others);
            let answers = all.map(|session| service.refresh(&session.refresh, None));
            for payload in join_all(answers).await {
                assert!(tokens(&payload).is_some(), "{payload}");
            }
        }
        let unusual = service.core.store.unusual_defaults().await.unwrap();
        let names: Vec<_> = unusual.iter().map(|default| default.name.as_str()).collect();
        let expected = ["default_transaction_deferrable", "default_transaction_isolation"];
        assert_eq!(names, expected);
    }
}

async fn a_database_that_is_read_only_by_default_is_told_from_one_that_is_not(database: Database) {
    let store = database.store().await;
    assert_eq!(store.unusual_defaults().await.unwrap(), []);
    set_default(&database, "default_transaction_read_only", "on").await;
    let unusual = database.connect().await.unusual_defaults().await.unwrap();
    assert!(unusual.len() == 1 && unusual[0].forbids_writes(), "{unusual:?}");
}

/// The URL with these servers in the place of its own.
fn with_servers(database: &Database, servers: impl Fn(&str) -> String) -> DatabaseUrl {
    let (before, after) = database.url.rsplit_once('@').unwrap();
    let (server, rest) = after.split_once('/').unwrap();
    format!("{before}@{}/{rest}", servers(server)).parse().unwrap()
}

async fn of_several_servers_one_that_answers_and_writes_is_used(database: Database) {
    // Nobody listens on the first port.
    let url = with_servers(&database, |server| format!("127.0.0.1:1,{server}"));
    let store = Store::connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    store.feed_reader().read(|_, _| {}).await.unwrap();
    // One that only reads will not do, unless it is the only one that was named.
    set_default(&database, "default_transaction_read_only", "on").await;
    let url = with_servers(&database, |server| format!("{server},{server}"));
    let error = Store::connect(&url).await.unwrap_err();
    assert!(app::reason(&error).contains("accepts writes"), "{error:?}");
    database.connect().await.ping().await.unwrap();
}

async fn a_schema_in_the_url_is_where_the_tables_are(mut database: Database) {
    database.raw().await.execute("CREATE SCHEMA tokens").await;
    let plain = database.clone();
    let mark = if database.url.contains('?') { '&' } else { '?' };
    database.url = format!("{}{mark}schema=tokens", plain.url);
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    service.feed.read().await.unwrap();
    let answer = service.send(Some(&ada.access), "{ viewer { id } }", Value::Null).await;
    assert!(answer["errors"].is_null(), "{answer}");
    let tables = |schema| format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'");
    assert_eq!(plain.raw().await.number(tables("public")).await, 0);
    assert!(plain.raw().await.number(tables("tokens")).await > 5);
}
