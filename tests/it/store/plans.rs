//! Every list is read along an index that has its order, so that a page costs the same in a list of
//! any length: no plan sorts, in neither direction, for everybody's rows or for one user's.

use std::fs;
use std::path::Path;

use super::support::make;
use crate::databases::{Database, Raw, on_both};

on_both!(
    every_order_is_on_an_index,
    sessions_of_a_common_user_agent_are_found_along_their_order,
    a_users_live_sessions_and_latest_ends_are_found_among_any_number_of_others,
);

/// A list that the store offers, as its source names it.
struct List {
    table: String,
    orders: [String; 2],
}

/// The lists in the store's source: what this looks at is what the store asks.
fn lists() -> Vec<List> {
    let source = source("lists.rs");
    let quoted = |text: &str, word: &str, from_end: bool| {
        let mark = format!("{word} \"");
        let at = if from_end { text.rfind(&mark) } else { text.find(&mark) };
        let rest = &text[at.unwrap() + mark.len()..];
        rest[..rest.find('"').unwrap()].to_owned()
    };
    let places: Vec<usize> = source.match_indices("order \"").map(|(at, _)| at).collect();
    let list = |&at: &usize| List {
        table: quoted(&source[..at], "from", true),
        orders: [quoted(&source[at..], "order", false), quoted(&source[at..], "reversed", false)],
    };
    places.iter().map(list).collect()
}

/// What asks for a plan, and what a plan that sorts has in it.
fn explained(database: &Database) -> (&'static str, &'static str) {
    if database.is_sqlite() { ("EXPLAIN QUERY PLAN ", "TEMP B-TREE") } else { ("EXPLAIN ", "Sort") }
}

/// What a list is narrowed to where it belongs to something.
fn owners(table: &str) -> &'static [&'static [&'static str]] {
    match table {
        "sessions" => &[&[], &["user_id"]],
        "blacklist_entries" | "audit_events" => {
            &[&[], &["user_id"], &["user_id", "session_id"], &["session_id"]]
        }
        _ => &[&[]],
    }
}

async fn every_order_is_on_an_index(database: Database) {
    database.store().await;
    let mut raw = database.raw().await;
    let nobody = database.literal(uuid::Uuid::nil());
    let (explain, sorted) = explained(&database);
    if !database.is_sqlite() {
        // On a table without rows PostgreSQL would rather sort nothing than open an index.
        raw.execute("SET enable_sort = off; SET enable_seqscan = off; SET enable_bitmapscan = off")
            .await;
    }
    let lists = lists();
    assert!(lists.len() >= 3);
    for List { table, orders } in &lists {
        for (order, owner) in orders.iter().flat_map(|o| owners(table).iter().map(move |c| (o, c)))
        {
            let owned: Vec<_> =
                owner.iter().map(|column| format!("{column} = {nobody} AND ")).collect();
            let list = format!(
                "SELECT * FROM {table} WHERE {} 1 = 1 ORDER BY {order} LIMIT 21",
                owned.concat()
            );
            let plan = raw.plan(format!("{explain}{list}")).await;
            let is_on_index = plan.contains("INDEX") || plan.contains("Index");
            assert!(is_on_index && !plan.contains(sorted), "{list}:\n{plan}");
        }
    }
    // It would be seen.
    let plan = raw.plan(format!("{explain}SELECT * FROM users ORDER BY role LIMIT 21")).await;
    assert!(plan.contains(sorted), "{plan}");
}

/// The store's source.
fn source(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store").join(file)).unwrap()
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

/// What most sessions have is found among the first of them: no table is read and sorted for it.
async fn sessions_of_a_common_user_agent_are_found_along_their_order(database: Database) {
    let store = database.store().await;
    let user = database.literal(make(&store, "ada").await.id.as_uuid());
    let mut raw = database.raw().await;
    add_sessions(&database, &mut raw, &user, "user_agent", "'agent/' || (i % 10)").await;
    raw.execute("ANALYZE").await;
    let source = source("lists.rs");
    let name = if database.is_sqlite() { "AGENT_ON_SQLITE" } else { "AGENT_ON_POSTGRES" };
    let condition = source.split_once(&format!("{name}: &str = \"")).unwrap().1;
    let condition = condition.split_once("ESCAPE").unwrap().0.replace('?', "'%AGENT/7%'");
    let (explain, sorted) = explained(&database);
    let list = format!("SELECT * FROM sessions WHERE {condition} ORDER BY id DESC LIMIT 11");
    let plan = raw.plan(format!("{explain}{list}")).await;
    assert!(!plan.contains(sorted), "{list}:\n{plan}");
    let found = format!("SELECT count(*) FROM sessions WHERE {condition}");
    assert_eq!(raw.number(found).await, 500);
}

/// To log out everywhere costs what is live, and not what ever was.
async fn a_users_live_sessions_and_latest_ends_are_found_among_any_number_of_others(
    database: Database,
) {
    let store = database.store().await;
    let user = database.literal(make(&store, "ada").await.id.as_uuid());
    let mut raw = database.raw().await;
    add_sessions(&database, &mut raw, &user, "ended_at", "CASE WHEN i > 10 THEN i END").await;
    raw.execute(
        "INSERT INTO session_ends (session_id, user_id, reason, ended_at, until) \
         SELECT id, user_id, 'LOGOUT', ended_at, 9 FROM sessions WHERE ended_at IS NOT NULL",
    )
    .await;
    if !database.is_sqlite() {
        raw.execute("ANALYZE").await;
    }
    let (explain, _) = explained(&database);
    let (live, of_user) = ("ended_at IS NULL AND token_expires_at > $1", "user_id = ?");
    for (file, table, conditions, index, found) in [
        ("end.rs", "sessions", &[(live, "8"), (of_user, &user)][..], "sessions_live_of_user", 10),
        (
            "earlier.rs",
            "session_ends",
            &[("until > ?", "8"), ("ended_at > ?", "4980"), (of_user, &user)],
            "session_ends_of_user",
            20,
        ),
    ] {
        let mut list = format!("FROM {table} WHERE 1 = 1");
        for (condition, value) in conditions {
            // What this looks at is what the store asks.
            assert!(source(file).contains(&format!("\"{condition}\"")), "{condition}");
            let condition = condition.replace("$1", value).replace('?', value);
            list.extend([" AND (", &condition, ")"]);
        }
        let plan = raw.plan(format!("{explain}SELECT * {list}")).await;
        assert!(plan.contains(index), "{list}:\n{plan}");
        assert_eq!(raw.number(format!("SELECT count(*) {list}")).await, found);
    }
    let lately = "ended_at > {} AND access_expires_at + {leeway} > {}";
    assert!(source("ended.rs").contains(lately));
    let lately = "FROM sessions WHERE ended_at > 4980 AND access_expires_at + 1 > 0";
    let plan = raw.plan(format!("{explain}SELECT * {lately}")).await;
    assert!(plan.contains("sessions_by_end"), "{lately}:\n{plan}");
    assert_eq!(raw.number(format!("SELECT count(*) {lately}")).await, 20);
    let other = database.literal(make(&store, "bob").await.id.as_uuid());
    let (place, mark) = if database.is_sqlite() { ("seq > 0", 3) } else { ("xid >= '3'", 5) };
    assert!(source("ends.rs").contains(&format!("\" AND user_id = ${mark}\"")));
    let behind = format!("FROM session_ends WHERE {place} AND user_id = {other} ORDER BY seq");
    let plan = raw.plan(format!("{explain}SELECT * {behind} LIMIT 100")).await;
    assert!(plan.contains("session_ends_of_user"), "{behind}:\n{plan}");
}
