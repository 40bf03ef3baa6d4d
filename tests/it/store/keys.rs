//! Signing keys: at most one has no successor.

use sqlx::AssertSqlSafe;

use crate::databases::{Database, Raw, on_both};

on_both!(a_second_key_without_a_successor_is_refused);

async fn a_second_key_without_a_successor_is_refused(database: Database) {
    database.store().await;
    let insert = |number: u128, retired_at: &str| {
        let id = database.literal(uuid::Uuid::from_u128(number));
        let sealed = if database.is_sqlite() { "x'01'" } else { "'\\x01'" };
        format!(
            "INSERT INTO signing_keys (id, kid, algorithm, sealed_private, created_at, \
             activates_at, retired_at, token_lifetime) \
             VALUES ({id}, '{number}', 'ES256', {sealed}, 0, 0, {retired_at}, 1)"
        )
    };
    let mut raw = database.raw().await;
    for first in [insert(1, "5"), insert(2, "NULL"), insert(3, "5")] {
        raw.execute(first).await;
    }
    let second = sqlx::raw_sql(AssertSqlSafe(insert(4, "NULL")));
    let refused = match raw {
        Raw::Sqlite(mut raw) => second.execute(&mut raw).await.is_err(),
        Raw::Postgres(mut raw) => second.execute(&mut raw).await.is_err(),
    };
    assert!(refused);
}
