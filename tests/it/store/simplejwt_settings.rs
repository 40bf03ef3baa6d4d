//! What imports say about SimpleJWT at their sites.

use sallyport::domain::external_account::Source;

use crate::databases::{Database, on_both};

on_both!(settings_are_those_of_one_source);

async fn settings_are_those_of_one_source(database: Database) {
    let (store, mut raw) = (database.store().await, database.raw().await);
    let source = |name: &str| Source::parse(name).unwrap();
    let settings = store.simplejwt_settings(None).await.unwrap();
    assert_eq!((settings.username_field(), settings.rotates), ("username", None));
    for (name, at, text, expected) in [
        ("shop", 10, r#"{"rotate_refresh_tokens":false}"#, ("username", Some(false))),
        ("other", 20, r#"{"username_field":"email","other":[]}"#, ("email", None)),
        ("django", 5, r#"{"username_field":7,"rotate_refresh_tokens":"no"}"#, ("username", None)),
        ("newer", 40, "no object", ("username", None)),
    ] {
        let insert = "INSERT INTO import_sources (source, imported_at, settings)";
        raw.execute(format!("{insert} VALUES ('{name}', {at}, '{text}')")).await;
        let settings = store.simplejwt_settings(None).await.unwrap();
        assert_eq!((settings.username_field(), settings.rotates), expected, "{name}");
    }
    let shop = store.simplejwt_settings(Some(&source("shop"))).await.unwrap();
    assert_eq!(shop, store.simplejwt_settings_of(&source("shop")).await.unwrap());
    assert_eq!((shop.username_field(), shop.rotates), ("username", Some(false)));
    let of_nobody = store.simplejwt_settings_of(&source("nobody")).await.unwrap();
    assert_eq!(of_nobody, sallyport::domain::simplejwt_settings::SimplejwtSettings::default());
}
