//! Migrations: applied once, and databases of other versions.

use std::time::Duration;

use futures_util::future::join_all;
use sallyport::store::{MigrationError, Store};

use super::support::{at, make, open, rotate, session};
use crate::databases::{Database, on_both};

on_both!(
    empty:
    processes_that_migrate_at_once_make_the_tables_once,
    migrating_again_changes_nothing,
    another_program_that_migrates_with_sqlx_lives_beside,
    a_store_without_tables_answers_and_says_that_something_is_wrong,
);

on_both!(
    a_database_newer_than_the_binary_is_refused_and_left_alone,
    an_addition_of_a_newer_binary_is_worked_beside,
    a_migration_that_is_not_this_binarys_is_refused,
    what_was_written_is_there_after_reopening,
    every_operation_is_counted,
);

/// Fails where another process still holds what migrating needs.
async fn migrate(store: &Store) -> Result<(), MigrationError> {
    let migrated = tokio::time::timeout(Duration::from_secs(20), store.migrate()).await;
    migrated.expect("migrating comes to an end")
}

async fn processes_that_migrate_at_once_make_the_tables_once(database: Database) {
    let mut processes = Vec::new();
    for _ in 0..6 {
        processes.push(database.connect().await);
    }
    for migrated in join_all(processes.iter().map(migrate)).await {
        migrated.unwrap();
    }
    let (ada, last) = (make(&processes[0], "ada").await, &processes[5]);
    assert!(last.users_by_id(&[ada.id]).await.unwrap().contains_key(&ada.id));
    let applied = "SELECT count(*) - count(DISTINCT version) FROM sallyport_migrations";
    assert_eq!(database.raw().await.number(applied).await, 0);
}

async fn migrating_again_changes_nothing(database: Database) {
    let store = database.connect().await;
    assert!(store.missing_migrations().await.unwrap() > 0);
    migrate(&store).await.unwrap();
    assert_eq!(store.missing_migrations().await.unwrap(), 0);
    let ada = make(&store, "ada").await;
    migrate(&store).await.unwrap();
    migrate(&database.connect().await).await.unwrap();
    assert!(store.users_by_id(&[ada.id]).await.unwrap().contains_key(&ada.id));
}

async fn a_database_newer_than_the_binary_is_refused_and_left_alone(database: Database) {
    let store = database.store().await;
    let mut raw = database.raw().await;
    raw.execute(
        "INSERT INTO sallyport_migrations (version, description, success, checksum, execution_time) \
         SELECT 9999, 'of the future', success, checksum, 0 FROM sallyport_migrations WHERE version = 1",
    )
    .await;
    // Twice by the same process, and by another one: a refusal keeps no lock.
    let other = database.connect().await;
    for process in [&store, &store, &other] {
        let error = migrate(process).await.unwrap_err();
        assert!(matches!(error, MigrationError::Newer), "{error:?}");
    }
    raw.execute("DELETE FROM sallyport_migrations WHERE version = 9999").await;
    migrate(&other).await.unwrap();
}

async fn an_addition_of_a_newer_binary_is_worked_beside(database: Database) {
    let store = database.store().await;
    let mut raw = database.raw().await;
    raw.execute("ALTER TABLE users ADD COLUMN nickname TEXT").await;
    raw.execute("ALTER TABLE sessions ADD COLUMN strength INTEGER NOT NULL DEFAULT 0").await;
    raw.execute("CREATE TABLE devices (id INTEGER NOT NULL PRIMARY KEY)").await;
    raw.execute(
        "INSERT INTO sallyport_migrations (version, description, success, checksum, execution_time) \
         SELECT 9999, 'add devices', success, checksum, 0 FROM sallyport_migrations WHERE version = 1",
    )
    .await;
    // The process that was running, and one that starts.
    let restarted = database.connect().await;
    migrate(&restarted).await.unwrap();
    assert_eq!(restarted.missing_migrations().await.unwrap(), 0);
    for (store, name) in [(&store, "grace"), (&restarted, "ada")] {
        let opened = open(store, make(store, name).await.id, at(0)).await;
        assert!(rotate(store, &opened, at(1)).await.is_some());
    }
}

/// The table of another program, which counts its migrations or goes by the time.
async fn migrate_another_program(database: &Database, version: i64) {
    let mut raw = database.raw().await;
    raw.execute(format!(
        "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, \
         description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \
         success BOOLEAN NOT NULL, checksum {} NOT NULL, execution_time BIGINT NOT NULL)",
        if database.is_sqlite() { "BLOB" } else { "BYTEA" }
    ))
    .await;
    let checksum = if database.is_sqlite() { "x'00'" } else { "'\\x00'" };
    raw.execute(format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES ({version}, 'init', true, {checksum}, 1)"
    ))
    .await;
}

