//! What imports say about SimpleJWT at their sites.

use crate::databases::{Database, on_both};

on_both!(settings_are_those_of_the_last_import_that_tells_them);

async fn settings_are_those_of_the_last_import_that_tells_them(database: Database) {
    let (store, mut raw) = (database.store().await, database.raw().await);
    let settings = store.simplejwt_settings().await.unwrap();
    assert_eq!((settings.username_field(), settings.rotates), ("username", None));
    for (source, at, text, expected) in [
        ("first", 10, r#"{"rotate_refresh_tokens":false}"#, ("username", Some(false))),
        ("second", 20, r#"{"username_field":"email","other":[]}"#, ("email", Some(false))),
        (
            "third",
            30,
            r#"{"username_field":7,"rotate_refresh_tokens":"no"}"#,
            ("email", Some(false)),
        ),
        ("newer", 40, "no object", ("email", Some(false))),
        (
            "older",
            15,
            r#"{"username_field":"x","rotate_refresh_tokens":true}"#,
            ("email", Some(true)),
        ),
    ] {
        let insert = "INSERT INTO import_sources (source, imported_at, settings)";
        raw.execute(format!("{insert} VALUES ('{source}', {at}, '{text}')")).await;
        let settings = store.simplejwt_settings().await.unwrap();
        assert_eq!((settings.username_field(), settings.rotates), expected, "{source}");
    }
}
