//! Query plans of the statements that the store sends: pages are read along an index in their order,
//! and queries about one user do not read the rows of others.

use sallyport::clock::Timestamp;
use sallyport::domain::filter::{AuditFilter, BlacklistFilter, SessionFilter, UserFilter};
use sallyport::domain::id::{SessionId, UserId};
use sallyport::domain::pagination::PageRequest;
use sallyport::store::{FeedCursor, Scope, Store, captured_statements};

use super::support::{end, ending, make};
use crate::databases::{Database, Raw, on_both};

on_both!(
    every_order_is_on_an_index,
    sessions_of_a_common_user_agent_are_found_along_their_order,
    a_users_live_sessions_and_latest_ends_are_found_among_any_number_of_others,
);

fn micros(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn page<K>(size: u32, from_end: bool) -> PageRequest<K> {
    PageRequest { after: None, before: None, size, from_end }
}

/// The single statement that the work sends.
async fn statement<T>(work: impl Future<Output = T>) -> String {
    let (_, mut statements) = captured_statements(work).await;
    assert_eq!(statements.len(), 1, "{statements:?}");
    statements.remove(0)
}

/// The statement with literals in place of its placeholders.
fn with_literals(statement: &str, literals: &[&str]) -> String {
    // From the last on, so that $1 is not found in $10.
    let numbered = literals.iter().enumerate().rev();
    let filled = numbered.fold(statement.to_owned(), |sql, (index, literal)| {
        sql.replace(&format!("${}", index + 1), literal)
    });
    assert!(!filled.contains('$'), "a placeholder is left: {filled}");
    filled
}

async fn explain(database: &Database, raw: &mut Raw, statement: &str) -> String {
    let explain = if database.is_sqlite() { "EXPLAIN QUERY PLAN " } else { "EXPLAIN " };
    raw.plan(format!("{explain}{statement}")).await
}

/// The word of a plan that sorts.
fn sort(database: &Database) -> &'static str {
    if database.is_sqlite() { "TEMP B-TREE" } else { "Sort" }
}

/// The pages of every list that the store offers, of all rows and of one owner's, in both directions.
async fn pages(store: &Store) -> Vec<String> {
    let (user, session) = (Some(UserId::from_uuid(NOBODY)), Some(SessionId::from_uuid(NOBODY)));
    let mut pages = Vec::new();
    for from_end in [false, true] {
        let page_of_users = page(20, from_end);
        pages.push(statement(store.users(&UserFilter::default(), &page_of_users)).await);
        for user_id in [None, user] {
            let filter = SessionFilter { user_id, ..SessionFilter::default() };
            pages.push(statement(store.sessions(&filter, &page(20, from_end), micros(0))).await);
        }
        for (user_id, session_id) in [(None, None), (user, None), (user, session), (None, session)]
        {
            let filter = BlacklistFilter { user_id, session_id, ..BlacklistFilter::default() };
            let page_of_entries = page(20, from_end);
            pages.push(statement(store.blacklist_entries(&filter, &page_of_entries)).await);
            let filter = AuditFilter { user_id, session_id, ..AuditFilter::default() };
            pages.push(statement(store.audit_events(&filter, &page(20, from_end))).await);
        }
    }
    pages
}

const NOBODY: uuid::Uuid = uuid::Uuid::nil();

async fn every_order_is_on_an_index(database: Database) {
    let store = database.store().await;
    let mut raw = database.raw().await;
    if !database.is_sqlite() {
        // On a table without rows PostgreSQL would rather sort nothing than open an index.
        raw.execute("SET enable_sort = off; SET enable_seqscan = off; SET enable_bitmapscan = off")
            .await;
    }
    let nobody = database.literal(NOBODY);
    for page in pages(&store).await {
        let owners = page.matches('$').count();
        let page = with_literals(&page, &vec![&*nobody; owners]);
        let plan = explain(&database, &mut raw, &page).await;
        let is_on_index = plan.contains("INDEX") || plan.contains("Index");
        assert!(is_on_index && !plan.contains(sort(&database)), "{page}:\n{plan}");
    }
    // It would be seen.
    let plan = explain(&database, &mut raw, "SELECT * FROM users ORDER BY role LIMIT 21").await;
    assert!(plan.contains(sort(&database)), "{plan}");
}

