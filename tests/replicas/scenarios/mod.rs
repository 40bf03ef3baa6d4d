//! Scenarios: faults of databases, disks, clocks, networks and processes.

mod clients_gone;
mod clocks;
mod database_faults;
mod feed_faults;
mod full_disk;
mod kills;
mod locks;
mod logout_latency;
mod million_ends;
mod pooler;
mod very_many_ends;

use std::time::Duration;

use tokio::time::sleep;

use crate::proxy::Proxy;
use crate::replica::Spec;
use crate::server::{Server, url};

async fn work_for(seconds: usize) {
    sleep(Duration::from_secs(seconds as u64)).await;
}

fn same(count: usize, spec: &Spec) -> Vec<Spec> {
    vec![spec.clone(); count]
}

/// A server and a proxy before it.
async fn server_behind_proxy() -> (Server, Proxy) {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    (server, proxy)
}

fn behind(proxy: &Proxy) -> Spec {
    Spec::new(url(proxy.address))
}
