//! Minimal permissions of the database role.

use sallyport::domain::user::Role;
use serde_json::Value;

use crate::api::service::{Service, tokens};
use crate::databases::{Database, on_postgres};

on_postgres!(a_role_that_may_make_no_table_is_enough_to_serve);

/// Once another role has migrated, the service only reads and writes rows.
async fn a_role_that_may_make_no_table_is_enough_to_serve(mut database: Database) {
    let store = database.store().await;
    let mut owner = database.raw().await;
    let (place, name) = database.url.rsplit_once('/').expect("a path");
    let role = name.split('?').next().expect("a name").to_owned();
    owner
        .execute(format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'orbit'; \
             REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
        ))
        .await;
    let makes = format!("SELECT has_schema_privilege('{role}', 'public', 'CREATE')::text");
    assert_eq!(owner.texts(makes).await, ["false"]);
    let (_, host) = place.rsplit_once('@').expect("a user");
    database.url = format!("postgres://{role}:orbit@{host}/{name}");

    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::Admin).await;
    let ada = service.login("ada").await;
    let next = tokens(&service.refresh(&ada.refresh, None).await).expect("tokens");
    let rotate = "mutation { rotateSigningKey { errors { code } } }";
    let answer = service.send(Some(&next.access), rotate, Value::Null).await;
    assert!(answer["errors"].is_null(), "{answer}");
    service.logout(Some(&next.access), None, "CURRENT").await;
    assert_eq!(service.refusal(&next.access).await.as_deref(), Some("SESSION_ENDED"));
    service.feed.read().await.expect("the feed");
    service.core.auth.system.purge().await.expect("a purge");
    drop((service, store));
    owner.execute(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