/// Adds five thousand sessions of a user, which expire at 9, with `value` in one more column; it may
/// be made of the number `i`.
async fn add_sessions(database: &Database, raw: &mut Raw, user: &str, column: &str, value: &str) {
    let (id, numbers) = if database.is_sqlite() {
        let numbers = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                       WHERE i < 5000) SELECT i FROM n)";
        ("randomblob(16)", numbers)
    } else {
        ("gen_random_uuid()", "generate_series(1, 5000) AS n (i)")
    };
    raw.execute(format!(
        "INSERT INTO sessions (id, user_id, created_at, last_used_at, token_id, token_issued_at, \
         token_expires_at, generation, access_expires_at, {column}) \
         SELECT {id}, {user}, 0, 0, {id}, 0, 9, 0, 0, {value} FROM {numbers}"
    ))
    .await;
}

/// A page of a common user agent is read along the list's order: no table is read and sorted for it.
async fn sessions_of_a_common_user_agent_are_found_along_their_order(database: Database) {
    let store = database.store().await;
    let user = database.literal(make(&store, "ada").await.id.as_uuid());
    let mut raw = database.raw().await;
    add_sessions(&database, &mut raw, &user, "user_agent", "'agent/' || (i % 10)").await;
    raw.execute("ANALYZE").await;
    let filter = SessionFilter {
        user_agent_contains: Some("AGENT/7".to_owned()),
        ..SessionFilter::default()
    };
    let list = statement(store.sessions(&filter, &page(10, false), micros(0))).await;
    let list = with_literals(&list, &["'%AGENT/7%'"]);
    let plan = explain(&database, &mut raw, &list).await;
    assert!(!plan.contains(sort(&database)), "{list}:\n{plan}");
    assert_eq!(store.count_sessions(&filter, micros(0)).await.unwrap(), Some(500));
}

/// To log out everywhere costs what is live, and not what ever was.
async fn a_users_live_sessions_and_latest_ends_are_found_among_any_number_of_others(
    database: Database,
) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await.id, make(&store, "bob").await.id);
    let (user, other) = (database.literal(ada.as_uuid()), database.literal(bob.as_uuid()));
    let mut raw = database.raw().await;
    add_sessions(&database, &mut raw, &user, "ended_at", "CASE WHEN i > 10 THEN i END").await;
    raw.execute(
        "UPDATE sessions SET end_reason = 'LOGOUT' WHERE ended_at IS NOT NULL; \
         INSERT INTO session_ends (session_id, user_id, reason, ended_at, until) \
         SELECT id, user_id, 'LOGOUT', ended_at, 9 FROM sessions WHERE ended_at IS NOT NULL",
    )
    .await;
    if !database.is_sqlite() {
        raw.execute("ANALYZE").await;
    }

    // Bob has no sessions, so nothing ends and the second statement is the one that looks for them. The first is
    // about tokens of another system.
    let order = ending(Scope::User(bob), micros(8));
    let (_, ends) = captured_statements(store.end_sessions(order, None)).await;
    let literals = ["8", "'LOGOUT'", "NULL", "NULL", "NULL", "0", "'LOGOUT'", &user];
    assert_is_on(&database, &mut raw, &ends[1], &literals, "sessions_live_of_user").await;
    assert_is_on(&database, &mut raw, &ends[2], &["8", &user], "sessions_live_of_user").await;

    let scope = Scope::User(ada);
    let recent = store.recent_ends(&scope, &[], micros(4980), micros(8), &[]);
    let (recent, statements) = captured_statements(recent).await;
    assert_eq!(recent.unwrap().len(), 20);
    let literals = ["8", "4980", &user, "0"];
    assert_is_on(&database, &mut raw, &statements[0], &literals, "session_ends_of_user").await;

    let mut feed = store.feed_reader();
    feed.read(|_, _| {}).await.unwrap();
    let mut found = 0;
    let long_ago = micros(-1_000_000_000);
    let backfill = feed.backfill(micros(4980), long_ago, |ended| found += ended.len());
    let backfill = statement(backfill).await;
    assert_eq!(found, 20);
    assert_is_on(&database, &mut raw, &backfill, &[], "sessions_by_end").await;

    let after = store.ends_after(&FeedCursor::START, Some(bob));
    // SQLite asks for the last number before.
    let after = captured_statements(after).await.1.pop().unwrap();
    let literals: &[&str] = if database.is_sqlite() {
        &["0", "100", &other]
    } else {
        &["'1:1:'", "NULL", "NULL", "100", &other]
    };
    assert_is_on(&database, &mut raw, &after, literals, "session_ends_of_user").await;

    assert_eq!(end(&store, Scope::User(ada), micros(8)).await.len(), 10);
}

async fn assert_is_on(
    database: &Database,
    raw: &mut Raw,
    statement: &str,
    literals: &[&str],
    index: &str,
) {
    let statement = with_literals(statement, literals);
    let plan = explain(database, raw, &statement).await;
    assert!(plan.contains(index), "{statement}:\n{plan}");
}
