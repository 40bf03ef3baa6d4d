//! The line of signing keys: one key at most has no successor, whatever was there before.

use std::time::Duration;

use sallyport::domain::key_life::SigningKeyState::{Active, Retired, Retiring};
use sqlx::AssertSqlSafe;

use super::support::at;
use crate::databases::{Database, Raw, on_both};

on_both!(keys_from_before_rotations_form_a_line_and_stay_for_a_day);

async fn keys_from_before_rotations_form_a_line_and_stay_for_a_day(database: Database) {
    // The tables and a key for each of two algorithms, as the first version made them.
    let (initial, rotation) = if database.is_sqlite() {
        drop(database.connect().await);
        (
            include_str!("../../../migrations/sqlite/0001_initial.sql"),
            include_str!("../../../migrations/sqlite/0002_key_rotation.sql"),
        )
    } else {
        (
            include_str!("../../../migrations/postgres/0001_initial.sql"),
            include_str!("../../../migrations/postgres/0002_key_rotation.sql"),
        )
    };
    let mut raw = database.raw().await;
    raw.execute(initial).await;
    for (number, algorithm) in ["ES256", "EdDSA", "RS256"].into_iter().enumerate() {
        let id = database.literal(uuid::Uuid::from_u128(number as u128));
        let sealed = if database.is_sqlite() { "x'01'" } else { "'\\x01'" };
        let made = at(i64::try_from(number).unwrap()).as_micros();
        raw.execute(format!(
            "INSERT INTO signing_keys (id, kid, algorithm, sealed_private, created_at, activates_at) \
             VALUES ({id}, '{algorithm}', '{algorithm}', {sealed}, {made}, {made})"
        ))
        .await;
    }
    raw.execute(rotation).await;
    let keys = database.connect().await.signing_keys().await.unwrap();
    let day = Duration::from_hours(24);
    let states = |seconds: i64| keys.iter().map(move |key| key.life.state(at(seconds)));
    assert!(states(2).eq([Retiring, Retiring, Active]));
    assert!(states(86_401).eq([Retiring, Retiring, Active]));
    assert!(states(86_402).eq([Retired, Retired, Active]));
    assert!(keys.iter().all(|key| key.life.token_lifetime == day));
    // A second one without a successor is not to be had.
    let second = "UPDATE signing_keys SET retired_at = NULL";
    let refused = match raw {
        Raw::Sqlite(mut raw) => {
            sqlx::raw_sql(AssertSqlSafe(second)).execute(&mut raw).await.is_err()
        }
        Raw::Postgres(mut raw) => {
            sqlx::raw_sql(AssertSqlSafe(second)).execute(&mut raw).await.is_err()
        }
    };
    assert!(refused);
}
