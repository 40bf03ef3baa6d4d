//! `PgBouncer` before the database, which lends a connection for each transaction.

use super::work_for;
use crate::browser::Retries;
use crate::cluster::Cluster;
use crate::load::Load;
use crate::replica::Spec;
use crate::server::{Pooler, Server, url};
use crate::times;

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_that_lends_connections_for_transactions_nothing_changes() {
    let server = Server::start().await;
    let pooler = Pooler::before(&server).await;
    let mut cluster = Cluster::start("pooler", || async {
        let spec = Spec::new(url(pooler.address())).with(&["--database-pooler", "transaction"]);
        // One is woken past the pooler, one asks every second through it.
        vec![spec.clone().with(&["--database-direct-url", &server.url()]), spec]
    })
    .await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::InTime);
    work_for(times(6, 60)).await;
    let browsers = load.stop().await;
    cluster.recover().await;
    let events = cluster.history.events();
    let seen = vec!["- two replicas over six connections, one of them without LISTEN".to_owned()];
    let unavailable = crate::report::count_unavailable(&events);
    cluster.judge("PgBouncer, pool_mode = transaction", browsers, seen).await;
    assert_eq!(unavailable, 0, "behind a pooler that works nothing is unavailable");
}
