//! Replacement of the master secret, process by process, without an effect on users.

use std::time::Duration;

use sallyport::auth::Check;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::keys::{admin, kid, rotate};
use super::service::{Service, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_secret_is_replaced_in_three_steps_and_nobody_is_logged_out,
    a_key_under_an_unknown_secret_makes_a_process_unready_and_refuses_nobody,
);

const OLD: &str = "--secret 0123456789abcdefghijklmnopqrstuv";
const OLD_NEW: &str = "--secret 0123456789abcdefghijklmnopqrstuv,ZYXWVUTSRQPONMLKJIHGFEDCBA987654";
const NEW_OLD: &str = "--secret ZYXWVUTSRQPONMLKJIHGFEDCBA987654,0123456789abcdefghijklmnopqrstuv";
const NEW: &str = "--secret ZYXWVUTSRQPONMLKJIHGFEDCBA987654";

async fn a_secret_is_replaced_in_three_steps_and_nobody_is_logged_out(database: Database) {
    let mut one = Service::start(&database, OLD).await;
    one.make("root", Role::Admin).await;
    let clock = one.clock.clone();
    let mut two = Service::start_at(&database, OLD, clock.clone()).await;
    let mut client = one.login("root").await;
    for (step, flags) in [OLD_NEW, NEW_OLD, NEW].into_iter().enumerate() {
        // Half way: one process has the step's secrets, the other one those of the step before.
        one = Service::start_at(&database, flags, clock.clone()).await;
        for (here, there) in [(&one, &two), (&two, &one), (&one, &two)] {
            let payload = here.refresh(&client.refresh, None).await;
            client = tokens(&payload).unwrap_or_else(|| panic!("step {step}: {payload}"));
            assert_eq!(there.refusal(&client.access).await, None, "step {step}");
        }
        // A rotation in the middle of it, by either, is followed by the other.
        let orders = if step % 2 == 0 { &one } else { &two };
        let root = admin(orders).await;
        assert_eq!(rotate(orders, &root, Value::Null).await["errors"], json!([]));
        one.pass(Duration::from_mins(10)).await;
        two.pass(Duration::ZERO).await;
        let (here, there) = (admin(&one).await, admin(&two).await);
        assert_eq!(kid(&here), kid(&there));
        assert_eq!((one.refusal(&there).await, two.refusal(&here).await), (None, None));
        assert!(impediments(&one).await.iter().all(|reason| !reason.contains("secret")));
        two = Service::start_at(&database, flags, clock.clone()).await;
    }
    // The old secret is not needed any more, and would not do.
    tokens(&two.refresh(&client.refresh, None).await).unwrap();
    let three = Service::start_at(&database, NEW, clock).await;
    assert_eq!(three.refusal(&admin(&two).await).await, None);
}

async fn a_key_under_an_unknown_secret_makes_a_process_unready_and_refuses_nobody(
    database: Database,
) {
    let mut one = Service::start(&database, OLD).await;
    one.make("root", Role::Admin).await;
    let root = admin(&one).await;
    // A step was left out: this one seals with a secret that the other does not have.
    let two = Service::start_at(&database, NEW_OLD, one.clock.clone()).await;
    assert_eq!(rotate(&two, &root, json!({ "immediately": true })).await["errors"], json!([]));
    let token = admin(&two).await;
    // Before and after its next read it cannot tell, and says so.
    assert_eq!(one.refusal(&token).await.as_deref(), Some("SERVICE_UNAVAILABLE"));
    one.pass(Duration::ZERO).await;
    assert_eq!(one.refusal(&token).await.as_deref(), Some("SERVICE_UNAVAILABLE"));
    assert_eq!(one.refusal(&root).await.as_deref(), Some("INVALID"));
    let reasons = impediments(&one).await;
    assert!(reasons.iter().any(|reason| reason.contains("secret")), "{reasons:?}");
    assert_eq!(two.refusal(&token).await, None);
}

async fn impediments(service: &Service) -> Vec<String> {
    service.core.auth.system.readiness().await.iter().filter_map(Check::impediment).collect()
}
