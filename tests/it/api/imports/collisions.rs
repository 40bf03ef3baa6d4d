//! Accounts that would have the same name, address or id.

use std::time::Instant;

use super::*;

on_both!(
    a_verified_address_comes_before_a_later_login,
    an_active_account_keeps_the_name_before_a_later_login,
    names_that_look_alike_are_renamed_in_one_pass,
    only_one_source_gives_its_ids,
);

async fn a_verified_address_comes_before_a_later_login(database: Database) {
    let service = Service::start(&database, "").await;
    let lines = [
        user(1, "ada", json!({ "email": "v@example.com", "email_verified": true })),
        user(
            2,
            "mallory",
            json!({ "email": "V@example.com", "last_login": "2026-01-01T00:00:00Z" }),
        ),
        user(
            3,
            "left",
            json!({ "email": "w@example.com", "is_active": false,
            "last_login": "2026-01-01T00:00:00Z" }),
        ),
        user(4, "bob", json!({ "email": "w@example.com" })),
    ];
    import(&service, &lines).await;
    let expected = ["1 ada v@example.com", "2 mallory -", "3 left - off", "4 bob w@example.com"];
    assert_eq!(accounts(&database).await, expected);
}

async fn an_active_account_keeps_the_name_before_a_later_login(database: Database) {
    let service = Service::start(&database, "").await;
    let lines = [
        user(1, "Admin", json!({ "is_active": false, "last_login": "2026-01-01T00:00:00Z" })),
        user(2, "admin", json!({})),
        user(
            3,
            "p\u{430}ypal",
            json!({ "is_active": false, "last_login": "2026-01-01T00:00:00Z" }),
        ),
        user(4, "paypal", json!({})),
    ];
    import(&service, &lines).await;
    let expected = ["1 Admin-2 - off", "2 admin -", "3 p\u{430}ypal-2 - off", "4 paypal -"];
    assert_eq!(accounts(&database).await, expected);
}

/// Two thousand different names of one appearance, and as many that the same beginning has.
async fn names_that_look_alike_are_renamed_in_one_pass(database: Database) {
    const NAMES: u32 = 2_000;
    let service = Service::start(&database, "").await;
    let name = |id: u32| -> String {
        let letter = |bit: u32| if id >> bit & 1 == 1 { '\u{430}' } else { 'a' };
        (0..11).map(letter).collect()
    };
    let lines: Vec<Value> = (1..=NAMES).map(|id| user(id, &name(id), json!({}))).collect();
    let began = Instant::now();
    let mut staged = read(&service, &lines).await;
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_eq!(staged.summary().count(ProblemKind::DuplicateName), u64::from(NAMES) - 1);
    let (last, _) = staged.problems(None, i64::from(NAMES) - 2, 1).await.unwrap();
    assert!(last[0].outcome.as_ref().unwrap().ends_with("-2000"), "{last:?}");
}

async fn only_one_source_gives_its_ids(database: Database) {
    let service = Service::start(&database, "").await;
    import(&service, &[user(1, "ada", json!({}))]).await;
    let of_shop = |lines: &[Value]| file_of("shop", &json!({}), lines);
    for _ in 0..2 {
        let text = of_shop(&[user(1, "bob", json!({}))]);
        let staged = read_text(&service, text, ImportOptions::default()).await;
        let ids_of = staged.summary().ids_of.as_ref().map(Source::as_str);
        assert_eq!(ids_of, Some("django"));
        apply(&service, staged).await;
    }
    assert_eq!(accounts(&database).await, ["1 ada -"]);
    let mapped = "SELECT source || ' ' || external_accounts.external_id || ' ' || username \
                  FROM external_accounts JOIN users ON users.id = user_id ORDER BY source";
    assert_eq!(database.raw().await.texts(mapped).await, ["django 1 ada", "shop 1 bob"]);
    assert_eq!(import(&service, &[user(2, "cleo", json!({}))]).await.ids_of, None);
    assert_eq!(accounts(&database).await, ["1 ada -", "2 cleo -"]);
}