async fn another_program_that_migrates_with_sqlx_lives_beside(database: Database) {
    let store = database.connect().await;
    for version in [1, 20_240_101_120_000] {
        migrate_another_program(&database, version).await;
        migrate(&store).await.unwrap();
        assert_eq!(store.missing_migrations().await.unwrap(), 0);
    }
    make(&store, "ada").await;
    let theirs = "SELECT count(*) FROM _sqlx_migrations";
    assert_eq!(database.raw().await.number(theirs).await, 2);
}

/// Without the trigger that `migrations/README.md` names, which ends the file.
fn without_trigger(sql: &str) -> &str {
    let begins =
        ["CREATE TRIGGER sessions_need_second_factor", "CREATE FUNCTION refuse_single_factor"];
    begins.iter().filter_map(|begin| sql.find(begin)).min().map_or(sql, |at| &sql[..at])
}

/// The statements of a migration that a binary which does not know them may stumble over.
fn more_than_additions(sql: &str) -> Vec<String> {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let sql = without_trigger(&lines.collect::<Vec<_>>().join(" ")).to_uppercase();
    let statements = sql.split(';').map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
    let adds = |statement: &str| {
        let words: Vec<_> = statement.split(' ').collect();
        match words[..] {
            ["CREATE", "TABLE" | "INDEX", ..] => true,
            ["ALTER", "TABLE", _, "ADD", "COLUMN", ..] => {
                let fits = !statement.contains(" NOT NULL") || statement.contains(" DEFAULT ");
                fits && ![" UNIQUE", " CHECK", " REFERENCES"]
                    .iter()
                    .any(|it| statement.contains(it))
            }
            _ => false,
        }
    };
    statements.filter(|statement| !statement.is_empty() && !adds(statement)).collect()
}

#[test]
fn migrations_named_as_additions_only_add() {
    for bad in [
        "DROP TABLE a",
        "ALTER TABLE a DROP COLUMN b",
        "ALTER TABLE a RENAME TO b",
        "ALTER TABLE a ADD COLUMN b TEXT NOT NULL",
        "ALTER TABLE a ADD COLUMN b TEXT CHECK (b <> '')",
        "CREATE UNIQUE INDEX a_by_b ON a (b)",
        "UPDATE a SET b = 1",
        "CREATE TABLE c (id INTEGER); -- more\nDELETE FROM a",
    ] {
        assert_eq!(more_than_additions(bad).len(), 1, "{bad}");
    }
    let good = "-- Why; so.\nALTER TABLE a\n  ADD COLUMN b TEXT NOT NULL DEFAULT '';\n\
                CREATE INDEX a_by_b ON a (b);";
    assert_eq!(more_than_additions(good), Vec::<String>::new());
    for folder in ["sqlite", "postgres"] {
        let folder = format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.split_once('_').is_some_and(|(_, name)| name.starts_with("add_")) {
                let broken = more_than_additions(&std::fs::read_to_string(&path).unwrap());
                assert_eq!(broken, Vec::<String>::new(), "{}", path.display());
            }
        }
    }
}

async fn a_migration_that_is_not_this_binarys_is_refused(database: Database) {
    let store = database.store().await;
    let nothing = if database.is_sqlite() { "x'00'" } else { "'\\x00'" };
    let change = format!("UPDATE sallyport_migrations SET checksum = {nothing} WHERE version = 1");
    database.raw().await.execute(change).await;
    let error = migrate(&store).await.unwrap_err();
    assert!(matches!(error, MigrationError::Changed(1)), "{error:?}");
}

async fn a_store_without_tables_answers_and_says_that_something_is_wrong(database: Database) {
    let store = database.connect().await;
    store.ping().await.unwrap();
    let error = store.signing_keys().await.unwrap_err();
    assert!(!error.is_temporary(), "{error:?}");
}

async fn what_was_written_is_there_after_reopening(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let opened = open(&store, ada.id, at(0)).await;
    let rotated = rotate(&store, &opened, at(1)).await.unwrap();
    drop(store);
    let store = database.store().await;
    let found = session(&store, opened.id).await;
    assert_eq!((found.token, found.generation), (rotated.token, 1));
    assert!(rotate(&store, &opened, at(2)).await.is_none());
    assert!(rotate(&store, &found, at(2)).await.is_some());
}

async fn every_operation_is_counted(database: Database) {
    let store = database.store().await;
    let before = store.operations();
    store.ping().await.unwrap();
    make(&store, "ada").await;
    assert_eq!(store.operations() - before, 2);
}
